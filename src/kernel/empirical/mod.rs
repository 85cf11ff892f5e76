//! The tangent kernel of one finite network, Theta_hat(x, x') = J(x) J(x')^T with J = d f / d theta (Jacot et al. 2018).
//!
//! Two ways, same result: [`jacobian`] holds J and works for every Burn module; [`structured`] uses how an affine map's gradient
//! factorizes and never forms J (Novak et al. 2022). Both give the full output blocks: row i O + o is output o of input i.

pub mod jacobian;
pub mod structured;

use super::{Kernel, ensure_input_dimension};
use crate::error::Result;
use crate::linalg::{GramMatrix, Matrix};
use crate::net::{Compute, Predictor};

/// The empirical NTK of a predictor at its present parameters, by structured derivatives, as a [`Kernel`] of `n d_out` rows.
#[derive(Debug, Clone, Copy)]
pub struct EmpiricalNtk<'a> {
    predictor: &'a Predictor,
    compute: &'a Compute,
}

impl<'a> EmpiricalNtk<'a> {
    /// The kernel of `predictor`, computed where it was built.
    #[must_use]
    pub fn new(predictor: &'a Predictor, compute: &'a Compute) -> Self {
        Self { predictor, compute }
    }
}

impl Kernel for EmpiricalNtk<'_> {
    fn name(&self) -> String {
        "empirical".to_owned()
    }

    fn gram(&self, x: &Matrix) -> Result<GramMatrix> {
        ensure_input_dimension(x, self.predictor.architecture().d_in())?;
        structured::gram(self.predictor, &self.compute.tensor(x))
    }

    fn cross_gram(&self, x1: &Matrix, x2: &Matrix) -> Result<Matrix> {
        ensure_input_dimension(x1, self.predictor.architecture().d_in())?;
        ensure_input_dimension(x2, self.predictor.architecture().d_in())?;
        structured::cross_gram(self.predictor, &self.compute.tensor(x1), &self.compute.tensor(x2))
    }
}
