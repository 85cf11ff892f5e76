//! Stopping early as a ridge: gradient flow for a time t predicts about as ridge regression with lambda = N O / t (Ali, Kolter, Tibshirani
//! 2019).
//!
//! Along an eigenvector both learn a share of the target that depends on x = s t / (N O) alone,
//!
//! 1 - e^{-x} and x / (1 + x),   with   x / (1 + x) <= 1 - e^{-x} <= 1.2985 x / (1 + x),
//!
//! so the two are never far from one another; how far, for one kernel, target and time, and whether another ridge is closer, is measured
//! here.

use super::{Horizon, KernelPredictor};
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// A time of gradient flow beside the ridges that predict alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pairing {
    /// t.
    pub time: f64,
    /// The root mean square of what training until t adds to the test predictions, as a scale for the differences.
    pub learned: f64,
    /// N O / t, beside the ridge that the flow has itself.
    pub ridge: f64,
    /// The root mean square difference between gradient flow at t and regression with `ridge`, at the test inputs.
    pub difference: f64,
    /// The ridge, again beside the flow's own, with the least difference.
    pub best_ridge: f64,
    /// That difference.
    pub best_difference: f64,
}

impl Pairing {
    /// Whether the best ridge is an end of what was searched, and one beyond may be better.
    #[must_use]
    pub fn is_at_edge(&self) -> bool {
        // The search ends within 1e-8 of a minimum's place in logarithms.
        (self.best_ridge / self.ridge).ln().abs() > SEARCHED.ln() - 1e-6
    }
}

/// Pairs every time of gradient flow with its ridge and with the best one, searched for from a thousandth of N O / t to a thousand times it.
///
/// # Shapes
/// `residual` `[N, O]`: Y - f_0(X).
///
/// # Errors
/// [`Error::Shape`]; [`Error::Input`] when a time is not positive and finite.
pub fn early_stopping(dynamics: KernelPredictor<'_>, residual: &Matrix, times: &[f64]) -> Result<Vec<Pairing>> {
    if let Some(time) = times.iter().find(|time| !(**time > 0.0 && time.is_finite())) {
        let remedy = "give positive, finite times; nothing is learned at 0, and the limit has no ridge";
        return Err(Error::input("times of early stopping", time.to_string(), remedy));
    }
    let flow = dynamics.flow;
    let modes = flow.modes(dynamics.k_test_train, residual)?;
    let pairing = |&time: &f64| {
        let stopped = modes.predict(|s| flow.weight(Horizon::Time(time), s));
        let difference = |ridge: f64| (&modes.predict(|s| flow.ridge_weight(ridge, s)) - &stopped).rms();
        let ridge = flow.n_entries() / time;
        let best_ridge = minimum(|log| difference(log.exp()), ridge.ln(), SEARCHED.ln()).exp();
        Pairing {
            time,
            learned: stopped.rms(),
            ridge,
            difference: difference(ridge),
            best_ridge,
            best_difference: difference(best_ridge),
        }
    };
    Ok(times.iter().map(pairing).collect())
}

/// The best ridge is searched for between N O / t divided and multiplied by this.
const SEARCHED: f64 = 1000.0;

