//! Structured derivatives (Novak, Sohl-Dickstein, Schoenholz 2022): the gradient of an affine map factorizes.
//!
//! For a map with inputs h_p at positions p, and output deltas g_p = d f / d z_p, the gradient of its weights at one sample is a sum of
//! outer products, so that its share of the kernel is made of inner products alone:
//!
//! ```text
//! Theta_hat(x, x') = sum over maps, over positions p of x and q of x', of (s_w^2 <h_p, h'_q> + s_b^2) <g_p, g'_q>
//! ```
//!
//! with s_w = W_std / sqrt n_in and s_b = b_std in the NTK parametrization, 1 and 1 in the standard one. A dense map has one position,
//! and its share costs two matrix products; for a convolution there are two ways of summing, in `map_factors`.
//!
//! Inputs pass in tiles. The product of two tiles is made in strips of rows, which several threads share, and stays on the device
//! until it is finished; of a Gram matrix only what lies below the diagonal is computed.

use std::borrow::Cow;
use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::anatomy::Anatomy;
use super::factors::{Factors, Source};
use super::outputs::Outputs;
use super::plan::{Plan, Task};
use crate::error::{Error, Result};
use crate::linalg::{Element, Matrix};
use crate::net::{Dtype, Probed, to_data};

/// Which part of the sum over maps and pairs of outputs.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Of the maps that are trained.
    pub(super) maps: Range<usize>,
    /// Pairs of outputs.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Outputs of an input that have rows and columns of their own in one matrix; 1 where every pair has a matrix of its own.
    pub(super) n_interleaved: usize,
}

impl Wanted {
    /// Everything, in one matrix.
    pub(super) fn whole(anatomy: &Anatomy, outputs: Outputs) -> Self {
        let maps = 0..anatomy.trained_maps().count();
        let d_out = if outputs == Outputs::Trace { 1 } else { anatomy.d_out };
        let pairs = (0..d_out).flat_map(|o1| (0..d_out).map(move |o2| (o1, o2))).collect();
        Self { maps, pairs, n_interleaved: d_out }
    }

    /// Each output with itself, in a matrix of its own.
    pub(super) fn diagonal(anatomy: &Anatomy) -> Self {
        let maps = 0..anatomy.trained_maps().count();
        Self { maps, pairs: (0..anatomy.d_out).map(|output| (output, output)).collect(), n_interleaved: 1 }
    }

    fn n_matrices(&self) -> usize {
        self.pairs.len() / (self.n_interleaved * self.n_interleaved)
    }
}

/// The tiles of two sets of inputs, or of one with itself.
pub(super) struct Structured<'a, M> {
    source: Source<'a, M>,
    task: Task,
    n_strip: usize,
    rows: Tiles,
    /// Absent for a Gram matrix.
    columns: Option<Tiles>,
}

/// A set of inputs on the device, with the factors of its tiles where they are kept.
struct Tiles {
    x: Tensor<2>,
    ranges: Vec<Range<usize>>,
    held: Vec<Factors>,
}

impl Tiles {
    fn new<M: Probed>(source: &Source<'_, M>, task: &Task, plan: &Plan, x: &Tensor<2>) -> Result<Self> {
        let [n, _] = x.dims();
        let ranges = (0..n).step_by(plan.n_tile).map(|first| first..(first + plan.n_tile).min(n)).collect();
        let mut tiles = Self { x: x.clone(), ranges, held: Vec::new() };
        if plan.holds_factors {
            let (anatomy, compute) = (source.anatomy, source.compute);
            let find =
                |(module, tile): (M, usize)| tiles.find(&Source { module: &module, anatomy, compute }, task, tile);
            // Each has a handle of its own on the module, whose parameters are shared.
            let each = (0..tiles.ranges.len()).map(|tile| (source.module.clone(), tile));
            tiles.held = if compute.is_host() {
                // What is done entry by entry keeps one thread busy, so that several tiles pass at once.
                each.collect::<Vec<_>>().into_par_iter().map(find).collect::<Result<_>>()?
            } else {
                each.map(find).collect::<Result<_>>()?
            };
        }
        Ok(tiles)
    }

    fn factors<M: Probed>(&self, source: &Source<'_, M>, task: &Task, tile: usize) -> Result<Cow<'_, Factors>> {
        match self.held.get(tile) {
            Some(factors) => Ok(Cow::Borrowed(factors)),
            None => self.find(source, task, tile).map(Cow::Owned),
        }
    }

    fn find<M: Probed>(&self, source: &Source<'_, M>, task: &Task, tile: usize) -> Result<Factors> {
        let range = &self.ranges[tile];
        source.for_kernel(&self.x.clone().narrow(0, range.start, range.len()), task.outputs)
    }
}

impl<'a, M: Probed> Structured<'a, M> {
    /// For inputs of the rows and, unless they are the same, of the columns.
    pub(super) fn new(
        source: Source<'a, M>,
        task: Task,
        plan: &Plan,
        x1: &Tensor<2>,
        x2: Option<&Tensor<2>>,
    ) -> Result<Self> {
        let rows = Tiles::new(&source, &task, plan, x1)?;
        let columns = x2.map(|x2| Tiles::new(&source, &task, plan, x2)).transpose()?;
        Ok(Self { source, task, n_strip: plan.n_strip, rows, columns })
    }

