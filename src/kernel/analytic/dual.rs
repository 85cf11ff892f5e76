//! Dual activations: T = E[phi(u) phi(v)] and T' = E[phi'(u) phi'(v)] over (u, v) ~ N(0, [[a, b], [b, c]]).
//!
//! Closed forms of Williams (1997) for erf and Cho and Saul (2009) for ReLU. The angle between u and v is atan2(sqrt(a c - b^2), b),
//! never acos(b / sqrt(a c)): near b^2 = a c the arccosine loses half the digits, and with them the limit of deep networks.

use std::f64::consts::PI;

use crate::arch::Activation;

/// The two expectations of one activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dual {
    /// T = E[phi(u) phi(v)].
    pub(super) covariance: f64,
    /// T' = E[phi'(u) phi'(v)].
    pub(super) derivative_covariance: f64,
}

/// The dual of `activation` at variances `a`, `c` and covariance `b`.
pub(super) fn dual(activation: Activation, a: f64, b: f64, c: f64) -> Dual {
    match activation {
        Activation::Identity => Dual { covariance: b, derivative_covariance: 1.0 },
        Activation::Relu => relu(a, b, c),
        Activation::Erf => erf(a, b, c),
    }
}

fn relu(a: f64, b: f64, c: f64) -> Dual {
    // sqrt(ac) sin t, clamped because rounding pushes b^2 past ac for equal inputs.
    let opposite = (a * c - b * b).max(0.0).sqrt();
    let angle = opposite.atan2(b);
    Dual { covariance: (opposite + (PI - angle) * b) / (2.0 * PI), derivative_covariance: (PI - angle) / (2.0 * PI) }
}

fn erf(a: f64, b: f64, c: f64) -> Dual {
    let scale = (1.0 + 2.0 * a) * (1.0 + 2.0 * c);
    Dual {
        covariance: 2.0 / PI * (2.0 * b / scale.sqrt()).asin(),
        derivative_covariance: 4.0 / PI / (scale - 4.0 * b * b).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;

    /// Monte Carlo over 400,000 pairs: the standard error of either expectation is below 1.6e-3 here, the bound is five of them.
    fn agrees_with_sampling(activation: Activation, phi: impl Fn(f64) -> f64, derivative: impl Fn(f64) -> f64) {
        let (a, b, c) = (1.3_f64, 0.4_f64, 0.7_f64);
        let n = 400_000;
        let z = seed::standard_normals(&mut seed::stream(11, "dual activation"), 2 * n);
        let (mut covariance, mut derivative_covariance) = (0.0, 0.0);
        for pair in z.chunks_exact(2) {
            let u = a.sqrt() * pair[0];
            let v = b / a.sqrt() * pair[0] + (c - b * b / a).sqrt() * pair[1];
            covariance += phi(u) * phi(v) / n as f64;
            derivative_covariance += derivative(u) * derivative(v) / n as f64;
        }
        let exact = dual(activation, a, b, c);
        assert!((exact.covariance - covariance).abs() < 8e-3, "{activation}: {exact:?} against {covariance}");
        assert!(
            (exact.derivative_covariance - derivative_covariance).abs() < 8e-3,
            "{activation}: {exact:?} against {derivative_covariance}"
        );
    }

    #[test]
    fn closed_forms_agree_with_sampling() {
        agrees_with_sampling(Activation::Relu, |z| z.max(0.0), |z| if z > 0.0 { 1.0 } else { 0.0 });
        agrees_with_sampling(Activation::Erf, libm::erf, |z| 2.0 / PI.sqrt() * (-z * z).exp());
        agrees_with_sampling(Activation::Identity, |z| z, |_| 1.0);
    }

    #[test]
    fn the_derivative_dual_is_the_derivative_of_the_dual_in_the_covariance() {
        // Price's theorem: dT/db = T'. Central differences with h = 1e-5 have error O(h^2) = 1e-10 and rounding 1e-11.
        let (a, b, c, h) = (0.9, 0.35, 1.4, 1e-5);
        for activation in [Activation::Relu, Activation::Erf, Activation::Identity] {
            let slope =
                (dual(activation, a, b + h, c).covariance - dual(activation, a, b - h, c).covariance) / (2.0 * h);
            assert!((slope - dual(activation, a, b, c).derivative_covariance).abs() < 1e-9, "{activation}");
        }
    }

    #[test]
    fn equal_and_opposite_and_zero_inputs_are_exact() {
        assert_eq!(dual(Activation::Relu, 2.0, 2.0, 2.0), Dual { covariance: 1.0, derivative_covariance: 0.5 });
        assert_eq!(dual(Activation::Relu, 2.0, -2.0, 2.0), Dual { covariance: 0.0, derivative_covariance: 0.0 });
        assert_eq!(dual(Activation::Relu, 0.0, 0.0, 0.0), Dual { covariance: 0.0, derivative_covariance: 0.5 });
    }
}
