//! The figures of a comparison of kernels: their test errors, and what their spectra predict of them, the NTK's beside each other one, and how
//! each came to its ridge and to its intervals.
//!
//! A figure without numbers is left out. Panels beyond the sixth are too, and the caption says so; the table of numbers has all.

mod calibration;
mod errors;
mod learning_curve;
mod member;
mod ratio;
mod ridge;
mod setting;

use super::Drawing;
use crate::record::{KernelManifest, KernelPoint, KernelRow};

/// A figure, where there are numbers for it.
type Draw = fn(&KernelManifest, &[KernelPoint]) -> Option<Drawing>;

/// The figures, in the order in which a report shows them.
const FIGURES: [Draw; 5] = [errors::draw, learning_curve::draw, ratio::draw, ridge::draw, calibration::draw];

/// More panels than this are too small to read.
const MOST_PANELS: usize = 18;

/// The figures there are numbers for.
pub(super) fn draw(manifest: &KernelManifest, points: &[KernelPoint]) -> Vec<Drawing> {
    FIGURES.iter().filter_map(|draw| draw(manifest, points)).collect()
}

fn rows(points: &[KernelPoint]) -> Vec<&KernelRow> {
    points.iter().map(|point| &point.row).collect()
}

/// The factor of the training rows by which kernel `k` of `n` is drawn aside, so that error bars do not hide each other.
fn apart(k: usize, n: usize) -> f64 {
    const APART: f64 = 1.05;
    APART.powf(k as f64 - 0.5 * (n as f64 - 1.0))
}
