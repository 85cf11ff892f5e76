//! The product of tensors in the precision of their numbers, on every backend.

use burn::tensor::Tensor;

#[cfg(feature = "cube")]
use super::cube;

/// A B, of matrices or of as many matrices on both sides, in the precision of their numbers and with their gradients.
///
/// On CPUs that is Burn's own product. On GPUs Burn's own may round f32 to 10 bits (TF32): through CUDA, where the GPU has units for it. A
/// module of one's own whose products are these has its kernel in f32 all the same; [`Probe::affine`](super::Probe::affine) uses them. Where one
/// matrix meets many it is Burn's product everywhere.
pub fn matmul<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "cube")]
    let (a, b) = match cube::product(a, b) {
        Ok(product) => return product,
        Err(factors) => factors,
    };
    a.matmul(b)
}
