//! Dual activations: T = E[phi(u) phi(v)] and T' = E[phi'(u) phi'(v)] over (u, v) ~ N(0, [[a, b], [b, c]]), in closed form.
//!
//! A file for each kind of formula; a new activation that reduces to one of their families needs none.

mod error_function;
mod exponential;
mod piecewise;
mod polynomial;

use crate::arch::Family;

/// The two expectations of one activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dual {
    /// T = E[phi(u) phi(v)].
    pub(super) covariance: f64,
    /// T' = E[phi'(u) phi'(v)].
    pub(super) derivative_covariance: f64,
}

/// The dual of an activation of `family` at variances `a`, `c` and covariance `b`.
pub(super) fn dual(family: &Family, a: f64, b: f64, c: f64) -> Dual {
    match *family {
        Family::TwoSlope { left, right } => piecewise::two_slope(left, right, a, b, c),
        Family::TwoLevel { low, high } => piecewise::two_level(low, high, a, b, c),
        Family::Erf { scale, slope, offset } => error_function::erf(scale, slope, offset, a, b, c),
        Family::Gelu => error_function::gelu(a, b, c),
        Family::Sine { amplitude, frequency, phase } => exponential::sine(amplitude, frequency, phase, a, b, c),
        Family::Exponential { scale, rate } => exponential::exponential(scale, rate, a, b, c),
        Family::Gaussian => exponential::gaussian(a, b, c),
        Family::Polynomial(ref coefficients) => polynomial::polynomial(coefficients, a, b, c),
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::arch::Activation;
    use crate::seed;

    /// Every activation but the identity's special cases, once each with unremarkable numbers.
    const SMOOTH_OR_KINKED: [Activation; 14] = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu(0.1),
        Activation::TwoSlope { left: -0.3, right: 1.2 },
        Activation::Abs,
        Activation::Erf,
        Activation::ScaledErf { scale: 2.0, slope: 0.5, offset: 0.1 },
        Activation::Gelu,
        Activation::Cos,
        Activation::Sine { amplitude: 1.3, frequency: 0.7, phase: 0.2 },
        Activation::Gaussian,
        Activation::Exponential { scale: 0.5, rate: 0.4 },
        Activation::Monomial(3),
        Activation::Hermite(4),
    ];

    /// phi itself, written without the families.
    fn phi(activation: Activation, z: f64) -> f64 {
        match activation {
            Activation::Identity => z,
            Activation::Relu => z.max(0.0),
            Activation::LeakyRelu(slope) => {
                if z > 0.0 {
                    z
                } else {
                    slope * z
                }
            }
            Activation::TwoSlope { left, right } => {
                if z > 0.0 {
                    right * z
                } else {
                    left * z
                }
            }
            Activation::Abs => z.abs(),
            Activation::Sign => z.signum(),
            Activation::Step => f64::from(z > 0.0),
            Activation::Erf => libm::erf(z),
            Activation::ScaledErf { scale, slope, offset } => scale * libm::erf(slope * z) + offset,
            Activation::SigmoidLike => 0.5 * (1.0 + libm::erf(z / 2.402_056_353_171_979_6)),
            Activation::Gelu => 0.5 * z * (1.0 + libm::erf(z / 2.0_f64.sqrt())),
            Activation::Sin => z.sin(),
            Activation::Cos => z.cos(),
            Activation::Sine { amplitude, frequency, phase } => amplitude * (frequency * z + phase).sin(),
            Activation::Rbf(gamma) => 2.0_f64.sqrt() * ((2.0 * gamma).sqrt() * z + PI / 4.0).sin(),
            Activation::Gaussian => (-z * z).exp(),
            Activation::Exponential { scale, rate } => scale * (rate * z).exp(),
            Activation::Monomial(degree) => z.powi(i32::try_from(degree).expect("small")),
            Activation::Hermite(3) => (z.powi(3) - 3.0 * z) / 6.0_f64.sqrt(),
            Activation::Hermite(_) => (z.powi(4) - 6.0 * z * z + 3.0) / 24.0_f64.sqrt(),
        }
    }

    #[test]
    fn closed_forms_agree_with_sampling() {
        // 400,000 pairs; the standard error is computed from the sample, and the bound is five of them.
        let (a, b, c) = (0.9_f64, 0.4_f64, 0.7_f64);
        let normals = seed::standard_normals(&mut seed::stream(11, "dual activation"), 800_000);
        let others =
            [Activation::Sign, Activation::Step, Activation::SigmoidLike, Activation::Sin, Activation::Rbf(0.5)];
        for activation in SMOOTH_OR_KINKED.into_iter().chain(others) {
            let products = normals.chunks_exact(2).map(|pair| {
                let u = a.sqrt() * pair[0];
                let v = b / a.sqrt() * pair[0] + (c - b * b / a).sqrt() * pair[1];
                phi(activation, u) * phi(activation, v)
            });
            let n = 400_000.0;
            let (sum, squares) = products.fold((0.0, 0.0), |(sum, squares), p| (sum + p, squares + p * p));
            let (mean, exact) = (sum / n, dual(&activation.family(), a, b, c).covariance);
            let bound = 5.0 * ((squares / n - mean * mean) / n).sqrt();
            assert!((mean - exact).abs() < bound, "{activation}: {exact} against {mean} +- {bound}");
        }
    }

    #[test]
    fn the_derivative_dual_is_the_derivative_of_the_dual_in_the_covariance() {
        // Price's theorem: dT/db = T'. Central differences with h = 1e-5 have error O(h^2) = 1e-10 and rounding 1e-11.
        let (a, b, c, h) = (0.9, 0.35, 1.4, 1e-5);
        for activation in SMOOTH_OR_KINKED {
            let slope = (dual(&activation.family(), a, b + h, c).covariance
                - dual(&activation.family(), a, b - h, c).covariance)
                / (2.0 * h);
            assert!((slope - dual(&activation.family(), a, b, c).derivative_covariance).abs() < 1e-9, "{activation}");
        }
    }

    #[test]
    fn equal_and_opposite_and_zero_inputs_are_exact() {
        assert_eq!(
            dual(&Activation::Relu.family(), 2.0, 2.0, 2.0),
            Dual { covariance: 1.0, derivative_covariance: 0.5 }
        );
        assert_eq!(
            dual(&Activation::Relu.family(), 2.0, -2.0, 2.0),
            Dual { covariance: 0.0, derivative_covariance: 0.0 }
        );
        assert_eq!(
            dual(&Activation::Relu.family(), 0.0, 0.0, 0.0),
            Dual { covariance: 0.0, derivative_covariance: 0.5 }
        );
    }
}
