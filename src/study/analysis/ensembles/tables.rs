//! The numbers behind the statements, of all widths.

use super::LEVEL;
use super::ensemble::{Ensemble, correlation, leading_variance, rejected, rejected_together};
use super::reading::Reading;
use crate::record::Group;
use crate::study::findings::{Cell, Table};

impl Reading<'_> {
    pub(super) fn tables(&self, ensembles: &[Ensemble<'_>]) -> Vec<Table> {
        let mut tables = vec![self.mean_table(ensembles), self.spread_table(ensembles)];
        if self.has_covariance {
            tables.push(self.covariance_table(ensembles));
        }
        tables
    }

    fn mean_table(&self, ensembles: &[Ensemble<'_>]) -> Table {
        let row = |one: &Ensemble<'_>| {
            let of_all = |group: &Group| group.gaps_of_means.last().copied();
            vec![
                Cell::from(one.title()),
                one.width.into(),
                one.groups.len().into(),
                one.n_networks().into(),
                one.groups.iter().map(|group| group.n_diverged).sum::<usize>().into(),
                self.interval(one, |group| group.gaps_of_means.first().copied()).into(),
                self.interval(one, of_all).into(),
                self.distance(one).into(),
                self.needed(one).unwrap_or_else(|| "-".to_owned()).into(),
            ]
        };
        Table {
            title: "The mean over networks".to_owned(),
            note: format!(
                "RMS distances over test points from A_T Y, in standard deviations of the training targets, with intervals over replicates. The \
                 last distance is that of the networks' true mean, the scatter of the mean that was measured taken off; below zero where there \
                 is less than scatter alone would give. The networks needed are those whose mean lies within {} of theory, at the mean and \
                 the ends of that interval: never, where the true mean alone is farther away.",
                self.margin
            ),
            header: [
                "networks",
                "width",
                "replicates",
                "seeds",
                "diverged",
                "one network",
                "mean of most networks",
                "true mean",
                "networks needed",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: ensembles.iter().map(row).collect(),
        }
    }

    fn spread_table(&self, ensembles: &[Ensemble<'_>]) -> Table {
        let row = |one: &Ensemble<'_>| {
            let covered = |i: usize| self.interval(one, |group| Some(group.coverage?[i]));
            let deviation = |value: fn(&Group) -> Option<f64>| self.interval(one, |group| Some(value(group)?.sqrt()));
            vec![
                Cell::from(one.title()),
                one.width.into(),
                deviation(|group| group.variance).into(),
                deviation(|group| group.variance_predicted).into(),
                self.spread_ratio(one).into(),
                covered(0).into(),
                covered(1).into(),
                covered(2).into(),
                self.interval(one, rejected).into(),
                self.interval(one, rejected_together).into(),
            ]
        };
        Table {
            title: "The spread and the shape".to_owned(),
            note: format!(
                "Standard deviations are RMS over test points, in units of the training targets'; the ratio is the geometric mean over \
                 replicates. Then the share of networks within the central intervals that theory gives, and of test points at which D'Agostino's \
                 test rejects normality at {LEVEL}, alone and after Holm's correction for all test points. Intervals are over replicates."
            ),
            header: [
                "networks",
                "width",
                "deviation",
                "of theory",
                "ratio",
                "in 50 %",
                "in 90 %",
                "in 95 %",
                "not normal",
                "after Holm",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: ensembles.iter().map(row).collect(),
        }
    }

    fn covariance_table(&self, ensembles: &[Ensemble<'_>]) -> Table {
        let row = |one: &Ensemble<'_>| {
            vec![
                Cell::from(one.title()),
                one.width.into(),
                self.covariance_distance(one).into(),
                self.interval(one, correlation).into(),
                one.n_leading().into(),
                self.interval(one, leading_variance).into(),
            ]
        };
        Table {
            title: "The covariance between test inputs".to_owned(),
            note: "How far the true covariance C of the networks between all test inputs lies from theory's S, ||C - S|| / ||S|| in the Frobenius \
                   norm, below zero where there is less than scatter alone would give. Then the correlation between different test inputs in \
                   units of theory's, which is 1 where C is S times any number and 0 where inputs have nothing to do with each other: networks \
                   that look right at every single input can miss it. The leading directions are the eigenvectors of S that hold 90 % of its \
                   trace, and the last column is the networks' variance along them over theory's, each direction counting the same. \
                   Intervals are over replicates."
                .to_owned(),
            header: ["networks", "width", "distance", "correlation", "leading directions", "variance along them"]
                .map(str::to_owned)
                .to_vec(),
            rows: ensembles.iter().map(row).collect(),
        }
    }
}
