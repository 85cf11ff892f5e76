//! Which units are on: the sign of every hidden pre-activation. Where no sign changes, a ReLU network has stayed in one linear piece.

use burn::tensor::{Bool, Tensor};

use super::device::to_matrix;
use super::probe::Probe;
use super::probed::Probed;
use crate::error::Result;

/// The signs of the outputs of every affine map but the last, at given inputs.
#[derive(Debug, Clone)]
pub struct ActivationPattern {
    is_positive: Vec<Tensor<2, Bool>>,
}

impl ActivationPattern {
    /// Of `module` at the inputs `x` `[n, d_in]`.
    pub fn of<M: Probed>(module: &M, x: Tensor<2>) -> Self {
        let mut probe = Probe::of_outputs();
        module.valid().forward_probed(x, &mut probe);
        let mut seen = probe.into_seen();
        seen.pop();
        let outputs = seen.into_iter().filter_map(|map| map.outputs);
        Self { is_positive: outputs.map(|z| z.greater_elem(0.0)).collect() }
    }

    /// The share of signs that differ from those of `other`, from 0 to 1; 0 where there is no hidden layer.
    ///
    /// # Errors
    /// When the device fails.
    pub fn flips(&self, other: &Self) -> Result<f64> {
        let (mut n_flips, mut n) = (0.0, 0);
        for (now, then) in self.is_positive.iter().zip(&other.is_positive) {
            let flipped = now.clone().not_equal(then.clone()).float();
            n += flipped.shape().num_elements();
            // Row by row, so that f32 counts exactly.
            n_flips += to_matrix(flipped.sum_dim(1))?.values().iter().sum::<f64>();
        }
        Ok(if n == 0 { 0.0 } else { n_flips / n as f64 })
    }
}
