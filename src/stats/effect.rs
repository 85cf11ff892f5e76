//! How large a paired difference is, in units that do not depend on what was measured.
//!
//! d_z = mean / s of the differences (Cohen 1988). It overestimates for small n, by a factor that Hedges (1981) found exactly:
//!
//! ```text
//! g_z = J d_z,   J = Gamma(k/2) / (sqrt(k/2) Gamma((k - 1)/2)),   k = n - 1
//! ```
//!
//! The probability of superiority, P(X > Y) + P(X = Y)/2 (Vargha and Delaney 2000), asks nothing of the distribution.

use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::moments::mean_and_deviation;

/// Sizes of the effect behind paired differences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Cohen's d_z: the mean in units of the standard deviation of the differences.
    pub d_z: f64,
    /// d_z without its bias for few pairs.
    pub g_z: f64,
    /// The share of pairs whose difference is positive; those without a difference count half.
    pub superiority: f64,
}

/// The sizes of effect of `differences` of pairs; `None` with fewer than three, without spread, or where one is not finite.
#[must_use]
pub fn effect(differences: &[f64]) -> Option<Effect> {
    let n = differences.len();
    let (mean, deviation) = mean_and_deviation(differences).filter(|(_, deviation)| n > 2 && *deviation > 0.0)?;
    let d_z = mean / deviation;
    let superiority = differences.iter().map(|d| wins(*d, 0.0)).sum::<f64>() / n as f64;
    Some(Effect { d_z, g_z: hedges(n - 1) * d_z, superiority })
}

/// The probability that a value of `x` exceeds one of `y`, over all pairs of the two samples, which need not be paired: Mann and Whitney's U
/// over the number of pairs. 0.5 where neither tends to be larger; `None` where a sample is empty.
#[must_use]
pub fn superiority(x: &[f64], y: &[f64]) -> Option<f64> {
    let n_pairs = x.len() * y.len();
    let n_won: f64 = x.iter().flat_map(|a| y.iter().map(|b| wins(*a, *b))).sum();
    (n_pairs > 0).then(|| n_won / n_pairs as f64)
}

fn wins(a: f64, b: f64) -> f64 {
    0.5 * (f64::from(a > b) + f64::from(a >= b))
}

/// J at k degrees of freedom, at least 2.
fn hedges(degrees_of_freedom: usize) -> f64 {
    let half = 0.5 * degrees_of_freedom as f64;
    (ln_gamma(half) - ln_gamma(half - 0.5)).exp() / half.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn sizes_of_effect_are_those_of_their_formulas() {
        for sample in golden::list("samples") {
            let values = golden::numbers(&sample["values"]);
            let (found, expected) = (effect(&values).unwrap(), &sample["effect"]);
            golden::assert_close(found.d_z, expected["d_z"].clone(), 1e-13, &sample["name"]);
            golden::assert_close(found.g_z, expected["g_z"].clone(), 1e-12, &sample["name"]);
            golden::assert_close(found.superiority, expected["superiority"].clone(), 1e-15, &sample["name"]);
            let (first, second) = values.split_at(values.len() / 2);
            let halves = superiority(first, second).unwrap();
            golden::assert_close(halves, expected["first_half_over_second"].clone(), 1e-15, &sample["name"]);
        }
    }

    #[test]
    fn the_correction_for_few_pairs_is_the_known_one_and_fades() {
        // J(2) = Gamma(1) / Gamma(1/2) = 1 / sqrt(pi); J(k) = 1 - 3/(4 k - 1) + O(1/k^2) (Hedges 1981).
        assert!((hedges(2) * std::f64::consts::PI.sqrt() - 1.0).abs() < 1e-13);
        assert!((hedges(50) - (1.0 - 3.0 / 199.0)).abs() < 2e-5);
        assert!((hedges(100_000) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn sizes_of_effect_have_no_unit_and_follow_the_sign() {
        let d = [0.5, -0.25, 1.0, 2.0];
        let (plain, turned) = (effect(&d).unwrap(), effect(&d.map(|v| -8.0 * v)).unwrap());
        assert_eq!((turned.d_z, turned.g_z, turned.superiority), (-plain.d_z, -plain.g_z, 1.0 - plain.superiority));
    }

    #[test]
    fn two_samples_share_the_probability_of_superiority() {
        let (x, y) = ([1.0, 2.0, 2.0, 5.0], [2.0, 0.0, 7.0]);
        assert_eq!(superiority(&x, &y).unwrap() + superiority(&y, &x).unwrap(), 1.0);
        assert_eq!(superiority(&x, &x), Some(0.5));
        assert_eq!(superiority(&[], &y), None);
    }

    #[test]
    fn without_spread_or_with_two_pairs_there_is_no_size() {
        assert_eq!(effect(&[1.0; 5]), None);
        assert_eq!(effect(&[1.0, 2.0]), None);
        assert_eq!(effect(&[1.0, 2.0, f64::NAN]), None);
    }
}
