//! How far the predictions of a network move when its training data do, beside those of its kernel.
//!
//! Each network is compared with the one of the same seed and so of the same parameters at the start. Label noise moves a linearized network
//! and its kernel alike, because both are linear in the targets and the initial function drops out of the difference. Where the inputs move,
//! or some of them are left out, A_T moves as well, and with it what it makes of the initial function: the network's response exceeds the
//! kernel's by that part at every width, unless the network starts at zero.

use std::collections::BTreeMap;

use super::super::Evidence;
use super::super::evidence::mishaps;
use super::super::label::{REPLICATES, replicate, title, without};
use super::super::replicates::{about, each, words};
use super::{MOST_PANELS, PERTURBATIONS};
use crate::record::{Group, Row};
use crate::stats::Interval;
use crate::study::findings::{Axis, Cell, Chart, Findings, Guide, Panel, Scale, Series, Statement, Table};

/// What a training set has more or less of than the one it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    LabelNoise,
    InputNoise,
    LeftOut,
}

impl Kind {
    const ALL: [Self; 3] = [Self::LabelNoise, Self::InputNoise, Self::LeftOut];

    fn name(self) -> &'static str {
        match self {
            Self::LabelNoise => "label noise",
            Self::InputNoise => "input noise",
            Self::LeftOut => "points left out",
        }
    }

    fn axis(self) -> Axis {
        match self {
            Self::LabelNoise => Axis::new("label noise, in deviations of the targets", Scale::Log10),
            Self::InputNoise => Axis::new("input noise, in deviations of each input", Scale::Log10),
            Self::LeftOut => Axis::new("training points left out", Scale::Log2),
        }
    }

    fn chart(self) -> (&'static str, &'static str) {
        match self {
            Self::LabelNoise => ("response_label_noise", "How predictions respond to label noise"),
            Self::InputNoise => ("response_input_noise", "How predictions respond to input noise"),
            Self::LeftOut => ("response_left_out", "How predictions respond to points left out"),
        }
    }

    /// What `row` has of it beside `base`; none where they differ in something else, or in nothing.
    fn of(row: &Row, base: &Row) -> Option<(Self, f64)> {
        let label = row.label_noise - base.label_noise;
        let input = row.input_noise - base.input_noise;
        let left_out = base.n_train as f64 - row.n_train as f64;
        let found: Vec<_> = [(Self::LabelNoise, label), (Self::InputNoise, input), (Self::LeftOut, left_out)]
            .into_iter()
            .filter(|(_, amount)| *amount != 0.0)
            .collect();
        match found[..] {
            [(kind, amount)] if amount > 0.0 => Some((kind, amount)),
            _ => None,
        }
    }
}

/// A perturbation of one size, of all replicates.
struct Perturbed<'a> {
    setting: String,
    depth: usize,
    width: usize,
    kind: Kind,
    amount: f64,
    groups: Vec<&'a Group>,
}

impl<'a> Perturbed<'a> {
    /// By setting, depth, kind, size and width.
    fn all(evidence: &Evidence<'a>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for group in evidence.groups {
            let Some((kind, amount)) = perturbation(evidence, group) else { continue };
            let setting = setting(&group.varied);
            let is_of = |one: &&mut Self| {
                (&one.setting, one.depth, one.width, one.kind, one.amount)
                    == (&setting, group.depth, group.width, kind, amount)
            };
            match all.iter_mut().find(is_of) {
                Some(perturbed) => perturbed.groups.push(group),
                None => {
                    all.push(Self {
                        setting,
                        depth: group.depth,
                        width: group.width,
                        kind,
                        amount,
                        groups: vec![group],
                    });
                }
            }
        }
        all.sort_by(|a, b| {
            let key = |one: &Self| (one.setting.clone(), one.depth, one.kind);
            key(a).cmp(&key(b)).then(a.amount.total_cmp(&b.amount)).then(a.width.cmp(&b.width))
        });
        all
    }

    fn values(&self, value: impl Fn(&Group) -> Option<f64>) -> Vec<f64> {
        self.groups.iter().filter_map(|group| value(group)).collect()
    }

    fn title(&self) -> String {
        title(self.depth, &self.setting)
    }
}

/// What all perturbations of a training set share.
fn setting(label: &str) -> String {
    without(label, &[&PERTURBATIONS[..], &REPLICATES].concat())
}

