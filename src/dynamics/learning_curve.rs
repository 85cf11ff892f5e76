//! The test error of kernel ridge regression on n inputs, on average over them, from the spectrum alone (Bordelon, Canatar, Pehlevan 2020;
//! Canatar, Bordelon, Pehlevan 2021; Simon, Dickens, Karkada, DeWeese 2021):
//!
//! ```text
//! n = sum_i L_i + ridge / kappa,   L_i = lambda_i / (lambda_i + kappa)       kappa, and the learnability of each mode
//! E_0 = n / (n - sum_i L_i^2)                                                overfitting
//! error = E_0 (sum_i (1 - L_i)^2 v_i^2 + sigma^2) - sigma^2                  mean square, against the target without its noise
//! ```
//!
//! n training inputs teach n modes' worth of learnability and no more, of which the ridge takes ridge / kappa. The theory is exact for many
//! Gaussian eigenfunctions and close for others.

use super::TargetSpectrum;
use crate::error::{Error, Result};

/// What a number of training inputs is predicted to lead to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningPoint {
    /// n.
    pub n_train: usize,
    /// Modes of larger eigenvalue than this are mostly learned; infinite without training inputs, 0 where every mode is learned.
    pub kappa: f64,
    /// sum_i L_i, how many modes' worth is learned; n less what the ridge takes.
    pub n_learned: f64,
    /// E_0: from 1 up; infinite where n inputs determine as many modes without a ridge.
    pub overfitting: f64,
    /// The mean squared test error against the target without noise; infinite where E_0 is and there is noise.
    pub error: f64,
}

impl LearningPoint {
    /// lambda / (lambda + kappa): the share of a mode that is learned.
    #[must_use]
    pub fn learnability(&self, eigenvalue: f64) -> f64 {
        learnability(eigenvalue, self.kappa)
    }
}

impl TargetSpectrum {
    /// The points of a learning curve; `ridge` is the number added to the diagonal of the kernel matrix, `noise` the variance of the noise
    /// on the training targets.
    ///
    /// # Errors
    /// [`Error::Input`] when the ridge or the noise is negative or not finite.
    pub fn learning_curve(&self, n_train: &[usize], ridge: f64, noise: f64) -> Result<Vec<LearningPoint>> {
        for (name, value) in [("ridge", ridge), ("noise", noise)] {
            // Written so that a NaN fails.
            if !(value >= 0.0 && value.is_finite()) {
                let place = format!("{name} of a learning curve");
                return Err(Error::input(place, value.to_string(), "give a finite number from 0 up"));
            }
        }
        Ok(n_train.iter().map(|&n| self.learning_point(n, ridge, noise)).collect())
    }

    fn learning_point(&self, n_train: usize, ridge: f64, noise: f64) -> LearningPoint {
        let kappa = self.kappa(n_train, ridge);
        let sum = |f: fn(f64) -> f64| self.eigenvalues().iter().map(|&s| f(learnability(s, kappa))).sum::<f64>();
        let squares = sum(|l| l * l);
        // n - sum L^2 without its cancellation. Without inputs, where kappa is infinite, nothing is overfitted.
        let free = sum(|l| l * (1.0 - l)) + if ridge > 0.0 { ridge / kappa } else { 0.0 };
        let free = if kappa == 0.0 { n_train as f64 - squares } else { free };
        let excess = if squares > 0.0 { squares / free } else { 0.0 };

        let left = |(&s, power): (&f64, &f64)| (1.0 - learnability(s, kappa)).powi(2) * power;
        let bias: f64 = self.eigenvalues().iter().zip(self.power()).map(left).sum();
        // Where there is nothing to overfit to, an infinite excess has no effect.
        let overfitted = if bias + noise > 0.0 { excess * (bias + noise) } else { 0.0 };
        LearningPoint { n_train, kappa, n_learned: sum(|l| l), overfitting: 1.0 + excess, error: bias + overfitted }
    }

