//! Are Gaussian predictions as uncertain as they are wrong? For the target y, the mean m, s^2 = variance + noise and z = (y - m) / s:
//!
//! ```text
//! probability transform   Phi(z), uniform on [0, 1] if the predictions are right                       (Dawid 1984)
//! coverage                how often y is in the central interval of probability p: |2 Phi(z) - 1| <= p
//! CRPS                    integral of (F(x) - [x >= y])^2 dx = s [z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt pi]   (Gneiting, Raftery 2007)
//! log density             -log N(y; m, s^2)
//! ```
//!
//! The last two are proper scores, in expectation least for the true distribution: the CRPS in the unit of the targets, where it is the
//! absolute error of a prediction without width, and the log density in nats.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use serde::{Deserialize, Serialize};

use super::posterior::Marginals;
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// How Gaussian predictions compare with the targets they were made for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// For each level asked for.
    pub coverage: Vec<Coverage>,
    /// Phi(z), test input after test input, with the outputs of each side by side.
    pub transforms: Vec<f64>,
    /// The mean CRPS.
    pub crps: f64,
    /// The mean of -log N(y; m, s^2).
    pub negative_log_density: f64,
}

/// How often targets are in the central interval of a probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The probability of the interval.
    pub level: f64,
    /// The fraction of targets in it.
    pub fraction: f64,
}

impl Calibration {
    /// Compares predictions of the function, with observation noise of variance `noise` added to theirs, with noisy targets.
    ///
    /// # Shapes
    /// `y_test` `[n_test, O]`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] at the first target of a prediction without width, which has no density, or of no number;
    /// [`Error::Config`] when a level is no probability; [`Error::Shape`], also without targets.
    pub fn of(predictions: &Marginals, noise: f64, y_test: &Matrix, levels: &[f64]) -> Result<Self> {
        let deviations = standard_deviations(predictions, noise, y_test)?;
        if let Some(level) = levels.iter().find(|level| !(0.0..=1.0).contains(*level)) {
            let problem = format!("{level} is not a probability");
            return Err(Error::config("levels", problem, "use numbers from 0 to 1, such as 0.5, 0.9 and 0.95"));
        }
        let (n_test, n_outputs) = y_test.shape();
        let pairs = (0..n_test * n_outputs).map(|entry| {
            let s = deviations[entry / n_outputs];
            ((y_test.values()[entry] - predictions.mean.values()[entry]) / s, s)
        });
        let pairs: Vec<(f64, f64)> = pairs.collect();
        let mean = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|&(z, s)| f(z, s)).sum::<f64>() / pairs.len() as f64;
        let coverage = |&level: &f64| Coverage { level, fraction: mean(&|z, _| f64::from(centrality(z) <= level)) };
        Ok(Self {
            coverage: levels.iter().map(coverage).collect(),
            transforms: pairs.iter().map(|&(z, _)| distribution(z)).collect(),
            crps: mean(&|z, s| s * (z * signed_centrality(z) + 2.0 * density(z) - 1.0 / PI.sqrt())),
            negative_log_density: mean(&|z, s| 0.5 * (z * z + TAU.ln()) + s.ln()),
        })
    }
}

/// s of every test input.
fn standard_deviations(predictions: &Marginals, noise: f64, y_test: &Matrix) -> Result<Vec<f64>> {
    let (shape, n_variances) = (predictions.mean.shape(), predictions.variance.len());
    if y_test.shape() != shape || n_variances != shape.0 || y_test.values().is_empty() {
        let found = format!("{:?} targets, {n_variances} variances", y_test.shape());
        return Err(Error::shape("test targets and variances", format!("those of {shape:?} predictions"), found));
    }
    let refuse = |what: &str, value: f64, place: String, remedy: &str| {
        Err(Error::NotFinite { what: what.to_owned(), value, place, remedy: remedy.to_owned() })
    };
    for (what, matrix) in [("test targets", y_test), ("predictions", &predictions.mean)] {
        if let Some((row, output, value)) = matrix.first_non_finite() {
            return refuse(what, value, format!("row {row}, output {output}"), "leave the row out");
        }
    }
    let deviations: Vec<f64> = predictions.variance.iter().map(|variance| (variance + noise).sqrt()).collect();
    match deviations.iter().position(|s| !(*s > 0.0 && s.is_finite())) {
        None => Ok(deviations),
        Some(row) => {
            let remedy = "add the variance of the targets' noise, without which a training input has no width";
            refuse("the density of the predictions", deviations[row].recip(), format!("test input {row}"), remedy)
        }
    }
}

/// Phi.
fn distribution(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// phi.
fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / TAU.sqrt()
}

/// 2 Phi(z) - 1.
fn signed_centrality(z: f64) -> f64 {
    libm::erf(z * FRAC_1_SQRT_2)
}

