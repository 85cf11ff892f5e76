//! The pairs of one input with a set of inputs, at one node of the network.
//!
//! A pair is held by three numbers for each pair of positions: 1 - rho, 1 + rho and the tangent kernel, the last over the root of both
//! variances.

use std::ops::Range;

use super::dual::Strip;
use super::loops::Pair;
use super::recursion::Layout;

/// The state of all pairs at one node: `[n_pairs, n]` numbers each.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) layout: Layout,
    pub(super) n: usize,
    pub(super) minus: Vec<f64>,
    pub(super) plus: Vec<f64>,
    pub(super) ntk: Vec<f64>,
}

/// Blocks that have served: to return their memory each time would cost more than what is done with it.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<Block>);

impl Spare {
    /// A block whose numbers are whatever was there.
    pub(super) fn take(&mut self, layout: Layout, n: usize) -> Block {
        let n_numbers = layout.n_pairs() * n;
        if let Some(place) = self.0.iter().position(|block| block.minus.len() == n_numbers) {
            return Block { layout, n, ..self.0.swap_remove(place) };
        }
        let zeros = || vec![0.0; n_numbers];
        Block { layout, n, minus: zeros(), plus: zeros(), ntk: zeros() }
    }

    pub(super) fn give(&mut self, block: Block) {
        self.0.push(block);
    }
}

impl Block {
    /// Numbers of a line.
    fn len(&self) -> usize {
        if self.layout.is_full { self.layout.n_positions * self.n } else { self.n }
    }

    /// All pairs of the position number `line` of the one input.
    pub(super) fn strip(&mut self, line: usize) -> Strip<'_> {
        let range = line * self.len()..(line + 1) * self.len();
        Strip { minus: &mut self.minus[range.clone()], plus: &mut self.plus[range.clone()], ntk: &mut self.ntk[range] }
    }

    /// Sets every pair to the same, with a tangent kernel of 0.
    pub(super) fn fill(&mut self, minus: f64, plus: f64) {
        self.minus.fill(minus);
        self.plus.fill(plus);
        self.ntk.fill(0.0);
    }

    pub(super) fn copy_from(&mut self, other: &Self) {
        self.minus.copy_from_slice(&other.minus);
        self.plus.copy_from_slice(&other.plus);
        self.ntk.copy_from_slice(&other.ntk);
    }

    /// The pairs of position `p` with `qs`.
    pub(super) fn pairs(&self, p: usize, qs: Range<usize>) -> Pair<'_> {
        let start = self.layout.index(p, qs.start) * self.n;
        let range = start..start + qs.len() * self.n;
        Pair { minus: &self.minus[range.clone()], plus: &self.plus[range.clone()], ntk: &self.ntk[range] }
    }
}
