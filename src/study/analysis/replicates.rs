//! What repeats a setting with other data: other rows of the same data set, and with another root seed other networks as well.

use std::collections::{BTreeMap, BTreeSet};

use super::Evidence;
use super::label::replicate;
use crate::record::Row;
use crate::stats::Interval;

/// What an interval says in a sentence.
pub(super) fn words(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "no value".to_owned(), |interval| interval.to_string())
}

/// An interval of logarithms as one of what they are the logarithms of, and the like.
pub(super) fn each(interval: Interval, value: impl Fn(f64) -> f64) -> Interval {
    Interval { mean: value(interval.mean), low: value(interval.low), high: value(interval.high), n: interval.n }
}

/// Data, replicates, seeds, networks and precision: what every caption says.
pub(super) fn about(evidence: &Evidence<'_>) -> String {
    let Some(first) = evidence.rows.first() else { return "No network of the study is finished.".to_owned() };
    let words = |value: &dyn Fn(&Row) -> String| -> String {
        let values: BTreeSet<String> = evidence.rows.iter().map(|row| value(row)).collect();
        values.into_iter().collect::<Vec<_>>().join(" and ")
    };
    let counts = |value: &dyn Fn(&Row) -> usize| -> String {
        let values = evidence.distinct(value);
        values.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
    };
    let replicates: BTreeSet<String> = evidence.rows.iter().map(|row| replicate(&row.varied)).collect();
    format!(
        "Data: {} ({} training and {} test inputs), {} replicates with other rows, {} seeds each; {} networks of widths {}, weights of \
         deviation {:.3} and biases of {}, {} at the start, trained by {} in {}.",
        words(&|row| row.dataset.clone()),
        counts(&|row| row.n_train),
        counts(&|row| row.n_test),
        replicates.len(),
        evidence.manifest.n_seeds,
        words(&|row| row.activation.clone()),
        counts(&|row| row.width),
        first.w_std,
        first.b_std,
        words(&|row| row.initial_function.clone()),
        words(&|row| row.optimizer.clone()),
        words(&|row| row.dtype.clone()),
    )
}

/// The mean over the seeds of each replicate, which is what an interval over replicates takes; a replicate without a value is not there.
pub(super) fn by_replicate<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    value: impl Fn(&Row) -> Option<f64>,
) -> BTreeMap<String, f64> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in rows {
        if let Some(value) = value(row) {
            values.entry(replicate(&row.varied)).or_default().push(value);
        }
    }
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    values.into_iter().map(|(replicate, values)| (replicate, mean(values))).collect()
}
