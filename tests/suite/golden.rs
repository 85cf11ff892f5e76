//! Reading the vectors made with neural-tangents 0.6.5 in f64; their conventions are in each file's `meta`.

use ntk::linalg::Matrix;
use serde_json::Value;

pub(crate) fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("a golden file is JSON")
}

/// A nested list as a matrix: the first dimension are the rows, everything below is flattened.
pub(crate) fn matrix(value: &Value) -> Matrix {
    let rows = value.as_array().expect("a list");
    let values: Vec<f64> = rows.iter().flat_map(numbers).collect();
    Matrix::from_vec(rows.len(), values.len() / rows.len(), values).expect("rows of one length")
}

/// All numbers in a nested list, in order.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

/// The sizes of a nested list.
pub(crate) fn shape(value: &Value) -> Vec<usize> {
    match value.as_array() {
        None => Vec::new(),
        Some(items) => std::iter::once(items.len()).chain(shape(&items[0])).collect(),
    }
}

/// One of the file's inputs, by name.
pub(crate) fn input(file: &Value, name: &Value) -> Matrix {
    matrix(&file["inputs"][name.as_str().expect("an input's name")])
}

/// The largest difference relative to the largest expected entry.
pub(crate) fn relative_error(found: &Matrix, expected: &Matrix) -> f64 {
    assert_eq!(found.shape(), expected.shape());
    let largest = |matrix: &Matrix| matrix.values().iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    largest(&(found - expected)) / largest(expected)
}
