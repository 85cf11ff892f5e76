//! The finite side: networks that are trained now, or were saved.

use std::path::Path;

use super::{Predicted, in_units};
use crate::error::{Error, Result};
use crate::linalg::{Matrix, available_memory};
use crate::net::{self, Compute, Model, Predictor, ensure_parameters_fit, to_matrix};
use crate::record::Outcome;
use crate::study::limit::{Limit, Start};
use crate::study::plan::{Plan, PointPlan};
use crate::study::run::n_at_once;
use crate::train::{self, Monitor, Stop, side_by_side, train};

/// The networks of all seeds, trained now: small ones side by side, with the same numbers as one after the other.
pub(super) fn trained(plan: &Plan, x: &Matrix, before_step: &(dyn Fn() -> Result<()> + Sync)) -> Result<Predicted> {
    // Before the kernel of the limit is computed. With the parameters come their gradients, next and initial values.
    let fits = |point: &PointPlan| ensure_parameters_fit(&point.architecture, 4, plan.config.compute.dtype);
    plan.points.first().map_or(Ok(()), fits)?;
    let limit = Limit::of_one(plan)?;
    let y_train = plan.training_targets();
    let compute = Compute::open(plan.backend, plan.config.compute.dtype)?;
    let of_point = |point: &PointPlan| -> Result<Matrix> {
        let Start { predictor, recipe, .. } = Start::of(plan, point, &limit, &compute)?;
        let learning_rate = recipe.learning_rate;
        // Rules that look at checkpoints need them.
        let n_checkpoints = if matches!(recipe.stop, Stop::ResidualChange(_)) { recipe.n_checkpoints } else { 2 };
        let recipe = train::Plan { n_checkpoints, ..recipe };
        let mut monitor = Interruptible { before_step };
        // Nobody looks at the user's inputs before the end.
        let problem = plan.problem(&y_train, plan.parts().0);
        let (network, trajectory) = train(predictor, problem, &recipe, &compute, &mut monitor)?;
        if trajectory.outcome == Outcome::Completed {
            return Ok(in_units(plan, &function(&network, x, &compute)?));
        }
        Err(Error::config(
            "train.step",
            format!("the network of seed {} diverged at step size {learning_rate}", point.seed),
            "lower the step size",
        ))
    };
    let n_at_once = n_at_once(plan, limit.kernel.architecture(), available_memory());
    Ok(over_networks(&side_by_side(plan.points.len(), n_at_once, |number| of_point(&plan.points[number]))?))
}

/// The networks in `files`.
pub(super) fn saved(plan: &Plan, files: &[&Path], x: &Matrix) -> Result<Predicted> {
    let (x_train, y_train, ..) = plan.parts();
    let architecture = plan.config.arch.architecture(x_train.n_cols(), y_train.n_cols())?;
    let compute = Compute::open(plan.backend, plan.config.compute.dtype)?;
    let of_file = |path: &&Path| -> Result<Matrix> {
        let initial = plan.config.train.initial_function;
        let network = Predictor::of_seed(&architecture, initial, (plan.config.seeds.root, 0), &compute)?;
        let f = function(&net::load(network, path)?, x, &compute)?;
        match f.first_non_finite() {
            None => Ok(in_units(plan, &f)),
            Some((row, _, value)) => Err(Error::input(
                path.display().to_string(),
                format!("this network predicts {value} at row {}", row + 1),
                "it diverged in training: leave it out",
            )),
        }
    };
    Ok(over_networks(&files.iter().map(of_file).collect::<Result<Vec<_>>>()?))
}

/// Rows that pass through a network at once: enough for its products, and few enough for many networks side by side.
const ROWS: usize = 4096;

/// f at `x`.
fn function(network: &Predictor, x: &Matrix, compute: &Compute) -> Result<Matrix> {
    let d_out = network.architecture().d_out();
    let mut values = Vec::with_capacity(x.n_rows() * d_out);
    for first in (0..x.n_rows()).step_by(ROWS) {
        let rows: Vec<usize> = (first..x.n_rows().min(first + ROWS)).collect();
        values.extend_from_slice(to_matrix(network.forward(compute.tensor(&x.select_rows(&rows))))?.values());
    }
    Matrix::from_vec(x.n_rows(), d_out, values)
}

/// Mean and standard deviation.
fn over_networks(functions: &[Matrix]) -> Predicted {
    let n = functions.len() as f64;
    let (n_rows, n_cols) = functions.first().map_or((0, 0), Matrix::shape);
    let mean = Matrix::from_fn(n_rows, n_cols, |i, j| functions.iter().map(|f| f[(i, j)]).sum::<f64>() / n);
    let deviation = (functions.len() > 1).then(|| {
        Matrix::from_fn(n_rows, n_cols, |i, j| {
            let squares: f64 = functions.iter().map(|f| (f[(i, j)] - mean[(i, j)]).powi(2)).sum();
            (squares / (n - 1.0)).sqrt()
        })
    });
    Predicted { mean, deviation, covariance: None, pace: None }
}

struct Interruptible<'a> {
    before_step: &'a (dyn Fn() -> Result<()> + Sync),
}

impl Monitor for Interruptible<'_> {
    fn before_step(&mut self, _: usize) -> Result<()> {
        (self.before_step)()
    }
}
