//! How the kernels of an architecture change with W_std and b_std: what the marginal likelihood is climbed by.
//!
//! In s = log W_std, and likewise in log b_std, by the central difference of sixth order
//!
//! dK/ds = [45 (K_1 - K_-1) - 9 (K_2 - K_-2) + (K_3 - K_-3)] / (60 h) + O(h^6),   K_k = K(s + k h),
//!
//! and dK/dW_std = (dK/ds) / W_std. The kernels are analytic in both: with m affine maps they grow like powers of W_std and b_std up to
//! 2 m, of which h = 0.01 / m leaves a relative error of 0.02^6 / 140 = 5e-13; the rounding of the kernels, a few 1e-16, comes out 1.5 / h
//! times as large. So W_std dK/dW_std and b_std dK/db_std are right to some 1e-12 of the kernel's entries (m below 10; it grows with m).
//!
//! The kernels depend on b_std through its square, so their derivative at b_std = 0 is 0, not a difference. Of a kinked activation
//! and two exactly opposite inputs the slope to the right of 0 is another one: there the angle goes as b_std itself.

use super::{AnalyticKernel, ensure_fits};
use crate::error::Result;
use crate::kernel::Kernels;
use crate::linalg::{GramMatrix, Matrix};

/// The derivatives of both kernels on one set of inputs, `[n, n]` each.
#[derive(Debug, Clone, PartialEq)]
pub struct GramDerivatives {
    /// dK / dW_std and dTheta / dW_std.
    pub w_std: Kernels<GramMatrix>,
    /// dK / db_std and dTheta / db_std; zeros for a network without biases.
    pub b_std: Kernels<GramMatrix>,
}

/// The weights of K_k - K_-k, k = 1, 2, 3, over 60.
const WEIGHTS: [f64; 3] = [45.0, -9.0, 1.0];

impl AnalyticKernel {
    /// The derivatives of [`AnalyticKernel::grams`] in W_std and b_std, at the cost of six such pairs for each.
    ///
    /// # Errors
    /// As [`AnalyticKernel::grams`].
    pub fn gram_derivatives(&self, x: &Matrix) -> Result<GramDerivatives> {
        ensure_fits(x.n_rows(), x.n_rows(), 6)?;
        let (w_std, b_std) = (self.architecture.w_std(), self.architecture.b_std());
        Ok(GramDerivatives {
            w_std: self.difference(x, w_std, |factor| (factor * w_std, b_std))?,
            b_std: if b_std > 0.0 {
                self.difference(x, b_std, |factor| (w_std, factor * b_std))?
            } else {
                Kernels { nngp: GramMatrix::zeros(x.n_rows()), ntk: GramMatrix::zeros(x.n_rows()) }
            },
        })
    }

    /// The derivative in a deviation, whose multiples `deviations` puts among both.
    fn difference(
        &self,
        x: &Matrix,
        deviation: f64,
        deviations: impl Fn(f64) -> (f64, f64),
    ) -> Result<Kernels<GramMatrix>> {
        let h = 0.01 / self.architecture.maps().len() as f64;
        let n = x.n_rows();
        let mut sum = Kernels { nngp: Matrix::zeros(n, n), ntk: Matrix::zeros(n, n) };
        for (k, weight) in (1..).zip(WEIGHTS) {
            for sign in [1.0, -1.0] {
                let (w_std, b_std) = deviations((sign * f64::from(k) * h).exp());
                let moved = Self::new(self.architecture.clone().with_deviations(w_std, b_std)?).grams(x)?;
                let factor = sign * weight / (60.0 * h * deviation);
                add(&mut sum.nngp, factor, &moved.nngp);
                add(&mut sum.ntk, factor, &moved.ntk);
            }
        }
        Ok(Kernels { nngp: GramMatrix::from_mirrored(sum.nngp)?, ntk: GramMatrix::from_mirrored(sum.ntk)? })
    }
}

