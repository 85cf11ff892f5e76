//! Does stopping early do for the test error what a ridge does, for the network and for its kernel?
//!
//! Gradient flow for a time t predicts about as regression with the ridge N O / t (Ali, Kolter, Tibshirani 2019), so both lie on one axis.
//! Of each the best is taken by the mean test error over replicates, the same for all of them: what no one knows before the test rows are
//! seen, but as favourable to one as to the other.
//!
//! Errors alike need not mean predictions alike: beside every number of steps stands the ridge, of those tried, whose predictions are closest.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Evidence;
use super::super::evidence::mishaps;
use super::super::label::{REPLICATES, title, varied, without};
use super::super::replicates::{about, by_replicate, each, words};
use super::MOST_PANELS;
use crate::record::{Distance, Row};
use crate::stats::Interval;
use crate::study::findings::{Axis, Cell, Chart, Findings, Panel, Scale, Series, Statement, Table};

const STEPS: &str = "train.n_steps";
const RIDGE: &str = "train.ridge";

/// How the fit to noise is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Means {
    StoppingEarly,
    Ridge,
}

impl Means {
    const ALL: [Self; 2] = [Self::StoppingEarly, Self::Ridge];

    fn name(self) -> &'static str {
        match self {
            Self::StoppingEarly => "stopped early",
            Self::Ridge => "ridge",
        }
    }
}

/// Who is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Network,
    Kernel,
}

impl Who {
    const ALL: [Self; 2] = [Self::Network, Self::Kernel];

    fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Kernel => "NTK",
        }
    }

    /// The test error of a row.
    fn error(self, row: &Row) -> Option<f64> {
        match self {
            Self::Network => row.mse_network,
            Self::Kernel => row.mse_ntk_at_time,
        }
    }
}

/// Networks of one width and setting that are held back as much, on all replicates.
struct Strength<'a> {
    setting: String,
    depth: usize,
    width: usize,
    means: Means,
    /// As it was written.
    amount: &'a str,
    rows: Vec<&'a Row>,
}

impl<'a> Strength<'a> {
    fn all(evidence: &Evidence<'a>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for &row in evidence.rows {
            let (means, amount) = match (varied(&row.varied, STEPS), varied(&row.varied, RIDGE)) {
                (Some(steps), None) => (Means::StoppingEarly, steps),
                (None, Some(ridge)) => (Means::Ridge, ridge),
                _ => continue,
            };
            let setting = without(&row.varied, &[&[STEPS, RIDGE][..], &REPLICATES].concat());
            let is_of = |one: &&mut Self| {
                (&one.setting, one.depth, one.width, one.means, one.amount)
                    == (&setting, row.depth, row.width, means, amount)
            };
            match all.iter_mut().find(is_of) {
                Some(strength) => strength.rows.push(row),
                None => {
                    let (depth, width) = (row.depth, row.width);
                    all.push(Self { setting, depth, width, means, amount, rows: vec![row] });
                }
            }
        }
        all.sort_by(|a, b| {
            let key = |one: &Self| (one.setting.clone(), one.depth, one.width, one.means);
            key(a).cmp(&key(b)).then(a.ridge().total_cmp(&b.ridge()))
        });
        all
    }

    fn trained(&self) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().copied().filter(|row| row.is_trained())
    }

    /// The ridge, or that which stopping so early amounts to: the geometric mean over networks.
    fn ridge(&self) -> f64 {
        let of_row = |row: &&Row| match self.means {
            // Of a network that diverged, the time that it was to take.
            Means::StoppingEarly if row.is_trained() => (row.n_train * row.d_out) as f64 / row.time,
            Means::StoppingEarly => {
                (row.n_train * row.d_out) as f64 / (row.learning_rate * self.amount.parse().unwrap_or(f64::NAN))
            }
            Means::Ridge => row.ridge,
        };
        (self.rows.iter().map(|row| of_row(row).ln()).sum::<f64>() / self.rows.len() as f64).exp()
    }

    fn error(&self, evidence: &Evidence<'_>, who: Who) -> Option<Interval> {
        evidence.mean(by_replicate(self.trained(), |row| who.error(row)).into_values())
    }
}

/// The ridge, of those tried, whose networks predict most like those that stop early, and how far the predictions are apart: RMS over test
/// points in deviations of the targets.
struct Closest<'a> {
    /// As it was written.
    ridge: &'a str,
    network: Option<Interval>,
    ntk: Option<Interval>,
}

