//! Several methods on several data sets, by their ranks (Friedman 1937; Demsar 2006): does any method differ from the others?
//!
//! ```text
//! chi^2 = 12 N/(k (k + 1)) (sum_j R_j^2 - k (k + 1)^2/4) / (1 - sum (t^3 - t)/(N (k^3 - k)))       k - 1 degrees of freedom
//! F     = (N - 1) chi^2 / (N (k - 1) - chi^2)                                                      k - 1 and (k - 1)(N - 1)
//! ```
//!
//! over N data sets and k methods, R_j the mean rank of method j, t the numbers of methods that share a rank. F (Iman and Davenport 1980) is
//! the less conservative of the two, and the one that Demsar recommends.

use serde::{Deserialize, Serialize};

use super::distribution::{chi_squared_tail, f_tail};
use super::ranks::{ranks, tie_term};
use crate::linalg::Matrix;

/// What Friedman's test says about a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Friedman {
    /// The mean rank of each method, 1 for the smallest: of errors, the best.
    pub mean_ranks: Vec<f64>,
    /// Friedman's statistic.
    pub chi_squared: f64,
    /// Its p-value.
    pub p_chi_squared: f64,
    /// Iman and Davenport's statistic; infinite where every data set ranks the methods alike.
    pub f: f64,
    /// Its p-value.
    pub p_f: f64,
}

/// Friedman's test of `table`.
///
/// `None` with fewer than two data sets or methods, where a number is not finite, or where every data set has all methods tied.
///
/// # Shapes
/// `[N, k]`: a row for each data set, a column for each method.
#[must_use]
pub fn friedman_test(table: &Matrix) -> Option<Friedman> {
    let (n_sets, n_methods) = table.shape();
    if n_sets < 2 || n_methods < 2 || table.first_non_finite().is_some() {
        return None;
    }
    let (n, k) = (n_sets as f64, n_methods as f64);
    let mean_ranks = mean_ranks(table);
    let ties: f64 = table.rows().map(|row| tie_term(&ranks(row).1)).sum();
    let untied = 1.0 - ties / (n * k * (k * k - 1.0));
    if untied <= 0.0 {
        return None;
    }
    // The sum of squares about the mean rank (k + 1)/2, which does not cancel.
    let spread: f64 = mean_ranks.iter().map(|rank| (rank - 0.5 * (k + 1.0)).powi(2)).sum();
    let chi_squared = 12.0 * n / (k * (k + 1.0)) * spread / untied;
    let left = n * (k - 1.0) - chi_squared;
    // At its largest chi^2 is N (k - 1), but for rounding.
    let is_unanimous = left <= 1e-12 * n * (k - 1.0);
    let f = if is_unanimous { f64::INFINITY } else { (n - 1.0) * chi_squared / left };
    Some(Friedman {
        mean_ranks,
        chi_squared,
        p_chi_squared: chi_squared_tail(chi_squared, n_methods - 1),
        f,
        p_f: f_tail(f, n_methods - 1, (n_methods - 1) * (n_sets - 1)),
    })
}

/// The mean over rows of the rank that each column has in it, 1 for the smallest; equal values share the mean of their ranks.
///
/// # Shapes
/// `table` `[N, k]`; returns `[k]`.
#[must_use]
pub fn mean_ranks(table: &Matrix) -> Vec<f64> {
    let mut sums = vec![0.0; table.n_cols()];
    for row in table.rows() {
        for (sum, rank) in sums.iter_mut().zip(ranks(row).0) {
            *sum += rank;
        }
    }
    sums.into_iter().map(|sum| sum / table.n_rows() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    fn table(rows: &[&[f64]]) -> Matrix {
        Matrix::from_vec(rows.len(), rows[0].len(), rows.concat()).unwrap()
    }

    #[test]
    fn ranks_statistics_and_p_values_are_scipys() {
        for case in golden::list("friedman") {
            let n_rows = case["table"].as_array().unwrap().len();
            let values = golden::numbers(&case["table"]);
            let found = friedman_test(&Matrix::from_vec(n_rows, values.len() / n_rows, values).unwrap()).unwrap();
            let close = |found, key: &str| golden::assert_close(found, case[key].clone(), 1e-11, &key.into());
            close(found.chi_squared, "chi_squared");
            close(found.p_chi_squared, "p");
            close(found.f, "f");
            close(found.p_f, "p_f");
            for (found, expected) in found.mean_ranks.iter().zip(golden::numbers(&case["mean_ranks"])) {
                golden::assert_close(*found, expected, 1e-15, &case["table"]);
            }
        }
    }

    #[test]
    fn data_sets_that_all_agree_give_the_largest_statistic() {
        let found = friedman_test(&table(&[&[1.0, 2.0, 3.0], &[0.1, 0.5, 7.0], &[-3.0, 0.0, 1e9]])).unwrap();
        assert_eq!(found.mean_ranks, [1.0, 2.0, 3.0]);
        assert!((found.chi_squared - 6.0).abs() < 1e-12);
        assert_eq!((found.f, found.p_f), (f64::INFINITY, 0.0));
    }

    #[test]
    fn the_scale_of_a_data_set_does_not_matter() {
        let plain = table(&[&[0.3, 0.1, 0.2], &[0.6, 0.4, 0.9], &[0.2, 0.1, 0.3]]);
        let scaled = Matrix::from_fn(3, 3, |i, j| 10.0_f64.powi(i as i32) * plain[(i, j)] - 5.0);
        assert_eq!(friedman_test(&plain), friedman_test(&scaled));
    }

    #[test]
    fn ranks_of_opposed_data_sets_cancel() {
        let found = friedman_test(&table(&[&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]])).unwrap();
        assert_eq!((found.chi_squared, found.p_chi_squared, found.f, found.p_f), (0.0, 1.0, 0.0, 1.0));
    }

    #[test]
    fn a_table_that_tells_no_method_from_another_has_no_test() {
        assert_eq!(friedman_test(&table(&[&[1.0, 1.0], &[2.0, 2.0]])), None);
        assert_eq!(friedman_test(&table(&[&[1.0, 2.0]])), None);
        assert_eq!(friedman_test(&table(&[&[1.0], &[2.0]])), None);
        assert_eq!(friedman_test(&table(&[&[1.0, f64::NAN], &[2.0, 1.0]])), None);
    }
}
