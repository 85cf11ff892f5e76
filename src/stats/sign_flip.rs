//! The permutation test for pairs (Fisher 1935): if a pair's two members are exchangeable, each difference is as likely to be -d as d.
//!
//! p = P(|sum +-d_i| >= |sum d_i|) over signs. It asks nothing of the distribution, but that pairs are independent of each other.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::seed::Stream;

/// What the sign-flip test says about paired differences.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignFlip {
    /// The two-sided p-value.
    pub p: f64,
    /// Over all arrangements of signs; else over random ones.
    pub exact: bool,
    /// How many arrangements were looked at: 2^n, or those drawn.
    pub n_arrangements: usize,
}

/// Tests whether `differences` of pairs are symmetric around 0: over all 2^n arrangements of their signs where these are no more than
/// `n_arrangements`, else over as many random ones, (1 + those at least as extreme) / (1 + all): the data are an arrangement too, and
/// without them p would be 0 too often (Phipson and Smyth 2010).
///
/// `None` without differences, or where one is not finite.
#[must_use]
pub fn sign_flip_test(differences: &[f64], n_arrangements: usize, stream: &mut Stream) -> Option<SignFlip> {
    let n = differences.len();
    if n == 0 || differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    // Sums that are equal but for the order of their terms differ by rounding, and count as equal.
    let size: f64 = differences.iter().map(|d| d.abs()).sum();
    let bound = differences.iter().sum::<f64>().abs() - n as f64 * f64::EPSILON * size;
    let is_extreme = |flipped: &mut dyn FnMut(usize) -> bool| {
        let signed = differences.iter().enumerate().map(|(i, d)| if flipped(i) { -d } else { *d });
        signed.sum::<f64>().abs() >= bound
    };
    let n_all = u32::try_from(n).ok().and_then(|n| 1_usize.checked_shl(n)).filter(|&all| all <= n_arrangements);
    if let Some(n_all) = n_all {
        let n_extreme = (0..n_all).filter(|signs| is_extreme(&mut |i| signs >> i & 1 == 1)).count();
        return Some(SignFlip { p: n_extreme as f64 / n_all as f64, exact: true, n_arrangements: n_all });
    }
    let n_extreme = (0..n_arrangements).filter(|_| is_extreme(&mut |_| stream.random())).count();
    Some(SignFlip { p: (1 + n_extreme) as f64 / (1 + n_arrangements) as f64, exact: false, n_arrangements })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{standard_normals, stream};
    use crate::stats::golden;

    #[test]
    fn over_all_arrangements_the_p_value_is_scipys() {
        let mut n_compared = 0;
        for sample in golden::list("samples").iter().filter(|sample| !sample["sign_flip"].is_null()) {
            let found = sign_flip_test(&golden::numbers(&sample["values"]), 1 << 15, &mut stream(1, "unused")).unwrap();
            assert!(found.exact);
            golden::assert_close(found.p, sample["sign_flip"].clone(), 1e-12, &sample["name"]);
            n_compared += 1;
        }
        assert_eq!(n_compared, 5);
    }

    #[test]
    fn random_arrangements_come_close_to_all_of_them() {
        // 40,000 of them at p = 0.16: standard error 0.0018; the bound is five.
        for sample in golden::list("samples").iter().filter(|sample| sample["name"] == "normal") {
            let values = golden::numbers(&sample["values"]);
            let all = sign_flip_test(&values, 1 << 12, &mut stream(1, "unused")).unwrap();
            // A pair without a difference flips for nothing, and makes too many arrangements of them.
            let padded: Vec<f64> = values.iter().copied().chain([0.0; 5]).collect();
            let some = sign_flip_test(&padded, 40_000, &mut stream(1, "signs")).unwrap();
            assert!(!some.exact && (some.p - all.p).abs() < 0.009, "{some:?} {all:?}");
        }
    }

    #[test]
    fn the_smallest_p_values_are_those_of_the_data_and_their_mirror_image() {
        let one_sided: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(sign_flip_test(&one_sided, 1024, &mut stream(1, "signs")).unwrap().p, 2.0 / 1024.0);
        let many = [1.0; 100];
        assert_eq!(sign_flip_test(&many, 999, &mut stream(1, "signs")).unwrap().p, 1.0 / 1000.0);
    }

    #[test]
    fn under_the_null_p_is_below_5_percent_in_5_percent_of_samples() {
        // 2000 samples: standard error 0.0049; the bound is four. Of 8 pairs p is a multiple of 2/256, the last below 5 % being 12/256.
        let rejected = |i: usize| {
            let d = standard_normals(&mut stream(9, &format!("null/{i}")), 8);
            sign_flip_test(&d, 256, &mut stream(1, "unused")).unwrap().p <= 12.0 / 256.0
        };
        let rate = (0..2000).filter(|&i| rejected(i)).count() as f64 / 2000.0;
        assert!((rate - 12.0 / 256.0).abs() < 0.02, "{rate}");
    }

    #[test]
    fn differences_that_are_missing_or_not_finite_have_no_p_value() {
        assert_eq!(sign_flip_test(&[], 100, &mut stream(1, "signs")), None);
        assert_eq!(sign_flip_test(&[1.0, f64::NAN], 100, &mut stream(1, "signs")), None);
        assert_eq!(sign_flip_test(&[0.0; 3], 100, &mut stream(1, "signs")).unwrap().p, 1.0);
    }
}
