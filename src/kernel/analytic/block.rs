//! Pairs of one input with a set of inputs, on their way through the network.
//!
//! A pair is followed by three numbers for each pair of positions: 1 - rho, 1 + rho and the tangent kernel, the last over the root of
//! both variances. What happens to them is in [`loops`](super::loops); here is on which of them it happens.

use pulp::Arch;

use super::dual::{Columns, Input, Strip};
use super::loops::{Entries, Factor, Pair, Part, Pointwise, Settle, Share, Windows};
use super::path::{Numbers, Path};
use super::recursion::{Branch, Kind, Layout, Node, Scales};
use crate::arch::Taps;

/// The state of all pairs at one node: `[n_pairs, n]` numbers each.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) layout: Layout,
    pub(super) n: usize,
    pub(super) minus: Vec<f64>,
    pub(super) plus: Vec<f64>,
    pub(super) ntk: Vec<f64>,
}

/// Which inputs are paired: input `row` of one path with inputs `column`, `column + 1`, ... of another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pairing<'a> {
    pub(super) arch: Arch,
    pub(super) scales: &'a Scales,
    pub(super) path: &'a Path,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Block {
    pub(super) fn zeros(layout: Layout, n: usize) -> Self {
        let zeros = || vec![0.0; layout.n_pairs() * n];
        Self { layout, n, minus: zeros(), plus: zeros(), ntk: zeros() }
    }

    fn strip(&mut self, pair: usize) -> Strip<'_> {
        let range = pair * self.n..(pair + 1) * self.n;
        Strip { minus: &mut self.minus[range.clone()], plus: &mut self.plus[range.clone()], ntk: &mut self.ntk[range] }
    }

    fn pair(&self, p: usize, q: usize) -> Pair<'_> {
        let start = self.layout.index(p, q) * self.n;
        let range = start..start + self.n;
        Pair { minus: &self.minus[range.clone()], plus: &self.plus[range.clone()], ntk: &self.ntk[range] }
    }
}

impl<'a> Pairing<'a> {
    /// The block after all of `nodes`.
    pub(super) fn follow(&self, nodes: &[Node], block: Block) -> Block {
        nodes.iter().fold(block, |block, node| self.step(node, block))
    }

    /// The block after `node`; the path must hold the numbers of both its ends.
    pub(super) fn step(&self, node: &Node, mut block: Block) -> Block {
        match &node.kind {
            Kind::Map(taps, n_in) if taps.is_pointwise() && node.layouts[0] == node.layouts[1] => {
                self.pointwise(node, *n_in, &mut block);
                block
            }
            Kind::Map(taps, n_in) => self.map(node, taps, *n_in, &block),
            Kind::Activation(_) => {
                let ends = self.ends(node);
                for (pair, (p, q)) in node.layouts[1].pairs().enumerate() {
                    let Some(dual) = &ends[1].dual else { continue };
                    let row = (ends[1].index(p, self.row), self.input(ends, p));
                    let columns = (ends[1].index(q, self.column), self.columns(ends, q, block.n));
                    dual.map(self.arch, row, columns, block.strip(pair));
                }
                block
            }
            Kind::Pool(taps) => self.pool(node, taps, &block),
            // Dividing each input by a number of its own leaves correlations alone.
            Kind::LayerNorm(_) => block,
            Kind::Sum(branches) => self.sum(node, branches, &block),
            Kind::Product(branches) => self.product(node, branches, &block),
        }
    }

    /// Kernel entries at the last node, whose grid is one position: the NNGP, and the tangent kernel.
    pub(super) fn kernels(&self, end: usize, scale: f64, block: &Block, nngp: &mut [f64], ntk: &mut [f64]) {
        let numbers = &self.path.nodes[end];
        let std = scale * scale * numbers.std(0)[self.row];
        let stds = &numbers.std(0)[self.column..][..block.n];
        self.arch.dispatch(Entries { std, stds, pairs: block.pair(0, 0), nngp, ntk });
    }

    fn ends(&self, node: &Node) -> [&'a Numbers; 2] {
        node.ends.map(|end| &self.path.nodes[end])
    }

    fn input(&self, [input, output]: [&Numbers; 2], p: usize) -> Input {
        let row = self.row;
        Input { std: input.std(p)[row], scale: output.scale(p)[row], damping: output.damping(p)[row] }
    }

