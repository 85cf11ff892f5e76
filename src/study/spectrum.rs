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

mod kernel;
mod pace;
mod shown;
mod stopping;

use std::path::Path;

use serde::Serialize;

use self::kernel::Subject;
use self::pace::Pace;
use super::config::TrainConfig;
use super::plan::{check_train, ensure_classes};
use super::regression::fit::pool;
use super::regression::{Cell, RegressConfig, RegressPlan};
use super::vary::Vary;
use crate::data::Task;
use crate::dynamics::{Flow, KernelPredictor, TargetSpectrum};
use crate::error::{Error, Result};
use crate::kernel::compare::{effective_rank, target_alignment};
use crate::linalg::{Matrix, ensure_fits};
use crate::regress::{Condition, Ridge, require_semidefinite};
use crate::seed::stream;
use crate::stats::Slope;

pub use self::kernel::SpectrumOf;
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

/// The predicted test error for a number of training rows, on average over their choice (Canatar, Bordelon, Pehlevan 2021).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Training rows.
    pub n_train: usize,
    /// Mean squared error against targets without noise, over their variance; none where the theory has no finite one.
    pub error: Option<f64>,
    /// Modes' worth that so many rows teach.
    pub n_learned: f64,
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
        None => whole(&subject),
        Some(k) => leading(&subject, k, watch),
    }
}

/// The config's data and kernel, without what varies.
fn cell(config: &RegressConfig, base: &Path, of: SpectrumOf) -> Result<Cell> {
    let mut config = config.clone();
    config.vary = Vary::new();
    config.regress.kernels = vec![of.family()];
    let mut cells = RegressPlan::new(config, base)?.cells;
    cells.pop().ok_or_else(|| Error::Check("a config without data".to_owned()))
}

/// All eigenvalues.
fn whole(subject: &Subject<'_>) -> Result<KernelSpectrum> {
    let (n, split) = (subject.n_rows(), &subject.cell.split);
    ensure_fits(
        // The kernel, its eigenvectors, and what the decomposition works in.
        5.0 * 8.0 * (n * n) as f64,
        || format!("the spectrum of a kernel matrix of {n} rows"),
        "ask for the first with `--leading 20`, which needs products alone, or lower `data.n_train`",
    )?;
    let gram = subject.gram(&split.x_train)?;
    let ridge = subject.ridge(gram.mean_diagonal());
    let cutoff = Flow::rounding_cutoff(n, subject.epsilon());
    let flow = Flow::new(&gram, subject.outputs(), ridge, cutoff)?;
    require_semidefinite(flow.eigenvalues(), cutoff)?;
    let powers = powers(&flow.components(&split.y_train)?);
    let (rank, alignment) = (effective_rank(&gram), target_alignment(&gram, &split.y_train)?);
    let mean_diagonal = gram.mean_diagonal();
    drop(gram);

    let pace = Pace::of(subject, flow.stability_bound(), flow.eigenvalue_cutoff(), ridge)?;
    let kept = flow.eigenvalues().iter().map(|s| s.max(0.0)).take(n - flow.n_dropped());
    let smallest = kept.clone().last().unwrap_or(0.0) + ridge;
    let condition = Condition {
        largest: flow.eigenvalues()[0].max(0.0) + ridge,
        smallest,
        n_dropped: flow.n_dropped(),
        epsilon: subject.epsilon(),
    };
    let k_test_train = subject.cross_gram(&split.x_test, &split.x_train)?;
    let dynamics = KernelPredictor { flow: &flow, k_test_train: &k_test_train };
    Ok(KernelSpectrum {
        n_dropped: Some(flow.n_dropped()),
        condition: Some(condition.number()).filter(|number| number.is_finite()),
        trusted_digits: Some(condition.trusted_digits()),
        effective_rank: Some(rank),
        degrees_of_freedom: Some(kept.map(|s| s / (s + ridge)).sum()),
        target_alignment: Some(alignment).filter(|cosine| cosine.is_finite()),
        early_stopping: stopping::beside_ridges(dynamics, &split.y_train, mean_diagonal, &pace)?,
        learning_curve: learning_curve(subject, ridge)?,
        ..found(subject, flow.eigenvalues(), &powers, mean_diagonal, &pace)
    })
}

/// Products with blocks of vectors, at most.
const MAX_PRODUCTS: usize = 40;

/// The residual of an eigenvalue, over the largest one.
const TOLERANCE: f64 = 1e-8;

/// The `k` largest eigenvalues.
fn leading(subject: &Subject<'_>, k: usize, watch: &(dyn Fn(f64) -> Result<()> + Sync)) -> Result<KernelSpectrum> {
    let n = subject.n_rows();
    if k == 0 || k > n {
        return Err(Error::input(
            "--leading",
            format!("{k} eigenvalues of a matrix that has {n}"),
            format!("give a number from 1 to {n}, or raise `data.n_train`"),
        ));
    }
    let mut random = stream(subject.cell.config.seeds.root, "spectrum");
    let mean_diagonal = subject.mean_diagonal()?;
    let found_here = subject.leading(k, (TOLERANCE, MAX_PRODUCTS), &mut random, watch)?;
    let ridge = subject.ridge(mean_diagonal);
    let eigenvalues = found_here.spectrum.eigenvalues();
    let largest = eigenvalues.first().map_or(0.0, |s| s.max(0.0));
    let cutoff = if ridge > 0.0 { 0.0 } else { Flow::rounding_cutoff(n, subject.epsilon()) * largest };
    let bound = 2.0 * subject.n_entries() / (largest + ridge);
    let pace = Pace::of(subject, bound, cutoff, ridge)?;
    let y = subject.stacked(&subject.cell.split.y_train)?;
    let mut found = found(subject, eigenvalues, &powers(&found_here.spectrum.project(&y)), mean_diagonal, &pace);
    for (mode, residual) in found.modes.iter_mut().zip(&found_here.residuals) {
        mode.residual = Some(*residual);
    }
    Ok(KernelSpectrum { is_converged: found_here.is_converged, ..found })
}

