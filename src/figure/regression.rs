//! The figures of a comparison of kernels: their test errors, and what their spectra predict of them, their ranks over data sets, the NTK's errors
//! beside each other kernel's, and how each came to its ridge and to its intervals.
//!
//! A figure without numbers is left out. Where settings are more than can be panels of one readable figure, or have no room for their titles,
//! they are the rows of a map.

mod calibration;
mod errors;
mod learning_curve;
mod map;
mod member;
mod ranks;
mod ratio;
mod ridge;
mod sentences;

use super::Drawing;
use super::font::text_width;
use super::layout::Layout;
use super::theme::LABEL;
use crate::record::{KernelManifest, KernelPoint, KernelRow};

/// A figure of rows, where they have the numbers for it.
type OfRows = fn(&KernelManifest, &[&KernelRow]) -> Option<Drawing>;

/// A figure of more than rows, likewise.
type OfPoints = fn(&KernelManifest, &[KernelPoint]) -> Option<Drawing>;

/// In the order in which a report shows them.
const OF_ROWS: [OfRows; 4] = [errors::draw, learning_curve::draw, ranks::draw, ratio::draw];

/// After them.
const OF_POINTS: [OfPoints; 2] = [ridge::draw, calibration::draw];

/// More panels than this are too many to take in at once.
const MOST_PANELS: usize = 6;

/// The figures there are numbers for.
pub(super) fn draw(manifest: &KernelManifest, points: &[KernelPoint]) -> Vec<Drawing> {
    let of_points = OF_POINTS.iter().filter_map(|draw| draw(manifest, points));
    of_rows(manifest, &rows(points)).into_iter().chain(of_points).collect()
}

/// Those of rows alone.
pub(super) fn of_rows(manifest: &KernelManifest, rows: &[&KernelRow]) -> Vec<Drawing> {
    OF_ROWS.iter().filter_map(|draw| draw(manifest, rows)).collect()
}

fn rows(points: &[KernelPoint]) -> Vec<&KernelRow> {
    points.iter().map(|point| &point.row).collect()
}

/// The factor of the training rows by which kernel `k` of `n` is drawn aside, so that error bars do not hide each other.
fn apart(k: usize, n: usize) -> f64 {
    const APART: f64 = 1.05;
    APART.powf(k as f64 - 0.5 * (n as f64 - 1.0))
}

/// Whether panels of these titles are few enough for one figure, with room above each for the whole of its title.
fn have_room(titles: &[String]) -> bool {
    let layout = Layout { n_panels: titles.len(), share_y: true, height: None, headroom: 0.0 };
    titles.len() <= MOST_PANELS && titles.iter().all(|title| text_width(title, LABEL) <= layout.frame_width())
}
