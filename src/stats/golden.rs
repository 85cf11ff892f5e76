//! The numbers of SciPy and statsmodels that the tests beside the functions read.

use serde_json::Value;

/// One of the lists of `tests/golden/statistics.json`.
pub(super) fn list(name: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../tests/golden/statistics.json")).expect("JSON");
    file[name].as_array().expect("a list").clone()
}

/// All numbers in a nested list, in order.
pub(super) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

/// Within a relative `tolerance`: small probabilities have to have their digits too.
pub(super) fn assert_close(found: f64, expected: impl Into<Value>, tolerance: f64, case: &Value) {
    let expected = expected.into().as_f64().expect("a number");
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{case}: {found} against {expected}");
}
