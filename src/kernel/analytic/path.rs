//! What depends on one input alone: the standard deviation of every node of the network at that input.

use super::dual::Dual;
use super::recursion::{Kind, Node, Recursion};
use crate::kernel::Kernels;

/// The numbers of every node for a set of inputs.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) nodes: Vec<Numbers>,
}

/// The numbers of one node: three for each position and input.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    n: usize,
    n_positions: usize,
    /// Standard deviations, their inverses (0 for 0), and the damping of the activation that ends here: `[3, n_positions, n]`.
    values: Vec<f64>,
    /// The activation that ends here.
    pub(super) dual: Option<Dual>,
}

impl Numbers {
    fn zeros(n_positions: usize, n: usize) -> Self {
        Self { n, n_positions, values: vec![0.0; 3 * n_positions * n], dual: None }
    }

    /// Where input `j` at position `p` stands in a list of all.
    pub(super) fn index(&self, p: usize, j: usize) -> usize {
        p * self.n + j
    }

    pub(super) fn n(&self) -> usize {
        self.n
    }

    pub(super) fn n_positions(&self) -> usize {
        self.n_positions
    }

    /// All numbers, `[3 n_positions, n]`.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.n.max(1))
    }

    fn number(&self, kind: usize, p: usize, j: usize) -> f64 {
        self.values[(kind * self.n_positions + p) * self.n + j]
    }

    /// The standard deviation of input `j` at position `p`.
    pub(super) fn std(&self, p: usize, j: usize) -> f64 {
        self.number(0, p, j)
    }

    /// Its inverse, 0 for 0.
    pub(super) fn scale(&self, p: usize, j: usize) -> f64 {
        self.number(1, p, j)
    }

    /// What [`Input::damping`](super::dual::Input) is for the activation that ends here.
    pub(super) fn damping(&self, p: usize, j: usize) -> f64 {
        self.number(2, p, j)
    }

    /// Sets standard deviations and their inverses from variances, `[n_positions, n]`.
    pub(super) fn set(&mut self, variances: &[f64]) {
        for (i, variance) in variances.iter().enumerate() {
            let std = variance.sqrt();
            self.values[i] = std;
            self.values[variances.len() + i] = if std > 0.0 { 1.0 / std } else { 0.0 };
        }
    }

    /// Sets the dampings of the activation that ends here, from the standard deviations before it.
    pub(super) fn damp(&mut self, stds: &[f64]) {
        let Some(dual) = &self.dual else { return };
        for (damping, std) in self.values[2 * stds.len()..].iter_mut().zip(stds) {
            *damping = dual.damping(*std);
        }
    }

    /// The standard deviations at every position, `[n_positions, n]`.
    pub(super) fn stds(&self) -> &[f64] {
        &self.values[..self.n_positions * self.n]
    }
}

impl Path {
    /// For `n` inputs that have not been followed yet.
    pub(super) fn zeros(recursion: &Recursion, n: usize) -> Self {
        fn reserve(path: &mut [Numbers], nodes: &[Node], n: usize) {
            for node in nodes {
                path[node.ends[1]] = Numbers::zeros(node.layouts[1].n_positions, n);
                if let Kind::Sum(branches) | Kind::Product(branches) = &node.kind {
                    branches.iter().for_each(|branch| reserve(path, &branch.nodes, n));
                }
            }
        }
        let mut nodes = vec![Numbers::default(); recursion.n_nodes];
        nodes[0] = Numbers::zeros(recursion.input.n_positions, n);
        reserve(&mut nodes, &recursion.nodes, n);
        Self { nodes }
    }

    /// Takes over the numbers of some inputs, the first of which has number `start` here.
    pub(super) fn copy_columns(&mut self, part: &Self, start: usize) {
        for (to, from) in self.nodes.iter_mut().zip(&part.nodes) {
            for (to, from) in to.values.chunks_exact_mut(to.n).zip(from.values.chunks_exact(from.n)) {
                to[start..start + from.len()].copy_from_slice(from);
            }
        }
    }

    /// The largest error estimate of the activations without a closed form, for the NNGP and the tangent kernel, relative to the
    /// root of the diagonal entries' product; 0 where every activation has one.
    pub(super) fn quadrature_error(&self) -> Kernels<f64> {
        let errors = || self.nodes.iter().filter_map(|numbers| numbers.dual.as_ref()).map(Dual::error);
        Kernels {
            nngp: errors().map(|error| error.nngp).fold(0.0, f64::max),
            ntk: errors().map(|error| error.slope).fold(0.0, f64::max),
        }
    }
}
