//! Kernel regression at any ridge, zero included, and how far its predictions are off.

use super::problem::require_targets;
use crate::dynamics::{Flow, Horizon, Outputs};
use crate::error::Result;
use crate::linalg::{GramMatrix, Matrix};

/// Regression with a ridge that is a fraction of the kernel's mean diagonal, in the eigenbasis: unlike a factorization it takes any ridge
/// from 0 up, and without one it is the pseudo-inverse, so that repeated inputs cannot blow the prediction up.
///
/// # Shapes
/// `k_test_train` `[n_test, n_train]`, `y_train` `[n_train, O]`; returns `[n_test, O]`.
///
/// # Errors
/// [`Error::Shape`](crate::error::Error::Shape); [`Error::NotFinite`](crate::error::Error::NotFinite).
pub fn regression(
    k_train_train: &GramMatrix,
    k_test_train: &Matrix,
    y_train: &Matrix,
    relative_ridge: f64,
) -> Result<Matrix> {
    require_targets(k_train_train, y_train)?;
    let ridge = relative_ridge * k_train_train.mean_diagonal();
    let cutoff = Flow::rounding_cutoff(k_train_train.n(), f64::EPSILON);
    let flow = Flow::new(k_train_train, Outputs::Independent(y_train.n_cols()), ridge, cutoff)?;
    flow.predict(k_test_train, Horizon::Infinite, y_train)
}

/// The mean over test points and outputs of the squared difference.
#[must_use]
pub fn mean_squared_error(prediction: &Matrix, target: &Matrix) -> f64 {
    (prediction - target).rms().powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vanishing_ridge_approaches_the_pseudo_inverse() {
        let point = |i: usize| i as f64 * 0.7;
        let kernel = |s: f64, t: f64| (-(s - t).abs()).exp();
        let gram = GramMatrix::from_lower(5, |i, j| kernel(point(i), point(j)));
        let cross = Matrix::from_fn(2, 5, |i, j| kernel(1.1 + i as f64, point(j)));
        let y = Matrix::from_fn(5, 1, |i, _| point(i).sin());
        let limit = regression(&gram, &cross, &y, 0.0).unwrap();
        let near = regression(&gram, &cross, &y, 1e-10).unwrap();
        assert!((&limit - &near).rms() < 1e-8);
    }

    #[test]
    fn with_a_ridge_the_eigenbasis_and_the_factorization_agree() {
        let gram = GramMatrix::from_lower(4, |i, j| (-((i as f64) - (j as f64)).powi(2)).exp());
        let cross = Matrix::from_fn(2, 4, |i, j| (-(0.5 + i as f64 - j as f64).powi(2)).exp());
        let y = Matrix::from_fn(4, 2, |i, j| (i * 2 + j) as f64);
        let ridge = 0.3 * gram.mean_diagonal();
        let factorized = crate::regress::kernel_ridge(&gram, &cross, &y, ridge).unwrap();
        assert!((&regression(&gram, &cross, &y, 0.3).unwrap() - &factorized).rms() < 1e-13);
    }

    #[test]
    fn the_error_of_a_constant_offset_is_its_square() {
        let target = Matrix::from_fn(3, 2, |i, j| (i + j) as f64);
        assert!((mean_squared_error(&target.map(|v| v + 0.5), &target) - 0.25).abs() < 1e-15);
    }
}
