//! Are trained networks distributed over seeds as theory says?
//!
//! At infinite width networks are jointly normal at all test inputs after any time of training (Lee et al. 2019), with the mean A_T Y of
//! training under the NTK from zero and a covariance S that the NNGP kernel and A_T give. Four things can fail at a finite width, and each is
//! read by itself: the mean, the spread at each input, the covariance between inputs, and the shape.
//!
//! Test points of one network share the network, so they are averaged before anything is inferred: intervals are over replicates, each with
//! data and networks of its own. Squares are estimated without bias and can come out below zero where there is no distance: the mean square
//! of f_T - A_T Y over networks is the squared distance of their true mean plus their variance, and has the unbiased variance taken off; the
//! squared distance of the true covariance from S is taken from pairs of networks that share none (`Covariance` of the record).

mod charts;
mod ensemble;
mod networks_needed;
mod panels;
mod reading;
mod statements;
mod tables;

use self::ensemble::{Ensemble, widest};
use self::reading::Reading;
use super::Evidence;
use crate::error::{Error, Result};
use crate::net::InitialFunction;
use crate::study::findings::Findings;
use crate::study::settings::Study;

/// Levels of the central intervals that theory gives a network, as [`Group::coverage`](crate::record::Group::coverage) has them.
const LEVELS: [f64; 3] = [0.5, 0.9, 0.95];

/// Fewer networks have no test of normality.
const MIN_SEEDS: usize = 20;

/// The level of the test of normality at every test point, and so the share of them that it rejects of normal networks.
const LEVEL: f64 = 0.05;

/// Twice that share still counts as normal.
const MOST_REJECTED: f64 = 2.0 * LEVEL;

