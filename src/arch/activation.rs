//! The activations for which network and kernel are both defined.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// An elementwise nonlinearity phi, as written in a config: `"relu"`, `{ leaky-relu = 0.1 }`, `{ monomial = 3 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// z itself: a deep linear network.
    Identity,
    /// max(z, 0).
    Relu,
    /// z above 0, this slope times z below.
    LeakyRelu(f64),
    /// A slope below 0 and another above.
    TwoSlope {
        /// Slope below 0.
        left: f64,
        /// Slope above 0.
        right: f64,
    },
    /// |z|.
    Abs,
    /// -1 below 0, 1 above. Its derivative is 0 almost everywhere, so only the readout has a tangent kernel.
    Sign,
    /// 0 below 0, 1 above; as for the sign, only the readout has a tangent kernel.
    Step,
    /// The error function, (2 / sqrt pi) int_0^z e^{-t^2} dt.
    Erf,
    /// scale erf(slope z) + offset.
    ScaledErf {
        /// Factor of the error function.
        scale: f64,
        /// Factor of its argument.
        slope: f64,
        /// What is added.
        offset: f64,
    },
    /// (1 + erf(z / 2.4020563531719796)) / 2: the error function closest to the logistic sigmoid.
    SigmoidLike,
    /// z Phi(z), Phi the normal distribution function (Hendrycks and Gimpel 2016), exact.
    Gelu,
    /// sin z.
    Sin,
    /// cos z.
    Cos,
    /// amplitude sin(frequency z + phase).
    Sine {
        /// Factor of the sine.
        amplitude: f64,
        /// Factor of its argument.
        frequency: f64,
        /// What is added to its argument.
        phase: f64,
    },
    /// sqrt 2 sin(sqrt(2 gamma) z + pi / 4), whose NNGP is the RBF kernel of this gamma.
    Rbf(f64),
    /// e^{-z^2}.
    Gaussian,
    /// scale e^{rate z}.
    Exponential {
        /// Factor of the exponential.
        scale: f64,
        /// Factor of its argument.
        rate: f64,
    },
    /// z^m, m at most [`MAX_DEGREE`].
    Monomial(usize),
    /// The normalized probabilists' Hermite polynomial of this degree, at most [`MAX_DEGREE`].
    Hermite(usize),
}

/// The highest degree of a polynomial activation.
pub const MAX_DEGREE: usize = 6;

/// An activation reduced to one of the few families that have formulas of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Family {
    /// `left` z below 0, `right` z above.
    TwoSlope {
        /// Slope below 0.
        left: f64,
        /// Slope above 0.
        right: f64,
    },
    /// `low` below 0, `high` above.
    TwoLevel {
        /// Value below 0.
        low: f64,
        /// Value above 0.
        high: f64,
    },
    /// scale erf(slope z) + offset.
    Erf {
        /// Factor of the error function.
        scale: f64,
        /// Factor of its argument.
        slope: f64,
        /// What is added.
        offset: f64,
    },
    /// z Phi(z).
    Gelu,
    /// amplitude sin(frequency z + phase).
    Sine {
        /// Factor of the sine.
        amplitude: f64,
        /// Factor of its argument.
        frequency: f64,
        /// What is added to its argument.
        phase: f64,
    },
    /// e^{-z^2}.
    Gaussian,
    /// scale e^{rate z}.
    Exponential {
        /// Factor of the exponential.
        scale: f64,
        /// Factor of its argument.
        rate: f64,
    },
    /// The coefficients of 1, z, z^2, ...
    Polynomial([f64; MAX_DEGREE + 1]),
}