/// The probability of the smallest central interval that holds z.
fn centrality(z: f64) -> f64 {
    signed_centrality(z.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{standard_normals, stream};

    fn one(mean: f64, variance: f64, y: f64) -> Calibration {
        let entry = |value| Matrix::from_fn(1, 1, |_, _| value);
        let predictions = Marginals { mean: entry(mean), variance: vec![variance] };
        Calibration::of(&predictions, 0.0, &entry(y), &[0.5, 0.95]).unwrap()
    }

    #[test]
    fn quantiles_of_the_normal_distribution_bound_its_intervals() {
        // 0.67448975 and 1.95996398 to eight places: just inside, and just outside.
        let covered = |z: f64| one(1.0, 4.0, 1.0 + 2.0 * z).coverage.iter().map(|c| c.fraction).collect::<Vec<_>>();
        assert_eq!(covered(0.674_489), [1.0, 1.0]);
        assert_eq!(covered(-0.674_490), [0.0, 1.0]);
        assert_eq!(covered(-1.959_963), [0.0, 1.0]);
        assert_eq!(covered(1.959_964), [0.0, 0.0]);
        assert!((distribution(1.959_963_984_540_054) - 0.975).abs() < 1e-15);
        assert!((distribution(-10.0) / 7.619_853_024_160_527e-24 - 1.0).abs() < 1e-14);
    }

    /// The integral of `f` by Simpson's rule.
    fn integral(f: impl Fn(f64) -> f64, from: f64, to: f64) -> f64 {
        let n = 2000;
        let h = (to - from) / f64::from(n);
        let weight = |i: i32| if i == 0 || i == n { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
        (0..=n).map(|i| weight(i) * f(from + f64::from(i) * h)).sum::<f64>() * h / 3.0
    }

    #[test]
    fn the_crps_is_the_integral_that_defines_it() {
        for (m, s, y) in [(0.0, 1.0, 0.0), (0.3, 0.5, -1.0), (-2.0, 3.0, 4.0)] {
            let below = integral(|x| distribution((x - m) / s).powi(2), m - 12.0 * s, y);
            let above = integral(|x| distribution((m - x) / s).powi(2), y, m + 12.0 * s);
            let crps = one(m, s * s, y).crps;
            assert!((crps - below - above).abs() < 1e-10, "{crps} against {}", below + above);
        }
    }

    #[test]
    fn without_width_the_crps_is_the_absolute_error() {
        assert!((one(1.0, 1e-24, 3.5).crps - 2.5).abs() < 1e-11);
    }

    #[test]
    fn a_standard_normal_target_at_its_mean_has_its_known_density() {
        assert!((one(2.0, 1.0, 2.0).negative_log_density - 0.5 * TAU.ln()).abs() < 1e-15);
        assert!((one(2.0, 9.0, 5.0).negative_log_density - 0.5 * TAU.ln() - 3.0_f64.ln() - 0.5).abs() < 1e-15);
    }

    /// 4000 inputs with two targets each, drawn from the predictions with noise of variance 0.3.
    fn samples() -> (Marginals, Matrix) {
        let n = 4000;
        let mean = Matrix::from_fn(n, 2, |i, o| (i as f64 * 0.1).sin() + o as f64);
        let variance: Vec<f64> = (0..n).map(|i| 0.2 + (i as f64).cos().powi(2)).collect();
        let z = standard_normals(&mut stream(3, "calibration"), 2 * n);
        let y = Matrix::from_fn(n, 2, |i, o| mean[(i, o)] + (variance[i] + 0.3).sqrt() * z[2 * i + o]);
        (Marginals { mean, variance }, y)
    }

    #[test]
    fn transforms_of_true_samples_are_uniform_and_intervals_cover_what_they_say() {
        // Of 8000 values, sqrt(n) times the Kolmogorov distance exceeds 2.2 once in 8000 times, and a fraction is 4.5 standard errors
        // off once in 150,000 times.
        let (predictions, y) = samples();
        let n = y.values().len() as f64;
        let calibration = Calibration::of(&predictions, 0.3, &y, &[0.5, 0.9, 0.95]).unwrap();
        let mut transforms = calibration.transforms.clone();
        transforms.sort_by(f64::total_cmp);
        let distances = transforms.iter().enumerate().map(|(i, u)| (u - i as f64 / n).max((i + 1) as f64 / n - u));
        let kolmogorov = n.sqrt() * distances.fold(0.0, f64::max);
        assert!(kolmogorov < 2.2, "{kolmogorov}");
        for Coverage { level, fraction } in calibration.coverage {
            assert!((fraction - level).abs() < 4.5 * (level * (1.0 - level) / n).sqrt(), "{fraction} at {level}");
        }
    }

    #[test]
    fn scores_are_worse_for_predictions_too_sure_or_not_sure_enough() {
        let (predictions, y) = samples();
        let scores = |noise| {
            let calibration = Calibration::of(&predictions, noise, &y, &[]).unwrap();
            (calibration.crps, calibration.negative_log_density)
        };
        let right = scores(0.3);
        for wrong in [0.0, 2.0] {
            assert!(scores(wrong).0 > right.0 && scores(wrong).1 > right.1, "noise {wrong}");
        }
    }

    #[test]
    fn predictions_without_width_and_levels_that_are_none_are_refused() {
        let (mut predictions, y) = samples();
        assert!(Calibration::of(&predictions, 0.3, &y, &[95.0]).is_err());
        predictions.variance[7] = 0.0;
        let error = Calibration::of(&predictions, 0.0, &y, &[]).unwrap_err().to_string();
        assert!(error.contains("test input 7"), "{error}");
        assert!(Calibration::of(&predictions, 0.1, &Matrix::zeros(3, 2), &[]).is_err());
    }
}
