//! Rows and a manifest whose truth is known, for tests.

use crate::record::{KernelManifest, KernelRow, REGRESSION_SCHEMA, RunKind};

/// One kernel on one split of "concrete", 100 rows, nothing else varied.
pub(crate) fn row(kernel: &str, depth: Option<usize>, split: u64, mse_test: f64) -> KernelRow {
    KernelRow {
        id: format!("{kernel}-{depth:?}-{split}"),
        schema: REGRESSION_SCHEMA,
        study: "made up".into(),
        dataset: "concrete".into(),
        varied: format!("data.split_seed={split}"),
        d_in: 8,
        d_out: 1,
        n_train: 100,
        n_test: 50,
        split_seed: split,
        label_noise: 0.0,
        kernel: kernel.into(),
        depth,
        activation: None,
        length_scale: None,
        criterion: "leave-one-out".into(),
        score: None,
        n_selection: 100,
        relative_ridge: 0.1,
        ridge: 0.1,
        edge: None,
        mse_train: 0.01,
        mse_test,
        accuracy: None,
        degrees_of_freedom: None,
        log_likelihood: None,
        negative_log_density: None,
        crps: None,
        coverage_95: None,
        mse_predicted: None,
        condition: None,
        digits: None,
        n_dropped: None,
        solver: "exact".into(),
        residual: None,
        n_iterations: None,
        is_rounded: None,
        rank: None,
        trace_left: None,
        gram_error: None,
        ending: None,
    }
}

/// Of a run whose points are these.
pub(crate) fn manifest<'a>(rows: impl IntoIterator<Item = &'a KernelRow>) -> KernelManifest {
    KernelManifest {
        kind: RunKind::Regression,
        schema: REGRESSION_SCHEMA,
        study: "made up".into(),
        question: String::new(),
        config: String::new(),
        root_seed: 1,
        data: Vec::new(),
        margin: 0.1,
        confidence: 0.95,
        earlier_criteria: Vec::new(),
        points: rows.into_iter().map(|row| row.id.clone()).collect(),
        computed_by: Vec::new(),
    }
}
