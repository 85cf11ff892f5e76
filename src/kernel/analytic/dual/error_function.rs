//! Activations made of the error function (Williams 1997) and of the normal distribution function.
//!
//! ```text
//! erf    T = (2 / pi) asin x,   T' = (4 / pi) v w / sqrt(1 - x^2),   x = 2 b v w,   v = 1 / sqrt(1 + 2a), w = 1 / sqrt(1 + 2c)
//! GELU   T  = b / 4 + [v w (x^2 / s + a c s) + b asin x] / (2 pi)
//!        T' = 1 / 4 + [asin x + (x / s) (v^2 w^2 / s^2 + (1 - a c) v^2 w^2 + 1)] / (2 pi)
//!        with x = b v w, s = sqrt(1 - x^2), v = 1 / sqrt(1 + a), w = 1 / sqrt(1 + c)
//! ```

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI, SQRT_2};

use super::angle::Arc;
use super::{Correlation, Input, Mapped, Pairwise};

/// scale erf(slope z) + offset: the error function is odd, so the offset adds its square alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Erf {
    pub(super) scale: f64,
    pub(super) slope: f64,
    pub(super) offset: f64,
}

impl Pairwise for Erf {
    fn variance(&self, a: f64) -> f64 {
        let x = 2.0 * self.slope * self.slope * a;
        // asin(x / (1 + x)) as an arctangent, right for variances of any size.
        self.scale * self.scale * FRAC_2_PI * (x / (1.0 + 2.0 * x).sqrt()).atan() + self.offset * self.offset
    }

    fn damping(&self) -> f64 {
        2.0 * self.slope * self.slope
    }

    #[inline(always)]
    fn map(&self, x: Input, y: Input, correlation: Correlation) -> Mapped {
        let gain = (SQRT_2 * self.slope * x.std * x.damping) * (SQRT_2 * self.slope * y.std * y.damping);
        let (sine, cosine) = (gain * correlation.value(), gain);
        let arc = arcsine(sine);
        let scales = x.scale * y.scale;
        let covariance = self.scale * self.scale * FRAC_2_PI * arc.value + self.offset * self.offset;
        Mapped {
            correlation: Correlation::of(covariance * scales),
            slope: self.scale * self.scale * FRAC_2_PI * cosine / arc.cosine * scales,
        }
    }
}

/// z Phi(z).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gelu;

impl Pairwise for Gelu {
    fn variance(&self, a: f64) -> f64 {
        let input = Input { std: a.sqrt(), scale: 1.0, damping: 1.0 / (1.0 + a).sqrt() };
        gelu(input, input, 1.0).0
    }

    fn damping(&self) -> f64 {
        1.0
    }

    #[inline(always)]
    fn map(&self, x: Input, y: Input, correlation: Correlation) -> Mapped {
        let (covariance, derivative_covariance) = gelu(x, y, correlation.value());
        let scales = x.scale * y.scale;
        Mapped {
            correlation: Correlation::of(covariance * scales),
            slope: derivative_covariance * (x.std * y.std) * scales,
        }
    }
}

/// T and T'.
#[inline(always)]
fn gelu(x: Input, y: Input, rho: f64) -> (f64, f64) {
    let stds = x.std * y.std;
    let (b, p) = (stds * rho, stds * stds);
    let dampings = x.damping * y.damping;
    let sine = b * dampings;
    let arc = arcsine(sine);
    let covariance = 0.25 * b + (dampings * (sine * sine / arc.cosine + p * arc.cosine) + b * arc.value) * (0.5 / PI);
    let squared = dampings * dampings;
    let bracket = squared / (arc.cosine * arc.cosine) + (1.0 - p) * squared + 1.0;
    (covariance, 0.25 + (arc.value + sine / arc.cosine * bracket) * (0.5 / PI))
}

struct Arcsine {
    value: f64,
    cosine: f64,
}

/// asin of a number within (-1, 1), and its cosine.
#[inline(always)]
fn arcsine(sine: f64) -> Arcsine {
    let distance = 1.0 - sine.abs();
    // Near 0 the difference from a right angle would lose what is left.
    let acute = 0.5 * Arc::of(2.0 * sine * sine).angle;
    let value = if distance > 0.5 { acute } else { FRAC_PI_2 - Arc::of(distance).angle };
    Arcsine { value: value.copysign(sine), cosine: (distance * (2.0 - distance)).sqrt() }
}
