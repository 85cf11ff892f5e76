//! Activations on tensors, in forms whose values and derivatives are finite wherever phi's own are.
//!
//! [`Family::value`] is the same function of one number.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

use burn::tensor::{Tensor, activation::relu};

use crate::arch::{Activation, Family, Smooth};
use crate::error::{Error, Result};

/// An activation that can be computed on tensors and differentiated there.
#[derive(Debug, Clone)]
pub(super) struct Elementwise(Family);

impl Elementwise {
    /// # Errors
    /// For a caller's own function, which takes one number at a time and brings no derivative.
    pub(super) fn new(activation: &Activation) -> Result<Self> {
        match activation.family() {
            Family::Smooth(Smooth::Own(_)) => Err(Error::config(
                "arch.layers",
                format!("the function `{activation}` has no form on tensors, so a network cannot compute it"),
                "write the network as a Burn module and use `kernel::empirical::jacobian`",
            )),
            family => Ok(Self(family)),
        }
    }

    /// The slope above 0 of a function that is 0 below.
    pub(super) fn rectifier(&self) -> Option<f64> {
        match self.0 {
            Family::TwoSlope { left: 0.0, right } if right > 0.0 => Some(right),
            _ => None,
        }
    }

    /// phi and its derivative, entry by entry; of untracked tensors.
    pub(super) fn with_derivative(&self, z: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let leaf = z.autodiff().require_grad();
        let outputs = self.apply(leaf.clone());
        // Nothing is tracked of a function that does not depend on z but in steps.
        let mut gradients = outputs.is_tracked().then(|| outputs.clone().sum().backward());
        let derivative = gradients.as_mut().and_then(|gradients| leaf.grad_remove(gradients));
        let outputs = outputs.inner();
        (outputs.clone(), derivative.unwrap_or_else(|| outputs.zeros_like()))
    }

    /// phi, entry by entry.
    pub(super) fn apply(&self, z: Tensor<2>) -> Tensor<2> {
        match self.0 {
            Family::TwoSlope { left, right } if left == right => scaled(z, right),
            Family::TwoSlope { left: 0.0, right } => scaled(relu(z), right),
            Family::TwoSlope { left, right } => scaled(relu(z.clone()), right) - scaled(relu(z.neg()), left),
            Family::TwoLevel { low, high } => z.sign() * (0.5 * (high - low)) + 0.5 * (high + low),
            Family::RectifiedMonomial(degree) => {
                let rectified = relu(z);
                (1..degree).fold(rectified.clone(), |power, _| power * rectified.clone())
            }
            Family::ExponentialLinear { right, scale, rate } => {
                // Cut off at 0, because above it the exponential may overflow, and infinity times a derivative of 0 is not a number.
                let below = z.clone().clamp_max(0.0);
                scaled(z - below.clone(), right) + scaled(scaled(below, rate).exp() - 1.0, scale)
            }
            Family::Erf { scale, slope, offset } => {
                let f = scaled(scaled(z, slope).erf(), scale);
                if offset == 0.0 { f } else { f + offset }
            }
            Family::Gelu => z.clone() * ((z * FRAC_1_SQRT_2).erf() + 1.0) * 0.5,
            Family::Sine { amplitude, frequency, phase } => scaled((scaled(z, frequency) + phase).sin(), amplitude),
            Family::Gaussian => gaussian(z),
            Family::Gabor => gaussian(z.clone()) * z.sin(),
            Family::Exponential { scale, rate } => scaled(scaled(z, rate).exp(), scale),
            Family::Polynomial(ref coefficients) => {
                // Horner's rule.
                coefficients.iter().rev().fold(z.zeros_like(), |f, coefficient| f * z.clone() + *coefficient)
            }
            Family::Smooth(ref smooth) => apply_smooth(smooth, z),
        }
    }
}

fn apply_smooth(smooth: &Smooth, z: Tensor<2>) -> Tensor<2> {
    match smooth {
        Smooth::Tanh => z.tanh(),
        Smooth::Sigmoid => sigmoid(z),
        Smooth::Softplus => softplus(z),
        Smooth::Swish => z.clone() * sigmoid(z),
        Smooth::Mish => z.clone() * softplus(z).tanh(),
        Smooth::GeluTanh => {
            let cubic = z.clone() * (z.clone().square() * 0.044_715 + 1.0);
            z * ((cubic * FRAC_2_PI.sqrt()).tanh() + 1.0) * 0.5
        }
        // Never built.
        Smooth::Own(_) => z,
    }
}

fn gaussian(z: Tensor<2>) -> Tensor<2> {
    z.square().neg().exp()
}

/// By the hyperbolic tangent: Burn's own passes through f32 on some backends, whatever the number type.
fn sigmoid(z: Tensor<2>) -> Tensor<2> {
    ((z * 0.5).tanh() + 1.0) * 0.5
}

/// Above 40, ln(1 + e^z) is z to the last digit of f64, and e^z is soon too large for f32.
fn softplus(z: Tensor<2>) -> Tensor<2> {
    let low = z.clone().clamp_max(40.0);
    low.clone().exp().log1p() + (z - low)
}

/// A factor of 1 costs no pass over the tensor.
pub(super) fn scaled<const D: usize>(z: Tensor<D>, factor: f64) -> Tensor<D> {
    if factor == 1.0 { z } else { z * factor }
}