/// What perturbs the training data of a group, beside the first group that shares all else.
fn perturbation(evidence: &Evidence<'_>, group: &Group) -> Option<(Kind, f64)> {
    let unperturbed = |label: &str| without(label, &PERTURBATIONS);
    let is_base = |other: &&Group| {
        (other.depth, other.width, unperturbed(&other.varied)) == (group.depth, group.width, unperturbed(&group.varied))
    };
    let row = |group: &Group| {
        let is_of = |row: &&&Row| (&row.varied, row.depth, row.width) == (&group.varied, group.depth, group.width);
        evidence.rows.iter().find(is_of).copied()
    };
    Kind::of(row(group)?, row(evidence.groups.iter().find(is_base)?)?)
}

/// The root mean square over seeds of how far the networks moved: squares of what is independent add up.
fn network(group: &Group) -> Option<f64> {
    let squares: f64 = group.responses.iter().map(|response| response * response).sum();
    (!group.responses.is_empty()).then(|| (squares / group.responses.len() as f64).sqrt())
}

/// By how much the networks moved farther than their kernel, as a logarithm.
fn log_ratio(group: &Group) -> Option<f64> {
    let ratio = network(group)? / group.response_ntk_at_time?;
    (ratio.is_finite() && ratio > 0.0).then(|| ratio.ln())
}

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let all = Perturbed::all(evidence);
    if all.is_empty() {
        return Findings::default();
    }
    let charts = Kind::ALL.into_iter().filter_map(|kind| chart(evidence, &all, kind)).chain([ratios(evidence, &all)]);
    Findings {
        statements: statements(evidence, &all),
        tables: vec![table(evidence, &all)],
        charts: charts.collect(),
        ..Findings::default()
    }
}

/// Setting, depth and kind of what was perturbed.
type Sort<'a> = (&'a str, usize, Kind);

fn sorts<'p>(all: &'p [Perturbed<'_>]) -> Vec<Sort<'p>> {
    let mut sorts: Vec<Sort<'p>> = all.iter().map(|one| (one.setting.as_str(), one.depth, one.kind)).collect();
    sorts.dedup();
    sorts
}

fn is_of(one: &Perturbed<'_>, sort: Sort<'_>) -> bool {
    (one.setting.as_str(), one.depth, one.kind) == sort
}

/// One value per replicate: the mean over the sizes of a perturbation, at one width.
fn over_sizes(all: &[Perturbed<'_>], sort: Sort<'_>, width: usize) -> Vec<f64> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for group in all.iter().filter(|one| is_of(one, sort) && one.width == width).flat_map(|one| &one.groups) {
        if let Some(log) = log_ratio(group) {
            values.entry(replicate(&group.varied)).or_default().push(log);
        }
    }
    values.into_values().map(|logs| logs.iter().sum::<f64>() / logs.len() as f64).collect()
}

fn statements(evidence: &Evidence<'_>, all: &[Perturbed<'_>]) -> Vec<Statement> {
    let margin = evidence.manifest.margin;
    let statement = |sort: Sort<'_>| {
        let (setting, depth, kind) = sort;
        let width = all.iter().filter(|one| is_of(one, sort)).map(|one| one.width).max()?;
        let logs = over_sizes(all, sort, width);
        let ratio = evidence.mean(logs.iter().copied()).map(|log| each(log, f64::exp));
        Some(Statement::alike(
            format!(
                "At {} and width {width} a network responds to {} as its kernel does",
                title(depth, setting),
                kind.name()
            ),
            &logs,
            margin.ln_1p(),
            evidence.manifest.confidence,
            format!(
                "The network's predictions move {} times as far as the kernel's, from {:.3} to {:.3} being alike",
                words(ratio),
                1.0 / (1.0 + margin),
                1.0 + margin
            ),
            "replicates",
        ))
    };
    sorts(all).into_iter().filter_map(statement).collect()
}

fn table(evidence: &Evidence<'_>, all: &[Perturbed<'_>]) -> Table {
    let row = |one: &Perturbed<'_>| {
        let mean = |value: &dyn Fn(&Group) -> Option<f64>| Cell::from(evidence.mean(one.values(value)));
        let ratio = evidence.mean(one.values(log_ratio)).map(|log| each(log, f64::exp));
        vec![
            Cell::from(one.title()),
            one.kind.name().into(),
            one.amount.into(),
            one.width.into(),
            one.groups.iter().map(|group| group.responses.len()).sum::<usize>().into(),
            one.groups.iter().map(|group| group.n_diverged).sum::<usize>().into(),
            mean(&network),
            mean(&|group| group.response_ntk_at_time),
            ratio.into(),
            mean(&|group| group.response_ntk),
            mean(&|group| group.response_nngp),
        ]
    };
    Table {
        title: "Responses".to_owned(),
        note: "How far predictions move, RMS over test inputs, in deviations of the targets of the training set without the perturbation. Each \
               network is compared with that of the same seed, and their moves are averaged as RMS over seeds; the kernel beside it is trained \
               for the same time. Then the ratio of both, its geometric mean, and the moves of kernel regression to the end and of the NNGP. \
               Intervals are over replicates."
            .to_owned(),
        header: [
            "networks",
            "perturbation",
            "size",
            "width",
            "pairs",
            "diverged",
            "network",
            "NTK at its time",
            "ratio",
            "NTK",
            "NNGP",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: all.iter().map(row).collect(),
    }
}

