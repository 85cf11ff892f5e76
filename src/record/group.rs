//! The networks of one architecture at one setting together: what their mean and their scatter are, beside what theory says of both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::covariance::Covariance;
use super::row::{Point, Prediction, Row};
use crate::stats::normality_test;

/// The networks of all seeds that share everything else.
///
/// Errors and gaps are in units of the training targets' standard deviation, as those of a [`Row`]. Networks that diverged take no part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// As [`Row::varied`].
    pub varied: String,
    /// As [`Row::dataset`].
    pub dataset: String,
    /// As [`Row::n_train`].
    pub n_train: usize,
    /// As [`Row::split_seed`].
    pub split_seed: u64,
    /// As [`Row::depth`].
    pub depth: usize,
    /// As [`Row::width`].
    pub width: usize,
    /// As [`Row::initial_function`].
    pub initial_function: String,
    /// Networks that were trained to the end.
    pub n_networks: usize,
    /// Networks that diverged.
    pub n_diverged: usize,
    /// Mean squared test error of the networks' mean.
    pub mse_mean: Option<f64>,
    /// Mean over test points of the unbiased variance over seeds; of two networks or more.
    pub variance: Option<f64>,
    /// Mean over test points of the variance that theory gives.
    pub variance_predicted: Option<f64>,
    /// RMS of the mean of k networks against A_T^ntk Y, for k = 1, 2, 4, ...: the mean square over as many disjoint groups of k as there are.
    pub gaps_of_means: Vec<f64>,
    /// The share of predictions within the central 50, 90 and 95 % that theory gives them.
    pub coverage: Option<[f64; 3]>,
    /// The p-values of D'Agostino's test at every test point, of 20 networks or more: uniform if the networks are normally distributed.
    pub normality_p: Vec<f64>,
    /// The covariance between test inputs beside that of theory; of four networks or more whose points have their directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covariance: Option<Covariance>,
    /// Beside the first setting that differs in its training data alone and has the same test rows: how far each seed's network moved, RMS
    /// over test points in units of the first setting's targets.
    pub responses: Vec<f64>,
    /// How far kernel regression with the NTK moved.
    pub response_ntk: Option<f64>,
    /// How far the NTK at the networks' time moved.
    pub response_ntk_at_time: Option<f64>,
    /// How far the NNGP posterior mean moved.
    pub response_nngp: Option<f64>,
    /// Of a setting that stops training early, beside every setting that has a ridge instead and is the same else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distances: Vec<Distance>,
}

/// How far two settings' predictions are apart, RMS over test points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    /// The other setting.
    pub to: String,
    /// Of networks of the same seed, the mean over seeds; none without a pair that was trained.
    pub network: Option<f64>,
    /// Of the NTK at the networks' times.
    pub ntk: Option<f64>,
}

/// One entry per architecture and setting, in the order of the points.
#[must_use]
pub fn groups(points: &[Point]) -> Vec<Group> {
    let mut order: Vec<Key<'_>> = Vec::new();
    let mut members: BTreeMap<Key<'_>, Vec<&Point>> = BTreeMap::new();
    for point in points {
        let key = Key::of(&point.row);
        if !members.contains_key(&key) {
            order.push(key);
        }
        members.entry(key).or_default().push(point);
    }
    // The first setting that differs in its training data alone.
    let base = |key: &Key<'_>| {
        let here = members.get(key)?;
        let is_base = |other: &&Key<'_>| {
            other.without_data() == key.without_data()
                && members
                    .get(*other)
                    .is_some_and(|there| response(here, there, |prediction| Some(prediction.target)).is_some())
        };
        let first = order.iter().find(is_base)?;
        (first != key).then(|| members.get(first)).flatten()
    };
    let of_key = |key: &Key<'_>| {
        let here = members.get(key)?;
        let ridges = order.iter().filter(|other| key.stops_where_a_ridge_holds(other));
        let distances = ridges.filter_map(|other| Some(apart(other.varied, here, members.get(other)?)));
        Some(Group { distances: distances.collect(), ..group(here, base(key).map(Vec::as_slice)) })
    };
    order.iter().filter_map(of_key).collect()
}

