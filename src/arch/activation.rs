//! The activations for which network and kernel are both defined, as written in a config.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Family, Smooth};
use crate::error::{Error, Result};

/// An elementwise nonlinearity phi: `"relu"`, `{ leaky-relu = 0.1 }`, `{ monomial = 3 }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The approximation of [`Activation::Gelu`] by tanh, (z / 2)(1 + tanh(sqrt(2 / pi)(z + 0.044715 z^3))).
    GeluTanh,
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
    /// e^{-z^2} sin z.
    Gabor,
    /// scale e^{rate z}.
    Exponential {
        /// Factor of the exponential.
        scale: f64,
        /// Factor of its argument.
        rate: f64,
    },
    /// z^m, m at most [`MAX_DEGREE`].
    Monomial(usize),
    /// max(z, 0)^m, the arc-cosine kernel of this order (Cho and Saul 2009), m from 0 to [`MAX_DEGREE`].
    RectifiedMonomial(usize),
    /// The polynomial with these coefficients of 1, z, z^2, ..., of degree at most [`MAX_DEGREE`].
    Polynomial(Vec<f64>),
    /// The normalized probabilists' Hermite polynomial of this degree, at most [`MAX_DEGREE`].
    Hermite(usize),
    /// tanh z.
    Tanh,
    /// 1 / (1 + e^{-z}).
    Sigmoid,
    /// ln(1 + e^z).
    Softplus,
    /// z / (1 + e^{-z}), also called SiLU.
    #[serde(alias = "silu")]
    Swish,
    /// z tanh(ln(1 + e^z)).
    Mish,
    /// z above 0, alpha (e^z - 1) below, for this alpha (Clevert et al. 2016).
    Elu(f64),
    /// The self-normalizing multiple of the ELU (Klambauer et al. 2017).
    Selu,
    /// A smooth function of the caller's own; for kernels only, and only from Rust.
    #[serde(skip)]
    Own(OwnFunction),
}

/// The highest degree of a polynomial activation.
pub const MAX_DEGREE: usize = 20;

/// A smooth function passed to the library, with the name it has in messages.
#[derive(Clone)]
pub struct OwnFunction {
    name: Arc<str>,
    phi: Arc<dyn Fn(f64) -> f64 + Send + Sync>,
}

impl OwnFunction {
    /// The function `phi`, which must be smooth: a kink is found when its kernel is computed, and refused.
    pub fn new(name: &str, phi: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        Self { name: name.into(), phi: Arc::new(phi) }
    }

    /// phi(z).
    #[must_use]
    pub fn value(&self, z: f64) -> f64 {
        (self.phi)(z)
    }
}

impl fmt::Debug for OwnFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnFunction").field(&self.name).finish()
    }
}

/// Two are equal if they are the same function; that two functions compute the same cannot be seen.
impl PartialEq for OwnFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.phi, &other.phi)
    }
}

/// The constants of [`Activation::Selu`].
const SELU: (f64, f64) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);

