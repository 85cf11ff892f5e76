//! Errors and calibration of every predictor, over all settings.

use super::predictor;
use crate::number::{percent, short};
use crate::record::{KernelManifest, KernelRow};
use crate::study::findings::{Cell, Table};
use crate::study::regression::{Settings, mean_over_splits};

/// A column: its head, and what it has of a row.
type Column = (&'static str, fn(&KernelRow) -> Option<f64>);

const COLUMNS: [Column; 7] = [
    ("test error", |row| Some(row.mse_test)),
    ("predicted", |row| row.mse_predicted),
    ("accuracy", |row| row.accuracy),
    ("training error", |row| Some(row.mse_train)),
    ("-log density", |row| row.negative_log_density),
    ("CRPS", |row| row.crps),
    ("within 95 %", |row| row.coverage_95),
];

/// The table, without columns that are empty; `None` without rows.
pub(super) fn table(manifest: &KernelManifest, rows: &[&KernelRow], settings: &Settings<'_>) -> Option<Table> {
    if rows.is_empty() {
        return None;
    }
    let columns: Vec<Column> =
        COLUMNS.into_iter().filter(|(_, value)| rows.iter().any(|row| value(row).is_some())).collect();
    let has = |head: &str| columns.iter().any(|(other, _)| *other == head);
    let n_splits = mean_over_splits(rows.iter().map(|row| (row.split_seed, row.mse_test)), manifest.confidence)?.n;
    let note = [
        format!(
            "Mean squared errors in units of the training targets' variance{}{}.",
            match settings.all.len() {
                1 => String::new(),
                n => format!(", means over {n} settings"),
            },
            match n_splits {
                1 => ", of one split".to_owned(),
                n => format!(
                    ", with {} intervals over {n} splits (Student's); they cover the choice of rows, not that of settings or data sets",
                    percent(manifest.confidence)
                ),
            }
        ),
        if has("predicted") {
            "Predicted: by the kernel's spectrum and the targets' components in it, on average over training sets."
                .to_owned()
        } else {
            String::new()
        },
        if has("accuracy") { "Accuracy: of sets of classes alone.".to_owned() } else { String::new() },
        if has("CRPS") {
            "The Gaussian process has the amplitude that makes the training targets most likely.".to_owned()
        } else {
            String::new()
        },
    ];
    let mut header: Vec<String> = ["predictor", "fits", "ridge / mean diagonal"].map(str::to_owned).to_vec();
    header.extend(columns.iter().map(|(head, _)| (*head).to_owned()));
    let row = |name: String| {
        let of_predictor: Vec<&&KernelRow> = rows.iter().filter(|row| predictor::of_row(row) == name).collect();
        let mut row: Vec<Cell> = vec![name.into(), of_predictor.len().into(), ridges(&of_predictor).into()];
        row.extend(columns.iter().map(|(_, value)| {
            let values = of_predictor.iter().filter_map(|row| Some((row.split_seed, value(row)?)));
            Cell::from(mean_over_splits(values, manifest.confidence))
        }));
        row
    };
    Some(Table {
        title: "Errors and calibration".to_owned(),
        note: note.into_iter().filter(|sentence| !sentence.is_empty()).collect::<Vec<_>>().join(" "),
        header,
        rows: predictor::all(rows).into_iter().map(row).collect(),
    })
}

/// From the least chosen one to the greatest, marked where one lies at an end of its grid.
fn ridges(rows: &[&&KernelRow]) -> String {
    let ridges = rows.iter().map(|row| row.relative_ridge);
    let (least, most) = ridges.fold((f64::INFINITY, 0.0_f64), |(least, most), r| (least.min(r), most.max(r)));
    let edge = if rows.iter().any(|row| row.edge.is_some()) { " \u{2021}" } else { "" };
    let range = if least == most { short(least) } else { format!("{} to {}", short(least), short(most)) };
    format!("{range}{edge}")
}
