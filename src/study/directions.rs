//! Where a network lies among those of infinite width: its coordinates along the eigenvectors of the covariance that theory gives networks
//! between test inputs. One basis for all networks of a setting and depth, whatever their width, so that they can be compared in it.

use super::limit::Limit;
use super::plan::Plan;
use crate::dynamics::{KernelPredictor, Prior, ensemble};
use crate::error::Result;
use crate::kernel::{Kernel, KernelKind, Kernels};
use crate::linalg::{Matrix, Spectrum};
use crate::net::InitialFunction;
use crate::record::Direction;
use crate::study::equivalence::horizon;
use crate::train::Stop;

/// The infinite ensemble at the test inputs, after the steps that the analytic NTK takes until the study's time.
#[derive(Debug)]
pub(super) struct Directions {
    /// A_T^ntk Y, `[n_test, O]`.
    mean: Matrix,
    covariance: Spectrum,
}

impl Directions {
    /// None where the analysis does not read them, where networks start at zero and have no spread, where each has a time of its own, and
    /// past the stability bound of the kernel.
    pub(super) fn of(plan: &Plan, limit: &Limit, cross: &Kernels<Matrix>) -> Result<Option<Self>> {
        let settings = &plan.config.train;
        let is_read = plan.config.study.analysis.is_some_and(|analysis| analysis.reads_covariance());
        if !is_read || settings.initial_function != InitialFunction::Plain || settings.stop != Stop::AtTime {
            return Ok(None);
        }
        let (_, y_train, x_test, _) = plan.parts();
        let recipe = limit.recipe(plan, &limit.flow, 0);
        let k_test_test = limit.kernel.of_kind(KernelKind::Nngp).gram(x_test)?;
        let dynamics = KernelPredictor { flow: &limit.flow, k_test_train: &cross.ntk };
        let prior = Prior { k_train_train: &limit.grams.nngp, k_test_train: &cross.nngp, k_test_test: &k_test_test };
        let infinite = ensemble(dynamics, prior, horizon(&recipe, recipe.n_steps), y_train)?;
        if infinite.covariance.as_matrix().first_non_finite().is_some() {
            return Ok(None);
        }
        Ok(Some(Self { mean: infinite.mean, covariance: Spectrum::of(&infinite.covariance)? }))
    }

    /// Of a network that predicts `f_test` `[n_test, O]`, in units of `unit`; of one that diverged, theory's variances alone.
    pub(super) fn of_network(&self, f_test: Option<&Matrix>, unit: f64) -> Vec<Direction> {
        let coordinates = f_test.map(|f_test| self.covariance.project(&(f_test - &self.mean)));
        let eigenvalues = self.covariance.eigenvalues().iter().enumerate();
        let of_eigenvector = |(r, eigenvalue): (usize, &f64)| {
            // Rounding can leave a little below zero.
            let variance = eigenvalue.max(0.0) / (unit * unit);
            let network = |output| coordinates.as_ref().map(|coordinates| coordinates[(r, output)] / unit);
            (0..self.mean.n_cols())
                .map(|output| Direction { output, variance, network: network(output) })
                .collect::<Vec<_>>()
        };
        eigenvalues.flat_map(of_eigenvector).collect()
    }
}
