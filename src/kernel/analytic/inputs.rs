//! Inputs as directions and lengths, and the correlations between them.
//!
//! Of directions u and v, rho = <u, v>; near 1 and -1 it is taken again as 1 -+ rho = |u -+ v|^2 / 2, because 1 - <u, v> has lost digits
//! there and a difference has not. Of long inputs, all <u, v> of a tile are one matrix product.

use std::ops::Range;

use pulp::Arch;

use super::block::{Block, Spare};
use super::loops::{Ends, Start};
use super::recursion::Layout;
use crate::error::Result;
use crate::linalg::{self, Matrix};

/// One or two sets of inputs, normalized position by position.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    n_positions: usize,
    /// Directions, one row per input and position: `[n n_positions, channels]`; a row of zeros for a zero.
    directions: Matrix,
    /// The same, one row per position and channel: `[n_positions channels, n]`; empty for long inputs.
    across: Matrix,
    /// <x, x> / channels, in the order of `directions`.
    variances: Vec<f64>,
}

/// The directions of the inputs `first`, `first + 1`, ..., as [`Block`] keeps the pairs of a line.
#[derive(Debug, Clone, Default)]
pub(super) struct Directions {
    first: usize,
    n: usize,
    /// `[channels, n_positions, n]`; empty for long inputs.
    values: Vec<f64>,
}

/// Closer than this to 1 or -1, correlations are computed from differences.
const NEAR: f64 = 1e-2;

/// Inputs of one position with more numbers than this are long. Below, a matrix product would not be faster, and sums in order give the same
/// numbers in whichever tile a pair is met.
const FEW: usize = 64;

impl Inputs {
    /// `scale` times the rows of all `sets`, each row `n_positions` times `channels` numbers.
    pub(super) fn new(sets: &[&Matrix], n_positions: usize, scale: f64) -> Result<Self> {
        let n = sets.iter().map(|set| set.n_rows()).sum::<usize>();
        let channels = sets.first().map_or(0, |set| set.n_cols()) / n_positions;
        let mut values = Vec::with_capacity(n * n_positions * channels);
        let mut variances = Vec::with_capacity(n * n_positions);
        for position in sets.iter().flat_map(|set| set.values().chunks_exact(channels.max(1))) {
            let norm = position.iter().map(|v| v * v).sum::<f64>().sqrt();
            variances.push((scale * norm).powi(2) / channels as f64);
            let inverse = if norm > 0.0 { 1.0 / norm } else { 0.0 };
            values.extend(position.iter().map(|v| v * inverse));
        }
        let directions = Matrix::from_vec(n * n_positions, channels, values)?;
        let by_input = directions.clone().reshape(n, n_positions * channels)?;
        let across = if n_positions > 1 || channels <= FEW { by_input.transpose() } else { Matrix::zeros(0, 0) };
        Ok(Self { n_positions, directions, across, variances })
    }

    pub(super) fn n(&self) -> usize {
        self.variances.len() / self.n_positions
    }

    pub(super) fn variance(&self, input: usize, p: usize) -> f64 {
        self.variances[input * self.n_positions + p]
    }

    /// Whether correlations are taken of many inputs at once, by [`Inputs::correlations`].
    pub(super) fn are_long(&self) -> bool {
        self.across.n_rows() == 0
    }

    /// rho between long inputs, into `[rows, columns]`.
    pub(super) fn correlations(&self, rows: Range<usize>, columns: Range<usize>, into: &mut [f64]) {
        linalg::inner_products(&self.directions, rows, columns, into);
    }

    /// The pairs of input `row` with those of `columns`, before the first layer; of long inputs, these are the correlations.
    pub(super) fn block(
        &self,
        arch: Arch,
        layout: Layout,
        row: usize,
        columns: &Directions,
        correlations: &[f64],
        spare: &mut Spare,
    ) -> Block {
        let n = columns.n;
        let mut block = spare.take(layout, n);
        if self.are_long() {
            self.set_long(arch, row, columns.first, correlations, &mut block);
            return block;
        }
        for (line, (p, qs)) in layout.lines().enumerate() {
            let (x, stride, near) = (self.direction(row, p), self.n_positions * n, NEAR);
            let columns = &columns.values[qs.start * n..];
            arch.dispatch(Start { x, columns, stride, near, strip: block.strip(line) });
        }
        block
    }

    fn direction(&self, input: usize, p: usize) -> &[f64] {
        self.directions.row(input * self.n_positions + p)
    }

    fn set_long(&self, arch: Arch, row: usize, first: usize, correlations: &[f64], block: &mut Block) {
        let Block { minus, plus, ntk, .. } = block;
        ntk.fill(0.0);
        if !arch.dispatch(Ends { correlations, near: NEAR, minus: &mut *minus, plus: &mut *plus }) {
            return;
        }
        let x = self.direction(row, 0);
        for (j, (minus, plus)) in minus.iter_mut().zip(plus).enumerate() {
            if minus.min(*plus) < NEAR {
                let sign = if *minus < *plus { 1.0 } else { -1.0 };
                let y = self.direction(first + j, 0);
                let near = 0.5 * x.iter().zip(y).map(|(u, v)| (u - sign * v).powi(2)).sum::<f64>();
                (*minus, *plus) = if sign > 0.0 { (near, 2.0 - near) } else { (2.0 - near, near) };
            }
        }
    }
}

impl Directions {
    /// Copies those of `inputs`.
    pub(super) fn place(&mut self, all: &Inputs, inputs: Range<usize>) {
        (self.first, self.n) = (inputs.start, inputs.len());
        self.values.clear();
        if all.are_long() {
            return;
        }
        let channels = all.directions.n_cols();
        for c in 0..channels {
            for p in 0..all.n_positions {
                self.values.extend_from_slice(&all.across.row(p * channels + c)[inputs.clone()]);
            }
        }
    }
}
