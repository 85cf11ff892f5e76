//! Student's interval for a mean: m +- t_{(1+c)/2, n-1} s / sqrt(n).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::distribution::t_quantile;
use super::moments::deviations;
use crate::number::{PLAIN, fixed, magnitude, short};

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

/// `mean [low, high]` with two digits of the interval's width, but no more than three of the largest number, and of an interval on one side
/// of 0 one digit of the end next to it. The mean alone where nothing else is left to see. `{:+}` gives every number its sign.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, low, high, n } = *self;
        let largest = magnitude(mean.abs().max(low.abs()).max(high.abs()));
        let nearest = magnitude(low.abs().min(high.abs()));
        let is_one_sided = low * high > 0.0;
        let of_width = (1 - magnitude(0.5 * (high - low))).min(2 - largest);
        let decimals = if is_one_sided { of_width.max(-nearest) } else { of_width };
        // Ends that are too far apart for one number of decimals have their own.
        let is_plain = n > 1 && PLAIN.contains(&largest) && !(is_one_sided && largest - nearest > 3);
        let text = |value: f64| match is_plain {
            true => fixed(value, usize::try_from(decimals).unwrap_or(0), f.sign_plus()),
            false if f.sign_plus() && value > 0.0 => format!("+{}", short(value)),
            false => short(value),
        };
        let (mean, low, high) = (text(mean), text(low), text(high));
        if low == mean && high == mean { f.write_str(&mean) } else { write!(f, "{mean} [{low}, {high}]") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_from_the_width() {
        let text = |mean, low, high| Interval { mean, low, high, n: 5 }.to_string();
        assert_eq!(text(0.0586, 0.0181, 0.0973), "0.059 [0.018, 0.097]");
        assert_eq!(text(-5.35e-5, -0.0117, 0.0113), "0.000 [-0.012, 0.011]");
        assert_eq!(text(0.671_234, 0.671_233, 0.671_235), "0.671");
        assert_eq!(text(123.4, 93.2, 153.1), "123 [93, 153]");
        assert_eq!(text(0.002, 0.000_41, 0.01), "0.0020 [0.0004, 0.0100]");
        assert_eq!(text(0.01, 0.000_041, 2.0), "0.0100 [4.10e-5, 2]");
        assert_eq!(text(1.2e-9, 1.0e-9, 1.41e-9), "1.20e-9 [1.00e-9, 1.41e-9]");
        assert_eq!(text(0.0, 0.0, 0.0), "0");
    }

    #[test]
    fn a_sign_is_there_on_demand() {
        assert_eq!(format!("{:+}", Interval { mean: 0.1, low: -0.05, high: 0.25, n: 5 }), "+0.10 [-0.05, +0.25]");
        assert_eq!(format!("{:+}", Interval { mean: 0.1, low: 0.1, high: 0.1, n: 1 }), "+0.100");
    }

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
