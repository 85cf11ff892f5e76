//! Activations whose expectations are exponentials of the covariance.
//!
//! ```text
//! A sin(w z + p)   T = (A^2 / 2) (e^{-w^2 (a + c - 2b) / 2} - cos 2p e^{-w^2 (a + c + 2b) / 2}),   T' = (A w)^2 / 2 (... + ...)
//! A e^{r z}        T = A^2 e^{r^2 (a + c + 2b) / 2},   T' = r^2 T
//! e^{-z^2}         T = v w / sqrt(1 - x^2),   T' = 2 x (v w)^2 / sqrt(1 - x^2)^3,   x = 2 b v w,   v = 1 / sqrt(1 + 2a), w = 1 / sqrt(1 + 2c)
//! ```

use std::f64::consts::SQRT_2;

use super::elementary::exp_m1;
use super::{Correlation, Input, Mapped, Pairwise};

/// A sine of any amplitude, frequency and phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sine {
    /// A^2 / 2.
    size: f64,
    /// w^2.
    squared_frequency: f64,
    /// cos 2p, and what is missing from it to 1.
    cosine: f64,
    missing: f64,
}

impl Sine {
    pub(super) fn new(amplitude: f64, frequency: f64, phase: f64) -> Self {
        Self {
            size: 0.5 * amplitude * amplitude,
            squared_frequency: frequency * frequency,
            cosine: (2.0 * phase).cos(),
            missing: 2.0 * phase.sin().powi(2),
        }
    }
}

impl Pairwise for Sine {
    fn variance(&self, a: f64) -> f64 {
        // 1 - cos 2p e^{-2 w^2 a}, which is small where a and p are.
        self.size * (self.missing - self.cosine * (-2.0 * self.squared_frequency * a).exp_m1())
    }

    #[inline(always)]
    fn map(&self, x: Input, y: Input, correlation: Correlation) -> Mapped {
        let half = 0.5 * self.squared_frequency;
        let (difference, sum) = squared_distances(x, y, correlation);
        // As differences from 1, because small variances leave little else.
        let (difference, sum) = (exp_m1(-half * difference), exp_m1(-half * sum));
        let covariance = self.missing + (difference - self.cosine * sum);
        let derivative_covariance = (1.0 + difference) + self.cosine * (1.0 + sum);
        let scales = self.size * x.scale * y.scale;
        Mapped {
            correlation: Correlation::of(scales * covariance),
            slope: scales * self.squared_frequency * (x.std * y.std) * derivative_covariance,
        }
    }
}

/// scale e^{rate z}.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Exponential {
    pub(super) scale: f64,
    pub(super) rate: f64,
}

impl Pairwise for Exponential {
    fn variance(&self, a: f64) -> f64 {
        self.scale * self.scale * (2.0 * self.rate * self.rate * a).exp()
    }

    /// The correlation is e^{-r^2 (a + c - 2b) / 2}: no power of a variance that could overflow.
    #[inline(always)]
    fn map(&self, x: Input, y: Input, correlation: Correlation) -> Mapped {
        let squared = self.rate * self.rate;
        let minus = -exp_m1(-0.5 * squared * squared_distances(x, y, correlation).0);
        let correlation = Correlation { minus, plus: 2.0 - minus };
        Mapped { correlation, slope: squared * (x.std * y.std) * (1.0 - minus) }
    }
}

/// e^{-z^2}.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gaussian;

impl Pairwise for Gaussian {
    fn variance(&self, a: f64) -> f64 {
        1.0 / (1.0 + 4.0 * a).sqrt()
    }

    fn damping(&self) -> f64 {
        2.0
    }

    #[inline(always)]
    fn map(&self, x: Input, y: Input, correlation: Correlation) -> Mapped {
        let gain = (SQRT_2 * x.std * x.damping) * (SQRT_2 * y.std * y.damping);
        let sine = gain * correlation.value();
        let squared_cosine = (1.0 - sine) * (1.0 + sine);
        let value = (x.damping * x.scale) * (y.damping * y.scale) / squared_cosine.sqrt();
        Mapped { correlation: Correlation::of(value), slope: gain * sine * value / squared_cosine }
    }
}

/// a + c - 2b and a + c + 2b, without cancellation.
#[inline(always)]
fn squared_distances(x: Input, y: Input, correlation: Correlation) -> (f64, f64) {
    let stds = 2.0 * x.std * y.std;
    let apart = (x.std - y.std) * (x.std - y.std);
    (stds.mul_add(correlation.minus, apart), stds.mul_add(correlation.plus, apart))
}
