//! Holm's correction for several tests (Holm 1979): p~_(j) = max over i <= j of min(1, (m - i + 1) p_(i)), p_(1) <= ... <= p_(m).
//!
//! Rejecting what lies below alpha keeps the probability of any false rejection at alpha, whatever the tests have to do with each other;
//! Bonferroni's m p_(i) does so too, and rejects less.

/// The adjusted p-values, in the order given.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let m = p_values.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut adjusted = vec![0.0; m];
    let mut largest = 0.0_f64;
    for (step, &i) in order.iter().enumerate() {
        largest = largest.max(((m - step) as f64 * p_values[i]).min(1.0));
        // A p-value that does not exist sorts last, and stays one.
        adjusted[i] = if p_values[i].is_nan() { f64::NAN } else { largest };
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    #[test]
    fn adjusted_p_values_are_those_of_statsmodels() {
        for case in golden::list("holm") {
            let adjusted = holm(&golden::numbers(&case["p"]));
            for (found, expected) in adjusted.iter().zip(golden::numbers(&case["adjusted"])) {
                golden::assert_close(*found, expected, 1e-15, &case["p"]);
            }
        }
    }

    #[test]
    fn adjusting_never_lowers_a_p_value_nor_changes_their_order_nor_exceeds_bonferroni() {
        let p = [0.03, 0.001, 0.8, 0.03, 0.2];
        let adjusted = holm(&p);
        for i in 0..p.len() {
            assert!(adjusted[i] >= p[i] && adjusted[i] <= (5.0 * p[i]).min(1.0));
            assert!((0..p.len()).all(|j| p[i] > p[j] || adjusted[i] <= adjusted[j]));
        }
    }

    #[test]
    fn one_test_stays_as_it_is_and_a_missing_one_still_counts() {
        assert_eq!(holm(&[0.04]), [0.04]);
        assert_eq!(holm(&[]), [0.0; 0]);
        let with_missing = holm(&[0.01, f64::NAN]);
        assert!(with_missing[0] == 0.02 && with_missing[1].is_nan());
    }
}
