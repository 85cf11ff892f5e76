//! Points for tests of what is read from all seeds together, whose truth is known because it was put in.

use super::row::{Point, Prediction};

/// Of a network at a test input; the kernels predict 0 there, and theory gives it a deviation of 1.
pub(super) fn prediction(test_point: usize, target: f64, network: f64) -> Prediction {
    Prediction {
        test_point,
        output: 0,
        target,
        network: Some(network),
        linearized: None,
        ntk: 0.0,
        ntk_at_time: Some(0.0),
        nngp: 0.0,
        deviation: Some(1.0),
    }
}

/// A network of depth 1, width 8 whose prediction at test point i, of target i, is i + `shift[i]`; the kernels predict i + 0.1.
pub(super) fn point(varied: &str, seed: u64, shift: &[f64]) -> Point {
    let row = serde_json::json!({
        "id": format!("{varied} {seed}"), "schema": 5, "study": "", "dataset": "made up", "varied": varied,
        "split_seed": 0, "label_noise": 0.0, "input_noise": 0.0, "d_in": 1, "d_out": 1, "n_train": 4, "n_test": 3,
        "activation": "relu", "parametrization": "ntk", "laziness": 1.0, "w_std": 1.0, "b_std": 0.0, "depth": 1, "width": 8,
        "initial_function": "plain", "seed": seed, "backend": "flex", "dtype": "f64", "ridge": 0.0, "optimizer": "",
        "learning_rate": 1.0, "n_steps": 1, "time": 1.0, "stop": "at-time", "is_reached": true, "outcome": "completed",
        "mse_ntk": 0.0, "mse_nngp": 0.0, "mse_rbf": 0.0, "mse_laplace": 0.0, "mse_matern": 0.0, "kernel_error": 0.0,
        "kernel_scale": 1.0, "eigenvalue_cutoff": 0.0, "n_dropped": 0,
    });
    let predictions = shift.iter().enumerate().map(|(i, shift)| Prediction {
        ntk: i as f64 + 0.1,
        ntk_at_time: Some(i as f64),
        ..prediction(i, i as f64, i as f64 + shift)
    });
    Point {
        row: serde_json::from_value(row).unwrap(),
        seconds: 0.0,
        predictions: predictions.collect(),
        trajectory: Vec::new(),
        modes: Vec::new(),
        directions: Vec::new(),
    }
}
