//! What the kernel at initialization misses where networks learn features: over laziness and parametrization, the errors of the network, of
//! the kernel it starts with and of the kernel it ends with (the "after-kernel"), for the same time, and how far the kernel turned to the
//! targets.
//!
//! The kernels are predictors of their own: A_T Y under the network's kernel before and after training (Fort et al. 2020). Where the
//! after-kernel predicts like the network and the initial one does not, the difference is what the kernel learned, and a fixed NTK misses it.

use std::collections::BTreeSet;

use super::Evidence;
use super::evidence::mishaps;
use super::label::{in_words, setting, without};
use super::replicates::{each, words};
use crate::error::{Error, Result};
use crate::number::percent;
use crate::record::Row;
use crate::stats::Interval;
use crate::study::config::WatchLevel;
use crate::study::findings::{Axis, Cell, Chart, Findings, Guide, Panel, Scale, Series, Statement, Table};
use crate::study::plan::Plan;
use crate::study::settings::Study;
use crate::study::verdict::Decision;

pub(super) fn ensure_possible(study: &Study) -> Result<()> {
    if study.plans.iter().any(|plan| plan.config.train.watch < WatchLevel::Kernel) {
        return Err(Error::config(
            "train.watch",
            "`function` looks at no kernel, and this analysis compares the kernels before and after training",
            "use `watch = \"kernel\"`",
        ));
    }
    let replicate = |plan: &Plan| (plan.config.seeds.root, plan.config.data.split_seed);
    let n_replicates = study.plans.iter().map(replicate).collect::<BTreeSet<_>>().len();
    let n = study.config.seeds.n_seeds * n_replicates;
    if n < 3 {
        return Err(Error::config(
            "seeds.n_seeds",
            format!("{n} networks of one kind have no interval worth having"),
            "give at least 3, or vary `seeds.root`",
        ));
    }
    Ok(())
}

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let kinds = kinds(evidence);
    Findings {
        statements: statements(evidence, &kinds),
        tables: vec![errors(evidence, &kinds), movement(evidence, &kinds)],
        charts: vec![error_chart(evidence, &kinds), alignment_chart(evidence, &kinds)],
        ..Findings::default()
    }
}

/// The networks of one kind at one laziness: all seeds and splits.
struct Kind<'a> {
    /// Parametrization, depth, width and what else varies.
    name: String,
    laziness: f64,
    rows: Vec<&'a Row>,
}

fn kinds<'a>(evidence: &Evidence<'a>) -> Vec<Kind<'a>> {
    let mut kinds: Vec<Kind<'a>> = Vec::new();
    for &row in evidence.rows {
        let rest = without(&setting(&row.varied), &["arch.laziness", "arch.parametrization"]);
        let parts = [
            row.parametrization.clone(),
            format!("depth {}", row.depth),
            format!("width {}", row.width),
            in_words(&rest),
        ];
        let name = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        match kinds.iter_mut().find(|kind| kind.name == name && kind.laziness == row.laziness) {
            Some(kind) => kind.rows.push(row),
            None => kinds.push(Kind { name, laziness: row.laziness, rows: vec![row] }),
        }
    }
    // Of one name the least lazy first; names in the order of the rows.
    let order: Vec<String> = kinds.iter().map(|kind| kind.name.clone()).collect();
    let position = |kind: &Kind<'_>| order.iter().position(|name| *name == kind.name);
    kinds.sort_by(|a, b| position(a).cmp(&position(b)).then(a.laziness.total_cmp(&b.laziness)));
    kinds
}

/// Of the widest networks of a kind: how far each is its initial kernel, and where it is not, whether its kernel explains why. What narrower ones
/// do is in the table.
fn statements(evidence: &Evidence<'_>, kinds: &[Kind<'_>]) -> Vec<Statement> {
    let widest = kinds.iter().map(Kind::width).max();
    let mut statements = Vec::new();
    for kind in kinds.iter().filter(|kind| Some(kind.width()) == widest) {
        let likeness = kind.likeness(evidence);
        let gain =
            (likeness.decision != Decision::Holds && kind.trained().next().is_some()).then(|| kind.gain(evidence));
        statements.push(likeness);
        statements.extend(gain);
    }
    statements
}

fn ratio_in_words(log_ratio: Option<Interval>) -> String {
    words(log_ratio.map(|interval| each(interval, f64::exp)))
}

fn decision_in_words(decision: Decision) -> &'static str {
    match decision {
        Decision::Holds => "yes",
        Decision::Fails => "no",
        Decision::Undecided | Decision::NoInterval => "undecided",
        Decision::Diverged => "-",
    }
}

