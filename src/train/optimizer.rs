//! How a gradient becomes a step.
//!
//! | optimizer | step |
//! |---|---|
//! | gradient descent | theta <- theta - eta g |
//! | momentum (Polyak 1964) | v <- beta v + g, theta <- theta - eta v |
//! | Adam (Kingma, Ba 2015) | m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, theta <- theta - eta m^ / (sqrt v^ + eps), m^ = m / (1 - b1^t), v^ = v / (1 - b2^t) |
//!
//! On mini-batches, gradient descent is stochastic gradient descent.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The rule.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimizer {
    /// The theorem's own.
    #[default]
    GradientDescent,
    /// Heavy ball; the number is beta, the share of the velocity that is kept.
    Momentum(f64),
    /// Steps of about the step size in every parameter, whatever the gradient's size.
    Adam {
        /// Memory of the gradient.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Memory of its square.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Added to the root of the square.
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
}

fn beta1() -> f64 {
    0.9
}

fn beta2() -> f64 {
    0.999
}

fn epsilon() -> f64 {
    1e-8
}

impl Optimizer {
    /// Its name, for records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GradientDescent => "gradient-descent",
            Self::Momentum(_) => "momentum",
            Self::Adam { .. } => "adam",
        }
    }

    /// The largest stable step size on a quadratic loss, as a multiple of gradient descent's: 1 + beta for the heavy ball. `None` for
    /// Adam, whose steps do not scale with the gradient.
    #[must_use]
    pub fn stability_factor(self) -> Option<f64> {
        match self {
            Self::GradientDescent => Some(1.0),
            Self::Momentum(beta) => Some(1.0 + beta),
            Self::Adam { .. } => None,
        }
    }

    /// Time of gradient flow that passes in a step of size 1, once the optimizer has settled: 1 / (1 - beta) for the heavy ball. `None`
    /// for Adam.
    #[must_use]
    pub fn time_factor(self) -> Option<f64> {
        match self {
            Self::GradientDescent => Some(1.0),
            Self::Momentum(beta) => Some(1.0 / (1.0 - beta)),
            Self::Adam { .. } => None,
        }
    }

    /// Refuses numbers with which no step makes sense.
    ///
    /// # Errors
    /// By the number's key below `key`.
    pub fn check(self, key: &str) -> Result<()> {
        let is_share = |value: f64| (0.0..1.0).contains(&value);
        let refuse = |what: &str, value: f64, remedy: &str| {
            Err(Error::config(format!("{key}.{what}"), format!("{value} is not from 0 up to below 1"), remedy))
        };
        match self {
            Self::Momentum(beta) if !is_share(beta) => refuse("momentum", beta, "0.9 is usual"),
            Self::Adam { beta1, .. } if !is_share(beta1) => refuse("adam.beta1", beta1, "0.9 is usual"),
            Self::Adam { beta2, .. } if !is_share(beta2) => refuse("adam.beta2", beta2, "0.999 is usual"),
            Self::Adam { epsilon, .. } if !(epsilon > 0.0 && epsilon.is_finite()) => Err(Error::config(
                format!("{key}.adam.epsilon"),
                format!("{epsilon} is not a positive number"),
                "1e-8 is usual",
            )),
            _ => Ok(()),
        }
    }
}

/// What pulls at the parameters beside the loss: gradient <- gradient + decay theta + pull (theta - theta_0).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Penalty {
    pub(super) decay: f64,
    pub(super) pull: f64,
}

/// What an optimizer remembers of one parameter between steps; nothing before the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// The velocity, or Adam's m.
    pub(super) first: Option<Tensor<1>>,
    /// Adam's v.
    pub(super) second: Option<Tensor<1>>,
}

/// A parameter about to be moved.
pub(super) struct Moving<'a> {
    pub(super) theta: &'a mut Tensor<1>,
    /// With [`Optimizer::prefactor`].
    pub(super) gradient: Tensor<1>,
    /// Where it is pulled to.
    pub(super) theta_0: Option<&'a Tensor<1>>,
    pub(super) memory: &'a mut Memory,
}

impl Optimizer {
    /// What the loss' gradient may be multiplied by beforehand, for nothing, so that a step need not be: the step size, where the step is
    /// the gradient's multiple.
    pub(super) fn prefactor(self, learning_rate: f64) -> f64 {
        if self == Self::GradientDescent { learning_rate } else { 1.0 }
    }

    /// Step number `step`, counted from 0, of one parameter.
    pub(super) fn step(self, moving: Moving<'_>, step: usize, learning_rate: f64, penalty: Penalty) {
        let Moving { theta, gradient, theta_0, memory } = moving;
        let prefactor = self.prefactor(learning_rate);
        let mut gradient = gradient;
        if penalty.decay > 0.0 {
            gradient = gradient + theta.clone() * (penalty.decay * prefactor);
        }
        if let Some(theta_0) = theta_0 {
            gradient = gradient + (theta.clone() - theta_0.clone()) * (penalty.pull * prefactor);
        }
        let change = match self {
            Self::GradientDescent => gradient,
            Self::Momentum(beta) => mean(&mut memory.first, beta, gradient) * learning_rate,
            Self::Adam { beta1, beta2, epsilon } => {
                let square = mean(&mut memory.second, beta2, gradient.clone().square() * (1.0 - beta2));
                let first = mean(&mut memory.first, beta1, gradient * (1.0 - beta1));
                // Both means start at 0; what they miss of their first terms is made up for.
                let t = (step + 1) as f64;
                let (missing1, missing2) = (1.0 - beta1.powf(t), 1.0 - beta2.powf(t));
                first * (learning_rate / missing1) / ((square * (1.0 / missing2)).sqrt() + epsilon)
            }
        };
        *theta = theta.clone() - change;
    }
}

/// held <- beta held + new
fn mean(held: &mut Option<Tensor<1>>, beta: f64, new: Tensor<1>) -> Tensor<1> {
    let mean = match held.take() {
        Some(before) => before * beta + new,
        None => new,
    };
    held.insert(mean).clone()
}
