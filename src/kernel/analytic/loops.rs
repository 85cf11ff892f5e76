//! The loops over pairs: straight-line arithmetic on 1 - rho, 1 + rho and the tangent kernel over the root of both variances.
//!
//! An affine map, a sum of branches and a bias all add independent parts. With r_k and s_k the shares of the parts in the standard
//! deviation of either input (sum r_k^2 = sum s_k^2 = 1), without cancellation:
//!
//! ```text
//! 1 -+ rho <- sum_k (r_k - s_k)^2 / 2 + sum_k r_k s_k (1 -+ rho_k)
//! theta    <- sum_k r_k s_k (g rho_k + theta_k) + h / both standard deviations
//! ```
//!
//! Each loop is a value that is handed to the processor's dispatcher, which holds a copy of it for every set of vector instructions. A
//! closure would not do: it is compiled once, without any of them.

use pulp::{Simd, WithSimd};

use super::dual::Strip;
use super::recursion::Scales;
use crate::linalg::Element;

/// The pairs of one pair of positions, to be read.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) minus: &'a [f64],
    pub(super) plus: &'a [f64],
    pub(super) ntk: &'a [f64],
}

/// An affine map of one tap, in place; without biases next to nothing.
pub(super) struct Pointwise<'a> {
    pub(super) scales: &'a Scales,
    /// g.
    pub(super) gradient: f64,
    /// The shares of the one input's and of the others' only tap, and the inverses of the standard deviations after the map.
    pub(super) gain: f64,
    pub(super) scale: f64,
    pub(super) gains: &'a [f64],
    pub(super) scale_columns: &'a [f64],
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Pointwise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { gradient, gain, scale, strip: Strip { minus, plus, ntk }, .. } = self;
        let Scales { b_std, bias_gradient, .. } = *self.scales;
        let n = minus.len();
        let (minus, plus, ntk) = (&mut minus[..n], &mut plus[..n], &mut ntk[..n]);
        let (gains, scales) = (&self.gains[..n], &self.scale_columns[..n]);
        let half_gradient = 0.5 * gradient;
        if b_std == 0.0 {
            for j in 0..n {
                let theta = half_gradient.mul_add(plus[j] - minus[j], ntk[j]);
                ntk[j] = bias_gradient.mul_add(scale * scales[j], theta);
            }
            return;
        }
        let bias = b_std * scale;
        for j in 0..n {
            let (both, both_scales) = (gain * gains[j], scale * scales[j]);
            let (a, b) = (gain - gains[j], bias - b_std * scales[j]);
            let apart = 0.5 * a.mul_add(a, b * b);
            let theta = half_gradient.mul_add(plus[j] - minus[j], ntk[j]);
            minus[j] = both.mul_add(minus[j], apart);
            plus[j] = both.mul_add(plus[j], (2.0 * b_std * b_std).mul_add(both_scales, apart));
            ntk[j] = both.mul_add(theta, bias_gradient * both_scales);
        }
    }
}

/// One branch of a sum: `std` is its share r_k of one input, stds times scales that of the other.
pub(super) struct Part<'a> {
    pub(super) std: f64,
    pub(super) stds: &'a [f64],
    pub(super) scales: &'a [f64],
    pub(super) from: Pair<'a>,
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { std, stds, scales, from, strip: Strip { minus, plus, ntk } } = self;
        let n = minus.len();
        let (minus, plus, ntk) = (&mut minus[..n], &mut plus[..n], &mut ntk[..n]);
        let (stds, scales) = (&stds[..n], &scales[..n]);
        let (from_minus, from_plus, from_ntk) = (&from.minus[..n], &from.plus[..n], &from.ntk[..n]);
        for j in 0..n {
            let other = stds[j] * scales[j];
            let (product, apart) = (std * other, std - other);
            let half = 0.5 * apart * apart;
            minus[j] += product.mul_add(from_minus[j], half);
            plus[j] += product.mul_add(from_plus[j], half);
            ntk[j] += product * from_ntk[j];
        }
    }
}

/// One branch of a product. With K the product of all K_k, theta is the sum of theta_k times the other correlations, and
/// 1 -+ rho_1 rho_2 = ((1 - rho_1)(1 +- rho_2) + (1 + rho_1)(1 -+ rho_2)) / 2.
pub(super) struct Factor<'a> {
    pub(super) from: Pair<'a>,
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Factor<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { from, strip: Strip { minus, plus, ntk } } = self;
        let n = minus.len();
        let (minus, plus, ntk) = (&mut minus[..n], &mut plus[..n], &mut ntk[..n]);
        let (from_minus, from_plus, from_ntk) = (&from.minus[..n], &from.plus[..n], &from.ntk[..n]);
        for j in 0..n {
            let (rho, other) = (0.5 * (plus[j] - minus[j]), 0.5 * (from_plus[j] - from_minus[j]));
            ntk[j] = ntk[j] * other + from_ntk[j] * rho;
            let (less, more) = (minus[j], plus[j]);
            minus[j] = 0.5 * (less * from_plus[j] + more * from_minus[j]);
            plus[j] = 0.5 * (more * from_plus[j] + less * from_minus[j]);
        }
    }
}

