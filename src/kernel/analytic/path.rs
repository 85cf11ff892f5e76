//! What depends on one input alone: the standard deviation of every node of the network at that input.
//!
//! It is worked out once per input, by following the input paired with itself; that also gives the diagonal of both kernels, and finds
//! the layer at which numbers overflow: |K(x, x')| and |Theta(x, x')| are at most the roots of the diagonal entries' products.

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use super::block::{Block, Pairing, Spare};
use super::columns::Columns;
use super::dual::{Digits, Dual};
use super::inputs::{Directions, Inputs};
use super::recursion::{Branch, Kind, Node, Recursion, Window};
use crate::error::{Error, Result};
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

    /// The standard deviations at every position, `[n_positions, n]`.
    fn stds(&self) -> &[f64] {
        &self.values[..self.n_positions * self.n]
    }
}

/// Inputs per task.
const CHUNK: usize = 64;

impl Path {
    /// Follows every input, and returns the diagonal of both kernels with the numbers.
    pub(super) fn of(
        recursion: &Recursion,
        inputs: &Inputs,
        scale: f64,
        arch: Arch,
    ) -> Result<(Self, Kernels<Vec<f64>>)> {
        let n = inputs.n();
        let chunks: Vec<Follow<'_>> = (0..n.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| Follow::all(recursion, inputs, arch, chunk * CHUNK..((chunk + 1) * CHUNK).min(n)))
            .collect::<Result<_>>()?;
        let mut path = Self::zeros(recursion, n);
        let mut diagonal = Kernels { nngp: vec![0.0; n], ntk: vec![0.0; n] };
        for Follow { path: part, columns, blocks, inputs, .. } in chunks {
            for (j, ((block, columns), input)) in blocks.iter().zip(&columns).zip(inputs.clone()).enumerate() {
                let pairing =
                    Pairing { arch, digits: Digits::All, scales: &recursion.scales, path: &part, row: j, columns };
                let (nngp, ntk) = (&mut diagonal.nngp[input..=input], &mut diagonal.ntk[input..=input]);
                pairing.kernels(recursion.end(), scale, block, nngp, ntk);
            }
            path.copy_columns(&part, inputs.start);
        }
        path.prepare(&recursion.nodes)?;
        Ok((path, diagonal))
    }

