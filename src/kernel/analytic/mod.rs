//! Infinite-width kernels by the layer recursion (Lee et al. 2018; Jacot, Gabriel, Hongler 2018; Arora et al. 2019 for convolutions).
//!
//! With K the covariance of a pre-activation (NNGP) and Theta the tangent kernel, T = E[phi(u) phi(v)] and
//! T' = E[phi'(u) phi'(v)] over (u, v) ~ N(0, [[a, b], [b, c]]), on every pair of positions of two inputs:
//!
//! ```text
//! input       K = <x, x'> / channels                             Theta = 0
//! map         K <- W_std^2 mean K + b_std^2                      Theta <- K + W_std^2 mean Theta              (ntk)
//!                                                                Theta <- n mean K_in + [b_std > 0] + W_std^2 mean Theta   (standard)
//! activation  K <- T                                             Theta <- Theta T'
//! pool        K <- mean of K over both windows                   Theta <- mean of Theta
//! layer norm  K <- K / sqrt((a + eps)(c + eps))                  Theta <- Theta / sqrt((a + eps)(c + eps))
//! sum         K <- sum of K_k                                    Theta <- sum of Theta_k
//! product     K <- product of K_k                                Theta <- sum of Theta_k times the other K_j
//! ```
//!
//! where a map's mean runs over the positions under its window, the same in both inputs, and n counts one unit's inputs.
//!
//! What is carried is not K and Theta but the correlation, as 1 - rho and 1 + rho, and Theta over the root of both variances; the variances
//! depend on one input each and are worked out beforehand. So neither near-duplicates nor depth cost digits, overflow is found, with
//! its layer, before a pair is touched, and kernels of ReLU networks need no number of either input on the way.
//!
//! # What it costs
//! The bound for a Gram matrix of N inputs in d dimensions is the inner products, the arithmetic of every layer at the rate of the
//! processor, and one pass over the memory of the results. On an AMD EPYC (Zen 4, 3.6 GHz, 8 numbers per instruction) for N = 5000, d = 10,
//! depth 3, ReLU with biases, f64, both kernels, in CPU seconds:
//!
//! ```text
//! inner products       12.5e6 pairs, 10 multiply-adds each, at 0.28 ns for eight               0.004
//! activations, 3       28 multiply-adds, a root and a quotient: 14.3 ns for eight, in cache    0.067
//! affine maps, 4       15 multiply-adds                                                        0.026
//! writing the results  400 MB, cleared by the system and written once                          0.048
//! bound                                                                                        0.145
//! measured, nothing beside it                                                                  0.16
//! ```
//!
//! A tenth above the bound; of the terms, writing and the loop of activations were timed alone, the other two are counted. Ten layers take 0.30, and
//! f32 at depth 3 0.089. In the same run neural-tangents took 1.83, 8.93 and 1.49 (`benches/runs/2026-11-27-peers.json`, medians of five
//! rounds): 11, 30 and 17 times as much. Beside other work both take up to twice as long, and the ratio was 8, 28 and 11
//! (`benches/runs/2026-11-24-peers-3.json`): the difference is memory, because half of each matrix is a mirror image, written a few hundred bytes
//! at a time long after the system cleared its pages. Memory is that of the results and 20 MB.
//!
//! Results in f32 are computed as f64 and rounded once, so that near-duplicates keep their digits; of a ReLU the angle is then found to 7
//! digits, by shorter polynomials and a root of single precision.
//!
//! A convolution that is averaged over its P positions follows P^2 pairs of positions for every pair of inputs, each with three numbers
//! that pass through the second cache at every layer: 8 ns per pair of positions, layer of nine taps and activation.
//!
//! # Where things are
//! - `recursion`: the architecture made ready; `path`, `follow` and `columns`: what depends on one input; `block`, `pairing`, `loops` and
//!   `window`: what depends on pairs
//! - `dual`: the expectations T and T', a file for each family of activations
//! - `derivative`: how the matrices change with W_std and b_std
//! - [`Evaluation`]: any part of the matrices, in tiles that stay in cache

mod block;
mod columns;
mod derivative;
mod dual;
mod evaluation;
mod follow;
mod inputs;
mod loops;
mod pairing;
mod path;
mod recursion;
mod window;

