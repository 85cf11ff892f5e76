//! Training under any loss L with the kernel held fixed, in function space (Lee et al. 2019, section 2.2), from any starting function:
//!
//! ```text
//! gradient flow    f' = -Theta(., X) dL/df(X)
//! with momentum    f'' + gamma f' = -Theta(., X) dL/df(X),  f'(0) = 0
//! ```
//!
//! At every input, training or test, f_t(x) = f_0(x) + Theta(x, X) c_t with one c_t, because all of them move by the same gradients. So c is
//! integrated, c' = -dL/df(X) - (lambda/(N O)) c, and any test inputs can be asked about afterwards. The pull lambda is that of
//! [`Flow`](super::Flow), towards theta_0.
//!
//! The error e of c is measured by sqrt(e^T Theta e), the norm of its function in the space of the kernel: times sqrt(Theta(x, x)) it bounds
//! the error at every input x, seen or not.

use super::Outputs;
use super::function_steps::Walk;
use super::integration::{Accuracy, Motion, Path};
use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};

/// The gradient of a loss in the outputs at the training inputs, of f and y `[N, O]`; as [`squared_slope`](super::squared_slope) and
/// [`cross_entropy_slope`](super::cross_entropy_slope).
pub type LossSlope<'a> = &'a dyn Fn(&Matrix, &Matrix) -> Matrix;

/// How a function moves down its loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Descent {
    /// Gradient flow; time is learning rate times step.
    Flow,
    /// With momentum, as [`Horizon::DampedTime`](super::Horizon::DampedTime); time is sqrt(learning rate) times step.
    Damped {
        /// gamma, not negative.
        friction: f64,
    },
    /// Step by step, as an optimizer takes them; time is the number of steps, a whole one.
    Steps {
        /// eta, positive.
        learning_rate: f64,
        /// beta, from 0, which is gradient descent, up to below 1.
        momentum: f64,
    },
}

/// Training in function space.
#[derive(Clone, Copy)]
pub struct FunctionDescent<'a> {
    /// Theta on the training inputs.
    pub k_train_train: &'a GramMatrix,
    /// What its rows stand for.
    pub outputs: Outputs,
    /// The gradient of the loss.
    pub slope: LossSlope<'a>,
    /// How it is followed.
    pub descent: Descent,
    /// lambda.
    pub ridge: f64,
}

/// A function that training led to: f_0 + Theta(., X) c.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// c, the weight of each training input, `[N, O]`.
    pub coefficients: Matrix,
    /// f_t(X), `[N, O]`.
    pub f_train: Matrix,
}

