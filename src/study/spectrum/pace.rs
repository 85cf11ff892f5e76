//! How fast training under a kernel is, and how large its steps may be: by the config's `[train]`, or, where there is none, by gradient
//! descent at half its bound.

use serde::Serialize;

use super::kernel::Subject;
use crate::data::Task;
use crate::dynamics::Rule;
use crate::error::Result;
use crate::kernel::analytic::AnalyticKernel;
use crate::study::config::{StepSize, TrainConfig};
use crate::study::limit::{ensure_stable, function_space, largest_step};
use crate::train::{Loss, Optimizer, Stop};

/// An optimizer, a loss, and the step size below which they converge under the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LargestStep {
    /// The optimizer.
    pub optimizer: &'static str,
    /// beta; 0 of gradient descent.
    pub momentum: f64,
    /// The loss.
    pub loss: &'static str,
    /// Below it.
    pub largest: f64,
    /// The config's step size, of its own optimizer and loss.
    pub step: Option<f64>,
}

/// The momentum that is shown beside gradient descent, where the config names no other.
const USUAL_MOMENTUM: f64 = 0.9;

/// An error is learned when it has shrunk by e.
const SHRUNK: f64 = 0.367_879_441_171_442_33;

/// The pace of training under one kernel.
pub(super) struct Pace<'a> {
    settings: Option<&'a TrainConfig>,
    n_outputs: usize,
    n_entries: f64,
    /// The largest step of gradient descent on the squared loss.
    bound: f64,
    learning_rate: Option<f64>,
    pub(super) cutoff: f64,
    pub(super) ridge: f64,
}

impl<'a> Pace<'a> {
    /// Under a kernel with this bound of gradient descent on the squared loss and these eigenvalues cut off.
    ///
    /// # Errors
    /// A step size at or above the bound.
    pub(super) fn of(subject: &Subject<'a>, bound: f64, cutoff: f64, ridge: f64) -> Result<Self> {
        let settings = subject.cell.config.train.as_ref();
        let n_outputs = subject.cell.split.y_train.n_cols();
        let mut pace =
            Self { settings, n_outputs, n_entries: subject.n_entries(), bound, learning_rate: None, cutoff, ridge };
        let own_bound = largest_step(bound, pace.optimizer(), pace.loss(), n_outputs);
        let unit = unit(subject)?;
        if let Some(settings) = settings {
            ensure_stable(settings, unit, own_bound, &subject.name())?;
        }
        pace.learning_rate = match settings.map_or_else(StepSize::default, |settings| settings.step) {
            StepSize::Absolute(value) => Some(value),
            StepSize::FunctionSpace(value) => Some(value * unit),
            StepSize::FractionOfBound(fraction) => own_bound.map(|bound| fraction * bound),
        };
        Ok(pace)
    }

    fn optimizer(&self) -> Optimizer {
        self.settings.map_or_else(Optimizer::default, |settings| settings.optimizer)
    }

    fn loss(&self) -> Loss {
        self.settings.map_or_else(Loss::default, |settings| settings.loss)
    }

    /// (s + ridge) / (N O); none where it is never learned.
    fn rate(&self, eigenvalue: f64) -> Option<f64> {
        let is_learned = self.ridge > 0.0 || eigenvalue > self.cutoff;
        is_learned.then(|| (eigenvalue.max(0.0) + self.ridge) / self.n_entries)
    }

    /// Of gradient flow.
    pub(super) fn time(&self, eigenvalue: f64) -> Option<f64> {
        Rule::GradientFlow.learning_time(self.rate(eigenvalue)?, SHRUNK)
    }

    /// Whole ones of the config's optimizer; none of Adam, which no kernel describes.
    pub(super) fn steps(&self, eigenvalue: f64) -> Option<f64> {
        let learning_rate = self.learning_rate?;
        let rule = match self.optimizer() {
            Optimizer::GradientDescent => Rule::GradientDescent { learning_rate },
            Optimizer::Momentum(momentum) => Rule::Momentum { learning_rate, momentum },
            Optimizer::Adam { .. } => return None,
        };
        Some(rule.learning_time(self.rate(eigenvalue)?, SHRUNK)?.ceil().max(1.0))
    }

    /// The time of gradient flow for which the config trains; none where it does not say.
    pub(super) fn training_time(&self) -> Option<f64> {
        let settings = self.settings.filter(|settings| settings.stop == Stop::AtTime)?;
        let elapsed = settings.schedule.elapsed(settings.n_steps, settings.n_steps);
        Some(self.learning_rate? * settings.optimizer.time_factor()? * elapsed)
    }

    /// Of gradient descent and momentum, on every loss that the data have.
    pub(super) fn largest_steps(&self, task: Task) -> Vec<LargestStep> {
        let beta = match self.optimizer() {
            Optimizer::Momentum(beta) => beta,
            _ => USUAL_MOMENTUM,
        };
        let mut losses = vec![Loss::Squared];
        losses.extend((task == Task::Classification).then_some(Loss::CrossEntropy));
        if !losses.contains(&self.loss()) {
            losses.push(self.loss());
        }
        let pairs = losses
            .into_iter()
            .flat_map(|loss| [Optimizer::GradientDescent, Optimizer::Momentum(beta)].map(|o| (o, loss)));
        let step = |(optimizer, loss): (Optimizer, Loss)| {
            let is_own = optimizer == self.optimizer() && loss == self.loss();
            Some(LargestStep {
                optimizer: optimizer.name(),
                momentum: if let Optimizer::Momentum(beta) = optimizer { beta } else { 0.0 },
                loss: loss.name(),
                largest: largest_step(self.bound, optimizer, loss, self.n_outputs)?,
                step: self.learning_rate.filter(|_| is_own),
            })
        };
        pairs.filter_map(step).collect()
    }
}

/// The parameters' step size for one of 1 in function space; 1 of kernels that are of no network.
fn unit(subject: &Subject<'_>) -> Result<f64> {
    let Some(architecture) = &subject.architecture else { return Ok(1.0) };
    let x_train = &subject.cell.split.x_train;
    let diagonal = AnalyticKernel::new(architecture.clone()).diagonals(x_train)?.ntk;
    function_space(architecture, x_train, diagonal.iter().sum::<f64>() / diagonal.len() as f64)
}
