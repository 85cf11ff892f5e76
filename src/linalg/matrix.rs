//! The matrix types: [`Matrix`], dense and row-major, and [`GramMatrix`], symmetric by construction.

use std::ops::{Add, Index, IndexMut, Range, Sub};

use faer::{Accum, MatMut, MatRef};

use super::{Buffer, first_non_finite, mirror_lower, transpose};
use crate::error::{Error, Result};

/// A dense row-major matrix of f64.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    n_rows: usize,
    n_cols: usize,
    values: Buffer<f64>,
}

impl Matrix {
    /// Takes over `values`, row after row.
    ///
    /// # Errors
    /// When `values` does not hold `n_rows * n_cols` numbers.
    pub fn from_vec(n_rows: usize, n_cols: usize, values: Vec<f64>) -> Result<Self> {
        if values.len() != n_rows * n_cols {
            return Err(Error::shape(
                "matrix",
                format!("{n_rows} x {n_cols} numbers"),
                format!("{} numbers", values.len()),
            ));
        }
        Ok(Self { n_rows, n_cols, values: values.into() })
    }

    /// The matrix whose entry (i, j) is `entry(i, j)`.
    #[must_use]
    pub fn from_fn(n_rows: usize, n_cols: usize, mut entry: impl FnMut(usize, usize) -> f64) -> Self {
        let mut values = Vec::with_capacity(n_rows * n_cols);
        for i in 0..n_rows {
            for j in 0..n_cols {
                values.push(entry(i, j));
            }
        }
        Self { n_rows, n_cols, values: values.into() }
    }

    /// All zeros.
    #[must_use]
    pub fn zeros(n_rows: usize, n_cols: usize) -> Self {
        Self { n_rows, n_cols, values: Buffer::zeros(n_rows * n_cols) }
    }

    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns.
    #[must_use]
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// `(n_rows, n_cols)`.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        (self.n_rows, self.n_cols)
    }

    /// All entries, row after row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All entries, row after row, to be changed in place.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Row `i`.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n_cols..(i + 1) * self.n_cols]
    }

    /// Row `i`, to be changed in place.
    pub fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.n_cols..(i + 1) * self.n_cols]
    }

    /// The rows from first to last.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        (0..self.n_rows).map(|i| self.row(i))
    }

    /// Column `j`, copied.
    #[must_use]
    pub fn column(&self, j: usize) -> Vec<f64> {
        self.rows().map(|row| row[j]).collect()
    }

    /// The chosen rows, in the order given.
    #[must_use]
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        Self::from_fn(rows.len(), self.n_cols, |i, j| self[(rows[i], j)])
    }

    /// The transpose.
    #[must_use]
    pub fn transpose(&self) -> Self {
        Self { n_rows: self.n_cols, n_cols: self.n_rows, values: transpose(&self.values, self.n_cols).into() }
    }

    /// The same numbers, row after row, in another shape.
    ///
    /// # Errors
    /// When the number of entries would change.
    pub fn reshape(self, n_rows: usize, n_cols: usize) -> Result<Self> {
        if n_rows * n_cols != self.values.len() {
            return Err(Error::shape("matrix to reshape", format!("{n_rows} x {n_cols} numbers"), self.values.len()));
        }
        Ok(Self { n_rows, n_cols, values: self.values })
    }

    /// `f` applied to every entry.
    #[must_use]
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { values: self.values.iter().map(|&v| f(v)).collect::<Vec<f64>>().into(), ..*self }
    }

    /// The product `self * other`.
    ///
    /// # Panics
    /// When the inner dimensions differ, as indexing past the end does.
    #[must_use]
    pub fn matmul(&self, other: &Self) -> Self {
        assert_eq!(self.n_cols, other.n_rows, "inner dimensions of a matrix product");
        product(self.as_faer(), other.as_faer())
    }

    /// The product of this matrix's transpose with `other`.
    ///
    /// # Panics
    /// When the rows differ in number, as indexing past the end does.
    #[must_use]
    pub fn transposed_times(&self, other: &Self) -> Self {
        assert_eq!(self.n_rows, other.n_rows, "inner dimensions of a matrix product");
        product(self.as_faer().transpose(), other.as_faer())
    }

    /// Orthonormal columns that span those of this matrix, which has at least as many rows as columns.
    #[must_use]
    pub fn orthonormal(&self) -> Self {
        let q = self.as_faer().qr().compute_thin_Q();
        Self::from_fn(self.n_rows, self.n_cols, |i, j| q[(i, j)])
    }

    /// The square root of the sum of squared entries.
    #[must_use]
    pub fn frobenius(&self) -> f64 {
        self.values.iter().map(|v| v * v).sum::<f64>().sqrt()
    }

    /// The root of the mean squared entry; the summary used for every gap between predictions.
    #[must_use]
    pub fn rms(&self) -> f64 {
        self.frobenius() / (self.values.len().max(1) as f64).sqrt()
    }

    /// The position and value of the first entry that is not finite.
    #[must_use]
    pub fn first_non_finite(&self) -> Option<(usize, usize, f64)> {
        let position = first_non_finite(&self.values)?;
        Some((position / self.n_cols, position % self.n_cols, self.values[position]))
    }

    pub(super) fn as_faer(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.values, self.n_rows, self.n_cols)
    }

    pub(super) fn as_faer_mut(&mut self) -> MatMut<'_, f64> {
        MatMut::from_row_major_slice_mut(&mut self.values, self.n_rows, self.n_cols)
    }
}

