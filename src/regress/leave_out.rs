//! Cross-validation without refitting: with G = (K + lambda I)^-1 and alpha = G Y, the regression on the other rows misses the targets of
//! a part F by
//!
//! Y_F - f_{-F}(X_F) = (G_FF)^-1 alpha_F,
//!
//! because (G_FF)^-1 is the Schur complement of the other rows (Rasmussen and Williams 2006, section 5.4.2, for one row at a time).
//!
//! Without a ridge, and with directions dropped, the regressions are pseudo-inverses, the limits of a vanishing lambda. There G tends to
//! P / lambda + K^+, P the projection on the dropped directions. With P_FF = U diag(p) U^T, u of the eigenvectors with p > 0 and v of
//! those with p = 0, the residual tends to u a + v b,
//!
//! a = p^-1 u^T (P Y)_F,   b = (v^T K^+_FF v)^-1 v^T ((K^+ Y)_F - K^+_FF u a).
//!
//! Dropped and kept directions mix by rounding, the more, the closer kept eigenvalues come to the cutoff; where p is then not known to be
//! zero or to be anything else, the residual has no value.

use super::fit::RidgeFit;
use super::folds::Folds;
use crate::error::{Error, Result};
use crate::linalg::{Cholesky, GramMatrix, Matrix, Spectrum};

/// How far off each training target is for the regression that has not seen its part.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    residuals: Matrix,
    undefined: Vec<usize>,
}

impl LeftOut {
    /// Target minus prediction, for every output; `None` where the regression without it cannot be told from the one with it.
    #[must_use]
    pub fn residual(&self, row: usize) -> Option<&[f64]> {
        self.undefined.binary_search(&row).is_err().then(|| self.residuals.row(row))
    }

    /// The rows that have no residual, in ascending order.
    #[must_use]
    pub fn undefined(&self) -> &[usize] {
        &self.undefined
    }

    /// The mean squared residual over inputs and outputs; `None` when one has no value.
    #[must_use]
    pub fn mean_squared_error(&self) -> Option<f64> {
        self.undefined.is_empty().then(|| self.residuals.rms().powi(2))
    }
}

