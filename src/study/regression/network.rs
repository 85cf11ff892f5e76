//! Trained networks beside the kernels: the same data, the same split, the config's own recipe.
//!
//! A network has no closed form to choose a ridge by. It takes the one that its NTK chooses, as the pull to its initialization that is the
//! ridge's counterpart, so that both are regularized alike; all else is as `[train]` says. The stability bound is that of its infinite-width
//! limit; a network that diverges is trained again with half the step size for the same time.

use std::time::Instant;

use super::config::KernelFamily;
use super::fit::{Choice, Chosen, empty_row, in_units};
use super::plan::{Cell, KernelPlan};
use crate::arch::Architecture;
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::net::{Compute, Predictor};
use crate::record::{KernelPoint, KernelRow, Outcome};
use crate::regress::{Ridge, mean_squared_error};
use crate::study::config::Config;
use crate::study::limit::Limit;
use crate::study::plan::{Plan, PointPlan};
use crate::train::{self, Monitor, train};

/// How often a step size is halved before a network is given up.
const MAX_HALVINGS: usize = 6;

/// Trains the networks of all seeds; errors are means over them, predictions those of their mean.
pub(super) fn networks(
    cell: &Cell,
    kernel: &KernelPlan,
    architecture: &Architecture,
    watch: &(dyn Fn(&str) -> Result<()> + Sync),
) -> Result<KernelPoint> {
    let begun = Instant::now();
    let (plan, choice) = plan(cell, architecture)?;
    let limit = Limit::of(&plan, architecture)?;
    let compute = Compute::open(plan.backend, plan.config.compute.dtype)?;
    let trained = |point: &PointPlan| {
        watch(&format!("training, seed {}", point.seed))?;
        until_stable(&plan, &limit, point, &compute, watch)
    };
    let networks: Vec<Trained> = plan.points.iter().map(trained).collect::<Result<_>>()?;
    let n = networks.len() as f64;
    let (y_test, unit) = (&plan.split.y_test, plan.target_deviation());
    let mean = |value: &dyn Fn(&Trained) -> f64| networks.iter().map(value).sum::<f64>() / n;
    let accuracies: Option<Vec<f64>> = networks.iter().map(|network| plan.accuracy(&network.f_test)).collect();
    let n_halved = networks.iter().filter(|network| network.is_halved).count();
    let row = KernelRow {
        criterion: format!("{}, of its NTK", cell.config.regress.select),
        edge: choice.edge(),
        relative_ridge: limit.relative_ridge(),
        ridge: limit.ridge,
        // The loss is half of it.
        mse_train: mean(&|network| 2.0 * network.loss_train) / unit.powi(2),
        mse_test: mean(&|network| mean_squared_error(&network.f_test, y_test)) / unit.powi(2),
        accuracy: accuracies.map(|accuracies| accuracies.iter().sum::<f64>() / n),
        solver: match n_halved {
            0 => plan.config.train.recipe(),
            _ => format!("{}, {n_halved} of {n} at half the step size or less", plan.config.train.recipe()),
        },
        ..empty_row(cell, kernel)
    };
    let sum =
        networks.iter().fold(Matrix::zeros(y_test.n_rows(), y_test.n_cols()), |sum, network| &sum + &network.f_test);
    let predictions = in_units(&sum.map(|f| f / n), unit);
    Ok(KernelPoint { row, seconds: begun.elapsed().as_secs_f64(), path: Vec::new(), coverage: Vec::new(), predictions })
}

/// The cell as a study of networks, of this one architecture, with the ridge that its NTK chooses.
fn plan(cell: &Cell, architecture: &Architecture) -> Result<(Plan, Choice)> {
    let mut config = Config::of_regression(&cell.config)?;
    let kernel = KernelPlan { id: String::new(), family: KernelFamily::Ntk, architecture: Some(architecture.clone()) };
    let parts = (&cell.split.x_train, &cell.split.y_train);
    let choice = Chosen::of(&kernel, &cell.config.regress, cell.config.seeds.root, parts)?.choice;
    config.train.ridge = Ridge::RelativeToTrace(choice.relative_ridge);
    let points = (0..config.seeds.n_seeds as u64)
        .map(|seed| PointPlan { id: String::new(), architecture: architecture.clone(), seed })
        .collect();
    Ok((Plan::of_parts(config, cell.dataset.clone(), cell.split.clone(), points)?, choice))
}

/// A network after training.
struct Trained {
    f_test: Matrix,
    loss_train: f64,
    is_halved: bool,
}

fn until_stable(
    plan: &Plan,
    limit: &Limit,
    point: &PointPlan,
    compute: &Compute,
    watch: &(dyn Fn(&str) -> Result<()> + Sync),
) -> Result<Trained> {
    let settings = &plan.config.train;
    let mut recipe = train::Plan { n_checkpoints: 2, ..limit.recipe(plan, &limit.flow, point.seed) };
    for n_halvings in 0..=MAX_HALVINGS {
        let seed = (plan.config.seeds.root, point.seed);
        let predictor = Predictor::of_seed(&point.architecture, settings.initial_function, seed, compute)?;
        let problem = plan.problem(&plan.split.y_train, &plan.split.x_test);
        let (_, trajectory) = train(predictor, problem, &recipe, compute, &mut Interruptible { watch })?;
        let last = trajectory.checkpoints.last().filter(|_| trajectory.outcome == Outcome::Completed);
        if let Some(last) = last.filter(|last| last.f_test.first_non_finite().is_none()) {
            return Ok(Trained { f_test: last.f_test.clone(), loss_train: last.loss, is_halved: n_halvings > 0 });
        }
        recipe = train::Plan { learning_rate: 0.5 * recipe.learning_rate, n_steps: 2 * recipe.n_steps, ..recipe };
    }
    Err(Error::config(
        "train.step",
        format!(
            "the network `{}`, seed {}, diverged on {} at step size {} still",
            point.architecture.describe(),
            point.seed,
            plan.dataset.name,
            2.0 * recipe.learning_rate
        ),
        "lower the step size",
    ))
}

struct Interruptible<'a> {
    watch: &'a (dyn Fn(&str) -> Result<()> + Sync),
}

/// Steps between two looks at whether to stop.
const LOOK_EVERY: usize = 50;

impl Monitor for Interruptible<'_> {
    fn before_step(&mut self, step: usize) -> Result<()> {
        if step.is_multiple_of(LOOK_EVERY) { (self.watch)(&format!("training, step {step}")) } else { Ok(()) }
    }
}
