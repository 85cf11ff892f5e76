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
//! until it is finished; of a Gram matrix only what lies below the diagonal is computed. A device without f64 delivers a block for every map,
//! and they add up on the host.

use std::borrow::Cow;
use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::anatomy::Anatomy;
use super::factors::{Factors, Source};
use super::outputs::Outputs;
use super::plan::{Plan, Task};
use crate::error::{Error, Result};
use crate::linalg::{Element, Matrix, first_non_finite, transpose_into};
use crate::net::{Dtype, Probed, numbers, to_data};

/// Which part of the sum over maps and pairs of outputs.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Of the maps that are trained.
    pub(super) maps: Range<usize>,
    /// Whose kernel every matrix is: one output's with itself, or everything, in which every output of an input has a row and a column.
    pub(super) matrices: Vec<Option<usize>>,
}

impl Wanted {
    /// Everything, in one matrix.
    pub(super) fn whole(anatomy: &Anatomy) -> Self {
        Self { maps: 0..anatomy.trained_maps().count(), matrices: vec![None] }
    }

    /// Each output with itself, in a matrix of its own.
    pub(super) fn diagonal(anatomy: &Anatomy) -> Self {
        Self { maps: 0..anatomy.trained_maps().count(), matrices: (0..anatomy.d_out).map(Some).collect() }
    }
}

/// The tiles of two sets of inputs, or of one with itself.
pub(super) struct Structured<'a, M> {
    source: Source<'a, M>,
    grid: Grid,
}

/// What threads share of it.
struct Grid {
    task: Task,
    n_strip: usize,
    d_out: usize,
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
            let Source { trainable, anatomy, compute, .. } = *source;
            let find = |(module, tile): (M, usize)| {
                tiles.find(&Source { module: &module, trainable, anatomy, compute }, task, tile)
            };
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

    fn is_held(&self) -> bool {
        self.held.len() == self.ranges.len()
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
        let d_out = source.anatomy.d_out;
        Ok(Self { source, grid: Grid { task, n_strip: plan.n_strip, d_out, rows, columns } })
    }

    /// The wanted matrices whole; of a Gram matrix only the entries on and below the diagonal are set.
    pub(super) fn matrices(&self, wanted: &Wanted) -> Result<Vec<Matrix>> {
        let Task { n_rows, n_columns, .. } = self.grid.task;
        let n = self.grid.n_interleaved(wanted);
        let mut matrices: Vec<Matrix> =
            wanted.matrices.iter().map(|_| Matrix::zeros(n_rows * n, n_columns * n)).collect();
        self.fill(wanted, matrices.iter_mut().map(Matrix::values_mut).collect())?;
        Ok(matrices)
    }

    /// The same into numbers of either type, row after row.
    pub(super) fn fill<T: Element>(&self, wanted: &Wanted, mut matrices: Vec<&mut [T]>) -> Result<()> {
        let rows = &self.grid.rows;
        if rows.is_held() {
            return self.band(0..rows.ranges.len(), wanted, matrices);
        }
        let size = self.grid.n_interleaved(wanted).pow(2) * self.grid.task.n_columns;
        for (tile, range) in rows.ranges.iter().enumerate() {
            let part = range.start * size..range.end * size;
            self.band(tile..tile + 1, wanted, matrices.iter_mut().map(|matrix| &mut matrix[part.clone()]).collect())?;
        }
        Ok(())
    }

    /// The wanted matrix, whole rows from first to last, a tile at a time.
    pub(super) fn row_blocks(
        &self,
        wanted: &Wanted,
        take: &mut dyn FnMut(Range<usize>, &Matrix) -> Result<()>,
    ) -> Result<()> {
        let n = self.grid.n_interleaved(wanted);
        for (tile, range) in self.grid.rows.ranges.iter().enumerate() {
            let mut block = Matrix::zeros(range.len() * n, self.grid.task.n_columns * n);
            self.band(tile..tile + 1, wanted, vec![block.values_mut()])?;
            take(range.clone(), &block)?;
        }
        Ok(())
    }

    /// The rows of some tiles, of one where factors are not held, into one band `[rows, n_columns]` of each matrix.
    fn band<T: Element>(&self, tiles: Range<usize>, wanted: &Wanted, bands: Vec<&mut [T]>) -> Result<()> {
        let grid = &self.grid;
        let n_of_input = grid.n_interleaved(wanted).pow(2) * grid.task.n_columns;
        let mut strips = grid.strips(tiles.clone());
        for mut band in bands {
            for strip in &mut strips {
                let (rows, rest) = band.split_at_mut(strip.rows.len() * n_of_input);
                strip.bands.push(rows);
                band = rest;
            }
        }
        if grid.rows.is_held() {
            // Every strip goes all the way by itself; the longest come first, each to a thread that is free.
            strips.iter_mut().rev().par_bridge().try_for_each(|strip| {
                let rows = &grid.rows.held[strip.tile];
                (0..grid.n_tiles(strip.tile))
                    .try_for_each(|tile| grid.fill(strip, rows, (tile, &grid.columns().held[tile]), wanted))
            })?;
            return grid.ensure_finite(&strips, wanted);
        }
        for row_tile in tiles {
            let rows = grid.rows.factors(&self.source, &grid.task, row_tile)?;
            for tile in 0..grid.n_tiles(row_tile) {
                let is_own = grid.columns.is_none() && tile == row_tile;
                let other =
                    if is_own { rows.clone() } else { grid.columns().factors(&self.source, &grid.task, tile)? };
                strips
                    .par_iter_mut()
                    .filter(|strip| strip.tile == row_tile)
                    .try_for_each(|strip| grid.fill(strip, &rows, (tile, &other), wanted))?;
            }
        }
        grid.ensure_finite(&strips, wanted)
    }
}

