//! The angle between two Gaussian numbers, t = arccos rho.
//!
//! It is never taken from rho, where acos loses half the digits near 1. With d the distance of rho to the nearer of 1 and -1 and
//! y = sqrt(d / 2), the angle s to that end is 2 asin y, and sin s - s cos s is y^3 times a smooth function.
//!
//! Both are smooth in z = y^2 up to 1, and asked for up to 1/2. As polynomials of v = z / (1 - (2 - sqrt 2) z), which puts the ends 1 and
//! infinity of the line where they are not smooth equally far from the ends of the interval, each degree gives 1.06 digits; of z, 0.77.

use std::f64::consts::PI;

use super::Correlation;
use super::elementary::horner;

/// The angle s to the nearer of 1 and -1.
pub(super) struct Arc {
    /// s.
    pub(super) angle: f64,
    /// sin s - s cos s.
    pub(super) bend: f64,
}

impl Arc {
    /// From 1 - cos s, at most 1.
    #[inline(always)]
    pub(super) fn of(distance: f64) -> Self {
        let z = 0.5 * distance.max(0.0);
        let (y, v) = (z.sqrt(), z / z.mul_add(-POLE, 1.0));
        Self { angle: y * horner(v, &HALF_ANGLE), bend: y * z * horner(v, &BEND) }
    }

    /// The same to 7 digits: short polynomials of z itself, and a root of single precision.
    #[inline(always)]
    pub(super) fn to_seven_digits(distance: f64) -> Self {
        let z = 0.5 * distance.max(0.0);
        let y = f64::from((z as f32).sqrt());
        Self { angle: y * horner(z, &SHORT_HALF_ANGLE), bend: y * z * horner(z, &SHORT_BEND) }
    }
}

/// t and sin t - t cos t, each with all its digits as t tends to 0.
#[inline(always)]
pub(super) fn angle_and_bend(Correlation { minus, plus }: Correlation) -> (f64, f64) {
    let arc = Arc::of(minus.min(plus));
    let is_sharp = minus <= plus;
    // Beyond a right angle, t = pi - s.
    let angle = if is_sharp { arc.angle } else { PI - arc.angle };
    let bend = if is_sharp { arc.bend } else { PI.mul_add(1.0 - plus, arc.bend) };
    (angle, bend)
}

// Interpolation at Chebyshev points of v, in 60 digits; relative errors 4e-17 and 1.1e-16 with these doubles.

/// 2 - sqrt 2.
const POLE: f64 = 0.585_786_437_626_905;

/// 2 asin(y) / y in powers of v.
const HALF_ANGLE: [f64; 14] = [
    2.0,
    0.333_333_333_333_308_67,
    -0.045_262_145_873_350_6,
    0.027_931_699_749_690_744,
    -0.008_730_978_866_248_164,
    0.004_837_324_603_366_756,
    -0.001_992_195_727_013_569_6,
    0.001_062_694_575_522_819_2,
    -0.000_494_197_990_444_783_8,
    0.000_255_666_063_411_987_67,
    -0.000_116_779_835_268_362_2,
    0.000_049_054_991_017_833_21,
    -0.000_014_499_271_394_252_642,
    0.000_002_529_631_160_834_227_8,
];

/// (sin s - s cos s) / y^3 in powers of v, s = 2 asin y.
const BEND: [f64; 14] = [
    2.666_666_666_666_667,
    0.266_666_666_666_618_37,
    -0.070_495_430_981_760_31,
    0.030_767_540_823_620_675,
    -0.013_005_739_724_084_399,
    0.006_176_739_054_209_526,
    -0.002_943_200_120_557_541_4,
    0.001_465_939_397_150_908_4,
    -0.000_732_888_441_155_349_5,
    0.000_366_164_584_982_195_4,
    -0.000_171_521_369_012_916_93,
    0.000_068_490_483_696_528_19,
    -0.000_019_560_946_150_600_76,
    0.000_002_875_634_960_463_466_6,
];

// Interpolation at Chebyshev points of z in [0, 1/2], exact at 0; relative errors 8e-9 and 7e-9.

/// 2 asin(y) / y in powers of z.
const SHORT_HALF_ANGLE: [f64; 9] = [
    2.0,
    0.333_333_313_564_657_84,
    0.150_005_043_272_666_68,
    0.089_077_627_946_351_45,
    0.063_980_478_454_324_26,
    0.020_870_651_949_977_494,
    0.127_593_952_765_363_61,
    -0.159_441_431_906_306_63,
    0.189_394_699_191_944_45,
];

/// (sin s - s cos s) / y^3 in powers of z, s = 2 asin y.
const SHORT_BEND: [f64; 8] = [
    2.666_666_666_666_667,
    0.266_666_690_571_907_84,
    0.085_709_619_392_116_97,
    0.039_828_744_326_663_75,
    0.020_413_543_653_952_22,
    0.022_705_867_564_806_67,
    -0.013_779_717_209_961_23,
    0.032_127_753_307_552_2,
];

#[cfg(test)]
#[expect(clippy::approx_constant, reason = "references at doubles next to multiples of pi")]
mod tests {
    use super::*;

    #[test]
    fn angles_and_bends_keep_their_digits_near_equal_inputs() {
        // mpmath, 60 digits, at the doubles nearest to these distances.
        for (minus, angle, bend) in [
            (1e-20, 1.414213562373095e-10, 9.428090415820633e-31),
            (1e-9, 4.472135955372258e-5, 2.981423970148791e-14),
            (0.001, 0.044725087168733434, 2.9815730651616383e-05),
            (0.2, 0.6435011087932844, 0.0851991129653725),
            (0.5, 1.0471975511965979, 0.3424266281861398),
            (0.7, 1.266103672779499, 0.5741080995830958),
            (1.0, 1.5707963267948966, 1.0),
            (1.3, 1.8754889808102941, 1.516585895660034),
            (1.9, 2.6905658417935308, 2.8573991519682447),
        ] {
            let found = angle_and_bend(Correlation { minus, plus: 2.0 - minus });
            assert!((found.0 / angle - 1.0).abs() < 6e-16, "{minus}: {} against {angle}", found.0);
            assert!((found.1 / bend - 1.0).abs() < 1e-15, "{minus}: {} against {bend}", found.1);
            if minus <= 1.0 {
                let short = Arc::to_seven_digits(minus);
                assert!((short.angle / angle - 1.0).abs() < 1.5e-7, "{minus}: {} against {angle}", short.angle);
                assert!((short.bend / bend - 1.0).abs() < 1.5e-7, "{minus}: {} against {bend}", short.bend);
            }
        }
        assert_eq!(angle_and_bend(Correlation { minus: 0.0, plus: 2.0 }), (0.0, 0.0));
        assert_eq!(angle_and_bend(Correlation { minus: 2.0, plus: 0.0 }), (PI, PI));
    }
}