    fn zeros(recursion: &Recursion, n: usize) -> Self {
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

    fn copy_columns(&mut self, part: &Self, start: usize) {
        for (to, from) in self.nodes.iter_mut().zip(&part.nodes) {
            for (to, from) in to.values.chunks_exact_mut(to.n).zip(from.values.chunks_exact(from.n)) {
                to[start..start + from.len()].copy_from_slice(from);
            }
        }
    }

    /// Makes every activation ready for all inputs at once.
    fn prepare(&mut self, nodes: &[Node]) -> Result<()> {
        for node in nodes {
            match &node.kind {
                Kind::Activation(family) => {
                    let dual = Dual::new(family, self.nodes[node.ends[0]].stds());
                    self.nodes[node.ends[1]].dual = Some(dual.map_err(|problem| refuse(node, &problem))?);
                }
                Kind::Sum(branches) | Kind::Product(branches) => {
                    branches.iter().try_for_each(|branch| self.prepare(&branch.nodes))?;
                }
                Kind::Map(..) | Kind::Pool(_) | Kind::LayerNorm(_) => {}
            }
        }
        Ok(())
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

/// Some inputs, each paired with itself, on their way through the network.
struct Follow<'a> {
    recursion: &'a Recursion,
    arch: Arch,
    inputs: Range<usize>,
    path: Path,
    /// One per input, and so the blocks.
    columns: Vec<Columns>,
    blocks: Vec<Block>,
    spare: Spare,
}

impl<'a> Follow<'a> {
    fn all(recursion: &'a Recursion, all: &Inputs, arch: Arch, inputs: Range<usize>) -> Result<Self> {
        let (mut spare, mut directions) = (Spare::default(), Directions::default());
        let blocks = inputs.clone().map(|input| {
            directions.place(all, input..input + 1);
            all.block(arch, recursion.input, input, &directions, &[1.0], &mut spare)
        });
        let blocks = blocks.collect();
        let path = Path::zeros(recursion, inputs.len());
        let mut columns = vec![Columns::default(); inputs.len()];
        for (j, columns) in columns.iter_mut().enumerate() {
            columns.place(recursion.n_nodes, j..j + 1);
        }
        let mut follow = Self { recursion, arch, inputs: inputs.clone(), path, columns, blocks, spare };
        let positions = 0..recursion.input.n_positions;
        let variances: Vec<f64> = positions.flat_map(|p| inputs.clone().map(move |i| all.variance(i, p))).collect();
        follow.set(0, &variances, "the input")?;
        follow.columns.iter_mut().for_each(|columns| columns.copy(&follow.path, 0));
        follow.follow(&recursion.nodes)?;
        Ok(follow)
    }

    fn follow(&mut self, nodes: &[Node]) -> Result<()> {
        nodes.iter().try_for_each(|node| self.step(node))
    }

    fn step(&mut self, node: &Node) -> Result<()> {
        if let Kind::Activation(family) = &node.kind {
            let stds = self.path.nodes[node.ends[0]].stds();
            let dual = Dual::new(family, stds).map_err(|problem| refuse(node, &problem))?;
            self.path.nodes[node.ends[1]].dual = Some(dual);
        }
        let variances = self.variances(node)?;
        self.set(node.ends[1], &variances, &node.name)?;
        self.damp(node.ends);
        let scales = &self.recursion.scales;
        self.columns.iter_mut().for_each(|columns| columns.copy_end(&self.path, node, scales));
        let blocks = std::mem::take(&mut self.blocks).into_iter().zip(&self.columns).enumerate();
        let step = |(row, (block, columns))| {
            Pairing { arch: self.arch, digits: Digits::All, scales, path: &self.path, row, columns }.step(
                node,
                block,
                &mut self.spare,
            )
        };
        self.blocks = blocks.map(step).collect();
        let numbers = &self.path.nodes[node.ends[1]];
        for (j, block) in self.blocks.iter().enumerate() {
            for (pair, (p, q)) in node.layouts[1].pairs().enumerate() {
                let ntk = block.ntk[pair] * numbers.std(p, j) * numbers.std(q, j);
                self.ensure_finite(ntk, "tangent kernel", &node.name, j)?;
            }
        }
        Ok(())
    }

    /// The variances after `node`, `[n_positions, n]`.
    fn variances(&mut self, node: &Node) -> Result<Vec<f64>> {
        let [start, end] = node.ends;
        let n = self.inputs.len();
        let squares =
            |path: &Path, node: usize| -> Vec<f64> { path.nodes[node].stds().iter().map(|v| v * v).collect() };
        Ok(match &node.kind {
            Kind::Map(Window { taps, .. }) => {
                let (w2, b2) = (self.recursion.scales.w_std.powi(2), self.recursion.scales.b_std.powi(2));
                let variances = squares(&self.path, start);
                let mean = |positions: &[Option<usize>], j: usize| {
                    let sum: f64 = positions.iter().flatten().map(|p| variances[p * n + j]).sum();
                    sum / positions.len() as f64
                };
                let outputs = taps.positions.iter();
                outputs
                    .flat_map(|positions| (0..n).map(move |j| (positions, j)))
                    .map(|(p, j)| w2 * mean(p, j) + b2)
                    .collect()
            }
            Kind::Activation(_) => {
                let Some(dual) = &self.path.nodes[end].dual else { return Ok(Vec::new()) };
                dual.variances(self.path.nodes[start].stds()).map_err(|problem| refuse(node, &problem))?
            }
            Kind::LayerNorm(eps) => squares(&self.path, start).iter().map(|v| v / (v + eps)).collect(),
            Kind::Pool(taps) => {
                let stds = self.path.nodes[start].stds();
                let covariance = |p: usize, q: usize, j: usize| {
                    let block = &self.blocks[j];
                    let pair = block.layout.index(p, q);
                    stds[p * n + j] * stds[q * n + j] * 0.5 * (block.plus[pair] - block.minus[pair])
                };
                let mean = |positions: &[Option<usize>], j: usize| {
                    let seen = || positions.iter().flatten();
                    let sum: f64 = seen().flat_map(|p| seen().map(move |q| covariance(*p, *q, j))).sum();
                    (sum / (positions.len() * positions.len()) as f64).max(0.0)
                };
                let outputs = taps.positions.iter();
                outputs.flat_map(|positions| (0..n).map(move |j| (positions, j))).map(|(p, j)| mean(p, j)).collect()
            }
            Kind::Sum(branches) => self.branches(branches, |sum, part| sum + part)?,
            Kind::Product(branches) => self.branches(branches, |product, part| product * part)?,
        })
    }

    /// Follows every branch from here, and joins their variances.
    fn branches(&mut self, branches: &[Branch], join: impl Fn(f64, f64) -> f64) -> Result<Vec<f64>> {
        let start = self.blocks.clone();
        let mut joined: Option<Vec<f64>> = None;
        for branch in branches {
            self.blocks.clone_from(&start);
            self.follow(&branch.nodes)?;
            let variances = self.path.nodes[branch.end].stds().iter().map(|v| v * v);
            joined = Some(match joined {
                None => variances.collect(),
                Some(joined) => joined.into_iter().zip(variances).map(|(a, b)| join(a, b)).collect(),
            });
        }
        self.blocks = start;
        Ok(joined.unwrap_or_default())
    }

    /// Sets the numbers of a node from its variances.
    fn set(&mut self, node: usize, variances: &[f64], name: &str) -> Result<()> {
        let n = self.inputs.len();
        for (i, variance) in variances.iter().enumerate() {
            self.ensure_finite(*variance, "variance", name, i % n)?;
        }
        let numbers = &mut self.path.nodes[node];
        for (i, variance) in variances.iter().enumerate() {
            let std = variance.sqrt();
            numbers.values[i] = std;
            numbers.values[variances.len() + i] = if std > 0.0 { 1.0 / std } else { 0.0 };
        }
        Ok(())
    }

    fn damp(&mut self, [start, end]: [usize; 2]) {
        let stds = self.path.nodes[start].stds().to_vec();
        let Numbers { dual: Some(dual), values, .. } = &mut self.path.nodes[end] else { return };
        for (damping, std) in values[2 * stds.len()..].iter_mut().zip(stds) {
            *damping = dual.damping(std);
        }
    }

    fn ensure_finite(&self, value: f64, what: &str, name: &str, j: usize) -> Result<()> {
        if value.is_finite() {
            return Ok(());
        }
        Err(Error::NotFinite {
            what: format!("the {what} after {name}"),
            value,
            place: format!("input {}, counted from 0", self.inputs.start + j),
            remedy: "scale the inputs down, or lower `arch.w_std` or the depth".to_owned(),
        })
    }
}

fn refuse(node: &Node, problem: &str) -> Error {
    Error::config(
        "arch.activation",
        format!("{}: {problem}", node.name),
        "use an activation with a formula of its own, or a smooth one; or scale the inputs down, or lower `arch.w_std`",
    )
}
