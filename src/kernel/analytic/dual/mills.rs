//! The Mills ratio of the normal distribution and its differences, for x >= 0:
//!
//! ```text
//! m(x) = integral over r > 0 of e^{-r^2 / 2 - x r} dr = sqrt(pi / 2) e^{x^2 / 2} erfc(x / sqrt 2)
//! m(x) = g P(1 - 10 g),   g = 1 / (x + 5)
//! ```
//!
//! after Shepherd and Laframboise (1981), who write the scaled complementary error function so: g takes x >= 0 to a finite
//! interval, on which P is a polynomial. A difference m(p) - m(s) is the divided difference of P, found in the same pass as its value
//! (Horner's rule twice), so that it keeps its digits however near s is to p.

use super::elementary::horner;

/// m(x).
#[inline(always)]
pub(super) fn mills(x: f64) -> f64 {
    let g = 1.0 / (x + SHIFT);
    horner(argument(g), &P) * g
}

/// The Mills ratio at a sum and its mean falls on the way there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Falls {
    /// m(p + q).
    pub(super) end: f64,
    /// (m(p) - m(p + q)) / q.
    pub(super) from_p: f64,
    /// (m(q) - m(p + q)) / p.
    pub(super) from_q: f64,
}

/// The falls from p and from q to p + q, for p, q >= 0; every term is positive.
#[inline(always)]
pub(super) fn falls(p: f64, q: f64) -> Falls {
    let (at_p, at_q, at_s) = (p + SHIFT, q + SHIFT, p + q + SHIFT);
    // One division in place of three.
    let (pq, ps, qs) = (at_p * at_q, at_p * at_s, at_q * at_s);
    let inverse = 1.0 / (pq * at_s);
    let (g_p, g_q, g_s) = (qs * inverse, ps * inverse, pq * inverse);
    let (y_p, y_q, y_s) = (argument(g_p), argument(g_q), argument(g_s));
    let (mut value, mut slope_p, mut slope_q) = (P[DEGREE], 0.0_f64, 0.0_f64);
    for k in (0..DEGREE).rev() {
        slope_p = slope_p.mul_add(y_p, value);
        slope_q = slope_q.mul_add(y_q, value);
        value = value.mul_add(y_s, P[k]);
    }
    Falls {
        end: value * g_s,
        from_p: g_p * g_s * (-2.0 * SHIFT * g_p).mul_add(slope_p, value),
        from_q: g_q * g_s * (-2.0 * SHIFT * g_q).mul_add(slope_q, value),
    }
}

/// m(q) and (m(0) - m(q)) / q.
#[inline(always)]
pub(super) fn fall_from_zero(q: f64) -> (f64, f64) {
    let g = 1.0 / (q + SHIFT);
    let y = argument(g);
    let (mut value, mut slope) = (P[DEGREE], 0.0_f64);
    for k in (0..DEGREE).rev() {
        // Divided between y and -1, where q = 0.
        slope = value - slope;
        value = value.mul_add(y, P[k]);
    }
    (value * g, g / SHIFT * slope.mul_add(-2.0, value))
}

#[inline(always)]
fn argument(g: f64) -> f64 {
    g.mul_add(-2.0 * SHIFT, 1.0)
}

const SHIFT: f64 = 5.0;
const DEGREE: usize = 22;

/// P(y) = (x + 5) m(x) at y = (x - 5) / (x + 5), interpolated at 23 Chebyshev points with mpmath (60 digits): relative error 2.6e-16.
const P: [f64; DEGREE + 1] = [
    1.928_081_047_153_157_8,
    -1.667_866_595_188_962,
    1.241_547_061_573_868,
    -0.785_911_075_546_375_7,
    0.413_644_715_732_542_36,
    -0.173_254_734_091_518_76,
    0.052_125_502_416_080_68,
    -0.007_503_282_768_653_042,
    -0.001_999_962_021_267_729,
    0.001_365_858_816_349_647_6,
    -0.000_148_832_741_485_165_04,
    -0.000_124_734_262_660_051_4,
    4.181_331_469_574_555e-5,
    9.971_148_298_923_085e-6,
    -6.941_700_609_564_945e-6,
    -8.298_689_394_855_559e-7,
    1.087_942_493_952_362_8e-6,
    8.978_341_548_404_004e-8,
    -1.700_134_492_254_433_4e-7,
    -1.257_236_995_489_898_2e-8,
    2.367_968_496_638_553e-8,
    1.262_664_393_784_261e-9,
    -2.046_960_932_847_683_3e-9,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_agree_with_sixty_digits() {
        for (x, exact) in [
            (0.0, 1.2533141373155003),
            (0.001, 1.252314763639392),
            (0.5, 0.8763644564536923),
            (1.0, 0.6556795424187984),
            (3.0, 0.3045902987101033),
            (10.0, 0.09902859647173193),
            (60.0, 0.016662040889713754),
            (1e4, 9.999999900000004e-5),
        ] {
            let (m, fall) = fall_from_zero(x);
            assert!((mills(x) / exact - 1.0).abs() < 1e-15 && (m / exact - 1.0).abs() < 1e-15, "{x}: {}", mills(x));
            assert!(x == 0.0 || (x * fall - (1.2533141373155003 - exact)).abs() < 1e-15, "{x}: {fall}");
        }
    }

    #[test]
    fn falls_are_differences_where_these_keep_their_digits_and_derivatives_where_they_do_not() {
        for p in [0.3, 2.0, 20.0] {
            for q in [0.5, 4.0, 30.0] {
                let found = falls(p, q);
                let (m_p, m_q, m_s) = (mills(p), mills(q), mills(p + q));
                assert!((found.end / m_s - 1.0).abs() < 1e-15);
                assert!((found.from_p * q - (m_p - m_s)).abs() < 1e-15, "{p} {q}");
                assert!((found.from_q * p - (m_q - m_s)).abs() < 1e-15, "{p} {q}");
            }
            // m' = x m - 1.
            assert!((falls(p, 1e-9).from_p - (1.0 - p * mills(p))).abs() < 1e-9);
        }
        assert!((falls(0.0, 0.0).from_p - 1.0).abs() < 1e-14 && (fall_from_zero(0.0).1 - 1.0).abs() < 1e-14);
    }
}
