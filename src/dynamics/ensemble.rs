//! The infinite ensemble of infinitely wide networks, trained for a given time (Lee et al. 2019):
//!
//! mean A_T Y,   covariance K** + A_T K A_T^T - (A_T K*^T + transpose),
//!
//! with A_T of the dynamics and K, K*, K** the covariance of the functions that training starts from. At infinite time
//! it is what the initial function of a random seed leaves behind; it never vanishes. Then A = Theta* (Theta + lambda I)^-1 takes no
//! eigenvectors, and one factorization is enough: [`converged_ensemble`].

use super::{Horizon, KernelPredictor};
use crate::error::{Error, Result};
use crate::linalg::{Cholesky, GramMatrix, Matrix};

/// The covariance of the initial functions: the NNGP kernel.
///
/// `T` is what is known at the test inputs: all covariances, or a slice of the variances alone.
#[derive(Debug, Clone, Copy)]
pub struct Prior<'a, T = &'a GramMatrix> {
    /// K, `[N, N]`.
    pub k_train_train: &'a GramMatrix,
    /// K*, `[n_test, N]`.
    pub k_test_train: &'a Matrix,
    /// K**, `[n_test, n_test]`, or its diagonal `[n_test]`.
    pub k_test_test: T,
}

/// The distribution of trained networks over initializations, at the test inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// `[n_test, O]`.
    pub mean: Matrix,
    /// `[n_test, n_test]`, the same for every output.
    pub covariance: GramMatrix,
}

/// Trains every function drawn from `prior` under `dynamics` (the NTK) until `horizon`, in closed form.
///
/// # Shapes
/// `y_train` `[N, O]`; the kernels of `prior` and `dynamics` over the same inputs.
///
/// # Errors
/// [`Error::Shape`].
pub fn ensemble(
    dynamics: KernelPredictor<'_>,
    prior: Prior<'_>,
    horizon: Horizon,
    y_train: &Matrix,
) -> Result<Ensemble> {
    let mean = dynamics.predict(horizon, y_train)?;
    prior.require_shapes(dynamics.k_test_train.shape(), prior.k_test_test.n())?;
    Ok(Ensemble { mean, covariance: prior.covariance_after(&map(dynamics, horizon)) })
}

/// The mean `[n_test, O]` and the variances `[n_test]` of [`ensemble`], without any matrix over the test inputs.
///
/// # Errors
/// As [`ensemble`].
pub fn ensemble_marginals(
    dynamics: KernelPredictor<'_>,
    prior: Prior<'_, &[f64]>,
    horizon: Horizon,
    y_train: &Matrix,
) -> Result<(Matrix, Vec<f64>)> {
    let mean = dynamics.predict(horizon, y_train)?;
    prior.require_shapes(dynamics.k_test_train.shape(), prior.k_test_test.len())?;
    Ok((mean, prior.variances_after(&map(dynamics, horizon))))
}

/// A_T, `[n_test, N]`.
fn map(dynamics: KernelPredictor<'_>, horizon: Horizon) -> Matrix {
    dynamics.flow.apply_inverse(horizon, &dynamics.k_test_train.transpose()).transpose()
}

/// Trains every function drawn from `prior` to the end, under the kernel Theta with a pull of strength `ridge` to where it started.
///
/// The same as [`ensemble`] at [`Horizon::Infinite`], by one Cholesky factorization; a singular Theta needs the ridge.
///
/// # Shapes
/// `k_train_train` `[N, N]` and `k_test_train` `[n_test, N]` of Theta, `y_train` `[N, O]`.
///
/// # Errors
/// [`Error::NotPositiveDefinite`] when Theta is singular to rounding and the ridge does not mend it; [`Error::NotFinite`];
/// [`Error::Shape`].
pub fn converged_ensemble(
    k_train_train: &GramMatrix,
    k_test_train: &Matrix,
    prior: Prior<'_>,
    y_train: &Matrix,
    ridge: f64,
) -> Result<Ensemble> {
    prior.require_shapes(k_test_train.shape(), prior.k_test_test.n())?;
    let a = converged_map(k_train_train, k_test_train, y_train, ridge)?;
    Ok(Ensemble { mean: a.matmul(y_train), covariance: prior.covariance_after(&a) })
}

/// The mean `[n_test, O]` and the variances `[n_test]` of [`converged_ensemble`], without any matrix over the test inputs.
///
/// # Errors
/// As [`converged_ensemble`].
pub fn converged_marginals(
    k_train_train: &GramMatrix,
    k_test_train: &Matrix,
    prior: Prior<'_, &[f64]>,
    y_train: &Matrix,
    ridge: f64,
) -> Result<(Matrix, Vec<f64>)> {
    prior.require_shapes(k_test_train.shape(), prior.k_test_test.len())?;
    let a = converged_map(k_train_train, k_test_train, y_train, ridge)?;
    Ok((a.matmul(y_train), prior.variances_after(&a)))
}

