//! [`Dataset`]: raw inputs and targets with their names, where they come from, and a digest of their content.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// What is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Numbers.
    #[default]
    Regression,
    /// Classes, as one-hot columns: the kernels and the squared loss treat them as numbers.
    Classification,
}

/// Rows of numbers as their source wrote them: neither shuffled nor scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// A short name for titles and file names.
    pub name: String,
    /// `[n, d_in]`.
    pub inputs: Matrix,
    /// `[n, d_out]`; one column per class in sorted order for classification.
    pub targets: Matrix,
    /// One name per input column.
    pub input_names: Vec<String>,
    /// One name per target column: the class, for classification.
    pub target_names: Vec<String>,
    /// What is predicted.
    pub task: Task,
    /// Whom to cite, or how the rows were made.
    pub citation: String,
    /// blake3 in hexadecimal of both shapes and all numbers, so that a record tells whether data changed.
    pub digest: String,
    /// What was found in the source and done about it, in sentences.
    pub notes: Vec<String>,
}

impl Dataset {
    /// A data set from named columns.
    ///
    /// # Shapes
    /// `inputs.1` is `[n, d_in]` and `targets.1` is `[n, d_out]`, each with one name per column.
    ///
    /// # Errors
    /// When rows or names do not match, when there is no row or no column, or when a number is not finite.
    pub fn new(
        name: impl Into<String>,
        citation: impl Into<String>,
        task: Task,
        inputs: (Vec<String>, Matrix),
        targets: (Vec<String>, Matrix),
    ) -> Result<Self> {
        let name = name.into();
        let ((input_names, inputs), (target_names, targets)) = (inputs, targets);
        if inputs.n_rows() != targets.n_rows() {
            return Err(Error::shape(format!("target rows of `{name}`"), inputs.n_rows(), targets.n_rows()));
        }
        check_columns(&format!("inputs of `{name}`"), &input_names, &inputs)?;
        check_columns(&format!("targets of `{name}`"), &target_names, &targets)?;
        let digest = digest(&inputs, &targets);
        Ok(Self {
            name,
            inputs,
            targets,
            input_names,
            target_names,
            task,
            citation: citation.into(),
            digest,
            notes: Vec::new(),
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.inputs.n_rows()
    }
}

fn check_columns(what: &str, names: &[String], values: &Matrix) -> Result<()> {
    if values.n_rows() == 0 || values.n_cols() == 0 {
        let (n_rows, n_cols) = values.shape();
        return Err(Error::shape(what, "at least one row and one column", format!("{n_rows} x {n_cols}")));
    }
    if names.len() != values.n_cols() {
        return Err(Error::shape(format!("column names of the {what}"), values.n_cols(), names.len()));
    }
    let Some((row, column, value)) = values.first_non_finite() else { return Ok(()) };
    Err(Error::NotFinite {
        what: what.into(),
        value,
        place: format!("row {}, column `{}`", row + 1, names[column]),
        remedy: "remove the row, or the settings that made so large a number".into(),
    })
}

fn digest(inputs: &Matrix, targets: &Matrix) -> String {
    let mut hasher = blake3::Hasher::new();
    for matrix in [inputs, targets] {
        hasher.update(&(matrix.n_rows() as u64).to_le_bytes());
        hasher.update(&(matrix.n_cols() as u64).to_le_bytes());
        for value in matrix.values() {
            hasher.update(&value.to_le_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(values: [f64; 2]) -> Result<Dataset> {
        let inputs = Matrix::from_vec(2, 1, values.to_vec())?;
        Dataset::new(
            "two",
            "nobody",
            Task::Regression,
            (vec!["x".into()], inputs),
            (vec!["y".into()], Matrix::zeros(2, 1)),
        )
    }

    #[test]
    fn the_digest_follows_the_numbers() {
        let digest = |values| dataset(values).unwrap().digest;
        assert_eq!(digest([1.0, 2.0]), digest([1.0, 2.0]));
        assert_ne!(digest([1.0, 2.0]), digest([2.0, 1.0]));
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_with_its_place() {
        let message = dataset([1.0, f64::NAN]).unwrap_err().to_string();
        assert!(message.contains("row 2, column `x`"), "{message}");
    }
}
