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
use crate::error::Result;

/// What an affine map contributes for a batch. Samples, or their positions, are columns: products of such matrices are the fast ones on a
/// CPU.
#[derive(Debug, Clone)]
pub(super) struct MapFactors {
    n_positions: usize,
    is_weight_trained: bool,
    /// s_b, or 0 where there are no trained biases.
    bias_scale: f64,
    /// s_w h: `[n_in, n * n_positions]`; absent where each sample's gradient is at hand.
    inputs: Option<Tensor<2>>,
    /// One per output: g, `[n_out, n * n_positions]`, or each sample's gradient, `[(n_in + 1) n_out, n]`, in which the bias is the weight of
    /// one more input, which is constant.
    columns: Vec<Tensor<2>>,
}

impl MapFactors {
    /// Of inputs that carry the scale of the weights, `[n * n_positions, n_in]`, and one `[n * n_positions, n_out]` of deltas per output, all
    /// turned around by `turn`.
    pub(super) fn new(
        shape: &MapShape,
        inputs: Tensor<2>,
        deltas: Vec<Tensor<2>>,
        by_samples: bool,
        turn: &dyn Fn(Tensor<2>) -> Result<Tensor<2>>,
    ) -> Result<Self> {
        let MapShape { n_positions, is_weight_trained, bias_scale, .. } = *shape;
        let (inputs, columns) =
            if by_samples { (None, gradients(shape, inputs, deltas)) } else { (Some(turn(inputs)?), deltas) };
        let columns = columns.into_iter().map(turn).collect::<Result<_>>()?;
        Ok(Self { n_positions, is_weight_trained, bias_scale, inputs, columns })
    }

    /// Adds this map's term of the kernel between `rows` of this batch and `columns` of the other: `[rows, columns]` for each of `pairs` of
    /// outputs.
    pub(super) fn add_shares(
        &self,
        rows: Range<usize>,
        (other, columns): (&Self, Range<usize>),
        pairs: &[(usize, usize)],
        sums: &mut [Option<Tensor<2>>],
    ) {
        let add = |sum: &mut Option<Tensor<2>>, share: Tensor<2>| {
            *sum = Some(match sum.take() {
                None => share,
                Some(sum) => sum + share,
            });
        };
        let (Some(h1), Some(h2)) = (&self.inputs, &other.inputs) else {
            for (sum, (o1, o2)) in sums.iter_mut().zip(pairs) {
                add(sum, product(&self.columns[*o1], &rows, &other.columns[*o2], &columns, 1));
            }
            return;
        };
        let p = self.n_positions;
        let bias = self.bias_scale * self.bias_scale;
        let inputs = self.is_weight_trained.then(|| {
            let products = product(h1, &rows, h2, &columns, p);
            if bias == 0.0 { products } else { products + bias }
        });
        for (sum, (o1, o2)) in sums.iter_mut().zip(pairs) {
            let deltas = product(&self.columns[*o1], &rows, &other.columns[*o2], &columns, p);
            let share = match &inputs {
                Some(inputs) => deltas * inputs.clone(),
                None => deltas * bias,
            };
            add(sum, sum_positions(share, rows.len(), columns.len()));
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
        let moved = weight.map(|weight| inputs.clone().transpose().matmul(weight.clone()));
        let bias = bias.map(|bias| bias.clone() * self.bias_scale);
        let moved = match (moved, bias) {
            (Some(z), Some(bias)) => z + bias,
            (Some(z), None) => z,
            (None, bias) => bias?,
        };
        let rows = (self.columns[output].clone().transpose() * moved).sum_dim(1);
        let [n_rows, _] = rows.dims();
        let p = self.n_positions;
        Some(if p == 1 { rows } else { rows.reshape([n_rows / p, p]).sum_dim(1) })
    }

    /// J^T u: what the weights `[n_in, n_out]` and the biases `[1, n_out]` get, from u with one `[n, 1]` per output.
    pub(super) fn backward(&self, u: &[Tensor<2>]) -> (Option<Tensor<2>>, Option<Tensor<2>>) {
        let Some(inputs) = &self.inputs else { return (None, None) };
        let p = self.n_positions;
        let weighted = self.columns.iter().zip(u).map(|(delta, u)| {
            let [n, _] = u.dims();
            // One factor per sample, for each of its positions.
            let factors = if p == 1 { u.clone() } else { u.clone().repeat_dim(1, p).reshape([n * p, 1]) };
            delta.clone().transpose() * factors
        });
        let Some(deltas) = weighted.reduce(|sum, term| sum + term) else { return (None, None) };
        let weight = self.is_weight_trained.then(|| inputs.clone().matmul(deltas.clone()));
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

/// Inner products of the columns of some samples, each with `p` of them: `[rows * p, columns * p]`.
fn product(a: &Tensor<2>, rows: &Range<usize>, b: &Tensor<2>, columns: &Range<usize>, p: usize) -> Tensor<2> {
    let part = |of: &Tensor<2>, samples: &Range<usize>| of.clone().narrow(1, samples.start * p, samples.len() * p);
    part(a, rows).transpose().matmul(part(b, columns))
}

/// `[n1 * n_positions, n2 * n_positions]` to `[n1, n2]`.
fn sum_positions(pairs: Tensor<2>, n1: usize, n2: usize) -> Tensor<2> {
    let [n_rows, n_columns] = pairs.dims();
    if n_rows == n1 {
        return pairs;
    }
    pairs.reshape([n1, n_rows / n1, n2, n_columns / n2]).sum_dim(3).sum_dim(1).reshape([n1, n2])
}
