//! Activations with a kink or a jump at 0: arc-cosine kernels of order 1 and 0 (Cho and Saul 2009).
//!
//! With t the angle between u and v, and slopes A below and B above 0:
//!
//! ```text
//! two slopes   T = ((A - B)^2 / (2 pi)) sqrt(a c) sin t + b T',   T' = (A^2 + B^2) / 2 - (A - B)^2 t / (2 pi)
//! two levels   T = (A^2 + B^2) (pi - t) / (2 pi) + A B t / pi,    T' = 0
//! ```
//!
//! The angle is atan2(sqrt(a c - b^2), b), never acos(b / sqrt(a c)): near b^2 = a c the arccosine loses half the digits, and with them the
//! limit of deep networks.

use std::f64::consts::PI;

use super::Dual;

pub(super) fn two_slope(left: f64, right: f64, a: f64, b: f64, c: f64) -> Dual {
    let opposite = opposite(a, b, c);
    let angle = opposite.atan2(b);
    let jump = (left - right).powi(2) / (2.0 * PI);
    let derivative_covariance = 0.5 * (left * left + right * right) - jump * angle;
    Dual { covariance: jump * opposite + b * derivative_covariance, derivative_covariance }
}

pub(super) fn two_level(low: f64, high: f64, a: f64, b: f64, c: f64) -> Dual {
    let angle = opposite(a, b, c).atan2(b);
    let covariance = (low * low + high * high) * (PI - angle) / (2.0 * PI) + low * high * angle / PI;
    Dual { covariance, derivative_covariance: 0.0 }
}

/// sqrt(a c) sin t, clamped because rounding pushes b^2 past a c for equal inputs.
fn opposite(a: f64, b: f64, c: f64) -> f64 {
    (a * c - b * b).max(0.0).sqrt()
}
