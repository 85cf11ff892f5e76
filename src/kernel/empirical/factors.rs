//! What the affine maps of a module contribute for a batch: their inputs, and the deltas df / dz of their outputs.
//!
//! The deltas of a whole batch come from one backward pass per output, because samples do not interact: the forward pass is that of the
//! module without gradients, and only the leaves that a [`Probe`] adds are tracked, so that no gradient of the weights is ever formed.

use std::ops::Range;

use burn::tensor::Tensor;

use super::map_factors::MapFactors;
use super::plan::{Anatomy, Outputs};
use crate::error::{Error, Result};
use crate::net::{Probe, Probed};

/// The factors of every trained map for a batch of inputs.
#[derive(Debug, Clone)]
pub(super) struct Factors {
    pub(super) n: usize,
    /// In the order in which the forward pass meets them.
    pub(super) maps: Vec<MapFactors>,
}

impl Factors {
    /// Of `module`, without gradients of its own, for inputs `[n, d_in]`.
    ///
    /// For a trace the deltas of all outputs lie side by side as those of one, so that inner products are sums over outputs.
    /// Without `by_samples`, inputs and deltas are kept even where gradients of samples were cheaper.
    pub(super) fn of<M: Probed>(
        module: &M,
        anatomy: &Anatomy,
        x: &Tensor<2>,
        outputs: Outputs,
        by_samples: bool,
    ) -> Result<Self> {
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
        let maps = maps.map(|((inputs, deltas), shape)| {
            let is_merged = outputs == Outputs::Trace && deltas.len() > 1;
            let deltas = if is_merged { vec![Tensor::cat(deltas, 1)] } else { deltas };
            MapFactors::new(shape, inputs, deltas, by_samples && shape.is_summed_by_samples(outputs, anatomy.d_out))
        });
        Ok(Self { n, maps: maps.collect() })
    }

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