type Quantity = fn(&Row) -> Option<f64>;

/// What predicts, in the order of the table.
const PREDICTORS: [(&str, Quantity); 4] = [
    ("network", |row| row.mse_network),
    ("initial kernel", |row| row.mse_empirical),
    ("after-kernel", |row| row.mse_after),
    ("analytic NTK", |row| row.mse_ntk_at_time),
];

impl Kind<'_> {
    fn width(&self) -> usize {
        self.rows.first().map_or(0, |row| row.width)
    }

    fn title(&self) -> String {
        format!("{}, laziness {}", self.name, self.laziness)
    }

    fn trained(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().copied().filter(|row| row.is_trained())
    }

    fn mean(&self, evidence: &Evidence<'_>, quantity: Quantity) -> Option<Interval> {
        evidence.mean(self.trained().filter_map(quantity))
    }

    /// The logarithm of the ratio of two errors, network by network.
    fn log_ratio(&self, evidence: &Evidence<'_>, (above, below): (Quantity, Quantity), what: &str) -> Option<Interval> {
        let ratios = self.trained().filter_map(|row| Some((above(row)? / below(row)?).ln()));
        let ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite()).collect();
        evidence.resampled(&ratios, &format!("feature-learning/{}/{what}", self.title()))
    }

    /// Whether the network predicts like the kernel it starts with.
    fn likeness(&self, evidence: &Evidence<'_>) -> Statement {
        let margin = evidence.manifest.margin;
        let ratio = self.log_ratio(evidence, (|row| row.mse_network, |row| row.mse_empirical), "alike");
        Statement::within(
            format!(
                "{}: the network's test error is that of its initial kernel within {}",
                self.title(),
                percent(margin)
            ),
            ratio,
            margin.ln_1p(),
            format!("the ratio of the errors is {}", ratio_in_words(ratio)),
            "networks",
        )
    }

    /// Whether the kernel it ends with predicts better.
    fn gain(&self, evidence: &Evidence<'_>) -> Statement {
        let ratio = self.log_ratio(evidence, (|row| row.mse_after, |row| row.mse_empirical), "gain");
        let growth = words(self.growth(evidence));
        Statement::below(
            format!("{}: the after-kernel predicts better than the initial kernel", self.title()),
            ratio,
            0.0,
            format!(
                "the ratio of the errors is {}, and the kernel's alignment with the targets grew by {growth}",
                ratio_in_words(ratio)
            ),
            "networks",
        )
    }

    fn growth(&self, evidence: &Evidence<'_>) -> Option<Interval> {
        evidence.mean(self.trained().filter_map(|row| Some(row.target_alignment? - row.target_alignment_start?)))
    }

    /// The share of what the network gains over its initial kernel that the after-kernel gains too, means over networks both; none where the
    /// gain is not told apart from 0.
    fn share(&self, evidence: &Evidence<'_>) -> Option<Interval> {
        let gains = |row: &Row| Some((row.mse_empirical? - row.mse_network?, row.mse_empirical? - row.mse_after?));
        let gains: Vec<(f64, f64)> = self.trained().filter_map(gains).collect();
        let of_network: Vec<f64> = gains.iter().map(|(network, _)| *network).collect();
        evidence.resampled(&of_network, "feature-learning/gain").filter(|gain| gain.n > 1 && gain.low > 0.0)?;
        let sum = |gains: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| gains.iter().map(of).sum::<f64>();
        let share = |gains: &[(f64, f64)]| sum(gains, |gain| gain.1) / sum(gains, |gain| gain.0);
        evidence.resampled_statistic(&gains, share, "feature-learning/share")
    }

    fn n_diverged(&self) -> usize {
        self.rows.len() - self.trained().count()
    }
}

fn errors(evidence: &Evidence<'_>, kinds: &[Kind<'_>]) -> Table {
    let row = |kind: &Kind<'_>| -> Vec<Cell> {
        let start = [
            kind.name.clone().into(),
            kind.laziness.to_string().into(),
            kind.rows.len().into(),
            kind.n_diverged().into(),
        ];
        let errors = PREDICTORS.iter().map(|(_, quantity)| kind.mean(evidence, *quantity).into());
        let share = Cell::from(kind.share(evidence));
        let decisions = [kind.likeness(evidence), kind.gain(evidence)]
            .map(|statement| decision_in_words(statement.decision).into());
        start.into_iter().chain(errors).chain([share]).chain(decisions).collect()
    };
    let header = ["networks", "laziness", "n", "diverged"].into_iter().chain(PREDICTORS.iter().map(|(name, _)| *name));
    Table {
        title: "Errors of the network and of its kernels".to_owned(),
        note: "Mean squared test errors in units of the target's variance, means over data replicates and seeds with their intervals; networks that \
               diverged enter none. The share is that of the network's gain over its initial kernel which the after-kernel has too, with a bootstrap \
               interval over networks, where that gain is told apart from 0; above 1 the after-kernel predicts better than the network. The last columns are decided by the criterion of the config, network by network."
            .to_owned(),
        header: header.chain(["share of the gain", "like its initial kernel", "after-kernel better"]).map(str::to_owned).collect(),
        rows: kinds.iter().map(row).collect(),
    }
}