/// The product of two views; a transposed view costs no copy.
pub(super) fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Matrix {
    let mut product = Matrix::zeros(a.nrows(), b.ncols());
    let parallelism = faer::get_global_parallelism();
    faer::linalg::matmul::matmul(product.as_faer_mut(), Accum::Replace, a, b, 1.0, parallelism);
    product
}

/// The inner products of some rows of `a` with others, into `[rows, columns]`. On this thread alone, for callers that use all.
///
/// # Panics
/// When `into` has another length, or a row is past the end, as indexing does.
pub fn inner_products(a: &Matrix, rows: Range<usize>, columns: Range<usize>, into: &mut [f64]) {
    let view = |range: &Range<usize>| a.as_faer().subrows(range.start, range.len());
    let (left, right) = (view(&rows), view(&columns).transpose());
    let into = MatMut::from_row_major_slice_mut(into, rows.len(), columns.len());
    faer::linalg::matmul::matmul(into, Accum::Replace, left, right, 1.0, faer::Par::Seq);
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;

    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.row(i)[j]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.values[i * self.n_cols + j]
    }
}

impl Add for &Matrix {
    type Output = Matrix;

    fn add(self, other: &Matrix) -> Matrix {
        assert_eq!(self.shape(), other.shape(), "shapes of a matrix sum");
        let sums: Vec<f64> = self.values.iter().zip(other.values()).map(|(a, b)| a + b).collect();
        Matrix { values: sums.into(), ..*self }
    }
}

impl Sub for &Matrix {
    type Output = Matrix;

    fn sub(self, other: &Matrix) -> Matrix {
        assert_eq!(self.shape(), other.shape(), "shapes of a matrix difference");
        let differences: Vec<f64> = self.values.iter().zip(other.values()).map(|(a, b)| a - b).collect();
        Matrix { values: differences.into(), ..*self }
    }
}

/// A symmetric matrix: a kernel evaluated on one set of inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct GramMatrix(Matrix);

impl GramMatrix {
    /// All zeros.
    #[must_use]
    pub fn zeros(n: usize) -> Self {
        Self(Matrix::zeros(n, n))
    }

