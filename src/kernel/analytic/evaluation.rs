//! A kernel on given inputs: any part of the matrices, in tiles that stay in cache.
//!
//! One pass per tile: the inner products, of long inputs by a matrix product, then all layers on one row of the tile after the other, in
//! vector registers, and each entry is written once. A Gram matrix that is filled at once is computed below the diagonal only.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pulp::Arch;
use rayon::prelude::*;

use super::block::Spare;
use super::columns::Columns;
use super::dual::Digits;
use super::follow::follow;
use super::inputs::{Directions, Inputs};
use super::pairing::Pairing;
use super::path::Path;
use super::recursion::Recursion;
use crate::error::{Error, Result};
use crate::kernel::Kernels;
use crate::linalg::{self, Element, Matrix};

/// The kernels of an architecture between two sets of inputs, or of one set with itself, ready to be computed.
#[derive(Debug, Clone)]
pub struct Evaluation<'a> {
    recursion: &'a Recursion,
    output_scale: f64,
    arch: Arch,
    inputs: Inputs,
    path: Path,
    diagonal: Kernels<Vec<f64>>,
    n_rows: usize,
    n_columns: usize,
    /// Where the columns begin in the list of all inputs: 0 for a Gram matrix.
    first_column: usize,
}

/// Rows of a tile, and of the bands in which a result is written.
const TILE_ROWS: usize = 64;

/// Numbers on a line of the cache.
const LINE: usize = 8;

/// Columns of a tile: what is followed at once fits the fastest cache.
const TILE_COLUMNS: usize = 256;

/// Pairs of positions times columns of a tile, where there are so many positions that the second cache is the limit.
const TILE_NUMBERS: usize = 1 << 15;

impl<'a> Evaluation<'a> {
    pub(super) fn new(recursion: &'a Recursion, scales: (f64, f64), x1: &Matrix, x2: Option<&Matrix>) -> Result<Self> {
        ensure_tiles_fit(recursion.input.n_pairs())?;
        let arch = Arch::new();
        let sets: Vec<&Matrix> = std::iter::once(x1).chain(x2).collect();
        let inputs = Inputs::new(&sets, recursion.input.n_positions, scales.0)?;
        let (path, diagonal) = follow(recursion, &inputs, scales.1, arch)?;
        let (n_rows, n_columns) = (x1.n_rows(), x2.unwrap_or(x1).n_rows());
        let first_column = if x2.is_some() { n_rows } else { 0 };
        Ok(Self { recursion, output_scale: scales.1, arch, inputs, path, diagonal, n_rows, n_columns, first_column })
    }

