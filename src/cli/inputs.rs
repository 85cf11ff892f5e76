//! Inputs of the user's own.

use std::path::Path;

use ntk::data::read_inputs;
use ntk::error::{Error, Result};
use ntk::linalg::Matrix;
use ntk::record::npy;

/// Inputs of the user's own: .npy by its name, anything else as CSV without a header.
pub(super) fn inputs(path: &Path) -> Result<Matrix> {
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("npy")) {
        return read_inputs(path);
    }
    let matrix = npy::read(path)?;
    if matrix.values().is_empty() {
        return Err(Error::input(
            path.display().to_string(),
            format!("an array of {} rows and {} columns holds no input", matrix.n_rows(), matrix.n_cols()),
            "save one row per input",
        ));
    }
    match matrix.first_non_finite() {
        None => Ok(matrix),
        Some((row, column, value)) => Err(Error::input(
            path.display().to_string(),
            format!("{value} at row {row}, column {column}, counted from 0"),
            "remove the rows that are not finite",
        )),
    }
}
