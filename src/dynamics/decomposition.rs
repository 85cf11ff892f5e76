//! The equivalence gap, taken apart: for one trained network, at every test input, exactly
//!
//! ```text
//! f_T - A_inf^ntk Y =   (f_T       - flin_T)        nonlinearity: the network left its linearization
//!                     + (flin_T    - A_T^emp Y)     initial function: f_0(x*) - A_T^emp f_0(X)
//!                     + (A_T^emp Y - A_T^ntk Y)     finite width: the kernel at initialization and the analytic one
//!                     + (A_T^ntk Y - A_inf^ntk Y)   finite time, of the analytic kernel alone
//! ```
//!
//! with A_T of [`Flow`](super::Flow) and flin_T = f_0(x*) + A_T^emp (Y - f_0(X)) the linearized network. Like is
//! compared with like at the same time, and small eigenvalues that are never learned show in the last term alone.
//!
//! Where the optimizer is not the rule of A_T, and a second network was trained by that rule from the same initialization for the
//! same time, f_GD, the first term is split once more:
//!
//! ```text
//! f_T - flin_T      =   (f_T       - f_GD)          optimizer: another path to another function
//!                     + (f_GD      - flin_T)        nonlinearity, of gradient descent alone
//! ```

use serde::{Deserialize, Serialize};

use super::{Horizon, KernelPredictor};
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// The order in which the trained network is turned into its limit; it decides what the two middle terms mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// First the initial function is removed, under the network's own kernel; then the kernel is exchanged, with Y to
    /// learn: initial function f_0(x*) - A_T^emp f_0(X), finite width (A_T^emp - A_T^ntk) Y.
    #[default]
    NetworkFirst,
    /// First the kernel is exchanged, with Y - f_0(X) to learn; then the initial function is removed, under the
    /// analytic kernel. With flin_T^ntk = f_0(x*) + A_T^ntk (Y - f_0(X)): finite width flin_T - flin_T^ntk = (A_T^emp -
    /// A_T^ntk) (Y - f_0(X)), initial function flin_T^ntk - A_T^ntk Y = f_0(x*) - A_T^ntk f_0(X).
    KernelFirst,
}

/// One trained network beside its two kernels.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// f_T(x*) `[n_test, O]`; `None` when training diverged.
    pub ft_test: Option<&'a Matrix>,
    /// f_GD(x*) `[n_test, O]`: the network after full-batch gradient descent for the same time from the same initialization, where f_T
    /// was trained otherwise; `None` where there is no such run, or it diverged.
    pub gd_test: Option<&'a Matrix>,
    /// f_0(X) `[N, O]`.
    pub f0_train: &'a Matrix,
    /// f_0(x*) `[n_test, O]`.
    pub f0_test: &'a Matrix,
    /// Y `[N, O]`.
    pub y_train: &'a Matrix,
    /// A^emp: the network's own kernel at initialization.
    pub empirical: KernelPredictor<'a>,
    /// A^ntk: the kernel of infinite width.
    pub analytic: KernelPredictor<'a>,
    /// How long the network was trained; finite.
    pub horizon: Horizon,
}

/// The terms of the gap, four or five, and the functions between them, each `[n_test, O]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Decomposition {
    /// Which of the two telescoping sums this is.
    pub order: Order,
    /// f_T - A_inf^ntk Y, computed without the terms; `None` when training diverged.
    pub total: Option<Matrix>,
    /// f_T - f_GD; `None` without a run of gradient descent, or when training diverged.
    pub optimizer: Option<Matrix>,
    /// f_GD - flin_T, or f_T - flin_T without a run of gradient descent; `None` when the run it is about diverged.
    pub nonlinearity: Option<Matrix>,
    /// What is left of the initial function; see [`Order`].
    pub initial_function: Matrix,
    /// What the kernel of this one network differs by; see [`Order`].
    pub finite_width: Matrix,
    /// A_T^ntk Y - A_inf^ntk Y.
    pub finite_time: Matrix,
    /// flin_T, the linearized network.
    pub linearized: Matrix,
    /// A_T^ntk Y, the analytic kernel at the horizon.
    pub kernel_at_horizon: Matrix,
    /// A_inf^ntk Y, kernel regression.
    pub kernel_limit: Matrix,
}

