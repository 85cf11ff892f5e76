//! Activations with a kink or a jump at 0: arc-cosine kernels of order 1 and 0 (Cho and Saul 2009).
//!
//! With t the angle between u and v, slopes A below and B above 0, m = (A^2 + B^2) / 2 and g = (A - B)^2 / (A^2 + B^2):
//!
//! ```text
//! two slopes   T = m sqrt(a c) [rho + g (sin t - t cos t) / pi],   T' = m (1 - g t / pi)
//! two levels   T = m (1 - g t / pi),                               T' = 0
//! ```
//!
//! so that the correlation maps to a correlation without knowing a and c, and keeps its digits through a thousand layers.

use std::f64::consts::FRAC_1_PI;

use super::angle::Arc;
use super::{Correlation, Input, Mapped, Pairwise};

/// `left` z below 0, `right` z above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TwoSlope {
    mean_square: f64,
    kink: f64,
}

impl TwoSlope {
    pub(super) fn new(left: f64, right: f64) -> Self {
        let (mean_square, kink) = moments(left, right);
        Self { mean_square, kink }
    }
}

impl TwoSlope {
    /// From the angle to the nearer of 1 and -1.
    #[inline(always)]
    fn bent_by(self, arc: Arc, Correlation { minus, plus }: Correlation) -> Mapped {
        let g = self.kink;
        let (angle, bend) = (g * FRAC_1_PI * arc.angle, g * FRAC_1_PI * arc.bend);
        // Each side as a sum without cancellation: beyond a right angle, t = pi - s.
        let sharp = Correlation { minus: minus - bend, plus: plus + bend };
        let blunt =
            Correlation { minus: (2.0 - g) + (g - 1.0).mul_add(plus, -bend), plus: g + (1.0 - g).mul_add(plus, bend) };
        let is_sharp = minus <= plus;
        Mapped {
            correlation: Correlation {
                minus: if is_sharp { sharp.minus } else { blunt.minus },
                plus: if is_sharp { sharp.plus } else { blunt.plus },
            },
            slope: if is_sharp { 1.0 - angle } else { (1.0 - g) + angle },
        }
    }
}

impl Pairwise for TwoSlope {
    fn variance(&self, a: f64) -> f64 {
        self.mean_square * a
    }

    #[inline(always)]
    fn map(&self, _: Input, _: Input, correlation: Correlation) -> Mapped {
        self.bent_by(Arc::of(correlation.minus.min(correlation.plus)), correlation)
    }
}

/// The same to 7 digits, for results of single precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ToSevenDigits(pub(super) TwoSlope);

impl Pairwise for ToSevenDigits {
    fn variance(&self, a: f64) -> f64 {
        self.0.variance(a)
    }

    #[inline(always)]
    fn map(&self, _: Input, _: Input, correlation: Correlation) -> Mapped {
        self.0.bent_by(Arc::to_seven_digits(correlation.minus.min(correlation.plus)), correlation)
    }
}

/// `low` below 0, `high` above, and their mean at 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TwoLevel {
    mean_square: f64,
    kink: f64,
    at_zero: f64,
}

impl TwoLevel {
    pub(super) fn new(low: f64, high: f64) -> Self {
        let (mean_square, kink) = moments(low, high);
        Self { mean_square, kink, at_zero: 0.5 * (low + high) }
    }
}

impl Pairwise for TwoLevel {
    fn variance(&self, a: f64) -> f64 {
        if a > 0.0 { self.mean_square } else { self.at_zero * self.at_zero }
    }

    #[inline(always)]
    fn map(&self, x: Input, y: Input, Correlation { minus, plus }: Correlation) -> Mapped {
        let angle = self.kink * FRAC_1_PI * Arc::of(minus.min(plus)).angle;
        let sharp = Correlation { minus: angle, plus: 2.0 - angle };
        let blunt = Correlation { minus: self.kink - angle, plus: (2.0 - self.kink) + angle };
        // An input of variance 0 is the constant at_zero, and so is the mean of the other.
        let constant = Correlation::of(self.at_zero * self.at_zero * x.scale * y.scale);
        let (is_sharp, is_constant) = (minus <= plus, x.std * y.std == 0.0);
        let minus = if is_sharp { sharp.minus } else { blunt.minus };
        let plus = if is_sharp { sharp.plus } else { blunt.plus };
        let correlation = Correlation {
            minus: if is_constant { constant.minus } else { minus },
            plus: if is_constant { constant.plus } else { plus },
        };
        Mapped { correlation, slope: 0.0 }
    }
}

/// m and g.
fn moments(left: f64, right: f64) -> (f64, f64) {
    let squares = left * left + right * right;
    let kink = if squares > 0.0 { (left - right).powi(2) / squares } else { 0.0 };
    (0.5 * squares, kink)
}
