//! Symmetric updates K + c A A^T and K + c (A B^T + B A^T), below the diagonal alone: half the work of a full product.

use faer::Accum;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};

use super::{GramMatrix, Matrix};

impl GramMatrix {
    /// self + factor A A^T.
    ///
    /// # Panics
    /// When `a` has not one row per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn plus_square(self, factor: f64, a: &Matrix) -> Self {
        let mut sum = self.into_matrix();
        add_lower(&mut sum, factor, a, a);
        Self::of_lower_triangle(sum)
    }

    /// self + factor (A B^T + B A^T).
    ///
    /// # Panics
    /// When `a` and `b` differ in shape, or have not one row per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn plus_symmetric_product(self, factor: f64, a: &Matrix, b: &Matrix) -> Self {
        let mut sum = self.into_matrix();
        add_lower(&mut sum, factor, a, b);
        add_lower(&mut sum, factor, b, a);
        Self::of_lower_triangle(sum)
    }
}

/// Adds the lower triangle of factor A B^T.
fn add_lower(sum: &mut Matrix, factor: f64, a: &Matrix, b: &Matrix) {
    matmul(
        sum.as_faer_mut(),
        BlockStructure::TriangularLower,
        Accum::Add,
        a.as_faer(),
        BlockStructure::Rectangular,
        b.as_faer().transpose(),
        BlockStructure::Rectangular,
        factor,
        faer::get_global_parallelism(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_equal_the_full_products() {
        for n in [0, 1, 5, 130] {
            let gram = GramMatrix::from_lower(n, |i, j| ((i * j + i + j) as f64).cos());
            let rows = |phase: f64| Matrix::from_fn(n, 9, |i, j| ((i * 9 + j) as f64 + phase).sin());
            let (a, b) = (rows(0.0), rows(0.4));
            let square = a.matmul(&a.transpose()).map(|v| -2.0 * v);
            let expected = gram.as_matrix() + &square;
            let found = gram.clone().plus_square(-2.0, &a);
            assert!((found.as_matrix() - &expected).rms() < 1e-13, "{n}");
            let product = &a.matmul(&b.transpose()) + &b.matmul(&a.transpose());
            let expected = gram.as_matrix() + &product;
            let found = gram.plus_symmetric_product(1.0, &a, &b);
            assert!((found.as_matrix() - &expected).rms() < 1e-13, "{n}");
            assert_eq!(found.as_matrix().transpose(), *found.as_matrix());
        }
    }
}
