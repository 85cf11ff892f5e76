//! Regression with a kernel of low rank: f(x*) = F* (F^T F + lambda I)^-1 F^T Y, for K(X, X) ~ F F^T and K(x*, X) ~ F* F^T.
//!
//! With F from some columns of the kernel it is the method of Nystrom, or subset of regressors (Williams and Seeger 2001; Rasmussen and
//! Williams 2006, section 8.3); with random features, of Rahimi and Recht 2007. It costs n rank^2 where the exact solution costs n^3 / 3.

use crate::error::{Error, Result};
use crate::linalg::{Cholesky, GramMatrix, Matrix};

/// Ridge regression on features: `[n_test, O]`.
///
/// How far F F^T is from the kernel is known where F is made: [`relative_trace_left`](crate::linalg::PartialCholesky::relative_trace_left)
/// for columns, [`kernel_error`] for any features.
///
/// # Shapes
/// `f_train` `[n, rank]`, `f_test` `[n_test, rank]`, `y_train` `[n, O]`.
///
/// # Errors
/// [`Error::Shape`]; [`Error::NotPositiveDefinite`] when the features are dependent to rounding and the ridge does not mend it.
pub fn feature_regression(f_train: &Matrix, f_test: &Matrix, y_train: &Matrix, ridge: f64) -> Result<Matrix> {
    if f_train.n_cols() != f_test.n_cols() {
        return Err(Error::shape("features of the test inputs", f_train.n_cols(), f_test.n_cols()));
    }
    Ok(f_test.matmul(&feature_weights(f_train, y_train, ridge)?))
}

/// (F^T F + lambda I)^-1 F^T Y, one weight for every feature and output: `[rank, O]`.
///
/// # Errors
/// As [`feature_regression`].
pub fn feature_weights(f_train: &Matrix, y_train: &Matrix, ridge: f64) -> Result<Matrix> {
    if f_train.n_rows() != y_train.n_rows() {
        return Err(Error::shape("rows of the training targets", f_train.n_rows(), y_train.n_rows()));
    }
    let rank = f_train.n_cols();
    let inner = f_train.transposed_times(f_train);
    let factor = Cholesky::of(&GramMatrix::from_lower(rank, |i, j| inner[(i, j)]), ridge)?;
    Ok(factor.solve(&f_train.transposed_times(y_train)))
}

/// ||K - F F^T|| / ||K|| in the Frobenius norm over the rows for which `k` `[m, m]` and `f` `[m, rank]` are given: a sample of inputs, where
/// all do not fit.
///
/// # Errors
/// [`Error::Shape`].
pub fn kernel_error(k: &GramMatrix, f: &Matrix) -> Result<f64> {
    if f.n_rows() != k.n() {
        return Err(Error::shape("rows of the features", k.n(), f.n_rows()));
    }
    let scale = k.as_matrix().frobenius();
    let gap = (k.as_matrix() - &f.matmul(&f.transpose())).frobenius();
    Ok(if scale > 0.0 { gap / scale } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Entries, PartialCholesky};
    use crate::regress::kernel_ridge;
    use crate::seed::stream;

    fn laplace(s: f64, t: f64) -> f64 {
        (-(s - t).abs()).exp()
    }

    /// Predictions from `rank` columns, and how much of the kernel they leave out.
    fn predicted(rank: usize) -> (Matrix, f64) {
        let x = |i: usize| i as f64 * 0.1;
        let k = GramMatrix::from_lower(80, |i, j| laplace(x(i), x(j)));
        let y = Matrix::from_fn(80, 1, |i, _| x(i).sin());
        let partial = PartialCholesky::of(&k, rank, &mut stream(5, "pivots")).unwrap();
        let test = |i: usize| 0.33 + i as f64;
        let cross = Matrix::from_fn(6, rank, |i, j| laplace(test(i), x(partial.pivots()[j])));
        let f_test = partial.extended(&cross);
        let error = kernel_error(&k, partial.factor()).unwrap();
        (feature_regression(partial.factor(), &f_test, &y, 1e-2).unwrap(), error)
    }

    #[test]
    fn all_columns_predict_as_the_kernel_does_and_fewer_come_near() {
        let x = |i: usize| i as f64 * 0.1;
        let k = GramMatrix::from_lower(80, |i, j| laplace(x(i), x(j)));
        let y = Matrix::from_fn(80, 1, |i, _| x(i).sin());
        let cross = Matrix::from_fn(6, 80, |i, j| laplace(0.33 + i as f64, x(j)));
        let exact = kernel_ridge(&k, &cross, &y, 1e-2).unwrap();
        let gap = |rank| (&predicted(rank).0 - &exact).rms();
        assert!(gap(80) < 1e-10);
        assert!(gap(40) < 0.02 && gap(40) < gap(10), "{} {}", gap(40), gap(10));
        assert!(predicted(80).1 < 1e-12 && predicted(40).1 < predicted(10).1);
    }

    #[test]
    fn the_features_of_an_input_that_was_a_pivot_are_its_own() {
        let k = GramMatrix::from_lower(30, |i, j| laplace(i as f64, j as f64));
        let partial = PartialCholesky::of(&k, 12, &mut stream(5, "pivots")).unwrap();
        let cross = k.columns(partial.pivots()).unwrap();
        let extended = partial.extended(&cross);
        assert!((&extended - partial.factor()).rms() < 1e-14);
    }
}
