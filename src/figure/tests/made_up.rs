//! Made-up studies: power laws in the width with scatter, as theory and practice have them.

use crate::record::{DataFacts, Manifest, ModeBand, Outcome, Point, Prediction, Row, SCHEMA_VERSION, Snapshot};

/// A point for each depth, width and seed; equal for equal arguments.
pub(super) fn study(depths: &[usize], widths: &[usize], n_seeds: u64) -> Vec<Point> {
    let mut points = Vec::new();
    for &depth in depths {
        for &width in widths {
            points.extend((0..n_seeds).map(|seed| point(depth, width, seed)));
        }
    }
    points
}

/// The manifest of a study that consists of `points`.
pub(super) fn manifest(points: &[Point]) -> Manifest {
    Manifest {
        schema: SCHEMA_VERSION,
        study: "equivalence".to_owned(),
        question: "Does the network predict like its kernel?".to_owned(),
        config: String::new(),
        backend: "flex".to_owned(),
        dtype: "f32".to_owned(),
        kernel_sums: None,
        root_seed: 1,
        n_seeds: 5,
        analysis: "equivalence".to_owned(),
        data: vec![DataFacts {
            name: "concrete".to_owned(),
            citation: String::new(),
            n_rows: 1030,
            n_train: 128,
            n_test: 200,
            d_in: 8,
            d_out: 1,
            notes: Vec::new(),
        }],
        margin: 0.1,
        confidence: 0.95,
        earlier_criteria: Vec::new(),
        points: points.iter().map(|p| p.row.id.clone()).collect(),
        computed_by: Vec::new(),
    }
}

