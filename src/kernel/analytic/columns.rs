//! The numbers of the inputs that stand side by side in a tile, copied so that a line of pairs is one loop.
//!
//! A [`Path`] keeps the inputs of one position next to each other, all of them. Here are those of a few neighbouring inputs, with the
//! positions one after the other: `[n_positions, n]`, as [`Block`](super::block::Block) keeps the pairs of a line. What a window makes of
//! them, the shares of its taps, is worked out once for all rows of the tile.

use std::ops::Range;

use super::path::Path;
use super::recursion::{Kind, Node, Scales};
use crate::arch::Taps;

/// The numbers of every node for the inputs `first`, `first + 1`, ...
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    pub(super) first: usize,
    pub(super) n: usize,
    nodes: Vec<Lists>,
}

/// Standard deviations, their inverses, dampings, and then the shares of every tap: `[3 + n_taps, n_positions, n]`.
#[derive(Debug, Clone, Default)]
struct Lists {
    n_numbers: usize,
    values: Vec<f64>,
}

/// The shares of a window's taps in the standard deviations of its outputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares<'a> {
    values: &'a [f64],
    stride: usize,
}

impl<'a> Shares<'a> {
    /// Those of one tap.
    #[inline(always)]
    pub(super) fn of_tap(self, tap: usize, numbers: Range<usize>) -> &'a [f64] {
        &self.values[tap * self.stride + numbers.start..tap * self.stride + numbers.end]
    }
}

impl Columns {
    /// No node yet, for `inputs`.
    pub(super) fn place(&mut self, n_nodes: usize, inputs: Range<usize>) {
        (self.first, self.n) = (inputs.start, inputs.len());
        self.nodes.resize_with(n_nodes, Lists::default);
    }

    /// Copies the numbers of the input and of all `nodes`.
    pub(super) fn copy_all(&mut self, path: &Path, nodes: &[Node], scales: &Scales) {
        self.copy(path, 0);
        self.copy_nodes(path, nodes, scales);
    }

    fn copy_nodes(&mut self, path: &Path, nodes: &[Node], scales: &Scales) {
        for node in nodes {
            if let Kind::Sum(branches) | Kind::Product(branches) = &node.kind {
                branches.iter().for_each(|branch| self.copy_nodes(path, &branch.nodes, scales));
            }
            self.copy_end(path, node, scales);
        }
    }

    /// Copies the numbers at the end of `node`; those at its start must be there.
    pub(super) fn copy_end(&mut self, path: &Path, node: &Node, scales: &Scales) {
        self.copy(path, node.ends[1]);
        match &node.kind {
            Kind::Map(window) => {
                self.share(node.ends, &window.taps, scales.w_std / (window.taps.n_taps() as f64).sqrt())
            }
            Kind::Pool(taps) => self.share(node.ends, taps, 1.0 / taps.n_taps() as f64),
            _ => {}
        }
    }

    pub(super) fn copy(&mut self, path: &Path, node: usize) {
        let (from, Lists { n_numbers, values }) = (&path.nodes[node], &mut self.nodes[node]);
        *n_numbers = from.n_positions() * self.n;
        values.clear();
        for row in from.rows() {
            values.extend_from_slice(&row[self.first..self.first + self.n]);
        }
    }

    /// The part of each tap in the standard deviation of an output position; 0 where it sees nothing.
    fn share(&mut self, [input, output]: [usize; 2], taps: &Taps, factor: f64) {
        let n = self.n;
        let mut to = std::mem::take(&mut self.nodes[output]);
        for tap in 0..taps.n_taps() {
            for (q_out, positions) in taps.positions.iter().enumerate() {
                match positions[tap] {
                    None => to.values.resize(to.values.len() + n, 0.0),
                    Some(q) => {
                        let start = to.n_numbers + q_out * n;
                        for (j, std) in self.std(input, q..q + 1).iter().enumerate() {
                            let scale = to.values[start + j];
                            to.values.push(factor * std * scale);
                        }
                    }
                }
            }
        }
        self.nodes[output] = to;
    }

    /// The standard deviations at `positions` of a node.
    pub(super) fn std(&self, node: usize, positions: Range<usize>) -> &[f64] {
        self.list(node, 0, positions)
    }

    /// Their inverses, 0 for 0.
    pub(super) fn scale(&self, node: usize, positions: Range<usize>) -> &[f64] {
        self.list(node, 1, positions)
    }

    /// What [`Input::damping`](super::dual::Input) is for the activation that ends here.
    pub(super) fn damping(&self, node: usize, positions: Range<usize>) -> &[f64] {
        self.list(node, 2, positions)
    }

    /// The shares of the only tap of a map that ends here.
    pub(super) fn gain(&self, node: usize, positions: Range<usize>) -> &[f64] {
        self.list(node, 3, positions)
    }

    /// The shares of all taps of the window that ends here, from position `q` on.
    pub(super) fn taps(&self, node: usize, q: usize) -> Shares<'_> {
        let Lists { n_numbers, values } = &self.nodes[node];
        Shares { values: &values[3 * n_numbers + q * self.n..], stride: *n_numbers }
    }

    fn list(&self, node: usize, kind: usize, positions: Range<usize>) -> &[f64] {
        let Lists { n_numbers, values } = &self.nodes[node];
        &values[kind * n_numbers + positions.start * self.n..kind * n_numbers + positions.end * self.n]
    }
}
