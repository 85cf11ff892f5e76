//! Two one-sided tests (Schuirmann 1987): is a paired difference smaller than a margin M, either way?
//!
//! ```text
//! p_lower = P(T >= (m + M) sqrt n / s)    against a mean of -M or less
//! p_upper = P(T <= (m - M) sqrt n / s)    against a mean of M or more         n - 1 degrees of freedom
//! ```
//!
//! with m and s the mean and standard deviation of the n differences. Both lie below alpha where the interval m -+ t_{1-alpha} s / sqrt n,
//! of confidence 1 - 2 alpha, lies within (-M, M). A large p of an ordinary test shows no equivalence: too few pairs have one too.

use serde::{Deserialize, Serialize};

use super::distribution::{t_quantile, t_tail};
use super::moments::mean_and_deviation;

/// With how many pairs a decision counts as within reach: in four of five repetitions it would be made.
const POWER: f64 = 0.8;

/// What the two one-sided tests say about paired differences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Equivalence {
    /// How many pairs.
    pub n: usize,
    /// The mean difference.
    pub mean: f64,
    /// Lower end of its interval at confidence 1 - 2 alpha.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Against the difference lying at -margin or below.
    pub p_lower: f64,
    /// Against the difference lying at the margin or above.
    pub p_upper: f64,
    /// What follows.
    pub decision: Decision,
}

/// What an equivalence test at a margin decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Both tests reject: the whole interval lies within the margin on either side of 0.
    Equivalent,
    /// The whole interval lies beyond the margin on one side: not only is there a difference, it is one that matters.
    Different,
    /// The interval contains the margin, on one side or on both.
    Undecided {
        /// How many more pairs would decide it with a power of 80 %, were mean and spread what they seem, by [`pairs_needed`]; `None` where
        /// the mean lies at the margin, or so near that it takes more than a million.
        n_more_pairs: Option<usize>,
    },
}

/// Tests at level `alpha` whether the mean of `differences` of pairs lies within `margin` of 0.
///
/// `None` with fewer than two, where one is not finite, with a margin that is not positive, or with alpha outside of (0, 1/2).
#[must_use]
pub fn equivalence_test(differences: &[f64], margin: f64, alpha: f64) -> Option<Equivalence> {
    let (mean, deviation) = mean_and_deviation(differences).filter(|_| is_possible(margin, alpha))?;
    let n = differences.len();
    let error = deviation / (n as f64).sqrt();
    let half = t_quantile(1.0 - 2.0 * alpha, n - 1) * error;
    let (low, high) = (mean - half, mean + half);
    let p = |distance: f64| t_tail(in_units_of(error, distance), n - 1);
    let (p_lower, p_upper) = (p(mean + margin), p(margin - mean));
    let decision = if p_lower.max(p_upper) < alpha {
        Decision::Equivalent
    } else if low > margin || high < -margin {
        Decision::Different
    } else {
        let needed = pairs_needed(mean, deviation, margin, alpha, POWER);
        Decision::Undecided { n_more_pairs: needed.and_then(|needed| needed.checked_sub(n)) }
    };
    Some(Equivalence { n, mean, low, high, p_lower, p_upper, decision })
}

