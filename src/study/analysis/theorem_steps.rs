//! Each step of the theorem by itself, with its rate. In the NTK parametrization, at width n, depth L, learning rate eta, time t:
//!
//! | step | quantity | theory |
//! |---|---|---|
//! | empirical kernel at initialization to the analytic one | relative Frobenius distance | n^-1/2 |
//! | the kernel stays in training | its drift, relative and absolute | at most n^-1/2, sharply n^-1 |
//! | | its misalignment, which is of second order in the drift | at most n^-1, sharply n^-2 |
//! | network to its linearization | nonlinearity | at most n^-1/2, sharply n^-1 |
//! | kernel to function | finite width | n^-1/2 |
//! | the initial function stays | initial function | n^0 |
//! | gradient descent to gradient flow | discretization, at equal time | eta^1 |
//! | finite to infinite time | finite time | no exponent: the kernel's spectrum decides |
//! | depth over width | kernel error | (L/n)^1/2, as a trend |
//!
//! (Jacot et al. 2018; Lee et al. 2019; Hanin and Nica 2020; Huang and Yau 2020; Dyer and Gur-Ari 2020.) The sharp rates are those of smooth
//! activations. A kink makes units change sign in training, about width^-1/2 of them, and what they change adds up to slower rates.
//!
//! The criterion: an exponent is that of theory where its whole interval lies within the config's margin of it, and keeps a bound where its
//! whole interval lies below the bound plus the margin. A step holds where it holds at every depth, and fails where it fails at one.

mod depth_over_width;
mod training;
mod width;

use super::Evidence;
use super::label::in_words;
use super::setting::Setting;
use crate::error::{Error, Result};
use crate::record::Row;
use crate::stats::{Interval, Slope};
use crate::study::findings::{Findings, Statement};
use crate::study::settings::Study;
use crate::study::verdict::Decision;

/// What has an axis of its own here.
const ASIDE: [&str; 4] = ["train.step", "train.n_steps", "arch.width", "arch.depth"];

pub(super) fn ensure_possible(study: &Study) -> Result<()> {
    let mut widths: Vec<usize> =
        study.plans.iter().flat_map(|plan| &plan.points).map(|point| point.architecture.width()).collect();
    widths.sort_unstable();
    widths.dedup();
    if widths.len() < 3 {
        return Err(Error::config(
            "arch.width",
            format!("{widths:?} gives no rate in width"),
            "give three widths or more, as in `width = [32, 64, 128, 256]`",
        ));
    }
    Ok(())
}

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let settings = Setting::all(evidence.rows.iter().copied(), &ASIDE);
    let mut found = Findings::default();
    for (i, setting) in settings.iter().enumerate() {
        let place = if settings.len() > 1 { format!("At {}: ", in_words(&setting.label)) } else { String::new() };
        let reference = reference_schedule(&setting.rows);
        let parts = [
            width::findings(evidence, &reference, &place),
            depth_over_width::findings(evidence, &reference, &place),
            training::findings(evidence, &setting.rows, &place),
        ];
        for part in parts {
            found.statements.extend(part.statements);
            found.tables.extend(part.tables);
            // A chart has one setting; which one, its caption says.
            if i == 0 {
                found.charts.extend(part.charts);
            }
        }
    }
    if let ([first, _, ..], more) = (&settings[..], settings.len()) {
        for chart in &mut found.charts {
            chart
                .caption
                .push_str(&format!(" Of {more} settings this is {}; the tables have all.", in_words(&first.label)));
        }
    }
    found
}

/// Times that differ by no more than rounding.
fn is_same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs())
}

/// The rows of the one schedule that trains longest, and of these with the smallest steps. A network that is there under several
/// schedules is the same at initialization, and would count as several.
fn reference_schedule<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    // Times differ between depths, their order between schedules does not.
    let Some(depth) = rows.iter().map(|row| row.depth).min() else { return Vec::new() };
    let at_depth = || rows.iter().filter(|row| row.depth == depth);
    let longest = at_depth().map(|row| planned_time(row)).fold(0.0, f64::max);
    let best = at_depth()
        .filter(|row| is_same(planned_time(row), longest))
        .min_by(|a, b| a.learning_rate.total_cmp(&b.learning_rate));
    let Some(best) = best.map(|row| schedule(row)) else { return Vec::new() };
    rows.iter().copied().filter(|row| schedule(row) == best).collect()
}

/// The time of a network that did not diverge; the others stopped early and name no schedule.
fn planned_time(row: &Row) -> f64 {
    if row.is_trained() { row.time } else { 0.0 }
}