pub use self::derivative::GramDerivatives;
pub use self::evaluation::Evaluation;
use self::recursion::Recursion;
use super::{Kernel, KernelKind, Kernels, ensure_input_dimension};
use crate::arch::Architecture;
use crate::error::Result;
use crate::linalg::{self, GramMatrix, Matrix};

/// The infinite-width kernels of an architecture, for one output (for O outputs: times the identity).
#[derive(Debug, Clone)]
pub struct AnalyticKernel {
    architecture: Architecture,
    recursion: Recursion,
}

impl AnalyticKernel {
    /// The kernels that networks of this architecture approach as their hidden layers widen.
    #[must_use]
    pub fn new(architecture: Architecture) -> Self {
        let recursion = Recursion::of(&architecture);
        Self { architecture, recursion }
    }

    /// What the kernels were derived from.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The kernels between `x1` `[n1, d_in]` and `x2` `[n2, d_in]`, or of `x1` with itself, ready to be computed whole or in parts.
    ///
    /// # Errors
    /// Inputs of another dimension; a kernel value that overflows, with the layer at which it does; an activation that turns out not to be
    /// smooth.
    pub fn evaluate(&self, x1: &Matrix, x2: Option<&Matrix>) -> Result<Evaluation<'_>> {
        for x in std::iter::once(x1).chain(x2) {
            ensure_input_dimension(x, self.architecture.d_in())?;
        }
        let scales = (self.architecture.input_scale(), self.architecture.output_scale());
        Evaluation::new(&self.recursion, scales, x1, x2)
    }

    /// NNGP and NTK on all pairs within `x` `[n, d_in]`.
    ///
    /// # Errors
    /// As [`AnalyticKernel::evaluate`], and when the matrices do not fit into memory.
    pub fn grams(&self, x: &Matrix) -> Result<Kernels<GramMatrix>> {
        ensure_fits(x.n_rows(), x.n_rows(), 2)?;
        let evaluation = self.evaluate(x, None)?;
        let n = x.n_rows();
        let mut kernels = Kernels { nngp: Matrix::zeros(n, n), ntk: Matrix::zeros(n, n) };
        let Kernels { nngp, ntk } = &mut kernels;
        evaluation.fill(Kernels { nngp: Some(nngp.values_mut()), ntk: Some(ntk.values_mut()) }, &|_| {})?;
        Ok(Kernels { nngp: GramMatrix::from_mirrored(kernels.nngp)?, ntk: GramMatrix::from_mirrored(kernels.ntk)? })
    }

    /// NNGP and NTK between `x1` `[n1, d_in]` and `x2` `[n2, d_in]`: two `[n1, n2]` matrices.
    ///
    /// # Errors
    /// As [`AnalyticKernel::evaluate`].
    pub fn cross_grams(&self, x1: &Matrix, x2: &Matrix) -> Result<Kernels<Matrix>> {
        ensure_fits(x1.n_rows(), x2.n_rows(), 2)?;
        let evaluation = self.evaluate(x1, Some(x2))?;
        Ok(evaluation.tile(0..x1.n_rows(), 0..x2.n_rows()))
    }

    /// NNGP and NTK of every input of `x` `[n, d_in]` with itself: `[n]` each.
    ///
    /// # Errors
    /// As [`AnalyticKernel::evaluate`].
    pub fn diagonals(&self, x: &Matrix) -> Result<Kernels<Vec<f64>>> {
        Ok(self.evaluate(x, None)?.diagonal())
    }

    /// One of the two as a [`Kernel`], for code that takes any kernel.
    #[must_use]
    pub fn of_kind(&self, kind: KernelKind) -> OneKind<'_> {
        OneKind { kernel: self, kind }
    }
}

/// The NNGP or the NTK of an [`AnalyticKernel`], as a [`Kernel`].
#[derive(Debug, Clone, Copy)]
pub struct OneKind<'a> {
    kernel: &'a AnalyticKernel,
    kind: KernelKind,
}

