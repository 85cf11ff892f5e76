//! The finite network of an [`Architecture`].

use std::f64::consts::FRAC_1_SQRT_2;

use burn::module::Module;
use burn::tensor::{Tensor, activation};

use super::dense::{Dense, DenseWeights};
use super::device::Compute;
use crate::arch::{Activation, Architecture, Family, Layer, MAX_DEGREE};
use crate::error::{Error, Result};

/// A network whose parameters require gradients; use [`Module::valid`] for inference.
#[derive(Module, Debug)]
pub struct Network {
    blocks: Vec<Block>,
    #[module(skip)]
    architecture: Architecture,
}

/// A dense map with the activation that follows it, if any.
#[derive(Module, Debug)]
struct Block {
    dense: Dense,
    #[module(skip)]
    activation: Option<Activation>,
}

impl Network {
    /// Builds the network with the given parameters.
    ///
    /// # Errors
    /// When the parameters do not have the architecture's shapes.
    pub fn from_weights(architecture: &Architecture, weights: &[DenseWeights], compute: &Compute) -> Result<Self> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut n_in = architecture.d_in();
        let mut remaining = weights.iter();
        for layer in architecture.layers() {
            match (layer, blocks.last_mut()) {
                (Layer::Activation(activation), Some(block)) => block.activation = Some(*activation),
                // The architecture's own check: an activation always follows a dense map.
                (Layer::Activation(_), None) => {}
                (Layer::Dense(n_out), _) => {
                    let layer = blocks.len();
                    let weights = remaining.next().ok_or_else(|| {
                        Error::shape("dense layers with weights", format!("more than {layer}"), weights.len())
                    })?;
                    ensure_shape(layer, weights, n_in, *n_out, architecture.b_std() > 0.0)?;
                    blocks.push(Block { dense: Dense::new(weights, architecture, compute), activation: None });
                    n_in = *n_out;
                }
            }
        }
        Ok(Self { blocks, architecture: architecture.clone() })
    }

    /// The description this network was built from.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The network's outputs.
    ///
    /// # Shapes
    /// - input: `[n, d_in]`
    /// - output: `[n, d_out]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward_probed(x, |_, _, z| z)
    }

    /// As [`Network::forward`], letting `probe` see each dense map with its inputs `[n, n_in]` and replace its pre-activations
    /// `[n, n_out]`, which is how structured derivatives attach their leaves.
    #[must_use]
    pub fn forward_probed(
        &self,
        x: Tensor<2>,
        mut probe: impl FnMut(&Dense, &Tensor<2>, Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        self.blocks.iter().fold(x, |h, block| {
            let z = block.dense.forward(h.clone());
            let z = probe(&block.dense, &h, z);
            match block.activation {
                Some(activation) => apply(activation, z),
                None => z,
            }
        })
    }
}

fn apply(activation: Activation, z: Tensor<2>) -> Tensor<2> {
    match activation.family() {
        Family::TwoSlope { left, right } if left == right => scaled(z, right),
        Family::TwoSlope { left: 0.0, right } => scaled(activation::relu(z), right),
        Family::TwoSlope { left, right } => {
            scaled(activation::relu(z.clone()), right) - scaled(activation::relu(z.neg()), left)
        }
        Family::TwoLevel { low, high } => z.sign() * (0.5 * (high - low)) + 0.5 * (high + low),
        Family::Erf { scale, slope, offset } => {
            let f = scaled(scaled(z, slope).erf(), scale);
            if offset == 0.0 { f } else { f + offset }
        }
        Family::Gelu => z.clone() * ((z * FRAC_1_SQRT_2).erf() + 1.0) * 0.5,
        Family::Sine { amplitude, frequency, phase } => scaled((scaled(z, frequency) + phase).sin(), amplitude),
        Family::Gaussian => z.square().neg().exp(),
        Family::Exponential { scale, rate } => scaled(scaled(z, rate).exp(), scale),
        Family::Polynomial(coefficients) => {
            let (highest, lower) = (coefficients[MAX_DEGREE], &coefficients[..MAX_DEGREE]);
            lower.iter().rev().fold(z.zeros_like() + highest, |f, coefficient| f * z.clone() + *coefficient)
        }
    }
}

/// A factor of 1 costs no pass over the tensor.
fn scaled(z: Tensor<2>, factor: f64) -> Tensor<2> {
    if factor == 1.0 { z } else { z * factor }
}

fn ensure_shape(layer: usize, weights: &DenseWeights, n_in: usize, n_out: usize, has_bias: bool) -> Result<()> {
    let expected = (n_in, n_out, has_bias.then_some(n_out));
    let found = (weights.weight.n_rows(), weights.weight.n_cols(), weights.bias.as_ref().map(Vec::len));
    if expected == found {
        return Ok(());
    }
    Err(Error::shape(
        format!("weights of dense layer {layer} (inputs, outputs, biases)"),
        format!("{expected:?}"),
        format!("{found:?}"),
    ))
}
