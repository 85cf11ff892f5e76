//! K = Q S Q^T with orthonormal Q: in this basis every function of a kernel, f(K) = Q f(S) Q^T, acts on one number at a
//! time.

use faer::Side;
use faer::linalg::solvers::SelfAdjointEigen;

use super::matrix::product;
use super::{GramMatrix, Matrix};
use crate::error::{Error, Result};

/// Eigenvalues and eigenvectors of a kernel matrix, the largest first.
#[derive(Debug, Clone)]
pub struct Spectrum {
    eigenvalues: Vec<f64>,
    eigenvectors: Matrix,
}

impl Spectrum {
    /// Takes the matrix apart.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the matrix is not finite.
    pub fn of(gram: &GramMatrix) -> Result<Self> {
        gram.require_finite()?;
        let n = gram.n();
        let eigen = SelfAdjointEigen::new(gram.as_matrix().as_faer(), Side::Lower)
            .map_err(|_| Error::Check(format!("the eigenvalues of a {n} x {n} kernel matrix did not converge")))?;

        let (values, vectors) = (eigen.S(), eigen.U());
        Ok(Self {
            eigenvalues: (0..n).rev().map(|i| values[i]).collect(),
            eigenvectors: Matrix::from_fn(n, n, |i, j| vectors[(i, n - 1 - j)]),
        })
    }

    /// Of orthonormal `eigenvectors` `[n, k]`, one for each eigenvalue.
    pub(super) fn from_parts(eigenvalues: Vec<f64>, eigenvectors: Matrix) -> Self {
        Self { eigenvalues, eigenvectors }
    }

    /// The eigenvalues in descending order. Those of a singular matrix come out as rounding errors of either sign.
    #[must_use]
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// Q: column j is the unit eigenvector of eigenvalue j.
    #[must_use]
    pub fn eigenvectors(&self) -> &Matrix {
        &self.eigenvectors
    }

    /// Q^T y: the coordinates of each column of `y` along the eigenvectors.
    ///
    /// # Panics
    /// When `y` has not one row per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn project(&self, y: &Matrix) -> Matrix {
        product(self.eigenvectors.as_faer().transpose(), y.as_faer())
    }

    /// f(K) y = Q f(S) Q^T y.
    ///
    /// # Panics
    /// When `y` has not one row per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn apply(&self, f: impl Fn(f64) -> f64, y: &Matrix) -> Matrix {
        let coordinates = self.project(y);
        let factors: Vec<f64> = self.eigenvalues.iter().map(|&s| f(s)).collect();
        let scaled = Matrix::from_fn(y.n_rows(), y.n_cols(), |i, j| factors[i] * coordinates[(i, j)]);
        self.eigenvectors.matmul(&scaled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gram(n: usize) -> GramMatrix {
        GramMatrix::from_lower(n, |i, j| (-(i.abs_diff(j) as f64)).exp() + (i * j) as f64 / (n * n) as f64)
    }

    fn largest(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    #[test]
    fn a_tridiagonal_matrix_has_its_known_eigenvalues_in_descending_order() {
        // The second difference (2 on the diagonal, -1 beside it) has eigenvalues 2 - 2 cos(k pi / (n + 1)).
        let n = 50;
        let laplacian = GramMatrix::from_lower(n, |i, j| [2.0, -1.0].get(i - j).copied().unwrap_or(0.0));
        let spectrum = Spectrum::of(&laplacian).unwrap();
        for (position, s) in spectrum.eigenvalues().iter().enumerate() {
            let k = (n - position) as f64;
            let expected = 2.0 - 2.0 * (k * std::f64::consts::PI / (n + 1) as f64).cos();
            assert!((s - expected).abs() < 1e-13, "{position}: {s} against {expected}");
        }
    }

    #[test]
    fn eigenvectors_are_orthonormal_columns_that_the_matrix_stretches() {
        let gram = gram(20);
        let spectrum = Spectrum::of(&gram).unwrap();
        let q = spectrum.eigenvectors();
        let identity = Matrix::from_fn(20, 20, |i, j| f64::from(i == j));
        assert!(largest(&(&spectrum.project(q) - &identity)) < 1e-13);
        let stretched = Matrix::from_fn(20, 20, |i, j| q[(i, j)] * spectrum.eigenvalues()[j]);
        assert!(largest(&(&gram.as_matrix().matmul(q) - &stretched)) < 1e-12);
    }

    #[test]
    fn the_identity_function_gives_the_matrix_and_the_inverse_undoes_it() {
        let gram = gram(20);
        let y = Matrix::from_fn(20, 2, |i, j| ((i + 3 * j) as f64).sin());
        let spectrum = Spectrum::of(&gram).unwrap();
        let product = gram.as_matrix().matmul(&y);
        assert!(largest(&(&spectrum.apply(|s| s, &y) - &product)) < 1e-12);
        assert!(largest(&(&spectrum.apply(f64::recip, &product) - &y)) < 1e-11);
    }
}
