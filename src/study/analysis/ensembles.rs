//! Are trained networks distributed over seeds as theory says?
//!
//! At infinite width a network is normal at every test input after any time of training (Lee et al. 2019), with the mean A_T Y of training
//! under the NTK from zero and a variance that the NNGP kernel and A_T give. Three things can fail at a finite width, and each is read by
//! itself: the mean, the spread, and the shape.
//!
//! Test points of one network share the network, so they are averaged before anything is inferred: intervals are over replicates, each with
//! data and networks of its own. The mean square of f_T - A_T Y over networks is the squared distance of their true mean plus their variance;
//! less the unbiased variance it is an unbiased estimate of that distance, which can come out below zero where there is none.

use super::Evidence;
use super::replicates::{about, each, setting, title, words};
use crate::error::{Error, Result};
use crate::net::InitialFunction;
use crate::record::Group;
use crate::stats::{Interval, covered_by_scale, holm};
use crate::study::findings::{Axis, Cell, Chart, Findings, Guide, Panel, Scale, Series, Statement, Table};
use crate::study::settings::Study;

/// Levels of the central intervals that theory gives a network, as [`Group::coverage`] has them.
const LEVELS: [f64; 3] = [0.5, 0.9, 0.95];

/// Fewer networks have no test of normality.
const MIN_SEEDS: usize = 20;

/// The level of the test of normality at every test point, and so the share of them that it rejects of normal networks.
const LEVEL: f64 = 0.05;

/// Twice that share still counts as normal.
const MOST_REJECTED: f64 = 2.0 * LEVEL;

/// Panels of a chart.
const MOST_PANELS: usize = 6;

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
    let read = Reading { evidence, margin: evidence.manifest.margin };
    Findings {
        statements: widest(&ensembles).into_iter().flat_map(|widest| read.statements(widest)).collect(),
        tables: vec![read.mean_table(&ensembles), read.spread_table(&ensembles)],
        charts: vec![
            read.coverage(&ensembles),
            read.convergence(&ensembles),
            read.spread(&ensembles),
            read.shape(&ensembles),
        ],
        ..Findings::default()
    }
}

/// The networks of one architecture at one setting, replicate by replicate.
struct Ensemble<'a> {
    setting: String,
    depth: usize,
    width: usize,
    groups: Vec<&'a Group>,
}

impl<'a> Ensemble<'a> {
    /// In the order of the groups, narrow to wide.
    fn all(groups: &'a [Group]) -> Vec<Self> {
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

    fn values(&self, value: impl Fn(&Group) -> Option<f64>) -> Vec<f64> {
        self.groups.iter().filter_map(|group| value(group)).collect()
    }

    fn title(&self) -> String {
        title(self.depth, &self.setting)
    }

    /// How many networks there are of each replicate, at least.
    fn n_networks(&self) -> usize {
        self.groups.iter().map(|group| group.n_networks).min().unwrap_or(0)
    }
}

/// The widest of each depth and setting.
fn widest<'e, 'a>(ensembles: &'e [Ensemble<'a>]) -> Vec<&'e Ensemble<'a>> {
    let is_widest = |one: &&Ensemble<'_>| {
        let alike = |other: &&Ensemble<'_>| (other.depth, &other.setting) == (one.depth, &one.setting);
        ensembles.iter().filter(alike).all(|other| other.width <= one.width)
    };
    ensembles.iter().filter(is_widest).collect()
}

/// The squared distance of the networks' true mean from theory's, over test points.
fn squared_distance(group: &Group) -> Option<f64> {
    Some(group.gaps_of_means.first()?.powi(2) - group.variance?)
}

/// By how much the networks' standard deviation exceeds that of theory, as a logarithm.
fn log_spread(group: &Group) -> Option<f64> {
    let ratio = group.variance? / group.variance_predicted?;
    (ratio.is_finite() && ratio > 0.0).then(|| 0.5 * ratio.ln())
}