impl Activation {
    /// The family the activation belongs to, with its numbers.
    #[must_use]
    pub fn family(&self) -> Family {
        use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, SQRT_2};
        match *self {
            Self::Identity => Family::TwoSlope { left: 1.0, right: 1.0 },
            Self::Relu | Self::RectifiedMonomial(1) => Family::TwoSlope { left: 0.0, right: 1.0 },
            Self::LeakyRelu(left) => Family::TwoSlope { left, right: 1.0 },
            Self::TwoSlope { left, right } => Family::TwoSlope { left, right },
            Self::Abs => Family::TwoSlope { left: -1.0, right: 1.0 },
            Self::Sign => Family::TwoLevel { low: -1.0, high: 1.0 },
            Self::Step | Self::RectifiedMonomial(0) => Family::TwoLevel { low: 0.0, high: 1.0 },
            Self::RectifiedMonomial(degree) => Family::RectifiedMonomial(degree),
            Self::Erf => Family::Erf { scale: 1.0, slope: 1.0, offset: 0.0 },
            Self::ScaledErf { scale, slope, offset } => Family::Erf { scale, slope, offset },
            Self::SigmoidLike => Family::Erf { scale: 0.5, slope: 1.0 / 2.402_056_353_171_979_6, offset: 0.5 },
            Self::Gelu => Family::Gelu,
            Self::Sin => Family::Sine { amplitude: 1.0, frequency: 1.0, phase: 0.0 },
            Self::Cos => Family::Sine { amplitude: 1.0, frequency: 1.0, phase: FRAC_PI_2 },
            Self::Sine { amplitude, frequency, phase } => Family::Sine { amplitude, frequency, phase },
            Self::Rbf(gamma) => Family::Sine { amplitude: SQRT_2, frequency: (2.0 * gamma).sqrt(), phase: FRAC_PI_4 },
            Self::Gaussian => Family::Gaussian,
            Self::Gabor => Family::Gabor,
            Self::Exponential { scale, rate } => Family::Exponential { scale, rate },
            Self::Monomial(degree) => {
                let mut coefficients = vec![0.0; degree];
                coefficients.push(1.0);
                Family::Polynomial(coefficients)
            }
            Self::Polynomial(ref coefficients) => Family::Polynomial(coefficients.clone()),
            Self::Hermite(degree) => Family::Polynomial(hermite(degree)),
            Self::Elu(alpha) => Family::ExponentialLinear { right: 1.0, scale: alpha, rate: 1.0 },
            Self::Selu => Family::ExponentialLinear { right: SELU.0, scale: SELU.0 * SELU.1, rate: 1.0 },
            Self::GeluTanh => Family::Smooth(Smooth::GeluTanh),
            Self::Tanh => Family::Smooth(Smooth::Tanh),
            Self::Sigmoid => Family::Smooth(Smooth::Sigmoid),
            Self::Softplus => Family::Smooth(Smooth::Softplus),
            Self::Swish => Family::Smooth(Smooth::Swish),
            Self::Mish => Family::Smooth(Smooth::Mish),
            Self::Own(ref function) => Family::Smooth(Smooth::Own(function.clone())),
        }
    }

    /// One of every kind that can be written in a config, with unremarkable numbers where it takes some.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::Identity,
            Self::Relu,
            Self::LeakyRelu(0.1),
            Self::TwoSlope { left: -0.3, right: 1.2 },
            Self::Abs,
            Self::Sign,
            Self::Step,
            Self::Erf,
            Self::ScaledErf { scale: 2.0, slope: 0.5, offset: 0.1 },
            Self::SigmoidLike,
            Self::Gelu,
            Self::GeluTanh,
            Self::Sin,
            Self::Cos,
            Self::Sine { amplitude: 1.3, frequency: 0.7, phase: 0.2 },
            Self::Rbf(0.5),
            Self::Gaussian,
            Self::Gabor,
            Self::Exponential { scale: 0.5, rate: 0.4 },
            Self::Monomial(2),
            Self::RectifiedMonomial(2),
            Self::Polynomial(vec![0.2, 0.5, -0.3]),
            Self::Hermite(3),
            Self::Tanh,
            Self::Sigmoid,
            Self::Softplus,
            Self::Swish,
            Self::Mish,
            Self::Elu(0.8),
            Self::Selu,
        ]
    }

    /// Refuses numbers for which the activation is not defined; `key` is the dotted path it was written at.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that is not finite, a negative gamma, a degree above [`MAX_DEGREE`], or a polynomial without
    /// coefficients.
    pub fn validate(&self, key: &str) -> Result<()> {
        let degree = match self {
            Self::Monomial(degree) | Self::Hermite(degree) | Self::RectifiedMonomial(degree) => *degree,
            Self::Polynomial(coefficients) if coefficients.is_empty() => {
                return Err(Error::config(key, "the polynomial has no coefficients", "give those of 1, z, z^2, ..."));
            }
            Self::Polynomial(coefficients) => coefficients.len() - 1,
            _ => 0,
        };
        if degree > MAX_DEGREE {
            return Err(Error::config(
                key,
                format!("degree {degree} is more than {MAX_DEGREE}"),
                "deep networks of higher degree overflow at once",
            ));
        }
        if self.family().numbers().iter().all(|number| number.is_finite()) {
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
fn hermite(degree: usize) -> Vec<f64> {
    let (mut before, mut present) = (vec![0.0; degree + 1], vec![0.0; degree + 1]);
    present[0] = 1.0;
    for n in 0..degree {
        let mut next = vec![0.0; degree + 1];
        next[1..].copy_from_slice(&present[..degree]);
        for (coefficient, earlier) in next.iter_mut().zip(&before) {
            *coefficient -= n as f64 * earlier;
        }
        (before, present) = (present, next);
    }
    let factorial: f64 = (1..=degree).map(|k| k as f64).product();
    present.iter().map(|coefficient| coefficient / factorial.sqrt()).collect()
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
            Self::GeluTanh => f.write_str("gelu-tanh"),
            Self::Sin => f.write_str("sin"),
            Self::Cos => f.write_str("cos"),
            Self::Sine { amplitude, frequency, phase } => write!(f, "sine {amplitude} {frequency} {phase}"),
            Self::Rbf(gamma) => write!(f, "rbf {gamma}"),
            Self::Gaussian => f.write_str("gaussian"),
            Self::Gabor => f.write_str("gabor"),
            Self::Exponential { scale, rate } => write!(f, "exponential {scale} {rate}"),
            Self::Monomial(degree) => write!(f, "monomial {degree}"),
            Self::RectifiedMonomial(degree) => write!(f, "rectified-monomial {degree}"),
            Self::Polynomial(coefficients) => {
                f.write_str("polynomial")?;
                coefficients.iter().try_for_each(|coefficient| write!(f, " {coefficient}"))
            }
            Self::Hermite(degree) => write!(f, "hermite {degree}"),
            Self::Tanh => f.write_str("tanh"),
            Self::Sigmoid => f.write_str("sigmoid"),
            Self::Softplus => f.write_str("softplus"),
            Self::Swish => f.write_str("swish"),
            Self::Mish => f.write_str("mish"),
            Self::Elu(alpha) => write!(f, "elu {alpha}"),
            Self::Selu => f.write_str("selu"),
            Self::Own(function) => f.write_str(&function.name),
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
        assert_eq!(hermite(0), [1.0]);
        assert_eq!(hermite(3), [0.0, -3.0 / root(6.0), 0.0, 1.0 / root(6.0)]);
        assert_eq!(hermite(4), [3.0 / root(24.0), 0.0, -6.0 / root(24.0), 0.0, 1.0 / root(24.0)]);
    }

    #[test]
    fn impossible_numbers_are_refused_under_their_key() {
        let impossible = [
            Activation::Rbf(-1.0),
            Activation::LeakyRelu(f64::NAN),
            Activation::Monomial(MAX_DEGREE + 1),
            Activation::Polynomial(vec![]),
            Activation::Elu(f64::INFINITY),
        ];
        for activation in impossible {
            let message = activation.validate("arch.activation").expect_err("impossible").to_string();
            assert!(message.contains("arch.activation"), "{message}");
        }
        assert!(Activation::Rbf(0.5).validate("arch.activation").is_ok());
    }
}
