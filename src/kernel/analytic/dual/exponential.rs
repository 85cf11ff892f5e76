//! Activations whose expectations are exponentials of the covariance.
//!
//! ```text
//! A sin(w z + p)   T = (A^2 / 2) (e^{-w^2 (a + c - 2b) / 2} - cos 2p e^{-w^2 (a + c + 2b) / 2}),   T' = (A w)^2 / 2 (... + ...)
//! A e^{r z}        T = A^2 e^{r^2 (a + c + 2b) / 2},   T' = r^2 T
//! e^{-z^2}         T = 1 / D,   T' = 4 b / D^3,   D = sqrt((1 + 2a)(1 + 2c) - 4 b^2)
//! ```

use super::Dual;

pub(super) fn sine(amplitude: f64, frequency: f64, phase: f64, a: f64, b: f64, c: f64) -> Dual {
    let half = 0.5 * frequency * frequency;
    let difference = (-half * (a + c - 2.0 * b)).exp();
    let sum = (2.0 * phase).cos() * (-half * (a + c + 2.0 * b)).exp();
    let squared = amplitude * amplitude;
    Dual { covariance: 0.5 * squared * (difference - sum), derivative_covariance: squared * half * (difference + sum) }
}

pub(super) fn exponential(scale: f64, rate: f64, a: f64, b: f64, c: f64) -> Dual {
    let covariance = scale * scale * (0.5 * rate * rate * (a + c + 2.0 * b)).exp();
    Dual { covariance, derivative_covariance: rate * rate * covariance }
}

pub(super) fn gaussian(a: f64, b: f64, c: f64) -> Dual {
    let d = ((1.0 + 2.0 * a) * (1.0 + 2.0 * c) - 4.0 * b * b).sqrt();
    Dual { covariance: 1.0 / d, derivative_covariance: 4.0 * b / (d * d * d) }
}