    /// The solution of n = sum_i L_i + ridge / kappa, whose right side falls from infinity, or the number of modes, to 0.
    fn kappa(&self, n_train: usize, ridge: f64) -> f64 {
        let n = n_train as f64;
        let eigenvalues = self.eigenvalues();
        let n_positive = eigenvalues.iter().filter(|&&s| s > 0.0).count();
        if n_train == 0 {
            return f64::INFINITY;
        }
        if ridge == 0.0 && n_train >= n_positive {
            return 0.0;
        }
        // Each L_i is below lambda_i / kappa. And the first k modes are learned at least as well as mode k: k L_k <= n.
        let mut high = (eigenvalues.iter().sum::<f64>() + ridge) / n;
        let of_mode = |(i, &s): (usize, &f64)| s * ((i + 1) as f64 - n) / n;
        let mut low = eigenvalues.iter().enumerate().map(of_mode).fold(ridge / n, f64::max);
        let excess = |kappa: f64| eigenvalues.iter().map(|&s| s / (s + kappa)).sum::<f64>() + ridge / kappa - n;
        // Halved in logarithms, so that a kappa of any size is found, until no number lies between.
        loop {
            let middle = low.sqrt() * high.sqrt();
            if middle <= low || middle >= high {
                return middle;
            }
            if excess(middle) > 0.0 { low = middle } else { high = middle }
        }
    }
}