/// A = Theta* (Theta + lambda I)^-1, `[n_test, N]`.
fn converged_map(theta: &GramMatrix, theta_star: &Matrix, y_train: &Matrix, ridge: f64) -> Result<Matrix> {
    let n_train = theta_star.n_cols();
    if theta.n() != n_train {
        return Err(Error::shape("kernel on the training inputs", n_train, theta.n()));
    }
    if y_train.n_rows() != n_train {
        return Err(Error::shape("rows of the training targets", n_train, y_train.n_rows()));
    }
    Ok(Cholesky::of(theta, ridge)?.solve_rows(theta_star))
}

impl<T> Prior<'_, T> {
    /// A K / 2 - K*, `[n_test, N]`: with R for it, what training changes in the covariance is A R^T + R A^T, one product for both terms.
    fn rest(&self, a: &Matrix) -> Matrix {
        let mut rest = a.matmul(self.k_train_train.as_matrix());
        for (value, k) in rest.values_mut().iter_mut().zip(self.k_test_train.values()) {
            *value = 0.5 * *value - k;
        }
        rest
    }

    fn require_shapes(&self, (n_test, n_train): (usize, usize), n_test_test: usize) -> Result<()> {
        let expected = format!("{n_train} training and {n_test} test inputs");
        let (rows, columns) = self.k_test_train.shape();
        if (rows, columns) != (n_test, n_train) {
            return Err(Error::shape("test-train kernel of the prior", expected, format!("{columns} and {rows}")));
        }
        let n = self.k_train_train.n();
        if (n_test_test, n) != (n_test, n_train) {
            return Err(Error::shape("kernels of the prior", expected, format!("{n} and {n_test_test}")));
        }
        Ok(())
    }
}

impl Prior<'_> {
    fn covariance_after(&self, a: &Matrix) -> GramMatrix {
        self.k_test_test.clone().plus_symmetric_product(1.0, a, &self.rest(a))
    }
}