/// The share of test points at which the networks are not normal.
fn rejected(group: &Group) -> Option<f64> {
    share(&group.normality_p)
}

/// The same after Holm's correction for all test points: 0 of normal networks, but for one ensemble in twenty.
fn rejected_together(group: &Group) -> Option<f64> {
    share(&holm(&group.normality_p))
}

fn share(p_values: &[f64]) -> Option<f64> {
    let rejected = p_values.iter().filter(|p| **p < LEVEL).count();
    (!p_values.is_empty()).then(|| rejected as f64 / p_values.len() as f64)
}

/// How many networks bring their mean within a margin of theory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NetworksNeeded {
    Of(usize),
    /// The distance of their true mean alone is larger.
    Never,
}

impl NetworksNeeded {
    /// The RMS of a mean of k networks is the root of distance^2 + variance / k.
    fn of(squared_distance: f64, variance: f64, margin: f64) -> Self {
        // An estimate below zero is one of no distance.
        let left = margin * margin - squared_distance.max(0.0);
        if left > 0.0 { Self::Of((variance / left).ceil().max(1.0) as usize) } else { Self::Never }
    }

    fn words(self) -> String {
        match self {
            Self::Of(n) if n > 1_000_000 => "over a million".to_owned(),
            Self::Of(n) => n.to_string(),
            Self::Never => "never".to_owned(),
        }
    }
}

/// Of a square that was estimated, the root with its sign.
fn root(square: f64) -> f64 {
    square.signum() * square.abs().sqrt()
}

/// The criterion beside what it is asked of.
struct Reading<'a> {
    evidence: &'a Evidence<'a>,
    margin: f64,
}

