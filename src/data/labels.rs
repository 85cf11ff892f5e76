//! Class labels as one-hot columns: entry (i, c) is 1 where row i belongs to class c.

use std::cmp::Ordering;

use crate::linalg::Matrix;

/// The classes in sorted order and the one-hot matrix `[n, n_classes]`.
///
/// Labels that are all numbers are sorted as numbers, so that class 10 follows 9, and `1` and `1.0` are one class.
pub(super) fn one_hot(labels: &[&str]) -> (Vec<String>, Matrix) {
    let numbers = labels.iter().all(|label| label.parse::<f64>().is_ok_and(f64::is_finite));
    let order = |a: &str, b: &str| if numbers { by_number(a, b) } else { a.cmp(b) };

    let mut classes = labels.to_vec();
    classes.sort_by(|a, b| order(a, b));
    classes.dedup_by(|a, b| order(a, b).is_eq());

    let mut targets = Matrix::zeros(labels.len(), classes.len());
    for (row, label) in labels.iter().enumerate() {
        targets[(row, classes.partition_point(|class| order(class, label).is_lt()))] = 1.0;
    }
    (classes.into_iter().map(String::from).collect(), targets)
}

fn by_number(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_a_single_one_in_the_column_of_its_class() {
        let (classes, targets) = one_hot(&["setosa", "virginica", "setosa", "lily"]);
        assert_eq!(classes, ["lily", "setosa", "virginica"]);
        assert_eq!(targets.values(), [0., 1., 0., 0., 0., 1., 0., 1., 0., 1., 0., 0.]);
    }

    #[test]
    fn numeric_labels_are_sorted_and_compared_as_numbers() {
        let (classes, targets) = one_hot(&["10", "9", "9.0", "2"]);
        assert_eq!(classes, ["2", "9", "10"]);
        assert_eq!(targets.row(1), targets.row(2));
    }
}