impl RidgeFit<'_> {
    /// Leaves out one row at a time: O(N^2).
    ///
    /// # Errors
    /// [`Error::Config`] when there is one row only.
    pub fn leave_one_out(&self) -> Result<LeftOut> {
        self.leave_out(&Folds::of_one_row(self.path.n())?)
    }

    /// Leaves out one part at a time: O(N f^2) for each part of f rows.
    ///
    /// # Errors
    /// [`Error::Shape`] when the folds are of another number of rows.
    pub fn leave_out(&self, folds: &Folds) -> Result<LeftOut> {
        let n = self.path.n();
        if folds.n_rows() != n {
            return Err(Error::shape("rows of the folds", n, folds.n_rows()));
        }
        let (coefficients, unlearned) = (self.coefficients(), self.drops().then(|| self.residuals()));
        let mut left = LeftOut { residuals: Matrix::zeros(n, coefficients.n_cols()), undefined: Vec::new() };
        for part in folds.parts() {
            let coefficients = coefficients.select_rows(part);
            let residual = match &unlearned {
                None => solve(&self.block(part), &coefficients),
                Some(unlearned) => self.limit(part, &coefficients, &unlearned.select_rows(part)),
            };
            match residual {
                None => left.undefined.extend(part),
                Some(residual) => {
                    for (row, values) in part.iter().zip(residual.rows()) {
                        left.residuals.row_mut(*row).copy_from_slice(values);
                    }
                }
            }
        }
        left.undefined.sort_unstable();
        Ok(left)
    }

    /// G_FF, or K^+_FF where directions are dropped.
    fn block(&self, part: &[usize]) -> GramMatrix {
        let q = self.path.spectrum.eigenvectors();
        let roots: Vec<f64> = self.inverses.iter().map(|inverse| inverse.sqrt()).collect();
        square(&Matrix::from_fn(part.len(), roots.len(), |i, j| roots[j] * q[(part[i], j)]))
    }

    /// The limit of a vanishing ridge; `unlearned` is (P Y)_F.
    fn limit(&self, part: &[usize], coefficients: &Matrix, unlearned: &Matrix) -> Option<Matrix> {
        let q = self.path.spectrum.eigenvectors();
        let n_kept = self.inverses.len();
        let dropped = square(&Matrix::from_fn(part.len(), self.path.n() - n_kept, |i, j| q[(part[i], n_kept + j)]));
        let of_part = Spectrum::of(&dropped).ok()?;
        let n_seen = self.n_above_rounding(of_part.eigenvalues())?;

        let among = of_part.eigenvectors();
        let columns = |first: usize, n: usize| Matrix::from_fn(part.len(), n, |i, j| among[(i, first + j)]);
        let (u, v) = (columns(0, n_seen), columns(n_seen, part.len() - n_seen));
        let a = u.transpose().matmul(unlearned);
        let a = Matrix::from_fn(a.n_rows(), a.n_cols(), |i, o| a[(i, o)] / of_part.eigenvalues()[i]);
        let along_u = u.matmul(&a);
        if n_seen == part.len() {
            return Some(along_u);
        }
        let block = self.block(part).into_matrix();
        let rest = v.transpose().matmul(&(coefficients - &block.matmul(&along_u)));
        let of_v = v.transpose().matmul(&block.matmul(&v));
        let b = solve(&GramMatrix::from_lower(of_v.n_rows(), |i, j| of_v[(i, j)]), &rest)?;
        Some(&along_u + &v.matmul(&b))
    }

    /// How many of the eigenvalues p, in descending order, are not zero; `None` where that cannot be told.
    fn n_above_rounding(&self, p: &[f64]) -> Option<usize> {
        let smallest_kept = self.inverses.last().map_or(f64::INFINITY, |inverse| inverse.recip());
        // How far rounding turns the dropped directions (Davis and Kahan 1970). A component along them is the root of p, and so known to
        // half the digits only.
        let turn = (self.path.eigenvalue_cutoff() / smallest_kept).max((p.len() as f64 * f64::EPSILON).sqrt());
        let n_seen = p.iter().take_while(|p| p.max(0.0).sqrt() >= CERTAIN * turn).count();
        let is_known = p[n_seen..].iter().all(|p| turn <= LARGEST_TURN && p.max(0.0).sqrt() <= UNCERTAIN * turn);
        is_known.then_some(n_seen)
    }
}

/// A component this many turns large is known to three digits.
const CERTAIN: f64 = 1e3;
/// One of this many is rounding.
const UNCERTAIN: f64 = 10.0;
/// With a larger turn, no component is known to be zero.
const LARGEST_TURN: f64 = 1e-4;

fn square(rows: &Matrix) -> GramMatrix {
    GramMatrix::zeros(rows.n_rows()).plus_square(1.0, rows)
}

