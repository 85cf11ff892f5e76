//! What adding a layer changes in the error of a network, and what in that of its kernel. Paired by data replicate and seed, at one width:
//!
//! ```text
//! delta_nn  = MSE_nn(more layers)  - MSE_nn(fewer layers)
//! delta_ntk = MSE_ntk(more layers) - MSE_ntk(fewer layers)          mismatch = delta_nn - delta_ntk
//! ```
//!
//! The theorem does not say that the mismatch is 0. Over seeds, an infinitely wide network at time T has the expected error
//! MSE(A_T Y) + V, with V the variance of f_0(x) - A_T f_0(X), and both V and the way from A_T to A_inf depend on the depth. So the mismatch is
//! looked at with either of them taken away, or put in: a [`Variant`] says what of the network stands beside what of the kernel.
//!
//! A replicate is a root seed, which draws the rows and the networks anew. Under another `data.split_seed` alone the same networks would meet
//! other rows, and replicates that share their networks are not independent.

pub(super) mod drawn;

use std::collections::{BTreeMap, BTreeSet};

use super::Evidence;
use super::evidence::mishaps;
use super::label::{in_words, varied, without};
use crate::error::{Error, Result};
use crate::number::plural;
use crate::record::{Group, Row};
use crate::stats::Interval;
use crate::study::Decision;
use crate::study::findings::{Mishap, Statement};
use crate::study::settings::Study;

/// What of the network is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The network as it was trained.
    Plain,
    /// Without what is left of its initial function, f_T - (flin_T - A_T^emp Y).
    Subtracted,
    /// The mean of the networks of all seeds. Its error exceeds that of the mean of infinitely many by variance / number of networks, which is
    /// taken off.
    Mean,
    /// A network whose outputs at initialization are taken off all along.
    Centred,
    /// The difference of two networks that start alike.
    Antisymmetric,
}

impl Side {
    pub(super) const ALL: [Self; 5] = [Self::Plain, Self::Subtracted, Self::Mean, Self::Centred, Self::Antisymmetric];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "network as trained",
            Self::Subtracted => "initial function subtracted",
            Self::Mean => "mean over seeds",
            Self::Centred => "centred network",
            Self::Antisymmetric => "antisymmetric network",
        }
    }

    /// What the networks are made with.
    fn initial_function(self) -> &'static str {
        match self {
            Self::Plain | Self::Subtracted | Self::Mean => "plain",
            Self::Centred => "centred",
            Self::Antisymmetric => "antisymmetric",
        }
    }
}

/// What of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// Kernel regression, A_inf Y.
    Regression,
    /// Gradient descent under the kernel for the time of the network, A_T Y.
    AtTime,
    /// The same, and the variance that the initial function has by theory: all that the theorem expects of a network as it was trained.
    Expected,
}

impl Beside {
    pub(super) const ALL: [Self; 3] = [Self::Regression, Self::AtTime, Self::Expected];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Regression => "kernel regression",
            Self::AtTime => "kernel at the network's time",
            Self::Expected => "what the theorem expects",
        }
    }
}

/// A network and a kernel beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) side: Side,
    pub(super) beside: Beside,
}

impl Variant {
    /// What one sees without thinking of the theorem.
    pub(super) const AS_MEASURED: Self = Self { side: Side::Plain, beside: Beside::Regression };
    /// Neither initial function nor time apart, on the very networks of [`Variant::AS_MEASURED`].
    pub(super) const MATCHED: Self = Self { side: Side::Subtracted, beside: Beside::AtTime };
    /// The network as it was trained, beside all that the theorem expects of it.
    pub(super) const EXPECTED: Self = Self { side: Side::Plain, beside: Beside::Expected };

    /// Every variant that means something.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let with = |beside| Side::ALL.into_iter().map(move |side| Self { side, beside });
        with(Beside::Regression).chain(with(Beside::AtTime)).chain([Self::EXPECTED])
    }

    /// Whether the theorem says that the mismatch vanishes as the width grows.
    pub(super) fn must_match(self) -> bool {
        match self.beside {
            Beside::Regression => false,
            Beside::AtTime => self.side != Side::Plain,
            Beside::Expected => self.side == Side::Plain,
        }
    }

    pub(super) fn name(self) -> String {
        format!("{}, beside {}", self.side.name(), self.beside.name())
    }
}

