//! A forward pass that shows its affine maps, one by one: all that structured derivatives and NTK-vector products need of a module.
//!
//! A module that sends every trainable parameter through [`Probe::affine`] is written once and serves for training, where the probe is
//! idle, and for its tangent kernel, where the probe keeps each map's inputs and adds a leaf to its outputs, from which one backward pass
//! reads the deltas df / dz of a whole batch.

use burn::module::{Param, ParamId};
use burn::tensor::Tensor;

use super::activation::scaled;
use super::matmul::matmul;

/// An affine map of rows, z = weight_scale h W + bias_scale b.
#[derive(Debug, Clone, Copy)]
pub struct Affine<'a> {
    /// W, `[n_in, n_out]`.
    pub weight: &'a Param<Tensor<2>>,
    /// The factor of the weights.
    pub weight_scale: f64,
    /// b, `[n_out]`.
    pub bias: Option<&'a Param<Tensor<1>>>,
    /// The factor of the biases.
    pub bias_scale: f64,
}

impl Affine<'_> {
    /// z of inputs that carry the weights' scale.
    fn of_scaled(&self, inputs: Tensor<2>) -> Tensor<2> {
        let z = matmul(inputs, self.weight.val());
        match self.biases() {
            Some(biases) => z + biases,
            None => z,
        }
    }

    /// Zeros in the place of z.
    fn zeros(&self, inputs: &Tensor<2>) -> Tensor<2> {
        let ([rows, _], [_, n_out]) = (inputs.dims(), self.weight.dims());
        Tensor::zeros([rows, n_out], (&inputs.device(), inputs.dtype()))
    }

    /// bias_scale b, `[1, n_out]`.
    pub(super) fn biases(&self) -> Option<Tensor<2>> {
        self.bias.map(|bias| scaled(bias.val().unsqueeze::<2>(), self.bias_scale))
    }
}

/// An affine map as it was met in a forward pass.
#[derive(Debug)]
pub struct Seen {
    /// Which parameter the weights are.
    pub weight: ParamId,
    /// Which the biases are, with their factor.
    pub bias: Option<(ParamId, f64)>,
    /// weight_scale h, `[rows, n_in]`; one row per sample and position, sample by sample.
    pub inputs: Tensor<2>,
    /// z, `[rows, n_out]`, where it was asked for.
    pub outputs: Option<Tensor<2>>,
    /// What the backward pass gives df / dz to, where it was asked for.
    pub leaf: Option<Tensor<2>>,
}

/// Looks on while a module computes.
#[derive(Debug)]
pub struct Probe {
    purpose: Purpose,
    seen: Vec<Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Idle,
    Shapes,
    Outputs,
    Leaves,
}

impl Probe {
    /// Computes, and keeps nothing.
    #[must_use]
    pub fn idle() -> Self {
        Self { purpose: Purpose::Idle, seen: Vec::new() }
    }

    /// Keeps inputs and outputs of every map, which have their shapes and no more: outputs are zeros, and no weight is read.
    #[must_use]
    pub fn of_shapes() -> Self {
        Self { purpose: Purpose::Shapes, seen: Vec::new() }
    }

    /// Keeps the inputs and outputs of every map.
    #[must_use]
    pub fn of_outputs() -> Self {
        Self { purpose: Purpose::Outputs, seen: Vec::new() }
    }

    /// Keeps the inputs of every map and makes its outputs depend on a leaf. For modules without gradients of their own
    /// ([`Module::valid`](burn::module::Module::valid)): no gradient of a weight is then ever formed.
    #[must_use]
    pub fn of_leaves() -> Self {
        Self { purpose: Purpose::Leaves, seen: Vec::new() }
    }

    /// z = weight_scale h W + bias_scale b.
    ///
    /// # Shapes
    /// - input: `[rows, n_in]`
    /// - output: `[rows, n_out]`
    pub fn affine(&mut self, map: Affine<'_>, h: Tensor<2>) -> Tensor<2> {
        // The inputs carry the scale: rows x n_in numbers, where the weights are n_in x n_out and wide networks see few samples.
        let inputs = scaled(h, map.weight_scale);
        let kept = (self.purpose != Purpose::Idle).then(|| inputs.clone());
        let z = if self.purpose == Purpose::Shapes { map.zeros(&inputs) } else { map.of_scaled(inputs) };
        let Some(inputs) = kept else { return z };
        let (z, leaf) = if self.purpose == Purpose::Leaves { with_leaf(z) } else { (z, None) };
        self.seen.push(Seen {
            weight: map.weight.id,
            bias: map.bias.map(|bias| (bias.id, map.bias_scale)),
            inputs: inputs.inner(),
            outputs: matches!(self.purpose, Purpose::Shapes | Purpose::Outputs).then(|| z.clone()),
            leaf,
        });
        z
    }

    /// The maps in the order in which they were met.
    #[must_use]
    pub fn into_seen(self) -> Vec<Seen> {
        self.seen
    }
}

/// z, depending on a leaf of its own: z itself where nothing before it is tracked, otherwise zeros that are added.
fn with_leaf(z: Tensor<2>) -> (Tensor<2>, Option<Tensor<2>>) {
    if z.is_tracked() {
        let leaf = z.zeros_like().inner().autodiff().require_grad();
        (z + leaf.clone(), Some(leaf))
    } else {
        let leaf = z.autodiff().require_grad();
        (leaf.clone(), Some(leaf))
    }
}