/// Kernel entries from the last node.
pub(super) struct Entries<'a, T> {
    pub(super) std: f64,
    pub(super) stds: &'a [f64],
    pub(super) pairs: Pair<'a>,
    pub(super) nngp: &'a mut [T],
    pub(super) ntk: &'a mut [T],
}

impl<T: Element> WithSimd for Entries<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { std, stds, pairs, nngp, ntk } = self;
        let n = stds.len();
        let (nngp, ntk) = (&mut nngp[..n], &mut ntk[..n]);
        let (minus, plus, theta) = (&pairs.minus[..n], &pairs.plus[..n], &pairs.ntk[..n]);
        for j in 0..n {
            let product = std * stds[j];
            nngp[j] = T::of(product * (0.5 * (plus[j] - minus[j])));
            ntk[j] = T::of(product * theta[j]);
        }
    }
}

/// 1 - rho and 1 + rho of short inputs, and a tangent kernel of 0.
pub(super) struct Start<'a> {
    /// The one direction.
    pub(super) x: &'a [f64],
    /// The others, each number of theirs `stride` after the last.
    pub(super) columns: &'a [f64],
    pub(super) stride: usize,
    /// As in [`Ends`].
    pub(super) near: f64,
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Start<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let n = self.strip.minus.len();
        let whole = n - n % LANES;
        for start in (0..whole).step_by(LANES) {
            self.correlate::<LANES>(start);
        }
        for start in whole..n {
            self.correlate::<1>(start);
        }
    }
}

/// Pairs whose sums stay in registers while the numbers of the directions pass.
const LANES: usize = 32;

impl Start<'_> {
    #[inline(always)]
    fn correlate<const N: usize>(&mut self, start: usize) {
        let mut rho = [0.0; N];
        for (c, x) in self.x.iter().enumerate() {
            let columns = &self.columns[c * self.stride + start..][..N];
            for i in 0..N {
                rho[i] = x.mul_add(columns[i], rho[i]);
            }
        }
        let Strip { minus, plus, ntk } = &mut self.strip;
        ntk[start..][..N].copy_from_slice(&[0.0; N]);
        if set_ends(&rho, self.near, &mut minus[start..][..N], &mut plus[start..][..N]) {
            self.differ::<N>(start);
        }
    }

    /// Takes those that are near from differences.
    #[inline(always)]
    fn differ<const N: usize>(&mut self, start: usize) {
        let (mut less, mut more) = ([0.0; N], [0.0; N]);
        for (c, x) in self.x.iter().enumerate() {
            let columns = &self.columns[c * self.stride + start..][..N];
            for i in 0..N {
                let (difference, sum) = (columns[i] - x, columns[i] + x);
                less[i] = difference.mul_add(difference, less[i]);
                more[i] = sum.mul_add(sum, more[i]);
            }
        }
        let Strip { minus, plus, .. } = &mut self.strip;
        let (minus, plus) = (&mut minus[start..][..N], &mut plus[start..][..N]);
        for i in 0..N {
            let is_near = minus[i].min(plus[i]) < self.near;
            minus[i] = if is_near { 0.5 * less[i] } else { minus[i] };
            plus[i] = if is_near { 0.5 * more[i] } else { plus[i] };
        }
    }
}

/// 1 - rho and 1 + rho from rho; whether any pair is nearer to either end than `near`.
pub(super) struct Ends<'a> {
    pub(super) correlations: &'a [f64],
    pub(super) near: f64,
    pub(super) minus: &'a mut [f64],
    pub(super) plus: &'a mut [f64],
}

impl WithSimd for Ends<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        set_ends(self.correlations, self.near, self.minus, self.plus)
    }
}

/// The slices come as arguments, which tells the compiler that they lie apart.
#[inline(always)]
fn set_ends(rho: &[f64], near: f64, minus: &mut [f64], plus: &mut [f64]) -> bool {
    let n = rho.len();
    let (minus, plus) = (&mut minus[..n], &mut plus[..n]);
    let mut is_near = false;
    for i in 0..n {
        (minus[i], plus[i]) = (1.0 - rho[i], 1.0 + rho[i]);
        is_near |= (minus[i] < near) | (plus[i] < near);
    }
    is_near
}
