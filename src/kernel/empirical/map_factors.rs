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
use super::outputs::Block;
use crate::net::{Factor, plus_product, plus_weighted, product};

/// What an affine map contributes for a batch.
#[derive(Debug, Clone)]
pub(super) struct MapFactors {
    n_positions: usize,
    is_weight_trained: bool,
    /// s_b, or 0 where there are no trained biases.
    bias_scale: f64,
    /// h times `input_scale` is s_w h: `[n * n_positions, n_in]`; absent where each sample's gradient is at hand.
    inputs: Option<Tensor<2>>,
    input_scale: f64,
    /// One per output: g, `[n * n_positions, n_out]`, or each sample's gradient, `[n, (n_in + 1) n_out]`, in which the bias is the weight of
    /// one more input, which is constant.
    deltas: Vec<Tensor<2>>,
}

impl MapFactors {
    pub(super) fn new(shape: &MapShape, factor: Factor, by_samples: bool) -> Self {
        let MapShape { n_positions, is_weight_trained, bias_scale, .. } = *shape;
        let Factor { inputs, input_scale, deltas } = factor;
        let (inputs, deltas) =
            if by_samples { (None, gradients(shape, inputs * input_scale, deltas)) } else { (Some(inputs), deltas) };
        Self { n_positions, is_weight_trained, bias_scale, inputs, input_scale, deltas }
    }

    /// Adds this map's term of the kernel between `columns` of the other batch and `rows` of this one, for each of `blocks`: its outputs'
    /// `[columns, rows]`, one beside the other. This way around, the fewer rows are what a product on a CPU brings into order first.
    pub(super) fn add_shares(
        &self,
        rows: &Range<usize>,
        (other, columns): (&Self, &Range<usize>),
        blocks: &[Block],
        sums: &mut [Option<Tensor<2>>],
    ) {
        // Of each sample's gradient there is one row, whatever the positions.
        let p = if self.inputs.is_some() { self.n_positions } else { 1 };
        let bias = self.bias_scale * self.bias_scale;
        let inputs = match (&self.inputs, &other.inputs) {
            (Some(h1), Some(h2)) if self.is_weight_trained => {
                let (h1, h2) = (samples(h1, rows, p), samples(h2, columns, p));
                Some(product(&h2, &h1.transpose(), self.input_scale * other.input_scale))
            }
            _ => None,
        };
        // The outputs of one block's rows are mostly those of the next one's.
        let mut stacked: Option<(&[usize], Tensor<2>)> = None;
        for (sum, block) in sums.iter_mut().zip(blocks) {
            let mut deltas: Option<Tensor<2>> = None;
            for (o1, o2) in &block.terms {
                if stacked.as_ref().is_none_or(|(outputs, _)| outputs != o1) {
                    let of = |output: &usize| samples(&self.deltas[*output], rows, p);
                    let deltas =
                        if let [output] = o1[..] { of(&output) } else { Tensor::cat(o1.iter().map(of).collect(), 0) };
                    stacked = Some((o1, deltas.transpose()));
                }
                let Some((_, a)) = &stacked else { continue };
                let b = samples(&other.deltas[*o2], columns, p);
                deltas = Some(match deltas {
                    None => product(&b, a, 1.0),
                    Some(sum) => plus_product(sum, &b, a, 1.0),
                });
            }
            let Some(deltas) = deltas else { continue };
            let before = sum.take();
            *sum = Some(match &inputs {
                Some(inputs) if p == 1 => plus_weighted(before, deltas, inputs, bias),
                Some(inputs) => plus(before, sum_positions(plus_weighted(None, deltas, inputs, bias), p)),
                // The gradients have the biases in them.
                None if self.inputs.is_none() => plus(before, deltas),
                None => plus(before, sum_positions(deltas * bias, p)),
            });
        }
    }

    /// J v: the sum over this map's parameters, for one output of every sample: `[n, 1]`.
    pub(super) fn forward(
        &self,
        output: usize,
        weight: Option<&Tensor<2>>,
        bias: Option<&Tensor<2>>,
    ) -> Option<Tensor<2>> {
        let inputs = self.inputs.as_ref()?;
        let moved = weight.map(|weight| product(inputs, weight, self.input_scale));
        let bias = bias.map(|bias| bias.clone() * self.bias_scale);
        let moved = match (moved, bias) {
            (Some(z), Some(bias)) => z + bias,
            (Some(z), None) => z,
            (None, bias) => bias?,
        };
        let rows = (self.deltas[output].clone() * moved).sum_dim(1);
        let [n_rows, _] = rows.dims();
        let p = self.n_positions;
        Some(if p == 1 { rows } else { rows.reshape([n_rows / p, p]).sum_dim(1) })
    }

    /// J^T u: what the weights `[n_in, n_out]` and the biases `[1, n_out]` get, from u with one `[n, 1]` per output.
    pub(super) fn backward(&self, u: &[Tensor<2>]) -> (Option<Tensor<2>>, Option<Tensor<2>>) {
        let Some(inputs) = &self.inputs else { return (None, None) };
        let p = self.n_positions;
        let weighted = self.deltas.iter().zip(u).map(|(delta, u)| {
            let [n, _] = u.dims();
            // One factor per sample, for each of its positions.
            let factors = if p == 1 { u.clone() } else { u.clone().repeat_dim(1, p).reshape([n * p, 1]) };
            delta.clone() * factors
        });
        let Some(deltas) = weighted.reduce(|sum, term| sum + term) else { return (None, None) };
        let weight = self.is_weight_trained.then(|| product(&inputs.clone().transpose(), &deltas, self.input_scale));
        let bias = (self.bias_scale != 0.0).then(|| deltas.sum_dim(0) * self.bias_scale);
        (weight, bias)
    }
}

/// Each sample's gradient, one `[n, (n_in + 1) n_out]` per output.
fn gradients(shape: &MapShape, inputs: Tensor<2>, deltas: Vec<Tensor<2>>) -> Vec<Tensor<2>> {
    let [n_rows, n_in] = inputs.dims();
    let p = shape.n_positions;
    let n = n_rows / p;
    let constant = inputs.clone().narrow(1, 0, 1).zeros_like() + shape.bias_scale;
    let (inputs, n_in) = match (shape.is_weight_trained, shape.bias_scale != 0.0) {
        (true, true) => (Tensor::cat(vec![inputs, constant], 1), n_in + 1),
        (true, false) => (inputs, n_in),
        (false, _) => (constant, 1),
    };
    let inputs = inputs.reshape([n, p, n_in]).transpose();
    let gradient = |delta: Tensor<2>| {
        let [_, n_out] = delta.dims();
        inputs.clone().matmul(delta.reshape([n, p, n_out])).reshape([n, n_in * n_out])
    };
    deltas.into_iter().map(gradient).collect()
}

/// The rows of some samples, each with `p` of them.
fn samples(of: &Tensor<2>, samples: &Range<usize>, p: usize) -> Tensor<2> {
    of.clone().narrow(0, samples.start * p, samples.len() * p)
}

fn plus(sum: Option<Tensor<2>>, term: Tensor<2>) -> Tensor<2> {
    match sum {
        Some(sum) => sum + term,
        None => term,
    }
}

/// Of `[n1 * p, n2 * p]`, `[n1, n2]`.
fn sum_positions(pairs: Tensor<2>, p: usize) -> Tensor<2> {
    if p == 1 {
        return pairs;
    }
    let [n1, n2] = pairs.dims().map(|n| n / p);
    pairs.reshape([n1, p, n2, p]).sum_dim(3).sum_dim(1).reshape([n1, n2])
}
