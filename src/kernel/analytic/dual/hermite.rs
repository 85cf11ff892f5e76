//! Coefficients of a function in the normalized Hermite polynomials of a Gaussian variable:
//!
//! ```text
//! phi(sqrt(a) z) = sum over k of alpha_k h_k(z),   alpha_k = E[phi(sqrt(a) z) h_k(z)],   sum of alpha_k^2 = E[phi(sqrt(a) z)^2]
//! sqrt(k + 1) h_{k+1} = z h_k - sqrt(k) h_{k-1}
//! ```
//!
//! by the trapezoid rule, which converges geometrically for functions analytic around the real line and smaller than e^{z^2 / 4} on it
//! (Trefethen and Weideman 2014): halving the step squares the error. The density is shared between the function and h_k, so that
//! both factors, phi e^{-z^2 / 4} and the Hermite function h_k e^{-z^2 / 4}, stay within range at any degree.

use std::f64::consts::PI;

/// The nodes 0, +-step, +-2 step, ... up to +-reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    step: f64,
    n_sides: usize,
}

/// phi(sqrt(a) z) e^{-z^2 / 4} on a grid, as its even and odd halves [phi(z) +- phi(-z)] at z >= 0; each meets one parity of h_k.
pub(super) struct Folded {
    even: Vec<f64>,
    odd: Vec<f64>,
}

/// A value that is infinite or not a number, and where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NotFinite {
    pub(super) z: f64,
    pub(super) value: f64,
}

impl Grid {
    /// Fine enough for `n_terms` coefficients, with every other node coarse enough to show an error.
    ///
    /// h_k e^{-z^2 / 4} oscillates with at most sqrt(k) radians a unit, and so does what the coefficients can resolve of phi; the
    /// trapezoid rule errs by what their product holds at 2 pi / step. A margin of 8 covers the width of the Gaussian.
    pub(super) fn for_terms(n_terms: usize, reach: f64) -> Self {
        let step = PI / (2.0 * (n_terms as f64).sqrt() + 8.0);
        Self { step, n_sides: (reach / step).ceil() as usize }
    }

    /// The same reach at half the step.
    pub(super) fn finer(self) -> Self {
        Self { step: 0.5 * self.step, n_sides: 2 * self.n_sides }
    }

    /// The values of `phi` for inputs of standard deviation `std`, weighted.
    pub(super) fn sample(self, phi: &dyn Fn(f64) -> f64, std: f64) -> Result<Folded, NotFinite> {
        let finite = |z: f64| match phi(z) {
            value if value.is_finite() => Ok(value),
            value => Err(NotFinite { z, value }),
        };
        let (mut even, mut odd) = (Vec::with_capacity(self.n_sides + 1), Vec::with_capacity(self.n_sides + 1));
        for i in 0..=self.n_sides {
            let z = self.z(i);
            let (right, left) = (finite(std * z)?, finite(-std * z)?);
            let weight = self.root_weight(z) * if i == 0 { 0.5 } else { 1.0 };
            even.push(weight * (right + left));
            odd.push(weight * (right - left));
        }
        Ok(Folded { even, odd })
    }

    /// The coefficients of degrees 0 to `n_terms` - 1 of every function, `[n_terms][functions]`.
    ///
    /// With a `stride` of 2, by every other node.
    pub(super) fn coefficients(self, functions: &[Folded], n_terms: usize, stride: usize) -> Vec<f64> {
        let every = |values: &[f64]| values.iter().step_by(stride).copied().collect::<Vec<f64>>();
        let z: Vec<f64> = (0..=self.n_sides).step_by(stride).map(|i| self.z(i)).collect();
        let values: Vec<[Vec<f64>; 2]> = functions.iter().map(|f| [every(&f.even), every(&f.odd)]).collect();
        let mut before = vec![0.0; z.len()];
        let mut hermite: Vec<f64> = z.iter().map(|&z| self.root_weight(z) * stride as f64).collect();
        let mut coefficients = Vec::with_capacity(n_terms * functions.len());
        for k in 0..n_terms {
            coefficients.extend(values.iter().map(|halves| dot(&halves[k % 2], &hermite)));
            let (root, next_root) = ((k as f64).sqrt(), 1.0 / (k as f64 + 1.0).sqrt());
            for ((before, hermite), z) in before.iter_mut().zip(&mut hermite).zip(&z) {
                (*before, *hermite) = (*hermite, next_root * (z * *hermite - root * *before));
            }
        }
        coefficients
    }

