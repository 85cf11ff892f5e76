//! The Gaussian process posterior: mean K* (K + lambda I)^-1 Y, covariance K** - K* (K + lambda I)^-1 K*^T.
//!
//! K = K(X, X), K* = K(x*, X), K** = K(x*, x*). Kernel ridge regression is the mean alone. With the NNGP kernel this is
//! the infinitely wide Bayesian network (Lee et al. 2018); with the NTK, the mean is what gradient flow converges to.
//! Everything is by one Cholesky factorization, N^3 / 3 multiply-adds; a ridge is added where it is given and nowhere else.

use super::problem::{require_targets, require_test_test, require_test_train};
use crate::dynamics::{Horizon, KernelPredictor};
use crate::error::{Error, Result};
use crate::linalg::{Cholesky, GramMatrix, Matrix, ensure_fits};

/// What a Gaussian process says about the test points after it has seen the training points.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// `[n_test, O]`.
    pub mean: Matrix,
    /// `[n_test, n_test]`, the same for every output; of the function, without observation noise.
    pub covariance: GramMatrix,
}

/// A mean and a variance at every test point, without the covariances between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Marginals {
    /// `[n_test, O]`.
    pub mean: Matrix,
    /// `[n_test]`, the same for every output; of the function, without observation noise.
    pub variance: Vec<f64>,
}

/// Kernel ridge regression, K* (K + ridge I)^-1 Y, by Cholesky factorization.
///
/// # Shapes
/// `k_test_train` `[n_test, n_train]`, `y_train` `[n_train, O]`; returns `[n_test, O]`.
///
/// # Errors
/// [`Error::NotPositiveDefinite`] when the kernel matrix is singular to rounding and the ridge does not mend it;
/// [`Error::NotFinite`], also of a target; [`Error::Shape`].
pub fn kernel_ridge(k_train_train: &GramMatrix, k_test_train: &Matrix, y_train: &Matrix, ridge: f64) -> Result<Matrix> {
    require_targets(k_train_train, y_train)?;
    require_test_train(k_train_train.n(), k_test_train)?;
    let factor = Cholesky::of(k_train_train, ridge)?;
    Ok(k_test_train.matmul(&factor.solve(y_train)))
}

/// Mean and covariance of the Gaussian process with observation noise of variance `ridge`.
///
/// # Shapes
/// `k_test_train` `[n_test, n_train]`, `k_test_test` `[n_test, n_test]`, `y_train` `[n_train, O]`.
///
/// # Errors
/// As [`kernel_ridge`]; [`Error::TooLarge`] when the covariance does not fit into memory.
pub fn posterior(
    k_train_train: &GramMatrix,
    k_test_train: &Matrix,
    k_test_test: &GramMatrix,
    y_train: &Matrix,
    ridge: f64,
) -> Result<Posterior> {
    require_targets(k_train_train, y_train)?;
    require_test_train(k_train_train.n(), k_test_train)?;
    require_test_test(k_test_train, k_test_test.n())?;
    ensure_covariance_fits(k_train_train.n(), k_test_test.n())?;

    let factor = Cholesky::of(k_train_train, ridge)?;
    let white = factor.whiten_rows(k_test_train);
    Ok(Posterior {
        mean: k_test_train.matmul(&factor.solve(y_train)),
        covariance: k_test_test.clone().plus_square(-1.0, &white),
    })
}

/// As [`posterior`], with the variances alone: no matrix over the test inputs is made, or asked for.
///
/// # Shapes
/// `k_test_train` `[n_test, n_train]`, `k_test_diagonal` `[n_test]`, `y_train` `[n_train, O]`.
///
/// # Errors
/// As [`kernel_ridge`].
pub fn posterior_marginals(
    k_train_train: &GramMatrix,
    k_test_train: &Matrix,
    k_test_diagonal: &[f64],
    y_train: &Matrix,
    ridge: f64,
) -> Result<Marginals> {
    require_targets(k_train_train, y_train)?;
    require_test_train(k_train_train.n(), k_test_train)?;
    require_test_test(k_test_train, k_test_diagonal.len())?;

    let factor = Cholesky::of(k_train_train, ridge)?;
    let variance = variances(k_test_diagonal, &factor.whiten_rows(k_test_train));
    Ok(Marginals { mean: k_test_train.matmul(&factor.solve(y_train)), variance })
}