    /// Rows and columns of the matrices.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        (self.n_rows, self.n_columns)
    }

    /// Both kernels of every input of the rows with itself: `[n1]` each.
    #[must_use]
    pub fn diagonal(&self) -> Kernels<Vec<f64>> {
        let rows = |all: &[f64]| all[..self.n_rows].to_vec();
        Kernels { nngp: rows(&self.diagonal.nngp), ntk: rows(&self.diagonal.ntk) }
    }

    /// How far activations without a formula may be off, relative to sqrt(K(x, x) K(x', x')): the largest estimate over inputs and
    /// layers; 0 where every activation has a formula.
    #[must_use]
    pub fn quadrature_error(&self) -> Kernels<f64> {
        self.path.quadrature_error()
    }

    /// The entries of `rows` and `columns`: `[rows, columns]` each, for solvers that never hold the matrix.
    ///
    /// # Panics
    /// For rows or columns past the end, as indexing does.
    #[must_use]
    pub fn tile(&self, rows: Range<usize>, columns: Range<usize>) -> Kernels<Matrix> {
        assert!(rows.end <= self.n_rows && columns.end <= self.n_columns, "a tile within the matrix");
        let mut kernels =
            Kernels { nngp: Matrix::zeros(rows.len(), columns.len()), ntk: Matrix::zeros(rows.len(), columns.len()) };
        let n = columns.len().max(1);
        // A few rows of a deep network must still occupy every thread.
        let height = rows.len().div_ceil(4 * rayon::current_num_threads()).clamp(1, TILE_ROWS);
        let bands = kernels.nngp.values_mut().par_chunks_mut(height * n);
        bands.zip(kernels.ntk.values_mut().par_chunks_mut(height * n)).enumerate().for_each(|(band, (nngp, ntk))| {
            let start = rows.start + band * height;
            let band = start..(start + height).min(rows.end);
            let mut tile = Tile::<f64>::default();
            for first in (0..columns.len()).step_by(self.n_tile_columns()) {
                let part = first..(first + self.n_tile_columns()).min(columns.len());
                self.compute(band.clone(), columns.start + part.start..columns.start + part.end, &mut tile);
                for (to, from) in [(&mut *nngp, &tile.nngp), (&mut *ntk, &tile.ntk)] {
                    for (to, from) in to.chunks_exact_mut(n).zip(from.chunks_exact(part.len())) {
                        to[part.clone()].copy_from_slice(from);
                    }
                }
            }
        });
        kernels
    }

    /// The rows from first to last in blocks of at most `n`: `[n, n2]` each, with where they belong.
    pub fn row_blocks(&self, n: usize) -> impl Iterator<Item = (Range<usize>, Kernels<Matrix>)> {
        let n = n.max(1);
        (0..self.n_rows.div_ceil(n)).map(move |block| {
            let rows = block * n..((block + 1) * n).min(self.n_rows);
            (rows.clone(), self.tile(rows, 0..self.n_columns))
        })
    }

    /// Writes the matrices that are wanted, row after row; `progress` is told how much of 1 is done, from any thread.
    ///
    /// # Errors
    /// When a slice does not hold as many numbers as the matrix.
    pub fn fill<T: Element>(&self, wanted: Kernels<Option<&mut [T]>>, progress: &(dyn Fn(f64) + Sync)) -> Result<()> {
        let n_entries = self.n_rows * self.n_columns;
        for values in [&wanted.nngp, &wanted.ntk].into_iter().flatten() {
            if values.len() != n_entries {
                return Err(Error::shape("kernel to fill", format!("{n_entries} numbers"), values.len()));
            }
        }
        let tiles = self.tiles();
        let n_pairs: usize = tiles.iter().map(|(rows, columns)| rows.len() * columns.len()).sum();
        let n_done = AtomicUsize::new(0);
        let nngp = wanted.nngp.map(|values| Bands::new(values, self.n_columns));
        let ntk = wanted.ntk.map(|values| Bands::new(values, self.n_columns));
        tiles.into_par_iter().for_each_init(Tile::<T>::default, |tile, (rows, columns)| {
            let n_here = rows.len() * columns.len();
            self.compute(rows, columns, tile);
            for (bands, values) in [(&nngp, &tile.nngp), (&ntk, &tile.ntk)] {
                let Some(bands) = bands else { continue };
                bands.put(tile, values, self.is_gram());
            }
            let n_done = n_done.fetch_add(n_here, Ordering::Relaxed) + n_here;
            progress(n_done as f64 / n_pairs as f64);
        });
        Ok(())
    }

    /// How long all entries will take with the threads at hand, from timing a few; a Gram matrix that is filled at once takes half.
    #[must_use]
    pub fn estimate(&self) -> Duration {
        let Some((rows, columns)) = self.tiles().pop() else { return Duration::ZERO };
        let rows = rows.start..rows.end.min(rows.start + 4);
        let n_sampled = (rows.len() * columns.len()) as f64;
        let n_pairs = self.n_rows * self.n_columns;
        let (mut seconds, mut tile) = (f64::INFINITY, Tile::<f64>::default());
        // The first pass also pays for memory and caches.
        for _ in 0..2 {
            let start = Instant::now();
            self.compute(rows.clone(), columns.clone(), &mut tile);
            seconds = start.elapsed().as_secs_f64();
        }
        Duration::from_secs_f64(seconds / n_sampled * n_pairs as f64 / rayon::current_num_threads() as f64)
    }

    fn is_gram(&self) -> bool {
        self.first_column == 0
    }

    fn n_tile_columns(&self) -> usize {
        (TILE_NUMBERS / self.recursion.input.n_pairs()).next_multiple_of(8).clamp(8, TILE_COLUMNS)
    }

    /// Rows and columns of every tile; of a Gram matrix those that reach the lower triangle.
    fn tiles(&self) -> Vec<(Range<usize>, Range<usize>)> {
        let mut tiles = Vec::new();
        for start in (0..self.n_rows).step_by(TILE_ROWS) {
            let rows = start..(start + TILE_ROWS).min(self.n_rows);
            let n_columns = if self.is_gram() { rows.end } else { self.n_columns };
            for first in (0..n_columns).step_by(self.n_tile_columns()) {
                tiles.push((rows.clone(), first..(first + self.n_tile_columns()).min(n_columns)));
            }
        }
        tiles
    }

    /// One tile on this thread.
    fn compute<T: Element>(&self, rows: Range<usize>, columns: Range<usize>, tile: &mut Tile<T>) {
        let n = columns.len();
        let inputs = self.first_column + columns.start..self.first_column + columns.end;
        tile.place(rows.clone(), columns);
        let Tile { side, directions, spare, correlations, .. } = tile;
        let Recursion { nodes, scales, input, n_nodes } = self.recursion;
        let digits = if T::IS_SINGLE { Digits::Seven } else { Digits::All };
        side.place(*n_nodes, inputs.clone());
        side.copy_all(&self.path, nodes, scales);
        directions.place(&self.inputs, inputs.clone());
        if self.inputs.are_long() {
            self.inputs.correlations(rows.clone(), inputs, correlations);
        }
        for (i, row) in rows.enumerate() {
            let part = i * n..(i + 1) * n;
            let block = self.inputs.block(self.arch, *input, row, directions, &correlations[part.clone()], spare);
            let pairing = Pairing { arch: self.arch, digits, scales, path: &self.path, row, columns: side };
            let block = pairing.follow(nodes, block, spare);
            let (nngp, ntk) = (&mut tile.nngp[part.clone()], &mut tile.ntk[part]);
            pairing.kernels(self.recursion.end(), self.output_scale, &block, nngp, ntk);
            spare.give(block);
        }
    }
}

