//! A regression problem as its kernel sees it: the eigenvalues of the kernel as an operator on functions of the inputs' distribution, and
//! the power of the target in each eigenfunction (Bordelon, Canatar, Pehlevan 2020).
//!
//! ```text
//! E_x' k(x, x') phi_i(x') = lambda_i phi_i(x),   E phi_i phi_j = delta_ij,   f = sum_i v_i phi_i,   power_i = v_i^2
//! ```
//!
//! From these alone follows how fast the kernel learns: see [`LearningPoint`](super::LearningPoint). The participation ratio of the
//! eigenvalues is [`effective_rank`](crate::kernel::compare::effective_rank).

use std::ops::Range;

use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix, Spectrum};
use crate::stats::{Slope, log_log_slope};

/// Eigenvalues of a kernel, the largest first, and the power of a target in each mode.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSpectrum {
    eigenvalues: Vec<f64>,
    power: Vec<f64>,
}

impl TargetSpectrum {
    /// Takes pairs (lambda_i, v_i^2), in any order.
    ///
    /// # Errors
    /// [`Error::Input`] when one of them is negative or not finite.
    pub fn new(mut modes: Vec<(f64, f64)>) -> Result<Self> {
        let is_size = |value: f64| value >= 0.0 && value.is_finite();
        if let Some(at) = modes.iter().position(|&(eigenvalue, power)| !is_size(eigenvalue) || !is_size(power)) {
            let problem = format!("eigenvalue {} and power {} of mode {at}", modes[at].0, modes[at].1);
            return Err(Error::input("spectrum of a target", problem, "give finite numbers from 0 up"));
        }
        modes.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (eigenvalues, power) = modes.into_iter().unzip();
        Ok(Self { eigenvalues, power })
    }

    /// Estimates both from a pool of inputs that stands for the distribution: s / N, and (q^T f)^2 / N, averaged over outputs.
    ///
    /// The pool must be large beside the training sets that are asked about; the powers are those of the target with its noise, whose
    /// variance spreads evenly over all N modes. What rounding left negative of an eigenvalue counts as 0.
    ///
    /// # Shapes
    /// `k_pool` over N inputs, `f_pool` `[N, O]`.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::NotFinite`]; [`Error::Input`].
    pub fn of_pool(k_pool: &GramMatrix, f_pool: &Matrix) -> Result<Self> {
        let (n, n_outputs) = f_pool.shape();
        if n != k_pool.n() || n_outputs == 0 {
            let expected = format!("{} x at least 1", k_pool.n());
            return Err(Error::shape("target on the pool", expected, format!("{n} x {n_outputs}")));
        }
        let spectrum = Spectrum::of(k_pool)?;
        let components = spectrum.project(f_pool);
        let power = |row: &[f64]| row.iter().map(|v| v * v).sum::<f64>() / (n * n_outputs) as f64;
        let eigenvalues = spectrum.eigenvalues().iter().map(|s| s.max(0.0) / n as f64);
        Self::new(eigenvalues.zip(components.rows().map(power)).collect())
    }

    /// lambda_i, in descending order.
    #[must_use]
    pub fn eigenvalues(&self) -> &[f64] {
        &self.eigenvalues
    }

    /// v_i^2, in the order of the eigenvalues.
    #[must_use]
    pub fn power(&self) -> &[f64] {
        &self.power
    }

    /// The power in the first modes up to each: how much of the target lies where the kernel learns first. The last is the target's mean
    /// square.
    #[must_use]
    pub fn cumulative_power(&self) -> Vec<f64> {
        let sum = |sum: &mut f64, power: &f64| {
            *sum += power;
            Some(*sum)
        };
        self.power.iter().scan(0.0, sum).collect()
    }

    /// p in lambda_i ~ i^p, i counted from 1, fitted to the modes in `range`, counted from 0; `None` where fewer than three of their
    /// eigenvalues are positive.
    ///
    /// The first modes are no power law yet, and the last of a pool are its own size's: a fit is of those between.
    #[must_use]
    pub fn decay_exponent(&self, range: Range<usize>, confidence: f64) -> Option<Slope> {
        let modes = self.eigenvalues.iter().enumerate().skip(range.start).take(range.len());
        let points: Vec<(f64, f64)> = modes.map(|(i, &eigenvalue)| ((i + 1) as f64, eigenvalue)).collect();
        log_log_slope(&points, confidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::compare::effective_rank;

    #[test]
    fn on_a_circle_the_modes_are_waves() {
        // sum_k a_k cos k(x - x') has eigenvalue a_0 once and a_k / 2 twice; 3 cos 2x has power 9/2, in mode 2.
        let (n, a) = (60, [0.5, 2.0, 0.6, 0.1]);
        let angle = |i: usize| std::f64::consts::TAU * i as f64 / n as f64;
        let gram = GramMatrix::from_lower(n, |i, j| {
            a.iter().enumerate().map(|(k, a)| a * (k as f64 * (angle(i) - angle(j))).cos()).sum()
        });
        let target = Matrix::from_fn(n, 2, |i, o| if o == 0 { 3.0 * (2.0 * angle(i)).cos() } else { 1.0 });
        let spectrum = TargetSpectrum::of_pool(&gram, &target).unwrap();
        for (found, expected) in spectrum.eigenvalues().iter().zip([1.0, 1.0, 0.5, 0.3, 0.3, 0.05, 0.05, 0.0]) {
            assert!((found - expected).abs() < 1e-14, "{found} and {expected}");
        }
        let cumulative = spectrum.cumulative_power();
        for (mode, expected) in [(1, 0.0), (2, 0.5), (4, 0.5 + 2.25), (59, 0.5 + 2.25)] {
            assert!((cumulative[mode] - expected).abs() < 1e-13, "{mode}: {}", cumulative[mode]);
        }
        assert!((cumulative[59] - target.rms().powi(2)).abs() < 1e-13);
        let squares: f64 = spectrum.eigenvalues().iter().map(|s| s * s).sum();
        let sum: f64 = spectrum.eigenvalues().iter().sum();
        assert!((effective_rank(&gram) / (sum * sum / squares) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_power_law_has_its_exponent_between_the_ends_asked_about() {
        // The first six are equal.
        let law = |i: usize| ((i.max(5) + 1) as f64).powf(-1.7);
        let spectrum = TargetSpectrum::new((0..100).map(|i| (law(i), 1.0)).collect()).unwrap();
        assert!((spectrum.decay_exponent(5..100, 0.95).unwrap().exponent + 1.7).abs() < 1e-12);
        assert!(spectrum.decay_exponent(0..100, 0.95).unwrap().exponent > -1.7);
        assert_eq!(spectrum.decay_exponent(98..200, 0.95), None);
    }

    #[test]
    fn modes_are_put_in_order_together_and_impossible_ones_refused() {
        let spectrum = TargetSpectrum::new(vec![(1.0, 5.0), (3.0, 7.0), (0.0, 9.0)]).unwrap();
        assert_eq!((spectrum.eigenvalues(), spectrum.power()), (&[3.0, 1.0, 0.0][..], &[7.0, 5.0, 9.0][..]));
        for mode in [(-1.0, 1.0), (1.0, -1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert!(TargetSpectrum::new(vec![(1.0, 1.0), mode]).is_err());
        }
    }
}
