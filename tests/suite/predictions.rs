//! Every closed-form prediction of neural-tangents 0.6.5 that this crate makes too, from the same kernels.
//!
//! The conventions agree (half the mean squared error over N O entries, time = learning rate x step) but for two, met
//! below by the kernel that is passed in. With a ridge, neural-tangents reports at its *training* inputs Theta + lambda
//! I in front of the solve, not Theta. And it takes the covariance of the initial functions to be K + lambda I when
//! they are trained under that same kernel.

use ntk::dynamics::{
    Accuracy, Descent, Ensemble, Flow, FunctionDescent, Horizon, KernelPredictor, Outputs, Prior, ensemble,
    squared_slope,
};
use ntk::linalg::{GramMatrix, Matrix};
use ntk::regress::{kernel_ridge, posterior};
use serde_json::Value;

/// Relative to the largest expected entry, or to the prior where a covariance vanishes: rounding alone, on 5 x 5
/// systems.
const TOLERANCE: f64 = 1e-10;

/// Where neural-tangents integrates, relative likewise: the sum of its errors, each 1.4e-8 of a step at most.
const THEIR_INTEGRATOR: f64 = 1e-7;

/// Some ten steps with errors of 1e-10 each, against the closed form.
const OUR_INTEGRATOR: f64 = 1e-9;

const GOLDEN: &str = include_str!("../golden/predictions.json");

/// The blocks of one kernel: train-train, test-train, test-test.
struct Blocks {
    k_train_train: GramMatrix,
    k_test_train: Matrix,
    k_test_test: GramMatrix,
}

struct Problem {
    nngp: Blocks,
    ntk: Blocks,
    y_train: Matrix,
    f0_train: Matrix,
    f0_test: Matrix,
}

#[test]
fn predictions_equal_those_of_neural_tangents() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let mut n_results = 0;
    let mut n_numbers = 0;
    for entry in golden["predictions"].as_array().unwrap() {
        let problem = Problem::read(entry);
        for result in entry["results"].as_array().unwrap() {
            n_results += 1;
            n_numbers += match result["fn"].as_str().unwrap() {
                "gradient_descent_mse" => check_gradient_descent(&problem, result),
                "gp_inference" => check_inference(&problem, result),
                "gradient_descent_mse_ensemble" => check_ensemble(&problem, result),
                "gradient_descent" => check_momentum(&problem, result),
                other => panic!("a function this test does not know: {other}"),
            };
        }
    }
    // 5 training and 4 test inputs, one output: 12 x (5 + 4) and 2 x 5 numbers of gradient flow, 6 x (4 + 16) of
    // inference, 12 x (4 + 16 + 5 + 25) of ensembles, 4 x (5 + 4) of gradient flow and momentum by integration.
    assert_eq!(n_results, 36);
    assert_eq!(n_numbers, 108 + 10 + 120 + 600 + 36);
}

#[test]
fn the_stability_bound_is_the_maximal_learning_rate_of_neural_tangents() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let entries = golden["predictions"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    for entry in entries {
        let bound = Problem::read(entry).flow(&gram(&entry["k_dd"]["ntk"]), 0.0).stability_bound();
        // neural-tangents adds 1e-12 to the largest eigenvalue, below the tolerance.
        let expected = entry["max_learning_rate"]["mse_default"].as_f64().unwrap();
        assert!((bound / expected - 1.0).abs() < TOLERANCE, "{bound} against {expected}");
    }
}

/// f_T from the given f_0, at training and test inputs.
fn check_gradient_descent(problem: &Problem, result: &Value) -> usize {
    let blocks = problem.kernel(result);
    let ridge = number(result, "ridge");
    let flow = problem.flow(&blocks.k_train_train, ridge);
    let residual = &problem.y_train - &problem.f0_train;
    let trained = |f0: &Matrix, k: &Matrix| f0 + &flow.predict(k, horizon(result), &residual).unwrap();

    if result["f_train_regularised"].is_array() {
        let f_train = trained(&problem.f0_train, blocks.k_train_train.as_matrix());
        return agree(result, "f_train_regularised", &f_train, 0.0);
    }
    let f_train = trained(&problem.f0_train, with_ridge(&blocks.k_train_train, ridge).as_matrix());
    let f_test = trained(&problem.f0_test, &blocks.k_test_train);
    agree(result, "f_train", &f_train, 0.0) + agree(result, "f_test", &f_test, 0.0)
}

