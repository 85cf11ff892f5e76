//! What is made small.
//!
//! ```text
//! squared         (1 / (2 N O)) sum_i |f(x_i) - y_i|^2
//! huber           (1 / (N O)) sum_i sum_k h(f_k(x_i) - y_ik),   h(r) = r^2 / 2 up to delta, delta |r| - delta^2 / 2 beyond
//! cross-entropy   -(1 / N) sum_i sum_k y_ik log softmax_k f(x_i)
//! ```

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// The loss of a batch of N rows and O outputs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Half the mean square over all entries: the theorem's, for numbers and for one-hot classes.
    #[default]
    Squared,
    /// The same up to residuals of this size, delta, and their absolute value beyond: outliers pull no harder than it (Huber 1964).
    Huber(f64),
    /// Of softmax probabilities; targets are one-hot classes.
    CrossEntropy,
}

impl Loss {
    /// Its name, for records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Squared => "squared",
            Self::Huber(_) => "huber",
            Self::CrossEntropy => "cross-entropy",
        }
    }

    /// `factor` times the loss' gradient in the outputs.
    pub(super) fn slope(self, f: Tensor<2>, y: Tensor<2>, factor: f64) -> Tensor<2> {
        let [n, d_out] = f.dims();
        match self {
            Self::Squared => (f - y) * (factor / (n * d_out) as f64),
            Self::Huber(delta) => (f - y).clamp(-delta, delta) * (factor / (n * d_out) as f64),
            Self::CrossEntropy => (softmax(f, 1) - y) * (factor / n as f64),
        }
    }

    /// Its value.
    pub(super) fn of(self, f: &Matrix, y: &Matrix) -> f64 {
        match self {
            Self::Squared => 0.5 * (f - y).rms().powi(2),
            Self::Huber(delta) => {
                let of_residual = |r: &f64| {
                    let within = r.abs().min(delta);
                    within * (r.abs() - 0.5 * within)
                };
                (f - y).values().iter().map(of_residual).sum::<f64>() / y.values().len() as f64
            }
            Self::CrossEntropy => {
                let row = |(f, y): (&[f64], &[f64])| -> f64 {
                    let largest = f.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let log_sum = largest + f.iter().map(|f| (f - largest).exp()).sum::<f64>().ln();
                    f.iter().zip(y).map(|(f, y)| y * (log_sum - f)).sum()
                };
                f.rows().zip(y.rows()).map(row).sum::<f64>() / f.n_rows() as f64
            }
        }
    }

    /// The largest stable step size of gradient descent as a multiple of the squared loss': a softmax bends half as much at most as a
    /// square, and this loss is not divided by the outputs.
    #[must_use]
    pub fn stability_factor(self, d_out: usize) -> f64 {
        match self {
            Self::Squared | Self::Huber(_) => 1.0,
            Self::CrossEntropy => 2.0 / d_out as f64,
        }
    }

    /// Refuses a number with which the loss means nothing; `key` is the dotted path it was written at.
    ///
    /// # Errors
    /// By the number's key.
    pub fn validate(self, key: &str) -> Result<()> {
        match self {
            Self::Huber(delta) if !(delta > 0.0 && delta.is_finite()) => Err(Error::config(
                format!("{key}.huber"),
                format!("{delta} is not a positive number"),
                "give the residual, in deviations of the targets, from which on it counts by its size alone; 1 is usual",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses targets that the loss has no meaning for.
    ///
    /// # Errors
    /// With the first row that is not one class.
    pub(super) fn check(self, y: &Matrix) -> Result<()> {
        if self != Self::CrossEntropy {
            return Ok(());
        }
        if y.n_cols() < 2 {
            return Err(Error::shape(
                "targets of the cross-entropy",
                "a column for each of at least 2 classes",
                y.n_cols(),
            ));
        }
        let is_class =
            |row: &[f64]| row.iter().all(|y| *y == 0.0 || *y == 1.0) && row.iter().filter(|y| **y == 1.0).count() == 1;
        match y.rows().position(|row| !is_class(row)) {
            None => Ok(()),
            Some(row) => Err(Error::input(
                format!("targets, row {row}"),
                format!("{:?} is no class: the cross-entropy takes one 1 among zeros", y.row(row)),
                "give one-hot targets, or use the squared loss",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_huber_loss_is_the_squared_one_within_delta_and_a_line_beyond() {
        let (f, y) = (Matrix::from_fn(4, 1, |i, _| [0.5, -0.5, 3.0, -4.0][i]), Matrix::zeros(4, 1));
        // 1/8 twice, then 2 r - 2 of 3 and of 4.
        assert!((Loss::Huber(2.0).of(&f, &y) - (0.25 + 4.0 + 6.0) / 4.0).abs() < 1e-15);
        assert!((Loss::Huber(5.0).of(&f, &y) - Loss::Squared.of(&f, &y)).abs() < 1e-14);
        for delta in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Loss::Huber(delta).validate("train.loss").unwrap_err().to_string().contains("`train.loss.huber`"));
        }
    }
}
