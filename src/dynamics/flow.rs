//! Gradient descent and gradient flow under a fixed kernel Theta, from any starting function (Jacot et al. 2018, Lee et
//! al. 2019):
//!
//! f_T(x*) = f_0(x*) + A_T (Y - f_0(X)),   A_T = Theta(x*, X) (Theta + lambda I)^-1 (I - D_T),   Theta = Theta(X, X),
//!
//! where D_T is (I - eta (Theta + lambda I)/(N O))^T for gradient descent and e^{-t (Theta + lambda I)/(N O)} for
//! gradient flow. The loss is (1/(2 N O)) times the sum over all N O entries of the squared error; lambda stands for
//! the penalty (lambda/(2 N O)) |theta - theta_0|^2, a pull to the initialization.

use super::Horizon;
use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix, Spectrum};

/// What the rows of a kernel matrix stand for when the function has O outputs.
///
/// Targets and predictions are `[N, O]` and `[n_test, O]` either way, and the loss always has N O entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outputs {
    /// Kernel x I_O, given as the `[N, N]` kernel that all O outputs share: analytic kernels, and empirical ones
    /// averaged over outputs.
    Independent(usize),
    /// The full `[N O, N O]` kernel of a network with O outputs; row i O + o is output o of input i.
    Coupled(usize),
}

/// Training under a fixed kernel: its spectrum on the training inputs, and how fast each direction is learned.
#[derive(Debug, Clone)]
pub struct Flow {
    spectrum: Spectrum,
    n_inputs: usize,
    n_outputs: usize,
    ridge: f64,
    eigenvalue_cutoff: f64,
}

impl Flow {
    /// Takes the kernel on the training inputs apart.
    ///
    /// `ridge` is lambda, as [`Ridge::resolve`](crate::regress::Ridge::resolve) returns it. Without one, eigenvalues up
    /// to `relative_cutoff` times the largest count as zero: those directions are never learned, which makes every
    /// horizon a pseudo-inverse. Inverting them would multiply rounding errors by 1e13 and more. With a ridge nothing
    /// is dropped, and an eigenvalue that rounding left negative counts as 0. See [`Flow::rounding_cutoff`] for the
    /// number to pass.
    ///
    /// # Errors
    /// [`Error::Shape`] when the matrix does not hold whole blocks of O rows, or none; [`Error::NotFinite`].
    pub fn new(k_train_train: &GramMatrix, outputs: Outputs, ridge: f64, relative_cutoff: f64) -> Result<Self> {
        let n_rows = k_train_train.n();
        let (n_outputs, rows_per_input) = match outputs {
            Outputs::Independent(n_outputs) => (n_outputs, 1),
            Outputs::Coupled(n_outputs) => (n_outputs, n_outputs),
        };
        if n_outputs == 0 || n_rows == 0 || !n_rows.is_multiple_of(rows_per_input) {
            let expected = format!("a positive multiple of {rows_per_input} rows ({n_outputs} outputs)");
            return Err(Error::shape("kernel on the training inputs", expected, format!("{n_rows} rows")));
        }

        let spectrum = Spectrum::of(k_train_train)?;
        let eigenvalue_cutoff = if ridge > 0.0 { 0.0 } else { relative_cutoff * spectrum.eigenvalues()[0].max(0.0) };
        Ok(Self { spectrum, n_inputs: n_rows / rows_per_input, n_outputs, ridge, eigenvalue_cutoff })
    }

    /// The default relative cutoff: n rows times the machine epsilon of the number type the kernel was *computed* in,
    /// which bounds how far rounding moves an eigenvalue relative to the largest.
    ///
    /// An analytic kernel in double precision has `f64::EPSILON`, an empirical one from a single-precision network
    /// `f32::EPSILON`, whatever type it is stored in.
    #[must_use]
    pub fn rounding_cutoff(n_rows: usize, epsilon: f64) -> f64 {
        n_rows as f64 * epsilon
    }