/// How far the predictions `here` are from those `there`, whose setting is `to`.
fn apart(to: &str, here: &[&Point], there: &[&Point]) -> Distance {
    let pairs = here.iter().filter_map(|point| {
        let other = there.iter().find(|other| other.row.seed == point.row.seed)?;
        let is_pair = point.row.is_trained() && other.row.is_trained();
        is_pair.then(|| distance(&point.predictions, &other.predictions, |prediction| prediction.network))?
    });
    let networks: Vec<f64> = pairs.collect();
    Distance {
        to: to.to_owned(),
        network: (!networks.is_empty()).then(|| networks.iter().sum::<f64>() / networks.len() as f64),
        ntk: response(here, there, |prediction| prediction.ntk_at_time),
    }
}

/// What the seeds of a group share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    varied: &'a str,
    depth: usize,
    width: usize,
    activation: &'a str,
}

impl<'a> Key<'a> {
    fn of(row: &'a Row) -> Self {
        Self { varied: &row.varied, depth: row.depth, width: row.width, activation: &row.activation }
    }

    /// The architecture, and the varied settings but those of the data.
    fn without_data(&self) -> (usize, usize, &'a str, Vec<&'a str>) {
        self.without(|part| part.starts_with("data.") || part.starts_with("data="))
    }

    /// The architecture, and the varied settings but those that are `left_out`.
    fn without(&self, left_out: impl Fn(&str) -> bool) -> (usize, usize, &'a str, Vec<&'a str>) {
        let others = self.varied.split(' ').filter(|part| !part.is_empty() && !left_out(part)).collect();
        (self.depth, self.width, self.activation, others)
    }

    /// Whether this setting has a number of steps where `other` has a ridge, and both share all else.
    fn stops_where_a_ridge_holds(&self, other: &Self) -> bool {
        let is_steps = |part: &str| part.starts_with("train.n_steps=");
        let is_ridge = |part: &str| part.starts_with("train.ridge=");
        let has = |key: &Self, is: fn(&str) -> bool| key.varied.split(' ').any(is);
        has(self, is_steps)
            && !has(self, is_ridge)
            && has(other, is_ridge)
            && !has(other, is_steps)
            && self.without(is_steps) == other.without(is_ridge)
    }
}

/// The two-sided normal quantiles of 50, 90 and 95 %.
const QUANTILES: [f64; 3] = [0.674_489_750_196_081_7, 1.644_853_626_951_472_2, 1.959_963_984_540_054];

/// Fewer values say nothing of a distribution's shape.
const MIN_FOR_NORMALITY: usize = 20;

fn group(points: &[&Point], base: Option<&[&Point]>) -> Group {
    let row = &points[0].row;
    let trained: Vec<&Point> = points.iter().copied().filter(|point| point.row.is_trained()).collect();
    let n = trained.len();
    let first: &[Prediction] = trained.first().map_or(&[], |point| &point.predictions);
    // One column of networks per test point and output.
    let columns: Vec<Vec<f64>> =
        (0..first.len()).map(|i| trained.iter().filter_map(|point| point.predictions[i].network).collect()).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let over_points = |value: &dyn Fn(usize) -> Option<f64>| -> Option<f64> {
        let values: Option<Vec<f64>> = (0..first.len()).map(value).collect();
        values.filter(|values| !values.is_empty()).map(|values| mean(&values))
    };
    let at_time: Option<Vec<f64>> = first.iter().map(|prediction| prediction.ntk_at_time).collect();
    let variance = |column: &[f64]| {
        let center = mean(column);
        column.iter().map(|v| (v - center).powi(2)).sum::<f64>() / (column.len() - 1) as f64
    };
    let predicted = |i: usize| first[i].deviation.map(|deviation| deviation * deviation);
    let is_spread = over_points(&predicted).is_some_and(|variance| variance > 0.0);
    let coverage = at_time.as_ref().filter(|_| is_spread).map(|center| {
        QUANTILES.map(|quantile| {
            let inside = |i: usize| {
                let deviation = first[i].deviation.unwrap_or(0.0);
                let within = columns[i].iter().filter(|f| (*f - center[i]).abs() <= quantile * deviation);
                within.count() as f64 / columns[i].len() as f64
            };
            mean(&(0..first.len()).map(inside).collect::<Vec<_>>())
        })
    });
    let response_of = |value: fn(&Prediction) -> Option<f64>| response(points, base?, value);
    Group {
        varied: row.varied.clone(),
        dataset: row.dataset.clone(),
        n_train: row.n_train,
        split_seed: row.split_seed,
        depth: row.depth,
        width: row.width,
        initial_function: row.initial_function.clone(),
        n_networks: n,
        n_diverged: points.len() - n,
        mse_mean: over_points(&|i| Some((mean(&columns[i]) - first[i].target).powi(2))),
        variance: if n > 1 { over_points(&|i| Some(variance(&columns[i]))) } else { None },
        variance_predicted: over_points(&predicted),
        gaps_of_means: at_time.as_ref().map_or_else(Vec::new, |center| gaps_of_means(&columns, center, n)),
        coverage,
        normality_p: if n < MIN_FOR_NORMALITY {
            Vec::new()
        } else {
            columns.iter().filter_map(|column| Some(normality_test(column)?.p)).collect()
        },
        covariance: Covariance::of(&trained),
        responses: base.map_or_else(Vec::new, |base| {
            let moved = |point: &&Point| {
                let there = base.iter().find(|other| other.row.seed == point.row.seed && other.row.is_trained())?;
                distance(&point.predictions, &there.predictions, |prediction| prediction.network)
            };
            trained.iter().filter_map(moved).collect()
        }),
        response_ntk: response_of(|prediction| Some(prediction.ntk)),
        response_ntk_at_time: response_of(|prediction| prediction.ntk_at_time),
        response_nngp: response_of(|prediction| Some(prediction.nngp)),
        distances: Vec::new(),
    }
}

