//! Infinite-width kernels by the layer recursion (Lee et al. 2018; Jacot, Gabriel, Hongler 2018).
//!
//! With K the covariance of a pre-activation (NNGP) and Theta the tangent kernel, T = E[phi(u) phi(v)] and
//! T' = E[phi'(u) phi'(v)] over (u, v) ~ N(0, [[a, b], [b, c]]):
//!
//! ```text
//! input       K = <x, x'> / d                                   Theta = 0
//! dense       K <- W_std^2 K + b_std^2                           Theta <- K + W_std^2 Theta              (ntk)
//!                                                                Theta <- n K_in + [b_std > 0] + W_std^2 Theta   (standard)
//! activation  K <- T                                             Theta <- Theta T'
//! ```
//!
//! where `n K_in` is the squared norm of the map's n inputs. A pair's path through the layers needs the two variances a and c at
//! every activation, which depend on one input each: they are computed first, n numbers per activation, and every pair is then
//! carried through all layers at once, so that memory is the output alone.

mod dual;

use rayon::prelude::*;

use self::dual::dual;
use super::{Kernel, KernelKind, Kernels, ensure_input_dimension};
use crate::arch::{Activation, Architecture, Family, Layer, Parametrization};
use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};

/// The infinite-width kernels of an architecture, for one output (for O outputs: times the identity).
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyticKernel {
    architecture: Architecture,
    /// Of each activation, reduced once and not for every pair of inputs.
    families: Vec<Family>,
}

impl AnalyticKernel {
    /// The kernels that networks of this architecture approach as their hidden layers widen.
    #[must_use]
    pub fn new(architecture: Architecture) -> Self {
        let families = architecture.activations().map(Activation::family).collect();
        Self { architecture, families }
    }

    /// What the kernels were derived from.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// NNGP and NTK on all pairs within `x` `[n, d_in]`.
    ///
    /// # Errors
    /// Inputs of another dimension, or a kernel value that overflows.
    pub fn grams(&self, x: &Matrix) -> Result<Kernels<GramMatrix>> {
        let paths = self.paths(x)?;
        let n = x.n_rows();
        let rows: Vec<Vec<Pair>> = (0..n)
            .into_par_iter()
            .map(|i| (0..=i).map(|j| self.pair(dot(x.row(i), x.row(j)), &paths[i], &paths[j])).collect())
            .collect();
        let kernels = Kernels {
            nngp: GramMatrix::from_lower(n, |i, j| rows[i][j].nngp),
            ntk: GramMatrix::from_lower(n, |i, j| rows[i][j].ntk),
        };
        ensure_finite(kernels.ntk.as_matrix())?;
        Ok(kernels)
    }

    /// NNGP and NTK between `x1` `[n1, d_in]` and `x2` `[n2, d_in]`: two `[n1, n2]` matrices.
    ///
    /// # Errors
    /// As [`AnalyticKernel::grams`].
    pub fn cross_grams(&self, x1: &Matrix, x2: &Matrix) -> Result<Kernels<Matrix>> {
        let (paths1, paths2) = (self.paths(x1)?, self.paths(x2)?);
        let (n1, n2) = (x1.n_rows(), x2.n_rows());
        let pairs: Vec<Pair> = (0..n1)
            .into_par_iter()
            .flat_map_iter(|i| {
                let (paths1, paths2) = (&paths1, &paths2);
                (0..n2).map(move |j| self.pair(dot(x1.row(i), x2.row(j)), &paths1[i], &paths2[j]))
            })
            .collect();
        let kernels = Kernels {
            nngp: Matrix::from_fn(n1, n2, |i, j| pairs[i * n2 + j].nngp),
            ntk: Matrix::from_fn(n1, n2, |i, j| pairs[i * n2 + j].ntk),
        };
        ensure_finite(&kernels.ntk)?;
        Ok(kernels)
    }

