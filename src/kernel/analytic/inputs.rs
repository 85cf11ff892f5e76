//! Inputs as directions and lengths, and the correlations between them.

use std::ops::Range;

use pulp::Arch;

use super::block::Block;
use super::loops::{Add, Ends};
use super::recursion::Layout;
use crate::error::Result;
use crate::linalg::{self, Matrix};

/// One or two sets of inputs, normalized position by position.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    n_positions: usize,
    /// Directions, one row per input and position: `[n n_positions, channels]`; a row of zeros for a zero.
    directions: Matrix,
    /// The same, one row per position and channel: `[n_positions channels, n]`; empty for long inputs of one position.
    across: Matrix,
    /// <x, x> / channels, in the order of `directions`.
    variances: Vec<f64>,
}

/// Closer than this to 1 or -1, correlations are computed from differences: 1 - <u, v> has lost digits, |u - v|^2 / 2 has not.
const NEAR: f64 = 1e-2;

/// Up to so many numbers per position, inner products are summed one row of pairs at a time: a matrix product would not be faster, and
/// this gives the same numbers in whichever tile a pair is met.
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

    /// Whether inner products are better taken of many inputs at once, by [`Inputs::correlations`].
    pub(super) fn are_long(&self) -> bool {
        self.across.n_rows() == 0
    }

    /// rho between long inputs, into `[rows, columns]`.
    pub(super) fn correlations(&self, rows: Range<usize>, columns: Range<usize>, into: &mut [f64]) {
        linalg::inner_products(&self.directions, rows, columns, into);
    }

    /// The pairs of long input `row` with those from `column` on, before the first layer.
    pub(super) fn long_block(&self, arch: Arch, row: usize, column: usize, correlations: &[f64]) -> Block {
        let mut block = Block::zeros(Layout { n_positions: 1, is_full: false }, correlations.len());
        self.set(arch, &mut block, 0, (row, 0), (column, 0), correlations);
        block
    }

    /// The pairs of input `row` with `columns`, before the first layer.
    pub(super) fn block(&self, arch: Arch, layout: Layout, row: usize, columns: Range<usize>) -> Block {
        let mut block = Block::zeros(layout, columns.len());
        let mut products = vec![0.0; columns.len()];
        let channels = self.directions.n_cols();
        for (pair, (p, q)) in layout.pairs().enumerate() {
            products.fill(0.0);
            for (c, factor) in self.direction(row, p).iter().enumerate() {
                let values = &self.across.row(q * channels + c)[columns.clone()];
                arch.dispatch(Add { factor: *factor, values, sums: &mut products });
            }
            self.set(arch, &mut block, pair, (row, p), (columns.start, q), &products);
        }
        block
    }

    fn direction(&self, input: usize, p: usize) -> &[f64] {
        self.directions.row(input * self.n_positions + p)
    }

    /// Fills one pair of positions from correlations, and those near 1 or -1 from differences.
    fn set(
        &self,
        arch: Arch,
        block: &mut Block,
        pair: usize,
        (row, p): (usize, usize),
        (column, q): (usize, usize),
        correlations: &[f64],
    ) {
        let range = pair * block.n..(pair + 1) * block.n;
        let (minus, plus) = (&mut block.minus[range.clone()], &mut block.plus[range]);
        let is_near = arch.dispatch(Ends { correlations, near: NEAR, minus: &mut *minus, plus: &mut *plus });
        if !is_near {
            return;
        }
        let x = self.direction(row, p);
        for (j, (minus, plus)) in minus.iter_mut().zip(plus).enumerate() {
            if minus.min(*plus) < NEAR {
                let sign = if *minus < *plus { 1.0 } else { -1.0 };
                let y = self.direction(column + j, q);
                let near = 0.5 * x.iter().zip(y).map(|(u, v)| (u - sign * v).powi(2)).sum::<f64>();
                (*minus, *plus) = if sign > 0.0 { (near, 2.0 - near) } else { (2.0 - near, near) };
            }
        }
    }
}
