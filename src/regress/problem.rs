//! What a regression is asked: matrices that fit, and targets that are numbers.

use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};

/// The kernel `[N, N]` and the targets `[N, O]` are of the same inputs, and every target is finite.
pub(super) fn require_targets(k_train_train: &GramMatrix, y_train: &Matrix) -> Result<()> {
    if y_train.n_rows() != k_train_train.n() {
        return Err(Error::shape("rows of the training targets", k_train_train.n(), y_train.n_rows()));
    }
    let Some((row, output, value)) = y_train.first_non_finite() else { return Ok(()) };
    Err(Error::NotFinite {
        what: "the training targets".to_owned(),
        value,
        place: format!("row {row}, output {output}"),
        remedy: "give the row a target, or leave it out".to_owned(),
    })
}

/// The kernel of test inputs with the training inputs has a column for each of these.
pub(super) fn require_test_train(n_train: usize, k_test_train: &Matrix) -> Result<()> {
    if k_test_train.n_cols() == n_train {
        return Ok(());
    }
    Err(Error::shape("columns of the test-train kernel", n_train, k_test_train.n_cols()))
}

/// The kernel of the test inputs with themselves has an entry for each of them.
pub(super) fn require_test_test(k_test_train: &Matrix, n_test: usize) -> Result<()> {
    if k_test_train.n_rows() == n_test {
        return Ok(());
    }
    Err(Error::shape("kernel of the test inputs with themselves", k_test_train.n_rows(), n_test))
}