impl OneKind<'_> {
    /// Computes the one kernel alone; the other needs no memory.
    fn matrix(&self, x1: &Matrix, x2: Option<&Matrix>) -> Result<Matrix> {
        ensure_fits(x1.n_rows(), x2.unwrap_or(x1).n_rows(), 1)?;
        let evaluation = self.kernel.evaluate(x1, x2)?;
        let (n_rows, n_columns) = evaluation.shape();
        let mut matrix = Matrix::zeros(n_rows, n_columns);
        let values = Some(matrix.values_mut());
        let wanted = match self.kind {
            KernelKind::Nngp => Kernels { nngp: values, ntk: None },
            KernelKind::Ntk => Kernels { nngp: None, ntk: values },
        };
        evaluation.fill(wanted, &|_| {})?;
        Ok(matrix)
    }
}

impl Kernel for OneKind<'_> {
    fn name(&self) -> String {
        match self.kind {
            KernelKind::Nngp => "nngp".to_owned(),
            KernelKind::Ntk => "ntk".to_owned(),
        }
    }

    fn gram(&self, x: &Matrix) -> Result<GramMatrix> {
        GramMatrix::from_mirrored(self.matrix(x, None)?)
    }

    fn cross_gram(&self, x1: &Matrix, x2: &Matrix) -> Result<Matrix> {
        self.matrix(x1, Some(x2))
    }
}

fn ensure_fits(n_rows: usize, n_columns: usize, n_matrices: usize) -> Result<()> {
    linalg::ensure_fits(
        8.0 * n_matrices as f64 * n_rows as f64 * n_columns as f64,
        || format!("a kernel of {n_rows} x {n_columns} entries"),
        "write it to disk with `ntk kernel`, or take it in tiles with `AnalyticKernel::evaluate`",
    )
}

#[cfg(test)]
mod tests {
    use std::f64::consts::SQRT_2;

    use super::*;
    use crate::arch::{Activation, Convention, Layer, Mlp, OwnFunction, Parametrization};
    use crate::error::Error;
    use crate::seed;

    fn kernel(activation: Activation, depth: usize, w_std: f64, b_std: f64, d_in: usize) -> AnalyticKernel {
        let parametrization = Parametrization::Ntk;
        let mlp = Mlp { depth, width: 1, activation, w_std, b_std, parametrization };
        AnalyticKernel::new(mlp.architecture(d_in, 1).expect("valid"))
    }

    fn relu(depth: usize, w_std: f64, b_std: f64, d_in: usize) -> AnalyticKernel {
        kernel(Activation::Relu, depth, w_std, b_std, d_in)
    }

    /// Two inputs with <x,x>/d = 1 and correlation `rho`.
    fn pair(rho: f64) -> (Matrix, Matrix) {
        let x = Matrix::from_fn(1, 2, |_, j| if j == 0 { SQRT_2 } else { 0.0 });
        let y = Matrix::from_fn(1, 2, |_, j| SQRT_2 * if j == 0 { rho } else { (1.0 - rho * rho).sqrt() });
        (x, y)
    }

    fn normal(n: usize, d: usize) -> Matrix {
        let values = seed::standard_normals(&mut seed::stream(5, "analytic kernel"), n * d);
        Matrix::from_vec(n, d, values).expect("as many as drawn")
    }

