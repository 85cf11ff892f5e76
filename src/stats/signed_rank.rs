//! Wilcoxon's signed-rank test (Wilcoxon 1945): are paired differences symmetric around 0?
//!
//! W+ is the sum of the ranks that |d_i| has where d_i > 0; pairs without a difference are dropped. If signs are random,
//!
//! ```text
//! exactly         P(W+ = w) = #{subsets of 1..n that sum to w} / 2^n
//! approximately   W+ ~ N(n (n + 1)/4, n (n + 1)(2 n + 1)/24 - sum (t^3 - t)/48)
//! ```
//!
//! with t the number of |d_i| that share a rank.

use serde::{Deserialize, Serialize};

use super::distribution::normal_two_sided;
use super::ranks::{ranks, tie_term};

/// Up to here the distribution is counted out, as SciPy does.
const N_EXACT: usize = 50;

/// What Wilcoxon's signed-rank test says about paired differences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignedRank {
    /// How many differences are not 0.
    pub n: usize,
    /// W+: without any effect near n (n + 1)/4.
    pub rank_sum_positive: f64,
    /// The two-sided p-value.
    pub p: f64,
    /// By the exact distribution; else by the normal approximation.
    pub exact: bool,
}

/// The signed-rank test of `differences` of pairs: exact up to 50 without ties, else by the normal approximation, corrected for ties and
/// half a rank for continuity; `scipy.stats.wilcoxon` with `correction=True` does the same once it is given no zeros.
///
/// `None` where nothing differs, or a difference is not finite.
#[must_use]
pub fn signed_rank_test(differences: &[f64]) -> Option<SignedRank> {
    let d: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let n = d.len();
    if n == 0 || d.iter().any(|d| !d.is_finite()) {
        return None;
    }
    let (ranks, sizes) = ranks(&d.iter().map(|d| d.abs()).collect::<Vec<_>>());
    let rank_sum_positive = ranks.iter().zip(&d).filter(|(_, d)| **d > 0.0).map(|(rank, _)| rank).sum();
    let exact = n <= N_EXACT && sizes.len() == n;
    let p = if exact { exact_p(n, rank_sum_positive) } else { approximate_p(n, rank_sum_positive, tie_term(&sizes)) };
    Some(SignedRank { n, rank_sum_positive, p, exact })
}

/// Twice the smaller tail, at most 1.
fn exact_p(n: usize, rank_sum: f64) -> f64 {
    let total = n * (n + 1) / 2;
    // By symmetry the smaller tail is that of the smaller sum, which is whole where nothing is tied.
    let smaller = (rank_sum as usize).min(total - rank_sum as usize);
    let mut n_subsets = vec![0.0; smaller + 1];
    n_subsets[0] = 1.0;
    for rank in 1..=n {
        for sum in (rank..=smaller).rev() {
            n_subsets[sum] += n_subsets[sum - rank];
        }
    }
    (2.0 * n_subsets.iter().sum::<f64>() / 2.0_f64.powi(n as i32)).min(1.0)
}

fn approximate_p(n: usize, rank_sum: f64, tie_term: f64) -> f64 {
    let n = n as f64;
    let (mean, variance) = (n * (n + 1.0) / 4.0, n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - tie_term / 48.0);
    // SciPy takes half a rank off even where less lies between, and so do we; at the mean itself there is nothing to take.
    let distance = (rank_sum - mean).abs();
    let corrected = if distance > 0.0 { distance - 0.5 } else { 0.0 };
    normal_two_sided(corrected / variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn statistic_and_p_value_are_scipys() {
        for sample in golden::list("samples") {
            let (found, expected) =
                (signed_rank_test(&golden::numbers(&sample["values"])).unwrap(), &sample["wilcoxon"]);
            assert_eq!(
                (found.n as u64, found.exact),
                (expected["n"].as_u64().unwrap(), expected["exact"].as_bool().unwrap())
            );
            golden::assert_close(found.rank_sum_positive, expected["rank_sum_positive"].clone(), 0.0, &sample["name"]);
            golden::assert_close(found.p, expected["p"].clone(), 1e-12, &sample["name"]);
        }
    }

    #[test]
    fn the_exact_p_value_is_that_of_all_arrangements_of_signs() {
        let d = [0.4, -1.0, 2.0, 3.5, -0.2, 5.0, 6.0];
        let (n, found) = (d.len(), signed_rank_test(&d).unwrap());
        let mean = (n * (n + 1)) as f64 / 4.0;
        let sum_of = |signs: usize| (1..=n).filter(|rank| signs >> (rank - 1) & 1 == 1).sum::<usize>() as f64;
        let as_extreme = |signs: &usize| (sum_of(*signs) - mean).abs() >= (found.rank_sum_positive - mean).abs();
        assert_eq!(found.p, (0..1 << n).filter(as_extreme).count() as f64 / 128.0);
    }

    #[test]
    fn exact_and_approximate_p_values_meet_at_fifty_pairs() {
        for rank_sum in [300.0, 450.0, 600.0, 637.0] {
            let (exact, approximate) = (exact_p(50, rank_sum), approximate_p(50, rank_sum, 0.0));
            assert!((exact - approximate).abs() < 3e-3, "{rank_sum}: {exact} {approximate}");
        }
    }

    #[test]
    fn the_test_is_blind_to_the_sign_of_all_and_to_the_scale() {
        let d: Vec<f64> = (1..30).map(|i| f64::from(i * i % 17) - 5.0).collect();
        let found = signed_rank_test(&d).unwrap();
        let mirrored = signed_rank_test(&d.iter().map(|d| -7.0 * d).collect::<Vec<_>>()).unwrap();
        assert_eq!((found.n, found.p), (mirrored.n, mirrored.p));
    }

    #[test]
    fn without_any_difference_there_is_no_p_value() {
        assert_eq!(signed_rank_test(&[0.0, -0.0]), None);
        assert_eq!(signed_rank_test(&[1.0, f64::INFINITY]), None);
    }
}