impl<'a> Closest<'a> {
    /// By the mean over replicates; none of a ridge, and none of a run whose groups were kept without distances.
    fn to(evidence: &Evidence<'a>, stopped: &Strength<'_>) -> Option<Self> {
        if stopped.means != Means::StoppingEarly {
            return None;
        }
        let labels: BTreeSet<&str> = stopped.rows.iter().map(|row| row.varied.as_str()).collect();
        let groups = evidence.groups.iter().filter(|group| {
            (group.depth, group.width) == (stopped.depth, stopped.width) && labels.contains(group.varied.as_str())
        });
        // One distance for each replicate.
        let mut by_ridge: BTreeMap<&str, Vec<&Distance>> = BTreeMap::new();
        for distance in groups.flat_map(|group| &group.distances) {
            by_ridge.entry(varied(&distance.to, RIDGE)?).or_default().push(distance);
        }
        let mean = |distances: &[&Distance], value: fn(&Distance) -> Option<f64>| {
            evidence.mean(distances.iter().filter_map(|distance| value(distance)))
        };
        let all = by_ridge.into_iter().map(|(ridge, distances)| Self {
            ridge,
            network: mean(&distances, |distance| distance.network),
            ntk: mean(&distances, |distance| distance.ntk),
        });
        let apart = |closest: &Self| closest.network.map_or(f64::INFINITY, |distance| distance.mean);
        all.min_by(|a, b| apart(a).total_cmp(&apart(b)))
    }
}

/// The strengths of one width and setting.
type Place<'s> = (&'s str, usize, usize);

fn places<'s>(all: &'s [Strength<'_>]) -> Vec<Place<'s>> {
    let mut places: Vec<Place<'s>> = all.iter().map(|one| (one.setting.as_str(), one.depth, one.width)).collect();
    places.dedup();
    places
}

fn at<'s, 'a>(all: &'s [Strength<'a>], place: Place<'s>, means: Means) -> impl Iterator<Item = &'s Strength<'a>> {
    all.iter().filter(move |one| (one.setting.as_str(), one.depth, one.width) == place && one.means == means)
}

/// The strength with the least mean error over replicates.
fn best<'s, 'a>(
    evidence: &Evidence<'_>,
    all: &'s [Strength<'a>],
    place: Place<'s>,
    (means, who): (Means, Who),
) -> Option<&'s Strength<'a>> {
    let mean = |one: &Strength<'_>| one.error(evidence, who).map_or(f64::INFINITY, |error| error.mean);
    at(all, place, means).min_by(|a, b| mean(a).total_cmp(&mean(b)))
}

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let all = Strength::all(evidence);
    let has_both = |place: &Place<'_>| Means::ALL.into_iter().all(|means| at(&all, *place, means).next().is_some());
    let places: Vec<Place<'_>> = places(&all).into_iter().filter(has_both).collect();
    if places.is_empty() {
        return Findings::default();
    }
    let is_widest =
        |place: &&Place<'_>| places.iter().all(|other| (other.0, other.1) != (place.0, place.1) || other.2 <= place.2);
    let widest: Vec<Place<'_>> = places.iter().filter(is_widest).copied().collect();
    let pairs = widest.iter().flat_map(|&place| Who::ALL.map(|who| (place, who)));
    Findings {
        statements: pairs.filter_map(|(place, who)| statement(evidence, &all, place, who)).collect(),
        tables: vec![table(evidence, &all, &places)],
        charts: vec![chart(evidence, &all, &widest)],
        ..Findings::default()
    }
}

fn statement(evidence: &Evidence<'_>, all: &[Strength<'_>], place: Place<'_>, who: Who) -> Option<Statement> {
    let [stopped, ridged] =
        [best(evidence, all, place, (Means::StoppingEarly, who))?, best(evidence, all, place, (Means::Ridge, who))?];
    let errors = |one: &Strength<'_>| by_replicate(one.trained(), |row| who.error(row));
    let (of_stopped, of_ridged) = (errors(stopped), errors(ridged));
    let pairs = of_stopped.iter().filter_map(|(replicate, stopped)| Some((stopped, of_ridged.get(replicate)?)));
    let logs: Vec<f64> = pairs.map(|(stopped, ridged)| (stopped / ridged).ln()).filter(|log| log.is_finite()).collect();
    let margin = evidence.manifest.margin;
    Some(Statement::alike(
        format!(
            "At {} and width {} stopping early gives the {} the test error of the best ridge",
            title(place.1, place.0),
            place.2,
            who.name()
        ),
        &logs,
        margin.ln_1p(),
        evidence.manifest.confidence,
        format!(
            "The error after the best number of steps, {} of those tried, is {} times that with the best ridge, {} of those tried",
            stopped.amount,
            words(evidence.mean(logs.iter().copied()).map(|log| each(log, f64::exp))),
            ridged.amount
        ),
        "replicates",
    ))
}