/// The responses to one kind of perturbation, against its size.
fn chart(evidence: &Evidence<'_>, all: &[Perturbed<'_>], kind: Kind) -> Option<Chart> {
    let of_kind: Vec<Sort<'_>> = sorts(all).into_iter().filter(|(.., other)| *other == kind).collect();
    let panel = |sort: Sort<'_>| {
        let here: Vec<&Perturbed<'_>> = all.iter().filter(|one| is_of(one, sort)).collect();
        let mut widths: Vec<usize> = here.iter().map(|one| one.width).collect();
        widths.sort_unstable();
        widths.dedup();
        let widest = widths.last().copied().unwrap_or(0);
        let series = |label: String, width: usize, value: &dyn Fn(&Group) -> Option<f64>| {
            let of_width = here.iter().filter(|one| one.width == width);
            Series { label, points: of_width.map(|one| (one.amount, evidence.mean(one.values(value)))).collect() }
        };
        let networks = widths.iter().map(|&width| series(format!("network, width {width}"), width, &network));
        // Kernels have no width; theirs at the greatest one are those of all.
        let kernels = [
            series("NTK at the networks' time".to_owned(), widest, &|group| group.response_ntk_at_time),
            series("NTK".to_owned(), widest, &|group| group.response_ntk),
            series("NNGP".to_owned(), widest, &|group| group.response_nngp),
        ];
        let rows = here.iter().flat_map(|one| evidence.networks(&one.groups).map(|row| (one.amount, row)));
        Panel {
            title: title(sort.1, sort.0),
            series: networks.chain(kernels).collect(),
            guides: Vec::new(),
            mishaps: mishaps(rows),
        }
    };
    let (name, title) = kind.chart();
    (!of_kind.is_empty()).then(|| Chart {
        name,
        title,
        caption: caption(
            evidence,
            &format!(
                "RMS over test inputs of how far predictions move under {}, against its size: of networks (each beside that of the same seed), \
                 of the NTK trained for the networks' time, and of regression to the end with the NTK and the NNGP kernel.",
                kind.name()
            ),
            of_kind.len(),
        ),
        x: kind.axis(),
        y: Axis::new("RMS response", Scale::Log10),
        panels: of_kind.iter().take(MOST_PANELS).map(|&sort| panel(sort)).collect(),
    })
}

/// The networks' responses over their kernel's, against the width.
fn ratios(evidence: &Evidence<'_>, all: &[Perturbed<'_>]) -> Chart {
    let mut places: Vec<(&str, usize)> = sorts(all).into_iter().map(|(setting, depth, _)| (setting, depth)).collect();
    places.dedup();
    let margin = evidence.manifest.margin;
    let panel = |&(setting, depth): &(&str, usize)| {
        let of_place = |one: &&Perturbed<'_>| (one.setting.as_str(), one.depth) == (setting, depth);
        let mut widths: Vec<usize> = all.iter().filter(of_place).map(|one| one.width).collect();
        widths.sort_unstable();
        widths.dedup();
        let series = |kind: Kind| {
            let at = |&width: &usize| -> (f64, Option<Interval>) {
                let logs = over_sizes(all, (setting, depth, kind), width);
                (width as f64, evidence.mean(logs).map(|log| each(log, f64::exp)))
            };
            Series { label: kind.name().to_owned(), points: widths.iter().map(at).collect() }
        };
        let across = |height: f64| {
            [widths.first(), widths.last()].into_iter().flatten().map(|&width| (width as f64, height)).collect()
        };
        let guide = |height: f64, label: &str| Guide { label: label.to_owned(), points: across(height) };
        Panel {
            title: title(depth, setting),
            series: Kind::ALL
                .into_iter()
                .map(series)
                .filter(|series| series.points.iter().any(|(_, v)| v.is_some()))
                .collect(),
            guides: vec![
                guide(1.0, "as the kernel"),
                guide(1.0 + margin, "margin"),
                guide(1.0 / (1.0 + margin), "margin"),
            ],
            mishaps: mishaps(
                all.iter()
                    .filter(of_place)
                    .flat_map(|one| evidence.networks(&one.groups).map(|row| (one.width as f64, row))),
            ),
        }
    };
    Chart {
        name: "response_ratio",
        title: "Responses of networks over those of their kernel",
        caption: caption(
            evidence,
            "How far the predictions of a network move over how far those of the NTK move that is trained for the same time, against the width: \
             the geometric mean over the sizes of each perturbation and over replicates. Dotted: the same response, and the margin on both sides.",
            places.len(),
        ),
        x: Axis::new("width", Scale::Log2),
        y: Axis::new("network over kernel", Scale::Log10),
        panels: places.iter().take(MOST_PANELS).map(panel).collect(),
    }
}

