//! Exponential, sine and cosine in straight-line arithmetic, so that a loop over pairs becomes vector instructions.
//!
//! ```text
//! e^x      = 2^n e^r,   n = round(x / ln 2),  |r| <= ln 2 / 2           Taylor to r^13
//! sin, cos of r = x - n pi / 2,  |r| <= pi / 4, by the quadrant n mod 4  Taylor to r^17
//! ```
//!
//! The reductions are those of Cody and Waite (1980): the constant is subtracted in two parts, the first exactly, by fused
//! multiply-add. Errors stay below 2 units in the last place.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, LOG2_E};

/// 1.5 2^52: adding it rounds a double to the nearest integer, which is left in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// e^x; 0 below x = -708, infinite above 709.4: both a little inside the range of doubles.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    let Reduced { power, rest } = reduce(x);
    let value = power.mul_add(rest, power);
    if x < LOWEST {
        0.0
    } else if x > HIGHEST {
        f64::INFINITY
    } else {
        value
    }
}

/// e^x - 1, without cancellation near 0.
#[inline(always)]
pub(super) fn exp_m1(x: f64) -> f64 {
    let Reduced { power, rest } = reduce(x);
    let value = power.mul_add(rest, power - 1.0);
    if x > HIGHEST { f64::INFINITY } else { value }
}

/// (sin x, cos x) for |x| below 1e5.
#[inline(always)]
pub(super) fn sin_cos(x: f64) -> (f64, f64) {
    let rounded = x.mul_add(FRAC_2_PI, ROUND);
    let n = rounded - ROUND;
    let r = n.mul_add(-FRAC_PI_2, x);
    let r = n.mul_add(-FRAC_PI_2_REST, r);
    let y = r * r;
    let sin = (r * y).mul_add(horner(y, &SIN), r);
    let cos = (y * y).mul_add(horner(y, &COS), y.mul_add(-0.5, 1.0));
    let quadrant = rounded.to_bits();
    let odd = quadrant & 1 == 1;
    let (s, c) = (if odd { cos } else { sin }, if odd { sin } else { cos });
    (signed(s, quadrant), signed(c, quadrant.wrapping_add(1)))
}

/// Negated in the lower two quadrants, which the second bit tells; the cosine is the sine of the next quadrant.
#[inline(always)]
fn signed(value: f64, quadrant: u64) -> f64 {
    f64::from_bits(value.to_bits() ^ ((quadrant & 2) << 62))
}

/// The polynomial with these coefficients, lowest first.
#[inline(always)]
pub(super) fn horner<const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    let mut value = coefficients[N - 1];
    for k in (0..N - 1).rev() {
        value = value.mul_add(x, coefficients[k]);
    }
    value
}

/// e^x = power (1 + rest).
struct Reduced {
    power: f64,
    rest: f64,
}

#[inline(always)]
fn reduce(x: f64) -> Reduced {
    let x = if x < LOWEST { LOWEST } else { x };
    let x = if x > HIGHEST { HIGHEST } else { x };
    let rounded = x.mul_add(LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = n.mul_add(-LN_2_HIGH, x);
    let r = n.mul_add(-LN_2_LOW, r);
    // 2^n: n + 1023 becomes the exponent; everything above its 11 bits is shifted out.
    let power = f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52);
    Reduced { power, rest: (r * r).mul_add(horner(r, &EXP), r) }
}

const LOWEST: f64 = -708.0;
const HIGHEST: f64 = 709.4;

/// ln 2 to 32 bits, so that n times it is exact, and the rest of ln 2.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// pi / 2 minus its nearest double.
const FRAC_PI_2_REST: f64 = 6.123_233_995_736_766e-17;

/// (e^r - 1 - r) / r^2: the first term left out is below 5e-18 for |r| <= ln 2 / 2.
const EXP: [f64; 12] = taylor(2, 1, 1.0);
/// (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 in r^2: the first terms left out are below 1e-19 for |r| <= pi / 4.
const SIN: [f64; 8] = taylor(3, 2, -1.0);
const COS: [f64; 8] = taylor(4, 2, 1.0);