fn table(evidence: &Evidence<'_>, all: &[Strength<'_>], places: &[Place<'_>]) -> Table {
    let rows = places.iter().flat_map(|&place| Means::ALL.into_iter().flat_map(move |means| at(all, place, means)));
    let rows: Vec<(&Strength<'_>, Option<Closest<'_>>)> = rows.map(|one| (one, Closest::to(evidence, one))).collect();
    let has_distances = rows.iter().any(|(_, closest)| closest.is_some());
    let row = |(one, closest): &(&Strength<'_>, Option<Closest<'_>>)| {
        let mut row = vec![
            Cell::from(title(one.depth, &one.setting)),
            one.width.into(),
            one.means.name().into(),
            one.amount.into(),
            one.ridge().into(),
            one.error(evidence, Who::Network).into(),
            one.error(evidence, Who::Kernel).into(),
        ];
        if has_distances {
            row.extend(match closest {
                Some(closest) => [closest.ridge.into(), closest.network.into(), closest.ntk.into()],
                None => ["", "", ""].map(Cell::from),
            });
        }
        row
    };
    let mut header = vec!["networks", "width", "held back by", "as written", "ridge", "network", "NTK"];
    let mut note = "Mean squared test errors, in units of the training targets' variance, of networks and of the NTK trained as long; a ridge pulls \
                    the network to its start. Of networks that stop early the ridge is N O / t, which their time t amounts to. Intervals are over \
                    replicates."
        .to_owned();
    if has_distances {
        header.extend(["closest ridge", "networks apart", "NTK apart"]);
        note.push_str(
            " Beside networks that stop early stands the ridge, as written and of those tried, whose networks of the same seeds predict most \
             alike; how far both are apart, and the NTK trained as long under either, is RMS over test points in deviations of the targets.",
        );
    }
    Table {
        title: "Stopping early and ridges".to_owned(),
        note,
        header: header.into_iter().map(str::to_owned).collect(),
        rows: rows.iter().map(row).collect(),
    }
}

