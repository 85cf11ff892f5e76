//! What repeats a setting with other data: other rows of the same data set, and with another root seed other networks as well.

use std::collections::BTreeSet;

use super::Evidence;
use super::evidence::without;
use crate::record::Row;

/// The varied keys that repeat a setting and are no part of what it asks.
///
/// Under `data.split_seed` alone the networks of all replicates start from the same parameters, so that an interval over replicates knows
/// nothing of the seeds; under `seeds.root` both are drawn anew, and replicates are independent of each other.
pub(super) const REPLICATES: [&str; 2] = ["data.split_seed", "seeds.root"];

/// A label without what repeats it.
pub(super) fn setting(label: &str) -> String {
    without(label, &REPLICATES)
}

/// `depth 2`, and the setting where there is one.
pub(super) fn title(depth: usize, setting: &str) -> String {
    let settings = setting.split(' ').filter(|part| !part.is_empty());
    let words = settings.map(|part| part.rsplit_once('.').map_or(part, |(_, last)| last).replace('_', " "));
    std::iter::once(format!("depth {depth}")).chain(words).collect::<Vec<_>>().join(", ")
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
    let replicates: BTreeSet<String> = evidence.rows.iter().map(|row| replicate(row)).collect();
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

/// The part of a row's label that repeats its setting, and the split.
fn replicate(row: &Row) -> String {
    let is_kept =
        |part: &&str| REPLICATES.iter().any(|key| part.strip_prefix(key).is_some_and(|rest| rest.starts_with('=')));
    row.varied.split(' ').filter(is_kept).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_says_what_is_varied_but_not_what_repeats_it() {
        let setting = setting("data.split_seed=3 seeds.root=1 train.initial_function=plain");
        assert_eq!(setting, "train.initial_function=plain");
        assert_eq!(title(2, &setting), "depth 2, initial function=plain");
        assert_eq!(title(1, ""), "depth 1");
    }
}
