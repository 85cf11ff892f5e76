//! The Gaussian processes that infinitely wide networks predict with (He, Lakshminarayanan, Teh 2020), for K the NNGP and Theta the NTK:
//!
//! ```text
//! NNGP           mean K* (K + lambda I)^-1 Y            covariance K** - K* (K + lambda I)^-1 K*^T
//! deep ensemble  mean A Y                               covariance K** + A K A^T - (A K*^T + transpose)
//! NTKGP          mean A Y                               covariance Theta** - A Theta*^T,      A = Theta* (Theta + lambda I)^-1
//! ```
//!
//! The first is the exact Bayesian posterior, as by training the last layer alone. The second is what trained networks are distributed by,
//! and no posterior: of a prior that training does not follow. The third is the posterior whose mean training finds: that of networks
//! that start with a random function more, of covariance Theta - K. Without a ridge the covariances are in this order, each below the next.

use serde::{Deserialize, Serialize};

use super::posterior::{Marginals, Posterior, ensure_covariance_fits, posterior, posterior_marginals};
use super::problem::require_targets;
use crate::dynamics::{Ensemble, Prior, converged_ensemble, converged_marginals};
use crate::error::Result;
use crate::kernel::Kernels;
use crate::linalg::Matrix;

/// Which process of an architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Process {
    /// The posterior of the untrained network's output.
    Nngp,
    /// Trained networks over their random seeds.
    DeepEnsemble,
    /// The posterior with the NTK as the covariance.
    Ntkgp,
}

