//! How the numbers came about: the protocol, the limits of the evidence, and what computed it.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::criterion;
use super::plain::plain;
use crate::number::{percent, short};
use crate::record::{Computation, Manifest, Row, shown_notes};
use crate::study::Analysis;

pub(super) fn protocol(manifest: &Manifest, rows: &[&Row]) -> String {
    let mut text = "## Protocol\n\n".to_owned();
    let mut item = |name: &str, words: String| {
        let _ = writeln!(text, "- **{name}.** {words}");
    };
    for data in &manifest.data {
        item(
            "Data",
            format!(
                "{}: {} rows, {} inputs, {} output(s); {} training and {} test rows after a seeded shuffle, standardized with the training \
                 part's statistics where the config says so. {}",
                plain(&data.name),
                data.n_rows,
                data.d_in,
                data.d_out,
                distinct(rows, |row| (row.dataset == data.name).then_some(row.n_train))
                    .unwrap_or(data.n_train.to_string()),
                distinct(rows, |row| (row.dataset == data.name).then_some(row.n_test))
                    .unwrap_or(data.n_test.to_string()),
                plain(&shown_notes(&data.notes, "in manifest.json").join(" "))
            ),
        );
    }
    if let Some(row) = rows.first() {
        item(
            "Networks",
            format!(
                "{} activation, {} parametrization, W_std {}, b_std {}, {} initial function, {} seeds per depth and width, {} on the {} \
                 backend{}.",
                words(rows, |row| row.activation.clone()),
                words(rows, |row| row.parametrization.clone()),
                range(rows, |row| row.w_std),
                range(rows, |row| row.b_std),
                words(rows, |row| row.initial_function.clone()),
                manifest.n_seeds,
                row.dtype,
                row.backend,
                manifest
                    .kernel_sums
                    .as_ref()
                    .map_or_else(String::new, |sums| format!(", with kernels added up {sums}"))
            ),
        );
        item(
            "Training",
            format!(
                "{}{} on half the mean squared error{}; {} steps of size {}, which is time {}{}.",
                if row.optimizer == GRADIENT_DESCENT { "full-batch " } else { "" },
                row.optimizer.replacen(GRADIENT_DESCENT, "gradient descent", 1),
                if row.ridge > 0.0 { " plus the pull to the initialization" } else { "" },
                range(rows, |row| row.n_steps as f64),
                range(rows, |row| row.learning_rate),
                range(rows, |row| row.time),
                match (row.stop.as_str(), row.parametrization.as_str()) {
                    ("at-time", "ntk") => ", the same for every width and seed of a depth".to_owned(),
                    // In the other parametrizations the kernel changes with the width, and with it its stability bound.
                    ("at-time", _) => ", the same for every seed of a depth and width".to_owned(),
                    (rule, _) =>
                        format!("; each network stops by the rule {rule}, and is compared at the time it took"),
                }
            ),
        );
        item(
            "Kernels",
            format!(
                "analytic NNGP and NTK in f64; {}; the stationary kernels' length scale is the median distance between training inputs.",
                regression_in_words(rows)
            ),
        );
    }
    item(
        "The gap",
        "f_T - A_inf Y = (f_T - flin_T) + (flin_T - A_T^emp Y) + (A_T^emp Y - A_T^ntk Y) + (A_T^ntk Y - A_inf^ntk Y): nonlinearity, \
         initial function, finite width, finite time, in this order. A_T maps targets to the predictions of gradient descent after T \
         steps from zero under a kernel; flin_T is the linearized network after the same steps."
            .to_owned(),
    );
    if rows.iter().any(|row| row.gap_optimizer.is_some()) {
        item(
            "Optimizer",
            "f_T - flin_T is (f_T - f_GD) + (f_GD - flin_T): f_GD is the network that full-batch gradient descent trains from the same \
             initialization for the time that the optimizer's steps amount to, at half its stability bound."
                .to_owned(),
        );
    }
    if rows.iter().any(|row| row.optimizer != GRADIENT_DESCENT && row.gap_optimizer.is_none()) {
        item(
            "Optimizer",
            "networks whose optimizer keeps no time (Adam) are compared with the linearized network and the kernels at the end of training, \
             so the nonlinearity includes what the optimizer does otherwise."
                .to_owned(),
        );
    }
    let (margin, confidence) = (manifest.margin, percent(manifest.confidence));
    let before = criterion::before(&manifest.earlier_criteria);
    item(
        criterion::heading(&manifest.earlier_criteria),
        match manifest.analysis == Analysis::Equivalence.to_string() {
            true => format!(
                "equivalent where the RMS gap lies below {margin} target standard deviations with its whole {confidence} interval over seeds \
                 (Student's t).{before}"
            ),
            false => format!(
                "margin {margin}, intervals of {confidence}; what is held against the margin, each statement says.{before}"
            ),
        },
    );
    let residual = largest(rows, |row| row.identity_residual.unwrap_or(0.0));
    item("Check", format!("the parts miss the gap by at most {} at any test point of any network.", short(residual)));
    text
}