/// `None` when the block is singular to rounding.
fn solve(block: &GramMatrix, b: &Matrix) -> Option<Matrix> {
    Cholesky::of(block, 0.0).ok().map(|factor| factor.solve(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regress::{Ridge, RidgePath, regression};

    const N: usize = 23;

    fn kernel(a: f64, b: f64) -> f64 {
        (-(a - b).abs()).exp() + 0.2 * a * b
    }

    fn targets() -> Matrix {
        Matrix::from_fn(N, 2, |i, j| (0.7 * i as f64 + j as f64).cos())
    }

    /// Rows 3 and 20 have one input, and so have 5, 11 and 17.
    fn repeated() -> GramMatrix {
        let twin = |i: usize| match i {
            20 => 3,
            11 | 17 => 5,
            _ => i,
        };
        gram(|i| (twin(i) as f64 * 1.7).sin() * 2.0)
    }

    fn distinct() -> GramMatrix {
        gram(|i| (i as f64 * 1.7).sin() * 2.0)
    }

    fn gram(input: impl Fn(usize) -> f64) -> GramMatrix {
        GramMatrix::from_lower(N, |i, j| kernel(input(i), input(j)))
    }

    /// Fits the other rows and compares; by the pseudo-inverse where they are singular.
    fn refitted(k: &GramMatrix, part: &[usize], relative_ridge: f64) -> Matrix {
        let rest: Vec<usize> = (0..N).filter(|i| !part.contains(i)).collect();
        let k_rest = GramMatrix::from_lower(rest.len(), |i, j| k[(rest[i], rest[j])]);
        let cross = Matrix::from_fn(part.len(), rest.len(), |i, j| k[(part[i], rest[j])]);
        // The same ridge, in units of another mean diagonal.
        let relative = relative_ridge * k.mean_diagonal() / k_rest.mean_diagonal();
        let y = targets();
        &y.select_rows(part) - &regression(&k_rest, &cross, &y.select_rows(&rest), relative).unwrap()
    }

    fn assert_equal_to_refitting(k: &GramMatrix, folds: &Folds, ridges: &[f64]) {
        let path = RidgePath::new(k, &targets(), N as f64 * f64::EPSILON).unwrap();
        for &ridge in ridges {
            let left = path.at(Ridge::RelativeToTrace(ridge)).unwrap().leave_out(folds).unwrap();
            assert_eq!(left.undefined(), &[] as &[usize], "ridge {ridge}");
            for part in folds.parts() {
                let expected = refitted(k, part, ridge);
                for (row, expected) in part.iter().zip(expected.rows()) {
                    let found = left.residual(*row).unwrap();
                    let gap = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                    assert!(gap < 1e-10, "ridge {ridge}, row {row} of {part:?}: {found:?} against {expected:?}");
                }
            }
        }
    }

    const RIDGES: [f64; 4] = [0.0, 1e-6, 1e-2, 10.0];

    #[test]
    fn leaving_one_out_is_refitting_without_it() {
        assert_equal_to_refitting(&distinct(), &Folds::of_one_row(N).unwrap(), &RIDGES);
    }

    #[test]
    fn leaving_a_part_out_is_refitting_without_it() {
        for n_folds in [2, 5, 10] {
            assert_equal_to_refitting(&distinct(), &Folds::drawn(N, n_folds, 1).unwrap(), &RIDGES);
        }
    }

    #[test]
    fn without_a_ridge_repeated_inputs_are_left_out_as_the_pseudo_inverse_does() {
        assert_equal_to_refitting(&repeated(), &Folds::of_one_row(N).unwrap(), &[0.0, 1e-3]);
        // Parts that hold all repeats of an input, some of them, and none.
        let rest = |part: &[usize]| (0..N).filter(|i| !part.contains(i)).collect::<Vec<_>>();
        for part in [vec![3, 20, 5], vec![5, 11, 2], vec![0, 1], vec![11, 5, 17, 20, 8]] {
            let folds = Folds::given(N, vec![part.clone(), rest(&part)]).unwrap();
            assert_equal_to_refitting(&repeated(), &folds, &[0.0, 1e-3]);
        }
    }

    #[test]
    fn a_kernel_that_fades_into_rounding_has_no_residuals_without_a_ridge() {
        let k = gram(|i| i as f64 * 0.01);
        let smooth = GramMatrix::from_lower(N, |i, j| (-(i as f64 - j as f64).powi(2) / 400.0).exp());
        for (k, n_undefined) in [(k, 0), (smooth, N)] {
            let path = RidgePath::new(&k, &targets(), N as f64 * f64::EPSILON).unwrap();
            let left = path.at(Ridge::Absolute(0.0)).unwrap().leave_one_out().unwrap();
            assert_eq!(left.undefined().len(), n_undefined);
            assert_eq!(left.mean_squared_error().is_some(), n_undefined == 0);
        }
    }

    #[test]
    fn with_no_kernel_at_all_the_residual_is_the_target() {
        let path = RidgePath::new(&GramMatrix::zeros(N), &targets(), N as f64 * f64::EPSILON).unwrap();
        for ridge in [0.0, 0.5] {
            let left = path.at(Ridge::Absolute(ridge)).unwrap().leave_out(&Folds::drawn(N, 4, 0).unwrap()).unwrap();
            assert!((left.mean_squared_error().unwrap() - targets().rms().powi(2)).abs() < 1e-12);
        }
    }

    #[test]
    fn folds_of_other_rows_are_refused() {
        let path = RidgePath::new(&distinct(), &targets(), 1e-14).unwrap();
        assert!(path.at(Ridge::default()).unwrap().leave_out(&Folds::of_one_row(N + 1).unwrap()).is_err());
    }
}
