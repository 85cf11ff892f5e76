//! What the rows of a comparison say: is the NTK's test error that of another kernel, within a margin stated before the run?
//!
//! Errors are compared as ratios, pair by pair: the same setting, split and depth. Settings are compared apart, because their pairs are no
//! repetitions of each other.

use serde::Serialize;

use super::setting::{Setting, Settings};
use crate::record::{KernelManifest, KernelRow};
use crate::seed::stream;
use crate::stats::{Bootstrap, Equivalence, bootstrap, equivalence_test, holm, sign_flip_test};

/// The NTK beside one other kernel at one setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KernelComparison {
    /// The setting's place among all.
    pub setting: usize,
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

/// Every comparison of the NTK with another kernel, setting by setting, the kernels in the order of the rows.
#[must_use]
pub fn compare_kernels(manifest: &KernelManifest, settings: &Settings<'_>) -> Vec<KernelComparison> {
    let mut comparisons: Vec<KernelComparison> = Vec::new();
    for (i, setting) in settings.all.iter().enumerate() {
        for ((depth, other), logs) in ratios(setting) {
            let stream_of = format!("comparison/{}/{depth}/{other}", setting.identity());
            comparisons.push(comparison(manifest, &logs, (i, depth, other), &stream_of));
        }
    }
    let tested: Vec<usize> = (0..comparisons.len()).filter(|&i| comparisons[i].p_value.is_some()).collect();
    let corrected = holm(&tested.iter().filter_map(|&i| comparisons[i].p_value).collect::<Vec<_>>());
    for (position, p_value) in tested.into_iter().zip(corrected) {
        comparisons[position].p_value = Some(p_value);
    }
    comparisons
}

/// The logarithms of the ratios, split by split, for each depth of the NTK and each other kernel.
fn ratios(setting: &Setting<'_>) -> Vec<((usize, String), Vec<f64>)> {
    let mut found: Vec<((usize, String), Vec<f64>)> = Vec::new();
    for ntk in setting.rows.iter().filter(|row| row.kernel == "ntk") {
        let Some(depth) = ntk.depth else { continue };
        let is_pair = |row: &&&KernelRow| {
            row.kernel != "ntk" && row.varied == ntk.varied && row.depth.is_none_or(|other| other == depth)
        };
        for other in setting.rows.iter().filter(is_pair) {
            let log = (ntk.mse_test / other.mse_test).ln();
            match found.iter_mut().find(|((of, kernel), _)| *of == depth && *kernel == other.kernel) {
                Some((_, logs)) => logs.push(log),
                None => found.push(((depth, other.kernel.clone()), vec![log])),
            }
        }
    }
    found
}

fn comparison(
    manifest: &KernelManifest,
    logs: &[f64],
    (setting, depth, other): (usize, usize, String),
    stream_of: &str,
) -> KernelComparison {
    let n_pairs = logs.len();
    let mean = |logs: &[f64]| logs.iter().sum::<f64>() / logs.len() as f64;
    let mut random = stream(manifest.root_seed, stream_of);
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

#[cfg(test)]
mod tests {
    use super::super::made_up::{manifest, row};
    use super::*;
    use crate::stats::Decision;

    /// Ten splits of one kernel, whose errors differ by `factor` from 0.2, give or take `spread`.
    fn rows(kernel: &str, depth: Option<usize>, factor: f64, spread: f64) -> Vec<KernelRow> {
        let error = |split: u64| 0.2 * factor * (1.0 + spread * (split as f64 * 2.4).sin());
        (0..10).map(|split| row(kernel, depth, split, error(split))).collect()
    }

    fn compared(rows: &[KernelRow]) -> Vec<KernelComparison> {
        compare_kernels(&manifest(rows), &Settings::of(&rows.iter().collect::<Vec<_>>()))
    }

    #[test]
    fn equal_errors_are_equivalent_and_others_differ_in_their_direction() {
        let found = compared(
            &[rows("ntk", Some(2), 1.0, 0.0), rows("nngp", Some(2), 1.0, 0.02), rows("rbf", None, 2.0, 0.05)].concat(),
        );
        assert_eq!(found.len(), 2);
        let decision = |i: usize| found[i].equivalence.unwrap().decision;
        assert_eq!((found[0].other.as_str(), decision(0)), ("nngp", Decision::Equivalent));
        assert_eq!((found[1].other.as_str(), decision(1)), ("rbf", Decision::Different));
        assert!((found[1].ratio - 0.5).abs() < 0.01 && found[1].interval.unwrap().high < 0.6);
        assert!(found[1].p_value.unwrap() < 0.01 && found[0].p_value.unwrap() > 0.05);
    }

    #[test]
    fn another_depth_is_no_pair() {
        assert!(compared(&[rows("ntk", Some(2), 1.0, 0.0), rows("nngp", Some(3), 1.0, 0.02)].concat()).is_empty());
    }

    #[test]
    fn settings_are_compared_apart_and_what_one_says_does_not_depend_on_the_others() {
        let small = [rows("ntk", Some(2), 1.0, 0.0), rows("rbf", None, 1.5, 0.05)].concat();
        let mut both = small.clone();
        both.extend(small.iter().map(|row| KernelRow { n_train: 200, mse_test: 0.1, ..row.clone() }));
        both.iter_mut().for_each(|row| row.varied = format!("data.n_train={} {}", row.n_train, row.varied));
        let (found, alone) = (compared(&both), compared(&both[..20]));
        assert_eq!(found.iter().map(|one| (one.setting, one.n_pairs)).collect::<Vec<_>>(), [(0, 10), (1, 10)]);
        assert_eq!(found[0].interval, alone[0].interval);
        assert!((found[1].ratio - 1.0).abs() < 1e-12);
    }
}