/// Fewer layers and more.
pub(super) type Step = (usize, usize);

/// What a step changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    pub(super) step: Step,
    pub(super) network: Option<Interval>,
    pub(super) kernel: Option<Interval>,
    pub(super) mismatch: Option<Interval>,
}

/// The errors of a network and of what stands beside it.
#[derive(Debug, Clone, Copy)]
struct Errors<'a> {
    replicate: &'a str,
    split_seed: u64,
    seed: u64,
    depth: usize,
    network: f64,
    kernel: f64,
}

/// A data set in all its replicates, and networks of several depths and widths: all that differs in nothing else.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    /// What it has of the other settings that vary, in words; empty where nothing else does.
    pub(super) label: String,
    rows: Vec<&'a Row>,
    groups: Vec<&'a Group>,
}

/// The settings within a problem.
const WITHIN: [&str; 3] = [ROOT, "data.split_seed", "train.initial_function"];

/// The setting that replicates differ by.
const ROOT: &str = "seeds.root";

/// The replicate that a label belongs to.
fn replicate(label: &str) -> &str {
    varied(label, ROOT).unwrap_or("")
}

/// Refuses a study without replicates of the data or without a layer to add.
///
/// # Errors
/// With the key that is missing.
pub(super) fn ensure_possible(study: &Study) -> Result<()> {
    let roots: BTreeSet<u64> = study.plans.iter().map(|plan| plan.config.seeds.root).collect();
    if roots.len() < 2 {
        return Err(Error::config(
            "vary.\"seeds.root\"",
            format!(
                "{}, and the intervals are over data replicates, each with its root",
                plural(roots.len(), "root seed")
            ),
            "give several, as in `\"seeds.root\" = [1, 2, 3, 4, 5]`",
        ));
    }
    for plan in &study.plans {
        let depths: BTreeSet<usize> = plan.points.iter().map(|point| point.architecture.depth()).collect();
        if depths.len() < 2 {
            return Err(Error::config(
                "arch.depth",
                format!("{}, and a layer is to be added", plural(depths.len(), "depth")),
                "give a list, as in `depth = [1, 2, 3]`",
            ));
        }
    }
    Ok(())
}

/// The problems of a run, in the order of its rows.
pub(super) fn problems<'a>(evidence: &Evidence<'a>) -> Vec<Problem<'a>> {
    let mut problems: Vec<(String, Problem<'a>)> = Vec::new();
    for row in evidence.rows {
        let key = without(&row.varied, &WITHIN);
        match problems.iter_mut().find(|(other, _)| *other == key) {
            Some((_, problem)) => problem.rows.push(row),
            None => {
                problems.push((key.clone(), Problem { label: in_words(&key), rows: vec![row], groups: Vec::new() }))
            }
        }
    }
    for group in evidence.groups {
        let key = without(&group.varied, &WITHIN);
        if let Some((_, problem)) = problems.iter_mut().find(|(other, _)| *other == key) {
            problem.groups.push(group);
        }
    }
    problems.into_iter().map(|(_, problem)| problem).collect()
}

impl<'a> Problem<'a> {
    /// `text`, after the problem's name where there are several.
    pub(super) fn titled(&self, text: &str) -> String {
        if self.label.is_empty() { text.to_owned() } else { format!("{}: {text}", self.label) }
    }

    pub(super) fn dataset(&self) -> &str {
        self.rows.first().map_or("", |row| &row.dataset)
    }

    pub(super) fn widths(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.width).collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn widest(&self) -> usize {
        self.rows.iter().map(|row| row.width).max().unwrap_or(0)
    }

    pub(super) fn depths(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.depth).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// From each depth to the next.
    pub(super) fn steps(&self) -> Vec<Step> {
        self.depths().windows(2).map(|pair| (pair[0], pair[1])).collect()
    }

    /// From the fewest layers to the most.
    pub(super) fn whole(&self) -> Step {
        let depths = self.depths();
        (depths.first().copied().unwrap_or(0), depths.last().copied().unwrap_or(0))
    }

    /// Networks at this width, and those of them that diverged.
    pub(super) fn counts(&self, width: usize) -> (usize, usize) {
        let here: Vec<_> = self.rows.iter().filter(|row| row.width == width).collect();
        (here.len(), here.iter().filter(|row| !row.is_trained()).count())
    }

