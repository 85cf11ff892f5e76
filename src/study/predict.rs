//! Predictions for a user's own inputs, in the units of the data: by a kernel of the study, by a process, or by its networks.

mod kernels;
mod networks;

use std::path::Path;

use super::plan::Plan;
use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};
use crate::regress::Process;
use crate::train::{Loss, Optimizer};

/// What predicts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PredictWith<'a> {
    /// Regression with the analytic NTK, or its training until then, under the plan's loss: a mean alone.
    Ntk(At),
    /// The posterior with the NNGP as the covariance.
    Nngp(Spread),
    /// The posterior with the NTK as the covariance.
    Ntkgp(Spread),
    /// Infinitely wide networks over their random seeds, trained until then.
    DeepEnsemble(At, Spread),
    /// The networks of all seeds, trained now; of the cross-entropy their probabilities.
    Networks,
    /// Networks that a run has saved, of the plan's one architecture.
    Saved(&'a [&'a Path]),
}

/// When training under a kernel is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum At {
    /// After all of it.
    #[default]
    End,
    /// At this time of gradient flow, step size times step.
    Time(f64),
    /// After so many steps of the plan's optimizer and step size; with momentum too.
    Steps(usize),
    /// After the plan's own number of steps.
    Training,
}

/// How much of a process's uncertainty is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// The standard deviations.
    Deviations,
    /// All covariances too.
    Covariances,
}

/// Predictions in the units of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Of the process, over networks, or the kernel's prediction: `[n, d_out]`.
    pub mean: Matrix,
    /// The standard deviation of the function, without the noise of the targets, or over at least two networks: `[n, d_out]`.
    pub deviation: Option<Matrix>,
    /// Where it was asked for.
    pub covariance: Option<Covariance>,
    /// Of training under a kernel.
    pub pace: Option<Pace>,
}

/// The step size of training under a kernel, and the largest one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Whose steps.
    pub optimizer: Optimizer,
    /// Of the steps that were taken; none of continuous time.
    pub learning_rate: Option<f64>,
    /// Steps of this size and above diverge under the kernel; none of Adam, whose steps do not scale with the gradient.
    pub bound: Option<f64>,
}

/// The covariances of the function between inputs; different outputs have none.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    /// `[n, n]`, of scaled targets, the same for every output.
    pub scaled: GramMatrix,
    /// What a scaled target of 1 is in the units of the data, for each output; the covariances of an output are its square times those
    /// above.
    pub units: Vec<f64>,
}

/// Learns the plan's training part and predicts at `inputs` `[n, d_in]`, raw, with the columns of the data source. `before_step` is asked
/// before every step of every network, of which several may train at once.
///
/// # Errors
/// Inputs of another number of columns, a plan of several architectures, a time that the plan does not have, covariances that do not fit
/// into memory, a network that diverged or is of another architecture, or an interruption from `before_step`.
pub fn predict(
    plan: &Plan,
    with: PredictWith<'_>,
    inputs: &Matrix,
    before_step: &(dyn Fn() -> Result<()> + Sync),
) -> Result<Predicted> {
    let x = plan.split.scaling.inputs(inputs)?;
    let predicted = match with {
        PredictWith::Ntk(at) => kernels::mean(plan, at, &x),
        PredictWith::Nngp(spread) => kernels::process(plan, Process::Nngp, (At::End, spread), &x),
        PredictWith::Ntkgp(spread) => kernels::process(plan, Process::Ntkgp, (At::End, spread), &x),
        PredictWith::DeepEnsemble(at, spread) => kernels::process(plan, Process::DeepEnsemble, (at, spread), &x),
        PredictWith::Networks => networks::trained(plan, &x, before_step),
        PredictWith::Saved(files) => networks::saved(plan, files, &x),
    }?;
    match predicted.mean.first_non_finite() {
        None => Ok(predicted),
        Some((row, output, value)) => Err(Error::NotFinite {
            what: "the prediction".to_owned(),
            value,
            place: format!("row {}, output `{}`", row + 1, plan.dataset.target_names[output]),
            remedy: "training diverged: lower the step size".to_owned(),
        }),
    }
}

/// What an output is in the units of the data; of the cross-entropy, probabilities.
fn in_units(plan: &Plan, f: &Matrix) -> Matrix {
    match plan.config.train.loss {
        Loss::Squared | Loss::Huber(_) => plan.split.scaling.targets_back(f),
        Loss::CrossEntropy => softmax(f),
    }
}

/// Probabilities, row by row.
fn softmax(f: &Matrix) -> Matrix {
    let largest = |i: usize| f.row(i).iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = |i: usize| f.row(i).iter().map(|v| (v - largest(i)).exp()).sum::<f64>();
    let rows: Vec<(f64, f64)> = (0..f.n_rows()).map(|i| (largest(i), sum(i))).collect();
    Matrix::from_fn(f.n_rows(), f.n_cols(), |i, k| (f[(i, k)] - rows[i].0).exp() / rows[i].1)
}