/// The least number of pairs n with which [`equivalence_test`] decides, in a share `power` of repetitions, about differences of true `mean` m
/// and `deviation` s: with a = sqrt n / s and Student's T of n - 1 degrees of freedom,
///
/// ```text
/// T(a (M - |m|) - t_{1-alpha}) + T(a (M + |m|) - t_{1-alpha}) - 1 >= power      for Equivalent, where |m| < M
/// T(a (|m| - M) - t_{1-alpha}) >= power                                         for Different, where |m| > M
/// ```
///
/// (Julious 2004, with Student's distribution in place of the noncentral one.) For two methods that are thought to be the same, m = 0, this
/// is n >= (t_{1-alpha} + t_{(1+power)/2})^2 s^2 / M^2.
///
/// `None` where no number up to 2^20, a million, suffices, |m| = M above all, or an argument makes no sense.
#[must_use]
pub fn pairs_needed(mean: f64, deviation: f64, margin: f64, alpha: f64, power: f64) -> Option<usize> {
    const MOST: usize = 1 << 20;
    let is_number = mean.is_finite() && deviation.is_finite() && deviation >= 0.0;
    if !is_number || !is_possible(margin, alpha) || !(0.0..1.0).contains(&power) {
        return None;
    }
    let size = mean.abs();
    let suffices = |n: usize| {
        let (error, t) = (deviation / (n as f64).sqrt(), t_quantile(1.0 - 2.0 * alpha, n - 1));
        let below = |distance: f64| 1.0 - t_tail(in_units_of(error, distance) - t, n - 1);
        let reached =
            if size < margin { below(margin - size) + below(margin + size) - 1.0 } else { below(size - margin) };
        reached >= power
    };
    // The power grows with n, so that the least is found by halves.
    let mut enough = 2;
    while !suffices(enough) {
        enough = Some(2 * enough).filter(|n| *n <= MOST)?;
    }
    let mut too_few = (enough / 2).max(1);
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        *(if suffices(middle) { &mut enough } else { &mut too_few }) = middle;
    }
    Some(enough)
}

fn is_possible(margin: f64, alpha: f64) -> bool {
    margin > 0.0 && margin.is_finite() && alpha > 0.0 && alpha < 0.5
}

