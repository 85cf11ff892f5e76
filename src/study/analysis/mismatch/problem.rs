//! The networks of one problem, their errors, and what a layer changes in them.

use std::collections::{BTreeMap, BTreeSet};

use super::variant::{Beside, Side, Variant};
use crate::record::{Group, Row};
use crate::stats::Interval;
use crate::study::analysis::Evidence;
use crate::study::analysis::evidence::mishaps;
use crate::study::analysis::label::{in_words, varied, without};
use crate::study::findings::Mishap;

/// Fewer layers and more.
pub(in super::super) type Step = (usize, usize);

/// What a step changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Change {
    pub(in super::super) step: Step,
    pub(in super::super) network: Option<Interval>,
    pub(in super::super) kernel: Option<Interval>,
    pub(in super::super) mismatch: Option<Interval>,
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
pub(in super::super) struct Problem<'a> {
    /// What it has of the other settings that vary, in words; empty where nothing else does.
    pub(in super::super) label: String,
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

/// The problems of a run, in the order of its rows.
pub(in super::super) fn problems<'a>(evidence: &Evidence<'a>) -> Vec<Problem<'a>> {
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
    pub(in super::super) fn titled(&self, text: &str) -> String {
        if self.label.is_empty() { text.to_owned() } else { format!("{}: {text}", self.label) }
    }

    pub(in super::super) fn dataset(&self) -> &str {
        self.rows.first().map_or("", |row| &row.dataset)
    }

    pub(in super::super) fn widths(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.width).collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(in super::super) fn widest(&self) -> usize {
        self.rows.iter().map(|row| row.width).max().unwrap_or(0)
    }

    pub(in super::super) fn depths(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.depth).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// From each depth to the next.
    pub(in super::super) fn steps(&self) -> Vec<Step> {
        self.depths().windows(2).map(|pair| (pair[0], pair[1])).collect()
    }

    /// From the fewest layers to the most.
    pub(in super::super) fn whole(&self) -> Step {
        let depths = self.depths();
        (depths.first().copied().unwrap_or(0), depths.last().copied().unwrap_or(0))
    }

    /// Networks at this width, and those of them that diverged.
    pub(in super::super) fn counts(&self, width: usize) -> (usize, usize) {
        let here: Vec<_> = self.rows.iter().filter(|row| row.width == width).collect();
        (here.len(), here.iter().filter(|row| !row.is_trained()).count())
    }

    /// Its networks that came to no good, by where they stand along a panel.
    pub(in super::super) fn mishaps(&self, is_drawn: impl Fn(&Row) -> bool, x: impl Fn(&Row) -> f64) -> Vec<Mishap> {
        mishaps(self.rows.iter().filter(|row| is_drawn(row)).map(|row| (x(row), *row)))
    }

    /// Data replicates, and networks of each at one depth, width and initial function.
    pub(in super::super) fn replicates_and_seeds(&self) -> (usize, usize) {
        let replicates: BTreeSet<&str> = self.rows.iter().map(|row| replicate(&row.varied)).collect();
        let seeds: BTreeSet<u64> = self.rows.iter().map(|row| row.seed).collect();
        (replicates.len(), seeds.len())
    }

    /// Whether there are networks to look at in this way.
    pub(in super::super) fn has(&self, variant: Variant) -> bool {
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
    pub(in super::super) fn error(
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
    pub(in super::super) fn change(
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
    pub(in super::super) fn changes(&self, evidence: &Evidence<'_>, variant: Variant, width: usize) -> Vec<Change> {
        let steps = self.steps();
        steps.iter().map(|step| self.change(evidence, variant, width, *step, steps.len())).collect()
    }
}

/// The values of each data replicate.
fn clusters<'a>(values: impl Iterator<Item = (&'a str, f64)>) -> Vec<Vec<f64>> {
    let mut clusters: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    values.for_each(|(replicate, value)| clusters.entry(replicate).or_default().push(value));
    clusters.into_values().collect()
}
