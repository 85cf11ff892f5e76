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

/// One part of a sum: `std` is its share r_k, `share` times stds times scales the other input's.
pub(super) struct Part<'a> {
    /// g.
    pub(super) gradient: f64,
    pub(super) std: f64,
    pub(super) share: f64,
    pub(super) stds: &'a [f64],
    pub(super) scales: &'a [f64],
    pub(super) from: Pair<'a>,
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { gradient, std, share, stds, scales, from, strip: Strip { minus, plus, ntk } } = self;
        let n = minus.len();
        let (minus, plus, ntk) = (&mut minus[..n], &mut plus[..n], &mut ntk[..n]);
        let (stds, scales) = (&stds[..n], &scales[..n]);
        let (from_minus, from_plus, from_ntk) = (&from.minus[..n], &from.plus[..n], &from.ntk[..n]);
        for j in 0..n {
            let other = share * stds[j] * scales[j];
            let (product, apart) = (std * other, std - other);
            let half = 0.5 * apart * apart;
            minus[j] += product.mul_add(from_minus[j], half);
            plus[j] += product.mul_add(from_plus[j], half);
            let rho = 0.5 * (from_plus[j] - from_minus[j]);
            ntk[j] += product * gradient.mul_add(rho, from_ntk[j]);
        }
    }
}

/// A part that at most one of the two inputs has, because the other's window sees a zero there.
pub(super) struct Lone<'a> {
    pub(super) std: f64,
    pub(super) share: f64,
    pub(super) stds: Option<&'a [f64]>,
    pub(super) scales: &'a [f64],
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Lone<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { std, share, stds, scales, strip: Strip { minus, plus, .. } } = self;
        let n = minus.len();
        let (minus, plus, scales) = (&mut minus[..n], &mut plus[..n], &scales[..n]);
        if let Some(stds) = stds {
            let stds = &stds[..n];
            for j in 0..n {
                let other = share * stds[j] * scales[j];
                minus[j] += 0.5 * other * other;
                plus[j] += 0.5 * other * other;
            }
            return;
        }
        for j in 0..n {
            minus[j] += 0.5 * std * std;
            plus[j] += 0.5 * std * std;
        }
    }
}

/// The bias of a sum of parts.
pub(super) struct Bias<'a> {
    pub(super) of: &'a Scales,
    pub(super) scale: f64,
    pub(super) scales: &'a [f64],
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Bias<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { of, scale, scales, strip: Strip { minus, plus, ntk } } = self;
        let n = minus.len();
        let (minus, plus, ntk, scales) = (&mut minus[..n], &mut plus[..n], &mut ntk[..n], &scales[..n]);
        for j in 0..n {
            let (bias, other) = (of.b_std * scale, of.b_std * scales[j]);
            let half = 0.5 * (bias - other) * (bias - other);
            minus[j] += half;
            plus[j] += 2.0f64.mul_add(bias * other, half);
            ntk[j] = of.bias_gradient.mul_add(scale * scales[j], ntk[j]);
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