/// What a label has of how long and in which steps a network was trained.
type Schedule<'a> = [Option<&'a str>; 2];

fn schedule(row: &Row) -> Schedule<'_> {
    ["train.step", "train.n_steps"].map(|key| super::label::varied(&row.varied, key))
}

/// An exponent at one depth, and how many values it is fitted to.
#[derive(Debug, Clone, Copy)]
struct Rate {
    depth: usize,
    /// Mean and ends of the exponent.
    exponent: Option<Interval>,
}

impl Rate {
    fn of(depth: usize, slope: Option<Slope>, n: usize) -> Self {
        let exponent = slope.map(|slope| Interval { mean: slope.exponent, low: slope.low, high: slope.high, n });
        Self { depth, exponent }
    }

    /// Minus `expected`, to be compared with 0.
    fn beyond(self, expected: f64) -> Option<Interval> {
        let away = |v: f64| v - expected;
        self.exponent.map(|e| Interval { mean: away(e.mean), low: away(e.low), high: away(e.high), n: e.n })
    }

    fn words(self) -> String {
        match self.exponent {
            Some(e) => format!("{e} at depth {}", self.depth),
            None => format!("none at depth {}", self.depth),
        }
    }
}

/// What theory says of an exponent.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Theory {
    /// It is this.
    Is(f64),
    /// It is proved to be no more than `bound`, and expected to be `sharp`.
    AtMost { bound: f64, sharp: f64 },
}

impl Theory {
    fn words(self) -> String {
        match self {
            Self::Is(exponent) => exponent.to_string(),
            Self::AtMost { bound, sharp } => format!("at most {bound}, sharply {sharp}"),
        }
    }

    /// Above a panel.
    fn in_short(self) -> String {
        match self {
            Self::Is(exponent) => exponent.to_string(),
            Self::AtMost { bound, sharp } => format!("{bound}, sharply {sharp}"),
        }
    }

    /// Those of the lines that a chart compares with.
    fn exponents(self) -> Vec<f64> {
        match self {
            Self::Is(exponent) => vec![exponent],
            Self::AtMost { bound, sharp } => vec![bound, sharp],
        }
    }

    /// The statement about the rate at one depth.
    fn judge(self, rate: Rate, margin: f64, of: &str) -> Statement {
        match self {
            Self::Is(exponent) => Statement::within("", rate.beyond(exponent), margin, "", of),
            Self::AtMost { bound, .. } => Statement::below("", rate.exponent, bound + margin, "", of),
        }
    }
}

/// One statement of the rates at all depths.
fn at_every_depth(claim: String, theory: Theory, rates: &[Rate], margin: f64, of: &str) -> Statement {
    let judged: Vec<Statement> = rates.iter().map(|rate| theory.judge(*rate, margin, of)).collect();
    let has = |decision: Decision| judged.iter().any(|statement| statement.decision == decision);
    let worst =
        [Decision::Fails, Decision::Undecided, Decision::NoInterval, Decision::Diverged].into_iter().find(|d| has(*d));
    let decision = worst.unwrap_or(if judged.is_empty() { Decision::Diverged } else { Decision::Holds });
    let needed = judged.iter().filter_map(|statement| statement.needed.clone()).max_by_key(|(n, _)| *n);
    let words: Vec<String> = rates.iter().map(|rate| rate.words()).collect();
    Statement {
        claim,
        decision,
        evidence: format!("Exponents: {}", words.join("; ")),
        needed: needed.filter(|_| decision == Decision::Undecided),
    }
}