/// What kernels, which are the same for every seed, differ by between two groups.
fn response(here: &[&Point], there: &[&Point], value: fn(&Prediction) -> Option<f64>) -> Option<f64> {
    distance(&here.first()?.predictions, &there.first()?.predictions, value)
}

/// RMS over test points of the distance of the mean of k networks from `center`, k = 1, 2, 4, ... up to all `n`.
fn gaps_of_means(columns: &[Vec<f64>], center: &[f64], n: usize) -> Vec<f64> {
    let sizes = std::iter::successors(Some(1_usize), |k| Some(2 * k)).take_while(|&k| k <= n);
    sizes
        .map(|k| {
            let squares = columns.iter().zip(center).flat_map(|(column, center)| {
                column.chunks_exact(k).map(move |some| (some.iter().sum::<f64>() / k as f64 - center).powi(2))
            });
            let squares: Vec<f64> = squares.collect();
            (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()
        })
        .collect()
}

/// RMS over test points of what `value` of `here` differs by from that of `there`, in the units of `there`; none where the test rows are
/// not the same. Standardization with other training targets shifts and stretches all of them, which the targets show and which is undone.
fn distance(here: &[Prediction], there: &[Prediction], value: fn(&Prediction) -> Option<f64>) -> Option<f64> {
    if here.len() != there.len() || here.is_empty() {
        return None;
    }
    let n_outputs = here.iter().map(|prediction| prediction.output).max()? + 1;
    let mut squares = 0.0;
    for output in 0..n_outputs {
        let pairs: Vec<_> = here.iter().zip(there).filter(|(a, _)| a.output == output).collect();
        let mean = |values: &dyn Fn(&(&Prediction, &Prediction)) -> f64| {
            pairs.iter().map(values).sum::<f64>() / pairs.len() as f64
        };
        let (mean_here, mean_there) = (mean(&|(a, _)| a.target), mean(&|(_, b)| b.target));
        let across = mean(&|(a, b)| (a.target - mean_here) * (b.target - mean_there));
        let along = mean(&|(a, _)| (a.target - mean_here).powi(2));
        let stretch = if along > 0.0 { across / along } else { 1.0 };
        let moved = |target: f64| mean_there + stretch * (target - mean_here);
        let is_same =
            |(a, b): &(&Prediction, &Prediction)| (moved(a.target) - b.target).abs() <= 1e-6 * (1.0 + b.target.abs());
        if !pairs.iter().all(is_same) {
            return None;
        }
        for (a, b) in pairs {
            squares += (moved(value(a)?) - value(b)?).powi(2);
        }
    }
    Some((squares / here.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{point, prediction};
    use super::*;

    #[test]
    fn another_standardization_is_no_response() {
        let there: Vec<_> = (0..5).map(|i| prediction(i, i as f64, 2.0 * i as f64)).collect();
        let scaled = |v: f64| (v - 0.7) / 1.9;
        let here: Vec<_> = (0..5).map(|i| prediction(i, scaled(i as f64), scaled(2.0 * i as f64 + 0.5))).collect();
        let moved = distance(&here, &there, |prediction| prediction.network).unwrap();
        assert!((moved - 0.5).abs() < 1e-12, "{moved}");
        let others: Vec<_> = (0..5).map(|i| prediction(i, (i * i) as f64, 0.0)).collect();
        assert_eq!(distance(&others, &there, |prediction| prediction.network), None);
    }

    #[test]
    fn means_of_more_networks_come_nearer() {
        let columns = vec![vec![1.0, -1.0, 1.0, -1.0], vec![2.0, 0.0, 0.0, -2.0]];
        let gaps = gaps_of_means(&columns, &[0.0, 0.0], 4);
        assert_eq!(gaps.len(), 3);
        assert!((gaps[0] - 1.5_f64.sqrt()).abs() < 1e-12 && gaps[2] == 0.0, "{gaps:?}");
    }

    #[test]
    fn spread_and_coverage_are_those_of_the_networks() {
        // Deviations of 0.5, 1 and 3 from the mean of a normal number of deviation 1, both ways.
        let points = [point("", 0, &[0.5, 1.0, 3.0]), point("", 1, &[-0.5, -1.0, -3.0])];
        let group = &groups(&points)[0];
        // The unbiased variances of +-d are 2 d^2.
        assert!((group.variance.unwrap() - 2.0 * (0.25 + 1.0 + 9.0) / 3.0).abs() < 1e-12);
        assert_eq!(group.variance_predicted, Some(1.0));
        assert_eq!(group.coverage, Some([1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]));
        assert!(group.mse_mean.unwrap() < 1e-24 && group.gaps_of_means[1] < 1e-12);
        assert!(group.normality_p.is_empty() && group.responses.is_empty());
    }

    #[test]
    fn a_diverged_network_takes_no_part_but_is_counted() {
        let mut points = vec![point("", 0, &[0.5, 1.0, 3.0]), point("", 1, &[9.0, 9.0, 9.0])];
        points[1].row.outcome = crate::record::Outcome::Diverged;
        let group = &groups(&points)[0];
        assert_eq!((group.n_networks, group.n_diverged, group.variance), (1, 1, None));
    }

    #[test]
    fn stopping_early_is_set_beside_every_ridge_with_all_else_alike() {
        let (steps, ridge) = ("data.label_noise=0.5 train.n_steps=10", "data.label_noise=0.5 train.ridge={absolute=1}");
        let mut points = vec![
            point(steps, 0, &[0.0, 1.0, 2.0]),
            point(steps, 1, &[0.0; 3]),
            point(steps, 2, &[0.0; 3]),
            point(ridge, 0, &[3.0, 1.0, 2.0]),
            point(ridge, 1, &[1.0; 3]),
            point(ridge, 2, &[9.0; 3]),
            point("data.label_noise=0.1 train.ridge={absolute=1}", 0, &[0.0; 3]),
            point("", 0, &[0.0; 3]),
        ];
        points[5].row.outcome = crate::record::Outcome::Diverged;
        let found = groups(&points);
        let [apart] = &found[0].distances[..] else { panic!("{:?}", found[0].distances) };
        assert_eq!((apart.to.as_str(), apart.ntk), (ridge, Some(0.0)));
        // sqrt(9 / 3) and 1; the pair of seed 2 diverged.
        assert!((apart.network.unwrap() - 0.5 * (3.0_f64.sqrt() + 1.0)).abs() < 1e-12, "{apart:?}");
        assert!(found[1..].iter().all(|group| group.distances.is_empty()));
    }

    #[test]
    fn a_response_is_that_of_the_same_seed_to_other_data_alone() {
        let steps = "train.n_steps=9";
        let points = [
            point("", 0, &[0.0; 3]),
            point("", 1, &[1.0; 3]),
            point("data.label_noise=0.1", 0, &[0.25; 3]),
            point("data.label_noise=0.1", 1, &[1.5; 3]),
            point(steps, 0, &[4.0; 3]),
            point(&format!("data.label_noise=0.1 {steps}"), 0, &[4.125; 3]),
        ];
        let found = groups(&points);
        let responses: Vec<&[f64]> = found.iter().map(|group| group.responses.as_slice()).collect();
        assert_eq!(responses, [&[][..], &[0.25, 0.5], &[], &[0.125]]);
        assert!(found[1].response_ntk.unwrap() < 1e-15 && found[2].response_ntk.is_none());
    }
}
