//! Random Fourier features of a stationary kernel (Rahimi and Recht 2007): k(x, x') = E[2 cos(w x + b) cos(w x' + b)] over frequencies w of the
//! kernel's spectral density and b uniform on a circle.
//!
//! ```text
//! RBF          w = z / l                       z ~ N(0, I)
//! Matern-nu    w = z / (l sqrt(c / (2 nu)))    c ~ chi^2 with 2 nu degrees of freedom; Laplace is nu = 1/2
//! ```

use std::f64::consts::TAU;

use rand::RngExt;
use rayon::prelude::*;

use super::ensure_input_dimension;
use super::stationary::{Form, Stationary};
use crate::error::Result;
use crate::linalg::{Matrix, ensure_fits};
use crate::seed::{Stream, standard_normals};

/// m features, sqrt(2/m) cos(w x + b), whose inner products are the kernel but for an error of about m^-1/2.
#[derive(Debug, Clone)]
pub struct FourierFeatures {
    /// `[m, d_in]`.
    frequencies: Matrix,
    phases: Vec<f64>,
}

impl FourierFeatures {
    /// Draws `m` frequencies of `kernel` on inputs of `d_in` numbers.
    ///
    /// # Errors
    /// Frequencies that do not fit into memory.
    pub fn draw(kernel: &Stationary, d_in: usize, m: usize, random: &mut Stream) -> Result<Self> {
        let degrees = match kernel.form {
            Form::Rbf => None,
            Form::Laplace => Some(1),
            Form::Matern52 => Some(5),
        };
        ensure_features_fit(m, d_in)?;
        let mut frequencies = Matrix::from_vec(m, d_in, standard_normals(random, m * d_in))?;
        for row in frequencies.values_mut().chunks_exact_mut(d_in.max(1)) {
            let spread = degrees.map_or(1.0, |degrees| {
                let squares: f64 = standard_normals(random, degrees).iter().map(|z| z * z).sum();
                (squares / degrees as f64).sqrt()
            });
            row.iter_mut().for_each(|w| *w /= kernel.length_scale * spread);
        }
        let phases = (0..m).map(|_| TAU * random.random::<f64>()).collect();
        Ok(Self { frequencies, phases })
    }

    /// Of every input, `[n, m]`.
    ///
    /// # Errors
    /// Inputs of another dimension; features that do not fit into memory.
    pub fn of(&self, x: &Matrix) -> Result<Matrix> {
        ensure_input_dimension(x, self.frequencies.n_cols())?;
        let m = self.phases.len();
        ensure_features_fit(m, x.n_rows())?;
        let mut features = x.matmul(&self.frequencies.transpose());
        let scale = (2.0 / m as f64).sqrt();
        features.values_mut().par_chunks_exact_mut(m.max(1)).for_each(|row| {
            for (value, phase) in row.iter_mut().zip(&self.phases) {
                *value = scale * (*value + phase).cos();
            }
        });
        Ok(features)
    }
}

/// Of so many inputs, or frequencies of so many components.
fn ensure_features_fit(m: usize, n: usize) -> Result<()> {
    let remedy = "take fewer features, a smaller `rank`";
    ensure_fits(8.0 * m as f64 * n as f64, || format!("{m} random features of {n} numbers each"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Kernel;
    use crate::seed::stream;

    #[test]
    fn inner_products_approach_the_kernel_at_the_rate_of_monte_carlo() {
        let x = Matrix::from_vec(12, 3, standard_normals(&mut stream(1, "inputs"), 36)).unwrap();
        for form in [Form::Rbf, Form::Laplace, Form::Matern52] {
            let kernel = Stationary { form, length_scale: 1.7 };
            let exact = kernel.gram(&x).unwrap();
            let m = 20_000;
            let features = FourierFeatures::draw(&kernel, 3, m, &mut stream(2, "features")).unwrap().of(&x).unwrap();
            let gap = exact.as_matrix() - &features.matmul(&features.transpose());
            // An entry is the mean of m numbers of variance at most 1.5; of 78 of them, none is expected beyond 4.5 standard errors.
            let bound = 4.5 * (1.5 / m as f64).sqrt();
            let largest = gap.values().iter().fold(0.0_f64, |most, v| most.max(v.abs()));
            assert!(largest < bound, "{form}: {largest} against {bound}");
        }
    }
}
