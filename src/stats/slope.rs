//! The exponent of a power law, y ~ x^p, by least squares in logarithms, with Student's interval.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::distribution::t_quantile;
use crate::number::fixed;

/// A fitted exponent with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// The exponent.
    pub exponent: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
    /// log y at log x = 0, to draw the line.
    pub log_intercept: f64,
}

/// To two decimals, as `-0.54 [-0.67, -0.41]`.
impl fmt::Display for Slope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [exponent, low, high] = [self.exponent, self.low, self.high].map(|value| fixed(value, 2, f.sign_plus()));
        write!(f, "{exponent} [{low}, {high}]")
    }
}

/// Fits y = e^a x^p to positive points; `None` with fewer than three points or fewer than two distinct x.
///
/// Points that are not positive and finite have no logarithm and are left out.
#[must_use]
pub fn log_log_slope(points: &[(f64, f64)], confidence: f64) -> Option<Slope> {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .filter(|(x, y)| *x > 0.0 && *y > 0.0 && x.is_finite() && y.is_finite())
        .map(|(x, y)| (x.ln(), y.ln()))
        .collect();
    let n = logs.len() as f64;
    // Compared before any mean is taken, whose rounding would make one x look like several.
    if logs.len() < 3 || logs.iter().all(|(x, _)| *x == logs[0].0) {
        return None;
    }
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / n;
    let spread = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>();
    let exponent = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
    let log_intercept = mean_y - exponent * mean_x;
    let residual = logs.iter().map(|(x, y)| (y - log_intercept - exponent * x).powi(2)).sum::<f64>();
    let half = t_quantile(confidence, logs.len() - 2) * (residual / (n - 2.0) / spread).sqrt();
    Some(Slope { exponent, low: exponent - half, high: exponent + half, log_intercept })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_power_law_gives_its_exponent_without_width() {
        let points: Vec<_> = [64.0, 128.0, 512.0].iter().map(|&x: &f64| (x, 3.0 * x.powf(-0.5))).collect();
        let slope = log_log_slope(&points, 0.95).expect("three points");
        assert!((slope.exponent + 0.5).abs() < 1e-12);
        assert!((slope.log_intercept - 3.0_f64.ln()).abs() < 1e-12);
        assert!(slope.high - slope.low < 1e-6);
    }

    #[test]
    fn it_is_written_to_two_decimals() {
        let slope = Slope { exponent: -0.001, low: -0.104, high: 0.096, log_intercept: 0.0 };
        assert_eq!(slope.to_string(), "0.00 [-0.10, 0.10]");
    }

    #[test]
    fn one_width_has_no_exponent_however_many_seeds() {
        let points: Vec<_> = (0..10).map(|seed| (64.0, 1.0 + 0.1 * f64::from(seed))).collect();
        assert_eq!(log_log_slope(&points, 0.95), None);
    }

    #[test]
    fn the_interval_equals_scipy_linregress() {
        // scipy.stats.linregress on logs of (1,2),(2,3),(4,7),(8,11): slope, and 4.3026527 times its standard error.
        let slope = log_log_slope(&[(1.0, 2.0), (2.0, 3.0), (4.0, 7.0), (8.0, 11.0)], 0.95).expect("four points");
        assert!((slope.exponent - SCIPY_SLOPE).abs() < 1e-9, "{slope:?}");
        assert!((0.5 * (slope.high - slope.low) - SCIPY_HALF_WIDTH).abs() < 1e-8, "{slope:?}");
    }

    const SCIPY_SLOPE: f64 = 0.860_068_727_724_834_1;
    const SCIPY_HALF_WIDTH: f64 = 0.370_274_594_724_633_87;
}
