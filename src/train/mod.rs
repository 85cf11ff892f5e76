//! Training: a model, a [`Problem`], a [`Plan`]; out comes a [`Trajectory`].
//!
//! The theorem's recipe, full-batch gradient descent on
//!
//! ```text
//! loss(theta) = (1 / (2 N O)) sum_i ||f(x_i; theta) - y_i||^2 + (ridge / (2 N O)) ||theta - theta_0||^2,
//! ```
//!
//! is the default: half the mean over all entries, so that time = learning rate x step is the same unit for network and kernel, and a
//! penalty that pulls to the initialization, not to zero: the network's counterpart of kernel regression with the same ridge. Other
//! [`Optimizer`]s, [`Batches`], [`Schedule`]s, [`Loss`]es and rules to [`Stop`] are there to see what they change.
//!
//! Anything that is a [`Model`] can be trained, a Burn module of one's own too. Networks built from [`arch`](crate::arch) find their
//! gradients without Burn's autodiff, which lets many of them train side by side ([`side_by_side`]).
//!
//! A run that diverges ends with [`Outcome::Diverged`]: a result, not an error.

mod batches;
mod loss;
mod optimizer;
mod plan;
mod saved;
mod schedule;
mod side_by_side;
mod stop;
mod times;
mod training;

pub use self::batches::Batches;
pub use self::loss::Loss;
pub use self::optimizer::Optimizer;
pub use self::plan::Plan;
pub use self::schedule::Schedule;
pub use self::side_by_side::{n_side_by_side, side_by_side};
pub use self::stop::Stop;
pub use self::times::log_spaced_steps;
pub use self::training::Training;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::net::{Compute, Model, Predictor};
use crate::record::Outcome;

/// What to fit, and where to watch the function.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Training inputs `[n_train, d_in]`.
    pub x_train: &'a Matrix,
    /// Training targets `[n_train, d_out]`.
    pub y_train: &'a Matrix,
    /// Test inputs `[n_test, d_in]`.
    pub x_test: &'a Matrix,
    /// Inputs and targets that [`Stop::Validation`] looks at.
    pub validation: Option<(&'a Matrix, &'a Matrix)>,
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
    /// The loss on the training rows, without penalties.
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
    /// Steps that led to the network that is returned.
    pub n_steps: usize,
    /// Whether the rule to stop was met before the steps ran out; always, where the rule is the time.
    pub is_reached: bool,
}

/// Someone who watches a run; returning an error ends it.
pub trait Monitor<M = Predictor> {
    /// Called before every step.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted) to stop.
    fn before_step(&mut self, _step: usize) -> Result<()> {
        Ok(())
    }

    /// Called at every checkpoint, the first before any step; an early stop may return to a step before the last, whose checkpoint then
    /// replaces the later ones.
    ///
    /// # Errors
    /// Whatever went wrong while looking.
    fn at_checkpoint(&mut self, _checkpoint: &Checkpoint, _model: &M) -> Result<()> {
        Ok(())
    }

    /// What has been seen, for a run that is to be resumed.
    ///
    /// # Errors
    /// When it cannot be written down.
    fn notes(&self) -> Result<String> {
        Ok(String::new())
    }

    /// Goes on from [`Monitor::notes`].
    ///
    /// # Errors
    /// When they cannot be read.
    fn resume(&mut self, _notes: &str) -> Result<()> {
        Ok(())
    }
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl<M> Monitor<M> for Unwatched {}

/// Trains `model`, and returns it with what was seen.
///
/// # Errors
/// As [`Training::new`] and [`Training::run`].
pub fn train<M: Model>(
    model: M,
    problem: Problem<'_>,
    plan: &Plan,
    compute: &Compute,
    monitor: &mut dyn Monitor<M>,
) -> Result<(M, Trajectory)> {
    Training::new(model, problem, plan, compute)?.run(monitor)
}