    /// The symmetric matrix whose lower triangle is `entry(i, j)`, `j <= i`.
    #[must_use]
    pub fn from_lower(n: usize, mut entry: impl FnMut(usize, usize) -> f64) -> Self {
        let mut matrix = Matrix::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let value = entry(i, j);
                matrix[(i, j)] = value;
                matrix[(j, i)] = value;
            }
        }
        Self(matrix)
    }

    /// Takes over a square matrix whose two triangles were written from the same numbers.
    ///
    /// # Errors
    /// When the matrix is not square.
    pub fn from_mirrored(matrix: Matrix) -> Result<Self> {
        let (n, n_cols) = matrix.shape();
        if n == n_cols {
            Ok(Self(matrix))
        } else {
            Err(Error::shape("Gram matrix", "a square matrix", format!("{n} x {n_cols}")))
        }
    }

    /// The symmetric matrix that has the lower triangle of `matrix`; what lies above the diagonal is overwritten.
    ///
    /// # Errors
    /// When the matrix is not square.
    pub fn from_lower_triangle(matrix: Matrix) -> Result<Self> {
        Ok(Self::of_lower_triangle(Self::from_mirrored(matrix)?.0))
    }

    /// As [`GramMatrix::from_lower_triangle`], of a matrix that is square because it was made so.
    pub(super) fn of_lower_triangle(mut square: Matrix) -> Self {
        let n = square.n_rows;
        mirror_lower(square.values_mut(), n);
        Self(square)
    }

    /// Accepts a square matrix that is symmetric up to `tolerance` times its largest entry, and averages the two triangles.
    ///
    /// # Errors
    /// When the matrix is not square, or less symmetric than that.
    pub fn from_symmetric(matrix: Matrix, tolerance: f64) -> Result<Self> {
        let (n, n_cols) = matrix.shape();
        if n != n_cols {
            return Err(Error::shape("Gram matrix", "a square matrix", format!("{n} x {n_cols}")));
        }
        let largest = matrix.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        for i in 0..n {
            for j in 0..i {
                let gap = (matrix[(i, j)] - matrix[(j, i)]).abs();
                if gap > tolerance * largest {
                    return Err(Error::Check(format!(
                        "a Gram matrix differs from its transpose by {gap:e} at row {i}, column {j} (largest entry {largest:e})"
                    )));
                }
            }
        }
        Ok(Self::from_lower(n, |i, j| 0.5 * (matrix[(i, j)] + matrix[(j, i)])))
    }

    /// factor times the matrix.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.0.values_mut().iter_mut().for_each(|value| *value *= factor);
        self
    }

    /// Number of rows, which is the number of columns.
    #[must_use]
    pub fn n(&self) -> usize {
        self.0.n_rows
    }

    /// The full matrix.
    #[must_use]
    pub fn as_matrix(&self) -> &Matrix {
        &self.0
    }

    /// The full matrix, taken over.
    #[must_use]
    pub fn into_matrix(self) -> Matrix {
        self.0
    }

    /// The mean of the diagonal, the scale against which a relative ridge is measured.
    #[must_use]
    pub fn mean_diagonal(&self) -> f64 {
        (0..self.n()).map(|i| self.0[(i, i)]).sum::<f64>() / self.n().max(1) as f64
    }

    /// Asked before every factorization, because one of a matrix with a NaN ends in an unrelated error or in nonsense.
    pub(super) fn require_finite(&self) -> Result<()> {
        let Some((row, column, value)) = self.0.first_non_finite() else { return Ok(()) };
        Err(Error::NotFinite {
            what: format!("kernel matrix of {} inputs", self.n()),
            value,
            place: format!("row {row}, column {column}"),
            remedy: "standardize the inputs, or lower `w_std` or the depth".to_string(),
        })
    }
}

impl Index<(usize, usize)> for GramMatrix {
    type Output = f64;

    fn index(&self, position: (usize, usize)) -> &f64 {
        &self.0[position]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_equals_its_definition() {
        let a = Matrix::from_fn(3, 4, |i, j| (i * 4 + j) as f64);
        let b = Matrix::from_fn(4, 2, |i, j| (i as f64) - 2.0 * (j as f64));
        let product = a.matmul(&b);
        for i in 0..3 {
            for j in 0..2 {
                let expected: f64 = (0..4).map(|k| a[(i, k)] * b[(k, j)]).sum();
                assert_eq!(product[(i, j)], expected);
            }
        }
    }

    #[test]
    fn an_asymmetric_matrix_is_refused_as_a_gram_matrix() {
        let matrix = Matrix::from_fn(2, 2, |i, j| (i + 3 * j) as f64);
        assert!(GramMatrix::from_symmetric(matrix, 1e-12).is_err());
    }
}