fn movement(evidence: &Evidence<'_>, kinds: &[Kind<'_>]) -> Table {
    let row = |kind: &Kind<'_>| -> Vec<Cell> {
        vec![
            kind.name.clone().into(),
            kind.laziness.to_string().into(),
            kind.mean(evidence, |row| row.target_alignment_start).into(),
            kind.mean(evidence, |row| row.target_alignment).into(),
            kind.growth(evidence).into(),
            kind.mean(evidence, |row| row.kernel_drift).into(),
            kind.mean(evidence, |row| row.gap_nonlinearity).into(),
        ]
    };
    Table {
        title: "How far the kernel moved".to_owned(),
        note: "Centred alignment of the network's kernel with the inner products of the targets before and after training, and its growth \
               network by network; the kernel's drift (relative Frobenius distance); the nonlinearity (RMS, in target deviations). Means over \
               data replicates and seeds with their intervals."
            .to_owned(),
        header: ["networks", "laziness", "alignment before", "after", "growth", "drift", "nonlinearity"].map(str::to_owned).to_vec(),
        rows: kinds.iter().map(row).collect(),
    }
}

/// Panels beyond this are too small to read.
const MOST_PANELS: usize = 6;

/// One panel per kind of network, laziness along its horizontal axis.
fn panels(kinds: &[Kind<'_>], series: impl Fn(&[&Kind<'_>]) -> Vec<Series>) -> Vec<Panel> {
    let mut names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    names.dedup();
    let panel = |name: &&str| {
        let of_name: Vec<&Kind<'_>> = kinds.iter().filter(|kind| kind.name == *name).collect();
        let networks = of_name.iter().flat_map(|kind| kind.rows.iter().map(|row| (kind.laziness, *row)));
        let mishaps = mishaps(networks);
        Panel { title: (*name).to_owned(), series: series(&of_name), guides: Vec::new(), mishaps }
    };
    names.iter().take(MOST_PANELS).map(panel).collect()
}

fn curve(label: &str, kinds: &[&Kind<'_>], value: impl Fn(&Kind<'_>) -> Option<Interval>) -> Series {
    Series { label: label.to_owned(), points: kinds.iter().map(|kind| (kind.laziness, value(kind))).collect() }
}

fn caption(evidence: &Evidence<'_>, what: &str, bands: &str) -> String {
    let n_diverged = evidence.rows.iter().filter(|row| !row.is_trained()).count();
    let diverged = match n_diverged {
        0 => "No network diverged".to_owned(),
        n => format!("{n} of {} networks diverged and enter no mean", evidence.rows.len()),
    };
    format!(
        "{what}, against the laziness that the outputs are multiplied by: small values learn features. Bands are {} {bands}, over data replicates \
         and seeds. {} networks in {}, {}. {diverged}.",
        evidence.level(),
        evidence.rows.len(),
        evidence.manifest.dtype,
        evidence
            .rows
            .first()
            .map_or(String::new(), |row| format!("{} start, {} training inputs", row.initial_function, row.n_train)),
    )
}

fn error_chart(evidence: &Evidence<'_>, kinds: &[Kind<'_>]) -> Chart {
    let initial: Quantity = |row| row.mse_empirical;
    let mut panels = panels(kinds, |kinds| {
        let predictors = PREDICTORS.iter().filter(|(name, _)| *name != "initial kernel");
        let ratio = |kind: &Kind<'_>, (name, quantity): &(&str, Quantity)| {
            kind.log_ratio(evidence, (*quantity, initial), name).map(|log| each(log, f64::exp))
        };
        predictors.map(|predictor| curve(predictor.0, kinds, |kind| ratio(kind, predictor))).collect()
    });
    let margin = 1.0 + evidence.manifest.margin;
    for panel in &mut panels {
        let along = |label: &str, height: f64| guide(panel, label, height);
        panel.guides = vec![along("initial kernel", 1.0), along("margin", margin), along("margin", 1.0 / margin)];
    }
    Chart {
        name: "errors",
        title: "What a fixed kernel misses",
        caption: caption(
            evidence,
            "Test error over that of regression with the kernel which the network started with: of the trained network, of regression with the \
             kernel it ended with, and of that with the analytic NTK, all for the same time; geometric means, network by network. Dotted: the \
             initial kernel's own error and the margin on both sides",
            "BCa bootstrap intervals, Student's where there are fewer than five networks",
        ),
        x: Axis::new("laziness", Scale::Log10),
        y: Axis::new("test error / initial kernel's", Scale::Linear),
        panels,
    }
}

