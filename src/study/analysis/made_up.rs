//! Rows and a manifest for tests of analyses, whose truth is known because it was put in.

use super::Evidence;
use crate::record::{Group, Manifest, Row};

/// A network that trained to its end and predicts exactly like its kernel.
pub(super) fn row(depth: usize, width: usize, seed: u64) -> Row {
    let row: Row = serde_json::from_str(ROW).unwrap();
    Row { id: format!("{depth}-{width}-{seed}"), depth, width, seed, ..row }
}

const ROW: &str = r#"{
        "id": "", "schema": 5, "study": "made up", "dataset": "concrete", "varied": "",
        "split_seed": 0, "label_noise": 0.0, "input_noise": 0.0, "d_in": 8, "d_out": 1, "n_train": 64, "n_test": 32,
        "activation": "relu", "parametrization": "ntk", "laziness": 1.0, "w_std": 1.5, "b_std": 0.0, "depth": 1, "width": 1,
        "initial_function": "plain", "seed": 0, "backend": "flex", "dtype": "f64", "ridge": 0.0,
        "optimizer": "gradient-descent", "learning_rate": 0.5, "stability_bound": 1.0, "n_steps": 100, "time": 50.0,
        "stop": "at-time", "is_reached": true, "outcome": "completed", "diverged_at": null, "loss_train": 0.0,
        "mse_network": 0.2, "mse_subtracted": 0.2, "mse_linearized": 0.2, "mse_ntk": 0.2, "mse_ntk_at_time": 0.2,
        "mse_empirical": 0.2, "mse_after": 0.2, "mse_nngp": 0.2, "accuracy_network": null, "accuracy_ntk": null,
        "accuracy_nngp": null, "mse_rbf": 0.2, "mse_laplace": 0.2, "mse_matern": 0.2, "gap_total": 0.0, "gap_at_time": 0.0,
        "gap_optimizer": null, "gap_nonlinearity": 0.0, "gap_initial_function": 0.0, "gap_finite_width": 0.0,
        "gap_finite_time": 0.0, "gap_discretization": 0.0, "identity_residual": 0.0, "kernel_error": 0.1, "kernel_scale": 1.0,
        "kernel_drift": 0.1, "kernel_alignment": 1.0, "target_alignment_start": 0.1, "target_alignment": 0.1,
        "parameter_distance": 0.1, "eigenvalue_cutoff": 0.0, "n_dropped": 0
    }"#;

/// Of a study with margin 0.1 at 95 %.
pub(super) fn manifest(n_points: usize) -> Manifest {
    Manifest {
        schema: 5,
        study: "made up".into(),
        question: String::new(),
        config: String::new(),
        backend: "flex".into(),
        dtype: "f64".into(),
        kernel_sums: None,
        root_seed: 1,
        n_seeds: 5,
        analysis: String::new(),
        data: Vec::new(),
        margin: 0.1,
        confidence: 0.95,
        earlier_criteria: Vec::new(),
        points: (0..n_points).map(|i| i.to_string()).collect(),
        computed_by: Vec::new(),
    }
}

/// What `read` finds in these rows and groups.
pub(super) fn with_evidence<T>(rows: &[Row], groups: &[Group], read: impl FnOnce(&Evidence<'_>) -> T) -> T {
    let manifest = manifest(rows.len());
    let rows: Vec<&Row> = rows.iter().collect();
    read(&Evidence { manifest: &manifest, rows: &rows, groups })
}