/// Each thread follows three numbers of eight columns for every pair of positions, into and out of a layer.
fn ensure_tiles_fit(n_pairs: usize) -> Result<()> {
    let needed = (2 * 3 * 8 * size_of::<f64>() * rayon::current_num_threads()) as f64 * n_pairs as f64;
    match linalg::available_memory() {
        Some(available) if needed > available => Err(Error::TooLarge {
            what: format!("following {n_pairs} pairs of positions"),
            needed: needed * 1e-9,
            available: available * 1e-9,
            remedy: "use smaller inputs, a stride, `flatten` in place of pooling, or fewer threads",
        }),
        _ => Ok(()),
    }
}

/// A part of both matrices, whose memory serves one tile after the other: to return it each time would cost more than the tile.
#[derive(Debug, Default)]
struct Tile<T> {
    rows: Range<usize>,
    columns: Range<usize>,
    side: Columns,
    directions: Directions,
    spare: Spare,
    correlations: Vec<f64>,
    nngp: Vec<T>,
    ntk: Vec<T>,
}

impl<T: Element> Tile<T> {
    fn place(&mut self, rows: Range<usize>, columns: Range<usize>) {
        let n = rows.len() * columns.len();
        (self.rows, self.columns) = (rows, columns);
        self.correlations.resize(n, 0.0);
        self.nngp.resize(n, T::default());
        self.ntk.resize(n, T::default());
    }
}

/// A matrix that is written by several threads, each row by one at a time.
struct Bands<'a, T> {
    bands: Vec<Mutex<&'a mut [T]>>,
    n_columns: usize,
}

impl<'a, T: Element> Bands<'a, T> {
    fn new(values: &'a mut [T], n_columns: usize) -> Self {
        let bands = values.chunks_mut((TILE_ROWS * n_columns).max(1)).map(Mutex::new).collect();
        Self { bands, n_columns }
    }

    /// Writes a tile whose rows lie in one band and, for a Gram matrix, its mirror image.
    fn put(&self, tile: &Tile<T>, values: &[T], is_gram: bool) {
        let n = tile.columns.len();
        self.write(tile.rows.start / TILE_ROWS, |band, first_row| {
            for (row, values) in tile.rows.clone().zip(values.chunks_exact(n)) {
                let n = if is_gram { (row + 1).saturating_sub(tile.columns.start).min(n) } else { n };
                let start = (row - first_row) * self.n_columns + tile.columns.start;
                band[start..start + n].copy_from_slice(&values[..n]);
            }
        });
        if !is_gram {
            return;
        }
        for index in tile.columns.start / TILE_ROWS..tile.columns.end.div_ceil(TILE_ROWS) {
            self.write(index, |band, first_row| {
                let rows = tile.columns.start.max(first_row)..tile.columns.end.min(first_row + TILE_ROWS);
                let mut turned = [[T::default(); TILE_ROWS]; LINE];
                for start in rows.clone().step_by(LINE) {
                    // A few columns are turned at once, as many as share a line of the cache.
                    let columns = start..rows.end.min(start + LINE);
                    for (i, values) in values.chunks_exact(n).enumerate() {
                        let values = &values[columns.start - tile.columns.start..columns.end - tile.columns.start];
                        for (column, value) in turned.iter_mut().zip(values) {
                            column[i] = *value;
                        }
                    }
                    for (row, column) in columns.zip(&turned) {
                        // What lies below the diagonal in this column of the tile.
                        let below = tile.rows.start.max(row + 1)..tile.rows.end.max(row + 1);
                        let to = (row - first_row) * self.n_columns + below.start;
                        let from = below.start - tile.rows.start;
                        if !below.is_empty() {
                            band[to..to + below.len()].copy_from_slice(&column[from..from + below.len()]);
                        }
                    }
                }
            });
        }
    }

    fn write(&self, index: usize, write: impl FnOnce(&mut [T], usize)) {
        if let Some(band) = self.bands.get(index) {
            // A thread that panicked while it held the lock has ended the computation.
            write(&mut band.lock().unwrap_or_else(PoisonError::into_inner), index * TILE_ROWS);
        }
    }
}
