//! Stationary comparators: kernels of the distance r = ||x - x'|| alone, which know nothing of networks or of training.
//!
//! ```text
//! RBF          exp(-r^2 / (2 l^2))
//! Laplace      exp(-r / l)
//! Matern-5/2   (1 + s + s^2 / 3) exp(-s),   s = sqrt(5) r / l
//! ```
//!
//! Rasmussen and Williams 2006, chapter 4; the Laplace kernel shares its function space with the ReLU NTK on the sphere (Geifman
//! et al. 2020).

use std::fmt;

use super::{Kernel, ensure_input_dimension};
use crate::error::Result;
use crate::linalg::{GramMatrix, Matrix};

/// The shape of a stationary kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Infinitely smooth.
    Rbf,
    /// Continuous, not differentiable.
    Laplace,
    /// Twice differentiable.
    Matern52,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rbf => "rbf",
            Self::Laplace => "laplace",
            Self::Matern52 => "matern",
        })
    }
}

/// A stationary kernel with unit variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stationary {
    /// Its shape.
    pub form: Form,
    /// The distance over which it falls off, in the units of the inputs.
    pub length_scale: f64,
}

impl Stationary {
    /// The kernel whose length scale is the median distance between different inputs: a choice that never sees a target.
    ///
    /// All inputs equal leaves no scale; 1 is used then, where every choice gives the same constant kernel.
    #[must_use]
    pub fn with_median_length_scale(form: Form, x: &Matrix) -> Self {
        let mut distances: Vec<f64> = (0..x.n_rows())
            .flat_map(|i| (0..i).map(move |j| distance(x.row(i), x.row(j))))
            .filter(|r| *r > 0.0)
            .collect();
        distances.sort_by(f64::total_cmp);
        let length_scale = distances.get(distances.len() / 2).copied().unwrap_or(1.0);
        Self { form, length_scale }
    }

    fn value(&self, x1: &[f64], x2: &[f64]) -> f64 {
        let r = distance(x1, x2) / self.length_scale;
        match self.form {
            Form::Rbf => (-0.5 * r * r).exp(),
            Form::Laplace => (-r).exp(),
            Form::Matern52 => {
                let s = 5.0_f64.sqrt() * r;
                (1.0 + s + s * s / 3.0) * (-s).exp()
            }
        }
    }
}

impl Kernel for Stationary {
    fn name(&self) -> String {
        self.form.to_string()
    }

    fn gram(&self, x: &Matrix) -> Result<GramMatrix> {
        Ok(GramMatrix::from_lower(x.n_rows(), |i, j| self.value(x.row(i), x.row(j))))
    }

    fn cross_gram(&self, x1: &Matrix, x2: &Matrix) -> Result<Matrix> {
        ensure_input_dimension(x1, x2.n_cols())?;
        Ok(Matrix::from_fn(x1.n_rows(), x2.n_rows(), |i, j| self.value(x1.row(i), x2.row(j))))
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(u, v)| (u - v).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_at_one_length_scale_are_the_textbook_ones() {
        let at = |form| Stationary { form, length_scale: 2.0 }.value(&[0.0, 0.0], &[0.0, 2.0]);
        assert!((at(Form::Rbf) - (-0.5_f64).exp()).abs() < 1e-15);
        assert!((at(Form::Laplace) - (-1.0_f64).exp()).abs() < 1e-15);
        // (1 + sqrt 5 + 5/3) e^{-sqrt 5}
        assert!((at(Form::Matern52) - 0.523_994_108_831_820_3).abs() < 1e-14);
    }

    #[test]
    fn the_median_length_scale_is_the_middle_distance() {
        let x = Matrix::from_fn(3, 1, |i, _| [0.0, 1.0, 4.0][i]);
        let kernel = Stationary::with_median_length_scale(Form::Rbf, &x);
        assert_eq!(kernel.length_scale, 3.0);
    }
}
