//! Powers of the rectifier, phi(z) = max(z, 0)^n: the arc-cosine kernels of order n (Cho and Saul 2009).
//!
//! ```text
//! T = (a c)^{n/2} J_n(t) / (2 pi),   sqrt(a c) T' = n^2 (a c)^{n/2} J_{n-1}(t) / (2 pi),   cos t = rho
//! J_0 = pi - t,   J_1 = sin t + (pi - t) cos t,   J_{n+1} = (2n + 1) rho J_n + n^2 (1 - rho^2) J_{n-1}
//! ```
//!
//! J_n(0) = pi (2n - 1)!!, so that the normalized j_n = J_n / J_n(0), and what is missing from it to 1, d_n = 1 - j_n, follow
//!
//! ```text
//! j_{n+1} = rho j_n + k_n (1 - rho^2) j_{n-1},   d_{n+1} = rho d_n + (1 - rho) (1 - k_n (1 + rho) j_{n-1}),   k_n = n^2 / (4 n^2 - 1)
//! ```
//!
//! The second keeps every digit of 1 - rho as it tends to 0, which repeated layers make it do.

use std::f64::consts::PI;

use pulp::{Arch, Simd, WithSimd};

use super::angle::angle_and_bend;
use super::{Correlation, Strip};

/// max(z, 0)^power with power >= 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rectified {
    power: u32,
}

impl Rectified {
    pub(super) fn new(power: usize) -> Self {
        // At most MAX_DEGREE.
        Self { power: power as u32 }
    }

    /// E[phi(u)^2] = a^n (2n - 1)!! / 2.
    pub(super) fn variance(&self, a: f64) -> f64 {
        (1..=self.power).fold(0.5, |moment, k| moment * a * f64::from(2 * k - 1))
    }

    /// Maps a strip of pairs; phi is homogeneous, so that the lengths of the inputs do not matter.
    pub(super) fn map(&self, arch: Arch, strip: Strip<'_>) {
        arch.dispatch(MapPairs { dual: self, strip });
    }

    #[inline(always)]
    fn map_blocks(&self, minus: &mut [f64], plus: &mut [f64], ntk: &mut [f64]) {
        let strips = minus.chunks_mut(BLOCK).zip(plus.chunks_mut(BLOCK)).zip(ntk.chunks_mut(BLOCK));
        for ((minus, plus), ntk) in strips {
            self.map_block(minus, plus, ntk);
        }
    }

    /// The recurrence for a block at once: the order outside, the pairs inside, so that any power becomes vector instructions.
    #[inline(always)]
    fn map_block(&self, minus: &mut [f64], plus: &mut [f64], ntk: &mut [f64]) {
        let (mut before, mut missing) = ([0.0; BLOCK], [0.0; BLOCK]);
        for (((before, missing), minus), plus) in before.iter_mut().zip(&mut missing).zip(&*minus).zip(&*plus) {
            let correlation = Correlation { minus: *minus, plus: *plus };
            let (angle, bend) = angle_and_bend(correlation);
            (*before, *missing) = (1.0 - angle / PI, minus - bend / PI);
        }
        for k in 1..self.power {
            let k_n = f64::from(k * k) / f64::from(4 * k * k - 1);
            for (((before, missing), minus), plus) in before.iter_mut().zip(&mut missing).zip(&*minus).zip(&*plus) {
                let shortfall = minus * (k_n * plus).mul_add(-*before, 1.0);
                *before = 1.0 - *missing;
                *missing = (0.5 * (plus - minus)).mul_add(*missing, shortfall);
            }
        }
        let n = f64::from(self.power);
        let factor = n * n / (2.0 * n - 1.0);
        let computed = before.iter().zip(&missing);
        for (((before, missing), (minus, plus)), ntk) in computed.zip(minus.iter_mut().zip(plus)).zip(ntk) {
            (*minus, *plus) = (*missing, 2.0 - missing);
            *ntk *= factor * before;
        }
    }
}

/// The loop, as a value that is compiled for every set of vector instructions.
struct MapPairs<'a> {
    dual: &'a Rectified,
    strip: Strip<'a>,
}

impl WithSimd for MapPairs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Strip { minus, plus, ntk } = self.strip;
        self.dual.map_blocks(minus, plus, ntk);
    }
}

/// Pairs in a block: their state stays in registers or next to them.
const BLOCK: usize = 32;

#[cfg(test)]
mod tests {
    use super::super::Mapped;
    use super::*;

