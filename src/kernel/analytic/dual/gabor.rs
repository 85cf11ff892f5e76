//! The Gabor function phi(z) = e^{-z^2} sin z, an odd wave packet.
//!
//! The Gaussian factors of phi(u) phi(v) change the covariance [[a, b], [b, c]] into (K^{-1} + 2 I)^{-1}, whose entries follow; the
//! sines are then expectations of exponentials:
//!
//! ```text
//! D^2 = 1 + 2a + 2c + 4 (a c - b^2),   a~ = (a + 2 (a c - b^2)) / D^2,   b~ = b / D^2,   c~ = (c + 2 (a c - b^2)) / D^2
//! S = e^{-(a~ + c~) / 2} sinh b~,   C = e^{-(a~ + c~) / 2} cosh b~
//! T  = S / D
//! T' = (C - 2 (a~ C - b~ S) - 2 (c~ C - b~ S) + 4 (a~ c~ C - a~ b~ S + b~ S + b~^2 C - b~ c~ S)) / D
//! ```

use super::elementary::{exp, exp_m1};
use super::{Correlation, Input, Mapped, Pairwise};

#[derive(Debug, Clone, Copy)]
pub(super) struct Gabor;

impl Pairwise for Gabor {
    /// E[phi(u)^2] = (1 - e^{-2 a~}) / (2 D) at b = c = a.
    fn variance(&self, a: f64) -> f64 {
        let squared = 1.0 + 4.0 * a;
        -0.5 * (-2.0 * a / squared).exp_m1() / squared.sqrt()
    }

    #[inline(always)]
    fn map(&self, x: Input, y: Input, correlation: Correlation) -> Mapped {
        let (a, c) = (x.std * x.std, y.std * y.std);
        let product = x.std * y.std;
        // a c - b^2 without the difference.
        let determinant = product * product * correlation.minus * correlation.plus;
        let squared = 1.0 / (1.0 + 2.0 * (a + c) + 4.0 * determinant);
        let a = 2.0f64.mul_add(determinant, a) * squared;
        let c = 2.0f64.mul_add(determinant, c) * squared;
        let b = product * correlation.value() * squared;
        // sinh and cosh by e^{-2 |b~|} - 1: nothing cancels for small b~, and nothing overflows.
        let lowest = exp_m1(-2.0 * b.abs());
        let size = 0.5 * exp(b.abs() - 0.5 * (a + c));
        let sinh = (size * lowest).copysign(b);
        let cosh = size * (2.0 + lowest);
        let crossed = b * sinh;
        let bracket = cosh - 2.0 * ((a + c) * cosh - 2.0 * crossed)
            + 4.0 * (a.mul_add(c, b * b) * cosh + (1.0 - a - c) * crossed);
        let norm = squared.sqrt() * x.scale * y.scale;
        Mapped { correlation: Correlation::of(norm * sinh), slope: product * norm * bracket }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(std: f64) -> Input {
        Input { std, damping: 1.0, scale: 1.0 / Gabor.variance(std * std).sqrt() }
    }

    fn at(minus: f64) -> Correlation {
        Correlation { minus, plus: 2.0 - minus }
    }

    #[test]
    fn maps_agree_with_twenty_five_digits() {
        // mpmath: T by its closed form, the slope by differentiating it. Columns: stds, 1 - rho, E[phi(u)^2] at the first, T, slope.
        #[rustfmt::skip]
        let references = [
            (1.0, 0.7, 0.3, 0.07371867878833117, 0.4426677789204075, 1.0620938257556178),
            (0.001, 0.002, 0.5, 9.999930000406664e-07, 0.49999999996937555, 0.9999999999550843),
            (30.0, 20.0, 0.001, 0.003277754100189048, 0.25196911491288204, 214.93622791187622),
            (30.0, 0.5, 1.9, 0.003277754100189048, -0.007336233029786475, 0.018565862534612093),
            (1.0, 1.0, 0.0, 0.07371867878833117, 1.0, 3.914574572988526),
            (1.0, 1.0, 2.0, 0.07371867878833117, -1.0, 3.914574572988526),
            (2.0, 2.0, 1.0, 0.04551972543069329, 0.0, 0.07728817625199692),
        ];
        for (x, y, minus, variance, r, slope) in references {
            assert!((Gabor.variance(x * x) / variance - 1.0).abs() < 1e-15, "{x}");
            let mapped = Gabor.map(input(x), input(y), at(minus));
            let place = format!("{x} {y} {minus}: {mapped:?}");
            assert!((1.0 - mapped.correlation.minus - r).abs() < 2e-15, "{place} against {r}");
            assert!((mapped.slope - slope).abs() < 4e-14 * slope.max(1.0), "{place} against {slope}");
        }
    }

    #[test]
    fn the_closed_form_agrees_with_quadrature_in_the_plane() {
        // E[phi(u) phi(v)] and E[phi'(u) phi'(v)] at a = 0.9, b = 0.4, c = 0.7 by the trapezoid rule in both whitened coordinates.
        let (a, b, c, step) = (0.9_f64, 0.4_f64, 0.7_f64, 0.1);
        let (mut covariance, mut slope) = (0.0, 0.0);
        for i in -90..=90 {
            for j in -90..=90 {
                let (z1, z2) = (step * f64::from(i), step * f64::from(j));
                let (u, v) = (a.sqrt() * z1, b / a.sqrt() * z1 + (c - b * b / a).sqrt() * z2);
                let weight = step * step / std::f64::consts::TAU * (-0.5 * (z1 * z1 + z2 * z2) - u * u - v * v).exp();
                covariance += weight * u.sin() * v.sin();
                slope += weight * (u.cos() - 2.0 * u * u.sin()) * (v.cos() - 2.0 * v * v.sin());
            }
        }
        let (x, y) = (input(a.sqrt()), input(c.sqrt()));
        let mapped = Gabor.map(x, y, at(1.0 - b / (a * c).sqrt()));
        assert!((1.0 - mapped.correlation.minus - covariance * x.scale * y.scale).abs() < 1e-14);
        assert!((mapped.slope - slope * x.std * y.std * x.scale * y.scale).abs() < 1e-13);
    }

    #[test]
    fn equal_and_opposite_inputs_stay_so_and_an_input_of_zero_is_sent_to_zero() {
        for std in [1e-3, 1.0, 1e3] {
            assert!(Gabor.map(input(std), input(std), at(0.0)).correlation.minus < 1e-15);
            assert!(Gabor.map(input(std), input(std), at(2.0)).correlation.plus < 1e-15);
        }
        let mapped = Gabor.map(Input { std: 0.0, scale: 0.0, damping: 1.0 }, input(1.0), at(1.0));
        assert_eq!((mapped.correlation.minus, mapped.slope), (1.0, 0.0));
    }
}
