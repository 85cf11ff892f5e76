//! The share of one affine map in the kernel, from its inputs and deltas.
//!
//! For n1 and n2 samples, P positions and O outputs there are two ways of summing over pairs of positions:
//!
//! - **by positions**: two Gram matrices of rows, multiplied entry by entry, and summed over blocks. n1 n2 P^2 (n_in + O^2 n_out)
//!   multiplications, n1 n2 P^2 numbers of memory.
//! - **by samples**: each sample's gradient sum_p h_p g_p^T, and their Gram matrix. n_in n_out O (n1 n2 O + (n1 + n2) P)
//!   multiplications, (n1 + n2) O n_in n_out numbers of memory.
//!
//! The one with fewer multiplications is taken: by positions for dense maps, where P = 1, and for wide convolutions on small grids.

use burn::tensor::Tensor;

use crate::net::Dense;

/// Inputs and deltas of one affine map for a batch.
pub(super) struct MapFactors {
    n: usize,
    weight_scale: f64,
    bias_scale: f64,
    /// h: `[n * n_positions, n_in]`.
    inputs: Tensor<2>,
    /// g, one `[n * n_positions, n_out]` per output.
    pub(super) deltas: Vec<Tensor<2>>,
}

impl MapFactors {
    /// Of `n` samples, with the deltas still to come.
    pub(super) fn new(n: usize, dense: &Dense, inputs: &Tensor<2>) -> Self {
        let (weight_scale, bias_scale) = dense.scales();
        Self { n, weight_scale, bias_scale, inputs: inputs.clone().inner(), deltas: Vec::new() }
    }

    /// This map's term of the kernel between two batches: `[n1, n2]` for every pair of outputs, the second output fastest.
    pub(super) fn shares(&self, other: &Self) -> Vec<Tensor<2>> {
        if self.is_cheaper_by_samples(other) { self.by_samples(other) } else { self.by_positions(other) }
    }

    fn is_cheaper_by_samples(&self, other: &Self) -> bool {
        let [n_rows, n_in] = self.inputs.dims();
        let n_positions = n_rows / self.n;
        let n_out = self.deltas.first().map_or(0, |delta| delta.dims()[1]);
        let [n1, n2, p, n_in, n_out, d_out] =
            [self.n, other.n, n_positions, n_in, n_out, self.deltas.len()].map(|count| count as f64);
        let by_positions = n1 * n2 * p * p * (n_in + d_out * d_out * n_out);
        let by_samples = n_in * n_out * d_out * (n1 * n2 * d_out + (n1 + n2) * p);
        n_positions > 1 && by_samples < by_positions
    }

    fn by_positions(&self, other: &Self) -> Vec<Tensor<2>> {
        let (weight, bias) = (self.weight_scale * self.weight_scale, self.bias_scale * self.bias_scale);
        let inputs = self.inputs.clone().matmul(other.inputs.clone().transpose()) * weight + bias;
        let share =
            |g1: Tensor<2>, g2: Tensor<2>| sum_positions(inputs.clone() * g1.matmul(g2.transpose()), self.n, other.n);
        each_pair(&self.deltas, &other.deltas, share)
    }

    fn by_samples(&self, other: &Self) -> Vec<Tensor<2>> {
        each_pair(&self.gradients(), &other.gradients(), |g1, g2| g1.matmul(g2.transpose()))
    }

    /// Each sample's gradient, one `[n, (n_in + 1) n_out]` per output; the bias is the weight of one more input, which is constant.
    fn gradients(&self) -> Vec<Tensor<2>> {
        let [n_rows, n_in] = self.inputs.dims();
        let n_positions = n_rows / self.n;
        let constant = self.inputs.clone().narrow(1, 0, 1).zeros_like() + self.bias_scale;
        let inputs = Tensor::cat(vec![self.inputs.clone() * self.weight_scale, constant], 1);
        let inputs = inputs.reshape([self.n, n_positions, n_in + 1]).transpose();
        let gradient = |delta: &Tensor<2>| {
            let [_, n_out] = delta.dims();
            let delta = delta.clone().reshape([self.n, n_positions, n_out]);
            inputs.clone().matmul(delta).reshape([self.n, (n_in + 1) * n_out])
        };
        self.deltas.iter().map(gradient).collect()
    }
}

/// `[n1 * n_positions, n2 * n_positions]` to `[n1, n2]`.
fn sum_positions(pairs: Tensor<2>, n1: usize, n2: usize) -> Tensor<2> {
    let [n_rows, n_columns] = pairs.dims();
    if n_rows == n1 {
        return pairs;
    }
    pairs.reshape([n1, n_rows / n1, n2, n_columns / n2]).sum_dim(3).sum_dim(1).reshape([n1, n2])
}

/// Row by row of the table of all pairs.
fn each_pair(
    of_1: &[Tensor<2>],
    of_2: &[Tensor<2>],
    share: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2>,
) -> Vec<Tensor<2>> {
    of_1.iter().flat_map(|a| of_2.iter().map(|b| share(a.clone(), b.clone()))).collect()
}
