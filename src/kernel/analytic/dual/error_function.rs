//! Activations made of the error function (Williams 1997) and of the normal distribution function.
//!
//! ```text
//! erf    T = (2 / pi) asin(2 b / sqrt((1 + 2a)(1 + 2c))),   T' = (4 / pi) / sqrt((1 + 2a)(1 + 2c) - 4 b^2)
//! GELU   with p = a c, q = (1 + a)(1 + c), D = sqrt(q - b^2), t = atan2(b, D):
//!        T  = b / 4 + ((b^2 + p D^2) / (q D) + b t) / (2 pi)
//!        T' = 1 / 4 + t / (2 pi) + (1 / D^2 + (1 - p) / q + 1) b / (2 pi D)
//! ```

use std::f64::consts::PI;

use super::Dual;

/// scale erf(slope z) + offset: the error function is odd, so the offset adds its square alone.
pub(super) fn erf(scale: f64, slope: f64, offset: f64, a: f64, b: f64, c: f64) -> Dual {
    let squared = slope * slope;
    let (a, b, c) = (squared * a, squared * b, squared * c);
    let product = (1.0 + 2.0 * a) * (1.0 + 2.0 * c);
    Dual {
        covariance: scale * scale * 2.0 / PI * (2.0 * b / product.sqrt()).asin() + offset * offset,
        derivative_covariance: scale * scale * squared * 4.0 / PI / (product - 4.0 * b * b).sqrt(),
    }
}

pub(super) fn gelu(a: f64, b: f64, c: f64) -> Dual {
    let p = a * c;
    let q = (1.0 + a) * (1.0 + c);
    let d = (q - b * b).sqrt();
    let t = b.atan2(d);
    Dual {
        covariance: b / 4.0 + ((b * b + p * d * d) / (q * d) + b * t) / (2.0 * PI),
        derivative_covariance: 0.25 + t / (2.0 * PI) + (1.0 / (d * d) + (1.0 - p) / q + 1.0) * b / (2.0 * PI * d),
    }
}