/// Noise in (-1, 1) that is a function of its arguments.
fn noise(depth: usize, width: usize, seed: u64, k: u64) -> f64 {
    let key = [depth as u64, width as u64, seed, k];
    let hash = key.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |h, &v| {
        let mixed = (h ^ v).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 32)
    });
    (hash >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn point(depth: usize, width: usize, seed: u64) -> Point {
    let e = |k: u64| (0.25 * (noise(depth, width, seed, k) + noise(depth, width, seed, k + 100))).exp();
    let (l, n) = (depth as f64, width as f64);
    let nonlinearity = 1.3 * l / n.powf(0.9) * e(1);
    let initial_function = 0.35 * (1.0 + 0.2 * l) * e(2);
    let finite_width = 0.9 * l.sqrt() / n.sqrt() * e(3);
    let finite_time = 0.06 * l;
    let total = (nonlinearity.powi(2) + initial_function.powi(2) + finite_width.powi(2) + finite_time.powi(2)).sqrt();
    let row = Row {
        id: format!("{depth}-{width}-{seed}"),
        schema: SCHEMA_VERSION,
        study: "equivalence".to_owned(),
        dataset: "concrete".to_owned(),
        varied: String::new(),
        split_seed: 0,
        label_noise: 0.0,
        input_noise: 0.0,
        d_in: 8,
        d_out: 1,
        n_train: 128,
        n_test: 200,
        activation: "relu".to_owned(),
        parametrization: "ntk".to_owned(),
        w_std: 1.4,
        b_std: 0.1,
        depth,
        width,
        initial_function: "plain".to_owned(),
        seed,
        backend: "flex".to_owned(),
        dtype: "f32".to_owned(),
        ridge: 0.0,
        learning_rate: 0.5,
        optimizer: "gradient-descent".to_owned(),
        stop: "at-time".to_owned(),
        is_reached: true,
        laziness: 1.0,
        accuracy_network: None,
        accuracy_ntk: None,
        accuracy_nngp: None,
        stability_bound: Some(1.0),
        n_steps: 4096,
        time: 2048.0,
        outcome: Outcome::Completed,
        diverged_at: None,
        loss_train: Some(0.01),
        mse_network: Some((0.16 / l.sqrt() + 2.5 / n) * e(4)),
        mse_linearized: Some(0.15),
        mse_ntk: 0.15 / l.sqrt(),
        mse_ntk_at_time: Some(0.16),
        mse_subtracted: None,
        mse_empirical: None,
        mse_after: None,
        mse_nngp: 0.2 / l,
        mse_rbf: 0.2,
        mse_laplace: 0.2,
        mse_matern: 0.2,
        gap_total: Some(total),
        gap_at_time: Some(total),
        gap_discretization: None,
        gap_optimizer: None,
        gap_nonlinearity: Some(nonlinearity),
        gap_initial_function: Some(initial_function),
        gap_finite_width: Some(finite_width),
        gap_finite_time: Some(finite_time),
        identity_residual: Some(1e-15),
        kernel_error: 0.8 * l / n.sqrt() * e(5),
        kernel_scale: 1.0,
        target_alignment_start: None,
        target_alignment: None,
        kernel_drift: Some(2.0 * l / n * e(6)),
        kernel_alignment: Some(0.99),
        parameter_distance: Some(0.01),
        eigenvalue_cutoff: 1e-10,
        n_dropped: 0,
    };
    let predictions = (0..200).map(|i| prediction(&row, i)).collect();
    let steps: Vec<usize> =
        std::iter::once(0).chain((0..=24).map(|k| 2.0_f64.powf(0.5 * f64::from(k)) as usize)).collect();
    let trajectory = steps.iter().map(|&step| snapshot(&row, step)).collect();
    let modes = [(1, 1, 130.0), (2, 4, 11.0), (5, 16, 1.6), (17, 64, 0.22), (65, 128, 0.03)];
    let modes = modes.into_iter().map(|(first, last, s)| band(&row, &steps, (first, last), s)).collect();
    Point { row, seconds: 1.0, predictions, trajectory, modes, directions: Vec::new() }
}

fn prediction(row: &Row, i: usize) -> Prediction {
    let e = |k: u64| noise(row.depth, row.width, row.seed, 1000 * k + i as u64);
    let target = 2.0 * e(1) + 0.8 * e(2);
    let ntk = 0.85 * target + 0.25 * e(3);
    let network = Some(ntk + row.gap_total.unwrap_or(0.0) * 1.7 * e(4));
    let ntk_at_time = Some(0.94 * ntk + 0.03 * e(5));
    Prediction {
        test_point: i,
        output: 0,
        target,
        network,
        linearized: Some(ntk),
        ntk,
        ntk_at_time,
        nngp: ntk,
        deviation: None,
    }
}

fn snapshot(row: &Row, step: usize) -> Snapshot {
    Snapshot {
        step,
        time: row.learning_rate * step as f64,
        loss_train: Some(0.5),
        mse_test: Some(0.5),
        kernel_drift: Some(0.1),
        kernel_alignment: Some(0.9),
        parameter_distance: Some(0.01),
        ..Snapshot::default()
    }
}

fn band(row: &Row, steps: &[usize], (first, last): (usize, usize), eigenvalue: f64) -> ModeBand {
    let start = 6.0 / (first as f64).sqrt();
    let factor = (1.0 - row.learning_rate * eigenvalue / row.n_train as f64).abs();
    let predicted: Vec<_> = steps.iter().map(|&step| Some(start * factor.powf(step as f64))).collect();
    let shrunk = |(k, p): (usize, &Option<f64>)| {
        let scatter = 1.0 + 0.1 * noise(row.depth, row.width, row.seed, 77 + k as u64);
        p.map(|p| p.powf(0.97) * scatter + 1e-6)
    };
    let measured = predicted.iter().enumerate().map(shrunk).collect();
    ModeBand { first, last, eigenvalue, measured, predicted }
}

/// What is left of a point whose network diverged.
pub(super) fn diverge(point: &mut Point) {
    let row = &mut point.row;
    row.outcome = Outcome::Diverged;
    row.diverged_at = Some(17);
    (row.loss_train, row.mse_network, row.gap_total, row.gap_nonlinearity) = (None, None, None, None);
    (row.identity_residual, row.kernel_drift, row.kernel_alignment, row.parameter_distance) = (None, None, None, None);
    point.predictions.iter_mut().for_each(|p| p.network = None);
    point.modes.iter_mut().flat_map(|m| &mut m.measured).skip(9).for_each(|v| *v = None);
}
