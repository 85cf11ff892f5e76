//! Class labels as one-hot columns: entry (i, c) is 1 where row i belongs to class c.

use std::cmp::Ordering;

use crate::linalg::Matrix;

/// The classes in sorted order and the one-hot matrix `[n, n_classes]`.
///
/// Labels that are all numbers are sorted and compared as numbers, integers exactly, so that class 10 follows 9, and `1` and `1.0` are one
/// class. A label such as `007` makes all of them text, and so do an integer above 2^53 and a fraction together, which f64 would merge.
pub(super) fn one_hot(labels: &[&str]) -> (Vec<String>, Matrix) {
    let order = order_of(labels);
    let mut classes = labels.to_vec();
    classes.sort_by(|a, b| order(a, b));
    classes.dedup_by(|a, b| order(a, b).is_eq());

    let mut targets = Matrix::zeros(labels.len(), classes.len());
    for (row, label) in labels.iter().enumerate() {
        targets[(row, classes.partition_point(|class| order(class, label).is_lt()))] = 1.0;
    }
    (classes.into_iter().map(String::from).collect(), targets)
}

fn order_of(labels: &[&str]) -> fn(&str, &str) -> Ordering {
    if labels.iter().any(|label| is_zero_padded(label)) {
        return by_text;
    }
    if labels.iter().all(|label| integer(label).is_some()) {
        return by_integer;
    }
    let is_exact = |label: &&str| {
        let number = label.parse::<f64>().ok().filter(|number| number.is_finite());
        number.is_some_and(|number| number.abs() < 9_007_199_254_740_992.0)
    };
    if labels.iter().all(is_exact) { by_number } else { by_text }
}

/// The integer that a label writes, where its decimals are absent or zeros.
fn integer(label: &str) -> Option<i128> {
    let (whole, decimals) = label.split_once('.').unwrap_or((label, ""));
    decimals.bytes().all(|byte| byte == b'0').then(|| whole.parse().ok()).flatten()
}

fn is_zero_padded(label: &str) -> bool {
    let digits = label.trim_start_matches(['+', '-']).as_bytes();
    matches!(digits, [b'0', next, ..] if next.is_ascii_digit())
}

fn by_integer(a: &str, b: &str) -> Ordering {
    integer(a).cmp(&integer(b))
}

fn by_text(a: &str, b: &str) -> Ordering {
    a.cmp(b)
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
        assert_eq!(one_hot(&["1.5", "1.50", "-2"]).0, ["-2", "1.5"]);
    }

    #[test]
    fn integers_above_two_to_the_53_stay_apart() {
        assert_eq!(one_hot(&["9007199254740993", "9007199254740992"]).0, ["9007199254740992", "9007199254740993"]);
        assert_eq!(one_hot(&["9007199254740993", "9007199254740992", "0.5"]).0.len(), 3);
    }

    #[test]
    fn zero_padded_labels_are_text_and_stay_apart() {
        assert_eq!(one_hot(&["007", "7", "07"]).0, ["007", "07", "7"]);
        assert_eq!(one_hot(&["0", "0.0", "0.5"]).0, ["0", "0.5"]);
    }
}