/// 0 for a mode that the kernel does not have, even where all others are learned.
fn learnability(eigenvalue: f64, kappa: f64) -> f64 {
    if eigenvalue > 0.0 { eigenvalue / (eigenvalue + kappa) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{GramMatrix, Matrix};
    use crate::regress::kernel_ridge;
    use crate::seed::{standard_normals, stream};
    use crate::stats::mean_interval;

    /// Eigenvalues i^-1.5 and powers i^-2.
    fn power_law(n_modes: usize) -> TargetSpectrum {
        let modes = (1..=n_modes).map(|i| ((i as f64).powf(-1.5), (i as f64).powf(-2.0)));
        TargetSpectrum::new(modes.collect()).unwrap()
    }

    fn point(spectrum: &TargetSpectrum, n: usize, ridge: f64, noise: f64) -> LearningPoint {
        spectrum.learning_curve(&[n], ridge, noise).unwrap()[0]
    }

    fn total(spectrum: &TargetSpectrum) -> f64 {
        spectrum.power().iter().sum()
    }

    #[test]
    fn nothing_is_learned_from_nothing_or_under_an_infinite_ridge() {
        let spectrum = power_law(50);
        for ridge in [0.0, 0.1] {
            let none = point(&spectrum, 0, ridge, 0.3);
            assert_eq!((none.kappa, none.n_learned, none.overfitting), (f64::INFINITY, 0.0, 1.0));
            assert_eq!(none.error, total(&spectrum));
        }
        assert!((point(&spectrum, 10, 1e12, 0.3).error - total(&spectrum)).abs() < 1e-9);
    }

    #[test]
    fn without_noise_or_ridge_as_many_inputs_as_modes_teach_everything() {
        let spectrum = power_law(50);
        for n in [50, 51, 1000] {
            assert_eq!(point(&spectrum, n, 0.0, 0.0).error, 0.0, "{n}");
        }
        assert!(point(&spectrum, 49, 0.0, 0.0).error > 0.0);
        // With noise the classical n / (n - p) of least squares, infinite at the threshold.
        assert!((point(&spectrum, 150, 0.0, 0.2).error - 0.2 * 50.0 / 100.0).abs() < 1e-13);
        assert_eq!(point(&spectrum, 50, 0.0, 0.2).error, f64::INFINITY);
        assert!(point(&spectrum, 100_000_000, 1e-3, 0.2).error < 1e-6);
    }

    #[test]
    fn learnability_is_conserved() {
        let spectrum = power_law(300);
        for n in [1, 3, 17, 120, 299] {
            let ridgeless = point(&spectrum, n, 0.0, 0.0);
            assert!((ridgeless.n_learned / n as f64 - 1.0).abs() < 1e-12, "{n}: {}", ridgeless.n_learned);
            for ridge in [1e-9, 1e-3, 1.0, 1e3] {
                let LearningPoint { kappa, n_learned, .. } = point(&spectrum, n, ridge, 0.0);
                assert!(n_learned < n as f64);
                assert!(((n_learned + ridge / kappa) / n as f64 - 1.0).abs() < 1e-12, "{n}, {ridge}");
            }
        }
    }

    #[test]
    fn equal_eigenvalues_have_the_closed_form_of_ridgeless_isotropic_regression() {
        // n < p: every L = n / p, so error = (1 - n/p) v^2 + sigma^2 (n/p) / (1 - n/p) (Hastie et al. 2022).
        let (p, n, noise) = (40, 10, 0.3);
        let spectrum = TargetSpectrum::new(vec![(0.7, 0.1); p]).unwrap();
        let share = n as f64 / p as f64;
        let expected = (1.0 - share) * total(&spectrum) + noise * share / (1.0 - share);
        let found = point(&spectrum, n, 0.0, noise);
        assert!((found.error - expected).abs() < 1e-13, "{} and {expected}", found.error);
        assert!((found.learnability(0.7) - share).abs() < 1e-14);
    }

    #[test]
    fn kappa_is_found_at_any_scale() {
        let spectrum = power_law(300);
        for scale in [1e-120, 1.0, 1e120] {
            let modes = spectrum.eigenvalues().iter().zip(spectrum.power()).map(|(s, p)| (scale * s, *p));
            let scaled = TargetSpectrum::new(modes.collect()).unwrap();
            let (found, expected) = (point(&scaled, 20, 0.1 * scale, 0.1), point(&spectrum, 20, 0.1, 0.1));
            assert!((found.error / expected.error - 1.0).abs() < 1e-12);
            assert!((found.kappa / scale / expected.kappa - 1.0).abs() < 1e-12);
        }
        let low = spectrum.learning_curve(&[20], -1.0, 0.0).unwrap_err().to_string();
        assert!(low.contains("ridge of a learning curve: -1"), "{low}");
        assert!(spectrum.learning_curve(&[20], 0.0, f64::NAN).is_err());
    }

    /// The exact test error of regression on `n` inputs with Gaussian eigenfunctions: the squared distance of coefficients.
    fn measured(spectrum: &TargetSpectrum, n: usize, ridge: f64, noise: f64, replicate: usize) -> f64 {
        let n_modes = spectrum.eigenvalues().len();
        let mut stream = stream(7, &format!("{n}/{ridge}/{replicate}"));
        let features = Matrix::from_vec(n_modes, n, standard_normals(&mut stream, n_modes * n)).unwrap();
        let signs = standard_normals(&mut stream, n_modes);
        let target = Matrix::from_fn(n_modes, 1, |i, _| spectrum.power()[i].sqrt().copysign(signs[i]));
        let errors = Matrix::from_vec(n, 1, standard_normals(&mut stream, n)).unwrap().map(|z| noise.sqrt() * z);
        let scaled = Matrix::from_fn(n_modes, n, |i, a| spectrum.eigenvalues()[i] * features[(i, a)]);
        let gram = GramMatrix::from_symmetric(features.transpose().matmul(&scaled), 1e-12).unwrap();
        let y = &features.transpose().matmul(&target) + &errors;
        // The kernel between mode i and the inputs is lambda_i phi_i: regression "at a mode" is its coefficient.
        let learned = kernel_ridge(&gram, &scaled, &y, ridge).unwrap();
        (&learned - &target).frobenius().powi(2)
    }

    #[test]
    fn measured_errors_of_a_power_law_are_the_predicted_ones() {
        // 200 modes, 300 draws of inputs, targets and noise: standard errors of 1 to 2 per cent. The bound is four of them, and 2 per cent
        // for the theory, whose corrections are of order 1/n.
        let spectrum = power_law(200);
        for (n, ridge, noise) in [(20, 0.05, 0.0), (20, 0.05, 0.1), (60, 0.02, 0.1), (60, 0.0, 0.05)] {
            let draws: Vec<f64> = (0..300).map(|replicate| measured(&spectrum, n, ridge, noise, replicate)).collect();
            let interval = mean_interval(&draws, 0.95).unwrap();
            let standard_error = (interval.high - interval.mean) / 1.97;
            let expected = point(&spectrum, n, ridge, noise).error;
            let gap = (interval.mean - expected).abs();
            assert!(standard_error < 0.03 * expected, "{n}, {ridge}: {standard_error} of {expected}");
            assert!(gap < 4.0 * standard_error + 0.02 * expected, "{n}, {ridge}, {noise}: {interval:?}, {expected}");
        }
    }
}