/// The squared loss with and without momentum, integrated there; here in closed form, and integrated too.
fn check_momentum(problem: &Problem, result: &Value) -> usize {
    assert_eq!(result["loss"], "0.5*mean((f-y)^2)");
    let blocks = problem.kernel(result);
    let flow = problem.flow(&blocks.k_train_train, 0.0);
    let horizon = match result["momentum"].as_f64() {
        Some(momentum) => Horizon::momentum_flow(number(result, "lr"), momentum, number(result, "t")),
        None => horizon(result),
    };
    let (descent, time) = match horizon {
        Horizon::DampedTime { friction, time } => (Descent::Damped { friction }, time),
        Horizon::Time(time) => (Descent::Flow, time),
        other => panic!("an integration without a time: {other:?}"),
    };
    let residual = &problem.y_train - &problem.f0_train;
    let trained = |f0: &Matrix, k: &Matrix| f0 + &flow.predict(k, horizon, &residual).unwrap();
    let f_train = trained(&problem.f0_train, blocks.k_train_train.as_matrix());
    let f_test = trained(&problem.f0_test, &blocks.k_test_train);

    let k_train_train = &blocks.k_train_train;
    let outputs = Outputs::Independent(problem.y_train.n_cols());
    let descent = FunctionDescent { k_train_train, outputs, slope: &squared_slope, descent, ridge: 0.0 };
    let integrated = descent.train(&problem.f0_train, &problem.y_train, &[time], Accuracy::default()).unwrap();
    let at_test = integrated[0].predict(&blocks.k_test_train, &problem.f0_test).unwrap();
    for (integrated, closed) in [(&integrated[0].f_train, &f_train), (&at_test, &f_test)] {
        assert!(largest(&(integrated - closed)) < OUR_INTEGRATOR, "{result}");
    }

    agree_within(THEIR_INTEGRATOR, result, "f_train", &f_train, 0.0)
        + agree_within(THEIR_INTEGRATOR, result, "f_test", &f_test, 0.0)
}

/// The limit of training: a posterior when a function is trained under its own kernel, the ensemble under the NTK.
fn check_inference(problem: &Problem, result: &Value) -> usize {
    let blocks = problem.kernel(result);
    let ridge = number(result, "ridge");
    let (k, k_star, y_train) = (&blocks.k_train_train, &blocks.k_test_train, &problem.y_train);
    let regression = kernel_ridge(k, k_star, y_train, ridge).unwrap();
    agree(result, "mean_test", &regression, 0.0);

    let (mean, covariance) = match result["kernel"].as_str().unwrap() {
        "ntk" => {
            let at_test = problem.ensemble(blocks, &problem.nngp.k_train_train, ridge, Horizon::Infinite);
            (at_test.mean, at_test.covariance)
        }
        _ => {
            let exact = posterior(k, k_star, &blocks.k_test_test, y_train, ridge).unwrap();
            (exact.mean, exact.covariance)
        }
    };
    agree(result, "mean_test", &mean, 0.0) + agree(result, "cov_test", covariance.as_matrix(), 0.0)
}

