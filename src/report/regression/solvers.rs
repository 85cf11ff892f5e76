//! Regressions that were not solved exactly: how far iterations came, and what approximations leave out.

use super::predictor;
use crate::record::KernelRow;
use crate::study::findings::{Cell, Table};

/// Of regressions that were solved by iteration.
pub(super) fn iterations(rows: &[&KernelRow]) -> Option<Table> {
    let line = |row: &&KernelRow| -> Option<Vec<Cell>> {
        let (residual, ending) = (row.residual?, row.ending.as_deref()?);
        let mut line = start(row);
        line.extend([
            format!("{} rows", row.n_selection).into(),
            row.n_iterations.unwrap_or(0).into(),
            if row.is_rounded == Some(true) { "kept, in f32" } else { "made anew" }.into(),
            row.rank.unwrap_or(0).into(),
            row.trace_left.map_or(Cell::from("-"), Cell::from),
            residual.into(),
            ending.into(),
        ]);
        Some(line)
    };
    some(
        "Iterations",
        "The preconditioner is made of so many columns of the kernel, which leave out that share of its trace. The relative residual is that of \
         the exact kernel in f64, computed anew at the end.",
        &["chosen by", "products", "parts of the kernel", "columns", "trace left out", "residual", "ended"],
        rows.iter().filter_map(line).collect(),
    )
}

/// Of regressions with an approximate kernel.
pub(super) fn approximations(rows: &[&KernelRow]) -> Option<Table> {
    let line = |row: &&KernelRow| -> Option<Vec<Cell>> {
        let is_approximate = row.gram_error.is_some() || (row.trace_left.is_some() && row.residual.is_none());
        let number = |value: Option<f64>| value.map_or(Cell::from("-"), Cell::from);
        let mut line = start(row);
        line.extend([row.solver.as_str().into(), row.rank.unwrap_or(0).into()]);
        line.extend([number(row.trace_left), number(row.gram_error)]);
        is_approximate.then_some(line)
    };
    some(
        "Approximations",
        "What the features leave out: Nystrom's columns a share of the kernel's trace, random features a part of the kernel matrix, its relative \
         error in the Frobenius norm on some of the training inputs.",
        &["method", "features", "trace left out", "error of the matrix"],
        rows.iter().filter_map(line).collect(),
    )
}

/// What every line begins with.
fn start(row: &KernelRow) -> Vec<Cell> {
    vec![row.dataset.as_str().into(), predictor::of_row(row).into(), row.n_train.into()]
}

fn some(title: &str, note: &str, header: &[&str], rows: Vec<Vec<Cell>>) -> Option<Table> {
    let header = ["data", "predictor", "training rows"].iter().chain(header).map(|&head| head.to_owned()).collect();
    (!rows.is_empty()).then(|| Table { title: title.to_owned(), note: note.to_owned(), header, rows })
}
