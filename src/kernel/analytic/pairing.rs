//! Pairs of one input with a set of inputs, on their way through the network.
//!
//! What happens to their numbers is in [`loops`](super::loops) and [`window`](super::window); here is on which of them it happens.

use pulp::Arch;

use super::block::{Block, Spare};
use super::columns::Columns;
use super::dual::{Digits, Input, Line, Places};
use super::loops::{Entries, Factor, Part, Pointwise};
use super::path::Path;
use super::recursion::{Branch, Kind, Node, Scales, Window};
use super::window::{Mean, Sum};
use crate::arch::Taps;
use crate::linalg::Element;

/// Which inputs are paired: input `row` of the path with those of `columns`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pairing<'a> {
    pub(super) arch: Arch,
    pub(super) digits: Digits,
    pub(super) scales: &'a Scales,
    pub(super) path: &'a Path,
    pub(super) row: usize,
    pub(super) columns: &'a Columns,
}

impl Pairing<'_> {
    /// The block after all of `nodes`.
    pub(super) fn follow(&self, nodes: &[Node], block: Block, spare: &mut Spare) -> Block {
        nodes.iter().fold(block, |block, node| self.step(node, block, spare))
    }

    /// The block after `node`; path and columns must hold the numbers of both its ends.
    pub(super) fn step(&self, node: &Node, mut block: Block, spare: &mut Spare) -> Block {
        let after = match &node.kind {
            Kind::Map(window) if window.taps.is_pointwise() && node.layouts[0] == node.layouts[1] => {
                self.pointwise(node, window.n_in, &mut block);
                return block;
            }
            Kind::Activation(_) => {
                self.activation(node, &mut block);
                return block;
            }
            // Dividing each input by a number of its own leaves correlations alone.
            Kind::LayerNorm(_) => return block,
            Kind::Map(window) => self.map(node, window, &block, spare),
            Kind::Pool(taps) => self.pool(node, taps, &block, spare),
            Kind::Sum(branches) => self.sum(node, branches, &block, spare),
            Kind::Product(branches) => self.product(node, branches, &block, spare),
        };
        spare.give(block);
        after
    }

    /// Kernel entries at the last node, whose grid is one position: the NNGP, and the tangent kernel.
    pub(super) fn kernels<T: Element>(&self, end: usize, scale: f64, block: &Block, nngp: &mut [T], ntk: &mut [T]) {
        let std = scale * scale * self.path.nodes[end].std(0, self.row);
        self.arch.dispatch(Entries { std, stds: self.columns.std(end, 0..1), pairs: block.pairs(0, 0..1), nngp, ntk });
    }

    fn activation(&self, node: &Node, block: &mut Block) {
        let [input, output] = node.ends.map(|end| &self.path.nodes[end]);
        let Some(dual) = &output.dual else { return };
        let row = self.row;
        for (line, (p, qs)) in node.layouts[1].lines().enumerate() {
            let (std, scale, damping) = (input.std(p, row), output.scale(p, row), output.damping(p, row));
            let columns = Line {
                places: Places { n: block.n, first: output.index(qs.start, self.columns.first), stride: output.n() },
                std: self.columns.std(node.ends[0], qs.clone()),
                scale: self.columns.scale(node.ends[1], qs.clone()),
                damping: self.columns.damping(node.ends[1], qs),
            };
            dual.map(
                (self.arch, self.digits),
                (output.index(p, row), Input { std, scale, damping }),
                columns,
                block.strip(line),
            );
        }
    }

    /// An affine map that sees one position: in place.
    fn pointwise(&self, node: &Node, n_in: usize, block: &mut Block) {
        let [input, output] = node.ends.map(|end| &self.path.nodes[end]);
        for (line, (p, qs)) in node.layouts[1].lines().enumerate() {
            let scale = output.scale(p, self.row);
            self.arch.dispatch(Pointwise {
                scales: self.scales,
                gradient: self.scales.weight_gradient(n_in),
                gain: self.scales.w_std * input.std(p, self.row) * scale,
                scale,
                gains: self.columns.gain(node.ends[1], qs.clone()),
                scale_columns: self.columns.scale(node.ends[1], qs),
                strip: block.strip(line),
            });
        }
    }

    /// An affine map of several taps.
    fn map(&self, node: &Node, window: &Window, block: &Block, spare: &mut Spare) -> Block {
        let [input, output] = node.ends.map(|end| &self.path.nodes[end]);
        let (layout, n) = (node.layouts[1], block.n);
        let share = self.scales.w_std / (window.taps.n_taps() as f64).sqrt();
        let mut mapped = spare.take(layout, n);
        for (line, (p_out, qs)) in layout.lines().enumerate() {
            let scale = output.scale(p_out, self.row);
            let taps = &window.taps.positions[p_out];
            let gain = |p: &Option<usize>| p.map_or(0.0, |p| share * input.std(p, self.row) * scale);
            self.arch.dispatch(Sum {
                scales: self.scales,
                gradient: self.scales.weight_gradient(window.n_in),
                window,
                p_out,
                taps,
                gains: &taps.iter().map(gain).collect::<Vec<f64>>(),
                scale,
                columns: self.columns.taps(node.ends[1], qs.start),
                scale_columns: self.columns.scale(node.ends[1], qs),
                from: block,
                strip: mapped.strip(line),
            });
        }
        mapped
    }

    /// The mean over positions: the covariances of all pairs of taps, over the roots of the new variances.
    fn pool(&self, node: &Node, taps: &Taps, block: &Block, spare: &mut Spare) -> Block {
        let [input, output] = node.ends.map(|end| &self.path.nodes[end]);
        let (layout, n) = (node.layouts[1], block.n);
        let mut pooled = spare.take(layout, n);
        for (line, (p_out, qs)) in layout.lines().enumerate() {
            let scale = output.scale(p_out, self.row) / taps.n_taps() as f64;
            let share = |p: &usize| (*p, input.std(*p, self.row) * scale);
            self.arch.dispatch(Mean {
                rows: &taps.positions[p_out].iter().flatten().map(share).collect::<Vec<_>>(),
                columns: self.columns.taps(node.ends[1], qs.start),
                positions: &taps.positions[qs],
                from: block,
                strip: pooled.strip(line),
            });
        }
        pooled
    }

    /// Branches add up like taps, without weights of their own.
    fn sum(&self, node: &Node, branches: &[Branch], block: &Block, spare: &mut Spare) -> Block {
        let output = &self.path.nodes[node.ends[1]];
        let mut sum = spare.take(node.layouts[1], block.n);
        sum.fill(0.0, 0.0);
        for branch in branches {
            let part = self.branch(branch, block, spare);
            let numbers = &self.path.nodes[branch.end];
            for (line, (p, qs)) in node.layouts[1].lines().enumerate() {
                self.arch.dispatch(Part {
                    std: numbers.std(p, self.row) * output.scale(p, self.row),
                    stds: self.columns.std(branch.end, qs.clone()),
                    scales: self.columns.scale(node.ends[1], qs.clone()),
                    from: part.pairs(p, qs),
                    strip: sum.strip(line),
                });
            }
            spare.give(part);
        }
        sum
    }

    /// The product of the correlations.
    fn product(&self, node: &Node, branches: &[Branch], block: &Block, spare: &mut Spare) -> Block {
        let mut product = spare.take(node.layouts[1], block.n);
        product.fill(0.0, 2.0);
        for branch in branches {
            let part = self.branch(branch, block, spare);
            for (line, (p, qs)) in node.layouts[1].lines().enumerate() {
                self.arch.dispatch(Factor { from: part.pairs(p, qs), strip: product.strip(line) });
            }
            spare.give(part);
        }
        product
    }

    fn branch(&self, branch: &Branch, block: &Block, spare: &mut Spare) -> Block {
        let mut start = spare.take(block.layout, block.n);
        start.copy_from(block);
        self.follow(&branch.nodes, start, spare)
    }
}