/// As [`posterior`], in the eigenbasis of the kernel, with the ridge of its flow: any from 0 up, and without one the pseudo-inverse, so that
/// repeated inputs, or a kernel that is singular to rounding, are no error.
///
/// # Errors
/// [`Error::Shape`]; [`Error::TooLarge`] when the covariance does not fit into memory.
pub fn eigenbasis_posterior(
    kernel: KernelPredictor<'_>,
    k_test_test: &GramMatrix,
    y_train: &Matrix,
) -> Result<Posterior> {
    require_test_test(kernel.k_test_train, k_test_test.n())?;
    ensure_covariance_fits(y_train.n_rows(), k_test_test.n())?;
    let mean = kernel.predict(Horizon::Infinite, y_train)?;
    let white = kernel.flow.whiten_rows(kernel.k_test_train)?;
    Ok(Posterior { mean, covariance: k_test_test.clone().plus_square(-1.0, &white) })
}

/// As [`eigenbasis_posterior`], with the variances alone.
///
/// # Errors
/// [`Error::Shape`].
pub fn eigenbasis_marginals(
    kernel: KernelPredictor<'_>,
    k_test_diagonal: &[f64],
    y_train: &Matrix,
) -> Result<Marginals> {
    require_test_test(kernel.k_test_train, k_test_diagonal.len())?;
    let mean = kernel.predict(Horizon::Infinite, y_train)?;
    Ok(Marginals { mean, variance: variances(k_test_diagonal, &kernel.flow.whiten_rows(kernel.k_test_train)?) })
}

/// What is left of the prior's variances.
fn variances(k_test_diagonal: &[f64], white: &Matrix) -> Vec<f64> {
    // Cut off at zero, because rounding leaves the variance at a training input on either side of it.
    let left = |(prior, row): (&f64, &[f64])| (prior - row.iter().map(|v| v * v).sum::<f64>()).max(0.0);
    k_test_diagonal.iter().zip(white.rows()).map(left).collect()
}

impl Posterior {
    /// The variances, without the covariances.
    #[must_use]
    pub fn marginals(&self) -> Marginals {
        let variance = (0..self.covariance.n()).map(|i| self.covariance[(i, i)].max(0.0)).collect();
        Marginals { mean: self.mean.clone(), variance }
    }

    /// log N(Y*; mean, covariance + noise I), summed over outputs: the density of all test targets at once, which credits what the
    /// process knows of how they vary together.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] when the covariance is singular to rounding and the noise does not mend it; [`Error::Shape`].
    pub fn log_density(&self, y_test: &Matrix, noise: f64) -> Result<f64> {
        if y_test.shape() != self.mean.shape() {
            let words = |(rows, columns): (usize, usize)| format!("{rows} x {columns}");
            return Err(Error::shape("test targets", words(self.mean.shape()), words(y_test.shape())));
        }
        let factor = Cholesky::of(&self.covariance, noise)?;
        Ok(factor.log_density(&(y_test - &self.mean)))
    }
}

