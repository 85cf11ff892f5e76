//! The criterion, and every quantity with its interval over replicates.

use super::super::Evidence;
use super::super::replicates::each;
use super::ensemble::{Ensemble, log_spread, squared_covariance_distance, squared_distance};
use super::networks_needed::NetworksNeeded;
use crate::record::Group;
use crate::stats::{Interval, covered_by_scale};

/// The criterion beside what it is asked of.
pub(super) struct Reading<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) margin: f64,
    /// Whether the groups know the covariance between test points, which those of older runs do not.
    pub(super) has_covariance: bool,
}

impl Reading<'_> {
    pub(super) fn interval(&self, ensemble: &Ensemble<'_>, value: impl Fn(&Group) -> Option<f64>) -> Option<Interval> {
        self.evidence.mean(ensemble.values(value))
    }

    pub(super) fn distance(&self, ensemble: &Ensemble<'_>) -> Option<Interval> {
        self.interval(ensemble, squared_distance).map(|square| each(square, root))
    }

    pub(super) fn spread_ratio(&self, ensemble: &Ensemble<'_>) -> Option<Interval> {
        self.interval(ensemble, log_spread).map(|log| each(log, f64::exp))
    }

    pub(super) fn covariance_distance(&self, ensemble: &Ensemble<'_>) -> Option<Interval> {
        self.interval(ensemble, squared_covariance_distance).map(|square| each(square, root))
    }

    /// At the mean over replicates, and at both ends of its interval.
    pub(super) fn needed(&self, ensemble: &Ensemble<'_>) -> Option<String> {
        let square = self.interval(ensemble, squared_distance)?;
        let variance = self.interval(ensemble, |group| group.variance)?.mean;
        let [mean, low, high] =
            [square.mean, square.low, square.high].map(|square| NetworksNeeded::of(square, variance, self.margin));
        Some(match low == high {
            true => mean.words(),
            false => format!("{} [{}, {}]", mean.words(), low.words(), high.words()),
        })
    }

    /// The variance in units of theory's, where the standard deviation is off by the margin, either way.
    pub(super) fn variances(&self) -> (f64, f64) {
        let factor = (1.0 + self.margin).powi(2);
        (1.0 / factor, factor)
    }

    /// Where that puts the covariance, if it is so at every test input: ||C - S|| / ||S||.
    pub(super) fn most_covariance_distance(&self) -> f64 {
        self.variances().1 - 1.0
    }

    /// What the central interval of a normal distribution covers of one whose standard deviation is off by the margin, either way.
    pub(super) fn covered(&self, level: f64) -> (f64, f64) {
        (covered_by_scale(level, 1.0 / (1.0 + self.margin)), covered_by_scale(level, 1.0 + self.margin))
    }
}

/// Of a square that was estimated, the root with its sign.
fn root(square: f64) -> f64 {
    square.signum() * square.abs().sqrt()
}