impl Reading<'_> {
    fn interval(&self, ensemble: &Ensemble<'_>, value: impl Fn(&Group) -> Option<f64>) -> Option<Interval> {
        self.evidence.mean(ensemble.values(value))
    }

    fn distance(&self, ensemble: &Ensemble<'_>) -> Option<Interval> {
        self.interval(ensemble, squared_distance).map(|square| each(square, root))
    }

    fn spread_ratio(&self, ensemble: &Ensemble<'_>) -> Option<Interval> {
        self.interval(ensemble, log_spread).map(|log| each(log, f64::exp))
    }

    /// At the mean over replicates, and at both ends of its interval.
    fn needed(&self, ensemble: &Ensemble<'_>) -> Option<String> {
        let square = self.interval(ensemble, squared_distance)?;
        let variance = self.interval(ensemble, |group| group.variance)?.mean;
        let [mean, low, high] =
            [square.mean, square.low, square.high].map(|square| NetworksNeeded::of(square, variance, self.margin));
        Some(match low == high {
            true => mean.words(),
            false => format!("{} [{}, {}]", mean.words(), low.words(), high.words()),
        })
    }

    fn statements(&self, widest: &Ensemble<'_>) -> Vec<Statement> {
        let place = format!("At {} and width {}", widest.title(), widest.width);
        let mut all = vec![self.mean_statement(widest, &place)];
        if widest.groups.iter().any(|group| group.variance_predicted.is_some()) {
            all.extend([self.spread_statement(widest, &place), self.coverage_statement(widest, &place)]);
        }
        all.push(self.shape_statement(widest, &place));
        all
    }

    fn mean_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        Statement::below(
            format!("{place} the mean over networks is that of theory"),
            self.interval(widest, squared_distance),
            self.margin * self.margin,
            format!(
                "RMS distance {} of the mean of infinitely many networks, less than {} being alike; a mean of so many networks comes as near: {}",
                words(self.distance(widest)),
                self.margin,
                self.needed(widest).unwrap_or_else(|| "unknown".to_owned()),
            ),
            "replicates",
        )
    }

    fn spread_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        Statement::alike(
            format!("{place} the standard deviation over networks is that of theory"),
            &widest.values(log_spread),
            self.margin.ln_1p(),
            self.evidence.manifest.confidence,
            format!(
                "Their ratio is {}, from {:.3} to {:.3} being alike",
                words(self.spread_ratio(widest)),
                1.0 / (1.0 + self.margin),
                1.0 + self.margin,
            ),
            "replicates",
        )
    }

    fn coverage_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        let nominal = LEVELS[2];
        let (low, high) = self.covered(nominal);
        let values = widest.values(|group| Some(group.coverage?[2] - 0.5 * (low + high)));
        let seen: Vec<String> = (0..LEVELS.len())
            .map(|i| {
                let covered = self.interval(widest, |group| Some(group.coverage?[i]));
                format!("{} in its {} % interval", words(covered), 100.0 * LEVELS[i])
            })
            .collect();
        Statement::alike(
            format!("{place} the 95 % interval of theory holds 95 % of the networks"),
            &values,
            0.5 * (high - low),
            self.evidence.manifest.confidence,
            format!("A share of {}; from {low:.3} to {high:.3} of the last being alike", seen.join(", ")),
            "replicates",
        )
    }

    fn shape_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        let rejected = self.interval(widest, rejected);
        Statement::below(
            format!("{place} the networks are normally distributed at a test input"),
            rejected,
            MOST_REJECTED,
            format!(
                "D'Agostino's test has p < {LEVEL} at a share {} of the test inputs, {LEVEL} of them being what normal networks give and less \
                 than {MOST_REJECTED} being alike; after Holm's correction {}",
                words(rejected),
                words(self.interval(widest, rejected_together)),
            ),
            "replicates",
        )
    }

    /// What the central interval of a normal distribution covers of one whose standard deviation is off by the margin, either way.
    fn covered(&self, level: f64) -> (f64, f64) {
        (covered_by_scale(level, 1.0 / (1.0 + self.margin)), covered_by_scale(level, 1.0 + self.margin))
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

    fn coverage(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let nominal = |widths: (f64, f64), level: f64| Guide {
            label: "as theory says".to_owned(),
            points: vec![(widths.0, level), (widths.1, level)],
        };
        let panels = panels(ensembles, |title, alike| Panel {
            title,
            series: LEVELS
                .iter()
                .enumerate()
                .map(|(i, level)| {
                    self.along_width(format!("{} % interval", 100.0 * level), alike, |group| Some(group.coverage?[i]))
                })
                .collect(),
            guides: LEVELS.map(|level| nominal(ends(alike), level)).to_vec(),
        });
        Chart {
            name: "coverage",
            title: "Networks within the intervals of theory",
            caption: self.caption(
                "Share of trained networks that lie in the central interval which the theory of infinite width gives a network at each test \
                 input, averaged over test inputs and seeds, against the width. Dotted: the share that theory says.",
                ensembles,
            ),
            x: Axis::new("width", Scale::Log2),
            y: Axis::new("share of networks in the interval", Scale::Linear),
            panels,
        }
    }

    fn convergence(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let size = |i: usize| 2_f64.powi(i as i32);
        let panels = panels(ensembles, |title, alike| {
            let n_sizes =
                |one: &Ensemble<'_>| one.groups.iter().map(|group| group.gaps_of_means.len()).max().unwrap_or(0);
            let most = alike.iter().map(|one| n_sizes(one)).max().unwrap_or(0);
            let series = alike
                .iter()
                .map(|one| Series {
                    label: format!("width {}", one.width),
                    points: (0..n_sizes(one))
                        .map(|i| (size(i), self.interval(one, |group| group.gaps_of_means.get(i).copied())))
                        .collect(),
                })
                .collect();
            let variance = alike.last().and_then(|one| self.interval(one, |group| group.variance_predicted));
            let scatter = variance.filter(|variance| variance.mean > 0.0).map(|variance| Guide {
                label: "theory, infinite width: k^-1/2".to_owned(),
                points: (0..most).map(|i| (size(i), (variance.mean / size(i)).sqrt())).collect(),
            });
            let margin = Guide {
                label: format!("margin {}", self.margin),
                points: vec![(1.0, self.margin), (size(most.saturating_sub(1)), self.margin)],
            };
            Panel { title, series, guides: scatter.into_iter().chain([margin]).collect() }
        });
        Chart {
            name: "convergence",
            title: "How near the mean of several networks comes to theory",
            caption: self.caption(
                "RMS over test points of the distance between the mean of k trained networks and A_T Y, the prediction of the NTK after the same \
                 training. Dotted: what independent networks of infinite width give, k^-1/2 times their standard deviation, and the margin. A \
                 curve that leaves the slope has reached the distance of its networks' true mean.",
                ensembles,
            ),
            x: Axis::new("networks in the mean, k", Scale::Log2),
            y: Axis::new("RMS distance from theory", Scale::Log10),
            panels,
        }
    }

    fn spread(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let (low, high) = (1.0 / (1.0 + self.margin), 1.0 + self.margin);
        let panels =
            self.panels_of_depths(ensembles, &[(1.0, "as theory says"), (low, "margin"), (high, "margin")], |one| {
                self.spread_ratio(one)
            });
        Chart {
            name: "spread_ratio",
            title: "The spread of networks over that of theory",
            caption: self.caption(
                "Standard deviation over seeds, RMS over test points, divided by that which theory gives networks of infinite width: the \
                 geometric mean over replicates. Dotted: the same spread, and the margin on both sides.",
                ensembles,
            ),
            x: Axis::new("width", Scale::Log2),
            y: Axis::new("standard deviation, measured over theory", Scale::Linear),
            panels,
        }
    }

    fn shape(&self, ensembles: &[Ensemble<'_>]) -> Chart {
        let guides = [(LEVEL, "normal networks"), (MOST_REJECTED, "most that counts as normal")];
        let panels = self.panels_of_depths(ensembles, &guides, |one| self.interval(one, rejected));
        Chart {
            name: "normality",
            title: "Where networks are not normally distributed",
            caption: self.caption(
                "Share of test inputs at which D'Agostino's test of the networks' predictions has p < 0.05. Dotted: the share of normal networks, \
                 which is 0.05 at any number of seeds, and twice that; the more seeds, the smaller the departures that the test sees.",
                ensembles,
            ),
            x: Axis::new("width", Scale::Log2),
            y: Axis::new("share of test inputs with p < 0.05", Scale::Linear),
            panels,
        }
    }

    fn along_width(&self, label: String, alike: &[&Ensemble<'_>], value: impl Fn(&Group) -> Option<f64>) -> Series {
        Series { label, points: alike.iter().map(|one| (one.width as f64, self.interval(one, &value))).collect() }
    }

    /// A panel per setting, a curve per depth.
    fn panels_of_depths(
        &self,
        ensembles: &[Ensemble<'_>],
        guides: &[(f64, &str)],
        value: impl Fn(&Ensemble<'_>) -> Option<Interval>,
    ) -> Vec<Panel> {
        let mut panels: Vec<Panel> = Vec::new();
        for one in ensembles {
            let heading = one.setting.clone();
            let position = panels.iter().position(|panel| panel.title == heading).unwrap_or_else(|| {
                panels.push(Panel { title: heading, ..Panel::default() });
                panels.len() - 1
            });
            let label = format!("depth {}", one.depth);
            let series = &mut panels[position].series;
            let place = series.iter().position(|series| series.label == label).unwrap_or_else(|| {
                series.push(Series { label, points: Vec::new() });
                series.len() - 1
            });
            series[place].points.push((one.width as f64, value(one)));
        }
        for panel in &mut panels {
            let alike: Vec<&Ensemble<'_>> = ensembles.iter().filter(|one| one.setting == panel.title).collect();
            let (first, last) = ends(&alike);
            panel.guides = guides
                .iter()
                .map(|&(height, label)| Guide {
                    label: label.to_owned(),
                    points: vec![(first, height), (last, height)],
                })
                .collect();
        }
        panels.truncate(MOST_PANELS);
        panels
    }

    fn caption(&self, what: &str, ensembles: &[Ensemble<'_>]) -> String {
        let n_panels = kinds(ensembles).len();
        let left_out = match n_panels > MOST_PANELS {
            true => format!(" Of {n_panels} kinds of networks {MOST_PANELS} are drawn; the tables have all."),
            false => String::new(),
        };
        let n_diverged: usize = ensembles.iter().flat_map(|one| &one.groups).map(|group| group.n_diverged).sum();
        let diverged = match n_diverged {
            0 => String::new(),
            n => format!(" {n} networks diverged and take no part."),
        };
        format!(
            "{what} Markers are means over replicates, bands Student's {} % intervals of the mean. {}{diverged}{left_out}",
            100.0 * self.evidence.manifest.confidence,
            about(self.evidence)
        )
    }
}

/// Depths with their settings.
fn kinds<'e>(ensembles: &'e [Ensemble<'_>]) -> Vec<(usize, &'e str)> {
    let mut kinds: Vec<(usize, &str)> = Vec::new();
    for one in ensembles {
        if !kinds.contains(&(one.depth, &one.setting)) {
            kinds.push((one.depth, &one.setting));
        }
    }
    kinds
}

/// A panel per depth and setting.
fn panels<'e, 'a>(ensembles: &'e [Ensemble<'a>], panel: impl Fn(String, &[&'e Ensemble<'a>]) -> Panel) -> Vec<Panel> {
    let of_kind = |(depth, setting): (usize, &str)| {
        let alike: Vec<&Ensemble<'a>> =
            ensembles.iter().filter(|one| (one.depth, one.setting.as_str()) == (depth, setting)).collect();
        panel(title(depth, setting), &alike)
    };
    kinds(ensembles).into_iter().take(MOST_PANELS).map(of_kind).collect()
}

/// The least and the greatest width.
fn ends(ensembles: &[&Ensemble<'_>]) -> (f64, f64) {
    let widths = || ensembles.iter().map(|one| one.width as f64);
    (widths().fold(f64::INFINITY, f64::min), widths().fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{row, with_evidence};
    use super::*;
    use crate::record::Row;
    use crate::study::Decision;

    /// Eight replicates of 32 networks whose true mean lies at `distance` from theory and whose standard deviation is `ratio` times theory's
    /// 0.4, as seen with a little noise.
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
        // The statements are on mean, spread, coverage and shape, in this order.
        assert_eq!(decisions(&groups(64, 0.0, 1.0)), [Holds, Holds, Holds, Holds]);
        assert_eq!(decisions(&groups(64, 0.2, 1.0)), [Fails, Holds, Holds, Holds]);
        assert_eq!(decisions(&groups(64, 0.0, 1.5)), [Holds, Fails, Fails, Holds]);
        let mut skewed = groups(64, 0.0, 1.0);
        skewed.iter_mut().for_each(|group| group.normality_p.iter_mut().for_each(|p| *p *= 0.25));
        assert_eq!(decisions(&skewed), [Holds, Holds, Holds, Fails]);
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
    fn the_networks_needed_bring_the_distance_and_the_scatter_below_the_margin() {
        // 0.06^2 + 0.64 / 100 = 0.1^2.
        assert_eq!(NetworksNeeded::of(0.0036, 0.64, 0.1), NetworksNeeded::Of(100));
        assert_eq!(NetworksNeeded::of(-0.002, 0.64, 0.1), NetworksNeeded::Of(64));
        assert_eq!(NetworksNeeded::of(0.011, 0.64, 0.1), NetworksNeeded::Never);
        assert_eq!(NetworksNeeded::of(0.0, 0.001, 0.1), NetworksNeeded::Of(1));
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
                ..group.clone()
            };
        }
        assert!(decisions(&few).iter().all(|decision| *decision == Decision::Diverged));
        assert!(found(&few).charts[0].caption.contains("256 networks diverged"));
    }
}