/// As rows have it.
const GRADIENT_DESCENT: &str = "gradient-descent";

fn regression_in_words(rows: &[&Row]) -> String {
    if rows.iter().any(|row| row.ridge > 0.0) {
        return format!(
            "ridge {} on the NTK and on the networks alike, and the same fraction of its mean diagonal on every other kernel",
            range(rows, |row| row.ridge)
        );
    }
    format!(
        "regression by the pseudo-inverse, which drops what rounding leaves of zero eigenvalues (of the NTK: below {}, {} directions)",
        range(rows, |row| row.eigenvalue_cutoff),
        range(rows, |row| row.n_dropped as f64)
    )
}

pub(super) fn limits(manifest: &Manifest, rows: &[&Row]) -> String {
    let widest = rows.iter().map(|row| row.width).max().unwrap_or(0);
    let roots: BTreeSet<&str> = rows.iter().filter_map(|row| root(row)).collect();
    let splits: BTreeSet<(u64, Option<&str>)> = rows.iter().map(|row| (row.split_seed, root(row))).collect();
    let covered = match (splits.len(), roots.len()) {
        (0 | 1, _) => "the intervals cover the random initialization, not the choice of data",
        (n_splits, n_roots) if n_splits == n_roots => {
            "every split has networks of its own, so intervals over splits cover the initialization and the choice of rows, but for the rows that \
             splits of one data set share; none covers the choice of data sets"
        }
        _ => {
            "splits of one data set share rows, so intervals over them are somewhat too sure, and none covers the choice of data sets"
        }
    };
    format!(
        "## Limits of the evidence\n\nFrom {}, {}, {} training points, widths up to {widest}; {covered}. Nothing here reproduces the numbers of the \
         paper whose question it asks: its settings are not public.\n",
        counted(manifest.data.len(), "data set"),
        counted(splits.len().max(1), "split"),
        distinct(rows, |row| Some(row.n_train)).unwrap_or_else(|| "no".to_owned())
    )
}

/// The root of the random streams, where it varies.
fn root(row: &Row) -> Option<&str> {
    row.varied.split(' ').find_map(|part| part.strip_prefix("seeds.root="))
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("one {what}") } else { format!("{n} {what}s") }
}

/// The values that occur, smallest first.
fn distinct(rows: &[&Row], value: impl Fn(&Row) -> Option<usize>) -> Option<String> {
    let values: BTreeSet<usize> = rows.iter().filter_map(|row| value(row)).collect();
    let words: Vec<String> = values.iter().map(usize::to_string).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The words that occur, in the order of the rows.
fn words(rows: &[&Row], value: impl Fn(&Row) -> String) -> String {
    let mut words: Vec<String> = Vec::new();
    for row in rows {
        let word = value(row);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

pub(super) fn provenance(manifest: &Manifest) -> String {
    computations(manifest.root_seed, &manifest.computed_by, &manifest.config)
}

/// By which program a run was computed, on which computers, from which config.
pub(super) fn computations(root_seed: u64, computed_by: &[Computation], config: &str) -> String {
    let mut text = format!("## Provenance\n\nRoot seed {root_seed}. Computed by\n\n");
    for computation in computed_by {
        let _ = writeln!(
            text,
            "- {} (commit {}), {}; {} thread(s) on {} ({}, {} logical processors)",
            computation.program,
            computation.commit,
            computation.libraries.join(", "),
            computation.n_threads,
            plain(&computation.machine.processor),
            computation.machine.platform,
            computation.machine.n_cpus
        );
    }
    let _ = write!(text, "\n<details><summary>The resolved config</summary>\n\n```toml\n{config}```\n\n</details>\n");
    text
}

/// The one value all rows have, or the smallest and the largest.
fn range(rows: &[&Row], value: impl Fn(&Row) -> f64) -> String {
    let (least, most) = rows
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), row| (least.min(value(row)), most.max(value(row))));
    let (least, most) = (short(least), short(most));
    if least == most { least } else { format!("{least} to {most}") }
}

fn largest(rows: &[&Row], value: impl Fn(&Row) -> f64) -> f64 {
    rows.iter().map(|row| value(row)).fold(0.0, f64::max)
}
