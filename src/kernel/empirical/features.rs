//! The empirical NNGP: the covariance of a network's outputs over its readout alone, given its hidden layers,
//!
//! ```text
//! K_hat(x, x') = W_std^2 <h, h'> / n + b_std^2,   h = the n inputs of the readout
//! ```
//!
//! which approaches the NNGP as the hidden layers widen (Lee et al. 2018).

use burn::module::Module;

use crate::error::{Error, Result};
use crate::kernel::{Kernel, ensure_input_dimension};
use crate::linalg::{GramMatrix, Matrix};
use crate::net::{Compute, Network, Predictor, Probe, Probed, to_matrix};

/// The kernel of a network's last-layer features.
#[derive(Debug)]
pub struct EmpiricalNngp<'a> {
    network: &'a Network,
    compute: &'a Compute,
}

impl<'a> EmpiricalNngp<'a> {
    /// Of the network in `predictor` at its present parameters; what is subtracted from it does not count.
    #[must_use]
    pub fn new(predictor: &'a Predictor, compute: &'a Compute) -> Self {
        Self { network: predictor.network(), compute }
    }

    /// h times the standard deviation of a weight: `[n, n_in]`.
    fn features(&self, x: &Matrix) -> Result<Matrix> {
        let architecture = self.network.architecture();
        ensure_input_dimension(x, architecture.d_in())?;
        let mut probe = Probe::of_outputs();
        self.network.valid().forward_probed(self.compute.tensor(x), &mut probe);
        let readout = probe.into_seen().pop().ok_or_else(|| Error::Check("a network without a readout".to_owned()))?;
        let h = to_matrix(readout.inputs)?;
        // The probe's inputs carry it where the forward pass has it.
        let is_scaled = architecture.parametrization().is_scaled();
        let of_weights = if is_scaled { 1.0 } else { architecture.w_std() / (h.n_cols() as f64).sqrt() };
        let scale = architecture.output_scale() * of_weights;
        Ok(h.map(|v| scale * v))
    }

    fn between(&self, h1: &Matrix, h2: &Matrix) -> Matrix {
        let architecture = self.network.architecture();
        let b_std = if architecture.starts_biased() { architecture.b_std() } else { 0.0 };
        let bias = (architecture.output_scale() * b_std).powi(2);
        h1.matmul(&h2.transpose()).map(|v| v + bias)
    }
}

impl Kernel for EmpiricalNngp<'_> {
    fn name(&self) -> String {
        "empirical-nngp".to_owned()
    }

    fn gram(&self, x: &Matrix) -> Result<GramMatrix> {
        let h = self.features(x)?;
        GramMatrix::from_lower_triangle(self.between(&h, &h))
    }

    fn cross_gram(&self, x1: &Matrix, x2: &Matrix) -> Result<Matrix> {
        Ok(self.between(&self.features(x1)?, &self.features(x2)?))
    }
}