    /// One of the two as a [`Kernel`], for code that takes any kernel.
    #[must_use]
    pub fn of_kind(&self, kind: KernelKind) -> OneKind<'_> {
        OneKind { kernel: self, kind }
    }

    /// For every input, the variance of its pre-activation at each activation.
    fn paths(&self, x: &Matrix) -> Result<Vec<Vec<f64>>> {
        ensure_input_dimension(x, self.architecture.d_in())?;
        Ok(x.rows().map(|row| self.variances(dot(row, row))).collect())
    }

    fn variances(&self, squared_norm: f64) -> Vec<f64> {
        let (w2, b2) = (self.architecture.w_std().powi(2), self.architecture.b_std().powi(2));
        let mut k = squared_norm / self.architecture.d_in() as f64;
        let mut variances = Vec::with_capacity(self.families.len());
        for layer in self.architecture.layers() {
            match layer {
                Layer::Dense(_) => k = w2 * k + b2,
                Layer::Activation(_) => {
                    let family = &self.families[variances.len()];
                    variances.push(k);
                    k = dual(family, k, k, k).covariance;
                }
            }
        }
        variances
    }

    fn pair(&self, inner_product: f64, variances1: &[f64], variances2: &[f64]) -> Pair {
        let architecture = &self.architecture;
        let (w2, b2) = (architecture.w_std().powi(2), architecture.b_std().powi(2));
        let bias_gradient = if architecture.b_std() > 0.0 { 1.0 } else { 0.0 };
        let mut n_in = architecture.d_in();
        let mut nngp = inner_product / n_in as f64;
        let mut ntk = 0.0;
        let mut n_activations = 0;
        for layer in architecture.layers() {
            match layer {
                Layer::Dense(n_out) => {
                    let input = nngp;
                    nngp = w2 * input + b2;
                    ntk = w2 * ntk
                        + match architecture.parametrization() {
                            Parametrization::Ntk => nngp,
                            Parametrization::Standard => n_in as f64 * input + bias_gradient,
                        };
                    n_in = *n_out;
                }
                Layer::Activation(_) => {
                    let (a, c) = (variances1[n_activations], variances2[n_activations]);
                    let dual = dual(&self.families[n_activations], a, nngp, c);
                    nngp = dual.covariance;
                    ntk *= dual.derivative_covariance;
                    n_activations += 1;
                }
            }
        }
        Pair { nngp, ntk }
    }
}

/// The NNGP or the NTK of an [`AnalyticKernel`], as a [`Kernel`].
#[derive(Debug, Clone, Copy)]
pub struct OneKind<'a> {
    kernel: &'a AnalyticKernel,
    kind: KernelKind,
}

impl Kernel for OneKind<'_> {
    fn name(&self) -> String {
        match self.kind {
            KernelKind::Nngp => "nngp".to_owned(),
            KernelKind::Ntk => "ntk".to_owned(),
        }
    }

    fn gram(&self, x: &Matrix) -> Result<GramMatrix> {
        let kernels = self.kernel.grams(x)?;
        Ok(match self.kind {
            KernelKind::Nngp => kernels.nngp,
            KernelKind::Ntk => kernels.ntk,
        })
    }

    fn cross_gram(&self, x1: &Matrix, x2: &Matrix) -> Result<Matrix> {
        let kernels = self.kernel.cross_grams(x1, x2)?;
        Ok(match self.kind {
            KernelKind::Nngp => kernels.nngp,
            KernelKind::Ntk => kernels.ntk,
        })
    }
}

struct Pair {
    nngp: f64,
    ntk: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(u, v)| u * v).sum()
}

