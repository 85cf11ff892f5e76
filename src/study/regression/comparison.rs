//! What the rows of a comparison say: is the NTK's test error that of another kernel, within a margin stated before the run?
//!
//! Errors are compared as ratios, pair by pair: the same data, split and depth. Settings that differ in more than the split are compared
//! apart, because their pairs are no repetitions of each other.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::{KernelManifest, KernelRow};
use crate::seed::stream;
use crate::stats::{Bootstrap, Equivalence, bootstrap, equivalence_test, holm, sign_flip_test};

/// The NTK beside one other kernel at one setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KernelComparison {
    /// Data set, training rows and varied settings, without the split.
    pub setting: String,
    /// Hidden layers of the NTK's network.
    pub depth: usize,
    /// The other kernel.
    pub other: String,
    /// Splits.
    pub n_pairs: usize,
    /// The geometric mean of MSE(NTK) / MSE(other).
    pub ratio: f64,
    /// Its interval, by the bootstrap over pairs; of five pairs or more.
    pub interval: Option<Bootstrap>,
    /// The equivalence test of the logarithms at log(1 + margin), at the level that goes with the confidence.
    pub equivalence: Option<Equivalence>,
    /// The sign-flip test that both are the same, corrected by Holm for all comparisons of the run; of five pairs or more.
    pub p_value: Option<f64>,
}

/// Fewer pairs have no interval worth having.
const MIN_PAIRS: usize = 5;

const N_RESAMPLES: usize = 2000;

/// Every comparison of the NTK with another kernel of the run, in the order of the rows.
#[must_use]
pub fn compare_kernels(manifest: &KernelManifest, rows: &[&KernelRow]) -> Vec<KernelComparison> {
    let mut keys: Vec<(String, usize, String)> = Vec::new();
    // A split that leaves an input constant drops it, and is a split of the same setting still.
    let mut labels: BTreeMap<(&str, usize, Vec<&str>), String> = BTreeMap::new();
    let mut logs: BTreeMap<(String, usize, String), Vec<f64>> = BTreeMap::new();
    for ntk in rows.iter().filter(|row| row.kernel == "ntk") {
        let Some(depth) = ntk.depth else { continue };
        let of_setting = (ntk.dataset.as_str(), ntk.n_train, varied(ntk));
        let label = labels.entry(of_setting).or_insert_with(|| setting(ntk)).clone();
        let is_pair = |row: &&&KernelRow| {
            row.kernel != "ntk"
                && (&row.dataset, &row.varied) == (&ntk.dataset, &ntk.varied)
                && row.depth.is_none_or(|other| other == depth)
        };
        for other in rows.iter().filter(is_pair) {
            let key = (label.clone(), depth, other.kernel.clone());
            if !logs.contains_key(&key) {
                keys.push(key.clone());
            }
            logs.entry(key).or_default().push((ntk.mse_test / other.mse_test).ln());
        }
    }
    let mut comparisons: Vec<KernelComparison> =
        keys.into_iter().filter_map(|key| Some(comparison(manifest, logs.get(&key)?, key))).collect();
    let tested: Vec<usize> = (0..comparisons.len()).filter(|&i| comparisons[i].p_value.is_some()).collect();
    let corrected = holm(&tested.iter().filter_map(|&i| comparisons[i].p_value).collect::<Vec<_>>());
    for (position, p_value) in tested.into_iter().zip(corrected) {
        comparisons[position].p_value = Some(p_value);
    }
    comparisons
}

fn comparison(
    manifest: &KernelManifest,
    logs: &[f64],
    (setting, depth, other): (String, usize, String),
) -> KernelComparison {
    let n_pairs = logs.len();
    let mean = |logs: &[f64]| logs.iter().sum::<f64>() / logs.len() as f64;
    let mut random = stream(manifest.root_seed, &format!("comparison/{setting}/{depth}/{other}"));
    let is_enough = n_pairs >= MIN_PAIRS;
    let interval = is_enough.then(|| bootstrap(logs, mean, manifest.confidence, N_RESAMPLES, &mut random)).flatten();
    let p_value = is_enough.then(|| sign_flip_test(logs, 1 << 14, &mut random)).flatten().map(|test| test.p);
    KernelComparison {
        setting,
        depth,
        other,
        n_pairs,
        ratio: mean(logs).exp(),
        interval: interval.map(|log| Bootstrap {
            estimate: log.estimate.exp(),
            low: log.low.exp(),
            high: log.high.exp(),
            ..log
        }),
        equivalence: equivalence_test(logs, manifest.margin.ln_1p(), 1.0 - manifest.confidence),
        p_value,
    }
}