impl FunctionDescent<'_> {
    /// The functions at `times`, which ascend from 0, trained from f_0(X) = `f0_train` towards `y_train`.
    ///
    /// Continuous time is integrated in explicit steps, which are short where the kernel's largest eigenvalue is large, so what a small one is
    /// learned in may be out of reach: the number of steps grows as s_max t / N.
    ///
    /// # Shapes
    /// `f0_train` and `y_train` `[N, O]`.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::Input`] when the times do not ascend; [`Error::Stiff`]; [`Error::NotFinite`].
    pub fn train(
        &self,
        f0_train: &Matrix,
        y_train: &Matrix,
        times: &[f64],
        accuracy: Accuracy,
    ) -> Result<Vec<Trained>> {
        let moving = self.moving(f0_train, y_train)?;
        require_ascending(times)?;
        let (n_inputs, n_outputs) = y_train.shape();
        let n_entries = n_inputs * n_outputs;
        if let Descent::Steps { learning_rate, momentum } = self.descent {
            let mut walk = Walk::from(&moving, f0_train, (learning_rate, momentum));
            return times.iter().map(|&n_steps| walk.go_on_to(n_steps)).collect();
        }
        let mut start = vec![0.0; moving.n_parts() * n_entries];
        start[n_entries..2 * n_entries].copy_from_slice(f0_train.values());

        let mut path = Path::from(&moving, start, accuracy);
        times
            .iter()
            .map(|&time| {
                path.follow(time)?;
                let part = |k: usize| {
                    let values = path.position()[k * n_entries..(k + 1) * n_entries].to_vec();
                    Matrix::from_vec(n_inputs, n_outputs, values)
                };
                Ok(Trained { coefficients: part(0)?, f_train: part(1)? })
            })
            .collect()
    }

    fn moving<'a>(&'a self, f0_train: &Matrix, y_train: &'a Matrix) -> Result<Moving<'a>> {
        let n_rows = self.k_train_train.n();
        let (n_inputs, n_outputs) = match self.outputs {
            Outputs::Independent(n_outputs) => (n_rows, n_outputs),
            Outputs::Coupled(n_outputs) => (n_rows / n_outputs.max(1), n_outputs),
        };
        let expected = (n_inputs, n_outputs);
        let is_whole = n_inputs > 0 && n_outputs > 0 && (n_inputs * n_outputs).is_multiple_of(n_rows);
        if !is_whole {
            let found = format!("{n_rows} rows");
            return Err(Error::shape(
                "kernel on the training inputs",
                format!("{n_outputs} rows for each input"),
                found,
            ));
        }
        require_shape("targets of the training inputs", expected, y_train)?;
        require_shape("f_0 at the training inputs", expected, f0_train)?;
        require_shape("gradient of the loss", expected, &(self.slope)(f0_train, y_train))?;
        let largest_diagonal = (0..n_rows).map(|i| self.k_train_train[(i, i)]).fold(0.0, f64::max);
        let friction = match self.descent {
            Descent::Damped { friction } => Some(friction),
            Descent::Flow | Descent::Steps { .. } => None,
        };
        Ok(Moving { descent: self, friction, y_train, largest_diagonal })
    }
}

impl Trained {
    /// f_t(x*) from f_0(x*).
    ///
    /// # Shapes
    /// `k_test_train` `[n_test, N]`, or `[n_test O, N O]` when [`Outputs::Coupled`]; `f0_test` `[n_test, O]`.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn predict(&self, k_test_train: &Matrix, f0_test: &Matrix) -> Result<Matrix> {
        let n_entries = self.coefficients.values().len();
        let (n_inputs, n_columns) = (self.coefficients.n_rows(), k_test_train.n_cols());
        if n_columns != n_inputs && n_columns != n_entries {
            return Err(Error::shape("columns of the test-train kernel", n_inputs, n_columns));
        }
        let stacked = self.coefficients.clone().reshape(n_columns, n_entries / n_columns)?;
        let (n_test, n_outputs) = f0_test.shape();
        Ok(f0_test + &k_test_train.matmul(&stacked).reshape(n_test, n_outputs)?)
    }
}

/// The state is (c, f(X)), and (c, f(X), c', f'(X)) with momentum. That f = f_0 + Theta c is kept beside c costs no product, and tells the
/// kernel's norm of a c by an inner product.
pub(super) struct Moving<'a> {
    descent: &'a FunctionDescent<'a>,
    /// With momentum, in continuous time.
    friction: Option<f64>,
    y_train: &'a Matrix,
    largest_diagonal: f64,
}

impl Moving<'_> {
    fn n_parts(&self) -> usize {
        if self.friction.is_some() { 4 } else { 2 }
    }

    /// -dL/df - (lambda / (N O)) c, the force on c.
    pub(super) fn force(&self, c: &[f64], f: &[f64]) -> Vec<f64> {
        let n_entries = f.len();
        let mut outputs = Matrix::zeros(self.y_train.n_rows(), self.y_train.n_cols());
        outputs.values_mut().copy_from_slice(f);
        let slope = (self.descent.slope)(&outputs, self.y_train);
        let pull = self.descent.ridge / n_entries as f64;
        slope.values().iter().zip(c).map(|(slope, c)| -slope - pull * c).collect()
    }

    /// Theta applied to coefficients.
    pub(super) fn function(&self, coefficients: &[f64], function: &mut [f64]) {
        let n_rows = self.descent.k_train_train.n();
        let mut stacked = Matrix::zeros(n_rows, coefficients.len() / n_rows);
        stacked.values_mut().copy_from_slice(coefficients);
        function.copy_from_slice(self.descent.k_train_train.as_matrix().matmul(&stacked).values());
    }

    /// The largest value that the function of these coefficients can have, anywhere where the kernel is no larger than on the training
    /// inputs.
    fn bound(&self, coefficients: &[f64], function: &[f64]) -> f64 {
        let square: f64 = coefficients.iter().zip(function).map(|(c, f)| c * f).sum();
        // Positive but for rounding.
        (square.abs() * self.largest_diagonal).sqrt()
    }
}

