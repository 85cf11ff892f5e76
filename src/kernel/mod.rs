//! Kernels: symmetric positive semidefinite functions of two inputs, evaluated on sets of inputs.
//!
//! - [`analytic`]: the infinite-width NNGP and NTK of an [`Architecture`](crate::arch::Architecture); no Burn, no randomness.
//! - [`empirical`]: the NTK of one finite network, from its derivatives.
//! - [`stationary`]: RBF, Laplace and Matern, which know nothing of networks.
//! - [`fourier`]: random features of stationary kernels.
//! - [`implicit`]: any kernel on more inputs than memory holds pairs of.
//! - [`compare`]: how far two kernel matrices are apart.
//!
//! The test input always comes first: `cross_gram(x_test, x_train)` is `[n_test, n_train]`.

pub mod analytic;
pub mod compare;
pub mod empirical;
pub mod fourier;
pub mod implicit;
pub mod stationary;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};

/// A kernel that can be evaluated on any inputs `[n, d_in]`.
pub trait Kernel {
    /// The kernel's name in tables and files.
    fn name(&self) -> String;

    /// All pairs within one set of inputs: `[n, n]`.
    ///
    /// # Errors
    /// When the inputs do not fit the kernel, or a value is not finite.
    fn gram(&self, x: &Matrix) -> Result<GramMatrix>;

    /// All pairs between two sets of inputs: `[n1, n2]`.
    ///
    /// # Errors
    /// As [`Kernel::gram`].
    fn cross_gram(&self, x1: &Matrix, x2: &Matrix) -> Result<Matrix>;
}

/// Which kernel of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelKind {
    /// The neural network Gaussian process: the covariance of the untrained network's output.
    Nngp,
    /// The neural tangent kernel: the inner product of the output's parameter gradients.
    Ntk,
}

/// The two kernels of one architecture, computed together because they share the recursion.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernels<M> {
    /// Covariance of the untrained network's output.
    pub nngp: M,
    /// Inner product of parameter gradients in the limit.
    pub ntk: M,
}

/// Two sets of inputs must have the dimension the kernel was built for.
pub(crate) fn ensure_input_dimension(x: &Matrix, d_in: usize) -> Result<()> {
    if x.n_cols() == d_in { Ok(()) } else { Err(Error::shape("input columns", d_in, x.n_cols())) }
}