    /// Its networks that came to no good, by where they stand along a panel.
    pub(super) fn mishaps(&self, is_drawn: impl Fn(&Row) -> bool, x: impl Fn(&Row) -> f64) -> Vec<Mishap> {
        mishaps(self.rows.iter().filter(|row| is_drawn(row)).map(|row| (x(row), *row)))
    }

    /// Data replicates, and networks of each at one depth, width and initial function.
    pub(super) fn replicates_and_seeds(&self) -> (usize, usize) {
        let replicates: BTreeSet<&str> = self.rows.iter().map(|row| replicate(&row.varied)).collect();
        let seeds: BTreeSet<u64> = self.rows.iter().map(|row| row.seed).collect();
        (replicates.len(), seeds.len())
    }

    /// Whether there are networks to look at in this way.
    pub(super) fn has(&self, variant: Variant) -> bool {
        self.rows.iter().any(|row| row.initial_function == variant.side.initial_function())
            && (variant.side != Side::Mean || self.groups.iter().any(|group| group.n_networks > 1))
    }

    /// The errors of every pair at one width; of means over seeds, one per replicate.
    fn errors(&self, variant: Variant, width: usize) -> Vec<Errors<'a>> {
        let here = |row: &&'a Row| {
            row.width == width && row.initial_function == variant.side.initial_function() && row.is_trained()
        };
        let of_row = |row: &'a Row| {
            let network = match variant.side {
                Side::Plain | Side::Centred | Side::Antisymmetric => row.mse_network?,
                Side::Subtracted => row.mse_subtracted?,
                Side::Mean => {
                    let group = self.group(row)?;
                    group.mse_mean? - group.variance? / group.n_networks as f64
                }
            };
            let kernel = match variant.beside {
                Beside::Regression => row.mse_ntk,
                Beside::AtTime => row.mse_ntk_at_time?,
                Beside::Expected => row.mse_ntk_at_time? + self.group(row)?.variance_predicted?,
            };
            let Row { split_seed, seed, depth, .. } = *row;
            Some(Errors { replicate: replicate(&row.varied), split_seed, seed, depth, network, kernel })
        };
        let mut errors: Vec<Errors<'_>> = self.rows.iter().copied().filter(here).filter_map(of_row).collect();
        if variant.side == Side::Mean {
            // The mean is the same for every seed that is in it.
            let mut seen = BTreeSet::new();
            errors.retain(|one| seen.insert((one.replicate, one.split_seed, one.depth)));
            errors.iter_mut().for_each(|one| one.seed = 0);
        }
        errors
    }

    /// The networks of all seeds that the row's is one of.
    fn group(&self, row: &Row) -> Option<&Group> {
        self.groups
            .iter()
            .copied()
            .find(|group| group.varied == row.varied && (group.depth, group.width) == (row.depth, row.width))
    }

    /// The mean errors of network and kernel at a depth, over data replicates.
    pub(super) fn error(
        &self,
        evidence: &Evidence<'_>,
        variant: Variant,
        width: usize,
        depth: usize,
    ) -> (Option<Interval>, Option<Interval>) {
        let errors: Vec<Errors<'_>> =
            self.errors(variant, width).into_iter().filter(|one| one.depth == depth).collect();
        let mean = |value: fn(&Errors<'_>) -> f64| {
            let clusters = clusters(errors.iter().map(|one| (one.replicate, value(one))));
            evidence.clustered(&clusters, evidence.manifest.confidence, "error")
        };
        (mean(|one| one.network), mean(|one| one.kernel))
    }

    /// What a step changes at one width, with intervals over data replicates that hold for `n_together` steps at once.
    pub(super) fn change(
        &self,
        evidence: &Evidence<'_>,
        variant: Variant,
        width: usize,
        step: Step,
        n_together: usize,
    ) -> Change {
        let errors = self.errors(variant, width);
        let unit = |one: &Errors<'_>| (one.replicate.to_owned(), one.split_seed, one.seed);
        let deeper = |shallow: &Errors<'_>| {
            let deep = errors.iter().find(|other| other.depth == step.1 && unit(other) == unit(shallow))?;
            Some(Errors { network: deep.network - shallow.network, kernel: deep.kernel - shallow.kernel, ..*deep })
        };
        let changes: Vec<Errors<'_>> = errors.iter().filter(|one| one.depth == step.0).filter_map(deeper).collect();
        let confidence = 1.0 - (1.0 - evidence.manifest.confidence) / n_together.max(1) as f64;
        let mean = |value: fn(&Errors<'_>) -> f64| {
            let clusters = clusters(changes.iter().map(|one| (one.replicate, value(one))));
            evidence.clustered(&clusters, confidence, "change")
        };
        Change {
            step,
            network: mean(|one| one.network),
            kernel: mean(|one| one.kernel),
            mismatch: mean(|one| one.network - one.kernel),
        }
    }

    /// What each step changes at one width.
    pub(super) fn changes(&self, evidence: &Evidence<'_>, variant: Variant, width: usize) -> Vec<Change> {
        let steps = self.steps();
        steps.iter().map(|step| self.change(evidence, variant, width, *step, steps.len())).collect()
    }

    /// That every step changes both errors alike at the greatest width, and so do all of them together: small mismatches in one direction
    /// add up.
    pub(super) fn statement(&self, evidence: &Evidence<'_>, variant: Variant, claim: &str) -> Statement {
        let (width, margin) = (self.widest(), evidence.manifest.margin);
        let mut contrasts = self.steps();
        if contrasts.len() > 1 {
            contrasts.push(self.whole());
        }
        let change = |step: &Step| self.change(evidence, variant, width, *step, contrasts.len());
        let changes: Vec<Change> = contrasts.iter().map(change).collect();
        let within = |change: &Change| Statement::within("", change.mismatch, margin, "", "data replicates");
        let each: Vec<Statement> = changes.iter().map(within).collect();
        let largest = changes
            .iter()
            .filter_map(|change| Some((change, change.mismatch?)))
            .max_by(|(_, a), (_, b)| a.mean.abs().total_cmp(&b.mean.abs()));
        let words = match largest {
            None => format!("No pair of networks of width {width} was trained"),
            Some((change, _)) => {
                let whole = match changes.last().filter(|last| last.step != change.step) {
                    None => String::new(),
                    Some(whole) => {
                        format!(". From {} to {} layers it is {}", whole.step.0, whole.step.1, in_full(whole.mismatch))
                    }
                };
                format!(
                    "The largest mismatch at width {width} is that from {} to {} layers: {} of the target variance beside a margin of \
                     {margin}; the network's error changes by {}, the kernel's by {}{whole}",
                    change.step.0,
                    change.step.1,
                    in_full(change.mismatch),
                    signed(change.network),
                    signed(change.kernel),
                )
            }
        };
        let decision = all_hold(each.iter().map(|one| one.decision));
        let needed = each.into_iter().filter_map(|one| one.needed).max_by_key(|(n, _)| *n);
        Statement {
            claim: self.titled(claim),
            decision,
            evidence: words,
            needed: needed.filter(|_| decision == Decision::Undecided),
        }
    }
}

