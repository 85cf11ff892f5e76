//! Which predictor is best over data sets: ranks of their errors (Demsar 2006), each number with an interval over data sets.

use serde::Serialize;

use crate::linalg::Matrix;
use crate::record::{KernelManifest, KernelRow};
use crate::seed::stream;
use crate::stats::{Interval, bootstrap, friedman_test, holm, mean_ranks, share_interval, signed_rank_test};
use crate::study::findings::interval_of;

/// Predictors over data sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranking {
    /// Data sets of which every predictor has an error.
    pub n_sets: usize,
    /// How many of them are sets of classes.
    pub n_class_sets: usize,
    /// The p-value of Friedman's test that all are alike (Iman and Davenport's F).
    pub p: f64,
    /// The least mean rank first.
    pub predictors: Vec<Ranked>,
}

/// One predictor over data sets. Intervals are over data sets; an error is the geometric mean over the splits of its set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranked {
    /// The kernel, or `network`.
    pub kernel: String,
    /// Hidden layers.
    pub depth: Option<usize>,
    /// Mean rank of its error, 1 for the least; BCa bootstrap.
    pub rank: Option<Interval>,
    /// On how many sets its error is the least.
    pub n_least: usize,
    /// The share of sets that this is, with Wilson's interval.
    pub least: Option<Interval>,
    /// The signed-rank test of its log errors against the first predictor's, corrected by Holm; the first has none.
    pub p: Option<f64>,
    /// Geometric mean of its error over the least one of the set; BCa bootstrap of the logarithms.
    pub over_least: Option<Interval>,
    /// Mean of its accuracy over the best one, of sets of classes; BCa bootstrap.
    pub accuracy_share: Option<Interval>,
}

/// Fewer data sets have no ranks worth having.
const MIN_SETS: usize = 5;

const N_RESAMPLES: usize = 4000;

/// Ranks the predictors of a run; `None` with fewer than five data sets or two predictors.
#[must_use]
pub fn rank_kernels(manifest: &KernelManifest, rows: &[&KernelRow]) -> Option<Ranking> {
    let mut sets: Vec<&str> = rows.iter().map(|row| row.dataset.as_str()).collect();
    sets.sort_unstable();
    sets.dedup();
    let mut predictors: Vec<(&str, Option<usize>)> = Vec::new();
    for row in rows {
        let predictor = (row.kernel.as_str(), row.depth);
        if !predictors.contains(&predictor) {
            predictors.push(predictor);
        }
    }
    let mean_of_each = |set: &&str, value: fn(&KernelRow) -> Option<f64>| -> Option<Vec<f64>> {
        let of_set: Vec<_> = rows.iter().filter(|row| row.dataset == **set).collect();
        let of = |predictor: &(&str, Option<usize>)| {
            let here = of_set.iter().filter(|row| (row.kernel.as_str(), row.depth) == *predictor);
            mean(&here.filter_map(|row| value(row)).collect::<Vec<_>>())
        };
        predictors.iter().map(of).collect()
    };
    let log_errors: Vec<Vec<f64>> =
        sets.iter().filter_map(|set| mean_of_each(set, |row| Some(row.mse_test.ln()))).collect();
    if log_errors.len() < MIN_SETS {
        return None;
    }
    let accuracies: Vec<Vec<f64>> = sets.iter().filter_map(|set| mean_of_each(set, |row| row.accuracy)).collect();
    let table = |sets: &[Vec<f64>]| Matrix::from_vec(sets.len(), predictors.len(), sets.concat()).ok();
    let friedman = friedman_test(&table(&log_errors)?)?;
    let mut order: Vec<usize> = (0..predictors.len()).collect();
    order.sort_by(|&a, &b| friedman.mean_ranks[a].total_cmp(&friedman.mean_ranks[b]));
    let p_values = beside_first(&log_errors, &order);
    let ranks: Vec<Vec<f64>> = log_errors.chunks(1).filter_map(table).map(|of_set| mean_ranks(&of_set)).collect();
    let ranked = |(&k, p): (&usize, Option<f64>)| {
        let (kernel, depth) = predictors[k];
        let interval = |what: &str, values: Vec<f64>| {
            let mut random = stream(manifest.root_seed, &format!("ranking/{what}/{kernel}/{depth:?}"));
            let found =
                bootstrap(&values, |v| mean(v).unwrap_or(f64::NAN), manifest.confidence, N_RESAMPLES, &mut random);
            found.map(|found| interval_of(found, values.len()))
        };
        let over_least: Vec<f64> = log_errors.iter().map(|of_set| of_set[k] - least(of_set)).collect();
        let n_least = over_least.iter().filter(|over| **over <= 0.0).count();
        Ranked {
            kernel: kernel.to_owned(),
            depth,
            rank: interval("rank", ranks.iter().map(|of_set| of_set[k]).collect()),
            n_least,
            least: share_interval(n_least, log_errors.len(), manifest.confidence),
            p,
            over_least: interval("error", over_least).map(exponential),
            accuracy_share: interval(
                "accuracy",
                accuracies.iter().map(|of_set| of_set[k] / greatest(of_set)).collect(),
            ),
        }
    };
    Some(Ranking {
        n_sets: log_errors.len(),
        n_class_sets: accuracies.len(),
        p: friedman.p_f,
        predictors: order.iter().zip(p_values).map(ranked).collect(),
    })
}