fn chart(evidence: &Evidence<'_>, all: &[Strength<'_>], widest: &[Place<'_>]) -> Chart {
    let panel = |&place: &Place<'_>| {
        let series = |(who, means): (Who, Means)| Series {
            label: format!("{}, {}", who.name(), means.name()),
            points: at(all, place, means).map(|one| (one.ridge(), one.error(evidence, who))).collect(),
        };
        let kinds = Who::ALL.into_iter().flat_map(|who| Means::ALL.map(|means| (who, means)));
        let strengths = Means::ALL.into_iter().flat_map(|means| at(all, place, means));
        Panel {
            title: title(place.1, place.0),
            series: kinds.map(series).collect(),
            guides: Vec::new(),
            mishaps: mishaps(strengths.flat_map(|one| one.rows.iter().map(|row| (one.ridge(), *row)))),
        }
    };
    let left_out = match widest.len() > MOST_PANELS {
        true => format!(" Of {} kinds of networks {MOST_PANELS} are drawn; the table has all.", widest.len()),
        false => String::new(),
    };
    Chart {
        name: "early_stopping",
        title: "Stopping early beside a ridge",
        caption: format!(
            "Mean squared test error, in units of the training targets' variance, of networks and of the NTK trained as long, without a ridge but \
             stopped after a time t, and with a ridge: against the ridge, which is N O / t of those that stop early; at the greatest width. Markers are means over \
             replicates, bands Student's {} intervals of the mean. {}{left_out}",
            evidence.level(),
            about(evidence)
        ),
        x: Axis::new("ridge, or N O / t", Scale::Log10),
        y: Axis::new("mean squared test error", Scale::Log10),
        panels: widest.iter().take(MOST_PANELS).map(panel).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::made_up::{row, with_evidence};
    use super::*;
    use crate::record::Group;
    use crate::study::Decision;

    /// Six replicates: of the numbers of steps 100 is best, with the error 0.2, and of the ridges 0.1, with 0.2 times `factor`.
    fn rows(factor: f64) -> Vec<Row> {
        let held_back = [
            ("train.n_steps=10", 0.4, 5.0, 0.0),
            ("train.n_steps=100", 0.2, 50.0, 0.0),
            ("train.ridge=0.1", 0.2 * factor, 500.0, 1.28),
            ("train.ridge=1.0", 0.5 * factor, 500.0, 12.8),
        ];
        let of = |replicate: u32| {
            held_back.map(|(label, error, time, ridge)| {
                let error = error * (1.0 + 0.1 * f64::from(replicate));
                let varied = format!("seeds.root={replicate} {label}");
                Row { varied, time, ridge, mse_network: Some(error), mse_ntk_at_time: Some(error), ..row(2, 64, 0) }
            })
        };
        (0..6).flat_map(of).collect()
    }

    #[test]
    fn the_best_of_both_are_compared() {
        let decisions = |factor: f64| {
            let found = with_evidence(&rows(factor), &[], findings);
            found.statements.into_iter().map(|statement| statement.decision).collect::<Vec<_>>()
        };
        assert_eq!(decisions(1.02), [Decision::Holds; 2]);
        assert_eq!(decisions(0.7), [Decision::Fails; 2]);
    }

    #[test]
    fn a_time_stands_at_the_ridge_which_it_amounts_to() {
        let found = with_evidence(&rows(1.0), &[], findings);
        // 64 training points of one output, stopped at 50 and at 5.
        let points: Vec<f64> = found.charts[0].panels[0].series[0].points.iter().map(|(x, _)| *x).collect();
        assert!((points[0] - 1.28).abs() < 1e-12 && (points[1] - 12.8).abs() < 1e-12, "{points:?}");
    }

    #[test]
    fn the_closest_ridge_is_that_of_the_least_mean_distance_over_replicates() {
        let group = |replicate: u32, steps: &str, near: f64| -> Group {
            let distance = |ridge: &str, network: f64| serde_json::json!({ "to": format!("seeds.root={replicate} train.ridge={ridge}"), "network": network, "ntk": 0.5 * network });
            let varied = format!("seeds.root={replicate} train.n_steps={steps}");
            serde_json::from_value(serde_json::json!({
                "varied": varied, "dataset": "", "n_train": 64, "split_seed": 0, "depth": 2, "width": 64, "initial_function": "plain",
                "n_networks": 1, "n_diverged": 0, "mse_mean": null, "variance": null, "variance_predicted": null, "gaps_of_means": [],
                "coverage": null, "normality_p": [], "responses": [], "response_ntk": null, "response_ntk_at_time": null,
                "response_nngp": null, "distances": [distance("0.1", near * f64::from(replicate + 1)), distance("1.0", 0.35)],
            }))
            .unwrap()
        };
        // To the ridge 0.1 the mean distance over six replicates is 3.5 times `near`.
        let groups: Vec<Group> = (0..6).flat_map(|k| [group(k, "10", 0.2), group(k, "100", 0.05)]).collect();
        let table = with_evidence(&rows(1.0), &groups, findings).tables.swap_remove(0);
        let closest = |steps: &str| table.rows.iter().find(|row| row[3] == Cell::from(steps)).unwrap()[7..].to_vec();
        let [Cell::Text(ridge), Cell::Interval(Some(network)), Cell::Interval(Some(ntk))] = &closest("100")[..] else {
            panic!("{table:?}")
        };
        assert_eq!(ridge, "0.1");
        assert!(
            (network.mean - 0.175).abs() < 1e-12 && (ntk.mean - 0.0875).abs() < 1e-12 && network.low < network.mean
        );
        assert_eq!(closest("10")[0], Cell::from("1.0"));
        assert_eq!(closest("1.0")[0], Cell::from(""), "a ridge has none");
        assert_eq!(with_evidence(&rows(1.0), &[], findings).tables[0].header.len(), 7, "kept without distances");
    }

    #[test]
    fn without_a_ridge_there_is_nothing_to_compare_with() {
        let mut rows = rows(1.0);
        rows.retain(|row| row.ridge == 0.0);
        assert_eq!(with_evidence(&rows, &[], findings), Findings::default());
    }
}
