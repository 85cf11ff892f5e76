//! One dense map: z = (W_std / sqrt n) h W + b_std b in the NTK parametrization, z = h W + b in the standard one.
//!
//! Burn's own linear layer follows the device's default number type and has no scale in its forward pass, hence this one.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::Compute;
use crate::arch::{Architecture, Layer, Parametrization};
use crate::linalg::Matrix;
use crate::seed::{Stream, standard_normals};

/// The parameters of one dense map on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseWeights {
    /// `[n_in, n_out]`.
    pub weight: Matrix,
    /// `[n_out]`; `None` for a network without biases.
    pub bias: Option<Vec<f64>>,
}

impl DenseWeights {
    /// The initial parameters of every dense map of `architecture`, drawn in f64 from `stream`, first layer first.
    #[must_use]
    pub fn draw(architecture: &Architecture, stream: &mut Stream) -> Vec<Self> {
        let mut n_in = architecture.d_in();
        let mut drawn = Vec::new();
        for layer in architecture.layers() {
            let Layer::Dense(n_out) = *layer else { continue };
            let (weight_std, bias_std) = match architecture.parametrization() {
                Parametrization::Ntk => (1.0, 1.0),
                Parametrization::Standard => (architecture.w_std() / (n_in as f64).sqrt(), architecture.b_std()),
            };
            let mut normals = standard_normals(stream, n_in * n_out).into_iter();
            let weight = Matrix::from_fn(n_in, n_out, |_, _| weight_std * normals.next().unwrap_or_default());
            let bias = (architecture.b_std() > 0.0)
                .then(|| standard_normals(stream, n_out).into_iter().map(|z| bias_std * z).collect());
            drawn.push(Self { weight, bias });
            n_in = n_out;
        }
        drawn
    }
}

/// A dense map as a Burn module.
#[derive(Module, Debug)]
pub struct Dense {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
    weight_scale: f64,
    bias_scale: f64,
}

impl Dense {
    pub(super) fn new(weights: &DenseWeights, architecture: &Architecture, compute: &Compute) -> Self {
        let (weight_scale, bias_scale) = match architecture.parametrization() {
            Parametrization::Ntk => {
                (architecture.w_std() / (weights.weight.n_rows() as f64).sqrt(), architecture.b_std())
            }
            Parametrization::Standard => (1.0, 1.0),
        };
        Self {
            weight: Param::from_tensor(compute.tensor(&weights.weight).autodiff()),
            bias: weights.bias.as_ref().map(|bias| Param::from_tensor(compute.vector(bias).autodiff())),
            weight_scale,
            bias_scale,
        }
    }

    /// The pre-activations.
    ///
    /// # Shapes
    /// - input: `[n, n_in]`
    /// - output: `[n, n_out]`
    #[must_use]
    pub fn forward(&self, h: Tensor<2>) -> Tensor<2> {
        // The inputs carry the scale: n x n_in numbers, where the weights are n_in x n_out and wide networks see few samples.
        let z = (h * self.weight_scale).matmul(self.weight.val());
        match &self.bias {
            Some(bias) => z + (bias.val() * self.bias_scale).unsqueeze::<2>(),
            None => z,
        }
    }

    /// What multiplies <h, h'> and 1 in this map's share of the tangent kernel: the squared scales of weights and biases.
    #[must_use]
    pub fn squared_scales(&self) -> (f64, f64) {
        let bias = if self.bias.is_some() { self.bias_scale * self.bias_scale } else { 0.0 };
        (self.weight_scale * self.weight_scale, bias)
    }
}
