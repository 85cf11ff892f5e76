//! (K + ridge I) X = B by preconditioned conjugate gradients (Hestenes and Stiefel 1952), from products with K alone.
//!
//! Every column of B has a recurrence of its own, and they share their products, which are what costs. faer has this method too, but none
//! that can be stopped and go on with the same numbers, or whose products can fail.

use super::{Matrix, Operator};
use crate::error::{Error, Result};

/// An approximate inverse of K + ridge I, symmetric positive definite.
pub trait Preconditioner {
    /// `[n, k]` to `[n, k]`.
    fn solve(&self, residual: &Matrix) -> Matrix;
}

/// None: the residual itself.
#[derive(Debug, Clone, Copy)]
pub struct Unpreconditioned;

impl Preconditioner for Unpreconditioned {
    fn solve(&self, residual: &Matrix) -> Matrix {
        residual.clone()
    }
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Every column's residual, relative to its right-hand side.
    pub residual: f64,
    /// Products, at most.
    pub max_iterations: usize,
}

/// How a solution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The residual is below the tolerance.
    Converged,
    /// The residual did not halve for [`PATIENCE`] iterations: rounding, or a condition number that needs a better preconditioner.
    Stalled,
    /// All iterations were used.
    Exhausted,
}

/// Iterations in which the residual must halve.
pub const PATIENCE: usize = 500;

/// Where the iteration is: all it needs to go on with the same numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Iterate {
    /// The solution so far, `[n, k]`.
    pub x: Matrix,
    /// B - (K + ridge I) X as the recurrence has it, `[n, k]`.
    pub residual: Matrix,
    /// The next direction, `[n, k]`; all zeros before the first step.
    pub direction: Matrix,
    /// The residual's product with its preconditioned self, by column.
    pub energy: Vec<f64>,
    /// Products so far.
    pub n_iterations: usize,
    /// The relative residual when it last halved, and after how many products.
    pub halved: (f64, usize),
}

impl Iterate {
    /// The start: X = 0.
    #[must_use]
    pub fn start(b: &Matrix) -> Self {
        let zeros = Matrix::zeros(b.n_rows(), b.n_cols());
        Self {
            x: zeros.clone(),
            residual: b.clone(),
            direction: zeros,
            energy: vec![0.0; b.n_cols()],
            n_iterations: 0,
            halved: (f64::MAX, 0),
        }
    }

    /// The largest over columns of the residual's norm, relative to the right-hand side `b`.
    #[must_use]
    pub fn relative_residual(&self, b: &Matrix) -> f64 {
        largest(&relative_norms(&self.residual, b))
    }
}

/// Iterates from `iterate` until the tolerance is met or cannot be; `watch` sees every iterate and may end it with an error.
///
/// # Errors
/// What a product or `watch` fails of; [`Error::Indefinite`] when a direction has no positive curvature.
pub fn conjugate_gradients(
    k: &dyn Operator,
    ridge: f64,
    preconditioner: &dyn Preconditioner,
    b: &Matrix,
    mut iterate: Iterate,
    tolerance: Tolerance,
    watch: &mut dyn FnMut(&Iterate) -> Result<()>,
) -> Result<(Iterate, Ending)> {
    if (k.n(), b.n_cols()) != iterate.x.shape() || k.n() != b.n_rows() {
        return Err(Error::shape("rows of the right-hand side", k.n(), b.n_rows()));
    }
    loop {
        let relative = iterate.relative_residual(b);
        if relative <= tolerance.residual {
            return Ok((iterate, Ending::Converged));
        }
        if iterate.n_iterations >= tolerance.max_iterations {
            return Ok((iterate, Ending::Exhausted));
        }
        if relative <= 0.5 * iterate.halved.0 {
            iterate.halved = (relative, iterate.n_iterations);
        } else if iterate.n_iterations >= iterate.halved.1 + PATIENCE {
            return Ok((iterate, Ending::Stalled));
        }
        step(k, ridge, preconditioner, b, &mut iterate, tolerance)?;
        watch(&iterate)?;
    }
}

fn step(
    k: &dyn Operator,
    ridge: f64,
    preconditioner: &dyn Preconditioner,
    b: &Matrix,
    iterate: &mut Iterate,
    tolerance: Tolerance,
) -> Result<()> {
    let Iterate { x, residual, direction, energy, n_iterations, .. } = iterate;
    if *n_iterations == 0 {
        *direction = preconditioner.solve(residual);
        *energy = columns_dot(residual, direction);
    }
    // A column that is done would go on with the rounding errors of its residual.
    let is_done: Vec<bool> = relative_norms(residual, b).iter().map(|norm| *norm <= tolerance.residual).collect();

    let mut product = k.times(direction)?;
    axpy(&vec![ridge; b.n_cols()], direction, &mut product);
    let curvature = columns_dot(direction, &product);
    let mut lengths = vec![0.0; b.n_cols()];
    for (column, length) in lengths.iter_mut().enumerate().filter(|(column, _)| !is_done[*column]) {
        *length = energy[column] / curvature[column];
        // Written so that a NaN is caught too.
        if !(curvature[column] > 0.0 && length.is_finite()) {
            return Err(Error::Indefinite {
                n: k.n(),
                curvature: curvature[column],
                n_iterations: *n_iterations,
                ridge,
            });
        }
    }
    axpy(&lengths, direction, x);
    axpy(&lengths.iter().map(|length| -length).collect::<Vec<_>>(), &product, residual);

    let mut next = preconditioner.solve(residual);
    let before = std::mem::replace(energy, columns_dot(residual, &next));
    let turns: Vec<f64> = energy
        .iter()
        .zip(&before)
        .zip(&is_done)
        .map(|((now, before), done)| if *done { 0.0 } else { now / before })
        .collect();
    axpy(&turns, direction, &mut next);
    *direction = next;
    *n_iterations += 1;
    Ok(())
}

