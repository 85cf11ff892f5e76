//! The activations for which network and kernel are both defined.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An elementwise nonlinearity phi.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(z, 0).
    Relu,
    /// The error function, (2 / sqrt pi) int_0^z e^{-t^2} dt.
    Erf,
    /// z itself: a deep linear network.
    Identity,
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relu => "relu",
            Self::Erf => "erf",
            Self::Identity => "identity",
        })
    }
}
