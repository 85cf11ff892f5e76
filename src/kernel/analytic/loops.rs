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

use super::block::Block;
use super::dual::Strip;
use super::path::Numbers;
use super::recursion::Scales;
use crate::arch::Taps;

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
    pub(super) std: f64,
    pub(super) scale: f64,
    pub(super) stds: &'a [f64],
    pub(super) scale_columns: &'a [f64],
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Pointwise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { gradient, std, scale, strip: Strip { minus, plus, ntk }, .. } = self;
        let Scales { w_std, b_std, bias_gradient, .. } = *self.scales;
        let n = minus.len();
        let (minus, plus, ntk) = (&mut minus[..n], &mut plus[..n], &mut ntk[..n]);
        let (stds, scales) = (&self.stds[..n], &self.scale_columns[..n]);
        if b_std == 0.0 {
            for j in 0..n {
                let rho = 0.5 * (plus[j] - minus[j]);
                ntk[j] += gradient.mul_add(rho, bias_gradient * (scale * scales[j]));
            }
            return;
        }
        let (gain, bias) = (w_std * std * scale, b_std * scale);
        for j in 0..n {
            let (other_gain, other_bias) = (w_std * stds[j] * scales[j], b_std * scales[j]);
            let (gains, biases) = (gain * other_gain, bias * other_bias);
            let (a, b) = (gain - other_gain, bias - other_bias);
            let apart = 0.5 * a.mul_add(a, b * b);
            let rho = 0.5 * (plus[j] - minus[j]);
            let weights = gains * gradient.mul_add(rho, ntk[j]);
            minus[j] = gains.mul_add(minus[j], apart);
            plus[j] = gains.mul_add(plus[j], 2.0f64.mul_add(biases, apart));
            ntk[j] = bias_gradient.mul_add(scale * scales[j], weights);
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

/// An affine map of several taps: each is a part of the sum, and so is the bias.
pub(super) struct Windows<'a> {
    pub(super) of: &'a Scales,
    /// g.
    pub(super) gradient: f64,
    pub(super) taps: &'a Taps,
    pub(super) input: &'a Numbers,
    pub(super) output: &'a Numbers,
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) from: &'a Block,
    pub(super) into: &'a mut Block,
}

impl WithSimd for Windows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let n = self.from.n;
        for (pair, ends) in self.into.layout.pairs().enumerate() {
            let mut j = 0;
            while j + LANES <= n {
                self.sum::<LANES>(pair, ends, j);
                j += LANES;
            }
            while j < n {
                self.sum::<1>(pair, ends, j);
                j += 1;
            }
        }
    }
}

/// Pairs whose sums stay in registers while the taps pass.
const LANES: usize = 8;

impl Windows<'_> {
    /// `N` pairs from number `j` on, at one pair of output positions.
    #[inline(always)]
    fn sum<const N: usize>(&mut self, pair: usize, (p_out, q_out): (usize, usize), j: usize) {
        let Self { of, gradient, taps, input, output, row, column, from, .. } = *self;
        let share = of.w_std / (taps.n_taps() as f64).sqrt();
        let scale = output.scale(p_out)[row];
        let scales = &output.scale(q_out)[column + j..][..N];
        let (mut minus, mut plus, mut ntk) = ([0.0; N], [0.0; N], [0.0; N]);
        for (p, q) in taps.positions[p_out].iter().zip(&taps.positions[q_out]) {
            let gain = p.map_or(0.0, |p| share * input.std(p)[row] * scale);
            let mut others = [0.0; N];
            if let Some(q) = q {
                let stds = &input.std(*q)[column + j..][..N];
                for i in 0..N {
                    others[i] = share * stds[i] * scales[i];
                }
            }
            // Where one of the two windows sees a zero, the other's share stands alone.
            for i in 0..N {
                let apart = gain - others[i];
                let half = 0.5 * apart * apart;
                (minus[i], plus[i]) = (minus[i] + half, plus[i] + half);
            }
            if let (Some(p), Some(q)) = (*p, *q) {
                let start = from.layout.index(p, q) * from.n + j;
                let (from_minus, from_plus) = (&from.minus[start..][..N], &from.plus[start..][..N]);
                let from_ntk = &from.ntk[start..][..N];
                for i in 0..N {
                    let product = gain * others[i];
                    minus[i] = product.mul_add(from_minus[i], minus[i]);
                    plus[i] = product.mul_add(from_plus[i], plus[i]);
                    let rho = 0.5 * (from_plus[i] - from_minus[i]);
                    ntk[i] = product.mul_add(gradient.mul_add(rho, from_ntk[i]), ntk[i]);
                }
            }
        }
        let start = pair * from.n + j;
        let Block { minus: into_minus, plus: into_plus, ntk: into_ntk, .. } = &mut *self.into;
        let into_minus = &mut into_minus[start..][..N];
        let (into_plus, into_ntk) = (&mut into_plus[start..][..N], &mut into_ntk[start..][..N]);
        for i in 0..N {
            let (bias, other) = (of.b_std * scale, of.b_std * scales[i]);
            let half = 0.5 * (bias - other) * (bias - other);
            into_minus[i] = minus[i] + half;
            into_plus[i] = plus[i] + 2.0f64.mul_add(bias * other, half);
            into_ntk[i] = of.bias_gradient.mul_add(scale * scales[i], ntk[i]);
        }
    }
}

