//! Stopping early beside a ridge: for times of gradient flow, the ridges that predict most alike, and how far the predictions are apart.

use serde::Serialize;

use super::pace::Pace;
use crate::dynamics::{KernelPredictor, early_stopping};
use crate::error::Result;
use crate::linalg::Matrix;

/// A time of gradient flow beside two ridges. Distances are RMS over test inputs, over the RMS of what was learned until then.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stopping {
    /// t.
    pub time: f64,
    /// Whether the config trains so long.
    pub is_training: bool,
    /// N O / t (Ali, Kolter, Tibshirani 2019), beside the config's own ridge.
    pub ridge: f64,
    /// The distance of regression with it.
    pub distance: Option<f64>,
    /// The ridge that predicts most alike, again beside the config's own.
    pub best_ridge: f64,
    /// The same over the mean diagonal of the kernel matrix.
    pub best_relative_ridge: f64,
    /// The distance of regression with it.
    pub best_distance: Option<f64>,
    /// Whether it is the end of what was searched, a thousandth or a thousand times N O / t, and one beyond may be closer.
    pub is_at_edge: bool,
}

/// Decades of time, from that in which the first direction is learned.
const N_DECADES: i32 = 8;

/// At times of a decade each, until all directions are learned, and at the end of the config's training.
pub(super) fn beside_ridges(
    dynamics: KernelPredictor<'_>,
    y_train: &Matrix,
    mean_diagonal: f64,
    pace: &Pace<'_>,
) -> Result<Vec<Stopping>> {
    let times = dynamics.flow.eigenvalues().iter().filter_map(|s| pace.time(*s));
    let (first, last) = times.fold((f64::INFINITY, 0.0_f64), |(low, high), time| (low.min(time), high.max(time)));
    let end = pace.training_time().filter(|time| *time > 0.0 && time.is_finite());
    let decades = (0..=N_DECADES).map(|decade| first * 10.0_f64.powi(decade));
    let mut times: Vec<f64> = decades.take_while(|time| time.is_finite() && *time <= last).chain(end).collect();
    times.sort_by(f64::total_cmp);
    let pairings = early_stopping(dynamics, y_train, &times)?;
    let stopping = pairings.into_iter().map(|pairing| {
        let relative = |difference: f64| Some(difference / pairing.learned).filter(|distance| distance.is_finite());
        Stopping {
            time: pairing.time,
            is_training: end == Some(pairing.time),
            ridge: pairing.ridge,
            distance: relative(pairing.difference),
            best_ridge: pairing.best_ridge,
            best_relative_ridge: pairing.best_ridge / mean_diagonal,
            best_distance: relative(pairing.best_difference),
            is_at_edge: pairing.is_at_edge(),
        }
    });
    Ok(stopping.collect())
}
