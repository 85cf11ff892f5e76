//! The infinite ensemble of infinitely wide networks, trained for a given time (Lee et al. 2019):
//!
//! mean A_T Y,   covariance K** + A_T K A_T^T - (A_T K*^T + transpose),
//!
//! with A_T of the dynamics and K, K*, K** the covariance of the functions that training starts from. At infinite time
//! it is what the initial function of a random seed leaves behind; it never vanishes.

use super::{Horizon, KernelPredictor};
use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};

/// The covariance of the initial functions: the NNGP kernel.
#[derive(Debug, Clone, Copy)]
pub struct Prior<'a> {
    /// K, `[N, N]`.
    pub k_train_train: &'a GramMatrix,
    /// K*, `[n_test, N]`.
    pub k_test_train: &'a Matrix,
    /// K**, `[n_test, n_test]`.
    pub k_test_test: &'a GramMatrix,
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
    require_shapes(dynamics, prior)?;

    let a_transposed = dynamics.flow.apply_inverse(horizon, &dynamics.k_test_train.transpose());
    let carried = prior.k_train_train.as_matrix().matmul(&a_transposed);
    let quadratic = a_transposed.transpose().matmul(&carried);
    let cross = prior.k_test_train.matmul(&a_transposed);
    // The quadratic form is symmetric but for rounding; averaging its two halves keeps the result so.
    let covariance = GramMatrix::from_lower(prior.k_test_test.n(), |i, j| {
        prior.k_test_test[(i, j)] + 0.5 * (quadratic[(i, j)] + quadratic[(j, i)]) - (cross[(i, j)] + cross[(j, i)])
    });
    Ok(Ensemble { mean, covariance })
}

fn require_shapes(dynamics: KernelPredictor<'_>, prior: Prior<'_>) -> Result<()> {
    let (n_test, n_train) = dynamics.k_test_train.shape();
    let expected = format!("{n_train} training and {n_test} test inputs");
    let (rows, columns) = prior.k_test_train.shape();
    if (rows, columns) != (n_test, n_train) {
        return Err(Error::shape("test-train kernel of the prior", expected, format!("{columns} and {rows}")));
    }
    let (train, test) = (prior.k_train_train.n(), prior.k_test_test.n());
    if (test, train) != (n_test, n_train) {
        return Err(Error::shape("kernels of the prior", expected, format!("{train} and {test}")));
    }
    Ok(())
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
    fn a_prior_over_other_inputs_is_refused() {
        let flow = Flow::new(&gram(ntk, &TRAIN), Outputs::Independent(2), 0.0, 1e-14).unwrap();
        let (k_star, small) = (cross(ntk), gram(nngp, &TEST));
        let prior = Prior { k_train_train: &small, k_test_train: &k_star, k_test_test: &small };
        let dynamics = KernelPredictor { flow: &flow, k_test_train: &k_star };
        assert!(ensemble(dynamics, prior, Horizon::Infinite, &targets()).is_err());
    }
}
