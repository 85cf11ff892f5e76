//! Where a network lies among those of infinite width: its coordinates along the eigenvectors of the covariance that theory gives networks
//! between test inputs. One basis for all networks of a setting and depth, whatever their width, so that they can be compared in it.

use super::equivalence::horizon;
use super::limit::Limit;
use super::plan::Plan;
use crate::dynamics::{KernelPredictor, Prior, ensemble};
use crate::error::Result;
use crate::kernel::{Kernel, KernelKind, Kernels};
use crate::linalg::{Matrix, Spectrum};
use crate::net::InitialFunction;
use crate::record::Direction;
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
        let (eigenvalues, n_outputs) = (self.covariance.eigenvalues(), self.mean.n_cols());
        let direction = |i: usize| {
            let (r, output) = (i / n_outputs, i % n_outputs);
            // Rounding can leave a little below zero.
            let variance = eigenvalues[r].max(0.0) / (unit * unit);
            Direction { output, variance, network: coordinates.as_ref().map(|found| found[(r, output)] / unit) }
        };
        (0..eigenvalues.len() * n_outputs).map(direction).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dynamics::ensemble_marginals;
    use crate::study::Config;

    fn plan(analysis: &str, initial: &str) -> Plan {
        let config: Config = toml::from_str(&format!(
            "study = {{ analysis = '{analysis}' }}
             data = {{ source = {{ vendored = 'concrete' }}, n_train = 12, n_test = 9 }}
             arch = {{ depth = [1], width = [8], activation = 'relu', w_std = 1.5, b_std = 0.1 }}
             train = {{ n_steps = 20, initial_function = '{initial}' }}"
        ))
        .unwrap();
        Plan::new(config, Path::new(".")).unwrap()
    }

    fn directions(plan: &Plan) -> (Limit, Kernels<Matrix>, Option<Directions>) {
        let limit = Limit::of_one(plan).unwrap();
        let (x_train, _, x_test, _) = plan.parts();
        let cross = limit.kernel.cross_grams(x_test, x_train).unwrap();
        let directions = Directions::of(plan, &limit, &cross).unwrap();
        (limit, cross, directions)
    }

    #[test]
    fn a_network_off_theory_along_an_eigenvector_has_that_coordinate_alone() {
        let (.., directions) = directions(&plan("ensembles", "plain"));
        let directions = directions.unwrap();
        let along = Matrix::from_fn(9, 1, |i, _| 3.0 * directions.covariance.eigenvectors()[(i, 2)]);
        let found = directions.of_network(Some(&(&directions.mean + &along)), 2.0);
        for (r, direction) in found.iter().enumerate() {
            let expected = if r == 2 { 1.5 } else { 0.0 };
            assert!((direction.network.unwrap() - expected).abs() < 1e-12, "{r}: {direction:?}");
        }
        assert!(directions.of_network(None, 2.0).iter().all(|direction| direction.network.is_none()));
    }

    #[test]
    fn the_variances_along_all_directions_are_those_at_all_inputs() {
        let plan = plan("ensembles", "plain");
        let (limit, cross, directions) = directions(&plan);
        let (_, y_train, x_test, _) = plan.parts();
        let recipe = limit.recipe(&plan, &limit.flow, 0);
        let diagonal = limit.kernel.diagonals(x_test).unwrap().nngp;
        let (_, variances) = ensemble_marginals(
            KernelPredictor { flow: &limit.flow, k_test_train: &cross.ntk },
            Prior { k_train_train: &limit.grams.nngp, k_test_train: &cross.nngp, k_test_test: &diagonal[..] },
            horizon(&recipe, recipe.n_steps),
            y_train,
        )
        .unwrap();
        let along: f64 = directions.unwrap().of_network(None, 2.0).iter().map(|direction| direction.variance).sum();
        let at_inputs = variances.iter().sum::<f64>() / 4.0;
        assert!((along / at_inputs - 1.0).abs() < 1e-12, "{along} and {at_inputs}");
    }

    #[test]
    fn what_reads_no_covariance_has_no_directions() {
        assert!(directions(&plan("equivalence", "plain")).2.is_none());
        assert!(directions(&plan("ensembles", "centred")).2.is_none());
    }
}
