//! Training: full-batch gradient descent, the optimizer of the theorem, on
//!
//! ```text
//! loss(theta) = (1 / (2 N O)) sum_i ||f(x_i; theta) - y_i||^2 + (ridge / (2 N O)) ||theta - theta_0||^2
//! ```
//!
//! half the mean over all entries, so that time = learning_rate x step is the same unit for network and kernel. The penalty pulls to
//! the initialization, not to zero: it is the network's counterpart of kernel regression with the same ridge.
//!
//! A run that diverges ends with [`Outcome::Diverged`]: a result, not an error.

mod descent;
mod schedule;

use burn::module::Module;
use burn::tensor::Tensor;

use self::descent::{Origin, step};
pub use self::schedule::log_spaced_steps;
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::net::{Compute, Predictor, Probed, flatten, relative_distance, to_matrix};
use crate::record::Outcome;

/// How far beyond its start the loss may rise before a run counts as diverged; a stable run never rises at all.
const DIVERGENCE_FACTOR: f64 = 1e6;

/// What to fit, and where to watch the function.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Training inputs `[n_train, d_in]`.
    pub x_train: &'a Matrix,
    /// Training targets `[n_train, d_out]`.
    pub y_train: &'a Matrix,
    /// Test inputs `[n_test, d_in]`.
    pub x_test: &'a Matrix,
}

/// Gradient descent, fully determined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Step size.
    pub learning_rate: f64,
    /// Number of steps.
    pub n_steps: usize,
    /// How many checkpoints, spaced logarithmically; the start and the end are always among them.
    pub n_checkpoints: usize,
    /// Strength of the pull to the initialization, on the kernel's scale.
    pub ridge: f64,
}

/// The function at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Steps taken.
    pub step: usize,
    /// f on the training inputs, `[n_train, d_out]`.
    pub f_train: Matrix,
    /// f on the test inputs, `[n_test, d_out]`.
    pub f_test: Matrix,
    /// Half the mean squared training residual.
    pub loss: f64,
    /// ||theta - theta_0|| / ||theta_0||.
    pub parameter_distance: f64,
}

/// A training run: what was seen on the way and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// In order of time; a diverged run has those before the divergence.
    pub checkpoints: Vec<Checkpoint>,
    /// How it ended.
    pub outcome: Outcome,
    /// The checkpoint at which divergence was found.
    pub diverged_at: Option<usize>,
}

/// Someone who watches a run; returning an error ends it.
pub trait Monitor {
    /// Called before every step.
    ///
    /// # Errors
    /// [`Error::Interrupted`] to stop.
    fn before_step(&mut self, step: usize) -> Result<()>;

    /// Called at every checkpoint, the first before any step.
    ///
    /// # Errors
    /// Whatever went wrong while looking.
    fn at_checkpoint(&mut self, checkpoint: &Checkpoint, predictor: &Predictor) -> Result<()>;
}

/// Trains `predictor`, and returns it with what was seen.
///
/// # Errors
/// Shapes that do not fit, a device that fails, or the monitor's own.
pub fn train(
    predictor: Predictor,
    problem: Problem<'_>,
    plan: &Plan,
    compute: &Compute,
    monitor: &mut dyn Monitor,
) -> Result<(Predictor, Trajectory)> {
    ensure_shapes(&predictor, problem)?;
    let (x_train, x_test) = (compute.tensor(problem.x_train), compute.tensor(problem.x_test));
    let targets = compute.tensor(problem.y_train);
    let n_entries = problem.y_train.values().len() as f64;
    let origin = (plan.ridge > 0.0).then(|| Origin::of(&predictor, plan.ridge / n_entries));
    let theta_0 = flatten(&predictor)?;
    if theta_0.is_empty() {
        return Err(Error::Module {
            problem: "the network has no trainable parameter".to_owned(),
            remedy: "leave at least one affine map unfrozen",
        });
    }
    let observe = |predictor: &Predictor, step: usize| -> Result<Checkpoint> {
        // Inference on the model without gradients: tracked passes that are never walked back leak memory in Burn.
        let frozen = predictor.valid();
        let f_train = to_matrix(frozen.forward(x_train.clone()))?;
        let f_test = to_matrix(frozen.forward(x_test.clone()))?;
        let loss = 0.5 * (&f_train - problem.y_train).rms().powi(2);
        let parameter_distance = relative_distance(&flatten(predictor)?, &theta_0);
        Ok(Checkpoint { step, f_train, f_test, loss, parameter_distance })
    };

    let mut predictor = predictor;
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    let mut taken = 0;
    for target_step in log_spaced_steps(plan.n_steps, plan.n_checkpoints) {
        while taken < target_step {
            monitor.before_step(taken)?;
            let residual = predictor.forward(x_train.clone()) - targets.clone();
            let gradients = half_mean_square(residual, n_entries).backward();
            predictor = step(predictor, gradients, plan.learning_rate, origin.as_ref());
            taken += 1;
        }
        let checkpoint = observe(&predictor, taken)?;
        let limit = checkpoints.first().map_or(f64::INFINITY, |first| DIVERGENCE_FACTOR * first.loss.max(1.0));
        if !(checkpoint.loss.is_finite() && checkpoint.loss <= limit && checkpoint.f_test.first_non_finite().is_none())
        {
            return Ok((predictor, Trajectory { checkpoints, outcome: Outcome::Diverged, diverged_at: Some(taken) }));
        }
        monitor.at_checkpoint(&checkpoint, &predictor)?;
        checkpoints.push(checkpoint);
    }
    Ok((predictor, Trajectory { checkpoints, outcome: Outcome::Completed, diverged_at: None }))
}

fn half_mean_square(residual: Tensor<2>, n_entries: f64) -> Tensor<1> {
    residual.square().sum() * (0.5 / n_entries)
}

fn ensure_shapes(predictor: &Predictor, problem: Problem<'_>) -> Result<()> {
    let architecture = predictor.architecture();
    for (what, x) in [("training inputs", problem.x_train), ("test inputs", problem.x_test)] {
        if x.n_cols() != architecture.d_in() {
            return Err(Error::shape(
                what,
                format!("{} columns", architecture.d_in()),
                format!("{} columns", x.n_cols()),
            ));
        }
    }
    let expected = (problem.x_train.n_rows(), architecture.d_out());
    if problem.y_train.shape() != expected {
        return Err(Error::shape("targets", format!("{expected:?}"), format!("{:?}", problem.y_train.shape())));
    }
    Ok(())
}