impl Decomposition {
    /// Takes the gap apart.
    ///
    /// # Errors
    /// [`Error::Shape`] when the parts are not of one problem, [`Error::NotFinite`] when a diverged network is passed
    /// as a trained one.
    pub fn of(comparison: &Comparison<'_>, order: Order) -> Result<Self> {
        let Comparison { ft_test, gd_test, f0_train, f0_test, y_train, empirical, analytic, horizon } = *comparison;
        require_shape("f_0 at the training inputs", y_train, f0_train)?;
        let kernel_limit = analytic.predict(Horizon::Infinite, y_train)?;
        require_shape("f_0 at the test inputs", &kernel_limit, f0_test)?;
        for (what, trained) in [("f_T at the test inputs", ft_test), ("f_GD at the test inputs", gd_test)] {
            if let Some(trained) = trained {
                require_shape(what, &kernel_limit, trained)?;
                require_finite(trained)?;
            }
        }

        let residual = y_train - f0_train;
        let learned = empirical.predict(horizon, &residual)?;
        require_shape("predictions of the empirical kernel", &kernel_limit, &learned)?;
        let linearized = f0_test + &learned;
        let kernel_at_horizon = analytic.predict(horizon, y_train)?;
        // Each term is computed from its own products, not as a difference of the others: that they add up is a check.
        let (initial_function, finite_width) = match order {
            Order::NetworkFirst => (
                f0_test - &empirical.predict(horizon, f0_train)?,
                &empirical.predict(horizon, y_train)? - &kernel_at_horizon,
            ),
            Order::KernelFirst => {
                (f0_test - &analytic.predict(horizon, f0_train)?, &learned - &analytic.predict(horizon, &residual)?)
            }
        };

        Ok(Self {
            order,
            total: ft_test.map(|ft_test| ft_test - &kernel_limit),
            optimizer: ft_test.zip(gd_test).map(|(ft_test, gd_test)| ft_test - gd_test),
            nonlinearity: gd_test.or(ft_test).map(|trained| trained - &linearized),
            initial_function,
            finite_width,
            finite_time: &kernel_at_horizon - &kernel_limit,
            linearized,
            kernel_at_horizon,
            kernel_limit,
        })
    }

    /// The largest |sum of the terms - total| over test points and outputs; 0 but for rounding.
    ///
    /// When training diverged the three terms there are must add up to flin_T - A_inf^ntk Y.
    #[must_use]
    pub fn identity_residual(&self) -> f64 {
        let linear = &(&self.initial_function + &self.finite_width) + &self.finite_time;
        let gap = match (&self.total, &self.nonlinearity, &self.optimizer) {
            (Some(total), Some(nonlinearity), None) => &(&linear + nonlinearity) - total,
            (Some(total), Some(nonlinearity), Some(optimizer)) => &(&(&linear + nonlinearity) + optimizer) - total,
            _ => &linear - &(&self.linearized - &self.kernel_limit),
        };
        largest(&gap)
    }

    /// Confirms that the terms add up.
    ///
    /// # Errors
    /// [`Error::Check`] when [`identity_residual`](Self::identity_residual) exceeds `tolerance` times the largest value
    /// among the predictions and terms, or any of them is not finite.
    pub fn check(&self, tolerance: f64) -> Result<()> {
        let terms = [&self.initial_function, &self.finite_width, &self.finite_time];
        let functions = [&self.linearized, &self.kernel_at_horizon, &self.kernel_limit];
        let scale = terms.into_iter().chain(functions).chain(&self.total).map(largest).fold(0.0, larger);
        let residual = self.identity_residual();
        // Written so that a NaN fails.
        if residual <= tolerance * scale && scale.is_finite() {
            return Ok(());
        }
        Err(Error::Check(format!(
            "the terms of the gap miss their total by {residual:e} (size {scale:e}, tolerance {tolerance:e})"
        )))
    }
}

fn require_shape(what: &str, expected: &Matrix, found: &Matrix) -> Result<()> {
    let words = |matrix: &Matrix| format!("{} x {}", matrix.n_rows(), matrix.n_cols());
    if expected.shape() == found.shape() {
        return Ok(());
    }
    Err(Error::shape(what, words(expected), words(found)))
}

fn require_finite(ft_test: &Matrix) -> Result<()> {
    let Some((row, column, value)) = ft_test.first_non_finite() else { return Ok(()) };
    Err(Error::NotFinite {
        what: "the trained network".to_string(),
        value,
        place: format!("test input {row}, output {column}"),
        remedy: "lower the learning rate below the stability bound".to_string(),
    })
}

/// The largest size among the entries; NaN when one is NaN.
fn largest(matrix: &Matrix) -> f64 {
    matrix.values().iter().map(|v| v.abs()).fold(0.0, larger)
}