/// The coefficients sign / first!, -+ sign / (first + step)!, ...: the signs alternate where the step is 2.
const fn taylor<const N: usize>(first: u32, step: u32, sign: f64) -> [f64; N] {
    let mut coefficients = [0.0; N];
    let (mut factorial, mut n, mut sign, mut k) = (1.0, 0, sign, 0);
    while k < N {
        while n < first + step * k as u32 {
            n += 1;
            factorial *= n as f64;
        }
        coefficients[k] = sign / factorial;
        sign *= if step == 2 { -1.0 } else { 1.0 };
        k += 1;
    }
    coefficients
}

#[cfg(test)]
#[expect(clippy::approx_constant, reason = "references at doubles next to multiples of pi")]
mod tests {
    use super::*;

    fn assert_close(value: f64, exact: f64, bound: f64, place: f64) {
        assert!((value - exact).abs() <= bound * exact.abs(), "at {place}: {value:e} against {exact:e}");
    }

    #[test]
    fn exponentials_agree_with_fifty_digits() {
        // mpmath, 60 digits, at the doubles nearest to these arguments.
        for (x, exact, exact_m1) in [
            (-700.5, 5.980196118639791e-305, -1.0),
            (-36.7, 1.1518409493076097e-16, -0.9999999999999999),
            (-1.3, 0.2725317930340126, -0.7274682069659875),
            (-0.3466, 0.7070881069410189, -0.2929118930589812),
            (1e-9, 1.000000001, 1.0000000005000001e-9),
            (0.25, 1.2840254166877414, 0.2840254166877415),
            (0.9, 2.45960311115695, 1.4596031111569496),
            (17.3, 32605775.72099587, 32605774.72099587),
            (700.1, 1.120899771073261e304, 1.120899771073261e304),
        ] {
            assert_close(exp(x), exact, 4e-16, x);
            assert_close(exp_m1(x), exact_m1, 4e-16, x);
        }
        assert_eq!((exp(-800.0), exp(0.0), exp(800.0)), (0.0, 1.0, f64::INFINITY));
        assert_eq!((exp_m1(-800.0), exp_m1(0.0), exp_m1(800.0)), (-1.0, 0.0, f64::INFINITY));
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn exponentials_agree_with_the_system_library_on_a_grid() {
        for i in -7000..7000 {
            let x = f64::from(i) * 0.100_123;
            assert_close(exp(x), libm::exp(x), 5e-16, x);
            let x = f64::from(i) * 0.001_001_23;
            assert_close(exp_m1(x), libm::expm1(x), 5e-16, x);
        }
    }

    #[test]
    fn sines_and_cosines_agree_with_fifty_digits() {
        for (x, sin, cos) in [
            (0.3, 0.29552020666133955, 0.955336489125606),
            (0.7853981633974483, 0.7071067811865475, 0.7071067811865476),
            (1.5707963267948966, 1.0, 6.123233995736766e-17),
            (3.141592653589793, 1.2246467991473532e-16, -1.0),
            (-2.5, -0.5984721441039565, -0.8011436155469337),
            (10.1, -0.6250706488928821, -0.7805681801691837),
            (1234.5, 0.14539565052293643, -0.989373592132422),
            (-98765.4321, -0.04224386964079158, 0.9991073293084041),
        ] {
            assert_close(sin_cos(x).0, sin, 4e-16, x);
            assert_close(sin_cos(x).1, cos, 4e-16, x);
        }
        for i in -20_000..20_000 {
            let x = f64::from(i) * 4.999_123;
            assert_close(sin_cos(x).0, libm::sin(x), 5e-16, x);
            assert_close(sin_cos(x).1, libm::cos(x), 5e-16, x);
        }
    }
}
