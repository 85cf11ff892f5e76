//! The networks of one architecture at one setting, and what is read from those of each replicate.

use super::super::label::{setting, title};
use super::LEVEL;
use crate::record::Group;
use crate::stats::holm;

/// The networks of one architecture at one setting, replicate by replicate.
pub(super) struct Ensemble<'a> {
    pub(super) setting: String,
    pub(super) depth: usize,
    pub(super) width: usize,
    pub(super) groups: Vec<&'a Group>,
}

impl<'a> Ensemble<'a> {
    /// In the order of the groups, narrow to wide.
    pub(super) fn all(groups: &'a [Group]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for group in groups {
            let setting = setting(&group.varied);
            let is_of = |e: &&mut Self| (e.depth, e.width, &e.setting) == (group.depth, group.width, &setting);
            match all.iter_mut().find(is_of) {
                Some(ensemble) => ensemble.groups.push(group),
                None => all.push(Self { setting, depth: group.depth, width: group.width, groups: vec![group] }),
            }
        }
        all.sort_by_key(|ensemble| (ensemble.depth, ensemble.width));
        all
    }

    pub(super) fn values(&self, value: impl Fn(&Group) -> Option<f64>) -> Vec<f64> {
        self.groups.iter().filter_map(|group| value(group)).collect()
    }

    pub(super) fn title(&self) -> String {
        title(self.depth, &self.setting)
    }

    /// How many leading directions theory has: "38 to 43", where replicates differ.
    pub(super) fn n_leading(&self) -> String {
        let counts = || self.groups.iter().filter_map(|group| Some(group.covariance.as_ref()?.leading.last));
        match counts().min().zip(counts().max()) {
            None => "-".to_owned(),
            Some((least, most)) if least == most => most.to_string(),
            Some((least, most)) => format!("{least} to {most}"),
        }
    }

    pub(super) fn width_label(&self) -> String {
        format!("width {}", self.width)
    }

    /// How many networks there are of each replicate, at least.
    pub(super) fn n_networks(&self) -> usize {
        self.groups.iter().map(|group| group.n_networks).min().unwrap_or(0)
    }
}

/// The widest of each depth and setting.
pub(super) fn widest<'e, 'a>(ensembles: &'e [Ensemble<'a>]) -> Vec<&'e Ensemble<'a>> {
    let is_widest = |one: &&Ensemble<'_>| {
        let alike = |other: &&Ensemble<'_>| (other.depth, &other.setting) == (one.depth, &one.setting);
        ensembles.iter().filter(alike).all(|other| other.width <= one.width)
    };
    ensembles.iter().filter(is_widest).collect()
}

/// The squared distance of the networks' true mean from theory's, over test points.
pub(super) fn squared_distance(group: &Group) -> Option<f64> {
    Some(group.gaps_of_means.first()?.powi(2) - group.variance?)
}

/// By how much the networks' standard deviation exceeds that of theory, as a logarithm.
pub(super) fn log_spread(group: &Group) -> Option<f64> {
    let ratio = group.variance? / group.variance_predicted?;
    (ratio.is_finite() && ratio > 0.0).then(|| 0.5 * ratio.ln())
}

/// ||C - S||^2 / ||S||^2, of the networks' true covariance between test points and of theory's.
pub(super) fn squared_covariance_distance(group: &Group) -> Option<f64> {
    Some(group.covariance.as_ref()?.squared_distance)
}

/// The correlation between test points in units of theory's.
pub(super) fn correlation(group: &Group) -> Option<f64> {
    group.covariance.as_ref()?.correlation
}

/// The variance along theory's leading directions in units of theory's, in the mean over them.
pub(super) fn leading_variance(group: &Group) -> Option<f64> {
    Some(group.covariance.as_ref()?.leading.variance)
}

/// The share of test points at which the networks are not normal.
pub(super) fn rejected(group: &Group) -> Option<f64> {
    share(&group.normality_p)
}

/// The same after Holm's correction for all test points: 0 of normal networks, but for one ensemble in twenty.
pub(super) fn rejected_together(group: &Group) -> Option<f64> {
    share(&holm(&group.normality_p))
}

fn share(p_values: &[f64]) -> Option<f64> {
    let rejected = p_values.iter().filter(|p| **p < LEVEL).count();
    (!p_values.is_empty()).then(|| rejected as f64 / p_values.len() as f64)
}
