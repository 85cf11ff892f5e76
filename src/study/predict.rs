//! Predictions for a user's own inputs: a kernel of the study, or its trained networks.

use serde::Serialize;

use super::limit::{Limit, Start};
use super::plan::Plan;
use crate::dynamics::Horizon;
use crate::error::{Error, Result};
use crate::kernel::KernelKind;
use crate::linalg::Matrix;
use crate::net::Compute;
use crate::record::Outcome;
use crate::regress::regression;
use crate::train::{self, Loss, Monitor, Stop, train};

/// What predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredictWith {
    /// Regression with the analytic NTK.
    Ntk,
    /// The NNGP posterior mean.
    Nngp,
    /// The trained networks of all seeds; of the cross-entropy their probabilities.
    Network,
}

/// Predictions in the units of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// The mean over seeds, or the kernel's prediction: `[n, d_out]`.
    pub mean: Matrix,
    /// The standard deviation over seeds, where at least two networks predict: `[n, d_out]`.
    pub deviation: Option<Matrix>,
}

/// Learns the plan's training part and predicts at `inputs` `[n, d_in]`, raw, with the columns of the data source.
///
/// # Errors
/// Inputs of another number of columns, a plan of several architectures, a network that diverged, or an interruption from
/// `before_step`.
pub fn predict(
    plan: &Plan,
    with: PredictWith,
    inputs: &Matrix,
    before_step: &mut dyn FnMut() -> Result<()>,
) -> Result<Predicted> {
    let x = plan.split.scaling.inputs(inputs)?;
    match with {
        PredictWith::Ntk => from_kernel(plan, KernelKind::Ntk, &x),
        PredictWith::Nngp => from_kernel(plan, KernelKind::Nngp, &x),
        PredictWith::Network => from_networks(plan, &x, before_step),
    }
}

fn limit(plan: &Plan) -> Result<Limit> {
    let (x_train, y_train, ..) = plan.parts();
    Limit::of(plan, &plan.config.arch.architecture(x_train.n_cols(), y_train.n_cols())?)
}

fn from_kernel(plan: &Plan, kind: KernelKind, x: &Matrix) -> Result<Predicted> {
    let (x_train, y_train, ..) = plan.parts();
    let limit = limit(plan)?;
    let cross = limit.kernel.cross_grams(x, x_train)?;
    let prediction = match kind {
        KernelKind::Nngp => regression(&limit.grams.nngp, &cross.nngp, y_train, limit.relative_ridge())?,
        KernelKind::Ntk => limit.flow.predict(&cross.ntk, Horizon::Infinite, y_train)?,
    };
    Ok(Predicted { mean: plan.split.scaling.targets_back(&prediction), deviation: None })
}

fn from_networks(plan: &Plan, x: &Matrix, before_step: &mut dyn FnMut() -> Result<()>) -> Result<Predicted> {
    let limit = limit(plan)?;
    let y_train = plan.training_targets();
    let compute = Compute::open(plan.backend, plan.config.compute.dtype)?;
    let mut monitor = Interruptible { before_step };
    let mut functions = Vec::new();
    for point in &plan.points {
        let Start { predictor, recipe, .. } = Start::of(plan, point, &limit, &compute)?;
        let learning_rate = recipe.learning_rate;
        // Rules that look at checkpoints need them.
        let n_checkpoints = if matches!(recipe.stop, Stop::ResidualChange(_)) { recipe.n_checkpoints } else { 2 };
        let recipe = train::Plan { n_checkpoints, ..recipe };
        let problem = plan.problem(&y_train, x);
        let (_, trajectory) = train(predictor, problem, &recipe, &compute, &mut monitor)?;
        match trajectory.checkpoints.last() {
            Some(last) if trajectory.outcome == Outcome::Completed => functions.push(match recipe.loss {
                Loss::Squared => plan.split.scaling.targets_back(&last.f_test),
                Loss::CrossEntropy => softmax(&last.f_test),
            }),
            _ => {
                return Err(Error::config(
                    "train.step",
                    format!("the network of seed {} diverged at step size {learning_rate}", point.seed),
                    "lower the step size",
                ));
            }
        }
    }
    let n = functions.len() as f64;
    let (n_rows, n_cols) = (x.n_rows(), y_train.n_cols());
    let mean = Matrix::from_fn(n_rows, n_cols, |i, j| functions.iter().map(|f| f[(i, j)]).sum::<f64>() / n);
    if functions.len() < 2 {
        return Ok(Predicted { mean, deviation: None });
    }
    let deviation = Matrix::from_fn(n_rows, n_cols, |i, j| {
        let squares: f64 = functions.iter().map(|f| (f[(i, j)] - mean[(i, j)]).powi(2)).sum();
        (squares / (n - 1.0)).sqrt()
    });
    Ok(Predicted { mean, deviation: Some(deviation) })
}

/// Probabilities, row by row.
fn softmax(f: &Matrix) -> Matrix {
    let largest = |i: usize| f.row(i).iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = |i: usize| f.row(i).iter().map(|v| (v - largest(i)).exp()).sum::<f64>();
    let rows: Vec<(f64, f64)> = (0..f.n_rows()).map(|i| (largest(i), sum(i))).collect();
    Matrix::from_fn(f.n_rows(), f.n_cols(), |i, k| (f[(i, k)] - rows[i].0).exp() / rows[i].1)
}

struct Interruptible<'a> {
    before_step: &'a mut dyn FnMut() -> Result<()>,
}

impl Monitor for Interruptible<'_> {
    fn before_step(&mut self, _: usize) -> Result<()> {
        (self.before_step)()
    }
}
