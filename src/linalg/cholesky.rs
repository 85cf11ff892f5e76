//! K + ridge I = L L^T, L lower triangular: the factorization behind every exact kernel regression.

use faer::Side;
use faer::linalg::solvers::{Llt, LltError, Solve};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;

use super::{GramMatrix, Matrix};
use crate::error::{Error, Result};

/// The Cholesky factor of a kernel matrix with a ridge on its diagonal.
#[derive(Debug, Clone)]
pub struct Cholesky(Llt<f64>);

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

        let shifted = GramMatrix::from_lower(n, |i, j| gram[(i, j)] + if i == j { ridge } else { 0.0 });
        let factor = Llt::new(shifted.as_matrix().as_faer(), Side::Lower)
            .map_err(|LltError::NonPositivePivot { index }| failure(index))?;

        let rounding = n as f64 * f64::EPSILON;
        match (0..n).find(|&i| factor.L()[(i, i)].powi(2) <= rounding * shifted[(i, i)]) {
            Some(row) => Err(failure(row)),
            None => Ok(Self(factor)),
        }
    }

    /// (K + ridge I)^-1 b.
    ///
    /// # Panics
    /// When `b` has not one row per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn solve(&self, b: &Matrix) -> Matrix {
        let mut x = b.clone();
        self.0.solve_in_place(x.as_faer_mut());
        x
    }

    /// L^-1 b, whose columns have the inner products b^T (K + ridge I)^-1 b.
    ///
    /// # Panics
    /// When `b` has not one row per row of the matrix, as a matrix product would.
    #[must_use]
    pub fn solve_lower(&self, b: &Matrix) -> Matrix {
        let mut x = b.clone();
        solve_lower_triangular_in_place(self.0.L(), x.as_faer_mut(), faer::get_global_parallelism());
        x
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
    fn inner_products_of_lower_solves_are_the_quadratic_form() {
        let n = 30;
        let b = Matrix::from_fn(n, 2, |i, j| ((i + 7 * j) as f64).cos());
        let factor = Cholesky::of(&exponential(n), 0.1).unwrap();
        let half = factor.solve_lower(&b);
        let gap = &half.transpose().matmul(&half) - &b.transpose().matmul(&factor.solve(&b));
        assert!(largest(&gap) < 1e-12);
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
