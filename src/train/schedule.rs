//! The step size as training goes on.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the step size is multiplied by, at step k of T.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// 1.
    #[default]
    Constant,
    /// (1 + cos(pi k / T)) / 2.
    Cosine,
    /// 1 - k / T.
    Linear,
    /// `factor` to the power of how often `every` steps have passed.
    Stairs {
        /// Steps of one stair.
        every: usize,
        /// From one stair to the next.
        factor: f64,
    },
    /// (k + 1) / steps for as many steps, then 1.
    Warmup(usize),
}

impl Schedule {
    /// Its name, for records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Cosine => "cosine",
            Self::Linear => "linear",
            Self::Stairs { .. } => "stairs",
            Self::Warmup(_) => "warmup",
        }
    }

    /// The factor at `step` of `n_steps`.
    #[must_use]
    pub fn factor(self, step: usize, n_steps: usize) -> f64 {
        let progress = step as f64 / n_steps.max(1) as f64;
        match self {
            Self::Constant => 1.0,
            Self::Cosine => 0.5 * (1.0 + (PI * progress).cos()),
            Self::Linear => 1.0 - progress,
            Self::Stairs { every, factor } => factor.powf((step / every.max(1)) as f64),
            Self::Warmup(steps) => ((step + 1) as f64 / steps.max(1) as f64).min(1.0),
        }
    }

    /// The sum of the factors of the first `step` steps: time in units of the step size.
    #[must_use]
    pub fn elapsed(self, step: usize, n_steps: usize) -> f64 {
        match self {
            Self::Constant => step as f64,
            _ => (0..step).map(|k| self.factor(k, n_steps)).sum(),
        }
    }

    /// Refuses stairs that lead nowhere.
    ///
    /// # Errors
    /// By the number's key below `key`.
    pub fn check(self, key: &str) -> Result<()> {
        match self {
            Self::Stairs { every: 0, .. } => {
                Err(Error::config(format!("{key}.stairs.every"), "0 steps", "give at least 1"))
            }
            Self::Stairs { factor, .. } if !(factor > 0.0 && factor <= 1.0) => Err(Error::config(
                format!("{key}.stairs.factor"),
                format!("{factor} is not above 0 and at most 1"),
                "0.1 to 0.5 are usual",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_begin_and_end_where_they_should() {
        for schedule in [Schedule::Cosine, Schedule::Linear] {
            assert_eq!(schedule.factor(0, 10), 1.0);
            assert!(schedule.factor(10, 10).abs() < 1e-15);
            // Both are symmetric around 1/2, so their sum is that of T/2 full steps, and half a step.
            assert!((schedule.elapsed(10, 10) - 5.5).abs() < 1e-12);
        }
        let stairs = Schedule::Stairs { every: 4, factor: 0.5 };
        assert_eq!([3, 4, 8].map(|k| stairs.factor(k, 10)), [1.0, 0.5, 0.25]);
        assert_eq!([0, 3, 9].map(|k| Schedule::Warmup(4).factor(k, 10)), [0.25, 1.0, 1.0]);
        assert_eq!(Schedule::Constant.elapsed(7, 10), 7.0);
    }
}