    /// (Theta + lambda I)^-1 (I - D_T) applied to `residual` = Y - f_0(X): the weight of each training input.
    ///
    /// # Shapes
    /// `[N, O]` to `[N, O]`.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn coefficients(&self, horizon: Horizon, residual: &Matrix) -> Result<Matrix> {
        self.require_targets(residual)?;
        self.apply_inverse(horizon, &self.stacked(residual)?).reshape(self.n_inputs, self.n_outputs)
    }

    /// A_T applied to `residual` = Y - f_0(X): what training adds to f_0 at the test inputs.
    ///
    /// Beyond [`Flow::stability_bound`] gradient descent diverges, and the prediction with it: it may then hold values
    /// that are not finite.
    ///
    /// # Shapes
    /// `k_test_train` `[n_test, N]`, or `[n_test O, N O]` when [`Outputs::Coupled`]; `residual` `[N, O]`; returns
    /// `[n_test, O]`.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn predict(&self, k_test_train: &Matrix, horizon: Horizon, residual: &Matrix) -> Result<Matrix> {
        let n_columns = self.eigenvalues().len();
        if k_test_train.n_cols() != n_columns {
            return Err(Error::shape("columns of the test-train kernel", n_columns, k_test_train.n_cols()));
        }
        let coefficients = self.stacked(&self.coefficients(horizon, residual)?)?;
        let predictions = k_test_train.matmul(&coefficients);
        let n_test = predictions.values().len() / self.n_outputs;
        predictions.reshape(n_test, self.n_outputs)
    }

    /// What is left of an error along each eigenvector, in the order of [`Flow::eigenvalues`]; 1 where nothing is
    /// learned.
    #[must_use]
    pub fn decay(&self, horizon: Horizon) -> Vec<f64> {
        let left = |&s: &f64| self.rate(s).map_or(1.0, |rate| horizon.decay(rate));
        self.eigenvalues().iter().map(left).collect()
    }

    /// Q^T applied to `residual`: its components along the eigenvectors, in the order of [`Flow::eigenvalues`].
    ///
    /// # Shapes
    /// `[N, O]` to one row per eigenvector: `[N, O]`, or `[N O, 1]` when [`Outputs::Coupled`].
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn components(&self, residual: &Matrix) -> Result<Matrix> {
        self.require_targets(residual)?;
        Ok(self.spectrum.project(&self.stacked(residual)?))
    }

    /// 2 N O / (s_max + lambda): gradient descent converges below this learning rate and diverges above it.
    #[must_use]
    pub fn stability_bound(&self) -> f64 {
        2.0 * self.n_entries() / (self.eigenvalues()[0].max(0.0) + self.ridge)
    }

    /// The eigenvalues of the kernel on the training inputs, without the ridge, in descending order.
    #[must_use]
    pub fn eigenvalues(&self) -> &[f64] {
        self.spectrum.eigenvalues()
    }

    /// Directions whose eigenvalue is not above this are never learned; with a ridge, 0 and without effect.
    #[must_use]
    pub fn eigenvalue_cutoff(&self) -> f64 {
        self.eigenvalue_cutoff
    }

    /// How many directions are never learned.
    #[must_use]
    pub fn n_dropped(&self) -> usize {
        self.eigenvalues().iter().filter(|&&s| self.rate(s).is_none()).count()
    }

    /// (Theta + lambda I)^-1 (I - D_T) applied to any matrix with as many rows as the kernel.
    pub(super) fn apply_inverse(&self, horizon: Horizon, columns: &Matrix) -> Matrix {
        self.spectrum.apply(|s| self.weight(horizon, s), columns)
    }

    /// (s + lambda)^-1 (1 - D_T): the weight that the direction of eigenvalue s has by then.
    pub(super) fn weight(&self, horizon: Horizon, s: f64) -> f64 {
        self.rate(s).map_or(0.0, |rate| horizon.learned(rate) / (rate * self.n_entries()))
    }

    /// `k_test_train` (Theta + lambda I)^-1/2, along the eigenvectors that are learned: its rows' squares are what regression takes from the
    /// variance at a test input.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub(crate) fn whiten_rows(&self, k_test_train: &Matrix) -> Result<Matrix> {
        let n_columns = self.eigenvalues().len();
        if k_test_train.n_cols() != n_columns {
            return Err(Error::shape("columns of the test-train kernel", n_columns, k_test_train.n_cols()));
        }
        let mut white = self.spectrum.project(&k_test_train.transpose()).transpose();
        let factors: Vec<f64> = self.eigenvalues().iter().map(|&s| self.weight(Horizon::Infinite, s).sqrt()).collect();
        for row in white.values_mut().chunks_exact_mut(n_columns) {
            row.iter_mut().zip(&factors).for_each(|(value, factor)| *value *= factor);
        }
        Ok(white)
    }

    /// (s + lambda + `ridge`)^-1: its weight in regression with another ridge beside the flow's own.
    pub(super) fn ridge_weight(&self, ridge: f64, s: f64) -> f64 {
        self.rate(s).map_or(0.0, |rate| 1.0 / (rate * self.n_entries() + ridge))
    }

    /// Test kernel and residual in the eigenbasis, for many predictions from one pair of products.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub(super) fn modes(&self, k_test_train: &Matrix, residual: &Matrix) -> Result<Modes<'_>> {
        let n_columns = self.eigenvalues().len();
        if k_test_train.n_cols() != n_columns {
            return Err(Error::shape("columns of the test-train kernel", n_columns, k_test_train.n_cols()));
        }
        Ok(Modes {
            eigenvalues: self.eigenvalues(),
            test: self.spectrum.project(&k_test_train.transpose()).transpose(),
            components: self.components(residual)?,
        })
    }

    /// (s + lambda)/(N O), the rate at which the direction of eigenvalue s is learned; `None` where it never is.
    pub(super) fn rate(&self, s: f64) -> Option<f64> {
        if self.ridge > 0.0 {
            return Some((s.max(0.0) + self.ridge) / self.n_entries());
        }
        (s > self.eigenvalue_cutoff).then(|| s / self.n_entries())
    }

    fn require_targets(&self, residual: &Matrix) -> Result<()> {
        if residual.shape() == (self.n_inputs, self.n_outputs) {
            return Ok(());
        }
        let expected = format!("{} x {}", self.n_inputs, self.n_outputs);
        let found = format!("{} x {}", residual.n_rows(), residual.n_cols());
        Err(Error::shape("targets of the training inputs", expected, found))
    }

    pub(super) fn n_entries(&self) -> f64 {
        (self.n_inputs * self.n_outputs) as f64
    }

    /// `[N, O]` as the columns the kernel acts on: `[N, O]` again, or `[N O, 1]`, whose rows are already in the order
    /// of a full kernel's.
    fn stacked(&self, matrix: &Matrix) -> Result<Matrix> {
        let n_rows = self.eigenvalues().len();
        matrix.clone().reshape(n_rows, self.n_inputs * self.n_outputs / n_rows)
    }
}

