//! Structured derivatives (Novak, Sohl-Dickstein, Schoenholz 2022): the gradient of an affine map factorizes.
//!
//! For a map with inputs h_p at positions p, and output deltas g_p = d f / d z_p, the gradient of its weights at one sample is a sum of
//! outer products, so that its share of the kernel is made of inner products alone:
//!
//! ```text
//! Theta_hat(x, x') = sum over maps, over positions p of x and q of x', of (s_w^2 <h_p, h'_q> + s_b^2) <g_p, g'_q>
//! ```
//!
//! with s_w = W_std / sqrt n_in and s_b = b_std in the NTK parametrization, 1 and 1 in the standard one. A dense map has one position,
//! and its share costs two matrix products; for a convolution there are two ways of summing, in `map_factors`.
//!
//! The deltas of a whole batch come from one backward pass per output, because samples do not interact: zero leaves are added to the
//! pre-activations of the model without gradients, so that no gradient of the weights themselves is ever formed.

mod map_factors;

use burn::module::Module;
use burn::tensor::Tensor;

use self::map_factors::MapFactors;
use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};
use crate::net::{Network, Predictor, to_matrix};

/// Theta_hat on all pairs within `x`.
///
/// # Shapes
/// - x: `[n, d_in]`
/// - output: `[n d_out, n d_out]`
///
/// # Errors
/// When the device fails, or the network's derivatives are not finite.
pub fn gram(predictor: &Predictor, x: &Tensor<2>) -> Result<GramMatrix> {
    let theta = accumulate(predictor, |network| {
        let factors = Factors::of(network, x)?;
        contract(&factors, &factors)
    })?;
    // Both triangles are computed; on some devices they round differently.
    GramMatrix::from_symmetric(theta, 1e-4)
}

/// Theta_hat between `x1` and `x2`.
///
/// # Shapes
/// - x1: `[n1, d_in]`, x2: `[n2, d_in]`
/// - output: `[n1 d_out, n2 d_out]`
///
/// # Errors
/// As [`gram`].
pub fn cross_gram(predictor: &Predictor, x1: &Tensor<2>, x2: &Tensor<2>) -> Result<Matrix> {
    accumulate(predictor, |network| contract(&Factors::of(network, x1)?, &Factors::of(network, x2)?))
}

/// The kernel of a predictor is the weighted sum of the kernels of the networks trained in it.
fn accumulate(predictor: &Predictor, kernel: impl Fn(&Network) -> Result<Matrix>) -> Result<Matrix> {
    let mut sum: Option<Matrix> = None;
    for (network, weight) in predictor.trained_networks() {
        let term = kernel(network)?.map(|v| weight * v);
        sum = Some(match sum {
            None => term,
            Some(sum) => &sum + &term,
        });
    }
    let theta = sum.ok_or_else(|| Error::Check("a predictor without a trained network".to_owned()))?;
    match theta.first_non_finite() {
        None => Ok(theta),
        Some((row, column, value)) => Err(Error::NotFinite {
            what: "the empirical kernel".to_owned(),
            value,
            place: format!("row {row}, column {column}"),
            remedy: "the network's outputs or derivatives overflow: lower `arch.w_std`, or use `dtype = \"f64\"`"
                .to_owned(),
        }),
    }
}

/// What the maps of a network contribute for a batch.
struct Factors {
    n: usize,
    d_out: usize,
    maps: Vec<MapFactors>,
}

impl Factors {
    fn of(network: &Network, x: &Tensor<2>) -> Result<Self> {
        let network = network.valid();
        let [n, _] = x.dims();
        let d_out = network.architecture().d_out();
        let mut maps: Vec<MapFactors> = Vec::new();
        for output in 0..d_out {
            let mut leaves = Vec::new();
            let f = network.forward_probed(x.clone(), |dense, inputs, z| {
                let leaf = z.zeros_like().inner().autodiff().require_grad();
                leaves.push(leaf.clone());
                if output == 0 {
                    maps.push(MapFactors::new(n, dense, inputs));
                }
                z + leaf
            });
            let gradients = f.narrow(1, output, 1).sum().backward();
            for (map, leaf) in maps.iter_mut().zip(leaves) {
                // Without a gradient the output does not depend on it: behind a sign, say.
                map.deltas.push(leaf.grad(&gradients).unwrap_or_else(|| leaf.inner().zeros_like()));
            }
        }
        Ok(Self { n, d_out, maps })
    }
}

/// Sum over maps, all pairs of outputs at once.
fn contract(f1: &Factors, f2: &Factors) -> Result<Matrix> {
    let (d_out, mut sum) = (f1.d_out, Vec::new());
    for (map1, map2) in f1.maps.iter().zip(&f2.maps) {
        let shares = map1.shares(map2);
        sum =
            if sum.is_empty() { shares } else { sum.into_iter().zip(shares).map(|(sum, share)| sum + share).collect() };
    }
    let mut theta = Matrix::zeros(f1.n * d_out, f2.n * d_out);
    for (pair, block) in sum.into_iter().enumerate() {
        let (o1, o2, block) = (pair / d_out, pair % d_out, to_matrix(block)?);
        for i in 0..f1.n {
            for j in 0..f2.n {
                theta[(i * d_out + o1, j * d_out + o2)] = block[(i, j)];
            }
        }
    }
    Ok(theta)
}
