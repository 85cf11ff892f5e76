//! The Gaussian process posterior: mean K* (K + lambda I)^-1 Y, covariance K** - K* (K + lambda I)^-1 K*^T.
//!
//! K = K(X, X), K* = K(x*, X), K** = K(x*, x*). Kernel ridge regression is the mean alone. With the NNGP kernel this is
//! the infinitely wide Bayesian network (Lee et al. 2018); with the NTK, the mean is what gradient flow converges to.

use crate::error::{Error, Result};
use crate::linalg::{Cholesky, GramMatrix, Matrix};

/// What a Gaussian process says about the test points after it has seen the training points.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// `[n_test, O]`.
    pub mean: Matrix,
    /// `[n_test, n_test]`, the same for every output; of the function, without observation noise.
    pub covariance: GramMatrix,
}

/// Kernel ridge regression, K* (K + ridge I)^-1 Y, by Cholesky factorization.
///
/// # Shapes
/// `k_test_train` `[n_test, n_train]`, `y_train` `[n_train, O]`; returns `[n_test, O]`.
///
/// # Errors
/// [`Error::NotPositiveDefinite`] when the kernel matrix is singular to rounding and the ridge does not mend it;
/// [`Error::NotFinite`]; [`Error::Shape`].
pub fn kernel_ridge(k_train_train: &GramMatrix, k_test_train: &Matrix, y_train: &Matrix, ridge: f64) -> Result<Matrix> {
    require_shapes(k_train_train, k_test_train, y_train)?;
    let factor = Cholesky::of(k_train_train, ridge)?;
    Ok(k_test_train.matmul(&factor.solve(y_train)))
}

/// Mean and covariance of the Gaussian process with observation noise of variance `ridge`.
///
/// # Shapes
/// `k_test_train` `[n_test, n_train]`, `k_test_test` `[n_test, n_test]`, `y_train` `[n_train, O]`.
///
/// # Errors
/// As [`kernel_ridge`].
pub fn posterior(
    k_train_train: &GramMatrix,
    k_test_train: &Matrix,
    k_test_test: &GramMatrix,
    y_train: &Matrix,
    ridge: f64,
) -> Result<Posterior> {
    require_shapes(k_train_train, k_test_train, y_train)?;
    let n_test = k_test_train.n_rows();
    if k_test_test.n() != n_test {
        return Err(Error::shape("kernel of the test inputs with themselves", n_test, k_test_test.n()));
    }

    let factor = Cholesky::of(k_train_train, ridge)?;
    let half = factor.solve_lower(&k_test_train.transpose());
    let explained = half.transpose().matmul(&half);
    Ok(Posterior {
        mean: k_test_train.matmul(&factor.solve(y_train)),
        covariance: GramMatrix::from_lower(n_test, |i, j| k_test_test[(i, j)] - explained[(i, j)]),
    })
}

fn require_shapes(k_train_train: &GramMatrix, k_test_train: &Matrix, y_train: &Matrix) -> Result<()> {
    let n_train = k_train_train.n();
    if k_test_train.n_cols() != n_train {
        return Err(Error::shape("columns of the test-train kernel", n_train, k_test_train.n_cols()));
    }
    if y_train.n_rows() != n_train {
        return Err(Error::shape("rows of the training targets", n_train, y_train.n_rows()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laplace(a: f64, b: f64) -> f64 {
        (-(a - b).abs()).exp()
    }

    fn train() -> (GramMatrix, Matrix) {
        let y = Matrix::from_fn(12, 2, |i, j| ((i + 5 * j) as f64).sin());
        (GramMatrix::from_lower(12, |i, j| laplace(i as f64, j as f64)), y)
    }

    fn largest(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    #[test]
    fn ridgeless_regression_interpolates() {
        let (k, y) = train();
        let fitted = kernel_ridge(&k, k.as_matrix(), &y, 0.0).unwrap();
        assert!(largest(&(&fitted - &y)) < 1e-13);
    }

    #[test]
    fn an_infinite_ridge_predicts_zero() {
        let (k, y) = train();
        assert!(largest(&kernel_ridge(&k, k.as_matrix(), &y, 1e14).unwrap()) < 1e-12);
    }

    #[test]
    fn without_a_ridge_nothing_is_uncertain_at_a_training_input_and_far_away_the_prior_returns() {
        let (k, y) = train();
        let inputs = [4.0, 1000.0];
        let k_test_train = Matrix::from_fn(2, 12, |i, j| laplace(inputs[i], j as f64));
        let k_test_test = GramMatrix::from_lower(2, |i, j| laplace(inputs[i], inputs[j]));
        let posterior = posterior(&k, &k_test_train, &k_test_test, &y, 0.0).unwrap();
        assert!(posterior.covariance[(0, 0)].abs() < 1e-14);
        assert_eq!(posterior.covariance[(1, 1)], 1.0);
        assert!((posterior.mean[(0, 0)] - y[(4, 0)]).abs() < 1e-14);
        assert_eq!(posterior.mean[(1, 0)], 0.0);
    }

    #[test]
    fn the_exponential_process_is_markov() {
        // Between two noiseless neighbours a and b the Ornstein-Uhlenbeck bridge knows nothing else: its variance at
        // the midpoint is tanh(|b - a| / 2).
        let (k, y) = train();
        let k_test_train = Matrix::from_fn(1, 12, |_, j| laplace(6.5, j as f64));
        let k_test_test = GramMatrix::from_lower(1, |_, _| 1.0);
        let posterior = posterior(&k, &k_test_train, &k_test_test, &y, 0.0).unwrap();
        assert!((posterior.covariance[(0, 0)] - 0.5_f64.tanh()).abs() < 1e-14);
    }

    #[test]
    fn matrices_that_do_not_fit_are_refused_with_both_sizes() {
        let (k, y) = train();
        let error = kernel_ridge(&k, &Matrix::zeros(3, 11), &y, 0.0).unwrap_err().to_string();
        assert!(error.contains("expected 12, found 11"), "{error}");
        assert!(kernel_ridge(&k, k.as_matrix(), &Matrix::zeros(11, 1), 0.0).is_err());
    }
}
