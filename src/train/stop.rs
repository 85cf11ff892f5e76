//! When training ends.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The rule; every one of them ends after `n_steps` at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// After `n_steps`: the same time for network and kernel.
    #[default]
    AtTime,
    /// When the loss on the training rows is below this; looked at before every step, of mini-batches once per epoch.
    TrainingLoss(f64),
    /// When, from one checkpoint to the next, the training residual along the kernel's eigenvectors that are learned changes by less
    /// than this share of itself.
    ResidualChange(f64),
    /// When the squared error on the validation rows has not improved for `patience` looks, one every `every` steps. The network is the
    /// one of the best look.
    Validation {
        /// Steps from one look to the next.
        every: usize,
        /// Looks without improvement that are waited for.
        patience: usize,
    },
}

impl Stop {
    /// Its name, for records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AtTime => "at-time",
            Self::TrainingLoss(_) => "training-loss",
            Self::ResidualChange(_) => "residual-change",
            Self::Validation { .. } => "validation",
        }
    }

    /// Refuses targets that cannot be reached.
    ///
    /// # Errors
    /// By the number's key below `key`.
    pub fn check(self, key: &str) -> Result<()> {
        match self {
            Self::TrainingLoss(value) | Self::ResidualChange(value) if !(value > 0.0 && value.is_finite()) => {
                Err(Error::config(
                    format!("{key}.{}", self.name()),
                    format!("{value} is not a positive number"),
                    "give the value below which training ends",
                ))
            }
            Self::Validation { every, patience } if every == 0 || patience == 0 => Err(Error::config(
                format!("{key}.validation"),
                format!("every {every} steps, patience {patience}: both must be at least 1"),
                "use `{ every = 10, patience = 20 }`",
            )),
            _ => Ok(()),
        }
    }
}