    /// The wanted matrices whole; of a Gram matrix only the entries on and below the diagonal are set.
    pub(super) fn matrices(&self, wanted: &Wanted) -> Result<Vec<Matrix>> {
        let (n_rows, n_columns) = (self.task.n_rows * wanted.n_interleaved, self.task.n_columns * wanted.n_interleaved);
        let mut matrices: Vec<Matrix> = (0..wanted.n_matrices()).map(|_| Matrix::zeros(n_rows, n_columns)).collect();
        self.fill(wanted, matrices.iter_mut().map(Matrix::values_mut).collect())?;
        Ok(matrices)
    }

    /// The same into numbers of either type, row after row.
    pub(super) fn fill<T: Element>(&self, wanted: &Wanted, mut matrices: Vec<&mut [T]>) -> Result<()> {
        let n_columns = self.task.n_columns * wanted.n_interleaved;
        for (number, range) in self.rows.ranges.iter().enumerate() {
            let part = range.start * wanted.n_interleaved * n_columns..range.end * wanted.n_interleaved * n_columns;
            let bands = matrices.iter_mut().map(|matrix| &mut matrix[part.clone()]).collect();
            self.band(number, wanted, bands)?;
        }
        Ok(())
    }

    /// The wanted matrix, whole rows from first to last, a tile at a time.
    pub(super) fn row_blocks(
        &self,
        wanted: &Wanted,
        take: &mut dyn FnMut(Range<usize>, &Matrix) -> Result<()>,
    ) -> Result<()> {
        let n_columns = self.task.n_columns * wanted.n_interleaved;
        for (number, range) in self.rows.ranges.iter().enumerate() {
            let mut block = Matrix::zeros(range.len() * wanted.n_interleaved, n_columns);
            self.band(number, wanted, vec![block.values_mut()])?;
            take(range.clone(), &block)?;
        }
        Ok(())
    }

    /// The rows of tile `number`, into one band `[rows, n_columns]` of each matrix.
    fn band<T: Element>(&self, number: usize, wanted: &Wanted, mut bands: Vec<&mut [T]>) -> Result<()> {
        let rows = self.rows.factors(&self.source, &self.task, number)?;
        let is_lower = self.task.is_lower();
        let columns = self.columns.as_ref().unwrap_or(&self.rows);
        let n_columns = self.task.n_columns * wanted.n_interleaved;
        let n_strip = self.n_strip;
        let scale = if self.task.outputs == Outputs::Trace { 1.0 / self.source.anatomy.d_out as f64 } else { 1.0 };
        let n_tiles = if is_lower { number + 1 } else { columns.ranges.len() };
        for tile in 0..n_tiles {
            let is_own = self.columns.is_none() && tile == number;
            let other = if is_own { rows.clone() } else { columns.factors(&self.source, &self.task, tile)? };
            // Every strip has its rows of each band.
            let mut strips: Vec<Vec<&mut [T]>> = (0..rows.n.div_ceil(self.n_strip)).map(|_| Vec::new()).collect();
            for band in &mut bands {
                let height = self.n_strip * wanted.n_interleaved * n_columns;
                strips.iter_mut().zip(band.chunks_mut(height)).for_each(|(strip, rows)| strip.push(rows));
            }
            strips.into_par_iter().enumerate().try_for_each(|(strip, bands)| {
                let strip = strip * n_strip..((strip + 1) * n_strip).min(rows.n);
                let part = 0..if is_lower && is_own { strip.end } else { other.n };
                let blocks = rows.contract(&strip, (&other, &part), wanted.maps.clone(), &wanted.pairs);
                let blocks: Vec<TensorData> = blocks.into_iter().map(to_data).collect::<Result<_>>()?;
                let place =
                    Place { n_outputs: wanted.n_interleaved, n_columns, first: columns.ranges[tile].start, scale };
                for (band, blocks) in bands.into_iter().zip(blocks.chunks(wanted.n_interleaved.pow(2))) {
                    match self.source.compute.dtype() {
                        Dtype::F32 => place.put::<f32, T>(blocks, band)?,
                        Dtype::F64 => place.put::<f64, T>(blocks, band)?,
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Where blocks go in rows of `n_columns` entries.
struct Place {
    /// Outputs of an input, which are interleaved.
    n_outputs: usize,
    n_columns: usize,
    /// The column of the blocks' first, in inputs.
    first: usize,
    /// A factor for all entries.
    scale: f64,
}

impl Place {
    /// Writes the blocks of all pairs of outputs, the second output fastest.
    fn put<S: burn::tensor::Element + Into<f64>, T: Element>(
        &self,
        blocks: &[TensorData],
        band: &mut [T],
    ) -> Result<()> {
        let n_outputs = self.n_outputs;
        let n_inputs = band.len() / (self.n_columns * n_outputs).max(1);
        for (row, into) in band.chunks_exact_mut(self.n_columns).enumerate() {
            let (input, o1) = (row / n_outputs, row % n_outputs);
            for (o2, block) in blocks[o1 * n_outputs..].iter().take(n_outputs).enumerate() {
                let values = block
                    .as_slice::<S>()
                    .map_err(|reason| Error::Check(format!("a block of another number type: {reason}")))?;
                let n = values.len() / n_inputs;
                let into = into[self.first * n_outputs + o2..].iter_mut().step_by(n_outputs);
                for (to, from) in into.zip(&values[input * n..(input + 1) * n]) {
                    *to = T::of(self.scale * (*from).into());
                }
            }
        }
        Ok(())
    }
}
