//! Wilson's interval for a share (Wilson 1927), which stays within 0 and 1 and has a width where nothing, or everything, was counted:
//!
//! ```text
//! (p + z^2/(2 n) -+ z sqrt(p (1 - p)/n + z^2/(4 n^2))) / (1 + z^2/n)        z = Phi^-1((1 + c)/2)
//! ```

use super::distribution::normal_quantile;
use super::interval::Interval;

/// The share of `n` that `count` is, with Wilson's interval at `confidence`; `None` of nothing.
#[must_use]
pub fn share_interval(count: usize, n: usize, confidence: f64) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    let z = normal_quantile(0.5 * (1.0 + confidence));
    // Times 2 n above and below, so that of nothing the two terms are the same number.
    let low = |count: usize| {
        let (n, count) = (n as f64, count as f64);
        (2.0 * count + z * z - z * (z * z + 4.0 * count * (1.0 - count / n)).sqrt()) / (2.0 * (n + z * z))
    };
    Some(Interval { mean: count as f64 / n as f64, low: low(count), high: 1.0 - low(n - count), n })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn the_interval_is_statsmodels() {
        for case in golden::list("wilson") {
            let whole = |key: &str| case[key].as_u64().unwrap() as usize;
            let found = share_interval(whole("count"), whole("n"), case["confidence"].as_f64().unwrap()).unwrap();
            for (found, key) in [(found.low, "low"), (found.high, "high")] {
                assert!((found - case[key].as_f64().unwrap()).abs() < 1e-12, "{case}: {found}");
            }
        }
    }

    #[test]
    fn of_none_or_all_one_end_is_the_share_itself() {
        for n in 1..40 {
            let (none, all) = (share_interval(0, n, 0.95).unwrap(), share_interval(n, n, 0.95).unwrap());
            assert!(none.low.abs() < 1e-15 && none.high > 0.05 && all.low < 0.95 && all.high > 1.0 - 1e-15, "{n}");
        }
    }

    #[test]
    fn a_share_of_nothing_has_no_interval() {
        assert_eq!(share_interval(0, 0, 0.95), None);
    }
}