    fn z(self, i: usize) -> f64 {
        i as f64 * self.step
    }

    /// The square root of the normal density times the step.
    fn root_weight(self, z: f64) -> f64 {
        (self.step / (2.0 * PI).sqrt()).sqrt() * (-0.25 * z * z).exp()
    }
}

impl Folded {
    /// E[phi(sqrt(a) z)^2]: the square of a sum and of a difference hold every value twice.
    pub(super) fn second_moment(&self) -> f64 {
        let squares = |values: &[f64]| values.iter().skip(1).map(|f| f * f).sum::<f64>();
        let middle = self.even.first().map_or(0.0, |f| f * f);
        middle + 0.5 * (squares(&self.even) + squares(&self.odd))
    }

    /// The larger of the two weighted values at the ends, for a grid of any step.
    pub(super) fn end(&self) -> f64 {
        let last = |values: &[f64]| values.last().map_or(0.0, |f| f.abs());
        last(&self.even).max(last(&self.odd))
    }

    pub(super) fn is_even(&self) -> bool {
        self.odd.iter().all(|f| *f == 0.0)
    }

    pub(super) fn is_odd(&self) -> bool {
        self.even.iter().all(|f| *f == 0.0)
    }
}

/// The coefficients of c_0 + c_1 z + c_2 z^2 + ..., exactly: z^d is the sum of d! / (2^m m! k!) He_k over k + 2m = d, He_k = sqrt(k!) h_k.
pub(super) fn of_polynomial(powers: &[f64], std: f64) -> Vec<f64> {
    let mut coefficients = vec![0.0; powers.len()];
    for (degree, power) in powers.iter().enumerate() {
        let scaled = power * std.powi(degree as i32);
        for m in 0..=degree / 2 {
            let k = degree - 2 * m;
            coefficients[k] +=
                scaled * factorial(degree) / (factorial(m) * 2.0_f64.powi(m as i32) * factorial(k).sqrt());
        }
    }
    coefficients
}

/// In eight sums, which become one vector register.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f64>()
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trapezoid_rule_agrees_with_the_exact_coefficients_of_polynomials() {
        let powers = [0.3, -1.0, 0.5, 0.0, 0.2, 0.05];
        let phi = |z: f64| powers.iter().rev().fold(0.0, |sum, c| sum * z + c);
        let grid = Grid::for_terms(32, 13.0);
        for std in [0.0, 0.1, 1.0, 3.0] {
            let sampled = grid.sample(&phi, std).expect("finite");
            let exact = of_polynomial(&powers, std);
            let largest = exact.iter().fold(0.0, |largest, c| f64::max(largest, c.abs()));
            for (k, value) in grid.coefficients(&[sampled], 32, 1).iter().enumerate() {
                let error = (value - exact.get(k).copied().unwrap_or(0.0)).abs();
                assert!(error < 1e-14 * largest, "degree {k} at std {std}: {error:e}");
            }
        }
    }

    #[test]
    fn the_coefficients_of_the_sine_are_known() {
        // sin(s z) = sum over odd k of (-1)^{(k-1)/2} e^{-s^2/2} s^k / sqrt(k!) h_k(z).
        let (std, grid) = (1.3_f64, Grid::for_terms(40, 13.0));
        let sampled = grid.sample(&f64::sin, std).expect("finite");
        assert!(sampled.is_odd() && !sampled.is_even());
        let exact_moment = 0.5 * (1.0 - (-2.0 * std * std).exp());
        assert!((sampled.second_moment() - exact_moment).abs() < 1e-15);
        for (k, value) in grid.coefficients(&[sampled], 40, 1).iter().enumerate() {
            let sign = [0.0, 1.0, 0.0, -1.0][k % 4];
            let exact = sign * (-0.5 * std * std).exp() * std.powi(k as i32) / factorial(k).sqrt();
            assert!((value - exact).abs() < 1e-15, "degree {k}: {value:e} against {exact:e}");
        }
    }

    #[test]
    fn a_value_that_is_not_finite_is_named() {
        let failed = Grid::for_terms(8, 13.0).sample(&|z: f64| 1.0 / z, 1.0).err();
        assert_eq!(failed, Some(NotFinite { z: 0.0, value: f64::INFINITY }));
    }
}
