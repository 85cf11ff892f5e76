//! The share of one affine map in the kernel, from its inputs and deltas.
//!
//! For n1 and n2 samples, P positions and O outputs there are two ways of summing over pairs of positions:
//!
//! - **by positions**: two Gram matrices of rows, multiplied entry by entry, and summed over blocks. n1 n2 P^2 (n_in + O^2 n_out)
//!   multiplications; (n1 + n2) P (n_in + O n_out) numbers of memory, and n1 n2 P^2 for a while.
//! - **by samples**: each sample's gradient sum_p h_p g_p^T, and their Gram matrix. n_in n_out O (n1 n2 O + (n1 + n2) P)
//!   multiplications, (n1 + n2) O n_in n_out numbers of memory.
//!
//! The one with fewer multiplications is taken ([`MapShape::is_summed_by_samples`](super::anatomy::MapShape)): by positions for dense maps,
//! where P = 1, and for wide convolutions on small grids.

use std::ops::Range;

use burn::tensor::Tensor;

use super::anatomy::MapShape;
use super::outputs::Outputs;
use crate::net::{Factor, matmul, plus_weighted, product, spend};

/// What an affine map contributes for a batch.
#[derive(Debug, Clone)]
pub(super) struct MapFactors {
    n_samples: usize,
    n_outputs: usize,
    n_positions: usize,
    is_weight_trained: bool,
    /// s_b, or 0 where there are no trained biases.
    bias_scale: f64,
    /// h times `input_scale` is s_w h: `[n * n_positions, n_in]`; absent where each sample's gradient is at hand.
    inputs: Option<Tensor<2>>,
    input_scale: f64,
    /// g, `[n * n_outputs * n_positions, n_out]`, or each sample's gradients, `[n * n_outputs, (n_in + 1) n_out]`, in which the bias is the
    /// weight of one more input, which is constant.
    deltas: Tensor<2>,
    /// A factor of their inner products: 1 over the number of outputs for a trace.
    delta_scale: f64,
}

impl MapFactors {
    pub(super) fn new(shape: &MapShape, factor: Factor, (n_samples, n_outputs): (usize, usize)) -> Self {
        let MapShape { n_positions, is_weight_trained, bias_scale, .. } = *shape;
        let Factor { inputs, input_scale, deltas } = factor;
        let inputs = Some(inputs);
        Self {
            n_samples,
            n_outputs,
            n_positions,
            is_weight_trained,
            bias_scale,
            inputs,
            input_scale,
            deltas,
            delta_scale: 1.0,
        }
    }

    /// With each sample's gradients where that is cheaper, and for a trace with all outputs as one, whose inner products are sums over outputs.
    pub(super) fn for_kernel(shape: &MapShape, factor: Factor, n: (usize, usize), outputs: Outputs) -> Self {
        let (n_samples, d_out) = n;
        let is_merged = outputs == Outputs::Trace && shape.is_merged;
        let mut factors = Self::new(shape, factor, (n_samples, if is_merged { 1 } else { d_out }));
        if shape.is_summed_by_samples(outputs, d_out) {
            factors.form_gradients();
        }
        if outputs == Outputs::Trace {
            factors.delta_scale = 1.0 / d_out as f64;
            factors.merge_outputs();
        }
        factors
    }

    /// Rows of a sample's deltas for one output.
    fn n_rows(&self) -> usize {
        if self.inputs.is_some() { self.n_positions } else { 1 }
    }

    fn form_gradients(&mut self) {
        let Some(inputs) = self.inputs.take() else { return };
        let ([_, n_in], [_, n_out]) = (inputs.dims(), self.deltas.dims());
        let (n, p, d_out) = (self.n_samples, self.n_positions, self.n_outputs);
        let inputs = inputs * self.input_scale;
        let constant = inputs.clone().narrow(1, 0, 1).zeros_like() + self.bias_scale;
        let (inputs, n_in) = match (self.is_weight_trained, self.bias_scale != 0.0) {
            (true, true) => (Tensor::cat(vec![inputs, constant], 1), n_in + 1),
            (true, false) => (inputs, n_in),
            (false, _) => (constant, 1),
        };
        let inputs: Tensor<4> = inputs.reshape([n, 1, p, n_in]).repeat_dim(1, d_out).transpose();
        let deltas = self.deltas.clone().reshape([n, d_out, p, n_out]);
        self.deltas = matmul(inputs, deltas).reshape([n * d_out, n_in * n_out]);
    }

    fn merge_outputs(&mut self) {
        if self.n_outputs == 1 {
            return;
        }
        let [_, n_columns] = self.deltas.dims();
        let (n, d_out, p) = (self.n_samples, self.n_outputs, self.n_rows());
        let deltas = self.deltas.clone().reshape([n, d_out, p, n_columns]);
        let deltas = if p == 1 { deltas } else { deltas.swap_dims(1, 2) };
        self.deltas = deltas.reshape([n * p, d_out * n_columns]);
        self.n_outputs = 1;
    }