impl Activation {
    /// The family the activation belongs to, with its numbers.
    #[must_use]
    pub fn family(self) -> Family {
        use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, SQRT_2};
        match self {
            Self::Identity => Family::TwoSlope { left: 1.0, right: 1.0 },
            Self::Relu => Family::TwoSlope { left: 0.0, right: 1.0 },
            Self::LeakyRelu(left) => Family::TwoSlope { left, right: 1.0 },
            Self::TwoSlope { left, right } => Family::TwoSlope { left, right },
            Self::Abs => Family::TwoSlope { left: -1.0, right: 1.0 },
            Self::Sign => Family::TwoLevel { low: -1.0, high: 1.0 },
            Self::Step => Family::TwoLevel { low: 0.0, high: 1.0 },
            Self::Erf => Family::Erf { scale: 1.0, slope: 1.0, offset: 0.0 },
            Self::ScaledErf { scale, slope, offset } => Family::Erf { scale, slope, offset },
            Self::SigmoidLike => Family::Erf { scale: 0.5, slope: 1.0 / 2.402_056_353_171_979_6, offset: 0.5 },
            Self::Gelu => Family::Gelu,
            Self::Sin => Family::Sine { amplitude: 1.0, frequency: 1.0, phase: 0.0 },
            Self::Cos => Family::Sine { amplitude: 1.0, frequency: 1.0, phase: FRAC_PI_2 },
            Self::Sine { amplitude, frequency, phase } => Family::Sine { amplitude, frequency, phase },
            Self::Rbf(gamma) => Family::Sine { amplitude: SQRT_2, frequency: (2.0 * gamma).sqrt(), phase: FRAC_PI_4 },
            Self::Gaussian => Family::Gaussian,
            Self::Exponential { scale, rate } => Family::Exponential { scale, rate },
            Self::Monomial(degree) => {
                let mut coefficients = [0.0; MAX_DEGREE + 1];
                coefficients[degree.min(MAX_DEGREE)] = 1.0;
                Family::Polynomial(coefficients)
            }
            Self::Hermite(degree) => Family::Polynomial(hermite(degree.min(MAX_DEGREE))),
        }
    }

    /// Refuses numbers for which the activation is not defined; `key` is the dotted path it was written at.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that is not finite, a negative gamma, or a degree above [`MAX_DEGREE`].
    pub fn validate(self, key: &str) -> Result<()> {
        if let Self::Monomial(degree) | Self::Hermite(degree) = self
            && degree > MAX_DEGREE
        {
            return Err(Error::config(
                key,
                format!("degree {degree} is more than {MAX_DEGREE}"),
                "deep networks of higher degree overflow at once",
            ));
        }
        let numbers = match self.family() {
            Family::TwoSlope { left, right } => vec![left, right],
            Family::TwoLevel { low, high } => vec![low, high],
            Family::Erf { scale, slope, offset } => vec![scale, slope, offset],
            Family::Sine { amplitude, frequency, phase } => vec![amplitude, frequency, phase],
            Family::Exponential { scale, rate } => vec![scale, rate],
            Family::Polynomial(coefficients) => coefficients.to_vec(),
            Family::Gelu | Family::Gaussian => Vec::new(),
        };
        if numbers.iter().all(|number| number.is_finite()) {
            return Ok(());
        }
        Err(Error::config(
            key,
            format!("`{self}` holds a number that is not finite, or a negative gamma"),
            "give finite numbers",
        ))
    }
}

/// He_n / sqrt(n!), by He_{n+1} = z He_n - n He_{n-1}.
fn hermite(degree: usize) -> [f64; MAX_DEGREE + 1] {
    let (mut before, mut present) = ([0.0; MAX_DEGREE + 1], [0.0; MAX_DEGREE + 1]);
    present[0] = 1.0;
    for n in 0..degree {
        let mut next = [0.0; MAX_DEGREE + 1];
        next[1..].copy_from_slice(&present[..MAX_DEGREE]);
        for (coefficient, earlier) in next.iter_mut().zip(&before) {
            *coefficient -= n as f64 * earlier;
        }
        (before, present) = (present, next);
    }
    let factorial: f64 = (1..=degree).map(|k| k as f64).product();
    present.map(|coefficient| coefficient / factorial.sqrt())
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity"),
            Self::Relu => f.write_str("relu"),
            Self::LeakyRelu(slope) => write!(f, "leaky-relu {slope}"),
            Self::TwoSlope { left, right } => write!(f, "two-slope {left} {right}"),
            Self::Abs => f.write_str("abs"),
            Self::Sign => f.write_str("sign"),
            Self::Step => f.write_str("step"),
            Self::Erf => f.write_str("erf"),
            Self::ScaledErf { scale, slope, offset } => write!(f, "scaled-erf {scale} {slope} {offset}"),
            Self::SigmoidLike => f.write_str("sigmoid-like"),
            Self::Gelu => f.write_str("gelu"),
            Self::Sin => f.write_str("sin"),
            Self::Cos => f.write_str("cos"),
            Self::Sine { amplitude, frequency, phase } => write!(f, "sine {amplitude} {frequency} {phase}"),
            Self::Rbf(gamma) => write!(f, "rbf {gamma}"),
            Self::Gaussian => f.write_str("gaussian"),
            Self::Exponential { scale, rate } => write!(f, "exponential {scale} {rate}"),
            Self::Monomial(degree) => write!(f, "monomial {degree}"),
            Self::Hermite(degree) => write!(f, "hermite {degree}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hermite_polynomials_are_the_textbook_ones() {
        // He_3 = z^3 - 3 z, He_4 = z^4 - 6 z^2 + 3.
        let root = |n: f64| n.sqrt();
        assert_eq!(hermite(3)[..4], [0.0, -3.0 / root(6.0), 0.0, 1.0 / root(6.0)]);
        assert_eq!(hermite(4)[..5], [3.0 / root(24.0), 0.0, -6.0 / root(24.0), 0.0, 1.0 / root(24.0)]);
    }

    #[test]
    fn impossible_numbers_are_refused_under_their_key() {
        for activation in [Activation::Rbf(-1.0), Activation::LeakyRelu(f64::NAN), Activation::Monomial(7)] {
            let message = activation.validate("arch.activation").expect_err("impossible").to_string();
            assert!(message.contains("arch.activation"), "{message}");
        }
        assert!(Activation::Rbf(0.5).validate("arch.activation").is_ok());
    }
}