/// The p-values, in this order, of each column beside the first of the order.
fn beside_first(table: &[Vec<f64>], order: &[usize]) -> Vec<Option<f64>> {
    let p = |&k: &usize| {
        let differences: Vec<f64> = table.iter().map(|row| row[k] - row[order[0]]).collect();
        (k != order[0]).then(|| signed_rank_test(&differences)).flatten().map(|test| test.p)
    };
    let p_values: Vec<Option<f64>> = order.iter().map(p).collect();
    let mut corrected = holm(&p_values.iter().copied().flatten().collect::<Vec<_>>()).into_iter();
    p_values.iter().map(|p| p.and_then(|_| corrected.next())).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

fn exponential(Interval { mean, low, high, n }: Interval) -> Interval {
    Interval { mean: mean.exp(), low: low.exp(), high: high.exp(), n }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{manifest, row};
    use super::*;

    /// Two splits each of `n_sets` sets, the errors of which are of different sizes; on the last the order of the first two is reversed.
    fn rows(n_sets: usize) -> Vec<KernelRow> {
        let mut rows = Vec::new();
        for set in 0..n_sets {
            let first = if set + 1 == n_sets { [2.0, 1.0, 4.0] } else { [1.0, 2.0, 4.0] };
            for (kernel, error) in ["matern", "rbf", "linear"].into_iter().zip(first) {
                for split in 0..2 {
                    let mse = 10.0_f64.powi(-(set as i32)) * error;
                    let accuracy = (set % 2 == 0).then_some(0.8 / error);
                    rows.push(KernelRow { dataset: format!("set {set}"), accuracy, ..row(kernel, None, split, mse) });
                }
            }
        }
        rows
    }

    fn ranking(rows: &[KernelRow]) -> Option<Ranking> {
        rank_kernels(&manifest(rows), &rows.iter().collect::<Vec<_>>())
    }

    #[test]
    fn ranks_wins_and_shares_are_those_of_the_sets() {
        let found = ranking(&rows(10)).unwrap();
        assert_eq!((found.n_sets, found.n_class_sets), (10, 5));
        let names: Vec<&str> = found.predictors.iter().map(|one| one.kernel.as_str()).collect();
        assert_eq!(names, ["matern", "rbf", "linear"]);
        let [matern, rbf, linear] = [0, 1, 2].map(|i| &found.predictors[i]);
        let (rank, over) = (matern.rank.unwrap(), rbf.over_least.unwrap());
        assert!((rank.mean - 1.1).abs() < 1e-12 && rank.low >= 1.0 && rank.high > 1.1 && rank.n == 10, "{rank:?}");
        assert!((over.mean - 2.0_f64.powf(0.9)).abs() < 1e-12 && over.low < over.mean && over.high <= 2.0, "{over:?}");
        assert_eq!((matern.n_least, rbf.n_least, linear.n_least), (9, 1, 0));
        let never = linear.least.unwrap();
        assert!(never.low.abs() < 1e-12 && never.high > 0.2, "{never:?}");
        // No set of classes is the last, so the accuracy halves with every doubled error.
        assert_eq!(linear.accuracy_share.map(|share| (share.mean, share.high, share.n)), Some((0.25, 0.25, 5)));
        assert_eq!(matern.p, None);
        assert!(rbf.p.unwrap() < 0.05 && linear.p.unwrap() < 0.05 && found.p < 1e-4);
    }

    #[test]
    fn few_sets_and_regression_without_classes_have_no_such_numbers() {
        assert_eq!(ranking(&rows(4)), None);
        let mut rows = rows(6);
        rows.iter_mut().for_each(|row| row.accuracy = None);
        let found = ranking(&rows).unwrap();
        assert!(found.n_class_sets == 0 && found.predictors.iter().all(|one| one.accuracy_share.is_none()));
    }

    #[test]
    fn a_set_that_lacks_a_predictor_is_not_ranked() {
        let mut rows = rows(7);
        rows.retain(|row| row.dataset != "set 3" || row.kernel != "rbf");
        assert_eq!(ranking(&rows).unwrap().n_sets, 6);
    }
}