/// The values of a count that occur in these rows, smallest first.
fn distinct(rows: &[&Row], value: impl Fn(&Row) -> usize) -> Vec<usize> {
    let mut values: Vec<usize> = rows.iter().map(|row| value(row)).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// What a caption says of the networks of `rows`.
fn networks(evidence: &Evidence<'_>, rows: &[&Row]) -> String {
    let Some(first) = rows.first() else { return "No network is finished.".to_owned() };
    let n_seeds = distinct(rows, |row| row.seed as usize).len();
    let n_diverged = rows.iter().filter(|row| !row.is_trained()).count();
    let diverged = match n_diverged {
        0 => String::new(),
        n => format!(" {n} of {} networks diverged and take no part in what is measured after training.", rows.len()),
    };
    let seeds = if n_seeds == 1 { "one seed has no band".to_owned() } else { format!("{n_seeds} seeds") };
    format!(
        "Data set {} ({} training and {} test inputs), {} networks that start {}, in {}, {seeds}.{diverged}",
        first.dataset, first.n_train, first.n_test, first.activation, first.initial_function, evidence.manifest.dtype,
    )
}

/// What the bands are.
fn bands(evidence: &Evidence<'_>) -> String {
    format!("Bands are Student's {} intervals of the mean over seeds.", evidence.level())
}

#[cfg(test)]
mod tests {
    use super::super::made_up;
    use super::*;
    use crate::study::findings::Cell;

    /// Networks whose every quantity follows its law, give or take a few percent, but for a drift of exponent `drift`.
    fn lawful(drift: f64) -> Vec<Row> {
        let mut rows = Vec::new();
        for (depth, width, seed) in
            (1..=2).flat_map(|d| [32, 64, 128, 256].into_iter().flat_map(move |w| (0..5).map(move |s| (d, w, s))))
        {
            for (fraction, n_steps) in [(0.8, 25), (0.8, 100), (0.4, 50), (0.4, 200), (0.2, 100)] {
                let n = width as f64;
                let wiggle = 1.0 + 0.03 * (2.4 * seed as f64 + n).sin();
                let learning_rate = fraction / depth as f64;
                rows.push(Row {
                    varied: format!("train.n_steps={n_steps} train.step={fraction}"),
                    n_steps,
                    learning_rate,
                    stability_bound: Some(1.0 / depth as f64),
                    time: learning_rate * n_steps as f64,
                    kernel_error: wiggle * (3.0 * depth as f64 / n).sqrt(),
                    kernel_drift: Some(wiggle * n.powf(drift)),
                    kernel_alignment: Some(1.0 - wiggle * n.powi(-2)),
                    gap_nonlinearity: Some(wiggle / n),
                    gap_finite_width: Some(wiggle / n.sqrt()),
                    gap_initial_function: Some(wiggle),
                    gap_finite_time: Some((learning_rate * n_steps as f64).powf(-0.7)),
                    gap_discretization: Some(0.1 * wiggle * learning_rate),
                    ..made_up::row(depth, width, seed)
                });
            }
        }
        rows
    }

    fn decisions(rows: &[Row]) -> Vec<(String, Decision)> {
        let found = made_up::with_evidence(rows, &[], findings);
        found.statements.into_iter().map(|statement| (statement.claim, statement.decision)).collect()
    }

    #[test]
    fn networks_that_follow_the_laws_hold_every_step() {
        let all = decisions(&lawful(-1.0));
        assert_eq!(all.len(), 13, "{all:?}");
        assert!(all.iter().all(|(_, decision)| *decision == Decision::Holds), "{all:?}");
    }

    #[test]
    fn a_kernel_that_moves_at_every_width_fails_the_steps_about_its_drift_alone() {
        for (claim, decision) in decisions(&lawful(0.0)) {
            let expected = if claim.contains("drift") { Decision::Fails } else { Decision::Holds };
            assert_eq!(decision, expected, "{claim}");
        }
    }

    #[test]
    fn a_network_under_several_schedules_counts_once() {
        let rows = lawful(-1.0);
        let rows: Vec<&Row> = rows.iter().collect();
        let reference = reference_schedule(&rows);
        assert_eq!(reference.len(), 2 * 4 * 5);
        // The longest time is reached with two step sizes.
        assert!(reference.iter().all(|row| row.varied == "train.n_steps=200 train.step=0.4"), "{:?}", reference[0]);
    }

    #[test]
    fn the_exponent_in_the_step_size_is_of_equal_times() {
        let found = made_up::with_evidence(&lawful(-1.0), &[], findings);
        let table = found.tables.iter().find(|table| table.title.contains("step size")).unwrap();
        let Cell::Interval(Some(exponent)) = table.rows[0][2] else { panic!("{table:?}") };
        assert!((exponent.mean - 1.0).abs() < 1e-9 && exponent.n == 4 * 5, "{exponent:?}");
    }

    #[test]
    fn what_is_missing_is_said_and_nothing_panics() {
        let mut rows = lawful(-1.0);
        for row in &mut rows {
            row.outcome = crate::record::Outcome::Diverged;
            row.kernel_drift = None;
            row.gap_nonlinearity = None;
        }
        let all = decisions(&rows);
        assert!(
            all.iter().any(|(claim, decision)| claim.contains("drift") && *decision == Decision::Diverged),
            "{all:?}"
        );
        assert!(decisions(&[]).is_empty());
        decisions(&rows[..1]);
    }
}