/// Data set, its inputs, training rows and what is varied, without the split.
#[must_use]
pub fn setting(row: &KernelRow) -> String {
    let data = [row.dataset.clone(), format!("{} inputs", row.d_in), format!("{} rows", row.n_train)];
    data.into_iter().chain(varied(row).into_iter().map(str::to_owned)).collect::<Vec<_>>().join(", ")
}

/// What is varied beside the split, the data set and its size.
fn varied(row: &KernelRow) -> Vec<&str> {
    const SAID: [&str; 4] = ["data.split_seed=", "data.source=", "data.n_train=", "data="];
    let parts = row.varied.split(' ').filter(|part| !part.is_empty());
    parts.filter(|part| !SAID.iter().any(|key| part.starts_with(key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{REGRESSION_SCHEMA, RunKind};
    use crate::stats::Decision;

    fn manifest() -> KernelManifest {
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
            points: Vec::new(),
            computed_by: Vec::new(),
        }
    }

    /// A row of ten splits of one kernel, whose errors differ by `factor` from 0.2, give or take `spread`.
    fn rows(kernel: &str, depth: Option<usize>, factor: f64, spread: f64) -> Vec<KernelRow> {
        let row = |split: u64| {
            let wiggle = 1.0 + spread * (split as f64 * 2.4).sin();
            serde_json::json!({
                "id": "", "schema": 1, "study": "", "dataset": "concrete", "varied": format!("data.split_seed={split}"),
                "d_in": 8, "d_out": 1, "n_train": 100, "n_test": 50, "split_seed": split, "label_noise": 0.0,
                "kernel": kernel, "depth": depth, "activation": null, "length_scale": null, "criterion": "leave-one-out",
                "score": null, "n_selection": 100, "relative_ridge": 0.1, "ridge": 0.1, "edge": null, "mse_train": 0.0,
                "mse_test": 0.2 * factor * wiggle, "accuracy": null, "degrees_of_freedom": null, "log_likelihood": null,
                "negative_log_density": null, "crps": null, "coverage_95": null, "mse_predicted": null, "condition": null,
                "digits": null, "n_dropped": null, "solver": "exact", "residual": null, "n_iterations": null,
                "rank": null, "kernel_error": null, "ending": null,
            })
        };
        (0..10).map(|split| serde_json::from_value(row(split)).unwrap()).collect()
    }

    #[test]
    fn equal_errors_are_equivalent_and_others_differ_in_their_direction() {
        let all =
            [rows("ntk", Some(2), 1.0, 0.0), rows("nngp", Some(2), 1.0, 0.02), rows("rbf", None, 2.0, 0.05)].concat();
        let found = compare_kernels(&manifest(), &all.iter().collect::<Vec<_>>());
        assert_eq!(found.len(), 2);
        let decision = |i: usize| found[i].equivalence.unwrap().decision;
        assert_eq!((found[0].other.as_str(), decision(0)), ("nngp", Decision::Equivalent));
        assert_eq!((found[1].other.as_str(), decision(1)), ("rbf", Decision::Different));
        assert!((found[1].ratio - 0.5).abs() < 0.01 && found[1].interval.unwrap().high < 0.6);
        assert!(found[1].p_value.unwrap() < 0.01 && found[0].p_value.unwrap() > 0.05);
    }

    #[test]
    fn another_depth_is_no_pair() {
        let all = [rows("ntk", Some(2), 1.0, 0.0), rows("nngp", Some(3), 1.0, 0.02)].concat();
        assert!(compare_kernels(&manifest(), &all.iter().collect::<Vec<_>>()).is_empty());
    }
}
