//! The sentences that the captions of a comparison of kernels need.

use super::super::caption::{list, percent};
use super::MOST_PANELS;
use crate::record::{KernelManifest, KernelRow};
use crate::study::regression::Settings;

/// That kernels do not stand exactly at their training rows.
pub(super) const SET_APART: &str = "Kernels are set a little apart along the axis, so that none hides another.";

/// Different values, smallest first.
pub(super) fn distinct(values: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut values: Vec<usize> = values.into_iter().collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Data and sizes of these rows, and what of the run is not finished.
pub(super) fn data(manifest: &KernelManifest, rows: &[&KernelRow], n_finished: usize) -> String {
    /// What stands behind a name only tells sources of one name apart, which titles do.
    const APART: &str = " (";
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        let name = row.dataset.split_once(APART).map_or(row.dataset.as_str(), |(name, _)| name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let sets = match names[..] {
        [one] => format!("Data set {one}"),
        _ if names.len() > 6 => format!("{} data sets", names.len()),
        _ => format!("Data sets {}", names.join(", ")),
    };
    let unfinished = match manifest.points.len().saturating_sub(n_finished) {
        0 => String::new(),
        n => format!(" {n} of {} points are not finished and are missing here.", manifest.points.len()),
    };
    format!(
        "{sets} ({} training and {} test inputs).{unfinished}",
        counts(rows.iter().map(|row| row.n_train)),
        counts(rows.iter().map(|row| row.n_test))
    )
}

/// A few numbers in full, many by their ends.
fn counts(values: impl Iterator<Item = usize>) -> String {
    const FEW: usize = 4;
    let values = distinct(values);
    match values[..] {
        [least, .., most] if values.len() > FEW => format!("{least} to {most}"),
        _ => list(&values),
    }
}

/// What the bars around means over splits are; `counts` are the splits of each mean.
pub(super) fn interval(manifest: &KernelManifest, counts: impl IntoIterator<Item = usize>) -> String {
    let counts = distinct(counts);
    let n = match counts[..] {
        [] => return String::new(),
        [1] => return "There is one split, so each value stands alone and has no bar.".to_owned(),
        [n] => n.to_string(),
        [least, .., most] => format!("{least} to {most}"),
    };
    format!(
        "Markers are means over {n} splits; bars are Student's {} confidence intervals of the mean.",
        percent(manifest.confidence)
    )
}

/// What differs between the settings beside what their titles say, because it follows from that or is the same for all; what a ridge is measured by.
pub(super) fn settings_beside(settings: &Settings<'_>) -> String {
    let is_of_ridges = settings.factors.iter().any(|factor| factor.name == "ridge");
    let ridges = is_of_ridges.then(|| "Ridges are over the mean diagonal of the kernel matrix.".to_owned());
    settings.beside().into_iter().chain(ridges).collect::<Vec<_>>().join(" ")
}

/// That `n` panels are more than there is room for.
pub(super) fn left_out(n: usize, what: &str) -> String {
    if n > MOST_PANELS {
        format!("Of {n} {what} the first {MOST_PANELS} are drawn; the table of numbers has all.")
    } else {
        String::new()
    }
}