pub(crate) fn ensure_covariance_fits(n_train: usize, n_test: usize) -> Result<()> {
    let (n_train, n_test) = (n_train as f64, n_test as f64);
    ensure_fits(
        8.0 * (n_train * n_train + n_test * n_train + n_test * n_test),
        || format!("the covariance of {n_test} test inputs given {n_train} training inputs"),
        "ask for the variances alone, or for fewer test inputs at a time",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Flow, Outputs};

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
    fn the_eigenbasis_and_the_factorization_agree_and_the_eigenbasis_takes_repeated_inputs() {
        let (k, y) = train();
        let inputs = [4.2, 7.5];
        let cross = |n: usize| Matrix::from_fn(2, n, |i, j| laplace(inputs[i], (j % 12) as f64));
        let k_test_test = GramMatrix::from_lower(2, |i, j| laplace(inputs[i], inputs[j]));
        let flow = |k: &GramMatrix, ridge| Flow::new(k, Outputs::Independent(2), ridge, 1e-13).unwrap();
        let gap = |a: &Posterior, b: &Posterior| {
            let covariance = largest(&(a.covariance.as_matrix() - b.covariance.as_matrix()));
            largest(&(&a.mean - &b.mean)).max(covariance)
        };
        for ridge in [0.0, 0.2] {
            let (flow, k_test_train) = (flow(&k, ridge), cross(12));
            let kernel = KernelPredictor { flow: &flow, k_test_train: &k_test_train };
            let expected = posterior(&k, &k_test_train, &k_test_test, &y, ridge).unwrap();
            let found = eigenbasis_posterior(kernel, &k_test_test, &y).unwrap();
            assert!(gap(&found, &expected) < 1e-13);
            let alone = eigenbasis_marginals(kernel, &[1.0, 1.0], &y).unwrap();
            assert!(alone.variance.iter().zip(&found.marginals().variance).all(|(a, b)| (a - b).abs() < 1e-14));
        }
        // Every input twice, with equal targets, tells nothing new.
        let twice = GramMatrix::from_lower(24, |i, j| laplace((i % 12) as f64, (j % 12) as f64));
        let y_twice = Matrix::from_fn(24, 2, |i, j| y[(i % 12, j)]);
        let (flow, k_test_train) = (flow(&twice, 0.0), cross(24));
        let kernel = KernelPredictor { flow: &flow, k_test_train: &k_test_train };
        let once = posterior(&k, &cross(12), &k_test_test, &y, 0.0).unwrap();
        assert!(gap(&eigenbasis_posterior(kernel, &k_test_test, &y_twice).unwrap(), &once) < 1e-12);
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
    fn variances_alone_are_the_diagonal_of_the_covariance() {
        let (k, y) = train();
        let k_test_train = Matrix::from_fn(5, 12, |i, j| laplace(1.3 * i as f64 - 0.2, j as f64));
        let k_test_test = GramMatrix::from_lower(5, |i, j| laplace(1.3 * i as f64, 1.3 * j as f64));
        for ridge in [0.0, 0.3] {
            let whole = posterior(&k, &k_test_train, &k_test_test, &y, ridge).unwrap();
            let alone = posterior_marginals(&k, &k_test_train, &[1.0; 5], &y, ridge).unwrap();
            assert_eq!(alone.mean, whole.mean);
            let gaps = alone.variance.iter().zip(whole.marginals().variance).map(|(a, b)| (a - b).abs());
            assert!(gaps.fold(0.0, f64::max) < 1e-15);
        }
    }

    #[test]
    fn densities_of_parts_multiply_to_that_of_the_whole() {
        // log p(Y) + log p(Y* | Y) = log p(Y, Y*), the first and last being posteriors that have seen nothing.
        let (k, y) = train();
        let noise = 0.2;
        let prior = |n: usize, first: usize| Posterior {
            mean: Matrix::zeros(n, 2),
            covariance: GramMatrix::from_lower(n, |i, j| k[(first + i, first + j)]),
        };
        let part = |from: usize, to: usize| y.select_rows(&(from..to).collect::<Vec<_>>());
        let (seen, cross) = (prior(8, 0).covariance, Matrix::from_fn(4, 8, |i, j| k[(8 + i, j)]));
        let rest = posterior(&seen, &cross, &prior(4, 8).covariance, &part(0, 8), noise).unwrap();
        let sum = prior(8, 0).log_density(&part(0, 8), noise).unwrap() + rest.log_density(&part(8, 12), noise).unwrap();
        assert!((sum - prior(12, 0).log_density(&y, noise).unwrap()).abs() < 1e-12);
    }

    #[test]
    fn a_target_that_is_no_number_is_refused_with_its_row() {
        let (k, mut y) = train();
        y[(7, 1)] = f64::NAN;
        let error = kernel_ridge(&k, k.as_matrix(), &y, 0.1).unwrap_err().to_string();
        assert!(error.contains("row 7, output 1"), "{error}");
    }

    #[test]
    fn matrices_that_do_not_fit_are_refused_with_both_sizes() {
        let (k, y) = train();
        let error = kernel_ridge(&k, &Matrix::zeros(3, 11), &y, 0.0).unwrap_err().to_string();
        assert!(error.contains("expected 12, found 11"), "{error}");
        assert!(kernel_ridge(&k, k.as_matrix(), &Matrix::zeros(11, 1), 0.0).is_err());
    }
}
