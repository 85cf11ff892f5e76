//! Where the width goes: into the forward pass, or into the initialization.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a dense map with n inputs is written in its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parametrization {
    /// z = (W_std / sqrt n) W h + b_std b, all parameters N(0, 1). The kernel has a limit as the width grows.
    #[default]
    Ntk,
    /// z = W h + b, W ~ N(0, W_std^2 / n), b ~ N(0, b_std^2). The same function at initialization; the kernel grows with the
    /// widths, which therefore enter the analytic kernel too (Sohl-Dickstein et al. 2020, with s = 1).
    Standard,
    /// As `Ntk`, with the output divided by the root of the last hidden width (mean field, or maximal update: Yang, Hu 2021; Bordelon,
    /// Pehlevan 2022). The kernel falls as 1 / width, and a step size that makes up for it moves the features however wide the network.
    Mup,
}

impl Parametrization {
    /// Whether all parameters are N(0, 1), and their scale is in the forward pass.
    #[must_use]
    pub fn is_scaled(self) -> bool {
        match self {
            Self::Ntk | Self::Mup => true,
            Self::Standard => false,
        }
    }

    /// Whether the infinite-width kernel is the same at every width.
    #[must_use]
    pub fn has_limit(self) -> bool {
        self == Self::Ntk
    }
}

impl fmt::Display for Parametrization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ntk => "ntk",
            Self::Standard => "standard",
            Self::Mup => "mup",
        })
    }
}
