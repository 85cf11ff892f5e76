//! What becomes of several outputs of a network in its kernel.

use serde::{Deserialize, Serialize};

/// What becomes of several outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outputs {
    /// All pairs: row i O + o is output o of input i.
    #[default]
    Full,
    /// The mean over outputs of each output's kernel with itself, (1 / O) sum_o Theta_oo.
    Trace,
}
