//! The sentences that every caption needs: on which data, how often repeated, how precise.

use super::sweep::Sweep;
pub(super) use crate::number::percent;
use crate::record::Manifest;

/// Data, widths, depths, seeds, precision and backend.
pub(super) fn setting(manifest: &Manifest, sweep: &Sweep<'_>) -> String {
    let n_finished = sweep.n_points();
    let Some(data) = manifest.data.first().filter(|_| n_finished > 0) else {
        return "No point of the study is finished.".to_owned();
    };
    let seeds = match sweep.n_seeds() {
        (1, 1) => "one seed".to_owned(),
        (low, high) if low == high => format!("{high} seeds"),
        (low, high) => format!("{low} to {high} seeds"),
    };
    let unfinished = match manifest.points.len().saturating_sub(n_finished) {
        0 => String::new(),
        n => format!(" {n} of {} points are not finished and are missing here.", manifest.points.len()),
    };
    let missed = match sweep.n_missed() {
        0 => String::new(),
        n => format!(
            " {n} of {n_finished} networks took all their steps without meeting their rule to stop; they are drawn as they are, with a dagger."
        ),
    };
    format!(
        "Data set {} ({} training and {} test inputs); {} {}, {} {}, {seeds} each; networks in {} on backend {}.{missed}{unfinished}",
        data.name,
        data.n_train,
        data.n_test,
        if sweep.widths.len() == 1 { "width" } else { "widths" },
        list(&sweep.widths),
        if sweep.depths.len() == 1 { "depth" } else { "depths" },
        list(&sweep.depths),
        manifest.dtype,
        manifest.backend,
    )
}

/// What the `bands` (or bars) mean; `what` says what is averaged.
pub(super) fn interval(manifest: &Manifest, sweep: &Sweep<'_>, bands: &str, what: &str) -> String {
    match sweep.n_seeds() {
        (0, _) => String::new(),
        (_, 1) => format!("With one seed, {what} is a single value and has no {bands}."),
        _ => format!(
            "Markers are means of {what} over seeds; {bands} are Student's {} confidence intervals of the mean.",
            percent(manifest.confidence)
        ),
    }
}

/// How many networks diverged, and `marked`: how the figure shows it.
pub(super) fn divergence(sweep: &Sweep<'_>, marked: &str) -> String {
    match (sweep.n_diverged(), sweep.n_points()) {
        (_, 0) => String::new(),
        (0, _) => "No network diverged.".to_owned(),
        (n, n_points) => format!("{n} of {n_points} networks diverged; {marked}."),
    }
}

/// What is left out because some networks were trained above their stability bound; `hidden` says what, in the plural.
pub(super) fn instability(sweep: &Sweep<'_>, hidden: &str) -> String {
    match sweep.n_unstable() {
        0 => String::new(),
        n => format!(
            "{n} of {} networks were trained above their stability bound, where linearized training diverges; {hidden} of these are not \
             drawn.",
            sweep.n_points()
        ),
    }
}

/// How diverged networks are marked in figures with an axis for the swept quantity.
pub(super) const CROSSES: &str = "they enter no mean of trained networks, and a cross at the top edge marks where they would \
     stand, with their number where there is room for it";

/// Joins sentences, without the empty ones.
pub(super) fn join(sentences: &[String]) -> String {
    sentences.iter().filter(|s| !s.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// A few numbers in full, many by their ends.
pub(super) fn list(values: &[usize]) -> String {
    match values {
        [] => String::new(),
        [one] => one.to_string(),
        [first, .., last] if values.len() > 6 => format!("{first} to {last} ({} values)", values.len()),
        [start @ .., last] => {
            let start: Vec<String> = start.iter().map(usize::to_string).collect();
            format!("{} and {last}", start.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_listed_as_in_prose() {
        assert_eq!(list(&[64]), "64");
        assert_eq!(list(&[1, 2, 3]), "1, 2 and 3");
        assert_eq!(list(&[1, 2, 3, 4, 5, 6, 7]), "1 to 7 (7 values)");
    }
}
