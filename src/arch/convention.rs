//! Other authors' conventions, converted into this crate's and never mixed with it.
//!
//! | convention | its network | here |
//! |---|---|---|
//! | Jacot, Gabriel, Hongler 2018 | z = W h / sqrt n + beta b; depth counts the output layer | W_std = 1, b_std = beta, depth - 1 |
//! | Arora et al. 2019 | factor 2 after every ReLU, no bias, inputs not divided by d | W_std = sqrt 2, inputs times sqrt(d / 2) |
//! | scikit-ntk | as Arora, biases trained from 0 with factor beta, kernel over (L + 1)(beta^2 + 1) | as Arora, b_std = beta, biases start at 0, outputs scaled |

use std::f64::consts::SQRT_2;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::architecture::Scales;
use super::{Activation, Architecture, Parametrization};
use crate::error::{Error, Result};

/// Whose convention the numbers of an `[arch]` table follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// This crate's, and neural-tangents'.
    #[default]
    NeuralTangents,
    /// Jacot, Gabriel, Hongler 2018.
    Jacot,
    /// Arora, Du, Hu, Li, Salakhutdinov, Wang 2019.
    Arora,
    /// The Python package scikit-ntk (Lencevicius 2022).
    ScikitNtk,
}

impl Convention {
    /// The weight deviation that the convention fixes, if it does.
    #[must_use]
    pub fn w_std(self) -> Option<f64> {
        match self {
            Self::NeuralTangents => None,
            Self::Jacot => Some(1.0),
            Self::Arora | Self::ScikitNtk => Some(SQRT_2),
        }
    }

    /// The hidden layers of a network whose depth is written `depth`.
    ///
    /// # Errors
    /// For a depth that counts the output layer and is 0.
    pub fn n_hidden(self, depth: usize) -> Result<usize> {
        match self {
            Self::Jacot => depth.checked_sub(1).ok_or_else(|| {
                Error::config(
                    "arch.depth",
                    "0, but with `convention = \"jacot\"` it counts the output layer",
                    "use 1 and up",
                )
            }),
            Self::NeuralTangents | Self::Arora | Self::ScikitNtk => Ok(depth),
        }
    }

    /// The network that the convention's author means by these numbers.
    ///
    /// # Errors
    /// For a weight deviation other than the convention's, and where it has no meaning: biases, another activation than ReLU, or another
    /// parametrization with Arora or scikit-ntk.
    pub fn apply(self, architecture: Architecture) -> Result<Architecture> {
        if let Some(w_std) = self.w_std()
            && architecture.w_std() != w_std
        {
            return Err(Error::config(
                "arch.w_std",
                format!("{} with `convention = \"{self}\"`, which has {w_std}", architecture.w_std()),
                "leave it out: the convention fixes it",
            ));
        }
        if matches!(self, Self::NeuralTangents | Self::Jacot) {
            return Ok(architecture);
        }
        let is_relu = architecture.activations().iter().all(|activation| **activation == Activation::Relu);
        let is_mlp = architecture.maps().len() == architecture.depth() + 1 && architecture.input_grid().0 == 1;
        if !is_relu || !is_mlp || architecture.parametrization() != Parametrization::Ntk {
            return Err(Error::config(
                "arch.convention",
                format!("`{self}` has no meaning for {}", architecture.describe()),
                "it is one of fully connected relu networks in the ntk parametrization",
            ));
        }
        let input = (0.5 * architecture.d_in() as f64).sqrt();
        match self {
            Self::Arora if architecture.b_std() > 0.0 => Err(Error::config(
                "arch.b_std",
                format!("{} with `convention = \"arora\"`, which has no biases", architecture.b_std()),
                "leave it out, or use `convention = \"scikit-ntk\"`",
            )),
            Self::ScikitNtk => {
                let n_maps = (architecture.depth() + 1) as f64;
                let output = 1.0 / (n_maps * (1.0 + architecture.b_std().powi(2))).sqrt();
                Ok(architecture.with_scales(Scales { input, output, starts_biased: false }))
            }
            _ => Ok(architecture.with_scales(Scales { input, output: 1.0, starts_biased: true })),
        }
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeuralTangents => "neural-tangents",
            Self::Jacot => "jacot",
            Self::Arora => "arora",
            Self::ScikitNtk => "scikit-ntk",
        })
    }
}
