//! The mean and covariance of the infinite ensemble against networks drawn one by one, trained, and counted.
//!
//! For R networks the standard error of a mean is sqrt(C_ii / R), of a covariance sqrt((C_ii C_jj + C_ij^2) / R), as the functions are
//! Gaussian. A comparison fails beyond 4.5 of them: 7 in a million at a right theory.

use ntk::dynamics::{Ensemble, Flow, Horizon, KernelPredictor, Outputs, Prior, ensemble};
use ntk::linalg::{GramMatrix, Matrix};
use ntk::seed::{standard_normals, stream};

const STANDARD_ERRORS: f64 = 4.5;

/// Predictions of the networks, one in a column, beside the theory; `bias` is what the theory may be off by, relative to the standard
/// deviations.
fn require_agreement(networks: &Matrix, expected: &Ensemble, bias: f64, what: &str) {
    let n_networks = networks.n_cols() as f64;
    let means: Vec<f64> = networks.rows().map(|row| row.iter().sum::<f64>() / n_networks).collect();
    let c = &expected.covariance;
    for i in 0..networks.n_rows() {
        let gap = (means[i] - expected.mean[(i, 0)]).abs() / c[(i, i)].sqrt();
        assert!(gap < STANDARD_ERRORS / n_networks.sqrt() + bias, "{what}: mean {i} is off by {gap} deviations");
        for j in 0..=i {
            let pairs = networks.row(i).iter().zip(networks.row(j));
            let found = pairs.map(|(a, b)| (a - means[i]) * (b - means[j])).sum::<f64>() / (n_networks - 1.0);
            let unit = (c[(i, i)] * c[(j, j)]).sqrt();
            let standard_error = ((1.0 + (c[(i, j)] / unit).powi(2)) / n_networks).sqrt();
            let gap = (found - c[(i, j)]).abs() / unit;
            assert!(gap < STANDARD_ERRORS * standard_error + bias, "{what}: covariance {i}, {j} is off by {gap}");
        }
    }
}

fn wave(n_rows: usize, n_cols: usize, phase: f64) -> Matrix {
    Matrix::from_fn(n_rows, n_cols, |i, j| ((i * n_cols + j) as f64 * 0.77 + phase).sin())
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    a.matmul(&b.transpose())
}

fn gram(features: &Matrix) -> GramMatrix {
    GramMatrix::from_symmetric(product(features, features), 1e-13).unwrap()
}

fn side_by_side(a: &Matrix, b: &Matrix) -> Matrix {
    let n = a.n_cols();
    Matrix::from_fn(a.n_rows(), n + b.n_cols(), |i, j| if j < n { a[(i, j)] } else { b[(i, j - n)] })
}

/// f = J theta, theta ~ N(0, I), of which the first parameters alone are trained: the kernel of training is not that of the initial
/// functions. 20,000 networks, 6 means and covariances at each of 5 horizons.
#[test]
fn linear_models_trained_in_parameter_space_have_the_mean_and_covariance_of_the_ensemble() {
    const N: usize = 5;
    const R: usize = 20_000;
    let (trained_train, trained_test) = (wave(N, 9, 0.0), wave(3, 9, 0.4));
    let (frozen_train, frozen_test) = (wave(N, 4, 1.0), wave(3, 4, 1.7));
    let (all_train, all_test) =
        (side_by_side(&trained_train, &frozen_train), side_by_side(&trained_test, &frozen_test));
    let y = wave(N, 1, 0.3);

    let flow = Flow::new(&gram(&trained_train), Outputs::Independent(1), 0.0, 1e-13).unwrap();
    let k_test_train = product(&trained_test, &trained_train);
    let dynamics = KernelPredictor { flow: &flow, k_test_train: &k_test_train };
    let (k, k_star, k_star_star) = (gram(&all_train), product(&all_test, &all_train), gram(&all_test));
    let prior = Prior { k_train_train: &k, k_test_train: &k_star, k_test_test: &k_star_star };

    let mut draws = stream(3, "linear ensemble");
    let mut trained = Matrix::from_vec(9, R, standard_normals(&mut draws, 9 * R)).unwrap();
    let mut velocity = Matrix::zeros(9, R);
    let frozen = Matrix::from_vec(4, R, standard_normals(&mut draws, 4 * R)).unwrap();
    let targets = Matrix::from_fn(N, R, |i, _| y[(i, 0)]);
    let momentum = 0.8;
    let learning_rate = 0.5 * flow.stability_bound();
    let mut n_steps = 0;
    for until in [0, 1, 4, 16, 64] {
        while n_steps < until {
            let residual = &(&trained_train.matmul(&trained) + &frozen_train.matmul(&frozen)) - &targets;
            let gradient = trained_train.transpose().matmul(&residual).map(|g| g / N as f64);
            velocity = &velocity.map(|v| momentum * v) + &gradient;
            trained = &trained - &velocity.map(|v| learning_rate * v);
            n_steps += 1;
        }
        let networks = &trained_test.matmul(&trained) + &frozen_test.matmul(&frozen);
        let expected = ensemble(dynamics, prior, Horizon::Momentum { learning_rate, momentum, n_steps }, &y).unwrap();
        require_agreement(&networks, &expected, 0.0, &format!("{n_steps} steps"));
    }
}

