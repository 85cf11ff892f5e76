//! The few families that activations reduce to; each has formulas of its own in network and kernel.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::activation::OwnFunction;

/// An activation by its formula.
#[derive(Debug, Clone, PartialEq)]
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
    /// max(z, 0)^n, n from 2 up.
    RectifiedMonomial(usize),
    /// `right` z above 0, `scale` (e^{`rate` z} - 1) below.
    ExponentialLinear {
        /// Slope above 0.
        right: f64,
        /// Factor of the exponential.
        scale: f64,
        /// Factor of its argument.
        rate: f64,
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
    /// e^{-z^2} sin z.
    Gabor,
    /// scale e^{rate z}.
    Exponential {
        /// Factor of the exponential.
        scale: f64,
        /// Factor of its argument.
        rate: f64,
    },
    /// The coefficients of 1, z, z^2, ...
    Polynomial(Vec<f64>),
    /// A smooth function whose expectations have no closed form.
    Smooth(Smooth),
}

/// The smooth functions without closed form.
#[derive(Debug, Clone, PartialEq)]
pub enum Smooth {
    /// tanh z.
    Tanh,
    /// 1 / (1 + e^{-z}).
    Sigmoid,
    /// ln(1 + e^z).
    Softplus,
    /// z / (1 + e^{-z}).
    Swish,
    /// z tanh(ln(1 + e^z)).
    Mish,
    /// (z / 2)(1 + tanh(sqrt(2 / pi)(z + 0.044715 z^3))).
    GeluTanh,
    /// The caller's own.
    Own(OwnFunction),
}

impl Family {
    /// phi(z).
    #[must_use]
    pub fn value(&self, z: f64) -> f64 {
        match *self {
            Self::TwoSlope { left, right } => z * if z > 0.0 { right } else { left },
            Self::TwoLevel { low, high } if z == 0.0 => 0.5 * (low + high),
            Self::TwoLevel { low, high } => {
                if z > 0.0 {
                    high
                } else {
                    low
                }
            }
            Self::RectifiedMonomial(degree) => (0..degree).fold(1.0, |power, _| power * z.max(0.0)),
            Self::ExponentialLinear { right, scale, rate } => {
                if z > 0.0 {
                    right * z
                } else {
                    scale * (rate * z).exp_m1()
                }
            }
            Self::Erf { scale, slope, offset } => scale * libm::erf(slope * z) + offset,
            Self::Gelu => 0.5 * z * libm::erfc(-z * FRAC_1_SQRT_2),
            Self::Sine { amplitude, frequency, phase } => amplitude * (frequency * z + phase).sin(),
            Self::Gaussian => (-z * z).exp(),
            Self::Gabor => (-z * z).exp() * z.sin(),
            Self::Exponential { scale, rate } => scale * (rate * z).exp(),
            Self::Polynomial(ref coefficients) => coefficients.iter().rev().fold(0.0, |f, c| f * z + c),
            Self::Smooth(ref smooth) => smooth.value(z),
        }
    }

    /// The numbers it was written with.
    pub(super) fn numbers(&self) -> Vec<f64> {
        match *self {
            Self::TwoSlope { left, right } => vec![left, right],
            Self::TwoLevel { low, high } => vec![low, high],
            Self::Erf { scale, slope, offset } => vec![scale, slope, offset],
            Self::Sine { amplitude, frequency, phase } => vec![amplitude, frequency, phase],
            Self::Exponential { scale, rate } => vec![scale, rate],
            Self::ExponentialLinear { right, scale, rate } => vec![right, scale, rate],
            Self::Polynomial(ref coefficients) => coefficients.clone(),
            Self::RectifiedMonomial(_) | Self::Gelu | Self::Gaussian | Self::Gabor | Self::Smooth(_) => Vec::new(),
        }
    }
}

impl Smooth {
    /// phi(z).
    #[must_use]
    pub fn value(&self, z: f64) -> f64 {
        match self {
            Self::Tanh => z.tanh(),
            Self::Sigmoid => sigmoid(z),
            Self::Softplus => softplus(z),
            Self::Swish => z * sigmoid(z),
            Self::Mish => z * softplus(z).tanh(),
            // (1 + tanh y) / 2 is the logistic sigmoid of 2 y.
            Self::GeluTanh => z * sigmoid((8.0 / PI).sqrt() * (z + 0.044_715 * z * z * z)),
            Self::Own(function) => function.value(z),
        }
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// The larger of 0 and z taken out, so that neither side loses digits.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}
