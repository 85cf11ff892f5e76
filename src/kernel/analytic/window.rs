//! The loops over pairs under windows: affine maps of several taps, and means.
//!
//! An affine map adds independent parts, its taps and the bias, by the sum in [`loops`](super::loops). The numbers of a line of pairs stay
//! in the fastest cache while the taps pass.

use pulp::{Simd, WithSimd};

use super::block::Block;
use super::columns::Shares;
use super::dual::Strip;
use super::loops::Pair;
use super::recursion::{Scales, Stretch, Window};

/// A line of output positions of an affine map.
pub(super) struct Sum<'a> {
    pub(super) scales: &'a Scales,
    /// g.
    pub(super) gradient: f64,
    pub(super) window: &'a Window,
    /// The output position of the one input, what it sees, and the shares of that in its standard deviation: r_k.
    pub(super) p_out: usize,
    pub(super) taps: &'a [Option<usize>],
    pub(super) gains: &'a [f64],
    pub(super) scale: f64,
    /// s_k.
    pub(super) columns: Shares<'a>,
    pub(super) scale_columns: &'a [f64],
    pub(super) from: &'a Block,
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let n = self.scale_columns.len();
        let Strip { minus, plus, ntk } = &mut self.strip;
        minus.fill(0.0);
        for (tap, gain) in self.gains.iter().enumerate() {
            add_distance(*gain, self.columns.of_tap(tap, 0..n), minus);
        }
        add_bias(self.scales, self.scale, self.scale_columns, minus, plus, ntk);
        for (tap, (p, gain)) in self.taps.iter().zip(self.gains).enumerate() {
            let Some(p) = *p else { continue };
            if self.from.layout.is_full {
                self.window.stretches[tap].iter().for_each(|stretch| self.add(tap, *gain, p, *stretch, 0));
            } else {
                self.add(tap, *gain, p, Stretch { to: self.p_out, from: p, len: 1 }, self.p_out);
            }
        }
    }
}

impl Sum<'_> {
    /// One tap, where both windows see something; the line begins at output position `first`.
    #[inline(always)]
    fn add(&mut self, tap: usize, gain: f64, p: usize, stretch: Stretch, first: usize) {
        let n = stretch.len * self.from.n;
        let start = (stretch.to - first) * self.from.n;
        let (columns, from) = (self.columns, self.from);
        let shares = columns.of_tap(tap, start..start + n);
        let from = from.pairs(p, stretch.from..stretch.from + stretch.len);
        let Strip { minus, plus, ntk } = &mut self.strip;
        let (minus, plus, ntk) = (&mut minus[start..][..n], &mut plus[start..][..n], &mut ntk[start..][..n]);
        add_shares((gain, 0.5 * self.gradient), shares, from, minus, plus, ntk);
    }
}

// What is written comes as arguments of their own, which tells the compiler that the lists lie apart.

/// Adds the square of how far the shares of a tap are apart. Where one of the two windows sees a zero, the other's share stands alone.
#[inline(always)]
fn add_distance(gain: f64, shares: &[f64], squares: &mut [f64]) {
    let n = shares.len();
    let squares = &mut squares[..n];
    for i in 0..n {
        let difference = gain - shares[i];
        squares[i] = difference.mul_add(difference, squares[i]);
    }
}

/// Adds the bias to the squared distances in `minus`, and begins the sums over taps with their halves.
#[inline(always)]
fn add_bias(
    &Scales { b_std, bias_gradient, .. }: &Scales,
    scale: f64,
    scales: &[f64],
    minus: &mut [f64],
    plus: &mut [f64],
    ntk: &mut [f64],
) {
    let n = scales.len();
    let (minus, plus, ntk) = (&mut minus[..n], &mut plus[..n], &mut ntk[..n]);
    for i in 0..n {
        let (difference, both) = (b_std * (scale - scales[i]), scale * scales[i]);
        let half = 0.5 * difference.mul_add(difference, minus[i]);
        minus[i] = half;
        plus[i] = (2.0 * b_std * b_std).mul_add(both, half);
        ntk[i] = bias_gradient * both;
    }
}

/// Adds what a tap gives where both windows see something.
#[inline(always)]
fn add_shares(
    (gain, half_gradient): (f64, f64),
    shares: &[f64],
    from: Pair<'_>,
    minus: &mut [f64],
    plus: &mut [f64],
    ntk: &mut [f64],
) {
    let n = shares.len();
    let (less, more, theta) = (&from.minus[..n], &from.plus[..n], &from.ntk[..n]);
    let (minus, plus, ntk) = (&mut minus[..n], &mut plus[..n], &mut ntk[..n]);
    for i in 0..n {
        let product = gain * shares[i];
        minus[i] = product.mul_add(less[i], minus[i]);
        plus[i] = product.mul_add(more[i], plus[i]);
        ntk[i] = product.mul_add(half_gradient.mul_add(more[i] - less[i], theta[i]), ntk[i]);
    }
}

/// Pairs whose sums stay in registers while the taps pass.
const LANES: usize = 8;

/// A line of output positions of a mean: the covariances of all pairs of taps, over the roots of the new variances.
pub(super) struct Mean<'a> {
    /// What the one input's window sees, with the share of each.
    pub(super) rows: &'a [(usize, f64)],
    pub(super) columns: Shares<'a>,
    /// What the other inputs' windows see.
    pub(super) positions: &'a [Vec<Option<usize>>],
    pub(super) from: &'a Block,
    pub(super) strip: Strip<'a>,
}

impl WithSimd for Mean<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let n = self.from.n;
        let whole = n - n % LANES;
        for q_out in 0..self.positions.len() {
            for j in (0..whole).step_by(LANES) {
                self.sum::<LANES>(q_out, j);
            }
            for j in whole..n {
                self.sum::<1>(q_out, j);
            }
        }
    }
}

impl Mean<'_> {
    /// `N` pairs from number `j` on.
    #[inline(always)]
    fn sum<const N: usize>(&mut self, q_out: usize, j: usize) {
        let start = q_out * self.from.n + j;
        let (mut rho, mut theta) = ([0.0; N], [0.0; N]);
        for (p, share) in self.rows {
            let (mut line_rho, mut line_theta) = ([0.0; N], [0.0; N]);
            for (tap, q) in self.positions[q_out].iter().enumerate() {
                let Some(q) = *q else { continue };
                let shares = self.columns.of_tap(tap, start..start + N);
                let Pair { minus, plus, ntk } = self.from.pairs(*p, q..q + 1);
                let (minus, plus, ntk) = (&minus[j..][..N], &plus[j..][..N], &ntk[j..][..N]);
                for i in 0..N {
                    line_rho[i] = shares[i].mul_add(plus[i] - minus[i], line_rho[i]);
                    line_theta[i] = shares[i].mul_add(ntk[i], line_theta[i]);
                }
            }
            for i in 0..N {
                rho[i] = share.mul_add(0.5 * line_rho[i], rho[i]);
                theta[i] = share.mul_add(line_theta[i], theta[i]);
            }
        }
        let Strip { minus, plus, ntk } = &mut self.strip;
        let (minus, plus, ntk) = (&mut minus[start..][..N], &mut plus[start..][..N], &mut ntk[start..][..N]);
        for i in 0..N {
            // Clamped, because rounding pushes equal inputs past 1.
            let rho = rho[i].clamp(-1.0, 1.0);
            (minus[i], plus[i], ntk[i]) = (1.0 - rho, 1.0 + rho, theta[i]);
        }
    }
}