impl Grid {
    /// Rows of an input in every matrix.
    fn n_interleaved(&self, wanted: &Wanted) -> usize {
        let is_whole = wanted.matrices.contains(&None) && self.task.outputs == Outputs::Full;
        if is_whole { self.d_out } else { 1 }
    }

    fn columns(&self) -> &Tiles {
        self.columns.as_ref().unwrap_or(&self.rows)
    }

    /// Tiles of columns that the rows of a tile meet.
    fn n_tiles(&self, tile: usize) -> usize {
        if self.task.is_lower() { tile + 1 } else { self.columns().ranges.len() }
    }

    fn strips<T>(&self, tiles: Range<usize>) -> Vec<Strip<'_, T>> {
        let of = |tile: usize| {
            let n = self.rows.ranges[tile].len();
            let rows = (0..n).step_by(self.n_strip).map(move |first| first..(first + self.n_strip).min(n));
            rows.map(move |rows| Strip { tile, rows, bands: Vec::new(), is_finite: true })
        };
        tiles.flat_map(of).collect()
    }

    /// The columns of a tile in the rows of a strip.
    fn fill<T: Element>(
        &self,
        strip: &mut Strip<'_, T>,
        rows: &Factors,
        (tile, other): (usize, &Factors),
        wanted: &Wanted,
    ) -> Result<()> {
        let is_diagonal = self.task.is_lower() && tile == strip.tile;
        let part = 0..if is_diagonal { strip.rows.end } else { other.n };
        let n_outputs = self.n_interleaved(wanted);
        let place = Place {
            n_columns: self.task.n_columns * n_outputs,
            first: self.columns().ranges[tile].start * n_outputs,
            is_turned: self.task.device_memory.is_none(),
        };
        for (band, output) in strip.bands.iter_mut().zip(&wanted.matrices) {
            if wanted.maps.is_empty() {
                band.fill(T::default());
                continue;
            }
            let of = |maps| {
                let block = if place.is_turned {
                    rows.contract(&strip.rows, (other, &part), maps, *output)
                } else {
                    other.contract(&part, (rows, &strip.rows), maps, *output)
                };
                block.map(to_data).transpose()
            };
            if !self.task.has_f64 {
                let shares = wanted.maps.clone().map(|map| of(map..map + 1));
                strip.is_finite &= place.put(&sum(shares)?, band);
                continue;
            }
            let Some(block) = of(wanted.maps.clone())? else { continue };
            strip.is_finite &= match self.task.dtype {
                Dtype::F32 => place.put::<f32, T>(numbers(&block)?, band),
                Dtype::F64 => place.put::<f64, T>(numbers(&block)?, band),
            };
        }
        Ok(())
    }

    /// Looks, where one was seen, for the first number that is not finite: matrix by matrix, row by row, in what strips have set.
    fn ensure_finite<T: Element>(&self, strips: &[Strip<'_, T>], wanted: &Wanted) -> Result<()> {
        if strips.iter().all(|strip| strip.is_finite) {
            return Ok(());
        }
        let n_outputs = self.n_interleaved(wanted);
        let n_columns = self.task.n_columns * n_outputs;
        for matrix in 0..wanted.matrices.len() {
            for strip in strips {
                let first = self.rows.ranges[strip.tile].start;
                let is_set = if self.task.is_lower() { (first + strip.rows.end) * n_outputs } else { n_columns };
                for (number, row) in strip.bands[matrix].chunks(n_columns).enumerate() {
                    let Some(column) = first_non_finite(&row[..is_set]) else { continue };
                    let number = (first + strip.rows.start) * n_outputs + number;
                    return Err(not_finite((number, column, row[column].into())));
                }
            }
        }
        Ok(())
    }
}

/// Rows of a tile that are one piece of work.
struct Strip<'a, T> {
    tile: usize,
    /// Within the tile.
    rows: Range<usize>,
    /// Their rows of every matrix.
    bands: Vec<&'a mut [T]>,
    /// Whether every number put there was.
    is_finite: bool,
}

/// Where a block goes in rows of `n_columns` entries.
struct Place {
    n_columns: usize,
    /// The block's first column.
    first: usize,
    /// Whether a row of the block has what one column of the band has, as CPUs are faster at; a device's block is the host's to copy.
    is_turned: bool,
}

