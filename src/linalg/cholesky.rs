//! K + ridge I = L L^T, L lower triangular: the factorization behind every exact kernel regression.

use std::f64::consts::TAU;

use faer::linalg::cholesky::llt;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Accum, MatMut, MatRef, dyn_stack};

use super::{GramMatrix, Matrix};
use crate::error::{Error, Result};

/// The Cholesky factor of a kernel matrix with a ridge on its diagonal.
///
/// Vectors come as rows wherever there are many: the kernel of a test input with the training inputs is a row of `k_test_train`.
#[derive(Debug, Clone)]
pub struct Cholesky {
    /// Row j is column j of L from the diagonal on. What stands left of the diagonal is the kernel's and is never read.
    columns: Matrix,
}

impl Cholesky {
    /// Factors `gram + ridge I`.
    ///
    /// A pivot within `n` machine epsilons of zero, measured by its own diagonal entry, is refused like a negative one:
    /// it is the rounding error of the pivots before it, and its sign is luck.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] with the row of the first pivot that is not positive, [`Error::NotFinite`] when
    /// the matrix is not finite.
    pub fn of(gram: &GramMatrix, ridge: f64) -> Result<Self> {
        gram.require_finite()?;
        let n = gram.n();
        let failure = |row| Error::NotPositiveDefinite { n, row, ridge };

        // A symmetric matrix reads the same row after row and column after column, the order that faer is fastest in.
        let mut columns = gram.as_matrix().clone();
        for i in 0..n {
            columns[(i, i)] += ridge;
        }
        let parallelism = faer::get_global_parallelism();
        let scratch = llt::factor::cholesky_in_place_scratch::<f64>(n, parallelism, Default::default());
        let mut memory = dyn_stack::MemBuffer::new(scratch);
        llt::factor::cholesky_in_place(
            columns.as_faer_mut().transpose_mut(),
            Default::default(),
            parallelism,
            dyn_stack::MemStack::new(&mut memory),
            Default::default(),
        )
        .map_err(|llt::factor::LltError::NonPositivePivot { index }| failure(index))?;

        let rounding = n as f64 * f64::EPSILON;
        match (0..n).find(|&i| columns[(i, i)].powi(2) <= rounding * (gram[(i, i)] + ridge)) {
            Some(row) => Err(failure(row)),
            None => Ok(Self { columns }),
        }
    }

