//! What repeats a setting with other data: other rows of the same data set, and with another root seed other networks as well.

use std::collections::{BTreeMap, BTreeSet};

use super::Evidence;
use super::evidence::without;
use crate::record::Row;
use crate::stats::Interval;

/// The varied keys that repeat a setting and are no part of what it asks.
///
/// Under `data.split_seed` alone the networks of all replicates start from the same parameters, so that an interval over replicates knows
/// nothing of the seeds; under `seeds.root` both are drawn anew, and replicates are independent of each other.
pub(super) const REPLICATES: [&str; 2] = ["data.split_seed", "seeds.root"];

/// A label without what repeats it.
pub(super) fn setting(label: &str) -> String {
    without(label, &REPLICATES)
}

/// What an interval says in a sentence.
pub(super) fn words(interval: Option<Interval>) -> String {
    match interval {
        None => "no value".to_owned(),
        Some(Interval { mean, n: 1, .. }) => format!("{mean:.3}"),
        Some(Interval { mean, low, high, .. }) => format!("{mean:.3} [{low:.3}, {high:.3}]"),
    }
}

/// An interval of logarithms as one of what they are the logarithms of, and the like.
pub(super) fn each(interval: Interval, value: impl Fn(f64) -> f64) -> Interval {
    Interval { mean: value(interval.mean), low: value(interval.low), high: value(interval.high), n: interval.n }
}

/// `depth 2`, and the setting where there is one: `train.initial_function=plain` as "plain start".
pub(super) fn title(depth: usize, setting: &str) -> String {
    let in_words = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key.rsplit_once('.').map_or(key, |(_, last)| last) {
            "initial_function" => format!("{value} start"),
            key => format!("{} {value}", key.replace('_', " ")).trim_end().to_owned(),
        }
    };
    let settings = setting.split(' ').filter(|part| !part.is_empty()).map(in_words);
    std::iter::once(format!("depth {depth}")).chain(settings).collect::<Vec<_>>().join(", ")
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

/// The part of a label that repeats its setting.
pub(super) fn replicate(label: &str) -> String {
    let is_kept =
        |part: &&str| REPLICATES.iter().any(|key| part.strip_prefix(key).is_some_and(|rest| rest.starts_with('=')));
    label.split(' ').filter(is_kept).collect::<Vec<_>>().join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_says_what_is_varied_but_not_what_repeats_it() {
        let setting = setting("data.label_noise=0.5 data.split_seed=3 seeds.root=1 train.initial_function=plain");
        assert_eq!(setting, "data.label_noise=0.5 train.initial_function=plain");
        assert_eq!(title(2, &setting), "depth 2, label noise 0.5, plain start");
        assert_eq!(title(1, ""), "depth 1");
    }
}
