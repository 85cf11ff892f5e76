//! K ~ F F^T from a few columns of K: partial Cholesky factorization with random pivots (Chen, Epperly, Tropp, Webber 2022), which is the
//! Nystrom approximation on those columns.
//!
//! A pivot is drawn with the probability that its diagonal entry of K - F F^T has in the trace, so that no input is left out that the others
//! do not explain, and none is taken twice. In blocks: a few pivots are drawn at once, and those that the others of their block explain
//! are left out.

use rand::RngExt;
use rayon::prelude::*;

use super::conjugate_gradients::Preconditioner;
use super::{Cholesky, Entries, GramMatrix, Matrix, ensure_fits};
use crate::error::Result;
use crate::seed::Stream;

/// F `[n, rank]` with K ~ F F^T, and which columns it is made of.
#[derive(Debug, Clone)]
pub struct PartialCholesky {
    factor: Matrix,
    pivots: Vec<usize>,
    trace: f64,
    trace_left: f64,
}

/// Pivots that are drawn at once.
const BLOCK: usize = 32;

/// A pivot whose diagonal entry fell to this part of what it was is rounding.
const EXHAUSTED: f64 = 1e-12;

impl PartialCholesky {
    /// At most `rank` columns of `k`; fewer where they explain all of it to rounding.
    ///
    /// # Errors
    /// What computing columns fails of; columns that do not fit into memory.
    pub fn of(k: &dyn Entries, rank: usize, random: &mut Stream) -> Result<Self> {
        let n = k.n();
        let diagonal = k.diagonal()?;
        let trace: f64 = diagonal.iter().sum();
        let mut left = diagonal.clone();
        let mut pivots: Vec<usize> = Vec::new();
        let rank = rank.min(n);
        ensure_fits(
            // The factor, and its leading columns at the end.
            2.0 * 8.0 * n as f64 * rank as f64,
            || format!("{rank} columns of a kernel matrix of {n} rows"),
            "take fewer columns: a smaller `rank`",
        )?;
        let mut factor = Matrix::zeros(n, rank);
        while pivots.len() < rank {
            let drawn = draw(&left, BLOCK.min(rank - pivots.len()), EXHAUSTED * trace / n as f64, random);
            if drawn.is_empty() {
                break;
            }
            // What the columns before do not explain of these.
            let explained = factor.matmul(&factor.select_rows(&drawn).transpose());
            let columns = &k.columns(&drawn)? - &explained;
            let block = columns.select_rows(&drawn);
            let (kept, lower) =
                factored(&block, &drawn.iter().map(|&pivot| EXHAUSTED * diagonal[pivot]).collect::<Vec<_>>());
            if kept.is_empty() {
                break;
            }
            append(&mut factor, pivots.len(), &columns, &kept, &lower, &mut left);
            pivots.extend(kept.iter().map(|&position| drawn[position]));
            for &pivot in &pivots {
                left[pivot] = 0.0;
            }
        }
        let factor = first_columns(factor, pivots.len());
        Ok(Self { factor, pivots, trace, trace_left: left.iter().sum() })
    }

    /// F, `[n, rank]`.
    #[must_use]
    pub fn factor(&self) -> &Matrix {
        &self.factor
    }

    /// F itself, where nothing else of this is needed any more.
    #[must_use]
    pub fn into_factor(self) -> Matrix {
        self.factor
    }

    /// The columns it is made of, in their order.
    #[must_use]
    pub fn pivots(&self) -> &[usize] {
        &self.pivots
    }

    /// F of other inputs, `[n_test, rank]`, from their kernel with the pivots, `[n_test, rank]`.
    ///
    /// # Panics
    /// When `k_test_pivots` has not one column per pivot, as indexing does.
    #[must_use]
    pub fn extended(&self, k_test_pivots: &Matrix) -> Matrix {
        // F at the pivots, in their order, is lower triangular.
        let lower: Vec<Vec<f64>> =
            self.pivots.iter().enumerate().map(|(k, &pivot)| self.factor.row(pivot)[..=k].to_vec()).collect();
        let rank = self.pivots.len();
        let mut extended = Matrix::zeros(k_test_pivots.n_rows(), rank);
        extended.values_mut().par_chunks_exact_mut(rank.max(1)).enumerate().for_each(|(i, row)| {
            row.copy_from_slice(&solved(&lower, |k| k_test_pivots[(i, k)]));
        });
        extended
    }

    /// tr(K - F F^T) / tr K: what is left unexplained.
    #[must_use]
    pub fn relative_trace_left(&self) -> f64 {
        if self.trace > 0.0 { self.trace_left / self.trace } else { 0.0 }
    }

    /// F^T F + ridge I, factored.
    ///
    /// # Errors
    /// When it is singular to rounding.
    pub fn inner(&self, ridge: f64) -> Result<Cholesky> {
        let inner = self.factor.transposed_times(&self.factor);
        Cholesky::of(&GramMatrix::from_lower(self.pivots.len(), |i, j| inner[(i, j)]), ridge)
    }

    /// The inverse of F F^T + ridge I as a preconditioner of K + ridge I, by the identity of Woodbury.
    ///
    /// # Errors
    /// As [`PartialCholesky::inner`], but for a ridge that is too small for it: rounding bounds what is used in its place.
    pub fn preconditioner(self, ridge: f64) -> Result<LowRank> {
        let shift = ridge.max(100.0 * f64::EPSILON * self.trace.max(f64::MIN_POSITIVE));
        let inner = self.inner(shift)?;
        Ok(LowRank { factor: self.factor, inner, shift })
    }
}