    /// Adds this map's term of the kernel between `columns` of the other batch and `rows` of this one: `[columns, rows]` of all outputs, or
    /// of one alone. This way around, the rows, which are fewer, are what a product on a CPU brings into order first.
    pub(super) fn plus_share(
        &self,
        sum: Option<Tensor<2>>,
        rows: &Range<usize>,
        (other, columns): (&Self, &Range<usize>),
        output: Option<usize>,
    ) -> Option<Tensor<2>> {
        let (g1, g2) = (self.deltas_of(rows, output), other.deltas_of(columns, output));
        let deltas = product(&g2, &g1.transpose(), self.delta_scale);
        let n_outputs = if output.is_some() { 1 } else { self.n_outputs };
        let sizes = (columns.len() * n_outputs, rows.len() * n_outputs);
        let bias = self.bias_scale * self.bias_scale;
        let p = self.n_rows();
        let share = match (&self.inputs, &other.inputs) {
            (Some(h1), Some(h2)) if self.is_weight_trained => {
                let (h1, h2) = (samples(h1, rows, p), samples(h2, columns, p));
                let inputs = product(&h2, &h1.transpose(), self.input_scale * other.input_scale);
                let n = (columns.len(), rows.len());
                if p == 1 {
                    let sum = plus_weighted(sum, deltas, &inputs, bias, n);
                    spend(inputs);
                    return Some(sum);
                }
                sum_positions(plus_weighted(None, deltas, &inputs, bias, n), sizes)
            }
            (Some(_), _) => sum_positions(deltas * bias, sizes),
            // The gradients have the biases in them.
            (None, _) => deltas,
        };
        Some(match sum {
            Some(sum) => sum + share,
            None => share,
        })
    }

    /// The deltas of some samples, of all outputs or of one alone.
    fn deltas_of(&self, range: &Range<usize>, output: Option<usize>) -> Tensor<2> {
        let p = self.n_rows();
        let deltas = samples(&self.deltas, range, self.n_outputs * p);
        let Some(output) = output else { return deltas };
        let [_, n_columns] = deltas.dims();
        let deltas = deltas.reshape([range.len(), self.n_outputs * p * n_columns]);
        deltas.narrow(1, output * p * n_columns, p * n_columns).reshape([range.len() * p, n_columns])
    }

    /// J v: the sum over this map's parameters, `[n, n_outputs]`.
    pub(super) fn forward(&self, weight: Option<&Tensor<2>>, bias: Option<&Tensor<2>>) -> Option<Tensor<2>> {
        let inputs = self.inputs.as_ref()?;
        let moved = weight.map(|weight| product(inputs, weight, self.input_scale));
        let bias = bias.map(|bias| bias.clone() * self.bias_scale);
        let [_, n_out] = self.deltas.dims();
        let (n, size) = (self.n_samples, self.n_positions * n_out);
        // A map without trained weights moves all positions alike.
        let moved: Tensor<3> = match (moved, bias) {
            (Some(z), Some(bias)) => (z + bias).reshape([n, 1, size]),
            (Some(z), None) => z.reshape([n, 1, size]),
            (None, bias) => bias?.repeat_dim(1, self.n_positions).reshape([1, 1, size]),
        };
        let deltas = self.deltas.clone().reshape([n, self.n_outputs, size]);
        Some((deltas * moved).sum_dim(2).reshape([n, self.n_outputs]))
    }

    /// J^T u: what the weights `[n_in, n_out]` and the biases `[1, n_out]` get, from u `[n, n_outputs]`.
    pub(super) fn backward(&self, u: &Tensor<2>) -> (Option<Tensor<2>>, Option<Tensor<2>>) {
        let Some(inputs) = &self.inputs else { return (None, None) };
        let [_, n_out] = self.deltas.dims();
        let (n, p) = (self.n_samples, self.n_positions);
        let u: Tensor<3> = u.clone().reshape([n, self.n_outputs, 1]);
        let deltas = self.deltas.clone().reshape([n, self.n_outputs, p * n_out]);
        let deltas = (deltas * u).sum_dim(1).reshape([n * p, n_out]);
        let weight = self.is_weight_trained.then(|| product(&inputs.clone().transpose(), &deltas, self.input_scale));
        let bias = (self.bias_scale != 0.0).then(|| deltas.sum_dim(0) * self.bias_scale);
        (weight, bias)
    }
}

/// The rows of some samples, each with `p` of them.
fn samples(of: &Tensor<2>, samples: &Range<usize>, p: usize) -> Tensor<2> {
    of.clone().narrow(0, samples.start * p, samples.len() * p)
}

/// The sums over all pairs of positions, `[n1, n2]`.
fn sum_positions(pairs: Tensor<2>, (n1, n2): (usize, usize)) -> Tensor<2> {
    let [n_rows, n_columns] = pairs.dims();
    if n_rows == n1 {
        return pairs;
    }
    pairs.reshape([n1, n_rows / n1, n2, n_columns / n2]).sum_dim(3).sum_dim(1).reshape([n1, n2])
}