/// Mean and covariance over initializations at finite and infinite time, at training and test inputs.
fn check_ensemble(problem: &Problem, result: &Value) -> usize {
    let dynamics = problem.kernel(result);
    let ridge = number(result, "ridge");
    let k_train_train = match result["kernel"].as_str().unwrap() {
        "nngp" => with_ridge(&problem.nngp.k_train_train, ridge),
        _ => problem.nngp.k_train_train.clone(),
    };
    let at_test = problem.ensemble(dynamics, &k_train_train, ridge, horizon(result));

    let flow = problem.flow(&dynamics.k_train_train, ridge);
    let in_front = with_ridge(&dynamics.k_train_train, ridge);
    let prior =
        Prior { k_train_train: &k_train_train, k_test_train: k_train_train.as_matrix(), k_test_test: &k_train_train };
    let at_train = KernelPredictor { flow: &flow, k_test_train: in_front.as_matrix() };
    let at_train = ensemble(at_train, prior, horizon(result), &problem.y_train).unwrap();

    let prior_scale = largest(k_train_train.as_matrix());
    agree(result, "mean_test", &at_test.mean, 0.0)
        + agree(result, "cov_test", at_test.covariance.as_matrix(), prior_scale)
        + agree(result, "mean_train", &at_train.mean, 0.0)
        + agree(result, "cov_train", at_train.covariance.as_matrix(), prior_scale)
}

impl Problem {
    fn read(entry: &Value) -> Self {
        let blocks = |kernel: &str| Blocks {
            k_train_train: gram(&entry["k_dd"][kernel]),
            k_test_train: matrix(&entry["k_td"][kernel]),
            k_test_test: gram(&entry["k_tt"][kernel]),
        };
        Self {
            nngp: blocks("nngp"),
            ntk: blocks("ntk"),
            y_train: matrix(&entry["y_train"]),
            f0_train: matrix(&entry["f0_train"]),
            f0_test: matrix(&entry["f0_test"]),
        }
    }

    /// The kernel whose dynamics a result is about.
    fn kernel(&self, result: &Value) -> &Blocks {
        match result["kernel"].as_str().unwrap() {
            "nngp" => &self.nngp,
            "ntk" | "ntkgp" => &self.ntk,
            other => panic!("a kernel this test does not know: {other}"),
        }
    }

    fn flow(&self, k_train_train: &GramMatrix, ridge: f64) -> Flow {
        let cutoff = Flow::rounding_cutoff(k_train_train.n(), f64::EPSILON);
        Flow::new(k_train_train, Outputs::Independent(self.y_train.n_cols()), ridge, cutoff).unwrap()
    }

    fn ensemble(&self, dynamics: &Blocks, k_train_train: &GramMatrix, ridge: f64, horizon: Horizon) -> Ensemble {
        let flow = self.flow(&dynamics.k_train_train, ridge);
        let at_test = KernelPredictor { flow: &flow, k_test_train: &dynamics.k_test_train };
        let prior = Prior { k_train_train, k_test_train: &self.nngp.k_test_train, k_test_test: &self.nngp.k_test_test };
        ensemble(at_test, prior, horizon, &self.y_train).unwrap()
    }
}

/// neural-tangents' time is in steps of its learning rate; no time means the limit.
fn horizon(result: &Value) -> Horizon {
    result["t"].as_f64().map_or(Horizon::Infinite, |t| Horizon::Time(t * number(result, "lr")))
}

fn with_ridge(k: &GramMatrix, ridge: f64) -> GramMatrix {
    GramMatrix::from_lower(k.n(), |i, j| k[(i, j)] + if i == j { ridge } else { 0.0 })
}

/// Compares one matrix of the golden file and returns how many numbers it holds.
fn agree(result: &Value, key: &str, found: &Matrix, least_scale: f64) -> usize {
    agree_within(TOLERANCE, result, key, found, least_scale)
}

fn agree_within(tolerance: f64, result: &Value, key: &str, found: &Matrix, least_scale: f64) -> usize {
    let expected = matrix(&result[key]);
    assert_eq!(found.shape(), expected.shape(), "{key} of {result}");
    let gap = largest(&(found - &expected)) / largest(&expected).max(least_scale);
    assert!(gap < tolerance, "{key} is off by {gap:e} in {result}");
    expected.values().len()
}

fn largest(matrix: &Matrix) -> f64 {
    matrix.values().iter().fold(0.0, |m, v| m.max(v.abs()))
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap()
}

fn matrix(value: &Value) -> Matrix {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    Matrix::from_vec(rows.len(), rows[0].len(), rows.concat()).unwrap()
}

fn gram(value: &Value) -> GramMatrix {
    GramMatrix::from_symmetric(matrix(value), 1e-14).unwrap()
}
