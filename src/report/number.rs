//! Numbers as a reader wants them: three significant digits, with their interval.

use crate::stats::{Interval, Slope};

/// Three significant digits; powers of ten for the very small and the very large.
#[must_use]
pub fn short(value: f64) -> String {
    // Counts, and what happens to be one.
    if value.fract() == 0.0 && value.abs() < 1e6 {
        return value.to_string();
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-4..6).contains(&exponent) {
        return format!("{value:.2e}");
    }
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    format!("{value:.decimals$}")
}

/// `mean [low, high]`; the mean alone where the interval is narrower than its digits or there is none; without a value, a dash.
pub(super) fn with_interval(interval: Option<Interval>) -> String {
    match interval {
        None => "-".to_owned(),
        Some(Interval { mean, n: 1, .. }) => short(mean),
        Some(Interval { mean, low, high, .. }) => match (short(mean), short(low), short(high)) {
            (mean, low, high) if mean == low && mean == high => mean,
            (mean, low, high) => format!("{mean} [{low}, {high}]"),
        },
    }
}

/// An exponent with its interval, to two decimals.
pub(super) fn exponent(slope: Option<Slope>) -> String {
    slope.map_or("-".to_owned(), |slope| {
        // Adding 0 turns -0.00 into 0.00.
        let two = |value: f64| format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0);
        format!("{} [{}, {}]", two(slope.exponent), two(slope.low), two(slope.high))
    })
}

/// A confidence level as a percentage, without digits it does not need.
pub(super) fn percent(confidence: f64) -> String {
    format!("{} %", (1e4 * confidence).round() / 1e2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_kept_at_every_size() {
        assert_eq!(short(0.012_345), "0.0123");
        assert_eq!(short(500.0), "500");
        assert_eq!(short(123.4), "123");
        assert_eq!(short(1.234e-7), "1.23e-7");
        assert_eq!(short(-0.5), "-0.500");
        assert_eq!(short(0.0), "0");
    }

    #[test]
    fn a_level_has_the_digits_it_needs() {
        assert_eq!(percent(0.95), "95 %");
        assert_eq!(percent(0.999), "99.9 %");
    }
}