impl Process {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Nngp, Self::DeepEnsemble, Self::Ntkgp];

    /// Mean and covariance at the test inputs. `ridge` is the variance of the observation noise, and of deep ensembles the strength of the
    /// pull to the initialization, which leads to the same mean as the NTKGP's.
    ///
    /// # Shapes
    /// `y_train` `[N, O]`; both kernels over the same inputs.
    ///
    /// # Errors
    /// As [`posterior`].
    pub fn predict(self, kernels: Kernels<Prior<'_>>, y_train: &Matrix, ridge: f64) -> Result<Posterior> {
        let Kernels { nngp, ntk } = kernels;
        let of = |k: Prior<'_>| posterior(k.k_train_train, k.k_test_train, k.k_test_test, y_train, ridge);
        match self {
            Self::Nngp => of(nngp),
            Self::Ntkgp => of(ntk),
            Self::DeepEnsemble => {
                require_targets(ntk.k_train_train, y_train)?;
                ensure_covariance_fits(ntk.k_train_train.n(), nngp.k_test_test.n())?;
                let Ensemble { mean, covariance } =
                    converged_ensemble(ntk.k_train_train, ntk.k_test_train, nngp, y_train, ridge)?;
                Ok(Posterior { mean, covariance })
            }
        }
    }

    /// As [`Process::predict`], with the variances alone: the kernels of the test inputs with themselves are their diagonals `[n_test]`.
    ///
    /// # Errors
    /// As [`posterior_marginals`].
    pub fn marginals(self, kernels: Kernels<Prior<'_, &[f64]>>, y_train: &Matrix, ridge: f64) -> Result<Marginals> {
        let Kernels { nngp, ntk } = kernels;
        let of =
            |k: Prior<'_, &[f64]>| posterior_marginals(k.k_train_train, k.k_test_train, k.k_test_test, y_train, ridge);
        match self {
            Self::Nngp => of(nngp),
            Self::Ntkgp => of(ntk),
            Self::DeepEnsemble => {
                require_targets(ntk.k_train_train, y_train)?;
                let (mean, variance) = converged_marginals(ntk.k_train_train, ntk.k_test_train, nngp, y_train, ridge)?;
                Ok(Marginals { mean, variance })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{Activation, Mlp, Parametrization};
    use crate::kernel::analytic::AnalyticKernel;
    use crate::linalg::{Cholesky, GramMatrix, Spectrum};
    use crate::seed::{standard_normals, stream};

    const N: usize = 12;
    const N_TEST: usize = 5;

    struct Blocks {
        train: Kernels<GramMatrix>,
        cross: Kernels<Matrix>,
        test: Kernels<GramMatrix>,
        diagonals: Kernels<Vec<f64>>,
    }

    impl Blocks {
        fn new() -> Self {
            let parametrization = Parametrization::Ntk;
            let mlp = Mlp { depth: 2, width: 1, activation: Activation::Erf, w_std: 1.3, b_std: 0.2, parametrization };
            let kernel = AnalyticKernel::new(mlp.architecture(3, 1).unwrap());
            let draw = |n: usize, name| Matrix::from_vec(n, 3, standard_normals(&mut stream(2, name), 3 * n)).unwrap();
            let (x, x_test) = (draw(N, "train"), draw(N_TEST, "test"));
            Self {
                train: kernel.grams(&x).unwrap(),
                cross: kernel.cross_grams(&x_test, &x).unwrap(),
                test: kernel.grams(&x_test).unwrap(),
                diagonals: kernel.diagonals(&x_test).unwrap(),
            }
        }

        fn whole(&self) -> Kernels<Prior<'_>> {
            self.with(&self.test.nngp, &self.test.ntk)
        }

        fn marginal(&self) -> Kernels<Prior<'_, &[f64]>> {
            self.with(&self.diagonals.nngp, &self.diagonals.ntk)
        }

        fn with<T>(&self, nngp: T, ntk: T) -> Kernels<Prior<'_, T>> {
            let Self { train, cross, .. } = self;
            Kernels {
                nngp: Prior { k_train_train: &train.nngp, k_test_train: &cross.nngp, k_test_test: nngp },
                ntk: Prior { k_train_train: &train.ntk, k_test_train: &cross.ntk, k_test_test: ntk },
            }
        }
    }

    fn targets() -> Matrix {
        Matrix::from_fn(N, 2, |i, j| (i as f64 + 3.0 * j as f64).sin())
    }

    fn covariance(process: Process, ridge: f64) -> Matrix {
        process.predict(Blocks::new().whole(), &targets(), ridge).unwrap().covariance.into_matrix()
    }

    /// The smallest eigenvalue.
    fn least(matrix: Matrix) -> f64 {
        let spectrum = Spectrum::of(&GramMatrix::from_symmetric(matrix, 1e-12).unwrap()).unwrap();
        spectrum.eigenvalues().iter().fold(f64::INFINITY, |least, s| least.min(*s))
    }

    #[test]
    fn without_a_ridge_the_covariances_are_ordered() {
        // He et al. 2020: the posterior leaves the least of all linear predictors, and Theta - K is positive semidefinite.
        let [nngp, ensemble, ntkgp] = Process::ALL.map(|process| covariance(process, 0.0));
        assert!(least(&ensemble - &nngp) > 0.0 && least(&ntkgp - &ensemble) > 0.0);
    }

    #[test]
    fn a_deep_ensemble_and_the_ntkgp_have_one_mean() {
        let blocks = Blocks::new();
        for ridge in [0.0, 0.2] {
            let [nngp, ensemble, ntkgp] =
                Process::ALL.map(|process| process.predict(blocks.whole(), &targets(), ridge).unwrap().mean);
            assert!((&ensemble - &ntkgp).rms() < 1e-11);
            assert!((&nngp - &ntkgp).rms() > 1e-3);
        }
    }

    #[test]
    fn an_ensemble_of_draws_from_the_ntk_trained_on_noisy_targets_samples_the_ntkgp() {
        // Matheron's rule: the posterior is the ensemble that starts from its own prior, with noise on every member's targets, which
        // adds lambda A A^T.
        let blocks = Blocks::new();
        let (ridge, ntk) = (0.2, blocks.whole().ntk);
        let start = Process::DeepEnsemble.predict(Kernels { nngp: ntk, ntk }, &targets(), ridge).unwrap().covariance;
        let a = Cholesky::of(ntk.k_train_train, ridge).unwrap().solve_rows(ntk.k_test_train);
        let noisy = start.plus_square(ridge, &a).into_matrix();
        assert!((&noisy - &covariance(Process::Ntkgp, ridge)).rms() < 1e-12);
    }

    #[test]
    fn variances_alone_are_the_diagonals() {
        let blocks = Blocks::new();
        for process in Process::ALL {
            let whole = process.predict(blocks.whole(), &targets(), 0.1).unwrap().marginals();
            let alone = process.marginals(blocks.marginal(), &targets(), 0.1).unwrap();
            assert_eq!(alone.mean, whole.mean);
            assert!(alone.variance.iter().zip(&whole.variance).all(|(a, b)| (a - b).abs() < 1e-13), "{process:?}");
        }
    }

    #[test]
    fn a_process_is_written_in_small_letters() {
        assert_eq!(serde_json::to_string(&Process::DeepEnsemble).unwrap(), "\"deep-ensemble\"");
    }
}
