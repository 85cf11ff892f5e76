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

/// Kernels of one output with others, added up: one block of numbers for every pair of inputs.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Of each term, the outputs of the rows, one beside the other, and that of the columns.
    pub(super) terms: Vec<(Vec<usize>, usize)>,
}

impl Block {
    /// The kernels of every output with `output`, one beside the other.
    pub(super) fn column(d_out: usize, output: usize) -> Self {
        Self { terms: vec![((0..d_out).collect(), output)] }
    }

    /// That of one output with itself.
    pub(super) fn diagonal(output: usize) -> Self {
        Self { terms: vec![(vec![output], output)] }
    }

    /// The sum of those of each output with itself.
    pub(super) fn trace(d_out: usize) -> Self {
        Self { terms: (0..d_out).map(|output| (vec![output], output)).collect() }
    }
}