/// Fewest rows that a thread copies.
const LEAST_SHARED: usize = 64;

impl Place {
    /// Says whether all that was put is finite: seen here, while it is at hand.
    fn put<S: Element, T: Element>(&self, block: &[S], band: &mut [T]) -> bool {
        let convert = |value: S| T::of(value.into());
        let is_finite = |values: &[S]| values.iter().fold(true, |all, value| all & convert(*value).is_finite());
        if self.is_turned {
            transpose_into(block, band, (self.n_columns, self.first), convert);
            return is_finite(block);
        }
        let width = block.len() / (band.len() / self.n_columns.max(1)).max(1);
        let rows = band.par_chunks_mut(self.n_columns.max(1)).zip(block.par_chunks(width.max(1)));
        let put = |(row, values): (&mut [T], &[S])| {
            row[self.first..].iter_mut().zip(values).for_each(|(entry, value)| *entry = convert(*value));
            is_finite(values)
        };
        rows.with_min_len(LEAST_SHARED).map(put).reduce(|| true, |all, next| all & next)
    }
}

/// The error of a kernel with such a number.
pub(super) fn not_finite((row, column, value): (usize, usize, f64)) -> Error {
    Error::NotFinite {
        what: "the empirical kernel".to_owned(),
        value,
        place: format!("row {row}, column {column}"),
        remedy:
            "the network's parameters, outputs or derivatives overflow: lower `arch.w_std` or the step size, or use \
                 `dtype = \"f64\"`"
                .to_owned(),
    }
}

/// Blocks of f32, added up in f64.
fn sum(blocks: impl Iterator<Item = Result<Option<TensorData>>>) -> Result<Vec<f64>> {
    let mut sum = Vec::new();
    for block in blocks {
        let Some(block) = block? else { continue };
        let block = numbers::<f32>(&block)?;
        sum.resize(block.len(), 0.0);
        let pairs = sum.par_iter_mut().zip(block).with_min_len(1 << 16);
        pairs.for_each(|(sum, value)| *sum += f64::from(*value));
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{Activation, Mlp, Parametrization};
    use crate::kernel::empirical::Method;
    use crate::net::{Backend, Compute, InitialFunction, Predictor, Trainable};
    use crate::seed::stream;

    #[test]
    fn devices_give_the_same_and_without_f64_the_maps_add_up_on_the_host() {
        let mlp = Mlp {
            depth: 3,
            width: 20,
            activation: Activation::Relu,
            w_std: 1.4,
            b_std: 0.3,
            parametrization: Parametrization::Ntk,
        };
        let architecture = mlp.architecture(4, 2).unwrap();
        let x = Matrix::from_fn(30, 4, |i, j| (0.3 + (4 * i + j) as f64).sin());
        const FEW_BYTES: f64 = 2e5;
        let kernel = |dtype, has_f64, device_memory| {
            let compute = Compute::open(Backend::preferred(), dtype).unwrap();
            let predictor =
                Predictor::init(&architecture, InitialFunction::Plain, &mut stream(1, "init"), &compute).unwrap();
            let trainable = Trainable::of(&predictor);
            let valid = burn::module::Module::valid(&predictor);
            let x = compute.tensor(&x);
            let anatomy = Anatomy::of(&predictor, &valid, x.clone().narrow(0, 0, 1)).unwrap();
            let (outputs, n_numbers) = (Outputs::Full, 4);
            let task = Task {
                n_rows: 30,
                n_columns: 30,
                is_gram: true,
                outputs,
                device_memory,
                dtype,
                has_f64,
                n_numbers,
                is_held: true,
            };
            let plan = Plan::new(&anatomy, &task, Method::Structured, None).unwrap();
            assert_eq!(plan.holds_factors, device_memory != Some(FEW_BYTES), "{plan}");
            let source = Source { module: &valid, trainable: &trainable, anatomy: &anatomy, compute: &compute };
            let structured = Structured::new(source, task, &plan, &x, None).unwrap();
            structured.matrices(&Wanted::whole(&anatomy)).unwrap().remove(0)
        };
        let exact = kernel(Dtype::F64, true, None);
        let error = |found: Matrix| {
            let lower = (0..60).flat_map(|i| (0..=i).map(move |j| (i, j)));
            lower.map(|place| (found[place] - exact[place]).abs()).fold(0.0, f64::max) / exact.rms()
        };
        let (on_host, on_device) = (error(kernel(Dtype::F32, false, None)), error(kernel(Dtype::F32, true, None)));
        assert!(on_host > 0.0 && on_host < 1e-5 && on_device < 1e-5, "{on_host:e} {on_device:e}");
        // What rounds once for every map is not the same.
        assert_ne!(kernel(Dtype::F32, false, None), kernel(Dtype::F32, true, None));
        // Blocks as a device delivers them, in one tile and in several.
        for memory in [f64::INFINITY, FEW_BYTES] {
            assert!(error(kernel(Dtype::F64, true, Some(memory))) < 1e-14, "{memory:e}");
        }
    }
}