impl Prior<'_, &[f64]> {
    fn variances_after(&self, a: &Matrix) -> Vec<f64> {
        let rest = self.rest(a);
        let changes = a.rows().zip(rest.rows()).map(|(a, rest)| a.iter().zip(rest).map(|(u, v)| u * v).sum::<f64>());
        // Cut off at zero, because rounding leaves the variance at a training input on either side of it.
        self.k_test_test.iter().zip(changes).map(|(k, change)| (k + 2.0 * change).max(0.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Flow, Outputs};
    use crate::regress::posterior;

    const TRAIN: [f64; 6] = [-2.0, -1.1, -0.4, 0.3, 1.2, 2.5];
    const TEST: [f64; 3] = [-1.5, 0.0, 4.0];

    fn nngp(a: f64, b: f64) -> f64 {
        (-(a - b).abs()).exp()
    }

    fn ntk(a: f64, b: f64) -> f64 {
        2.0 * nngp(a, b) + (-0.5 * (a - b).powi(2)).exp()
    }

    fn gram(kernel: fn(f64, f64) -> f64, x: &[f64]) -> GramMatrix {
        GramMatrix::from_lower(x.len(), |i, j| kernel(x[i], x[j]))
    }

    fn cross(kernel: fn(f64, f64) -> f64) -> Matrix {
        Matrix::from_fn(TEST.len(), TRAIN.len(), |i, j| kernel(TEST[i], TRAIN[j]))
    }

    fn targets() -> Matrix {
        Matrix::from_fn(TRAIN.len(), 2, |i, j| (TRAIN[i] + j as f64).sin())
    }

    fn trained_under(dynamics: fn(f64, f64) -> f64, horizon: Horizon) -> Ensemble {
        let flow = Flow::new(&gram(dynamics, &TRAIN), Outputs::Independent(2), 0.0, 1e-14).unwrap();
        let (k, k_star, k_star_star) = (gram(nngp, &TRAIN), cross(nngp), gram(nngp, &TEST));
        let prior = Prior { k_train_train: &k, k_test_train: &k_star, k_test_test: &k_star_star };
        let k_test_train = cross(dynamics);
        ensemble(KernelPredictor { flow: &flow, k_test_train: &k_test_train }, prior, horizon, &targets()).unwrap()
    }

    fn largest(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    #[test]
    fn before_training_the_ensemble_is_the_prior() {
        let ensemble = trained_under(ntk, Horizon::Time(0.0));
        assert_eq!(largest(&ensemble.mean), 0.0);
        assert_eq!(ensemble.covariance, gram(nngp, &TEST));
    }

    #[test]
    fn training_the_last_layer_alone_samples_the_posterior() {
        // Under its own kernel a random function turns into a sample of the exact posterior (Matheron's rule).
        let ensemble = trained_under(nngp, Horizon::Infinite);
        let exact = posterior(&gram(nngp, &TRAIN), &cross(nngp), &gram(nngp, &TEST), &targets(), 0.0).unwrap();
        assert!(largest(&(&ensemble.mean - &exact.mean)) < 1e-13);
        assert!(largest(&(ensemble.covariance.as_matrix() - exact.covariance.as_matrix())) < 1e-13);
    }

    #[test]
    fn training_all_layers_leaves_more_variance_than_the_posterior_has() {
        // The posterior variance is the least that any linear predictor leaves.
        let least = trained_under(nngp, Horizon::Infinite).covariance;
        let left = trained_under(ntk, Horizon::Infinite).covariance;
        for i in 0..TEST.len() {
            assert!(left[(i, i)] > least[(i, i)], "{i}");
        }
    }

    #[test]
    fn the_factorization_and_the_eigenbasis_agree_at_the_end_of_training() {
        let (theta, theta_star) = (gram(ntk, &TRAIN), cross(ntk));
        let (k, k_star, k_star_star) = (gram(nngp, &TRAIN), cross(nngp), gram(nngp, &TEST));
        let prior = Prior { k_train_train: &k, k_test_train: &k_star, k_test_test: &k_star_star };
        let variances: Vec<f64> = (0..TEST.len()).map(|i| k_star_star[(i, i)]).collect();
        let marginal = Prior { k_train_train: &k, k_test_train: &k_star, k_test_test: &variances[..] };
        for ridge in [0.0, 0.3] {
            let flow = Flow::new(&theta, Outputs::Independent(2), ridge, 1e-14).unwrap();
            let dynamics = KernelPredictor { flow: &flow, k_test_train: &theta_star };
            let expected = ensemble(dynamics, prior, Horizon::Infinite, &targets()).unwrap();
            let found = converged_ensemble(&theta, &theta_star, prior, &targets(), ridge).unwrap();
            assert!(largest(&(&found.mean - &expected.mean)) < 1e-13);
            assert!(largest(&(found.covariance.as_matrix() - expected.covariance.as_matrix())) < 1e-13);
            let (mean, variances) = converged_marginals(&theta, &theta_star, marginal, &targets(), ridge).unwrap();
            assert_eq!(mean, found.mean);
            for (i, variance) in variances.iter().enumerate() {
                assert!((variance - found.covariance[(i, i)]).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn variances_alone_are_the_diagonal_at_any_time() {
        let flow = Flow::new(&gram(ntk, &TRAIN), Outputs::Independent(2), 0.1, 1e-14).unwrap();
        let (k, k_star, theta_star) = (gram(nngp, &TRAIN), cross(nngp), cross(ntk));
        let variances = [1.0; TEST.len()];
        let prior = Prior { k_train_train: &k, k_test_train: &k_star, k_test_test: &variances[..] };
        let dynamics = KernelPredictor { flow: &flow, k_test_train: &theta_star };
        for horizon in [Horizon::Time(0.0), Horizon::Time(3.0), Horizon::Infinite] {
            let (mean, found) = ensemble_marginals(dynamics, prior, horizon, &targets()).unwrap();
            let whole = gram(nngp, &TEST);
            let whole = Prior { k_train_train: &k, k_test_train: &k_star, k_test_test: &whole };
            let expected = ensemble(dynamics, whole, horizon, &targets()).unwrap();
            assert_eq!(mean, expected.mean);
            for (i, variance) in found.iter().enumerate() {
                assert!((variance - expected.covariance[(i, i)]).abs() < 1e-14, "{horizon:?}");
            }
        }
    }

    #[test]
    fn a_prior_over_other_inputs_is_refused() {
        let flow = Flow::new(&gram(ntk, &TRAIN), Outputs::Independent(2), 0.0, 1e-14).unwrap();
        let (k_star, small) = (cross(ntk), gram(nngp, &TEST));
        let prior = Prior { k_train_train: &small, k_test_train: &k_star, k_test_test: &small };
        let dynamics = KernelPredictor { flow: &flow, k_test_train: &k_star };
        assert!(ensemble(dynamics, prior, Horizon::Infinite, &targets()).is_err());
        assert!(converged_ensemble(&gram(ntk, &TRAIN), &k_star, prior, &targets(), 0.0).is_err());
    }
}