/// One pair of positions' part of a mean; the correlation gathers in `plus` until [`Settle`].
pub(super) struct Share<'a> {
    pub(super) std: f64,
    pub(super) share: f64,
    pub(super) stds: &'a [f64],
    pub(super) scales: &'a [f64],
    pub(super) from: Pair<'a>,
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Share<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { std, share, stds, scales, from, strip: Strip { plus, ntk, .. } } = self;
        let n = plus.len();
        let (plus, ntk) = (&mut plus[..n], &mut ntk[..n]);
        let (stds, scales) = (&stds[..n], &scales[..n]);
        let (from_minus, from_plus, from_ntk) = (&from.minus[..n], &from.plus[..n], &from.ntk[..n]);
        for j in 0..n {
            let product = std * (share * stds[j] * scales[j]);
            plus[j] += product * (0.5 * (from_plus[j] - from_minus[j]));
            ntk[j] += product * from_ntk[j];
        }
    }
}

/// The end of a mean.
pub(super) struct Settle<'a> {
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Settle<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Strip { minus, plus, .. } = self.strip;
        for (minus, plus) in minus.iter_mut().zip(plus) {
            // Clamped, because rounding pushes equal inputs past 1.
            let rho = plus.clamp(-1.0, 1.0);
            (*minus, *plus) = (1.0 - rho, 1.0 + rho);
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
pub(super) struct Entries<'a> {
    pub(super) std: f64,
    pub(super) stds: &'a [f64],
    pub(super) pairs: Pair<'a>,
    pub(super) nngp: &'a mut [f64],
    pub(super) ntk: &'a mut [f64],
}

impl WithSimd for Entries<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { std, stds, pairs, nngp, ntk } = self;
        let n = stds.len();
        let (nngp, ntk) = (&mut nngp[..n], &mut ntk[..n]);
        let (minus, plus, theta) = (&pairs.minus[..n], &pairs.plus[..n], &pairs.ntk[..n]);
        for j in 0..n {
            let product = std * stds[j];
            nngp[j] = product * (0.5 * (plus[j] - minus[j]));
            ntk[j] = product * theta[j];
        }
    }
}

/// A multiple of some numbers, added to others.
pub(super) struct Add<'a> {
    pub(super) factor: f64,
    pub(super) values: &'a [f64],
    pub(super) sums: &'a mut [f64],
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (sum, value) in self.sums.iter_mut().zip(self.values) {
            *sum = self.factor.mul_add(*value, *sum);
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
        let Self { correlations, near, minus, plus } = self;
        let n = correlations.len();
        let (minus, plus) = (&mut minus[..n], &mut plus[..n]);
        let mut is_near = false;
        for j in 0..n {
            (minus[j], plus[j]) = (1.0 - correlations[j], 1.0 + correlations[j]);
            is_near |= (minus[j] < near) | (plus[j] < near);
        }
        is_near
    }
}
