//! One affine map: z = (W_std / sqrt n) h W + b_std b in the NTK parametrization, z = h W + b in the standard one.
//!
//! Burn's own linear layer follows the device's default number type and has no scale in its forward pass, hence this one.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::Compute;
use super::fused::{column_sums, plus_product};
use super::params::flat;
use super::probe::Affine;
use super::trainable::Trainable;
use crate::arch::{AffineMap, Architecture};
use crate::linalg::Matrix;
use crate::seed::{Stream, standard_normals};

/// The parameters of one affine map on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseWeights {
    /// `[n_in, n_out]`; of a convolution n_in is taps times channels, tap by tap.
    pub weight: Matrix,
    /// `[n_out]`; `None` for a network without biases.
    pub bias: Option<Vec<f64>>,
}

impl DenseWeights {
    /// The initial parameters of every affine map of `architecture`, drawn in f64 from `stream`, in the order of
    /// [`Architecture::maps`].
    #[must_use]
    pub fn draw(architecture: &Architecture, stream: &mut Stream) -> Vec<Self> {
        let maps = architecture.maps().into_iter();
        maps.map(|&AffineMap { n_in, n_out, .. }| {
            let (weight_std, bias_std) = if architecture.parametrization().is_scaled() {
                (1.0, 1.0)
            } else {
                (architecture.w_std() / (n_in as f64).sqrt(), architecture.b_std())
            };
            let mut normals = standard_normals(stream, n_in * n_out).into_iter();
            let weight = Matrix::from_fn(n_in, n_out, |_, _| weight_std * normals.next().unwrap_or_default());
            let bias = (architecture.b_std() > 0.0).then(|| {
                // Drawn in any case, so that the weights do not depend on it.
                let bias_std = if architecture.starts_biased() { bias_std } else { 0.0 };
                standard_normals(stream, n_out).into_iter().map(|z| bias_std * z).collect()
            });
            Self { weight, bias }
        })
        .collect()
    }
}

/// An affine map of rows as a Burn module.
#[derive(Module, Debug)]
pub struct Dense {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
    weight_scale: f64,
    bias_scale: f64,
}

impl Dense {
    pub(super) fn new(weights: &DenseWeights, architecture: &Architecture, compute: &Compute) -> Self {
        let (weight_scale, bias_scale) = if architecture.parametrization().is_scaled() {
            (architecture.w_std() / (weights.weight.n_rows() as f64).sqrt(), architecture.b_std())
        } else {
            (1.0, 1.0)
        };
        Self {
            weight: Param::from_tensor(compute.tensor(&weights.weight).autodiff()),
            bias: weights.bias.as_ref().map(|bias| Param::from_tensor(compute.vector(bias).autodiff())),
            weight_scale,
            bias_scale,
        }
    }

    /// What the network's forward pass shows of it.
    pub(super) fn affine(&self) -> Affine<'_> {
        let Self { weight, bias, weight_scale, bias_scale } = self;
        Affine { weight, weight_scale: *weight_scale, bias: bias.as_ref(), bias_scale: *bias_scale }
    }

    /// The same map with its `trainable` parameters moved by the negative of their gradients, given its inputs h and delta = dloss/dz.
    #[must_use]
    pub(super) fn descended(self, inputs: &Tensor<2>, delta: &Tensor<2>, trainable: &Trainable) -> Self {
        let Self { weight, bias, weight_scale, bias_scale } = self;
        let step = |weight| plus_product(weight, &inputs.clone().transpose(), delta, -weight_scale);
        let weight = if trainable.contains(weight.id) { moved(weight, step) } else { weight };
        let step = |bias: Tensor<1>| bias + flat(column_sums(delta, -bias_scale));
        let bias = bias.map(|bias| if trainable.contains(bias.id) { moved(bias, step) } else { bias });
        Self { weight, bias, weight_scale, bias_scale }
    }

    /// Stops the training of the weights, of the biases, or of both.
    #[must_use]
    pub(super) fn frozen(self, parameters: Frozen) -> Self {
        let keeps = |frozen: Frozen| parameters != Frozen::Both && parameters != frozen;
        let Self { weight, bias, weight_scale, bias_scale } = self;
        let weight = if keeps(Frozen::Weights) { weight } else { weight.set_require_grad(false) };
        let bias = bias.map(|bias| if keeps(Frozen::Biases) { bias } else { bias.set_require_grad(false) });
        Self { weight, bias, weight_scale, bias_scale }
    }
}

/// The parameter after a step that may work in its place, because nobody else holds it.
fn moved<const D: usize>(parameter: Param<Tensor<D>>, step: impl FnOnce(Tensor<D>) -> Tensor<D>) -> Param<Tensor<D>> {
    let (id, tensor, mapper) = parameter.consume();
    Param::from_mapped_value(id, step(tensor), mapper)
}

/// Which parameters of an affine map are not trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frozen {
    /// The weights; the biases are.
    Weights,
    /// The biases; the weights are.
    Biases,
    /// Neither is.
    Both,
}
