//! The spectrum of a kernel on a study's training rows, and what it says before anything is trained: how fast each direction of function
//! space is learned and how much of the target lies along it, how large a step may be, how many digits a solve leaves, which ridge stopping
//! early amounts to, and how the error falls with more rows.
//!
//! ```text
//! K = Q S Q^T,   K + ridge I on N rows and O outputs;   along an eigenvector of eigenvalue s an error shrinks by e in the time
//! N O / (s + ridge) of gradient flow
//! ```
//!
//! Of a matrix too large to take apart, the leading eigenvalues are found from its products with vectors alone.

mod eigenvalues;
mod kernel;
mod learning_curve;
mod pace;
mod shown;
mod stopping;

use std::path::Path;

use serde::Serialize;

use self::kernel::Subject;
use super::plan::{check_train, ensure_classes};
use super::regression::{Cell, RegressConfig, RegressPlan};
use super::vary::Vary;
use crate::error::{Error, Result};
use crate::stats::Slope;

pub use self::kernel::SpectrumOf;
pub use self::learning_curve::CurvePoint;
pub use self::pace::LargestStep;
pub use self::stopping::Stopping;

/// What the eigenvalues of one kernel say. Numbers that only the whole matrix has are absent where its products alone were used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KernelSpectrum {
    /// The kernel in words.
    pub kernel: String,
    /// The data set.
    pub dataset: String,
    /// N.
    pub n_train: usize,
    /// O.
    pub n_outputs: usize,
    /// Rows of the matrix: N, or N O of a network's kernel.
    pub n_rows: usize,
    /// Added to the diagonal.
    pub ridge: f64,
    /// The trace over the rows.
    pub mean_diagonal: f64,
    /// Eigenvalues up to this count as zero where there is no ridge.
    pub eigenvalue_cutoff: f64,
    /// How many do.
    pub n_dropped: Option<usize>,
    /// Of the matrix with its ridge, without the directions that are dropped.
    pub condition: Option<f64>,
    /// Decimal digits of a solve that rounding leaves.
    pub trusted_digits: Option<f64>,
    /// (tr K)^2 / ||K||^2.
    pub effective_rank: Option<f64>,
    /// tr K (K + ridge I)^-1, of one output.
    pub degrees_of_freedom: Option<f64>,
    /// The cosine between the centred kernel and the centred inner products of the targets.
    pub target_alignment: Option<f64>,
    /// The power law of the eigenvalues.
    pub decay: Option<Decay>,
    /// How many of the first modes hold so much of the target.
    pub target_within: Vec<Within>,
    /// How long the config trains, where it says so: time of gradient flow, and how many modes have shrunk by e until then.
    pub training: Option<TrainedModes>,
    /// Whether every eigenvalue is within the tolerance; always so of the whole spectrum.
    pub is_converged: bool,
    /// The largest stable steps.
    pub steps: Vec<LargestStep>,
    /// Gradient flow beside ridges; empty without the whole spectrum.
    pub early_stopping: Vec<Stopping>,
    /// What the spectrum of `regress.n_pool` rows predicts; empty without any.
    pub learning_curve: Vec<CurvePoint>,
    /// The modes, the largest eigenvalue first.
    pub modes: Vec<Mode>,
    /// What was found in the data and done about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// An eigenvector of the kernel matrix.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mode {
    /// Counted from 1.
    pub number: usize,
    /// s.
    pub eigenvalue: f64,
    /// How far s may be from an eigenvalue, where it was found from products.
    pub residual: Option<f64>,
    /// The share of the trace in this mode and those before.
    pub cumulated_trace: f64,
    /// The share of the targets' sum of squares along it.
    pub power: f64,
    /// The same in this mode and those before.
    pub cumulated_power: f64,
    /// Time of gradient flow in which an error along it shrinks by e; none where it never does.
    pub time: Option<f64>,
    /// Steps of the config's optimizer and size in which it does, on the squared loss.
    pub steps: Option<f64>,
}

/// s_i ~ i^exponent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Decay {
    /// The first mode of the fit.
    pub first: usize,
    /// The last.
    pub last: usize,
    /// With Student's interval of the fit, over modes.
    #[serde(flatten)]
    pub slope: Slope,
}

/// The first modes that hold a share of the target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Within {
    /// Of the targets' sum of squares.
    pub share: f64,
    /// None where all modes that were found hold less.
    pub n_modes: Option<usize>,
}

/// What the config's training reaches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrainedModes {
    /// Of gradient flow.
    pub time: f64,
    /// Modes along which an error has shrunk by e at least.
    pub n_modes: usize,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpectrumRequest {
    /// Whose spectrum.
    pub of: SpectrumOf,
    /// So many of the largest eigenvalues, from products with the kernel alone; all, by taking the matrix apart, where no number is given.
    pub leading: Option<usize>,
}

/// Takes the kernel that `request` names apart on the training rows of `config`, without what varies. Relative paths start at `base`; `watch`
/// is told how much of a product is done, from any thread, and may end the work.
///
/// # Errors
/// An impossible value, by its key; a step size above the kernel's bound; a matrix that is no kernel; more eigenvalues than there are rows; a
/// matrix that does not fit into memory.
pub fn spectrum(
    config: &RegressConfig,
    base: &Path,
    request: SpectrumRequest,
    watch: &(dyn Fn(f64) -> Result<()> + Sync),
) -> Result<KernelSpectrum> {
    let cell = cell(config, base, request.of)?;
    if let Some(settings) = &cell.config.train {
        check_train(settings, cell.config.data.n_validation)?;
        ensure_classes(settings, cell.dataset.task)?;
    }
    let subject = Subject::of(&cell, request.of)?;
    match request.leading {
        None => eigenvalues::whole(&subject),
        Some(k) => eigenvalues::leading(&subject, k, watch),
    }
}

/// The config's data and kernel, without what varies.
fn cell(config: &RegressConfig, base: &Path, of: SpectrumOf) -> Result<Cell> {
    if config.arch.is_none() && of.family().is_of_network() {
        return Err(Error::config(
            "arch",
            format!("the {of} is a kernel of a network, and no network is described"),
            "add `[arch]` with depth, width, activation and w_std, or take a kernel without one apart, as `--of rbf`",
        ));
    }
    let mut config = config.clone();
    config.vary = Vary::new();
    config.regress.kernels = vec![of.family()];
    let mut cells = RegressPlan::new(config, base)?.cells;
    cells.pop().ok_or_else(|| Error::Check("a config without data".to_owned()))
}

#[cfg(test)]
mod tests;