fn ensure_finite(kernel: &Matrix) -> Result<()> {
    match kernel.first_non_finite() {
        None => Ok(()),
        Some((row, column, value)) => Err(Error::NotFinite {
            what: "the analytic kernel".to_owned(),
            value,
            place: format!("row {row}, column {column}"),
            remedy: "scale the inputs down, or lower `arch.w_std` or `arch.depth`".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Mlp;

    fn relu(depth: usize, w_std: f64, b_std: f64, d_in: usize) -> AnalyticKernel {
        let mlp =
            Mlp { depth, width: 1, activation: Activation::Relu, w_std, b_std, parametrization: Parametrization::Ntk };
        AnalyticKernel::new(mlp.architecture(d_in, 1).expect("valid"))
    }

    /// Two inputs with <x,x>/d = 1 and correlation `rho`.
    fn pair(rho: f64) -> (Matrix, Matrix) {
        let scale = 2.0_f64.sqrt();
        let x = Matrix::from_fn(1, 2, |_, j| if j == 0 { scale } else { 0.0 });
        let y = Matrix::from_fn(1, 2, |_, j| scale * if j == 0 { rho } else { (1.0 - rho * rho).sqrt() });
        (x, y)
    }

    #[test]
    fn a_linear_model_has_the_linear_kernel() {
        let kernel = relu(0, 1.5, 0.2, 3);
        let x = Matrix::from_fn(4, 3, |i, j| (i as f64 - 1.0) * (j as f64 + 0.5));
        let kernels = kernel.grams(&x).expect("finite");
        assert_eq!(kernels.nngp, kernels.ntk);
        let expected = 1.5 * 1.5 * dot(x.row(1), x.row(3)) / 3.0 + 0.04;
        assert!((kernels.nngp[(1, 3)] - expected).abs() < 1e-15);
    }

    #[test]
    fn the_relu_ntk_of_unit_inputs_is_depth_plus_one_on_the_diagonal() {
        // W_std = sqrt 2, b_std = 0: K = 2 at every layer is kept, T' = 1/2 on the diagonal, so Theta^{L+1} = 2 (L + 1).
        for depth in [1, 2, 5, 10] {
            let (x, _) = pair(1.0);
            let ntk = relu(depth, 2.0_f64.sqrt(), 0.0, 2).grams(&x).expect("finite").ntk;
            assert!((ntk[(0, 0)] - 2.0 * (depth as f64 + 1.0)).abs() < 1e-12, "depth {depth}: {}", ntk[(0, 0)]);
        }
    }

    #[test]
    fn opposite_inputs_at_depth_l_equal_orthogonal_inputs_at_depth_l_minus_one() {
        for depth in 2..6 {
            let at = |depth, rho| {
                let (x, y) = pair(rho);
                relu(depth, 2.0_f64.sqrt(), 0.0, 2).cross_grams(&x, &y).expect("finite")
            };
            let (deep, shallow) = (at(depth, -1.0), at(depth - 1, 0.0));
            assert!((deep.nngp[(0, 0)] - shallow.nngp[(0, 0)]).abs() < 1e-12);
            assert!((deep.ntk[(0, 0)] - shallow.ntk[(0, 0)]).abs() < 1e-12);
        }
    }

    #[test]
    fn the_off_diagonal_ntk_over_depth_approaches_a_quarter_at_the_known_pace() {
        // Values to four digits for K = 1 per layer (W_std^2 K = 2 here, hence the factor 2): 0.3163, 0.2725, 0.2533.
        for (depth, expected) in [(10, 0.3163), (100, 0.2725), (1000, 0.2533)] {
            let (x, y) = pair(0.0);
            let ntk = relu(depth, 2.0_f64.sqrt(), 0.0, 2).cross_grams(&x, &y).expect("finite").ntk[(0, 0)];
            let ratio = ntk / (2.0 * (depth as f64 + 1.0));
            assert!((ratio - expected).abs() < 5e-5, "depth {depth}: {ratio}");
        }
    }

    #[test]
    fn inputs_of_another_dimension_are_refused_with_both_numbers() {
        let message = relu(1, 1.0, 0.0, 2).grams(&Matrix::zeros(1, 3)).expect_err("3 columns").to_string();
        assert!(message.contains('2') && message.contains('3'), "{message}");
    }

    #[test]
    fn overflow_is_an_error_not_a_nan() {
        let x = Matrix::from_fn(1, 2, |_, _| 1e200);
        assert!(matches!(relu(1, 1.0, 0.0, 2).grams(&x), Err(Error::NotFinite { .. })));
    }
}
