//! Probabilities and quantiles of the distributions behind tests and intervals.
//!
//! Parameters that a distribution does not have, no degrees of freedom above all, give NaN.

use std::f64::consts::{PI, SQRT_2};

use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF, FisherSnedecor, Normal, StudentsT};

/// Phi(z), of the standard normal distribution.
pub(super) fn normal_probability(z: f64) -> f64 {
    // The library's own error function is good to 10 digits.
    0.5 * libm::erfc(-z / SQRT_2)
}

/// P(|Z| >= |z|) of the standard normal distribution, to full relative accuracy however small.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / SQRT_2)
}

/// Phi^-1(p), infinite at 0 and 1.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let q = Normal::standard().inverse_cdf(p);
    let density = (-0.5 * q * q).exp() / (2.0 * PI).sqrt();
    if density > 0.0 { q - (normal_probability(q) - p) / density } else { q }
}

/// What the central interval of probability `level` of a normal distribution covers of one that has `scale` times less spread around the same
/// mean: `level` itself at scale 1.
#[must_use]
pub fn covered_by_scale(level: f64, scale: f64) -> f64 {
    1.0 - normal_two_sided(scale * normal_quantile(0.5 * (1.0 + level)))
}

/// P(t >= `value`) of Student's t distribution.
pub(super) fn t_tail(value: f64, degrees_of_freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom as f64).map_or(f64::NAN, |t| t.sf(value))
}

/// The two-sided quantile of Student's t distribution: P(|t| <= q) = `confidence`.
pub(super) fn t_quantile(confidence: f64, degrees_of_freedom: usize) -> f64 {
    let v = degrees_of_freedom as f64;
    let Ok(t) = StudentsT::new(0.0, 1.0, v) else { return f64::NAN };
    let probability = 0.5 * (1.0 + confidence);
    if degrees_of_freedom > 1000 {
        return many_degrees_of_freedom(normal_quantile(probability), v);
    }
    // The library's quantile is good to 8 digits; two of Newton's steps leave only the error of its tail.
    (0..2).fold(t.inverse_cdf(probability), |q, _| match t.pdf(q) {
        density if density > 0.0 && q.is_finite() => q + (t.sf(q) - (1.0 - probability)) / density,
        _ => q,
    })
}

/// Student's quantile from the normal one, z (Fisher and Cornish 1960), where the library's loses digits, and from 10^7 on never comes back.
fn many_degrees_of_freedom(z: f64, v: f64) -> f64 {
    let z2 = z * z;
    let first = (z2 + 1.0) / 4.0;
    let second = ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
    let third = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
    z * (1.0 + (first + (second + third / v) / v) / v)
}

/// P(chi^2 >= `value`).
pub(super) fn chi_squared_tail(value: f64, degrees_of_freedom: usize) -> f64 {
    ChiSquared::new(degrees_of_freedom as f64).map_or(f64::NAN, |chi_squared| chi_squared.sf(value))
}

/// P(F >= `value`).
pub(super) fn f_tail(value: f64, numerator: usize, denominator: usize) -> f64 {
    if value == f64::INFINITY {
        return 0.0;
    }
    FisherSnedecor::new(numerator as f64, denominator as f64).map_or(f64::NAN, |f| f.sf(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_invert_probabilities() {
        for p in [1e-9, 0.01, 0.3, 0.5, 0.9, 1.0 - 1e-9] {
            assert!((normal_probability(normal_quantile(p)) / p - 1.0).abs() < 1e-14, "{p}");
        }
        // Many degrees of freedom v cost digits: v / (v + t^2) is near 1.
        for degrees_of_freedom in [1, 2, 7, 30, 1000, 100_000, 1_000_000] {
            for confidence in [0.1, 0.6, 0.9, 0.95, 0.99] {
                let tail = t_tail(t_quantile(confidence, degrees_of_freedom), degrees_of_freedom);
                assert!((2.0 * tail - (1.0 - confidence)).abs() < 1e-8, "{degrees_of_freedom} {confidence}");
            }
        }
    }

    #[test]
    fn quantiles_by_series_and_by_newtons_steps_meet() {
        for confidence in [0.5, 0.9, 0.95, 0.999] {
            let (series, steps) = (
                many_degrees_of_freedom(normal_quantile(0.5 + 0.5 * confidence), 1000.0),
                t_quantile(confidence, 1000),
            );
            assert!((series - steps).abs() < 1e-10, "{series} {steps}");
        }
    }

    #[test]
    fn a_quantile_comes_back_however_many_degrees_of_freedom() {
        // The library's does not, at 2^24 - 1 and confidence 0.9.
        assert!((t_quantile(0.9, (1 << 24) - 1) - 1.644_853_626_951_472_2).abs() < 1e-6);
        assert_eq!(t_quantile(0.95, usize::MAX), normal_quantile(0.975));
    }

    #[test]
    fn closed_forms_are_met_far_in_the_tails() {
        // Student's t of one degree of freedom is Cauchy's; chi^2 of two is exponential; F of (2, 2) has tail 1 / (1 + f).
        assert!((t_tail(1e6, 1) / ((1e-6_f64).atan() / PI) - 1.0).abs() < 1e-9);
        assert!((chi_squared_tail(100.0, 2) / (-50.0_f64).exp() - 1.0).abs() < 1e-9);
        assert!((f_tail(1e6, 2, 2) * (1.0 + 1e6) - 1.0).abs() < 1e-9);
        assert!((normal_two_sided(-10.0) / 1.523_970_604_832_105e-23 - 1.0).abs() < 1e-13);
    }

    #[test]
    fn without_degrees_of_freedom_there_is_no_probability() {
        assert!(t_tail(1.0, 0).is_nan() && chi_squared_tail(1.0, 0).is_nan() && f_tail(1.0, 3, 0).is_nan());
    }

    #[test]
    fn an_interval_covers_its_level_at_its_own_scale_and_more_of_what_is_narrower() {
        for level in [0.5, 0.9, 0.95] {
            assert!((covered_by_scale(level, 1.0) - level).abs() < 1e-12);
            assert!(covered_by_scale(level, 1.1) > level && covered_by_scale(level, 0.9) < level);
        }
        // A central 95 % interval of half the width is one of 67.3 %.
        assert!((covered_by_scale(0.95, 0.5) - 0.672_9).abs() < 1e-4);
    }
}
