//! What the affine maps of a module contribute for a batch: their inputs, and the deltas df / dz of their outputs.
//!
//! The deltas of a whole batch come from one way back per output, because samples do not interact, and no gradient of the weights is ever
//! formed.

use std::ops::Range;

use burn::tensor::Tensor;

use super::anatomy::{Anatomy, MapShape};
use super::map_factors::MapFactors;
use super::outputs::Outputs;
use crate::error::{Error, Result};
use crate::net::{Compute, Factor, Probed, Trainable};

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
    pub(super) trainable: &'a Trainable,
    pub(super) anatomy: &'a Anatomy,
    pub(super) compute: &'a Compute,
}

impl<M: Probed> Source<'_, M> {
    /// For products of matrices.
    pub(super) fn for_kernel(&self, x: &Tensor<2>, outputs: Outputs) -> Result<Factors> {
        let (n, d_out) = (x.dims()[0], self.anatomy.d_out);
        let factors = self.factors(x, outputs == Outputs::Trace)?;
        let maps = factors.map(|(shape, factor)| MapFactors::for_kernel(shape, factor, (n, d_out), outputs));
        Ok(Factors { n, maps: maps.collect() })
    }

    /// For products with vectors.
    pub(super) fn for_tangent(&self, x: &Tensor<2>) -> Result<Factors> {
        let (n, d_out) = (x.dims()[0], self.anatomy.d_out);
        let maps = self.factors(x, false)?.map(|(shape, factor)| MapFactors::new(shape, factor, (n, d_out)));
        Ok(Factors { n, maps: maps.collect() })
    }

    /// Of every trained map, for inputs `[n, d_in]`.
    fn factors(&self, x: &Tensor<2>, traced: bool) -> Result<impl Iterator<Item = (&MapShape, Factor)>> {
        let factors = self.module.factors(x, self.anatomy.d_out, self.trainable, traced)?;
        let n_maps = self.anatomy.trained_maps().count();
        if factors.len() != n_maps {
            return Err(Error::shape("trained affine maps of the module", n_maps, factors.len()));
        }
        for (map, factor) in self.anatomy.trained_maps().zip(&factors) {
            let n_rows = x.dims()[0] * map.n_positions;
            let n_deltas = if traced && map.is_merged { 1 } else { self.anatomy.d_out };
            let expected = ([n_rows, map.n_in], n_rows * n_deltas);
            let found = (factor.inputs.dims(), factor.deltas.dims()[0]);
            if found != expected {
                let what = "inputs, and rows of deltas, of an affine map of the module";
                return Err(Error::shape(what, format!("{expected:?}"), format!("{found:?}")));
            }
        }
        Ok(self.anatomy.trained_maps().zip(factors))
    }
}

impl Factors {
    /// Sums the shares of `maps` between `columns` there and `rows` here: `[columns, rows]` of all outputs, or of one alone.
    pub(super) fn contract(
        &self,
        rows: &Range<usize>,
        (other, columns): (&Self, &Range<usize>),
        maps: Range<usize>,
        output: Option<usize>,
    ) -> Option<Tensor<2>> {
        let maps = self.maps[maps.clone()].iter().zip(&other.maps[maps]);
        maps.fold(None, |sum, (map, other)| map.plus_share(sum, rows, (other, columns), output))
    }
}