impl Motion for Moving<'_> {
    fn slope(&self, x: &[f64], slope: &mut [f64]) {
        let n = self.y_train.values().len();
        let force = self.force(&x[..n], &x[n..2 * n]);
        match self.friction {
            None => {
                let (c, f) = slope.split_at_mut(n);
                c.copy_from_slice(&force);
                self.function(c, f);
            }
            Some(friction) => {
                let (positions, velocities) = slope.split_at_mut(2 * n);
                positions.copy_from_slice(&x[2 * n..]);
                let (c, f) = velocities.split_at_mut(n);
                for ((c, force), velocity) in c.iter_mut().zip(force).zip(&x[2 * n..3 * n]) {
                    *c = force - friction * velocity;
                }
                self.function(c, f);
            }
        }
    }

    fn sizes(&self, x: &[f64]) -> [f64; 2] {
        let n = self.y_train.values().len();
        let largest = |values: &[f64]| values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let velocity = if x.len() > 2 * n { self.bound(&x[2 * n..3 * n], &x[3 * n..]) } else { 0.0 };
        [largest(&x[n..2 * n]).max(largest(self.y_train.values())), velocity]
    }

    fn errors(&self, error: &[f64]) -> [f64; 2] {
        let n = self.y_train.values().len();
        let velocity = if error.len() > 2 * n { self.bound(&error[2 * n..3 * n], &error[3 * n..]) } else { 0.0 };
        [self.bound(&error[..n], &error[n..2 * n]), velocity]
    }
}

fn require_shape(what: &str, (n_rows, n_cols): (usize, usize), found: &Matrix) -> Result<()> {
    if found.shape() == (n_rows, n_cols) {
        return Ok(());
    }
    Err(Error::shape(what, format!("{n_rows} x {n_cols}"), format!("{} x {}", found.n_rows(), found.n_cols())))
}

