//! A training recipe, fully determined.

use super::optimizer::Penalty;
use super::{Batches, Loss, Optimizer, Schedule, Stop};
use crate::error::{Error, Result};

/// The recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The rule of a step.
    pub optimizer: Optimizer,
    /// Step size.
    pub learning_rate: f64,
    /// How it changes.
    pub schedule: Schedule,
    /// The rows a step sees.
    pub batches: Batches,
    /// What is made small.
    pub loss: Loss,
    /// Strength of the pull to the initialization, on the kernel's scale: (ridge / (N O)) (theta - theta_0) in the gradient.
    pub ridge: f64,
    /// Strength of the pull to zero: this times theta in the gradient.
    pub weight_decay: f64,
    /// Number of steps, at most.
    pub n_steps: usize,
    /// How many checkpoints, spaced logarithmically; the start and the end are always among them.
    pub n_checkpoints: usize,
    /// When training ends.
    pub stop: Stop,
    /// Root seed and number of the network, for the order of batches.
    pub seed: (u64, u64),
}

impl Plan {
    /// Full-batch gradient descent on the squared loss, looked at in the beginning and in the end.
    #[must_use]
    pub fn gradient_descent(learning_rate: f64, n_steps: usize) -> Self {
        Self {
            optimizer: Optimizer::GradientDescent,
            learning_rate,
            schedule: Schedule::Constant,
            batches: Batches::Full,
            loss: Loss::Squared,
            ridge: 0.0,
            weight_decay: 0.0,
            n_steps,
            n_checkpoints: 2,
            stop: Stop::AtTime,
            seed: (0, 0),
        }
    }

    /// Whether training is full-batch gradient descent in equal steps, whose linearization has a closed form step by step.
    #[must_use]
    pub fn is_gradient_descent(&self) -> bool {
        self.optimizer == Optimizer::GradientDescent
            && self.schedule == Schedule::Constant
            && self.batches == Batches::Full
    }

    /// Gradient-flow time after `step` steps; none for Adam.
    #[must_use]
    pub fn time(&self, step: usize) -> Option<f64> {
        let factor = self.optimizer.time_factor()?;
        Some(self.learning_rate * factor * self.schedule.elapsed(step, self.n_steps))
    }

    /// The step size of this step.
    pub(super) fn learning_rate_at(&self, step: usize) -> f64 {
        self.learning_rate * self.schedule.factor(step, self.n_steps)
    }

    pub(super) fn penalty(&self, n_entries: usize) -> Penalty {
        Penalty { decay: self.weight_decay, pull: self.ridge / n_entries as f64 }
    }

    /// Refuses what cannot be carried out on `n_train` rows.
    ///
    /// # Errors
    /// By the key of the `[train]` table.
    pub fn check(&self, n_train: usize) -> Result<()> {
        self.optimizer.check("train.optimizer")?;
        self.schedule.check("train.schedule")?;
        self.batches.check(n_train)?;
        self.stop.check("train.stop")?;
        for (key, value) in
            [("train.step", self.learning_rate), ("train.ridge", self.ridge), ("train.weight_decay", self.weight_decay)]
        {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::config(key, format!("{value} is not a number from 0 up"), "give one"));
            }
        }
        Ok(())
    }
}
