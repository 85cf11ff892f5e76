//! The mismatch in tables and charts: the pieces that every analysis of it puts together.

use super::{Beside, Change, Problem, Side, Variant};
use crate::number::plural;
use crate::study::analysis::Evidence;
use crate::study::findings::{Guide, Mishap, Panel, Series};

/// A chart has room for so many panels.
pub(in super::super) const MAX_PANELS: usize = 6;

/// What was looked at, for the notes of tables and the captions of charts.
pub(in super::super) fn sample(problem: &Problem<'_>) -> String {
    let (replicates, seeds) = problem.replicates_and_seeds();
    let (networks, diverged) = problem.counts(problem.widest());
    let lost = match diverged {
        0 => "None of them diverged.".to_owned(),
        n => format!("{n} of them diverged and take no part, nor do their pairs."),
    };
    format!(
        "{} data replicates (rows of {} and networks drawn anew) with {} on each; {networks} networks at width {}. {lost}",
        replicates,
        problem.dataset(),
        plural(seeds, "seed"),
        problem.widest()
    )
}

/// How the intervals come about.
pub(in super::super) fn intervals(evidence: &Evidence<'_>) -> String {
    format!(
        "Intervals at {} are over data replicates and, within them, seeds: a bootstrap that draws replicates first, or Student's over \
         the replicates' means where there are fewer than ten",
        evidence.level()
    )
}

/// What captions say of every problem.
pub(in super::super) fn samples(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> String {
    let each: Vec<String> = problems.iter().map(|problem| problem.titled(&sample(problem))).collect();
    let manifest = evidence.manifest;
    let what = evidence.rows.first().map_or_else(String::new, |row| {
        format!(
            " {} networks in the {} parametrization, W_std {:.3}, b_std {:.3}, computed in {}; kernels in f64.",
            row.activation, row.parametrization, row.w_std, row.b_std, manifest.dtype
        )
    });
    format!("{}{what}", each.join(" "))
}

/// Zero, and the margin on either side of it.
pub(in super::super) fn guides(evidence: &Evidence<'_>, first: f64, last: f64) -> Vec<Guide> {
    let margin = evidence.manifest.margin;
    [0.0, margin, -margin]
        .map(|y| Guide { label: "0 and the margin".to_owned(), points: vec![(first, y), (last, y)] })
        .to_vec()
}

/// From the first to the last of some counts.
pub(in super::super) fn range(values: &[usize]) -> (f64, f64) {
    (values.first().map_or(0.0, |v| *v as f64), values.last().map_or(0.0, |v| *v as f64))
}

/// The mismatch of every step, at the number of layers that it leads to.
pub(in super::super) fn step_series(
    evidence: &Evidence<'_>,
    problem: &Problem<'_>,
    variant: Variant,
    label: &str,
) -> Series {
    let changes = problem.changes(evidence, variant, problem.widest());
    let point = |change: &Change| (change.step.1 as f64, change.mismatch);
    Series { label: label.to_owned(), points: changes.iter().map(point).collect() }
}

/// Zero and the margin along the steps of a problem.
pub(in super::super) fn step_guides(evidence: &Evidence<'_>, problem: &Problem<'_>) -> Vec<Guide> {
    let (first, last) = range(problem.depths().get(1..).unwrap_or(&[]));
    // A single step has no length of its own.
    guides(evidence, first - 0.3, last + 0.3)
}

/// The networks of the greatest width that came to no good, by their depth.
pub(in super::super) fn at_depths(problem: &Problem<'_>) -> Vec<Mishap> {
    problem.mishaps(|row| row.width == problem.widest(), |row| row.depth as f64)
}

/// The mean of a network's error, or of what stands beside it, against the depth.
fn error_series(
    evidence: &Evidence<'_>,
    problem: &Problem<'_>,
    variant: Variant,
    label: &str,
    is_network: bool,
) -> Series {
    let at = |depth: usize| {
        let (network, kernel) = problem.error(evidence, variant, problem.widest(), depth);
        (depth as f64, if is_network { network } else { kernel })
    };
    Series { label: label.to_owned(), points: problem.depths().into_iter().map(at).collect() }
}

/// Errors against depth: of the network, looked at from some sides, and of both kernels.
pub(in super::super) fn error_panel(
    evidence: &Evidence<'_>,
    problem: &Problem<'_>,
    title: String,
    sides: &[(Side, &str)],
) -> Panel {
    let networks = sides.iter().map(|(side, label)| {
        error_series(evidence, problem, Variant { side: *side, beside: Beside::Regression }, label, true)
    });
    let kernels = [Beside::Regression, Beside::AtTime]
        .map(|beside| error_series(evidence, problem, Variant { side: Side::Plain, beside }, beside.name(), false));
    Panel { title, series: networks.chain(kernels).collect(), guides: Vec::new(), mishaps: at_depths(problem) }
}