/// Where `f` is least within `reach` of `middle`: by golden sections around the lowest of 41 points, as there may be more than one valley.
fn minimum(f: impl Fn(f64) -> f64, middle: f64, reach: f64) -> f64 {
    let spacing = reach / 20.0;
    let grid = (-20..=20).map(|k| middle + spacing * f64::from(k));
    let lowest = grid.map(|x| (x, f(x))).min_by(|a, b| a.1.total_cmp(&b.1)).map_or(middle, |(x, _)| x);

    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut low, mut high) = ((lowest - spacing).max(middle - reach), (lowest + spacing).min(middle + reach));
    let inner = |low: f64, high: f64| (high - golden * (high - low), low + golden * (high - low));
    let (mut left, mut right) = inner(low, high);
    let (mut at_left, mut at_right) = (f(left), f(right));
    // 40 sections leave 4e-9 of the interval; a minimum is known to the root of the machine epsilon.
    for _ in 0..40 {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = inner(low, high).0;
            at_left = f(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = inner(low, high).1;
            at_right = f(right);
        }
    }
    // A minimum at the grid's own point, or at the pairing itself, is not given away to rounding.
    [lowest, middle].into_iter().fold(0.5 * (low + high), |best, x| if f(x) < f(best) { x } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Flow, Outputs};
    use crate::linalg::GramMatrix;
    use crate::regress::kernel_ridge;

    const N: usize = 8;
    const O: usize = 2;

    fn kernel(a: f64, b: f64) -> f64 {
        (-(a - b).abs()).exp() + 0.3 * a * b
    }

    fn input(i: usize) -> f64 {
        (i as f64 * 1.7).sin() * 2.0
    }

    fn gram() -> GramMatrix {
        GramMatrix::from_lower(N, |i, j| kernel(input(i), input(j)))
    }

    fn test_block() -> Matrix {
        Matrix::from_fn(5, N, |i, j| kernel(i as f64 - 1.2, input(j)))
    }

    fn targets() -> Matrix {
        Matrix::from_fn(N, O, |i, j| (3.0 * input(i) + j as f64).cos())
    }

    fn paired(ridge: f64, k_test_train: &Matrix, times: &[f64]) -> Vec<Pairing> {
        let flow = Flow::new(&gram(), Outputs::Independent(O), ridge, 1e-14).unwrap();
        early_stopping(KernelPredictor { flow: &flow, k_test_train }, &targets(), times).unwrap()
    }

    #[test]
    fn differences_are_those_of_flow_and_regression_with_the_sum_of_the_ridges() {
        for ridge in [0.0, 0.2] {
            let flow = Flow::new(&gram(), Outputs::Independent(O), ridge, 1e-14).unwrap();
            for pairing in paired(ridge, &test_block(), &[0.1, 3.0, 100.0]) {
                let stopped = flow.predict(&test_block(), Horizon::Time(pairing.time), &targets()).unwrap();
                let difference = |extra: f64| {
                    (&kernel_ridge(&gram(), &test_block(), &targets(), ridge + extra).unwrap() - &stopped).rms()
                };
                assert_eq!(pairing.ridge, (N * O) as f64 / pairing.time);
                assert!((pairing.difference - difference(pairing.ridge)).abs() < 1e-13);
                assert!((pairing.best_difference - difference(pairing.best_ridge)).abs() < 1e-13);
                assert!((pairing.learned - stopped.rms()).abs() < 1e-13);
                for factor in [0.99, 1.01, 0.5, 2.0] {
                    assert!(difference(factor * pairing.best_ridge) >= pairing.best_difference - 1e-13);
                }
            }
        }
    }

    #[test]
    fn the_shares_learned_differ_by_the_constant_of_ali_kolter_and_tibshirani_at_most() {
        let ratio = |x: f64| -(-x).exp_m1() * (1.0 + x) / x;
        let largest = (1..100_000).map(|k| ratio(f64::from(k) * 1e-3)).fold(0.0, f64::max);
        assert!((largest - 1.2985).abs() < 1e-4, "{largest}");
        // So at the training inputs, where predictions are shares of the targets, the difference is below 0.2985 of what is learned.
        for pairing in paired(0.0, gram().as_matrix(), &[1e-3, 0.1, 1.0, 10.0, 1e3, 1e5]) {
            assert!(pairing.difference < 0.2985 * pairing.learned, "{pairing:?}");
        }
    }

    #[test]
    fn the_pairing_is_exact_in_the_beginning_and_in_the_end() {
        let ends = paired(0.0, &test_block(), &[1e-7, 1e13]);
        for pairing in &ends {
            assert!(pairing.difference < 1e-6 * pairing.learned, "{pairing:?}");
        }
        // In the end all is learned, and less of a ridge is closer still, as far as one looks.
        let late = paired(0.0, &test_block(), &[1e4])[0];
        assert!(late.is_at_edge() && !paired(0.0, &test_block(), &[3.0])[0].is_at_edge(), "{late:?}");
    }

    #[test]
    fn one_direction_has_a_ridge_that_predicts_the_same() {
        // s / (s + lambda) = 1 - e^{-s t / N}: lambda = s / (e^{s t / N} - 1).
        let gram = GramMatrix::from_lower(3, |_, _| 2.0);
        let flow = Flow::new(&gram, Outputs::Independent(1), 0.0, 1e-10).unwrap();
        let dynamics = KernelPredictor { flow: &flow, k_test_train: gram.as_matrix() };
        let pairing = early_stopping(dynamics, &Matrix::from_fn(3, 1, |i, _| i as f64), &[1.5]).unwrap()[0];
        let expected = 6.0 / (6.0 * 1.5 / 3.0_f64).exp_m1();
        assert!((pairing.best_ridge / expected - 1.0).abs() < 1e-6, "{pairing:?}");
        assert!(pairing.best_difference < 1e-7 && pairing.difference > 1e-2);
    }

    #[test]
    fn a_time_that_has_no_ridge_is_refused() {
        let flow = Flow::new(&gram(), Outputs::Independent(O), 0.0, 1e-14).unwrap();
        let dynamics = KernelPredictor { flow: &flow, k_test_train: &test_block() };
        for time in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(early_stopping(dynamics, &targets(), &[1.0, time]).is_err());
        }
    }
}
