//! The eigenvalues themselves, all of them or the first, and the numbers that follow from them.

use super::kernel::Subject;
use super::learning_curve::learning_curve;
use super::pace::Pace;
use super::stopping::beside_ridges;
use super::{Decay, KernelSpectrum, Mode, TrainedModes, Within};
use crate::dynamics::{Flow, KernelPredictor, TargetSpectrum};
use crate::error::{Error, Result};
use crate::kernel::compare::{effective_rank, target_alignment};
use crate::linalg::{Matrix, ensure_fits, search_columns};
use crate::regress::{Condition, require_semidefinite};
use crate::seed::stream;

/// All eigenvalues.
pub(super) fn whole(subject: &Subject<'_>) -> Result<KernelSpectrum> {
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
    let smallest = kept.clone().next_back().unwrap_or(0.0) + ridge;
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
        early_stopping: beside_ridges(dynamics, &split.y_train, mean_diagonal, &pace)?,
        learning_curve: learning_curve(subject, ridge)?,
        ..found(subject, flow.eigenvalues(), &powers, mean_diagonal, &pace)
    })
}

/// Products with blocks of vectors, at most.
const MAX_PRODUCTS: usize = 40;

/// The residual of an eigenvalue, over the largest one.
const TOLERANCE: f64 = 1e-8;

/// The `k` largest eigenvalues.
pub(super) fn leading(
    subject: &Subject<'_>,
    k: usize,
    watch: &(dyn Fn(f64) -> Result<()> + Sync),
) -> Result<KernelSpectrum> {
    let n = subject.n_rows();
    if k == 0 || k > n {
        return Err(Error::input(
            "--leading",
            format!("{k} eigenvalues of a matrix that has {n}"),
            format!("give a number from 1 to {n}, or raise `data.n_train`"),
        ));
    }
    let n_columns = search_columns(n, k, MAX_PRODUCTS);
    ensure_fits(
        // The vectors that are searched, their products with the kernel, and a copy of either while they grow.
        3.0 * 8.0 * (n as f64) * n_columns as f64,
        || format!("the search for {k} eigenvalues of {n}"),
        "ask for fewer, or lower `data.n_train`",
    )?;
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
        notes: cell.split.notes.clone(),
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