/// As `f64::max`, which would hide a NaN.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Flow, Outputs};
    use crate::linalg::GramMatrix;

    const N: usize = 7;
    const N_TEST: usize = 4;
    const O: usize = 2;

    fn wave(n_rows: usize, n_cols: usize, phase: f64) -> Matrix {
        Matrix::from_fn(n_rows, n_cols, |i, j| ((i * n_cols + j) as f64 * 1.3 + phase).sin())
    }

    /// Everything a comparison borrows: a full empirical kernel over coupled outputs, and an analytic one shared by
    /// them.
    struct Problem {
        ft_test: Matrix,
        gd_test: Matrix,
        f0_train: Matrix,
        f0_test: Matrix,
        y_train: Matrix,
        empirical: (Flow, Matrix),
        analytic: (Flow, Matrix),
    }

    impl Problem {
        fn with_ridge(ridge: f64) -> Self {
            let analytic = |a: usize, b: usize| (-(a as f64 - b as f64).abs() / 2.0).exp();
            let jacobian = |n: usize, phase| wave(n * O, 40, phase);
            let (j_train, j_test) = (jacobian(N, 0.0), jacobian(N_TEST, 0.5));
            let k_emp = GramMatrix::from_symmetric(j_train.matmul(&j_train.transpose()), 1e-13).unwrap();
            let k_ntk = GramMatrix::from_lower(N, analytic);
            Self {
                ft_test: wave(N_TEST, O, 0.1),
                gd_test: wave(N_TEST, O, 0.6),
                f0_train: wave(N, O, 0.2),
                f0_test: wave(N_TEST, O, 0.3),
                y_train: wave(N, O, 0.4),
                empirical: (
                    Flow::new(&k_emp, Outputs::Coupled(O), ridge, 1e-7).unwrap(),
                    j_test.matmul(&j_train.transpose()),
                ),
                analytic: (
                    Flow::new(&k_ntk, Outputs::Independent(O), ridge, 1e-13).unwrap(),
                    Matrix::from_fn(N_TEST, N, |i, j| analytic(2 * i + 1, j)),
                ),
            }
        }

        fn comparison(&self, horizon: Horizon) -> Comparison<'_> {
            Comparison {
                ft_test: Some(&self.ft_test),
                gd_test: None,
                f0_train: &self.f0_train,
                f0_test: &self.f0_test,
                y_train: &self.y_train,
                empirical: KernelPredictor { flow: &self.empirical.0, k_test_train: &self.empirical.1 },
                analytic: KernelPredictor { flow: &self.analytic.0, k_test_train: &self.analytic.1 },
                horizon,
            }
        }
    }

    const HORIZONS: [Horizon; 3] = [
        Horizon::Steps { learning_rate: 0.05, n_steps: 300 },
        Horizon::Steps { learning_rate: 0.02, n_steps: 0 },
        Horizon::Time(20.0),
    ];

    #[test]
    fn the_terms_add_up_to_the_total_in_both_orders() {
        for ridge in [0.0, 0.1] {
            let problem = Problem::with_ridge(ridge);
            for horizon in HORIZONS {
                for order in [Order::NetworkFirst, Order::KernelFirst] {
                    let terms = Decomposition::of(&problem.comparison(horizon), order).unwrap();
                    assert!(terms.identity_residual() < 1e-10, "{order:?}, {horizon:?}: {}", terms.identity_residual());
                    terms.check(1e-10).unwrap();
                }
            }
        }
    }

    #[test]
    fn the_orders_share_their_first_and_last_term() {
        let problem = Problem::with_ridge(0.0);
        let comparison = problem.comparison(HORIZONS[0]);
        let network_first = Decomposition::of(&comparison, Order::NetworkFirst).unwrap();
        let kernel_first = Decomposition::of(&comparison, Order::KernelFirst).unwrap();
        assert_eq!(network_first.nonlinearity, kernel_first.nonlinearity);
        assert_eq!(network_first.finite_time, kernel_first.finite_time);
        assert!(largest(&(&network_first.finite_width - &kernel_first.finite_width)) > 1e-3);
    }

    #[test]
    fn a_centred_network_has_no_initial_term_and_no_order() {
        let mut problem = Problem::with_ridge(0.0);
        (problem.f0_train, problem.f0_test) = (Matrix::zeros(N, O), Matrix::zeros(N_TEST, O));
        let comparison = problem.comparison(HORIZONS[0]);
        let network_first = Decomposition::of(&comparison, Order::NetworkFirst).unwrap();
        let kernel_first = Decomposition::of(&comparison, Order::KernelFirst).unwrap();
        assert_eq!(largest(&network_first.initial_function), 0.0);
        assert_eq!(network_first.finite_width, kernel_first.finite_width);
    }

    #[test]
    fn a_linear_network_with_the_limiting_kernel_keeps_only_its_initial_function_and_lack_of_time() {
        let mut problem = Problem::with_ridge(0.0);
        problem.empirical = problem.analytic.clone();
        let horizon = HORIZONS[0];
        let linearized = Decomposition::of(&problem.comparison(horizon), Order::NetworkFirst).unwrap().linearized;
        problem.ft_test = linearized;
        for order in [Order::NetworkFirst, Order::KernelFirst] {
            let terms = Decomposition::of(&problem.comparison(horizon), order).unwrap();
            assert_eq!(terms.nonlinearity.map(|term| largest(&term)), Some(0.0));
            assert_eq!(largest(&terms.finite_width), 0.0);
            assert!(largest(&terms.initial_function) > 1e-3 && largest(&terms.finite_time) > 1e-3);
        }
    }

    #[test]
    fn a_diverged_network_leaves_three_terms_that_still_add_up() {
        let problem = Problem::with_ridge(0.0);
        let comparison = problem.comparison(HORIZONS[0]);
        for order in [Order::NetworkFirst, Order::KernelFirst] {
            let whole = Decomposition::of(&comparison, order).unwrap();
            let rest = Decomposition::of(&Comparison { ft_test: None, ..comparison }, order).unwrap();
            assert_eq!((rest.total.as_ref(), rest.nonlinearity.as_ref()), (None, None));
            assert_eq!(rest.finite_width, whole.finite_width);
            rest.check(1e-10).unwrap();
        }
    }

    #[test]
    fn a_run_of_gradient_descent_splits_the_nonlinearity_and_changes_nothing_else() {
        let problem = Problem::with_ridge(0.1);
        let four = problem.comparison(HORIZONS[0]);
        let five = Comparison { gd_test: Some(&problem.gd_test), ..four };
        for order in [Order::NetworkFirst, Order::KernelFirst] {
            let (four, five) = (Decomposition::of(&four, order).unwrap(), Decomposition::of(&five, order).unwrap());
            five.check(1e-10).unwrap();
            assert_eq!(five.optimizer, Some(&problem.ft_test - &problem.gd_test));
            let split = five.nonlinearity.as_ref().zip(five.optimizer.as_ref()).map(|(a, b)| a + b).unwrap();
            assert!(largest(&(&split - four.nonlinearity.as_ref().unwrap())) < 1e-15);
            assert_eq!(four.optimizer, None);
            assert_eq!(Decomposition { optimizer: None, nonlinearity: four.nonlinearity.clone(), ..five }, four);
        }
    }

    #[test]
    fn gradient_descent_itself_has_no_optimizer_term() {
        let problem = Problem::with_ridge(0.0);
        let comparison = Comparison { gd_test: Some(&problem.ft_test), ..problem.comparison(HORIZONS[0]) };
        let terms = Decomposition::of(&comparison, Order::default()).unwrap();
        assert_eq!(terms.optimizer.as_ref().map(largest), Some(0.0));
        let plain = Decomposition::of(&problem.comparison(HORIZONS[0]), Order::default()).unwrap();
        assert_eq!(terms.nonlinearity, plain.nonlinearity);
    }

    #[test]
    fn where_only_the_optimizer_diverges_the_nonlinearity_of_gradient_descent_is_known() {
        let problem = Problem::with_ridge(0.0);
        let comparison =
            Comparison { ft_test: None, gd_test: Some(&problem.gd_test), ..problem.comparison(HORIZONS[0]) };
        let terms = Decomposition::of(&comparison, Order::default()).unwrap();
        assert_eq!((&terms.total, &terms.optimizer), (&None, &None));
        assert_eq!(terms.nonlinearity, Some(&problem.gd_test - &terms.linearized));
        terms.check(1e-10).unwrap();
    }

    #[test]
    fn a_term_that_is_off_fails_the_check_and_so_does_a_nan() {
        let problem = Problem::with_ridge(0.0);
        let mut terms = Decomposition::of(&problem.comparison(HORIZONS[0]), Order::default()).unwrap();
        terms.finite_width[(1, 1)] += 1e-6;
        assert!((terms.identity_residual() - 1e-6).abs() < 1e-12);
        assert!(matches!(terms.check(1e-10), Err(Error::Check(_))));
        terms.finite_width[(1, 1)] = f64::NAN;
        assert!(terms.check(1e-10).is_err());
    }

    /// As for an optimizer that keeps no time.
    #[test]
    fn at_the_end_of_training_no_time_is_missing() {
        let problem = Problem::with_ridge(0.5);
        let terms = Decomposition::of(&problem.comparison(Horizon::Infinite), Order::default()).unwrap();
        assert_eq!(terms.finite_time.rms(), 0.0);
        terms.check(1e-10).unwrap();
    }

    #[test]
    fn what_is_not_one_trained_network_is_refused() {
        let problem = Problem::with_ridge(0.0);
        let comparison = problem.comparison(HORIZONS[0]);
        let refused = |comparison: Comparison<'_>| Decomposition::of(&comparison, Order::default()).unwrap_err();

        let diverged = Matrix::from_fn(N_TEST, O, |i, _| if i == 2 { f64::INFINITY } else { 0.0 });
        let error = refused(Comparison { ft_test: Some(&diverged), ..comparison }).to_string();
        assert!(error.contains("test input 2, output 0"), "{error}");

        assert!(matches!(refused(Comparison { f0_test: &problem.f0_train, ..comparison }), Error::Shape { .. }));
    }
}