    #[test]
    fn a_linear_model_has_the_linear_kernel() {
        let x = Matrix::from_fn(4, 3, |i, j| (i as f64 - 1.0) * (j as f64 + 0.5));
        let kernels = relu(0, 1.5, 0.2, 3).grams(&x).expect("finite");
        for i in 0..4 {
            for j in 0..4 {
                let product: f64 = x.row(i).iter().zip(x.row(j)).map(|(u, v)| u * v).sum();
                let expected = 1.5 * 1.5 * product / 3.0 + 0.04;
                assert!((kernels.nngp[(i, j)] - expected).abs() < 1e-14);
                assert!((kernels.ntk[(i, j)] - expected).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn the_relu_ntk_of_unit_inputs_is_depth_plus_one_on_the_diagonal() {
        // W_std = sqrt 2, b_std = 0: K = 2 at every layer is kept, T' = 1/2 on the diagonal, so Theta^{L+1} = 2 (L + 1).
        for depth in [1, 2, 5, 10] {
            let (x, _) = pair(1.0);
            let ntk = relu(depth, SQRT_2, 0.0, 2).grams(&x).expect("finite").ntk;
            assert!((ntk[(0, 0)] - 2.0 * (depth as f64 + 1.0)).abs() < 1e-12, "depth {depth}: {}", ntk[(0, 0)]);
        }
    }

    #[test]
    fn opposite_inputs_at_depth_l_equal_orthogonal_inputs_at_depth_l_minus_one() {
        for depth in 2..6 {
            let at = |depth, rho| {
                let (x, y) = pair(rho);
                relu(depth, SQRT_2, 0.0, 2).cross_grams(&x, &y).expect("finite")
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
            let ntk = relu(depth, SQRT_2, 0.0, 2).cross_grams(&x, &y).expect("finite").ntk[(0, 0)];
            let ratio = ntk / (2.0 * (depth as f64 + 1.0));
            assert!((ratio - expected).abs() < 5e-5, "depth {depth}: {ratio}");
        }
    }

    #[test]
    fn whole_matrices_tiles_rows_diagonals_and_single_kernels_are_the_same_numbers() {
        // More rows than a tile has, and no multiple of it.
        let (x, y) = (normal(301, 3), normal(70, 3));
        let kernel = kernel(Activation::Gelu, 2, 1.4, 0.2, 3);
        let grams = kernel.grams(&x).expect("finite");
        let evaluation = kernel.evaluate(&x, None).expect("finite");
        let gap = |a: &Matrix, b: &Matrix| (a - b).values().iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        assert_eq!(gap(&evaluation.tile(0..301, 0..301).ntk, grams.ntk.as_matrix()), 0.0);
        assert_eq!(
            gap(kernel.of_kind(KernelKind::Nngp).gram(&x).expect("finite").as_matrix(), grams.nngp.as_matrix()),
            0.0
        );
        let mut rows = Vec::new();
        for (range, block) in evaluation.row_blocks(50) {
            assert_eq!(range.len(), block.ntk.n_rows());
            rows.extend_from_slice(block.nngp.values());
        }
        assert_eq!(gap(&Matrix::from_vec(301, 301, rows).expect("all rows"), grams.nngp.as_matrix()), 0.0);
        let diagonals = kernel.diagonals(&x).expect("finite");
        for i in 0..301 {
            assert!((diagonals.ntk[i] / grams.ntk[(i, i)] - 1.0).abs() < 1e-14);
        }
        let cross = kernel.cross_grams(&x, &y).expect("finite");
        let both = Matrix::from_fn(371, 3, |i, j| if i < 301 { x[(i, j)] } else { y[(i - 301, j)] });
        let joint = kernel.grams(&both).expect("finite").ntk;
        assert!((cross.ntk[(300, 69)] / joint[(300, 370)] - 1.0).abs() < 1e-13);
        assert_eq!(cross.ntk.shape(), (301, 70));
    }

    /// The entries of both kernels in f32 and in f64.
    fn in_both_precisions(kernel: &AnalyticKernel, x: &Matrix) -> Vec<(f64, f64)> {
        let n = x.n_rows() * x.n_rows();
        let (mut nngp, mut ntk) = (vec![0.0_f32; n], vec![0.0_f32; n]);
        let wanted = Kernels { nngp: Some(&mut nngp[..]), ntk: Some(&mut ntk[..]) };
        kernel.evaluate(x, None).expect("finite").fill(wanted, &|_| {}).expect("as many numbers");
        let exact = kernel.grams(x).expect("finite");
        let pairs = |single: Vec<f32>, double: &GramMatrix| {
            single.into_iter().map(f64::from).zip(double.as_matrix().values().to_vec()).collect::<Vec<_>>()
        };
        [pairs(nngp, &exact.nngp), pairs(ntk, &exact.ntk)].concat()
    }

    #[test]
    fn single_precision_keeps_its_digits_at_every_depth() {
        // Entries far from 0 on the scale of the diagonal, near-duplicates among them; close to 0 the digits of a difference count.
        let mut x = normal(40, 3);
        let near: Vec<f64> = x.row(0).iter().map(|v| 1.000_000_1 * v + 1e-9).collect();
        x.values_mut()[3..6].copy_from_slice(&near);
        for depth in [1, 3, 10, 100, 1000] {
            let pairs = in_both_precisions(&relu(depth, SQRT_2, 0.0, 3), &x);
            let largest = pairs.iter().fold(0.0_f64, |most, (_, double)| most.max(double.abs()));
            for (single, double) in pairs {
                let scale = double.abs().max(1e-3 * largest);
                assert!((single - double).abs() < 1e-5 * scale, "depth {depth}: {single} against {double}");
            }
        }
        // Where an activation has no shorter form, f32 is f64 rounded once.
        for (single, double) in in_both_precisions(&kernel(Activation::Gelu, 3, 1.5, 0.1, 3), &x) {
            assert_eq!(single, f64::from(double as f32));
        }
    }

    /// Of any finite input: duplicates, opposites, zeros, one dimension, lengths from 1e-6 to 1e6.
    #[test]
    fn adversarial_inputs_give_positive_semidefinite_kernels_without_nan() {
        let lengths = [1e-6, 1.0, 1.0, 1.0 + 1e-9, -1.0, 0.0, 1e6, 2.0, 0.0];
        let line = Matrix::from_fn(lengths.len(), 1, |i, _| lengths[i]);
        let plane = Matrix::from_fn(12, 2, |i, j| [1e-3, 1.0, -1.0, 1e3][i % 4] * ((i / 4 + 2 * j) as f64).sin());
        for activation in Activation::examples() {
            // What grows faster than a line overflows, and what bends at 1 is not resolved, at 1e6.
            let family = activation.family();
            let is_bounded = matches!(
                family,
                crate::arch::Family::TwoSlope { .. }
                    | crate::arch::Family::TwoLevel { .. }
                    | crate::arch::Family::Erf { .. }
                    | crate::arch::Family::Gelu
                    | crate::arch::Family::Sine { .. }
                    | crate::arch::Family::Gaussian
                    | crate::arch::Family::Gabor
            );
            let x = if is_bounded { [&line, &plane] } else { [&plane, &plane] };
            for x in x {
                let scale = if is_bounded { 1.0 } else { 1e-3 };
                let x = x.map(|v| v * scale);
                for b_std in [0.0, 0.3] {
                    let kernels = kernel(activation.clone(), 2, 1.2, b_std, x.n_cols()).grams(&x).expect("finite");
                    for gram in [&kernels.nngp, &kernels.ntk] {
                        assert!(gram.as_matrix().first_non_finite().is_none(), "{activation}");
                        let spectrum = crate::linalg::Spectrum::of(gram).expect("finite");
                        let (least, most) = match spectrum.eigenvalues() {
                            [most, .., least] => (*least, *most),
                            _ => continue,
                        };
                        assert!(least >= -1e-13 * most, "{activation}, b_std {b_std}: {least:e} beside {most:e}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_own_smooth_function_has_a_kernel_and_a_kinked_one_is_refused() {
        let x = normal(5, 3);
        let own = |name: &str, phi: fn(f64) -> f64| Activation::Own(OwnFunction::new(name, phi));
        let erf = kernel(Activation::Erf, 2, 1.3, 0.1, 3).grams(&x).expect("finite").ntk;
        let same = kernel(own("my erf", libm::erf), 2, 1.3, 0.1, 3);
        let error = same.evaluate(&x, None).expect("smooth").quadrature_error();
        assert!(error.nngp < 1e-13 && error.ntk < 1e-12, "{error:?}");
        let same = same.grams(&x).expect("smooth").ntk;
        assert!((same.as_matrix() - erf.as_matrix()).frobenius() < 1e-12 * erf.as_matrix().frobenius());
        let message =
            kernel(own("hinge", |z| (z - 0.5).max(0.0)), 1, 1.0, 0.0, 3).grams(&x).expect_err("a kink").to_string();
        assert!(message.contains("hinge") && message.contains("kink"), "{message}");
    }

    #[test]
    fn other_conventions_have_the_values_their_authors_state() {
        let relu = |depth: usize, b_std: f64, convention: Convention| {
            let (w_std, activation) = (convention.w_std().unwrap_or(1.0), Activation::Relu);
            let mlp = Mlp { depth, width: 1, activation, w_std, b_std, parametrization: Parametrization::Ntk };
            AnalyticKernel::new(convention.apply(mlp.architecture(3, 1).expect("valid")).expect("fits"))
        };
        // On the unit sphere Arora's NTK is L + 1 on the diagonal, and scikit-ntk's is 1, at any depth and bias.
        let x = Matrix::from_fn(2, 3, |i, j| [[0.6, 0.0, 0.8], [0.0, -1.0, 0.0]][i][j]);
        for depth in [1, 3, 10] {
            let arora = relu(depth, 0.0, Convention::Arora).grams(&x).expect("finite");
            assert!((arora.ntk[(0, 0)] - (depth as f64 + 1.0)).abs() < 1e-12);
            assert!((arora.nngp[(1, 1)] - 1.0).abs() < 1e-13);
            for beta in [0.0, 0.7] {
                let scikit = relu(depth, beta, Convention::ScikitNtk).grams(&x).expect("finite");
                assert!((scikit.ntk[(1, 1)] - 1.0).abs() < 1e-13, "{}", scikit.ntk[(1, 1)]);
            }
        }
        // Biases enter scikit-ntk's tangent kernel at every layer: one hidden layer, orthogonal inputs, beta = 1.
        let ntk = relu(1, 1.0, Convention::ScikitNtk).grams(&x).expect("finite").ntk[(0, 1)];
        let expected = (1.0 / std::f64::consts::PI + 1.0 + (0.0 + 1.0) * 0.5) / 4.0;
        assert!((ntk - expected).abs() < 1e-14, "{ntk} against {expected}");
        // Jacot's depth counts the output layer.
        assert_eq!(Convention::Jacot.n_hidden(3).expect("positive"), 2);
        assert!(Convention::Jacot.n_hidden(0).is_err());
    }

    #[test]
    fn inputs_of_another_dimension_are_refused_with_both_numbers() {
        let message = relu(1, 1.0, 0.0, 2).grams(&Matrix::zeros(1, 3)).expect_err("3 columns").to_string();
        assert!(message.contains('2') && message.contains('3'), "{message}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_kernel_larger_than_memory_is_refused_with_both_sizes() {
        let message = relu(1, 1.0, 0.0, 1).grams(&Matrix::zeros(2_000_000, 1)).expect_err("too large").to_string();
        assert!(message.contains("64000.0 GB") && message.contains("tiles"), "{message}");
    }

    #[test]
    fn overflow_is_an_error_that_names_the_layer() {
        let x = Matrix::from_fn(2, 2, |i, _| 1e3 * i as f64);
        let deep = kernel(Activation::Monomial(3), 40, 2.0, 0.0, 2).grams(&x).expect_err("overflow");
        assert!(matches!(deep, Error::NotFinite { .. }));
        let message = deep.to_string();
        assert!(message.contains("step") && message.contains("input 1"), "{message}");
        let message =
            relu(1, 1.0, 0.0, 2).grams(&Matrix::from_fn(1, 2, |_, _| 1e200)).expect_err("overflow").to_string();
        assert!(message.contains("the input"), "{message}");
    }

    #[test]
    fn a_sum_of_branches_adds_kernels_and_an_identity_layer_changes_nothing() {
        let x = normal(4, 3);
        let build = |layers: Vec<Layer>| {
            AnalyticKernel::new(Architecture::new(&[3], layers, 1, 1.3, 0.2, Parametrization::Ntk).expect("valid"))
        };
        let dense = || Layer::Dense(1);
        let plain = build(vec![dense(), Layer::Activation(Activation::Erf)]).grams(&x).expect("finite");
        let dropped = vec![dense(), Layer::Activation(Activation::Erf), Layer::Dropout(0.3)];
        assert_eq!(build(dropped).grams(&x).expect("finite").ntk, plain.ntk);
        // Two linear branches from the inputs: K = 2 (w^2 k + b^2), Theta = 2 K_1, and a readout.
        let sum = build(vec![Layer::Sum(vec![vec![dense()], vec![dense()]])]).grams(&x).expect("finite");
        let k = 1.69 * x.row(0).iter().zip(x.row(1)).map(|(u, v)| u * v).sum::<f64>() / 3.0 + 0.04;
        let nngp = 1.69 * 2.0 * k + 0.04;
        assert!((sum.nngp[(0, 1)] - nngp).abs() < 1e-14);
        assert!((sum.ntk[(0, 1)] - (nngp + 1.69 * 2.0 * k)).abs() < 1e-14);
    }
}