fn caption(evidence: &Evidence<'_>, what: &str, n_panels: usize) -> String {
    let left_out = match n_panels > MOST_PANELS {
        true => format!(" Of {n_panels} kinds of networks {MOST_PANELS} are drawn; the table has all."),
        false => String::new(),
    };
    format!(
        "{what} Markers are means over replicates, bands Student's {} intervals of the mean. {}{left_out}",
        evidence.level(),
        about(evidence)
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::made_up::{row, with_evidence};
    use super::*;
    use crate::study::Decision;

    /// Eight replicates with and without label noise, whose networks move `ratio` times as far as their kernel; of one seed each.
    fn study(ratio: f64) -> (Vec<Row>, Vec<Group>) {
        let mut rows = Vec::new();
        let mut groups = Vec::new();
        for (label, noise) in [("", 0.0), ("data.label_noise=0.5 ", 0.5)] {
            for replicate in 0..8 {
                let varied = format!("{label}seeds.root={replicate}");
                let moved = 0.3 * (1.0 + 0.1 * f64::from(replicate));
                let wiggle = 1.0 + 0.01 * (2.4 * f64::from(replicate)).sin();
                rows.push(Row { varied: varied.clone(), label_noise: noise, ..row(2, 64, 0) });
                groups.push(Group {
                    varied,
                    dataset: "concrete".into(),
                    n_train: 64,
                    split_seed: 0,
                    depth: 2,
                    width: 64,
                    initial_function: "plain".into(),
                    n_networks: 1,
                    n_diverged: 0,
                    mse_mean: None,
                    variance: None,
                    variance_predicted: None,
                    gaps_of_means: Vec::new(),
                    coverage: None,
                    normality_p: Vec::new(),
                    covariance: None,
                    responses: if noise > 0.0 { vec![ratio * moved * wiggle] } else { Vec::new() },
                    response_ntk: (noise > 0.0).then_some(moved),
                    response_ntk_at_time: (noise > 0.0).then_some(moved),
                    response_nngp: (noise > 0.0).then_some(moved),
                    distances: Vec::new(),
                });
            }
        }
        (rows, groups)
    }

    fn found((rows, groups): &(Vec<Row>, Vec<Group>)) -> Findings {
        with_evidence(rows, groups, findings)
    }

    #[test]
    fn a_network_that_moves_as_its_kernel_is_alike_and_one_that_moves_twice_as_far_is_not() {
        let of = |ratio: f64| found(&study(ratio)).statements[0].decision;
        assert_eq!([of(1.0), of(2.0), of(0.5)], [Decision::Holds, Decision::Fails, Decision::Fails]);
        let table = &found(&study(2.0)).tables[0].rows;
        assert_eq!(table.len(), 1);
        assert!(matches!(&table[0][8], Cell::Interval(Some(ratio)) if (ratio.mean - 2.0).abs() < 0.02), "{table:?}");
    }

    #[test]
    fn two_perturbations_at_once_are_no_perturbation_of_one_kind() {
        let (mut rows, groups) = study(1.0);
        rows.iter_mut().filter(|row| row.label_noise > 0.0).for_each(|row| row.input_noise = 0.1);
        assert_eq!(found(&(rows, groups)), Findings::default());
    }

    #[test]
    fn networks_that_diverged_leave_a_statement_that_cannot_be_decided() {
        let (rows, mut groups) = study(1.0);
        groups.iter_mut().for_each(|group| group.responses.clear());
        assert_eq!(found(&(rows, groups)).statements[0].decision, Decision::Diverged);
    }
}