fn require_ascending(times: &[f64]) -> Result<()> {
    let before = std::iter::once(0.0).chain(times.iter().copied());
    for (before, &time) in before.zip(times) {
        // Written so that a NaN fails.
        if !(time >= before && time.is_finite()) {
            let problem = format!("{time} after {before}");
            return Err(Error::input("times of training", problem, "give finite times that ascend from 0"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Flow, Horizon, cross_entropy_slope, squared_slope};

    const N: usize = 6;
    const O: usize = 2;

    fn kernel(a: f64, b: f64) -> f64 {
        2.0 * (-(a - b).abs()).exp() + 0.3 * a * b
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

    fn wave(n_rows: usize, phase: f64) -> Matrix {
        Matrix::from_fn(n_rows, O, |i, j| (1.3 * (i * O + j) as f64 + phase).sin())
    }

    fn classes() -> Matrix {
        Matrix::from_fn(N, O, |i, j| f64::from(i % O == j))
    }

    fn largest(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    fn descent<'a>(k_train_train: &'a GramMatrix, slope: LossSlope<'a>, descent: Descent) -> FunctionDescent<'a> {
        FunctionDescent { k_train_train, outputs: Outputs::Independent(O), slope, descent, ridge: 0.0 }
    }

    #[test]
    fn under_the_squared_loss_integration_equals_the_closed_form_at_training_and_test_inputs() {
        let (gram, f0_train, f0_test, y) = (gram(), wave(N, 0.2), wave(3, 0.4), wave(N, 0.9));
        let times = [0.0, 0.5, 10.0, 60.0];
        for ridge in [0.0, 0.4] {
            let flow = Flow::new(&gram, Outputs::Independent(O), ridge, 1e-14).unwrap();
            for friction in [None, Some(0.2), Some(3.0)] {
                let way = friction.map_or(Descent::Flow, |friction| Descent::Damped { friction });
                let found = FunctionDescent { ridge, ..descent(&gram, &squared_slope, way) };
                let found = found.train(&f0_train, &y, &times, Accuracy::default()).unwrap();
                for (&time, found) in times.iter().zip(&found) {
                    let horizon =
                        friction.map_or(Horizon::Time(time), |friction| Horizon::DampedTime { friction, time });
                    let expected = |k: &Matrix, f0| f0 + &flow.predict(k, horizon, &(&y - &f0_train)).unwrap();
                    let at_train = &found.f_train - &expected(gram.as_matrix(), &f0_train);
                    let at_test = &found.predict(&test_block(), &f0_test).unwrap() - &expected(&test_block(), &f0_test);
                    let gap = largest(&at_train).max(largest(&at_test));
                    assert!(gap < 2e-9, "{way:?}, ridge {ridge}, time {time}: {gap:e}");
                }
            }
        }
    }

    /// Gradient descent with momentum on the cross-entropy in parameter space; f = J w is linear.
    fn trained_classifier(j: &Matrix, y: &Matrix, (eta, beta): (f64, f64), n_steps: u64) -> Matrix {
        let zeros = || Matrix::zeros(j.n_cols(), O);
        let (w, _) = (0..n_steps).fold((zeros(), zeros()), |(w, v), _| {
            let v = &v.map(|v| beta * v) + &j.transpose().matmul(&cross_entropy_slope(&j.matmul(&w), y));
            (&w - &v.map(|v| eta * v), v)
        });
        w
    }

    #[test]
    fn a_linear_classifier_trained_in_small_steps_equals_the_flow_of_the_cross_entropy() {
        let features = |n: usize, shift: f64| Matrix::from_fn(n, 9, |i, j| ((i * 9 + j) as f64 * 0.77 + shift).sin());
        let (j_train, j_test) = (features(N, 0.0), features(3, 0.4));
        let gram = GramMatrix::from_symmetric(j_train.matmul(&j_train.transpose()), 1e-14).unwrap();
        let zeros = |n| Matrix::zeros(n, O);
        let time: f64 = 4.0;
        for friction in [None, Some(0.5)] {
            let way = friction.map_or(Descent::Flow, |friction| Descent::Damped { friction });
            let trained = descent(&gram, &cross_entropy_slope, way);
            let trained = trained.train(&zeros(N), &classes(), &[time], Accuracy::default()).unwrap();
            let found = trained[0].predict(&j_test.matmul(&j_train.transpose()), &zeros(3)).unwrap();
            let error = |n_steps: u64| {
                let step = time / n_steps as f64;
                let rule = friction.map_or((step, 0.0), |friction| (step * step, 1.0 - friction * step));
                largest(&(&found - &j_test.matmul(&trained_classifier(&j_train, &classes(), rule, n_steps))))
            };
            // First order: ten times the steps, a tenth of the error.
            let ratio = error(200) / error(2000);
            assert!((ratio - 10.0).abs() < 0.5, "{friction:?}: {ratio}");
        }
    }

    /// f_t(x*) of `neural_tangents.predict.gradient_descent` 0.6.5 with -sum(log_softmax(f) * y) / N, by (learning_rate, momentum, t): (1, none,
    /// 20) and (0.25, 0.8, 40).
    const NEURAL_TANGENTS: [[[f64; O]; 3]; 2] = [
        [
            [0.522_283_477_617_925_4, 0.858_799_675_143_193_9],
            [1.961_237_123_447_122_6, -2.736_283_052_136_710_3],
            [0.535_520_881_454_117_1, -0.588_347_754_938_238],
        ],
        [
            [0.495_905_058_638_410_7, 0.885_178_094_122_708_6],
            [2.813_439_057_561_513_6, -3.588_484_986_251_103_7],
            [1.145_647_145_603_527_5, -1.198_474_019_087_648],
        ],
    ];

    #[test]
    fn the_cross_entropy_with_and_without_momentum_is_followed_as_by_neural_tangents() {
        let gram = gram();
        let ways = [(Descent::Flow, 20.0), (Descent::Damped { friction: 0.2 / 0.5 }, 0.5 * 40.0)];
        for ((way, time), expected) in ways.into_iter().zip(NEURAL_TANGENTS) {
            let trained = descent(&gram, &cross_entropy_slope, way);
            let trained = trained.train(&wave(N, 0.2), &classes(), &[time], Accuracy::default()).unwrap();
            let found = trained[0].predict(&test_block(), &wave(3, 0.4)).unwrap();
            let gap = largest(&(&found - &Matrix::from_fn(3, O, |i, k| expected[i][k])));
            // Their integrator allows 1.4e-8 in every step.
            assert!(gap < 1e-6, "{way:?}: {gap:e}");
        }
    }

    #[test]
    fn two_softmax_outputs_are_one_logistic_output() {
        // Their sum never moves from 0, and their difference f is one function of loss log(1 + e^{-+f}) under twice the kernel.
        let gram = gram();
        let doubled = GramMatrix::from_lower(N, |i, j| 2.0 * gram[(i, j)]);
        let logistic = |f: &Matrix, y: &Matrix| {
            Matrix::from_fn(N, 1, |i, _| (1.0 / (1.0 + (-f[(i, 0)]).exp()) - y[(i, 0)]) / N as f64)
        };
        let one = FunctionDescent { outputs: Outputs::Independent(1), ..descent(&doubled, &logistic, Descent::Flow) };
        let y = Matrix::from_fn(N, 1, |i, _| classes()[(i, 0)]);
        let expected = one.train(&Matrix::zeros(N, 1), &y, &[30.0], Accuracy::default()).unwrap();
        let two = descent(&gram, &cross_entropy_slope, Descent::Flow);
        let found = two.train(&Matrix::zeros(N, O), &classes(), &[30.0], Accuracy::default()).unwrap();
        for i in 0..N {
            let [a, b] = [0, 1].map(|k| found[0].f_train[(i, k)]);
            assert!((a - b - expected[0].f_train[(i, 0)]).abs() < 1e-8 && (a + b).abs() < 1e-8, "{i}");
        }
    }

    #[test]
    fn a_kernel_shared_by_all_outputs_equals_its_full_block_matrix() {
        let full = |k: &Matrix| {
            Matrix::from_fn(k.n_rows() * O, k.n_cols() * O, |r, c| if r % O == c % O { k[(r / O, c / O)] } else { 0.0 })
        };
        let gram = gram();
        let gram_full = GramMatrix::from_symmetric(full(gram.as_matrix()), 0.0).unwrap();
        let shared = descent(&gram, &cross_entropy_slope, Descent::Flow);
        let coupled = FunctionDescent { k_train_train: &gram_full, outputs: Outputs::Coupled(O), ..shared };
        let train = |way: FunctionDescent<'_>| {
            way.train(&wave(N, 0.3), &classes(), &[3.0], Accuracy::default()).unwrap().swap_remove(0)
        };
        let expected = train(shared).predict(&test_block(), &wave(3, 0.1)).unwrap();
        let found = train(coupled).predict(&full(&test_block()), &wave(3, 0.1)).unwrap();
        assert!(largest(&(&found - &expected)) < 1e-9);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let gram = gram();
        let descent = descent(&gram, &squared_slope, Descent::Flow);
        let refused =
            |f0: &Matrix, y: &Matrix, times: &[f64]| descent.train(f0, y, times, Accuracy::default()).is_err();
        assert!(refused(&wave(N - 1, 0.0), &wave(N, 0.0), &[1.0]));
        assert!(refused(&wave(N, 0.0), &wave(N - 1, 0.0), &[1.0]));
        for times in [[2.0, 1.0], [-1.0, 0.0], [0.0, f64::NAN], [0.0, f64::INFINITY]] {
            assert!(refused(&wave(N, 0.0), &wave(N, 0.1), &times));
        }
    }
}
