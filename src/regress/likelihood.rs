//! The marginal likelihood of a Gaussian process and its gradient, with alpha = (K + lambda I)^-1 Y and O outputs that share the kernel:
//!
//! ```text
//! log p(Y)             = -(1/2) tr Y^T alpha - (O/2) log det (K + lambda I) - (N O/2) log 2 pi
//! d log p(Y) / d theta = (1/2) tr W dK/dtheta,   W = alpha alpha^T - O (K + lambda I)^-1
//! ```
//!
//! (Rasmussen and Williams 2006, section 5.4.1). The gradient in the noise variance lambda is (1/2) tr W.

use super::problem::require_targets;
use crate::error::{Error, Result};
use crate::linalg::{Cholesky, GramMatrix, Matrix};

/// log p(Y) and what its gradient in any parameter of the kernel is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct MarginalLikelihood {
    log: f64,
    weight: GramMatrix,
}

/// log p(Y) alone: a third of the work of [`MarginalLikelihood::of`].
///
/// # Shapes
/// `y_train` `[N, O]`.
///
/// # Errors
/// As [`kernel_ridge`](super::kernel_ridge).
pub fn log_marginal_likelihood(k_train_train: &GramMatrix, y_train: &Matrix, ridge: f64) -> Result<f64> {
    require_targets(k_train_train, y_train)?;
    Ok(Cholesky::of(k_train_train, ridge)?.log_density(y_train))
}

impl MarginalLikelihood {
    /// log p(Y) with observation noise of variance `ridge`, and W.
    ///
    /// # Shapes
    /// `y_train` `[N, O]`.
    ///
    /// # Errors
    /// As [`kernel_ridge`](super::kernel_ridge).
    pub fn of(k_train_train: &GramMatrix, y_train: &Matrix, ridge: f64) -> Result<Self> {
        require_targets(k_train_train, y_train)?;
        let factor = Cholesky::of(k_train_train, ridge)?;
        let n_outputs = y_train.n_cols() as f64;
        Ok(Self {
            log: factor.log_density(y_train),
            weight: factor.inverse().scaled(-n_outputs).plus_square(1.0, &factor.solve(y_train)),
        })
    }

    /// log p(Y), summed over outputs.
    #[must_use]
    pub fn log(&self) -> f64 {
        self.log
    }

    /// d log p(Y) / d lambda, the kernel held fixed.
    #[must_use]
    pub fn ridge_derivative(&self) -> f64 {
        0.5 * self.weight.n() as f64 * self.weight.mean_diagonal()
    }

