//! What a run will cost, estimated before it starts: multiplications counted from shapes, at the rates of trial runs that take a few seconds
//! however many settings there are.

mod trial;
mod work;

use serde::Serialize;

use self::trial::{Kind, Rates};
use self::work::Work;
use super::config::WatchLevel;
use super::plan::Plan;
use super::run::{limits, n_at_once};
use super::settings::Study;
use crate::arch::{AffineMap, Architecture};
use crate::error::{Error, Result};
use crate::linalg::available_memory;

/// The cost of all seeds of one architecture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Hidden layers.
    pub depth: usize,
    /// Hidden width.
    pub width: usize,
    /// Trainable parameters of one network.
    pub n_parameters: usize,
    /// Networks.
    pub n_points: usize,
    /// Of them, those that train at once.
    pub n_at_once: usize,
    /// Seconds for all of them.
    pub seconds: f64,
    /// Peak memory of one network and its kernels, in bytes, from their sizes.
    pub memory: usize,
}

/// One estimate per depth and width, in the study's order, over all settings.
///
/// # Errors
/// A device that fails.
pub fn estimate(study: &Study) -> Result<Vec<Estimate>> {
    study.plans.iter().try_for_each(ensure_memory)?;
    let rates = Rates::measured(study)?;
    let free = available_memory();
    let mut estimates: Vec<Estimate> = Vec::new();
    for plan in &study.plans {
        let of_limits = seconds_of_limits(plan, &rates)?;
        for same in plan.points.chunk_by(|a, b| a.architecture == b.architecture) {
            let architecture = &same[0].architecture;
            let n_at_once = n_at_once(plan, architecture, free);
            let share = of_limits * same.len() as f64 / plan.points.len() as f64;
            let estimate = Estimate {
                depth: architecture.depth(),
                width: architecture.width(),
                n_parameters: architecture.n_parameters(),
                n_points: same.len(),
                n_at_once,
                seconds: share
                    + seconds(plan, architecture, &rates) * same.len() as f64 / n_at_once.min(same.len()) as f64,
                memory: memory(plan, architecture),
            };
            let key = (estimate.depth, estimate.width);
            match estimates.iter_mut().find(|other| (other.depth, other.width) == key) {
                None => estimates.push(estimate),
                Some(all) => {
                    all.n_points += estimate.n_points;
                    all.seconds += estimate.seconds;
                    all.memory = all.memory.max(estimate.memory);
                    all.n_parameters = all.n_parameters.max(estimate.n_parameters);
                }
            }
        }
    }
    Ok(estimates)
}

/// One network: its steps, its empirical kernels and their decompositions.
fn seconds(plan: &Plan, architecture: &Architecture, rates: &Rates) -> f64 {
    let settings = &plan.config.train;
    let work = Work::of(plan, architecture);
    let kind = Kind::of(architecture);
    let n_checkpoints = settings.n_checkpoints as f64;
    // At the start, at every checkpoint where the kernel is watched, and at the end.
    let (n_kernels, n_spectra) = match settings.watch {
        WatchLevel::Function => (1.0, 1.0),
        WatchLevel::Kernel => (2.0 + n_checkpoints, 2.0),
        WatchLevel::Everything => (2.0 + n_checkpoints, 2.0 + n_checkpoints),
    };
    let n_crosses = if settings.watch == WatchLevel::Function { 1.0 } else { 2.0 };
    rates.step(kind, work.step) * settings.n_steps as f64
        + rates.kernel(kind, work.gram) * n_kernels
        + rates.kernel(kind, work.cross) * n_crosses
        + rates.spectrum(plan.n_entries()) * n_spectra
}

/// The analytic kernels of a setting, and the decompositions of these and of the kernels beside them.
fn seconds_of_limits(plan: &Plan, rates: &Rates) -> Result<f64> {
    /// NTK, NNGP, and the three stationary kernels.
    const N_DECOMPOSED: f64 = 5.0;
    let (n_train, n_test) = (plan.split.x_train.n_rows(), plan.split.x_test.n_rows());
    let n_pairs = n_train * (n_train / 2 + n_test);
    let of_pair = |architecture: &&Architecture| rates.seconds_per_pair(architecture);
    let limits = limits(plan);
    let kernels = limits.iter().map(of_pair).sum::<f64>() * n_pairs as f64;
    Ok(kernels + N_DECOMPOSED * rates.spectrum(n_train) * limits.len() as f64)
}

/// Refuses a plan whose largest network or kernel does not fit into the memory that is free now.
///
/// # Errors
/// With both sizes, and the keys that decide them.
pub(super) fn ensure_memory(plan: &Plan) -> Result<()> {
    let needed = plan.points.iter().map(|point| memory(plan, &point.architecture)).max().unwrap_or(0);
    match available_memory() {
        Some(available) if needed as f64 > available => Err(Error::config(
            "data.n_train",
            format!(
                "{} training entries and networks of up to {} parameters need about {:.1} GB, and {:.1} GB are free",
                plan.n_entries(),
                plan.points.iter().map(|point| point.architecture.n_parameters()).max().unwrap_or(0),
                needed as f64 / 1e9,
                available / 1e9
            ),
            "lower `data.n_train` or `arch.width`",
        )),
        _ => Ok(()),
    }
}

pub(super) fn memory(plan: &Plan, architecture: &Architecture) -> usize {
    let bytes = plan.config.compute.dtype.size();
    let (n_train, n_test) = (plan.split.x_train.n_rows(), plan.split.x_test.n_rows());
    let n_entries = plan.n_entries();
    // Parameters, their gradients, their next values and their initial ones; a few activations per map, position and sample, and twice
    // what its windows see where that is copied.
    let network = 4 * architecture.n_parameters() * bytes;
    let numbers = |map: &AffineMap| {
        map.taps.n_outputs() * (4 * map.n_out + if map.taps.is_pointwise() { 0 } else { 2 * map.n_in })
    };
    let activations = architecture.maps().into_iter().map(numbers).sum::<usize>() * (n_train + n_test) * bytes;
    // The share of a map in the empirical kernel, which goes by pairs of positions or by each sample's gradients.
    let share = |map: &AffineMap| match map.taps.n_outputs() {
        1 => 0,
        n_positions => 2 * (n_train * n_positions).pow(2).min(n_entries * map.n_in * map.n_out),
    };
    let share = architecture.maps().into_iter().map(share).max().unwrap_or(0) * bytes;
    // Empirical kernel, its eigenvectors and two intermediates; the same once for the analytic one; the cross kernels.
    let kernels =
        8 * (4 * n_entries * n_entries + 4 * n_train * n_train + 2 * n_entries * n_test * plan.split.y_train.n_cols());
    network + activations + share + kernels
}