/// The decision about all of several claims.
pub(super) fn all_hold(decisions: impl IntoIterator<Item = Decision>) -> Decision {
    let decisions: Vec<Decision> = decisions.into_iter().collect();
    [Decision::Fails, Decision::Undecided, Decision::NoInterval, Decision::Diverged]
        .into_iter()
        .find(|decision| decisions.contains(decision))
        .unwrap_or(if decisions.is_empty() { Decision::Diverged } else { Decision::Holds })
}

fn signed(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "-".to_owned(), |interval| format!("{:+.3}", interval.mean))
}

fn in_full(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "-".to_owned(), |interval| format!("{interval:+}"))
}

/// The values of each data replicate.
fn clusters<'a>(values: impl Iterator<Item = (&'a str, f64)>) -> Vec<Vec<f64>> {
    let mut clusters: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    values.for_each(|(replicate, value)| clusters.entry(replicate).or_default().push(value));
    clusters.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{row, with_evidence};
    use super::*;

    /// Replicates whose kernels gain `kernel` a layer and whose networks `network`, give or take what differs from seed to seed; `f_0` is what
    /// the initial function adds a layer, and what is left of it is subtracted again.
    fn rows(kernel: f64, network: f64, f_0: f64) -> Vec<Row> {
        let mut rows = Vec::new();
        for root in 0..12_u64 {
            for depth in 1..=3_usize {
                for seed in 0..3 {
                    let hardness = 0.3 + 0.02 * root as f64;
                    let wiggle = 0.002 * ((root * 9 + seed * 3 + depth as u64) as f64 * 2.4).sin();
                    let error = |a_layer: f64| hardness + a_layer * depth as f64;
                    rows.push(Row {
                        varied: format!("seeds.root={root} train.initial_function=plain"),
                        mse_ntk: error(kernel),
                        mse_ntk_at_time: Some(error(kernel)),
                        mse_network: Some(error(network + f_0) + wiggle),
                        mse_subtracted: Some(error(network) + wiggle),
                        ..row(depth, 64, seed)
                    });
                }
            }
        }
        rows
    }

    fn decided(rows: &[Row], groups: &[Group], variant: Variant) -> Decision {
        with_evidence(rows, groups, |evidence| {
            let problems = problems(evidence);
            assert_eq!(problems.len(), 1);
            problems[0].statement(evidence, variant, "alike").decision
        })
    }

    #[test]
    fn a_mismatch_is_what_the_network_gains_beyond_the_kernel() {
        // The margin of made-up evidence is 0.1.
        let all = rows(0.05, 0.05, 0.2);
        let change = with_evidence(&all, &[], |evidence| {
            problems(evidence)[0].change(evidence, Variant::AS_MEASURED, 64, (1, 2), 2)
        });
        let mean = |interval: Option<Interval>| interval.unwrap().mean;
        assert!((mean(change.kernel) - 0.05).abs() < 1e-12 && (mean(change.mismatch) - 0.2).abs() < 2e-3, "{change:?}");
        assert_eq!(change.mismatch.unwrap().n, 12);
        assert_eq!(decided(&all, &[], Variant::AS_MEASURED), Decision::Fails);
        assert_eq!(decided(&all, &[], Variant::MATCHED), Decision::Holds);
        assert_eq!(decided(&rows(0.25, 0.05, 0.0), &[], Variant::MATCHED), Decision::Fails);
    }

    #[test]
    fn the_mean_over_seeds_is_cleared_of_what_few_networks_add() {
        let all = rows(0.05, 0.05, 0.2);
        let of_row = |row: &Row| -> Group {
            // As if the mean of three networks had no error but the kernel's and a third of a variance that grows with depth.
            let variance = 0.4 * row.depth as f64;
            serde_json::from_value(serde_json::json!({
                "varied": row.varied, "dataset": row.dataset, "n_train": row.n_train, "split_seed": row.split_seed,
                "depth": row.depth, "width": row.width, "initial_function": "plain", "n_networks": 3, "n_diverged": 0,
                "mse_mean": row.mse_ntk + variance / 3.0, "variance": variance, "variance_predicted": 0.2 * row.depth as f64,
                "gaps_of_means": [], "coverage": null, "normality_p": [], "responses": [], "response_ntk": null,
                "response_ntk_at_time": null, "response_nngp": null,
            }))
            .unwrap()
        };
        let groups: Vec<Group> = all.iter().filter(|row| row.seed == 0).map(of_row).collect();
        assert_eq!(decided(&all, &groups, Variant { side: Side::Mean, beside: Beside::AtTime }), Decision::Holds);
        // Theory's variance of the initial function is all that the network has beyond its kernel.
        assert_eq!(decided(&all, &groups, Variant::EXPECTED), Decision::Holds);
    }

    #[test]
    fn what_diverged_takes_no_part_and_without_pairs_nothing_is_decided() {
        let mut all = rows(0.05, 0.05, 0.0);
        let lost = |row: &mut Row| {
            row.outcome = crate::record::Outcome::Diverged;
            row.mse_network = None;
        };
        all.iter_mut().filter(|row| row.depth == 3 && row.seed == 0).for_each(lost);
        assert_eq!(decided(&all, &[], Variant::AS_MEASURED), Decision::Holds);
        all.iter_mut().filter(|row| row.depth == 3).for_each(lost);
        assert_eq!(decided(&all, &[], Variant::AS_MEASURED), Decision::Diverged);
    }
}