/// Without spread every distance is infinitely many errors, but none is none.
fn in_units_of(error: f64, distance: f64) -> f64 {
    if distance == 0.0 { 0.0 } else { distance / error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{standard_normals, stream};
    use crate::stats::golden;

    #[test]
    fn both_p_values_and_the_interval_are_scipys_and_the_decision_follows() {
        for sample in golden::list("samples") {
            let values = golden::numbers(&sample["values"]);
            for case in sample["tost"].as_array().unwrap() {
                let number = |key: &str| case[key].as_f64().unwrap();
                let found = equivalence_test(&values, number("margin"), number("alpha")).unwrap();
                golden::assert_close(found.p_lower, number("p_lower"), 1e-10, case);
                golden::assert_close(found.p_upper, number("p_upper"), 1e-10, case);
                golden::assert_close(found.low, number("low"), 1e-11, case);
                golden::assert_close(found.high, number("high"), 1e-11, case);
                let expected = match case["decision"].as_str().unwrap() {
                    "equivalent" => Decision::Equivalent,
                    "different" => Decision::Different,
                    _ => Decision::Undecided { n_more_pairs: Some(number("n_needed") as usize - values.len()) },
                };
                assert_eq!(found.decision, expected, "{case}");
            }
        }
    }

    #[test]
    fn the_pairs_asked_for_have_the_power_they_are_asked_for() {
        // exact_power integrates over the spread that will be seen; one pair more or less changes it by up to 0.01.
        for case in golden::list("samples").iter().flat_map(|sample| sample["tost"].as_array().unwrap()) {
            let Some(power) = case["exact_power"].as_f64() else { continue };
            assert!((0.798..0.81).contains(&power), "{case}");
        }
    }

    #[test]
    fn in_repetitions_the_pairs_asked_for_decide_in_four_of_five() {
        // 2000 repetitions: standard error 0.009; the bound is four, and 0.01 for pairs being whole.
        for (mean, expected) in [(0.0, Decision::Equivalent), (0.3, Decision::Equivalent), (1.6, Decision::Different)] {
            let n = pairs_needed(mean, 1.5, 1.0, 0.05, 0.8).unwrap();
            let decides = |i: &usize| {
                let z = standard_normals(&mut stream(8, &format!("power/{mean}/{i}")), n);
                let differences: Vec<f64> = z.iter().map(|z| mean + 1.5 * z).collect();
                equivalence_test(&differences, 1.0, 0.05).unwrap().decision == expected
            };
            let power = (0..2000).filter(decides).count() as f64 / 2000.0;
            assert!((power - 0.8).abs() < 0.046, "mean {mean}, {n} pairs: {power}");
        }
    }

    #[test]
    fn at_the_margin_itself_equivalence_is_found_in_no_more_than_alpha() {
        // 2000 repetitions at alpha = 0.05: standard error 0.005; the bound is four.
        let finds = |i: &usize| {
            let z = standard_normals(&mut stream(8, &format!("level/{i}")), 40);
            let differences: Vec<f64> = z.iter().map(|z| 1.0 + z).collect();
            equivalence_test(&differences, 1.0, 0.05).unwrap().decision == Decision::Equivalent
        };
        let rate = (0..2000).filter(finds).count() as f64 / 2000.0;
        assert!((rate - 0.05).abs() < 0.02, "{rate}");
    }

    #[test]
    fn without_a_true_difference_the_number_of_pairs_is_the_closed_form() {
        // The least whole n at or above the formula, which has n on both sides.
        let (deviation, margin, alpha, power) = (2.0, 0.7, 0.05, 0.9);
        let formula = |n: usize| {
            let t = t_quantile(1.0 - 2.0 * alpha, n - 1) + t_quantile(power, n - 1);
            (t * deviation / margin).powi(2)
        };
        let n = pairs_needed(0.0, deviation, margin, alpha, power).unwrap();
        assert!(n as f64 >= formula(n) && ((n - 1) as f64) < formula(n - 1), "{n}");
    }

    #[test]
    fn undecided_pairs_always_need_more_of_them_and_a_mean_at_the_margin_no_number_suffices_for() {
        for i in 0..200 {
            let differences = standard_normals(&mut stream(8, &format!("more/{i}")), 6);
            match equivalence_test(&differences, 0.8, 0.05).unwrap().decision {
                Decision::Undecided { n_more_pairs } => assert!(n_more_pairs.unwrap() > 0),
                Decision::Equivalent | Decision::Different => {}
            }
        }
        let at_margin = equivalence_test(&[0.5, 1.0, 1.5], 1.0, 0.05).unwrap();
        assert_eq!(at_margin.decision, Decision::Undecided { n_more_pairs: None });
    }

    #[test]
    fn turning_the_pairs_around_turns_the_tests_around() {
        let d = [0.2, -0.4, 0.9, 0.1, 0.3];
        let (plain, turned) =
            (equivalence_test(&d, 0.8, 0.05).unwrap(), equivalence_test(&d.map(|v| -v), 0.8, 0.05).unwrap());
        assert_eq!((plain.p_lower, plain.p_upper), (turned.p_upper, turned.p_lower));
        assert_eq!((plain.low, plain.decision), (-turned.high, turned.decision));
    }

    #[test]
    fn differences_without_spread_are_decided_by_where_they_lie() {
        let decision = |value| equivalence_test(&[value; 4], 0.1, 0.05).unwrap().decision;
        assert_eq!(decision(0.05), Decision::Equivalent);
        assert_eq!(decision(-0.2), Decision::Different);
        assert_eq!(decision(0.1), Decision::Undecided { n_more_pairs: None });
    }

    #[test]
    fn one_pair_or_a_margin_or_level_that_makes_no_sense_has_no_test() {
        assert_eq!(equivalence_test(&[1.0], 1.0, 0.05), None);
        assert_eq!(equivalence_test(&[1.0, f64::NAN], 1.0, 0.05), None);
        for (margin, alpha) in [(0.0, 0.05), (-1.0, 0.05), (f64::NAN, 0.05), (1.0, 0.5), (1.0, 0.0)] {
            assert_eq!(equivalence_test(&[1.0, 2.0], margin, alpha), None);
        }
    }
}
