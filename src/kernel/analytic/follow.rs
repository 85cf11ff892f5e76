//! How the numbers of one input are found: by following the input paired with itself.
//!
//! That also gives the diagonal of both kernels, and finds the layer at which numbers overflow: |K(x, x')| and |Theta(x, x')| are at most
//! the roots of the diagonal entries' products.

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use super::block::{Block, Spare};
use super::columns::Columns;
use super::dual::{Digits, Dual};
use super::inputs::{Directions, Inputs};
use super::pairing::Pairing;
use super::path::Path;
use super::recursion::{Branch, Kind, Node, Recursion, Window};
use crate::error::{Error, Result};
use crate::kernel::Kernels;

/// Inputs per task.
const CHUNK: usize = 64;

/// Follows every input, and returns its numbers with the diagonal of both kernels.
pub(super) fn follow(
    recursion: &Recursion,
    inputs: &Inputs,
    scale: f64,
    arch: Arch,
) -> Result<(Path, Kernels<Vec<f64>>)> {
    let n = inputs.n();
    let chunks: Vec<Follow<'_>> = (0..n.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| Follow::all(recursion, inputs, arch, chunk * CHUNK..((chunk + 1) * CHUNK).min(n)))
        .collect::<Result<_>>()?;
    let mut path = Path::zeros(recursion, n);
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
    prepare(&mut path, &recursion.nodes)?;
    Ok((path, diagonal))
}

/// Makes every activation ready for all inputs at once.
fn prepare(path: &mut Path, nodes: &[Node]) -> Result<()> {
    for node in nodes {
        match &node.kind {
            Kind::Activation(family) => {
                let dual = Dual::new(family, path.nodes[node.ends[0]].stds());
                path.nodes[node.ends[1]].dual = Some(dual.map_err(|problem| refuse(node, &problem))?);
            }
            Kind::Sum(branches) | Kind::Product(branches) => {
                branches.iter().try_for_each(|branch| prepare(path, &branch.nodes))?;
            }
            Kind::Map(..) | Kind::Pool(_) | Kind::LayerNorm(_) => {}
        }
    }
    Ok(())
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
        self.path.nodes[node].set(variances);
        Ok(())
    }

    fn damp(&mut self, [start, end]: [usize; 2]) {
        let stds = self.path.nodes[start].stds().to_vec();
        self.path.nodes[end].damp(&stds);
    }

    fn ensure_finite(&self, value: f64, what: &str, name: &str, j: usize) -> Result<()> {
        if value.is_finite() {
            return Ok(());
        }
        Err(Error::NotFinite {
            what: format!("the {what} after {name}"),
            value,
            place: format!("input {}, counted from 0", self.inputs.start + j),
            // Overflow meets infinity first; what is no number is a quotient of zeros.
            remedy: if value.is_nan() {
                "a variance became 0: scale the inputs up, raise `arch.w_std`, give `arch.b_std` a value above 0, or lower the depth; \
                 a layer norm of an input that is 0 needs `b_std` above 0 before it"
            } else {
                "scale the inputs down, or lower `arch.w_std` or the depth"
            }
            .to_owned(),
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
