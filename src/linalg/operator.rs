//! Symmetric matrices that need not be in memory: what iterative methods ask of them.

use super::{GramMatrix, Matrix};
use crate::error::Result;

/// A symmetric positive semidefinite matrix that is known by its products.
pub trait Operator: Sync {
    /// Rows, and columns.
    fn n(&self) -> usize;

    /// The product with `v`.
    ///
    /// # Shapes
    /// `[n, k]` to `[n, k]`.
    ///
    /// # Errors
    /// What computing the matrix can fail of, and an interruption.
    fn times(&self, v: &Matrix) -> Result<Matrix>;
}

/// One of which single entries can be had as well.
pub trait Entries: Operator {
    /// `[n]`.
    ///
    /// # Errors
    /// What computing them can fail of.
    fn diagonal(&self) -> Result<Vec<f64>>;

    /// The columns `which`, in the order given: `[n, which]`.
    ///
    /// # Errors
    /// What computing them can fail of.
    fn columns(&self, which: &[usize]) -> Result<Matrix>;
}

impl Operator for GramMatrix {
    fn n(&self) -> usize {
        self.n()
    }

    fn times(&self, v: &Matrix) -> Result<Matrix> {
        Ok(self.as_matrix().matmul(v))
    }
}

impl Entries for GramMatrix {
    fn diagonal(&self) -> Result<Vec<f64>> {
        Ok((0..self.n()).map(|i| self[(i, i)]).collect())
    }

    fn columns(&self, which: &[usize]) -> Result<Matrix> {
        Ok(self.as_matrix().select_rows(which).transpose())
    }
}