/// The sum of squares along each eigenvector, over outputs.
fn powers(components: &Matrix) -> Vec<f64> {
    components.rows().map(|row| row.iter().map(|c| c * c).sum()).collect()
}

/// What eigenvalues and powers say, of all modes or of the first.
fn found(
    subject: &Subject<'_>,
    eigenvalues: &[f64],
    powers: &[f64],
    mean_diagonal: f64,
    pace: &Pace<'_>,
) -> KernelSpectrum {
    let (cell, n_rows) = (subject.cell, subject.n_rows());
    let trace = mean_diagonal * n_rows as f64;
    let total: f64 = cell.split.y_train.values().iter().map(|y| y * y).sum();
    let (mut sum_of_eigenvalues, mut sum_of_powers) = (0.0, 0.0);
    let modes: Vec<Mode> = eigenvalues
        .iter()
        .zip(powers)
        .enumerate()
        .map(|(i, (&eigenvalue, power))| {
            sum_of_eigenvalues += eigenvalue;
            sum_of_powers += power;
            Mode {
                number: i + 1,
                eigenvalue,
                residual: None,
                cumulated_trace: sum_of_eigenvalues / trace,
                power: power / total,
                cumulated_power: sum_of_powers / total,
                time: pace.time(eigenvalue),
                steps: pace.steps(eigenvalue),
            }
        })
        .collect();
    let within = |share: f64| {
        // All modes together hold all of it, but for rounding.
        let position = modes.iter().position(|mode| mode.cumulated_power >= share * (1.0 - 1e-12));
        Within { share, n_modes: position.map(|i| i + 1) }
    };
    KernelSpectrum {
        kernel: subject.name(),
        dataset: cell.dataset.name.clone(),
        n_train: cell.split.x_train.n_rows(),
        n_outputs: cell.split.y_train.n_cols(),
        n_rows,
        ridge: pace.ridge,
        mean_diagonal,
        eigenvalue_cutoff: pace.cutoff,
        n_dropped: None,
        condition: None,
        trusted_digits: None,
        effective_rank: None,
        degrees_of_freedom: None,
        target_alignment: None,
        decay: decay(eigenvalues, n_rows, pace.cutoff, cell.config.verdict.confidence),
        target_within: [0.5, 0.9, 0.99].map(within).to_vec(),
        training: pace.training_time().map(|time| TrainedModes {
            time,
            n_modes: modes.iter().filter(|mode| mode.time.is_some_and(|needed| needed <= time)).count(),
        }),
        is_converged: true,
        steps: pace.largest_steps(cell.dataset.task),
        early_stopping: Vec::new(),
        learning_curve: Vec::new(),
        modes,
    }
}

/// The first modes are no power law yet, and the last are the sample's own: the fit begins here, and ends in the middle.
const FIRST_OF_DECAY: usize = 5;

fn decay(eigenvalues: &[f64], n_rows: usize, cutoff: f64, confidence: f64) -> Option<Decay> {
    let n_positive = eigenvalues.iter().take_while(|s| **s > cutoff.max(0.0)).count();
    let last = n_positive.min(n_rows / 2);
    let modes: Vec<(f64, f64)> = eigenvalues.iter().take(last).map(|s| (*s, 0.0)).collect();
    let slope = TargetSpectrum::new(modes).ok()?.decay_exponent(FIRST_OF_DECAY - 1..last, confidence)?;
    Some(Decay { first: FIRST_OF_DECAY, last, slope })
}

/// For powers of two of training rows, up to half the pool, and for those of the config.
fn learning_curve(subject: &Subject<'_>, ridge: f64) -> Result<Vec<CurvePoint>> {
    let (cell, Some((x, y))) = (subject.cell, pool(subject.cell)?) else { return Ok(Vec::new()) };
    if cell.dataset.task == Task::Classification && cell.config.data.label_noise > 0.0 {
        // Classes that are exchanged are no noise of a variance.
        return Ok(Vec::new());
    }
    if subject.n_rows() != cell.split.x_train.n_rows() {
        return Err(Error::config(
            "regress.n_pool",
            "a learning curve is one of a kernel that all outputs share, and a network's own kernel couples them",
            "set it to 0, or use the spectrum of `ntk`",
        ));
    }
    let most = x.n_rows() / 2;
    let mut sizes: Vec<usize> = std::iter::successors(Some(4), |n| Some(2 * n)).take_while(|n| *n <= most).collect();
    sizes.push(cell.split.x_train.n_rows());
    sizes.sort_unstable();
    sizes.dedup();
    let noise = cell.config.data.label_noise.powi(2);
    let unit = cell.split.target_deviation(&cell.config.data).powi(2);
    let points = TargetSpectrum::of_pool(&subject.gram(&x)?, &y)?.learning_curve(&sizes, ridge, noise * unit)?;
    let point = |point: &crate::dynamics::LearningPoint| CurvePoint {
        n_train: point.n_train,
        error: Some(point.error / unit).filter(|error| error.is_finite()),
        n_learned: point.n_learned,
    };
    Ok(points.iter().map(point).collect())
}

/// The ridge of training where there is training, else none.
fn ridge_of(settings: Option<&TrainConfig>) -> Ridge {
    settings.map_or_else(Ridge::default, |settings| settings.ridge)
}

#[cfg(test)]
mod tests;