    /// d log p(Y) / d theta for the parameter in which `kernel_derivative` is dK / d theta, lambda held fixed.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn derivative(&self, kernel_derivative: &GramMatrix) -> Result<f64> {
        if kernel_derivative.n() != self.weight.n() {
            return Err(Error::shape("derivative of the kernel", self.weight.n(), kernel_derivative.n()));
        }
        let pairs = self.weight.as_matrix().values().iter().zip(kernel_derivative.as_matrix().values());
        Ok(0.5 * pairs.map(|(w, k)| w * k).sum::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{Activation, Mlp, Parametrization};
    use crate::kernel::Kernels;
    use crate::kernel::analytic::AnalyticKernel;

    const N: usize = 20;

    fn gram(length: f64) -> GramMatrix {
        GramMatrix::from_lower(N, |i, j| (-(i.abs_diff(j) as f64) / length).exp())
    }

    fn targets() -> Matrix {
        Matrix::from_fn(N, 3, |i, j| (0.4 * i as f64 + 2.0 * j as f64).sin() + 0.1 * (i as f64 * 7.3).cos())
    }

    /// Central differences of eighth order in a step that has nothing to do with that of the kernel's own derivatives.
    fn slope(f: impl Fn(f64) -> f64, at: f64) -> f64 {
        let step = 0.01 * at;
        let difference = |k: f64| f(at + k * step) - f(at - k * step);
        (0.8 * difference(1.0) - 0.2 * difference(2.0) + 4.0 / 105.0 * difference(3.0) - difference(4.0) / 280.0) / step
    }

    #[test]
    fn one_input_has_the_density_of_one_normal_number() {
        let (k, ridge, y) = (0.7, 0.2, 1.3_f64);
        let one = GramMatrix::from_lower(1, |_, _| k);
        let variance: f64 = k + ridge;
        let expected = -0.5 * (y * y / variance + variance.ln() + std::f64::consts::TAU.ln());
        let found = MarginalLikelihood::of(&one, &Matrix::from_fn(1, 1, |_, _| y), ridge).unwrap();
        assert!((found.log() - expected).abs() < 1e-15);
        assert!((found.ridge_derivative() - 0.5 * (y * y / variance - 1.0) / variance).abs() < 1e-15);
    }

    #[test]
    fn the_gradient_in_ridge_and_length_scale_is_the_slope_of_the_likelihood() {
        let (length, ridge) = (3.0, 0.1);
        let likelihood = MarginalLikelihood::of(&gram(length), &targets(), ridge).unwrap();
        let expected = slope(|ridge| log_marginal_likelihood(&gram(length), &targets(), ridge).unwrap(), ridge);
        assert!((likelihood.ridge_derivative() / expected - 1.0).abs() < 1e-9);
        let derivative = GramMatrix::from_lower(N, |i, j| {
            let r = i.abs_diff(j) as f64;
            r / (length * length) * (-r / length).exp()
        });
        let expected = slope(|length| log_marginal_likelihood(&gram(length), &targets(), ridge).unwrap(), length);
        assert!((likelihood.derivative(&derivative).unwrap() / expected - 1.0).abs() < 1e-9);
        assert!(likelihood.derivative(&GramMatrix::zeros(3)).is_err());
    }

    #[test]
    fn the_gradient_in_the_deviations_of_a_network_is_the_slope_of_the_likelihood() {
        let x = Matrix::from_fn(N, 3, |i, j| ((i * 3 + j) as f64 * 1.7).sin());
        let kernel = |activation: &Activation, w_std, b_std| {
            let parametrization = Parametrization::Ntk;
            let mlp = Mlp { depth: 2, width: 1, activation: activation.clone(), w_std, b_std, parametrization };
            AnalyticKernel::new(mlp.architecture(3, 1).unwrap())
        };
        let (w_std, b_std, ridge) = (1.4, 0.3, 0.05);
        for activation in [Activation::Relu, Activation::Erf] {
            let derivatives = kernel(&activation, w_std, b_std).gram_derivatives(&x).unwrap();
            let log = |w_std, b_std| {
                let Kernels { nngp, ntk } = kernel(&activation, w_std, b_std).grams(&x).unwrap();
                [nngp, ntk].map(|k| log_marginal_likelihood(&k, &targets(), ridge).unwrap())
            };
            let grams = kernel(&activation, w_std, b_std).grams(&x).unwrap();
            let by_kernel = [
                (grams.nngp, derivatives.w_std.nngp, derivatives.b_std.nngp),
                (grams.ntk, derivatives.w_std.ntk, derivatives.b_std.ntk),
            ];
            for (i, (k, in_w, in_b)) in by_kernel.into_iter().enumerate() {
                let likelihood = MarginalLikelihood::of(&k, &targets(), ridge).unwrap();
                let (w, b) = (likelihood.derivative(&in_w).unwrap(), likelihood.derivative(&in_b).unwrap());
                let expected = (slope(|w| log(w, b_std)[i], w_std), slope(|b| log(w_std, b)[i], b_std));
                assert!((w / expected.0 - 1.0).abs() < 1e-7, "{activation}, W_std: {w} against {}", expected.0);
                assert!((b / expected.1 - 1.0).abs() < 1e-7, "{activation}, b_std: {b} against {}", expected.1);
            }
        }
    }
}
