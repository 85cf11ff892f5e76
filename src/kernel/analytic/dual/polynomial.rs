//! Polynomials, by the mixed moments of two Gaussians (Isserlis 1918):
//!
//! ```text
//! E[u^i v^j] = sum over k of i! j! / (k! m! n! 2^{m + n}) a^m c^n b^k,   m = (i - k) / 2,   n = (j - k) / 2 whole
//! ```

use super::Dual;
use crate::arch::MAX_DEGREE;

pub(super) fn polynomial(coefficients: &[f64; MAX_DEGREE + 1], a: f64, b: f64, c: f64) -> Dual {
    let mut derivative = [0.0; MAX_DEGREE + 1];
    for (degree, coefficient) in coefficients.iter().enumerate().skip(1) {
        derivative[degree - 1] = degree as f64 * coefficient;
    }
    Dual { covariance: expectation(coefficients, a, b, c), derivative_covariance: expectation(&derivative, a, b, c) }
}

/// E[p(u) p(v)].
fn expectation(coefficients: &[f64; MAX_DEGREE + 1], a: f64, b: f64, c: f64) -> f64 {
    let present = || coefficients.iter().enumerate().filter(|(_, coefficient)| **coefficient != 0.0);
    present().flat_map(|(i, p)| present().map(move |(j, q)| p * q * moment(i, j, a, b, c))).sum()
}

/// E[u^i v^j].
fn moment(i: usize, j: usize, a: f64, b: f64, c: f64) -> f64 {
    if (i + j) % 2 == 1 {
        return 0.0;
    }
    (i % 2..=i.min(j))
        .step_by(2)
        .map(|k| {
            let (m, n) = ((i - k) / 2, (j - k) / 2);
            let pairings = factorial(i) * factorial(j) / (factorial(k) * factorial(m) * factorial(n));
            let half = |power: usize, variance: f64| (0.5 * variance).powi(power as i32);
            pairings * half(m, a) * half(n, c) * b.powi(k as i32)
        })
        .sum()
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_one_variable_are_the_known_ones() {
        // E[u^4] = 3 a^2, E[u^6] = 15 a^3, E[u^2 v^2] = a c + 2 b^2.
        let (a, b, c) = (1.3, 0.4, 0.7);
        assert!((moment(4, 0, a, b, c) - 3.0 * a * a).abs() < 1e-14);
        assert!((moment(3, 3, a, a, a) - 15.0 * a * a * a).abs() < 1e-13);
        assert!((moment(2, 2, a, b, c) - (a * c + 2.0 * b * b)).abs() < 1e-14);
        assert_eq!(moment(2, 1, a, b, c), 0.0);
    }
}
