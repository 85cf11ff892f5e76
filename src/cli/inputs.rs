//! Inputs of the user's own.

use std::path::Path;

use ntk::data::{NewInputs, read_inputs};
use ntk::error::{Error, Result};
use ntk::record::npy;

/// Inputs of the user's own: .npy by its name, anything else as a table of text, in which columns of a header are matched to `names`.
pub(super) fn inputs(path: &Path, names: Option<&[String]>) -> Result<NewInputs> {
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("npy")) {
        return read_inputs(path, names);
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
        None => Ok(NewInputs { values: matrix, notes: Vec::new() }),
        Some((row, column, value)) => Err(Error::input(
            path.display().to_string(),
            format!("{value} at row {row}, column {column}, counted from 0"),
            "remove the rows that are not finite",
        )),
    }
}