/// Networks of one hidden layer, f = sum_k a_k relu(w_k x) / sqrt(n), linearized at their own initialization in all parameters.
///
/// 2000 networks of width 1024; their kernels are off by some n^-1/2 each, which moves the mean and covariance by some n^-1.
#[test]
fn wide_linearized_networks_have_the_mean_and_covariance_of_the_infinite_ensemble() {
    const WIDTH: usize = 1024;
    const R: usize = 2000;
    let x = |i: usize| {
        let angle = 0.9 * i as f64;
        let radius = 1.0 + 0.3 * (i as f64).sin();
        [radius * angle.cos(), radius * angle.sin()]
    };
    let n_inputs = 7;
    let train = [0, 1, 3, 4];
    let test = [2, 5, 6];
    let y = wave(train.len(), 1, 0.3);
    let inner = Matrix::from_fn(n_inputs, n_inputs, |i, j| x(i)[0] * x(j)[0] + x(i)[1] * x(j)[1]);
    let block = |k: &Matrix, rows: &[usize], columns: &[usize]| {
        Matrix::from_fn(rows.len(), columns.len(), |i, j| k[(rows[i], columns[j])])
    };
    let square = |k: &Matrix, rows: &[usize]| GramMatrix::from_symmetric(block(k, rows, rows), 1e-12).unwrap();
    let flow = |ntk: &Matrix| Flow::new(&square(ntk, &train), Outputs::Independent(1), 0.0, 1e-13).unwrap();
    let horizon = Horizon::Time(6.0);

    // Cho and Saul 2009.
    let angle = Matrix::from_fn(n_inputs, n_inputs, |i, j| {
        let scale = (inner[(i, i)] * inner[(j, j)]).sqrt();
        (scale * scale - inner[(i, j)].powi(2)).max(0.0).sqrt().atan2(inner[(i, j)])
    });
    let pi = std::f64::consts::PI;
    let nngp = Matrix::from_fn(n_inputs, n_inputs, |i, j| {
        let (scale, t) = ((inner[(i, i)] * inner[(j, j)]).sqrt(), angle[(i, j)]);
        scale * (t.sin() + (pi - t) * t.cos()) / (2.0 * pi)
    });
    let both_active = angle.map(|t| (pi - t) / (2.0 * pi));
    let ntk = Matrix::from_fn(n_inputs, n_inputs, |i, j| nngp[(i, j)] + inner[(i, j)] * both_active[(i, j)]);

    let limit = flow(&ntk);
    let (k, k_star, k_star_star) = (square(&nngp, &train), block(&nngp, &test, &train), square(&nngp, &test));
    let prior = Prior { k_train_train: &k, k_test_train: &k_star, k_test_test: &k_star_star };
    let ntk_star = block(&ntk, &test, &train);
    let expected = ensemble(KernelPredictor { flow: &limit, k_test_train: &ntk_star }, prior, horizon, &y).unwrap();

    let mut draws = stream(5, "wide ensemble");
    let mut networks = Matrix::zeros(test.len(), R);
    for network in 0..R {
        let weights = Matrix::from_vec(WIDTH, 2, standard_normals(&mut draws, 2 * WIDTH)).unwrap();
        let readout = Matrix::from_vec(WIDTH, 1, standard_normals(&mut draws, WIDTH)).unwrap();
        let root = 1.0 / (WIDTH as f64).sqrt();
        let z = Matrix::from_fn(n_inputs, WIDTH, |i, k| x(i)[0] * weights[(k, 0)] + x(i)[1] * weights[(k, 1)]);
        let hidden = z.map(|z| root * z.max(0.0));
        let slopes =
            Matrix::from_fn(n_inputs, WIDTH, |i, k| if z[(i, k)] > 0.0 { root * readout[(k, 0)] } else { 0.0 });
        let f0 = hidden.matmul(&readout);
        let (of_readout, of_weights) = (product(&hidden, &hidden), product(&slopes, &slopes));
        let own = Matrix::from_fn(n_inputs, n_inputs, |i, j| of_readout[(i, j)] + inner[(i, j)] * of_weights[(i, j)]);

        let residual = &y - &f0.select_rows(&train);
        let learned = flow(&own).predict(&block(&own, &test, &train), horizon, &residual).unwrap();
        let trained = &f0.select_rows(&test) + &learned;
        for i in 0..test.len() {
            networks[(i, network)] = trained[(i, 0)];
        }
    }
    require_agreement(&networks, &expected, 10.0 / WIDTH as f64, "wide networks");
}