fn add(sum: &mut Matrix, factor: f64, term: &GramMatrix) {
    for (sum, term) in sum.values_mut().iter_mut().zip(term.as_matrix().values()) {
        *sum += factor * term;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{Activation, Mlp, Parametrization};

    const N: usize = 9;

    fn inputs() -> Matrix {
        Matrix::from_fn(N, 3, |i, j| ((i * 3 + j) as f64 * 1.7).sin())
    }

    fn kernel(activation: Activation, depth: usize, w_std: f64, b_std: f64) -> AnalyticKernel {
        let parametrization = Parametrization::Ntk;
        let mlp = Mlp { depth, width: 1, activation, w_std, b_std, parametrization };
        AnalyticKernel::new(mlp.architecture(3, 1).unwrap())
    }

    /// The largest difference, over the largest entry of `scale`.
    fn gap(a: &GramMatrix, b: &GramMatrix, scale: &GramMatrix) -> f64 {
        let largest = |m: &Matrix| m.values().iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        largest(&(a.as_matrix() - b.as_matrix())) / largest(scale.as_matrix())
    }

    #[test]
    fn a_linear_model_has_the_derivatives_of_its_formula() {
        // K = W^2 k + b^2.
        let (w_std, b_std) = (1.5, 0.2);
        let model = kernel(Activation::Relu, 0, w_std, b_std);
        let (derivatives, grams) = (model.gram_derivatives(&inputs()).unwrap(), model.grams(&inputs()).unwrap());
        let in_w = GramMatrix::from_lower(N, |i, j| 2.0 * (grams.nngp[(i, j)] - b_std * b_std) / w_std);
        let in_b = GramMatrix::from_lower(N, |_, _| 2.0 * b_std);
        for found in [derivatives.w_std.nngp, derivatives.w_std.ntk] {
            assert!(gap(&found, &in_w, &in_w) < 2e-12);
        }
        for found in [derivatives.b_std.nngp, derivatives.b_std.ntk] {
            assert!(gap(&found, &in_b, &grams.nngp) < 1e-11);
        }
    }

    #[test]
    fn kernels_of_relu_networks_without_biases_are_powers_of_the_weight_deviation() {
        // Both kernels go as W^{2 (L + 1)}.
        for (depth, w_std) in [(1, 1.4), (3, 0.9), (8, 1.2)] {
            let model = kernel(Activation::Relu, depth, w_std, 0.0);
            let (derivatives, grams) = (model.gram_derivatives(&inputs()).unwrap(), model.grams(&inputs()).unwrap());
            let power = 2.0 * (depth as f64 + 1.0) / w_std;
            for (found, gram) in [(derivatives.w_std.nngp, grams.nngp), (derivatives.w_std.ntk, grams.ntk)] {
                let expected = gram.scaled(power);
                assert!(gap(&found, &expected, &expected) < 5e-12, "depth {depth}");
            }
            assert_eq!(derivatives.b_std.ntk, GramMatrix::zeros(N));
        }
    }

    #[test]
    fn relu_kernels_are_homogeneous_in_inputs_and_biases_together() {
        // K(c x, c x'; c b) = c^2 K(x, x'; b), so that b dK/db = 2 K - dK/dlog c, with c on the inputs alone.
        let (b_std, h) = (0.3, 0.003_f64);
        let model = kernel(Activation::Relu, 3, 1.3, b_std);
        let at = |log: f64| model.grams(&inputs().map(|v| v * log.exp())).unwrap().ntk.into_matrix();
        let difference = |k: f64| &at(k * h) - &at(-k * h);
        let [one, two, three] = [1.0, 2.0, 3.0].map(difference);
        let whole = model.grams(&inputs()).unwrap().ntk;
        let expected = GramMatrix::from_lower(N, |i, j| {
            let slope = (45.0 * one[(i, j)] - 9.0 * two[(i, j)] + three[(i, j)]) / (60.0 * h);
            (2.0 * whole[(i, j)] - slope) / b_std
        });
        let found = model.gram_derivatives(&inputs()).unwrap().b_std.ntk;
        assert!(gap(&found, &expected, &whole) < 2e-11);
    }
}