/// The norm of every column of `a`, relative to that of `b`; 0 where `b` is 0.
pub fn relative_norms(a: &Matrix, b: &Matrix) -> Vec<f64> {
    let norms = columns_dot(a, a).into_iter().zip(columns_dot(b, b));
    // Written so that a NaN stays one.
    norms.map(|(a, b)| if b == 0.0 { 0.0 } else { (a / b).sqrt() }).collect()
}

/// The largest of some numbers; NaN when one is, which `f64::max` would hide.
#[must_use]
pub fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| if value.is_nan() || *value > most { *value } else { most })
}

fn columns_dot(a: &Matrix, b: &Matrix) -> Vec<f64> {
    let mut sums = vec![0.0; a.n_cols()];
    for (a, b) in a.rows().zip(b.rows()) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums
}

/// Adds the columns of `from`, times their factors, to those of `to`.
fn axpy(factors: &[f64], from: &Matrix, to: &mut Matrix) {
    let n = factors.len();
    for (to, from) in to.values_mut().chunks_exact_mut(n.max(1)).zip(from.rows()) {
        for ((to, from), factor) in to.iter_mut().zip(from).zip(factors) {
            *to += factor * from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Cholesky, GramMatrix, PartialCholesky};
    use crate::seed::stream;

    /// An exponential kernel on a line: full rank, with eigenvalues that fall as a square.
    fn gram(n: usize) -> GramMatrix {
        GramMatrix::from_lower(n, |i, j| (-(i.abs_diff(j) as f64) / n as f64).exp())
    }

    fn right_hand_sides(n: usize) -> Matrix {
        Matrix::from_fn(n, 3, |i, j| if j == 2 { 0.0 } else { ((i * (j + 1)) as f64 * 0.37).sin() })
    }

    const TIGHT: Tolerance = Tolerance { residual: 1e-11, max_iterations: 10_000 };

    fn size(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |most, v| most.max(v.abs()))
    }

    #[test]
    fn the_solution_is_that_of_cholesky_to_the_tolerance_with_and_without_a_preconditioner() {
        let (k, b) = (gram(300), right_hand_sides(300));
        for ridge in [1e-4, 1e-1] {
            let exact = Cholesky::of(&k, ridge).unwrap().solve(&b);
            let partial = PartialCholesky::of(&k, 40, &mut stream(1, "pivots")).unwrap();
            let preconditioner = partial.preconditioner(ridge).unwrap();
            let mut counts = Vec::new();
            for preconditioner in [&Unpreconditioned as &dyn Preconditioner, &preconditioner] {
                let start = Iterate::start(&b);
                let (found, ending) =
                    conjugate_gradients(&k, ridge, preconditioner, &b, start, TIGHT, &mut |_| Ok(())).unwrap();
                assert_eq!(ending, Ending::Converged);
                assert!(size(&(&found.x - &exact)) < 1e-8 * size(&exact), "ridge {ridge}");
                counts.push(found.n_iterations);
            }
            assert!(counts[1] < counts[0], "{counts:?}");
        }
    }

    #[test]
    fn an_iteration_that_goes_on_from_a_kept_iterate_ends_with_the_same_bits() {
        let (k, b) = (gram(100), right_hand_sides(100));
        let run = |start: Iterate, max_iterations| {
            let tolerance = Tolerance { max_iterations, ..TIGHT };
            conjugate_gradients(&k, 1e-3, &Unpreconditioned, &b, start, tolerance, &mut |_| Ok(())).unwrap().0
        };
        let half = run(Iterate::start(&b), 17);
        assert_eq!(half.n_iterations, 17);
        assert_eq!(run(half, 10_000), run(Iterate::start(&b), 10_000));
    }

    #[test]
    fn a_matrix_with_a_negative_eigenvalue_is_refused_with_its_curvature() {
        let k = GramMatrix::from_lower(2, |i, j| if i == j { 1.0 } else { 2.0 });
        let b = Matrix::from_fn(2, 1, |i, _| if i == 0 { 1.0 } else { -1.0 });
        let error = conjugate_gradients(&k, 0.0, &Unpreconditioned, &b, Iterate::start(&b), TIGHT, &mut |_| Ok(()))
            .unwrap_err();
        assert!(matches!(error, Error::Indefinite { curvature, .. } if curvature == -2.0), "{error}");
    }

    #[test]
    fn what_cannot_be_solved_stalls_and_keeps_what_was_found() {
        // Rank one: no combination of its columns is this right-hand side.
        let k = GramMatrix::from_lower(3, |_, _| 1.0);
        let b = Matrix::from_fn(3, 1, |i, _| i as f64);
        let run =
            |ridge| conjugate_gradients(&k, ridge, &Unpreconditioned, &b, Iterate::start(&b), TIGHT, &mut |_| Ok(()));
        assert!(run(0.0).is_err() || run(0.0).unwrap().1 != Ending::Converged);
        assert_eq!(run(1e-3).unwrap().1, Ending::Converged);
    }
}
