//! The gradients of losses in function space, by which [`FunctionDescent`](super::FunctionDescent) moves; any other function of the
//! outputs and targets can be passed in their place.
//!
//! ```text
//! squared         (1 / (2 N O)) sum_i |f(x_i) - y_i|^2              slope (f - y) / (N O)
//! huber           (1 / (N O)) sum_i sum_k h(f_k(x_i) - y_ik)        slope (f - y, cut off at -delta and delta) / (N O)
//! cross-entropy   -(1 / N) sum_i sum_k y_ik log softmax_k f(x_i)    slope (softmax f - y) / N
//! ```
//!
//! They are those of training ([`Loss`](crate::train::Loss)), on matrices.

use crate::linalg::Matrix;

/// The gradient of half the mean square over all entries.
///
/// # Shapes
/// `f` and `y` `[N, O]`; returns `[N, O]`.
#[must_use]
pub fn squared_slope(f: &Matrix, y: &Matrix) -> Matrix {
    let n_entries = f.values().len() as f64;
    (f - y).map(|difference| difference / n_entries)
}

/// The gradient of the Huber loss, which is that of the squared loss as long as no residual is larger than `delta`.
///
/// # Shapes
/// `f` and `y` `[N, O]`; returns `[N, O]`.
#[must_use]
pub fn huber_slope(delta: f64, f: &Matrix, y: &Matrix) -> Matrix {
    let n_entries = f.values().len() as f64;
    (f - y).map(|difference| difference.clamp(-delta, delta) / n_entries)
}

/// The gradient of the cross-entropy of softmax probabilities; the rows of `y` sum to 1.
///
/// # Shapes
/// `f` and `y` `[N, O]`; returns `[N, O]`.
#[must_use]
pub fn cross_entropy_slope(f: &Matrix, y: &Matrix) -> Matrix {
    let mut slope = f.clone();
    let (n, n_outputs) = f.shape();
    for (row, y) in slope.values_mut().chunks_exact_mut(n_outputs).zip(y.rows()) {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|f| (f - largest).exp()).sum();
        for (f, y) in row.iter_mut().zip(y) {
            *f = ((*f - largest).exp() / sum - y) / n as f64;
        }
    }
    slope
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squared(f: &Matrix, y: &Matrix) -> f64 {
        0.5 * (f - y).rms().powi(2)
    }

    fn huber(f: &Matrix, y: &Matrix) -> f64 {
        let of_residual = |r: &f64| if r.abs() <= 0.7 { 0.5 * r * r } else { 0.7 * r.abs() - 0.245 };
        (f - y).values().iter().map(of_residual).sum::<f64>() / y.values().len() as f64
    }

    fn cross_entropy(f: &Matrix, y: &Matrix) -> f64 {
        let row = |(f, y): (&[f64], &[f64])| -> f64 {
            let log_sum = f.iter().map(|f| f.exp()).sum::<f64>().ln();
            f.iter().zip(y).map(|(f, y)| y * (log_sum - f)).sum()
        };
        f.rows().zip(y.rows()).map(row).sum::<f64>() / f.n_rows() as f64
    }

    #[test]
    fn slopes_are_the_derivatives_of_their_losses() {
        let f = Matrix::from_fn(4, 3, |i, j| ((i * 3 + j) as f64).sin());
        let y = Matrix::from_fn(4, 3, |i, j| f64::from(j == i % 3));
        type Value = fn(&Matrix, &Matrix) -> f64;
        type Slope = fn(&Matrix, &Matrix) -> Matrix;
        let losses: [(Value, Slope); 3] =
            [(squared, squared_slope), (huber, |f, y| huber_slope(0.7, f, y)), (cross_entropy, cross_entropy_slope)];
        for (value, slope) in losses {
            for at in 0..12 {
                let moved = |by: f64| {
                    let mut f = f.clone();
                    f.values_mut()[at] += by;
                    value(&f, &y)
                };
                let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((slope(&f, &y).values()[at] - difference).abs() < 1e-10, "{at}");
            }
        }
    }

    #[test]
    fn large_outputs_do_not_overflow_a_softmax() {
        let f = Matrix::from_fn(1, 2, |_, j| 1e4 * j as f64);
        let y = Matrix::from_fn(1, 2, |_, j| f64::from(j == 0));
        assert_eq!(cross_entropy_slope(&f, &y).values(), [-1.0, 1.0]);
    }
}