    /// (K + ridge I)^-1 b.
    ///
    /// # Panics
    /// When `b` has not one row per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn solve(&self, b: &Matrix) -> Matrix {
        let mut x = b.clone();
        self.solve_in_place(x.as_faer_mut());
        x
    }

    /// (K + ridge I)^-1 v of every row v.
    ///
    /// # Panics
    /// When `rows` has not one column per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn solve_rows(&self, rows: &Matrix) -> Matrix {
        let mut x = rows.clone();
        self.solve_in_place(x.as_faer_mut().transpose_mut());
        x
    }

    /// L^-1 v of every row v: the inner products of these are u^T (K + ridge I)^-1 v.
    ///
    /// # Panics
    /// When `rows` has not one column per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn whiten_rows(&self, rows: &Matrix) -> Matrix {
        let mut x = rows.clone();
        let parallelism = faer::get_global_parallelism();
        solve_lower_triangular_in_place(self.lower(), x.as_faer_mut().transpose_mut(), parallelism);
        x
    }

    /// (K + ridge I)^-1.
    #[must_use]
    pub fn inverse(&self) -> GramMatrix {
        let n = self.columns.n_rows();
        let parallelism = faer::get_global_parallelism();
        // Above the diagonal of L^-1, zeros stay zeros.
        let mut inverse_columns = Matrix::zeros(n, n);
        invert_lower_triangular(inverse_columns.as_faer_mut().transpose_mut(), self.lower(), parallelism);

        let l_inverse = inverse_columns.as_faer().transpose();
        let mut product = Matrix::zeros(n, n);
        matmul(
            product.as_faer_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            l_inverse.transpose(),
            BlockStructure::TriangularUpper,
            l_inverse,
            BlockStructure::TriangularLower,
            1.0,
            parallelism,
        );
        GramMatrix::of_lower_triangle(product)
    }

    /// log det (K + ridge I).
    #[must_use]
    pub fn log_determinant(&self) -> f64 {
        (0..self.columns.n_rows()).map(|i| 2.0 * self.columns[(i, i)].ln()).sum()
    }

    /// log N(y; 0, K + ridge I), summed over the columns of `y`.
    ///
    /// # Panics
    /// When `y` has not one row per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn log_density(&self, y: &Matrix) -> f64 {
        let (n, n_columns) = (y.n_rows() as f64, y.n_cols() as f64);
        let squares = self.whiten_rows(&y.transpose()).frobenius().powi(2);
        -0.5 * (squares + n_columns * (self.log_determinant() + n * TAU.ln()))
    }

    fn lower(&self) -> MatRef<'_, f64> {
        self.columns.as_faer().transpose()
    }

    fn solve_in_place(&self, mut x: MatMut<'_, f64>) {
        let parallelism = faer::get_global_parallelism();
        solve_lower_triangular_in_place(self.lower(), x.as_mut(), parallelism);
        solve_upper_triangular_in_place(self.lower().transpose(), x, parallelism);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A smooth positive definite matrix: exp(-|i - j| / 5).
    fn exponential(n: usize) -> GramMatrix {
        GramMatrix::from_lower(n, |i, j| (-(i.abs_diff(j) as f64) / 5.0).exp())
    }

    fn largest(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    #[test]
    fn a_solution_times_the_matrix_is_the_right_hand_side() {
        let (n, ridge) = (40, 1e-2);
        let gram = exponential(n);
        let b = Matrix::from_fn(n, 3, |i, j| ((i * 3 + j) as f64).sin());
        let x = Cholesky::of(&gram, ridge).unwrap().solve(&b);
        let back = &gram.as_matrix().matmul(&x) + &x.map(|v| ridge * v);
        assert!(largest(&(&back - &b)) < 1e-12);
    }

    #[test]
    fn inner_products_of_whitened_rows_are_the_quadratic_form() {
        let n = 30;
        let rows = Matrix::from_fn(2, n, |i, j| ((j + 7 * i) as f64).cos());
        let factor = Cholesky::of(&exponential(n), 0.1).unwrap();
        let white = factor.whiten_rows(&rows);
        let gap = &white.matmul(&white.transpose()) - &rows.matmul(&factor.solve(&rows.transpose()));
        assert!(largest(&gap) < 1e-12);
        assert!(largest(&(&factor.solve_rows(&rows).transpose() - &factor.solve(&rows.transpose()))) < 1e-13);
    }

    #[test]
    fn the_inverse_undoes_the_matrix_at_every_size() {
        for n in [0, 1, 7, 64, 200] {
            let gram = exponential(n);
            let inverse = Cholesky::of(&gram, 0.0).unwrap().inverse();
            let identity = Matrix::from_fn(n, n, |i, j| f64::from(i == j));
            assert!(largest(&(&gram.as_matrix().matmul(inverse.as_matrix()) - &identity)) < 1e-12, "{n}");
        }
    }

    #[test]
    fn the_determinant_of_the_exponential_kernel_is_known() {
        // Markov: det = (1 - r^2)^(n - 1), r the correlation of neighbours.
        let expected = 39.0 * (-(-0.4_f64).exp_m1()).ln();
        let found = Cholesky::of(&exponential(40), 0.0).unwrap().log_determinant();
        assert!((found / expected - 1.0).abs() < 1e-13, "{found} against {expected}");
    }

    #[test]
    fn the_error_names_the_row_of_the_failing_pivot() {
        for (n, row) in [(3, 1), (400, 250)] {
            let gram = GramMatrix::from_lower(n, |i, j| match (i == j, i == row) {
                (true, true) => -1.0,
                (true, false) => 1.0,
                _ => 0.0,
            });
            let error = Cholesky::of(&gram, 0.5).unwrap_err().to_string();
            let expected = format!("{n} inputs is not positive definite at row {row} (ridge 5e-1)");
            assert!(error.contains(&expected), "{error}");
        }
    }

    #[test]
    fn a_repeated_input_is_refused_at_its_second_occurrence_and_accepted_with_a_ridge() {
        // Whether rounding leaves this pivot at +1e-16 or at -1e-16 must not decide between a wild answer and an error.
        let input = |i: usize| (i as f64 * 1.7).sin() * 2.0;
        let base = GramMatrix::from_lower(30, |i, j| (-(input(i) - input(j)).abs()).exp() + 0.3 * input(i) * input(j));
        for repeated in 1..30 {
            let alias = |i: usize| if i == repeated { repeated - 1 } else { i };
            let gram = GramMatrix::from_lower(30, |i, j| base[(alias(i), alias(j))]);
            let error = Cholesky::of(&gram, 0.0).unwrap_err();
            assert!(matches!(error, Error::NotPositiveDefinite { row, .. } if row == repeated), "{error}");
            assert!(Cholesky::of(&gram, 1e-8).is_ok());
        }
    }

    #[test]
    fn a_matrix_that_is_not_finite_is_refused_by_name() {
        let gram = GramMatrix::from_lower(4, |i, j| if (i, j) == (2, 1) { f64::NAN } else { 1.0 });
        assert!(matches!(Cholesky::of(&gram, 1.0), Err(Error::NotFinite { .. })));
    }
}