    /// One pair, as the last of a strip that ends in a short block.
    fn at(power: usize, minus: f64) -> Mapped {
        let (mut minus, mut plus, mut ntk) = ([minus; 37], [2.0 - minus; 37], [1.0; 37]);
        let strip = Strip { minus: &mut minus, plus: &mut plus, ntk: &mut ntk };
        Rectified::new(power).map(Arch::new(), strip);
        assert_eq!(minus[0], minus[36]);
        Mapped { correlation: Correlation { minus: minus[36], plus: plus[36] }, slope: ntk[36] }
    }

    #[test]
    fn maps_agree_with_forty_digits_and_keep_them_near_equal_inputs() {
        // mpmath: integral of (cos h cos(h - t))^n over the angles at which both are positive. Columns: n, 1 - rho, 1 - r, slope.
        #[rustfmt::skip]
        let references = [
            (1, 1e-12_f64, 9.999996998945613e-13, 0.999_999_549_841_841_9_f64),
            (1, 0.0001, 9.969989306072967e-05, 0.9954983809051906),
            (1, 0.3, 0.2499095907467283, 0.746816688893365),
            (1, 1.0, 0.6816901138162094, 0.5),
            (1, 1.7, 0.9499095907467283, 0.253183311106635),
            (1, 2.0, 1.0, 0.0),
            (2, 1e-12, 1.3333333333326665e-12, 1.333333333332),
            (2, 0.0001, 0.00013332668267234724, 1.3332004001425857),
            (2, 0.3, 0.34797787641083777, 1.000120545671029),
            (2, 1.0, 0.8333333333333334, 0.4244131815783876),
            (2, 1.7, 0.9920221235891622, 0.06678721233769559),
            (2, 2.0, 1.0, 0.0),
            (3, 1e-12, 1.7999999999988e-12, 1.7999999999976),
            (3, 0.0001, 0.00017998800039917685, 1.7997600119711898),
            (3, 0.3, 0.44157221782914147, 1.173639822460492),
            (3, 1.0, 0.9151173636843225, 0.3),
            (3, 1.7, 0.9987722178291415, 0.014360177539507992),
            (3, 2.0, 1.0, 0.0),
            (5, 1e-12, 2.777777777774603e-12, 2.7777777777714285),
            (5, 0.0001, 0.0002777460336507302, 2.7771429142831745),
            (5, 0.3, 0.5941850621000926, 1.3233541436873244),
            (5, 1.0, 0.978442505062685, 0.11904761904761904),
            (5, 1.7, 0.9999717287667592, 0.0005188721856914203),
            (5, 2.0, 1.0, 0.0),
            (20, 1e-12, 1.0256410256360222e-11, 10.256410256310188),
            (20, 0.0001, 0.0010251408334995165, 10.246407956830533),
            (20, 0.3, 0.9643335822904311, 0.43032003357375725),
            (20, 1.0, 0.9999993298489211, 1.3742177960752071e-05),
            (20, 1.7, 1.0, 8.709790224051536e-16),
            (20, 2.0, 1.0, 0.0),
        ];
        for (power, minus, missing, slope) in references {
            let mapped = at(power, minus);
            let place = format!("{power} {minus}: {mapped:?}");
            assert!((mapped.correlation.minus / missing - 1.0).abs() < 2e-15, "{place} against {missing}");
            assert!((mapped.slope - slope).abs() < 4e-15 * slope.max(1.0), "{place} against {slope}");
        }
    }

    #[test]
    fn the_slope_is_the_derivative_of_the_map_in_the_correlation() {
        // Price's theorem; central differences with h = 1e-5 have error O(h^2) and rounding 1e-11.
        let h = 1e-5;
        for power in 1..=20 {
            for minus in [0.1, 0.5, 1.0, 1.9] {
                let slope =
                    (at(power, minus + h).correlation.minus - at(power, minus - h).correlation.minus) / (2.0 * h);
                assert!((slope - at(power, minus).slope).abs() < 1e-7, "{power} {minus}");
            }
        }
    }

    #[test]
    fn equal_inputs_stay_equal_and_opposite_ones_meet_nowhere() {
        for power in 1..=20 {
            assert_eq!(at(power, 0.0).correlation.minus, 0.0);
            assert!((at(power, 2.0).correlation.minus - 1.0).abs() < 1e-15 && at(power, 2.0).slope.abs() < 1e-14);
        }
    }

    #[test]
    fn the_second_moment_is_half_of_the_gaussian_one() {
        for (power, moment) in [(1, 0.5), (2, 1.5), (3, 7.5), (4, 52.5)] {
            let variance = Rectified::new(power).variance(2.0);
            assert!((variance - moment * f64::from(1 << power)).abs() < 1e-12);
        }
    }
}
