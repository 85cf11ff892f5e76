//! The network's first-order Taylor expansion in its parameters (Lee et al. 2019):
//!
//! ```text
//! f_lin(x; theta) = f(x; theta_0) + J(x) (theta - theta_0)
//! ```
//!
//! Training it on the squared loss has a closed form: at any time its parameters are theta_0 + J(X)^T a, with the weights a of
//! [`Flow::coefficients`](crate::dynamics::Flow::coefficients) on the training residual Y - f(X; theta_0).

use super::tangent::Tangent;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::net::{Compute, Probed, flatten, to_matrix};

/// A module's outputs at given inputs, to first order in its parameters.
#[derive(Debug)]
pub struct Linearization<'a> {
    tangent: Tangent<'a>,
    theta_0: Vec<f64>,
    f_0: Matrix,
}

impl<'a> Linearization<'a> {
    /// Of `module` around its present parameters, at the inputs `x` `[n, d_in]`.
    ///
    /// # Errors
    /// As [`Tangent::of`].
    pub fn of<M: Probed>(module: &M, compute: &'a Compute, x: &Matrix) -> Result<Self> {
        let tangent = Tangent::of(module, compute, x)?;
        let f_0 = to_matrix(module.valid().forward(compute.tensor(x)))?;
        Ok(Self { tangent, theta_0: flatten(module)?, f_0 })
    }

    /// The outputs where it was taken, `[n, d_out]`.
    #[must_use]
    pub fn f_0(&self) -> &Matrix {
        &self.f_0
    }

    /// J at the inputs.
    #[must_use]
    pub fn tangent(&self) -> &Tangent<'a> {
        &self.tangent
    }

    /// f_lin with the parameters moved by `displacement` `[n_parameters]`: `[n, d_out]`.
    ///
    /// # Errors
    /// As [`Tangent::forward`].
    pub fn moved_by(&self, displacement: &[f64]) -> Result<Matrix> {
        let moved = self.tangent.forward(displacement)?;
        let (n, d_out) = self.f_0.shape();
        Ok(&self.f_0 + &Matrix::from_vec(n, d_out, moved)?)
    }

    /// f_lin at the parameters of `module`, the one it was taken of after some training: `[n, d_out]`.
    ///
    /// # Errors
    /// As [`Tangent::forward`].
    pub fn at<M: Probed>(&self, module: &M) -> Result<Matrix> {
        let theta = flatten(module)?;
        let displacement: Vec<f64> = theta.iter().zip(&self.theta_0).map(|(now, then)| now - then).collect();
        self.moved_by(&displacement)
    }
}