/// A line across all points of a panel.
fn guide(panel: &Panel, label: &str, height: f64) -> Guide {
    let xs = || panel.series.iter().flat_map(|series| series.points.iter().map(|(x, _)| *x));
    let ends = [xs().fold(f64::INFINITY, f64::min), xs().fold(0.0, f64::max)];
    Guide { label: label.to_owned(), points: ends.map(|x| (x, height)).to_vec() }
}

fn alignment_chart(evidence: &Evidence<'_>, kinds: &[Kind<'_>]) -> Chart {
    let mut panels = panels(kinds, |kinds| vec![curve("growth of the alignment", kinds, |kind| kind.growth(evidence))]);
    for panel in &mut panels {
        panel.guides = vec![guide(panel, "no growth", 0.0)];
    }
    Chart {
        name: "alignment",
        title: "How far the kernel turned to the targets",
        caption: caption(
            evidence,
            "Growth in training of the centred alignment between the network's kernel and the inner products of the training targets; means",
            "Student's intervals",
        ),
        x: Axis::new("laziness", Scale::Log10),
        y: Axis::new("growth of the alignment", Scale::Linear),
        panels,
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{row, with_evidence};
    use super::*;

    /// Networks on data of varied hardness h whose errors are these shares of it, give or take a percent.
    fn rows(network: f64, after: f64) -> Vec<Row> {
        let of_root = |root: u64| {
            let hardness = 0.2 + 0.05 * root as f64;
            let wiggle = 1.0 + 0.01 * (2.4 * root as f64).sin();
            Row {
                varied: format!("arch.laziness=0.3 seeds.root={root}"),
                laziness: 0.3,
                mse_empirical: Some(hardness),
                mse_network: Some(network * wiggle * hardness),
                mse_after: Some(after * hardness),
                ..row(2, 64, root)
            }
        };
        (0..8).map(of_root).collect()
    }

    fn kind_of<T>(rows: &[Row], read: impl FnOnce(&Evidence<'_>, &Kind<'_>) -> T) -> T {
        with_evidence(rows, &[], |evidence| {
            let kinds = kinds(evidence);
            assert_eq!(kinds.len(), 1);
            read(evidence, &kinds[0])
        })
    }

    #[test]
    fn half_of_a_gain_is_found_as_half() {
        let share = kind_of(&rows(0.6, 0.8), |evidence, kind| kind.share(evidence)).expect("a gain of 40 %");
        assert!((share.mean - 0.5).abs() < 0.01 && share.low < share.mean && share.mean < share.high, "{share:?}");
        assert!(share.high - share.low < 0.02, "{share:?}");
    }

    #[test]
    fn without_a_gain_nothing_is_shared() {
        assert_eq!(kind_of(&rows(1.0, 0.8), |evidence, kind| kind.share(evidence)), None);
        assert_eq!(kind_of(&rows(1.2, 0.8), |evidence, kind| kind.share(evidence)), None);
    }

    #[test]
    fn likeness_and_gain_are_read_from_ratios() {
        // The margin of made-up evidence is 0.1.
        let decided = |network, after| {
            kind_of(&rows(network, after), |evidence, kind| {
                (kind.likeness(evidence).decision, kind.gain(evidence).decision)
            })
        };
        assert_eq!(decided(0.97, 0.8), (Decision::Holds, Decision::Holds));
        assert_eq!(decided(0.6, 1.1), (Decision::Fails, Decision::Fails));
    }

    #[test]
    fn what_diverged_enters_no_mean() {
        let mut rows = rows(0.6, 0.8);
        rows[0].outcome = crate::record::Outcome::Diverged;
        rows[0].mse_network = None;
        kind_of(&rows, |evidence, kind| {
            assert_eq!((kind.n_diverged(), kind.share(evidence).map(|share| share.n)), (1, Some(7)));
        });
    }
}
