//! What a network does between and behind its products, in as few sweeps over memory as the backend allows.
//!
//! On flex, Burn's CPU backend, these are an extension of the backend, in Burn's own terms: they work in the memory of its tensors, where a
//! product takes a factor along or is added to what is there, and what is done entry by entry is done in one sweep, in place. Elsewhere
//! each is the chain of tensor operations that it stands for, with products by [`matmul`]. No tensor here is tracked.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use super::activation::scaled;
#[cfg(feature = "flex")]
use super::flex;
use super::matmul::matmul;

/// factor A B.
pub(crate) fn product(a: &Tensor<2>, b: &Tensor<2>, factor: f64) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if let Ok(a) = flex::taken(a.clone()) {
        return flex::product(a, b, factor);
    }
    matmul(scaled(a.clone(), factor), b.clone())
}

/// factor delta W^T, for `n_samples` samples with `n_ways` ways back each, side by side. Behind a rectifier all ways of a sample are zero in
/// the same units, whose weights then may not count.
pub(super) fn product_back(delta: &Tensor<2>, weight: &Tensor<2>, factor: f64, n: (usize, usize)) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if let Ok(delta) = flex::taken(delta.clone()) {
        return flex::product_back(delta, weight, factor, n);
    }
    #[cfg(not(feature = "flex"))]
    let _ = n;
    product(delta, &weight.clone().transpose(), factor)
}

/// C + factor A B.
pub(super) fn plus_product(c: Tensor<2>, a: &Tensor<2>, b: &Tensor<2>, factor: f64) -> Tensor<2> {
    #[cfg(feature = "flex")]
    let c = match flex::taken(c) {
        Ok(c) => return flex::plus_product(c, a, b, factor),
        Err(c) => c,
    };
    c + product(a, b, factor)
}

/// slope max(z + bias, 0), the bias `[1, n]` added to every row.
pub(super) fn rectified(z: Tensor<2>, bias: Option<Tensor<2>>, slope: f64) -> Tensor<2> {
    #[cfg(feature = "flex")]
    let z = match flex::taken(z) {
        Ok(z) => return flex::rectified(z, bias.as_ref(), slope),
        Err(z) => z,
    };
    let z = match bias {
        Some(bias) => z + bias,
        None => z,
    };
    scaled(relu(z), slope)
}

/// factor delta where h is positive, 0 elsewhere, with all of a sample's h for each of its ways back.
pub(super) fn where_positive(delta: Tensor<2>, h: &Tensor<2>, factor: f64, n_samples: usize) -> Tensor<2> {
    #[cfg(feature = "flex")]
    let delta = match flex::taken(delta) {
        Ok(delta) => return flex::where_positive(delta, h, factor, n_samples),
        Err(delta) => delta,
    };
    let h = repeated(h, n_samples, delta.dims()[0] / h.dims()[0].max(1));
    scaled(delta.mask_fill(h.lower_equal_elem(0.0), 0.0), factor)
}

/// Every sample's rows `n_times`, one after the other.
pub(super) fn repeated(rows: &Tensor<2>, n_samples: usize, n_times: usize) -> Tensor<2> {
    if n_times == 1 {
        return rows.clone();
    }
    let [n_rows, n_columns] = rows.dims();
    let samples = rows.clone().reshape([n_samples, n_rows * n_columns / n_samples.max(1)]);
    samples.repeat_dim(1, n_times).reshape([n_rows * n_times, n_columns])
}

/// sum + P (Q + shift), entry by entry, where P has as many rows and columns of each output of a sample as Q has of the sample, `n_rows` and
/// `n_columns` of them samples.
pub(crate) fn plus_weighted(
    sum: Option<Tensor<2>>,
    p: Tensor<2>,
    q: &Tensor<2>,
    shift: f64,
    (n_rows, n_columns): (usize, usize),
) -> Tensor<2> {
    #[cfg(feature = "flex")]
    let p = match flex::taken(p) {
        Ok(p) => {
            let weighted = flex::weighted(p, q, shift, sum.as_ref(), (n_rows, n_columns));
            sum.into_iter().for_each(spend);
            return weighted;
        }
        Err(p) => p,
    };
    let n_outputs = p.dims()[0] / q.dims()[0].max(1);
    let q = if shift == 0.0 { q.clone() } else { q.clone() + shift };
    let q = repeated(&repeated(&q, n_rows, n_outputs).transpose(), n_columns, n_outputs).transpose();
    let weighted = p * q;
    match sum {
        Some(sum) => sum + weighted,
        None => weighted,
    }
}

/// Leaves the room of a tensor that is done with to the next product of its size.
pub(crate) fn spend(tensor: Tensor<2>) {
    #[cfg(feature = "flex")]
    flex::spend(tensor);
    #[cfg(not(feature = "flex"))]
    drop(tensor);
}

/// factor times the sums of the columns: `[1, n_columns]`.
pub(super) fn column_sums(delta: &Tensor<2>, factor: f64) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if let Ok(delta) = flex::taken(delta.clone()) {
        return flex::column_sums(&delta, factor);
    }
    scaled(delta.clone().sum_dim(0), factor)
}
