//! Student's interval for a mean: m +- t_{(1+c)/2, n-1} s / sqrt(n).

use serde::{Deserialize, Serialize};

use super::distribution::t_quantile;
use super::moments::deviations;

/// A mean with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Lower end; equals the mean when there is only one value.
    pub low: f64,
    /// Upper end; equals the mean when there is only one value.
    pub high: f64,
    /// How many values.
    pub n: usize,
}

/// The mean of `values` with Student's interval at `confidence` (0.95, say); `None` without values.
///
/// One value has no interval: both ends are the value, and `n` says so.
#[must_use]
pub fn mean_interval(values: &[f64], confidence: f64) -> Option<Interval> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    if n == 1 {
        return Some(Interval { mean, low: mean, high: mean, n });
    }
    let (deviations, unit) = deviations(values, mean);
    let variance = deviations.iter().map(|v| v * v).sum::<f64>() / (n - 1) as f64;
    let half = t_quantile(confidence, n - 1) * (variance / n as f64).sqrt() * unit;
    Some(Interval { mean, low: mean - half, high: mean + half, n })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_three_numbers_is_the_textbook_one() {
        // t_{0.975, 2} = 4.302652729911275; standard error of (1, 2, 4) is sqrt(7/3 / 3).
        let interval = mean_interval(&[1.0, 2.0, 4.0], 0.95).expect("values");
        let half = 4.302_652_729_911_275 * (7.0_f64 / 9.0).sqrt();
        assert!((interval.mean - 7.0 / 3.0).abs() < 1e-15);
        assert!((interval.high - interval.mean - half).abs() < 1e-8, "{interval:?}");
        assert!((interval.mean - interval.low - half).abs() < 1e-8);
    }

    #[test]
    fn one_value_has_no_width_and_none_no_interval() {
        assert_eq!(mean_interval(&[3.0], 0.95), Some(Interval { mean: 3.0, low: 3.0, high: 3.0, n: 1 }));
        assert_eq!(mean_interval(&[], 0.95), None);
    }
}