pub(super) fn ensure_possible(study: &Study) -> Result<()> {
    let n_seeds = study.config.seeds.n_seeds;
    if n_seeds < MIN_SEEDS {
        return Err(Error::config(
            "seeds.n_seeds",
            format!(
                "{n_seeds} networks are too few to see the shape of a distribution: the test of normality takes {MIN_SEEDS}"
            ),
            format!("set it to {MIN_SEEDS} or more, or use another `study.analysis`"),
        ));
    }
    if study.plans.iter().all(|plan| plan.config.train.initial_function != InitialFunction::Plain) {
        return Err(Error::config(
            "train.initial_function",
            "networks that start at zero have no spread at infinite width, and nothing to be compared with",
            "use `initial_function = \"plain\"`",
        ));
    }
    Ok(())
}

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let ensembles = Ensemble::all(evidence.groups);
    let has_covariance = evidence.groups.iter().any(|group| group.covariance.is_some());
    let read = Reading { evidence, margin: evidence.manifest.margin, has_covariance };
    Findings {
        statements: widest(&ensembles).into_iter().flat_map(|widest| read.statements(widest)).collect(),
        tables: read.tables(&ensembles),
        charts: read.charts(&ensembles),
        ..Findings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{row, with_evidence};
    use super::*;
    use crate::record::{Band, Covariance, Group, Row};
    use crate::stats::covered_by_scale;
    use crate::study::Decision;
    use crate::study::findings::Cell;

    /// A covariance at this distance from theory, and this much variance along its directions.
    fn covariance(squared_distance: f64, variance: f64) -> Covariance {
        let band = |first, last, share| Band { first, last, share, variance };
        Covariance {
            squared_distance,
            correlation: Some(1.0),
            leading: band(1, 3, 0.9),
            bands: vec![band(1, 1, 0.6), band(2, 2, 0.2), band(3, 4, 0.2)],
        }
    }

    /// Eight replicates of 32 networks whose true mean lies at `distance` from theory and whose standard deviation is `ratio` times theory's
    /// 0.4 in all directions, as seen with a little noise.
    fn groups(width: usize, distance: f64, ratio: f64) -> Vec<Group> {
        let group = |replicate: usize| {
            let wiggle = 1.0 + 0.02 * (2.4 * replicate as f64).sin();
            let variance = (0.4 * ratio * wiggle).powi(2);
            let gap = |k: f64| (distance * distance + variance / k).sqrt();
            Group {
                varied: format!("seeds.root={replicate}"),
                dataset: "concrete".into(),
                n_train: 64,
                split_seed: 0,
                depth: 2,
                width,
                initial_function: "plain".into(),
                n_networks: 32,
                n_diverged: 0,
                mse_mean: Some(0.2),
                variance: Some(variance),
                variance_predicted: Some(0.16),
                gaps_of_means: [1.0, 2.0, 4.0, 8.0, 16.0, 32.0].map(gap).to_vec(),
                coverage: Some(LEVELS.map(|level| covered_by_scale(level, 1.0 / (ratio * wiggle)))),
                covariance: Some(covariance((ratio * ratio - 1.0).powi(2) + wiggle - 1.0, (ratio * wiggle).powi(2))),
                normality_p: (0..100).map(|i| (f64::from(i) + 0.5) / 100.0).collect(),
                responses: Vec::new(),
                response_ntk: None,
                response_ntk_at_time: None,
                response_nngp: None,
                distances: Vec::new(),
            }
        };
        (1..=8).map(group).collect()
    }

    fn found(groups: &[Group]) -> Findings {
        let rows: Vec<Row> = groups.iter().map(|group| row(group.depth, group.width, 0)).collect();
        with_evidence(&rows, groups, findings)
    }

    fn decisions(groups: &[Group]) -> Vec<Decision> {
        found(groups).statements.into_iter().map(|statement| statement.decision).collect()
    }

    #[test]
    fn networks_of_theory_hold_and_each_departure_fails_where_it_is() {
        use Decision::{Fails, Holds};
        // The statements are on mean, spread, coverage, covariance, directions and shape, in this order.
        assert_eq!(decisions(&groups(64, 0.0, 1.0)), [Holds; 6]);
        assert_eq!(decisions(&groups(64, 0.2, 1.0)), [Fails, Holds, Holds, Holds, Holds, Holds]);
        assert_eq!(decisions(&groups(64, 0.0, 1.5)), [Holds, Fails, Fails, Fails, Fails, Holds]);
        let mut skewed = groups(64, 0.0, 1.0);
        skewed.iter_mut().for_each(|group| group.normality_p.iter_mut().for_each(|p| *p *= 0.25));
        assert_eq!(decisions(&skewed), [Holds, Holds, Holds, Holds, Holds, Fails]);
    }

    #[test]
    fn a_covariance_that_no_single_input_shows_fails_by_itself() {
        use Decision::{Fails, Holds, Undecided};
        // 0.21 is where standard deviations off by the margin of 0.1 put it; along the directions the variance may be off by 1.21.
        let with = |squared_distance: &dyn Fn(f64) -> f64, variance: f64| {
            let mut all = groups(64, 0.0, 1.0);
            for (replicate, group) in all.iter_mut().enumerate() {
                let sign = if replicate % 2 == 0 { 1.0 } else { -1.0 };
                group.covariance = Some(covariance(squared_distance(sign), variance + 0.01 * sign));
            }
            decisions(&all)[3..5].to_vec()
        };
        assert_eq!(with(&|sign| 0.01 * sign, 1.0), [Holds, Holds]);
        assert_eq!(with(&|sign| 0.25 + 0.01 * sign, 1.0), [Fails, Holds]);
        assert_eq!(with(&|sign| 0.03 + 0.1 * sign, 1.0), [Undecided, Holds]);
        assert_eq!(with(&|sign| 0.01 * sign, 1.3), [Holds, Fails]);
        assert_eq!(with(&|sign| 0.01 * sign, 0.75), [Holds, Fails]);
    }

    #[test]
    fn groups_that_know_no_covariance_are_asked_nothing_of_it() {
        let mut all = groups(64, 0.0, 1.0);
        all.iter_mut().for_each(|group| group.covariance = None);
        let found = found(&all);
        assert_eq!((found.statements.len(), found.tables.len(), found.charts.len()), (4, 2, 4));
    }

    #[test]
    fn directions_are_drawn_at_the_middle_of_their_ranks() {
        let found = found(&groups(64, 0.0, 1.0));
        let chart = found.charts.iter().find(|chart| chart.name == "directions").unwrap();
        let ranks: Vec<f64> = chart.panels[0].series[0].points.iter().map(|(rank, _)| *rank).collect();
        assert_eq!(ranks, [1.0, 2.0, 12.0_f64.sqrt()]);
    }

    #[test]
    fn only_the_widest_networks_are_judged_and_all_are_in_the_tables() {
        let all = [groups(16, 0.3, 2.0), groups(64, 0.0, 1.0)].concat();
        let found = found(&all);
        assert!(found.statements.iter().all(|statement| statement.claim.contains("width 64")));
        assert!(found.tables.iter().all(|table| table.rows.len() == 2));
        let narrow = &found.tables[0].rows[0];
        assert!(
            matches!(&narrow[7], Cell::Interval(Some(interval)) if (interval.mean - 0.3).abs() < 1e-9),
            "{narrow:?}"
        );
        assert_eq!(narrow[8], Cell::from("never"));
    }

    #[test]
    fn what_is_missing_is_a_dash_and_no_panic() {
        let mut few = groups(64, 0.0, 1.0);
        for group in &mut few {
            *group = Group {
                n_networks: 0,
                n_diverged: 32,
                variance: None,
                gaps_of_means: Vec::new(),
                coverage: None,
                normality_p: Vec::new(),
                covariance: None,
                ..group.clone()
            };
        }
        assert_eq!(decisions(&few), [Decision::Diverged; 4]);
        // Where narrower networks show that the run has directions, of these there is a statement too.
        assert_eq!(decisions(&[groups(16, 0.0, 1.0), few.clone()].concat()), [Decision::Diverged; 6]);
        assert!(found(&few).charts[0].caption.contains("256 networks diverged"));
    }
}