/// Theta(x*, X) Q and Q^T (Y - f_0(X)), beside the eigenvalues.
pub(super) struct Modes<'a> {
    eigenvalues: &'a [f64],
    test: Matrix,
    components: Matrix,
}

impl Modes<'_> {
    /// Theta(x*, X) Q w(S) Q^T (Y - f_0(X)), in the rows of the test kernel.
    pub(super) fn predict(&self, weight: impl Fn(f64) -> f64) -> Matrix {
        let weights: Vec<f64> = self.eigenvalues.iter().map(|&s| weight(s)).collect();
        let (n_rows, n_cols) = self.components.shape();
        self.test.matmul(&Matrix::from_fn(n_rows, n_cols, |i, j| weights[i] * self.components[(i, j)]))
    }
}

/// A flow together with the test inputs it is asked about: A_T as one thing.
#[derive(Debug, Clone, Copy)]
pub struct KernelPredictor<'a> {
    /// Training under this kernel.
    pub flow: &'a Flow,
    /// The same kernel between test and training inputs.
    pub k_test_train: &'a Matrix,
}

impl KernelPredictor<'_> {
    /// A_T applied to `residual`, as [`Flow::predict`].
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn predict(&self, horizon: Horizon, residual: &Matrix) -> Result<Matrix> {
        self.flow.predict(self.k_test_train, horizon, residual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regress::kernel_ridge;

    const N: usize = 8;
    const O: usize = 2;
    const CUTOFF: f64 = 1e-13;

    /// Smooth, nonlinear in both places, and full rank over distinct inputs.
    fn kernel(a: f64, b: f64) -> f64 {
        (-(a - b).abs()).exp() + 0.3 * a * b
    }

    fn input(i: usize) -> f64 {
        (i as f64 * 1.7).sin() * 2.0
    }

    fn gram() -> GramMatrix {
        GramMatrix::from_lower(N, |i, j| kernel(input(i), input(j)))
    }

    fn test_block() -> Matrix {
        Matrix::from_fn(3, N, |i, j| kernel(i as f64 - 1.2, input(j)))
    }

    fn targets() -> Matrix {
        Matrix::from_fn(N, O, |i, j| (3.0 * input(i) + j as f64).cos())
    }

    fn flow(ridge: f64) -> Flow {
        Flow::new(&gram(), Outputs::Independent(O), ridge, CUTOFF).unwrap()
    }

    fn steps(learning_rate: f64, n_steps: u64) -> Horizon {
        Horizon::Steps { learning_rate, n_steps }
    }

    fn largest(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    fn gap(a: &Matrix, b: &Matrix) -> f64 {
        largest(&(a - b))
    }

    #[test]
    fn at_time_zero_nothing_is_learned() {
        for horizon in [Horizon::Time(0.0), steps(0.3, 0)] {
            assert_eq!(largest(&flow(0.0).predict(&test_block(), horizon, &targets()).unwrap()), 0.0);
        }
    }

    #[test]
    fn the_infinite_limit_is_kernel_regression_with_the_same_ridge() {
        for ridge in [0.0, 1e-3, 1.0] {
            let expected = kernel_ridge(&gram(), &test_block(), &targets(), ridge).unwrap();
            let found = flow(ridge).predict(&test_block(), Horizon::Infinite, &targets()).unwrap();
            assert!(gap(&found, &expected) < 1e-12, "ridge {ridge}");
        }
    }

    #[test]
    fn ridgeless_training_without_end_interpolates_and_an_infinite_ridge_learns_nothing() {
        let fitted = flow(0.0).predict(gram().as_matrix(), Horizon::Infinite, &targets()).unwrap();
        assert!(gap(&fitted, &targets()) < 1e-12);
        assert!(largest(&flow(1e14).predict(gram().as_matrix(), Horizon::Infinite, &targets()).unwrap()) < 1e-12);
    }

    /// Gradient descent on (1/(2 N O)) (sum |J w - y|^2 + ridge |w|^2), one step after the other, in parameter space.
    fn trained_linear_model(j_train: &Matrix, y: &Matrix, ridge: f64, learning_rate: f64, n_steps: u64) -> Matrix {
        let rate = learning_rate / y.values().len() as f64;
        (0..n_steps).fold(Matrix::zeros(j_train.n_cols(), y.n_cols()), |w, _| {
            let gradient = &j_train.transpose().matmul(&(&j_train.matmul(&w) - y)) + &w.map(|v| ridge * v);
            &w - &gradient.map(|g| rate * g)
        })
    }

    #[test]
    fn a_linear_model_trained_step_by_step_equals_the_closed_form() {
        let features = |n: usize, shift: f64| Matrix::from_fn(n, 11, |i, j| ((i * 11 + j) as f64 * 0.77 + shift).sin());
        let (j_train, j_test) = (features(N, 0.0), features(3, 0.4));
        let k = GramMatrix::from_symmetric(j_train.matmul(&j_train.transpose()), 1e-14).unwrap();
        let k_test_train = j_test.matmul(&j_train.transpose());
        for ridge in [0.0, 0.5] {
            let flow = Flow::new(&k, Outputs::Independent(O), ridge, CUTOFF).unwrap();
            // Up to half the bound no direction overshoots; at nine tenths and beyond the fastest does at every step.
            for fraction in [0.1, 0.5, 0.9, 0.999, 1.01] {
                for n_steps in [1, 2, 7, 200] {
                    let learning_rate = fraction * flow.stability_bound();
                    let w = trained_linear_model(&j_train, &targets(), ridge, learning_rate, n_steps);
                    let found = flow.predict(&k_test_train, steps(learning_rate, n_steps), &targets()).unwrap();
                    let expected = j_test.matmul(&w);
                    let error = gap(&found, &expected) / largest(&expected);
                    assert!(error < 1e-12, "ridge {ridge}, {fraction} of the bound, {n_steps} steps: {error:e}");
                }
            }
        }
    }

    #[test]
    fn gradient_flow_is_the_limit_of_small_steps() {
        let expected = flow(0.1).predict(&test_block(), Horizon::Time(5.0), &targets()).unwrap();
        let error = |n_steps: u64| {
            gap(&flow(0.1).predict(&test_block(), steps(5.0 / n_steps as f64, n_steps), &targets()).unwrap(), &expected)
        };
        // First order: ten times the steps, a tenth of the error.
        assert!((error(10_000) / error(100_000) - 10.0).abs() < 0.01);
        assert!(error(1_000_000_000) < 1e-9);
    }

    #[test]
    fn training_diverges_just_above_the_stability_bound_and_not_just_below() {
        let flow = flow(0.2);
        let fastest = |fraction: f64| flow.decay(steps(fraction * flow.stability_bound(), 10_000))[0].abs();
        assert!(fastest(0.999) < 1e-3);
        assert!(fastest(1.001) > 1e3);
    }

    /// `distinct` inputs, the first `n_repeated` of them twice; the test inputs are other ones.
    fn repeated(distinct: usize, n_repeated: usize) -> (GramMatrix, Matrix, Matrix) {
        let x = |i: usize| (i % distinct) as f64 * 0.4;
        let n = distinct + n_repeated;
        let k = GramMatrix::from_lower(n, |i, j| kernel(x(i), x(j)));
        let k_test_train = Matrix::from_fn(4, n, |i, j| kernel(i as f64 + 0.1, x(j)));
        (k, k_test_train, Matrix::from_fn(n, 1, |i, _| (i as f64).sin()))
    }

    #[test]
    fn repeated_rows_drop_one_direction_each_and_predictions_stay_bounded() {
        for (distinct, n_repeated) in [(5, 0), (5, 1), (40, 7), (100, 9), (100, 100)] {
            let (k, k_test_train, y) = repeated(distinct, n_repeated);
            let cutoff = Flow::rounding_cutoff(k.n(), f64::EPSILON);
            let flow = Flow::new(&k, Outputs::Independent(1), 0.0, cutoff).unwrap();
            assert_eq!(flow.n_dropped(), n_repeated, "{distinct} inputs, {n_repeated} of them twice");
            for horizon in [steps(0.5 * flow.stability_bound(), 1_000_000_000), Horizon::Time(1e12), Horizon::Infinite]
            {
                assert!(largest(&flow.predict(&k_test_train, horizon, &y).unwrap()) < 3.0);
            }
            assert_eq!(flow.decay(Horizon::Infinite).iter().sum::<f64>(), n_repeated as f64);
        }
    }

    #[test]
    fn contradicting_targets_of_a_repeated_input_are_fitted_by_their_mean() {
        let (k, _, y) = repeated(30, 5);
        let flow = Flow::new(&k, Outputs::Independent(1), 0.0, Flow::rounding_cutoff(35, f64::EPSILON)).unwrap();
        let fitted = flow.predict(k.as_matrix(), Horizon::Infinite, &y).unwrap();
        for i in 0..35 {
            let twin = if i < 5 {
                i + 30
            } else if i >= 30 {
                i - 30
            } else {
                i
            };
            let mean = 0.5 * (y[(i, 0)] + y[(twin, 0)]);
            assert!((fitted[(i, 0)] - mean).abs() < 1e-10, "{i}");
        }
    }

    #[test]
    fn with_a_ridge_nothing_is_dropped_and_rounding_below_zero_counts_as_zero() {
        let (k, _, _) = repeated(20, 20);
        let flow = Flow::new(&k, Outputs::Independent(1), 1e-300, 0.5).unwrap();
        assert!(flow.eigenvalues().iter().any(|&s| s < 0.0), "the test needs a negative eigenvalue");
        assert_eq!((flow.n_dropped(), flow.eigenvalue_cutoff()), (0, 0.0));
        assert!(flow.decay(Horizon::Time(1.0)).iter().all(|&d| d <= 1.0));
    }

    #[test]
    fn a_kernel_shared_by_all_outputs_equals_its_full_block_matrix() {
        let full = |k: &Matrix| {
            Matrix::from_fn(k.n_rows() * O, k.n_cols() * O, |r, c| if r % O == c % O { k[(r / O, c / O)] } else { 0.0 })
        };
        let k_full = GramMatrix::from_symmetric(full(gram().as_matrix()), 0.0).unwrap();
        for ridge in [0.0, 0.05] {
            let shared = flow(ridge);
            let coupled = Flow::new(&k_full, Outputs::Coupled(O), ridge, CUTOFF).unwrap();
            assert_eq!(coupled.n_dropped(), O * shared.n_dropped());
            assert!((coupled.stability_bound() / shared.stability_bound() - 1.0).abs() < 1e-14);
            for horizon in [steps(0.7, 30), Horizon::Time(4.0), Horizon::Infinite] {
                let expected = shared.predict(&test_block(), horizon, &targets()).unwrap();
                let found = coupled.predict(&full(&test_block()), horizon, &targets()).unwrap();
                assert!(gap(&found, &expected) < 1e-12, "ridge {ridge}, {horizon:?}");
            }
        }
    }

    #[test]
    fn a_kernel_and_targets_that_do_not_fit_are_refused() {
        assert!(Flow::new(&gram(), Outputs::Coupled(3), 0.0, CUTOFF).is_err());
        assert!(Flow::new(&gram(), Outputs::Independent(0), 0.0, CUTOFF).is_err());
        assert!(Flow::new(&GramMatrix::from_lower(0, |_, _| 0.0), Outputs::Independent(1), 0.0, CUTOFF).is_err());
        // A full kernel mistaken for a shared one, which would change the time unit by O, shows in the number of rows.
        let error =
            Flow::new(&gram(), Outputs::Coupled(O), 0.0, CUTOFF).unwrap().coefficients(Horizon::Infinite, &targets());
        assert_eq!(error.unwrap_err().to_string(), "targets of the training inputs: expected 4 x 2, found 8 x 2");
        assert!(flow(0.0).predict(&Matrix::zeros(3, N + 1), Horizon::Infinite, &targets()).is_err());
    }
}
