//! On which data kernels were compared, by what their hyperparameters were chosen, and how precise the numbers are.

use std::fmt::Write;

use super::super::criterion;
use super::super::plain::plain;
use crate::number::{percent, short};
use crate::record::{KernelManifest, KernelRow, shown_notes};

pub(super) fn protocol(manifest: &KernelManifest, rows: &[&KernelRow]) -> String {
    let mut text = "## Protocol\n\n".to_owned();
    for facts in &manifest.data {
        let _ = writeln!(
            text,
            "- **{}.** {} rows, {} inputs, {} output(s). {}",
            plain(&facts.name),
            facts.n_rows,
            facts.d_in,
            facts.d_out,
            plain(&shown_notes(&facts.notes, "in manifest.json").join(" "))
        );
    }
    if !rows.is_empty() {
        let is_network = |row: &&&KernelRow| row.kernel == "network";
        let mut criteria: Vec<&str> =
            rows.iter().filter(|row| !is_network(row)).map(|row| row.criterion.as_str()).collect();
        criteria.sort_unstable();
        criteria.dedup();
        let _ = writeln!(
            text,
            "- **Selection.** Ridges, each over the mean diagonal of the kernel matrix, and the length scales of stationary kernels, by {} on \
             the training rows alone; the same grid and criterion for every kernel.{} Test rows take no part in it.",
            criteria.join(" or "),
            if rows.iter().any(|row| is_network(&row)) {
                " Networks are pulled to their initialization by the ridge that their NTK chose."
            } else {
                ""
            }
        );
        text.push_str(
            "- **Splits.** Random splits of one data set share rows, so that their differences are not quite independent, and intervals and \
             p-values over them are somewhat too sure (Nadeau and Bengio 2003). They cover the choice of rows, not that of data sets.\n",
        );
    }
    let _ = writeln!(
        text,
        "- **{}.** Alike where the ratio of test errors lies between 1 / {within} and {within}, by two one-sided tests at level {}.{}",
        criterion::heading(&manifest.earlier_criteria),
        percent(1.0 - manifest.confidence),
        criterion::before(&manifest.earlier_criteria),
        within = short(1.0 + manifest.margin),
    );
    let digits = rows.iter().filter_map(|row| row.digits).fold(f64::INFINITY, f64::min);
    if digits.is_finite() {
        let dropped = rows.iter().filter_map(|row| row.n_dropped).max().unwrap_or(0);
        let _ = writeln!(
            text,
            "- **Precision.** f64. The worst condition number leaves {} trusted digits; at most {dropped} directions were dropped as \
             rounding. Nothing was added to any diagonal but the ridge.",
            short((10.0 * digits).round() / 10.0)
        );
    }
    text
}
