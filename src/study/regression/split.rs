//! Means over all settings of a run, split by split.
//!
//! Settings are chosen, splits are drawn. So the means over settings of one split each are what repeats, and an interval over them says how far
//! another choice of rows would move the mean; it says nothing of other data sets.

use std::collections::BTreeMap;

use crate::stats::{Interval, mean_interval};

/// The mean of `values`, each with its split, and Student's interval over the splits; `n` counts them. `None` without values.
///
/// A split that lacks a value which another has would be a mean over other settings, and is left out.
#[must_use]
pub fn mean_over_splits(values: impl IntoIterator<Item = (u64, f64)>, confidence: f64) -> Option<Interval> {
    let mut splits: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (split, value) in values {
        splits.entry(split).or_default().push(value);
    }
    let n_settings = splits.values().map(Vec::len).max()?;
    let whole = splits.values().filter(|of_split| of_split.len() == n_settings);
    let means: Vec<f64> = whole.map(|of_split| of_split.iter().sum::<f64>() / n_settings as f64).collect();
    mean_interval(&means, confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_differ_widen_no_interval_and_splits_that_differ_do() {
        let of = |value: fn(u64, u64) -> f64| {
            let values = (0..4).flat_map(|split| (0..9).map(move |setting| (split, value(split, setting))));
            mean_over_splits(values, 0.95).unwrap()
        };
        let settings = of(|_, setting| setting as f64);
        assert_eq!((settings.low, settings.mean, settings.high, settings.n), (4.0, 4.0, 4.0, 4));
        // Student's interval of 4, 5, 6 and 7: 3.182 is the quantile of three degrees of freedom.
        let both = of(|split, setting| (split + setting) as f64);
        let half = 3.182_446_305_284_263 * (5.0_f64 / 3.0 / 4.0).sqrt();
        assert!((both.mean - 5.5).abs() < 1e-12 && (both.high - 5.5 - half).abs() < 1e-8, "{both:?}");
    }

    #[test]
    fn a_split_that_is_not_whole_is_left_out_and_one_has_no_interval() {
        let found = mean_over_splits([(0, 1.0), (0, 3.0), (1, 9.0)], 0.95).unwrap();
        assert_eq!((found.mean, found.low, found.n), (2.0, 2.0, 1));
        assert_eq!(mean_over_splits([], 0.95), None);
    }
}