    fn columns(&self, [input, output]: [&'a Numbers; 2], q: usize, n: usize) -> Columns<'a> {
        let range = self.column..self.column + n;
        Columns {
            std: &input.std(q)[range.clone()],
            scale: &output.scale(q)[range.clone()],
            damping: &output.damping(q)[range],
        }
    }

    /// Of input `row` at position `p`.
    fn of_row(&self, numbers: &Numbers, p: usize) -> (f64, f64) {
        (numbers.std(p)[self.row], numbers.scale(p)[self.row])
    }

    /// An affine map that sees one position: in place.
    fn pointwise(&self, node: &Node, n_in: usize, block: &mut Block) {
        let [input, output] = self.ends(node);
        let n = block.n;
        for (pair, (p, q)) in node.layouts[1].pairs().enumerate() {
            self.arch.dispatch(Pointwise {
                scales: self.scales,
                gradient: self.scales.weight_gradient(n_in),
                std: self.of_row(input, p).0,
                scale: self.of_row(output, p).1,
                stds: &input.std(q)[self.column..][..n],
                scale_columns: &output.scale(q)[self.column..][..n],
                strip: block.strip(pair),
            });
        }
    }

    /// An affine map of several taps.
    fn map(&self, node: &Node, taps: &Taps, n_in: usize, block: &Block) -> Block {
        let [input, output] = self.ends(node);
        let mut mapped = Block::zeros(node.layouts[1], block.n);
        self.arch.dispatch(Windows {
            of: self.scales,
            gradient: self.scales.weight_gradient(n_in),
            taps,
            input,
            output,
            row: self.row,
            column: self.column,
            from: block,
            into: &mut mapped,
        });
        mapped
    }

    /// The mean over positions: the covariances of all pairs of taps, over the roots of the new variances.
    fn pool(&self, node: &Node, taps: &Taps, block: &Block) -> Block {
        let [input, output] = self.ends(node);
        let n = block.n;
        let share = 1.0 / taps.n_taps() as f64;
        let mut pooled = Block::zeros(node.layouts[1], n);
        for (pair, (p_out, q_out)) in node.layouts[1].pairs().enumerate() {
            let scale = share * self.of_row(output, p_out).1;
            let scales = &output.scale(q_out)[self.column..][..n];
            for p in taps.positions[p_out].iter().flatten() {
                let std = scale * self.of_row(input, *p).0;
                for q in taps.positions[q_out].iter().flatten() {
                    let (stds, from) = (&input.std(*q)[self.column..][..n], block.pair(*p, *q));
                    self.arch.dispatch(Share { std, share, stds, scales, from, strip: pooled.strip(pair) });
                }
            }
            self.arch.dispatch(Settle { strip: pooled.strip(pair) });
        }
        pooled
    }

    /// Branches add up like taps, without weights of their own.
    fn sum(&self, node: &Node, branches: &[Branch], block: &Block) -> Block {
        let output = &self.path.nodes[node.ends[1]];
        let n = block.n;
        let mut sum = Block::zeros(node.layouts[1], n);
        for branch in branches {
            let part = self.follow(&branch.nodes, block.clone());
            let numbers = &self.path.nodes[branch.end];
            for (pair, (p, q)) in node.layouts[1].pairs().enumerate() {
                self.arch.dispatch(Part {
                    std: self.of_row(numbers, p).0 * self.of_row(output, p).1,
                    stds: &numbers.std(q)[self.column..][..n],
                    scales: &output.scale(q)[self.column..][..n],
                    from: part.pair(p, q),
                    strip: sum.strip(pair),
                });
            }
        }
        sum
    }

    /// The product of the correlations.
    fn product(&self, node: &Node, branches: &[Branch], block: &Block) -> Block {
        let mut product = Block::zeros(node.layouts[1], block.n);
        product.plus.fill(2.0);
        for branch in branches {
            let part = self.follow(&branch.nodes, block.clone());
            for (pair, (p, q)) in node.layouts[1].pairs().enumerate() {
                self.arch.dispatch(Factor { from: part.pair(p, q), strip: product.strip(pair) });
            }
        }
        product
    }
}