/// (F F^T + shift I)^-1 v = (v - F (F^T F + shift I)^-1 F^T v) / shift.
#[derive(Debug, Clone)]
pub struct LowRank {
    factor: Matrix,
    inner: Cholesky,
    shift: f64,
}

impl Preconditioner for LowRank {
    fn solve(&self, residual: &Matrix) -> Matrix {
        let projected = self.factor.transposed_times(residual);
        let explained = self.factor.matmul(&self.inner.solve(&projected));
        (residual - &explained).map(|v| v / self.shift)
    }
}

/// Up to `n` different positions, each with the probability of its weight; those at or below `least` are never drawn.
fn draw(weights: &[f64], n: usize, least: f64, random: &mut Stream) -> Vec<usize> {
    let mut weights: Vec<f64> = weights.iter().map(|w| if *w > least { *w } else { 0.0 }).collect();
    let mut drawn = Vec::with_capacity(n);
    for _ in 0..n {
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            break;
        }
        let mut rest = random.random::<f64>() * total;
        let position = weights.iter().position(|w| {
            rest -= w;
            rest < 0.0
        });
        // Rounding may leave a rest behind the last weight.
        let Some(position) = position.or_else(|| weights.iter().rposition(|w| *w > 0.0)) else { break };
        weights[position] = 0.0;
        drawn.push(position);
    }
    drawn
}

/// The Cholesky factor of those rows of a small matrix that the rows before do not explain, row after row, and which they are.
fn factored(block: &Matrix, least: &[f64]) -> (Vec<usize>, Vec<Vec<f64>>) {
    let (mut kept, mut lower): (Vec<usize>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for i in 0..block.n_rows() {
        let row = solved(&lower, |k| block[(i, kept[k])]);
        let rest = block[(i, i)] - row.iter().map(|v| v * v).sum::<f64>();
        if rest > least[i] {
            lower.push([row, vec![rest.sqrt()]].concat());
            kept.push(i);
        }
    }
    (kept, lower)
}

/// L^-1 b by substitution.
fn solved(lower: &[Vec<f64>], b: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut x: Vec<f64> = Vec::with_capacity(lower.len() + 1);
    for (k, row) in lower.iter().enumerate() {
        let known: f64 = row.iter().zip(&x).map(|(l, x)| l * x).sum();
        x.push((b(k) - known) / row[k]);
    }
    x
}

/// Writes the new columns of the factor from column `first` on, and takes what they explain from the diagonal.
fn append(factor: &mut Matrix, first: usize, columns: &Matrix, kept: &[usize], lower: &[Vec<f64>], left: &mut [f64]) {
    let rank = factor.n_cols();
    let rows = factor.values_mut().par_chunks_exact_mut(rank).zip(left.par_iter_mut()).enumerate();
    rows.for_each(|(i, (row, left))| {
        let new = solved(lower, |k| columns[(i, kept[k])]);
        *left = (*left - new.iter().map(|v| v * v).sum::<f64>()).max(0.0);
        row[first..first + new.len()].copy_from_slice(&new);
    });
}

fn first_columns(matrix: Matrix, n: usize) -> Matrix {
    if matrix.n_cols() == n { matrix } else { Matrix::from_fn(matrix.n_rows(), n, |i, j| matrix[(i, j)]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;

    fn gram(n: usize) -> GramMatrix {
        GramMatrix::from_lower(n, |i, j| (-(i.abs_diff(j) as f64) / 20.0).exp())
    }

    fn largest(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |most, v| most.max(v.abs()))
    }

    #[test]
    fn all_columns_give_the_whole_matrix_and_the_chosen_ones_are_exact() {
        let k = gram(90);
        for rank in [10, 50, 90] {
            let partial = PartialCholesky::of(&k, rank, &mut stream(3, "pivots")).unwrap();
            let low_rank = partial.factor().matmul(&partial.factor().transpose());
            let gap = k.as_matrix() - &low_rank;
            assert_eq!(partial.pivots().len(), rank);
            for &pivot in partial.pivots() {
                assert!(gap.row(pivot).iter().all(|v| v.abs() < 1e-12));
            }
            let trace: f64 = (0..90).map(|i| gap[(i, i)]).sum();
            assert!((trace / 90.0 - partial.relative_trace_left()).abs() < 1e-12);
        }
    }

    #[test]
    fn repeated_inputs_end_the_factorization_at_the_rank_of_the_matrix() {
        let k = GramMatrix::from_lower(60, |i, j| (-((i % 12).abs_diff(j % 12) as f64)).exp());
        let partial = PartialCholesky::of(&k, 60, &mut stream(3, "pivots")).unwrap();
        assert_eq!(partial.pivots().len(), 12);
        assert!(partial.relative_trace_left() < 1e-12);
    }

    #[test]
    fn at_full_rank_the_preconditioner_is_the_inverse() {
        let k = gram(50);
        let b = Matrix::from_fn(50, 2, |i, j| ((i + j) as f64).cos());
        let partial = PartialCholesky::of(&k, 50, &mut stream(3, "pivots")).unwrap();
        let solved = partial.preconditioner(0.1).unwrap().solve(&b);
        let exact = Cholesky::of(&k, 0.1).unwrap().solve(&b);
        assert!(largest(&(&solved - &exact)) < 1e-10 * largest(&exact));
    }
}
