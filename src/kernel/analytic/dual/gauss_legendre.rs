//! Gauss-Legendre quadrature on [-1, 1]: the zeros of the Legendre polynomial P_n by Newton's method from x_i ~ cos(pi (i - 1/4) / (n + 1/2)).
//!
//! The weights are 2 / ((1 - x^2) P_n'(x)^2).

use std::f64::consts::PI;

/// A node above 0; its mirror image has the same weight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) x: f64,
    pub(super) weight: f64,
}

/// The `half` nodes above 0 of the rule with 2 `half` nodes, largest first.
pub(super) fn positive_nodes(half: usize) -> Vec<Node> {
    let n = 2 * half;
    (0..half)
        .map(|i| {
            let mut x = (PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            // Quadratic from an error of O(n^-2): four steps reach rounding, the fifth is for safety.
            for _ in 0..5 {
                let (value, slope) = legendre(n, x);
                x -= value / slope;
            }
            let (_, slope) = legendre(n, x);
            Node { x, weight: 2.0 / ((1.0 - x * x) * slope * slope) }
        })
        .collect()
}

/// P_n(x) and P_n'(x) by the recurrence (k + 1) P_{k+1} = (2k + 1) x P_k - k P_{k-1}.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for k in 1..n {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0));
    }
    (value, n as f64 * (before - x * value) / (1.0 - x * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_below_degree_2n_are_integrated_exactly() {
        for half in [1, 4, 16, 40] {
            for power in (0..4 * half as i32).step_by(2) {
                let sum: f64 = positive_nodes(half).iter().map(|node| 2.0 * node.weight * node.x.powi(power)).sum();
                let exact = 2.0 / (f64::from(power) + 1.0);
                assert!((sum - exact).abs() < 4e-15, "{half} nodes, x^{power}: {sum} against {exact}");
            }
        }
    }
}
