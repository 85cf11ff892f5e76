//! What an analysis reads, and the statistics that all of them need.

use std::collections::BTreeSet;

use crate::number::percent;
use crate::record::{Group, Manifest, Row};
use crate::seed::stream;
use crate::stats::{Bootstrap, Interval, Slope, bootstrap, cluster_bootstrap, log_log_slope, mean_interval};
use crate::study::findings::{Mishap, interval_of};

/// The records of a run.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What was run, and the criterion.
    pub manifest: &'a Manifest,
    /// One per network.
    pub rows: &'a [&'a Row],
    /// One per setting and architecture.
    pub groups: &'a [Group],
}

/// Fewer values have no bootstrap interval worth having.
const MIN_FOR_BOOTSTRAP: usize = 5;

/// The same of clusters: of so few the bootstrap's intervals are too narrow.
const MIN_CLUSTERS: usize = 10;

const N_RESAMPLES: usize = 2000;

impl<'a> Evidence<'a> {
    /// The confidence level, as "95 %".
    pub(super) fn level(&self) -> String {
        percent(self.manifest.confidence)
    }

    /// Student's interval of a mean, at the confidence that the config states.
    pub(super) fn mean(&self, values: impl IntoIterator<Item = f64>) -> Option<Interval> {
        mean_interval(&values.into_iter().collect::<Vec<_>>(), self.manifest.confidence)
    }

    /// The mean with a BCa bootstrap interval; Student's where there are fewer than five values. `name` is that of the random stream.
    pub(super) fn resampled(&self, values: &[f64], name: &str) -> Option<Interval> {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        self.resampled_statistic(values, mean, name).or_else(|| self.mean(values.iter().copied()))
    }

    /// Any statistic with its BCa bootstrap interval; none of fewer than five values, or where it has no value in some sample.
    pub(super) fn resampled_statistic<T: Clone>(
        &self,
        values: &[T],
        statistic: impl Fn(&[T]) -> f64,
        name: &str,
    ) -> Option<Interval> {
        let mut random = stream(self.manifest.root_seed, &format!("analysis/{name}"));
        let found: Option<Bootstrap> = (values.len() >= MIN_FOR_BOOTSTRAP)
            .then(|| bootstrap(values, statistic, self.manifest.confidence, N_RESAMPLES, &mut random))
            .flatten();
        found.map(|found| interval_of(found, values.len()))
    }

    /// The mean over clusters, such as data replicates with a value for each seed, with a BCa bootstrap interval that draws clusters and then
    /// values within them; Student's interval of the clusters' means where there are fewer than ten. `n` counts clusters.
    pub(super) fn clustered(&self, clusters: &[Vec<f64>], confidence: f64, name: &str) -> Option<Interval> {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let mean_of_means =
            |clusters: &[Vec<f64>]| clusters.iter().map(|cluster| mean(cluster)).sum::<f64>() / clusters.len() as f64;
        let mut random = stream(self.manifest.root_seed, &format!("analysis/{name}"));
        let found: Option<Bootstrap> = (clusters.len() >= MIN_CLUSTERS)
            .then(|| cluster_bootstrap(clusters, mean_of_means, confidence, N_RESAMPLES, &mut random))
            .flatten();
        match found {
            Some(found) => Some(interval_of(found, clusters.len())),
            None => mean_interval(&clusters.iter().map(|cluster| mean(cluster)).collect::<Vec<_>>(), confidence),
        }
    }

    /// The exponent of a power law.
    pub(super) fn slope(&self, points: &[(f64, f64)]) -> Option<Slope> {
        log_log_slope(points, self.manifest.confidence)
    }

    /// The networks of some groups.
    pub(super) fn networks(&self, groups: &[&Group]) -> impl Iterator<Item = &'a Row> {
        let is_of =
            |row: &Row, group: &Group| (&group.varied, group.depth, group.width) == (&row.varied, row.depth, row.width);
        self.rows.iter().copied().filter(move |row| groups.iter().any(|group| is_of(row, group)))
    }

    /// The values of a count that occur, smallest first.
    pub(super) fn distinct(&self, value: impl Fn(&Row) -> usize) -> Vec<usize> {
        self.rows.iter().map(|row| value(row)).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Of networks, each where it stands along a panel, the places with some that diverged or missed their target.
pub(super) fn mishaps<'a>(networks: impl IntoIterator<Item = (f64, &'a Row)>) -> Vec<Mishap> {
    let mut places: Vec<Mishap> = Vec::new();
    for (x, row) in networks {
        let at = places.iter().position(|place| place.x == x).unwrap_or_else(|| {
            places.push(Mishap { x, n_diverged: 0, n_missed: 0, n_networks: 0 });
            places.len() - 1
        });
        let place = &mut places[at];
        place.n_networks += 1;
        place.n_diverged += usize::from(!row.is_trained());
        place.n_missed += usize::from(row.misses_target());
    }
    places.retain(|place| place.n_diverged + place.n_missed > 0);
    places.sort_by(|a, b| a.x.total_cmp(&b.x));
    places
}

#[cfg(test)]
mod tests {
    use super::super::made_up::row;
    use super::*;
    use crate::record::Outcome;

    #[test]
    fn mishaps_are_counted_place_by_place() {
        let whole = row(1, 32, 0);
        let diverged = Row { outcome: Outcome::Diverged, ..whole.clone() };
        let missed = Row { is_reached: false, ..whole.clone() };
        let found = mishaps([(2.0, &diverged), (1.0, &whole), (2.0, &missed), (0.5, &missed), (2.0, &whole)]);
        let mishap = |x, n_diverged, n_missed, n_networks| Mishap { x, n_diverged, n_missed, n_networks };
        assert_eq!(found, [mishap(0.5, 0, 1, 1), mishap(2.0, 1, 1, 3)]);
    }
}
