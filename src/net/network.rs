//! The finite network of an [`Architecture`].

use burn::module::Module;
use burn::tensor::{Tensor, activation};

use super::dense::{Dense, DenseWeights};
use super::device::Compute;
use crate::arch::{Activation, Architecture, Layer};
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
    match activation {
        Activation::Relu => activation::relu(z),
        Activation::Erf => z.erf(),
        Activation::Identity => z,
    }
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
