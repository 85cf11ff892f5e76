//! What the affine maps of a module contribute for a batch: their inputs, and the deltas df / dz of their outputs.
//!
//! The deltas of a whole batch come from one backward pass per output, because samples do not interact: the forward pass is that of the
//! module without gradients, and only the leaves that a [`Probe`] adds are tracked, so that no gradient of the weights is ever formed.

use std::ops::Range;

use burn::tensor::Tensor;

use super::anatomy::{Anatomy, MapShape};
use super::map_factors::MapFactors;
use super::outputs::Outputs;
use crate::error::{Error, Result};
use crate::net::{Compute, Probe, Probed};

/// The factors of every trained map for a batch of inputs.
#[derive(Debug, Clone)]
pub(super) struct Factors {
    pub(super) n: usize,
    /// In the order in which the forward pass meets them.
    pub(super) maps: Vec<MapFactors>,
}

/// A module whose factors are asked for.
#[derive(Debug)]
pub(super) struct Source<'a, M> {
    /// Without gradients of its own.
    pub(super) module: &'a M,
    pub(super) anatomy: &'a Anatomy,
    pub(super) compute: &'a Compute,
}

impl<M: Probed> Source<'_, M> {
    /// For products of matrices. For a trace the deltas of all outputs lie side by side as those of one, so that inner products are sums over
    /// outputs.
    pub(super) fn for_kernel(&self, x: &Tensor<2>, outputs: Outputs) -> Result<Factors> {
        let d_out = self.anatomy.d_out;
        let maps = self.factors(x)?.map(|(inputs, deltas, shape)| {
            let is_merged = outputs == Outputs::Trace && d_out > 1;
            let deltas = if is_merged { vec![Tensor::cat(deltas, 1)] } else { deltas };
            let by_samples = shape.is_summed_by_samples(outputs, d_out);
            MapFactors::new(shape, inputs, deltas, by_samples, &|tensor| self.compute.turned(tensor))
        });
        Ok(Factors { n: x.dims()[0], maps: maps.collect::<Result<_>>()? })
    }

    /// For products with vectors.
    pub(super) fn for_tangent(&self, x: &Tensor<2>) -> Result<Factors> {
        let turn = |tensor: Tensor<2>| Ok(tensor.transpose());
        let maps = self.factors(x)?.map(|(inputs, deltas, shape)| MapFactors::new(shape, inputs, deltas, false, &turn));
        Ok(Factors { n: x.dims()[0], maps: maps.collect::<Result<_>>()? })
    }

    /// Inputs, deltas of every output, and shape of every trained map, for inputs `[n, d_in]`.
    fn factors(&self, x: &Tensor<2>) -> Result<impl Iterator<Item = (Tensor<2>, Vec<Tensor<2>>, &MapShape)>> {
        let Self { module, anatomy, .. } = self;
        let [n, _] = x.dims();
        let mut inputs = Vec::new();
        let mut deltas: Vec<Vec<Tensor<2>>> = vec![Vec::with_capacity(anatomy.d_out); anatomy.maps.len()];
        for output in 0..anatomy.d_out {
            // A graph serves one backward pass.
            let mut probe = Probe::of_leaves();
            let f = module.forward_probed(x.clone(), &mut probe);
            let seen = probe.into_seen();
            if f.dims() != [n, anatomy.d_out] || seen.len() != anatomy.maps.len() {
                return Err(Error::shape(
                    "outputs and affine maps of the module",
                    format!("{:?} and {}", [n, anatomy.d_out], anatomy.maps.len()),
                    format!("{:?} and {}", f.dims(), seen.len()),
                ));
            }
            let f = if anatomy.d_out == 1 { f } else { f.narrow(1, output, 1) };
            // Nothing is tracked in a module without a map.
            let gradients = f.is_tracked().then(|| f.sum().backward());
            for (map, deltas) in seen.into_iter().zip(&mut deltas) {
                if output == 0 {
                    inputs.push(map.inputs);
                }
                if let Some(leaf) = map.leaf {
                    // Without a gradient the output does not depend on it: behind a sign, say.
                    let delta = gradients.as_ref().and_then(|gradients| leaf.grad(gradients));
                    deltas.push(delta.unwrap_or_else(|| leaf.inner().zeros_like()));
                }
            }
        }
        let maps = inputs.into_iter().zip(deltas).zip(&anatomy.maps).filter(|(_, shape)| shape.is_trained());
        Ok(maps.map(|((inputs, deltas), shape)| (inputs, deltas, shape)))
    }
}

impl Factors {
    /// Sums the shares of `maps` between `rows` here and `columns` there: `[rows, columns]` for each of `pairs` of outputs.
    pub(super) fn contract(
        &self,
        rows: &Range<usize>,
        (other, columns): (&Self, &Range<usize>),
        maps: Range<usize>,
        pairs: &[(usize, usize)],
    ) -> Vec<Tensor<2>> {
        let mut sums = vec![None; pairs.len()];
        for (map, other) in self.maps[maps.clone()].iter().zip(&other.maps[maps]) {
            map.add_shares(rows.clone(), (other, columns.clone()), pairs, &mut sums);
        }
        sums.into_iter().flatten().collect()
    }
}
