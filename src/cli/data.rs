//! `ntk data list|show`: the data sets that come with the program.

use std::path::Path;

use clap::Subcommand;
use ntk::data::vendored::{self, VendoredSet};
use ntk::data::{CsvSource, Dataset, Task};
use ntk::error::{Error, Result};
use serde::Serialize;

use super::output::Output;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// All sets, a line each
    List,
    /// One set, or a table of text: what was understood, columns, statistics, source
    Show {
        /// Its name in the list, or a file
        name: String,
        /// How the file is read: a key of `data.source.csv`, as in `--set target=y`; may be repeated
        #[arg(long = "set", value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
}

pub(super) fn run(command: &Command, output: &Output) -> Result<()> {
    match command {
        Command::List => list(output),
        Command::Show { name, settings } => show(&load(name, settings)?, output),
    }
}

fn load(name: &str, settings: &[String]) -> Result<Dataset> {
    if settings.is_empty() && !name.contains(['.', '/']) && !Path::new(name).is_file() {
        return vendored::load(name);
    }
    let refused =
        |problem: String| Error::input("--set", problem, "write keys of `data.source.csv`, as in `--set target=y`");
    let mut table = toml::Table::new();
    table.insert("path".into(), toml::Value::String(name.into()));
    for setting in settings {
        let (key, text) = setting.split_once('=').ok_or_else(|| refused(format!("`{setting}` has no `=`")))?;
        let parsed = toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
        let value = parsed.and_then(|mut parsed| parsed.remove("value"));
        table.insert(key.trim().into(), value.unwrap_or_else(|| toml::Value::String(text.into())));
    }
    let source: CsvSource = toml::Value::Table(table)
        .try_into()
        .map_err(|reason: toml::de::Error| refused(reason.message().trim().to_owned()))?;
    source.load(Path::new(""))
}

fn list(output: &Output) -> Result<()> {
    if output.json {
        return output.document(&vendored::list().iter().map(Entry::from).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = vendored::list()
        .iter()
        .map(|set| {
            let task = task(set.task).to_owned();
            vec![set.name.to_owned(), task, set.n_rows.to_string(), set.d_in.to_string(), set.target.to_owned()]
        })
        .collect();
    output.table(&["name", "task", "rows", "inputs", "target"], &rows)
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    task: Task,
    n_rows: usize,
    d_in: usize,
    target: &'static str,
    licence: &'static str,
    citation: &'static str,
    doi: Option<&'static str>,
}

impl From<&VendoredSet> for Entry {
    fn from(set: &VendoredSet) -> Self {
        let &VendoredSet { name, target, n_rows, d_in, task, licence, citation, doi, .. } = set;
        Self { name, task, n_rows, d_in, target, licence, citation, doi }
    }
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    role: &'static str,
    mean: f64,
    sd: f64,
    least: f64,
    greatest: f64,
}

fn show(dataset: &Dataset, output: &Output) -> Result<()> {
    let inputs = dataset.input_names.iter().enumerate().map(|(j, name)| (name, "input", dataset.inputs.column(j)));
    let targets = dataset.target_names.iter().enumerate().map(|(j, name)| (name, "target", dataset.targets.column(j)));
    let columns: Vec<Column<'_>> = inputs
        .chain(targets)
        .map(|(name, role, values)| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            Column { name, role, mean, sd, least, greatest }
        })
        .collect();
    if output.json {
        return output.document(&columns);
    }
    output.words(&format!("{}: {} rows, {}; {}", dataset.name, dataset.n_rows(), task(dataset.task), dataset.citation));
    for note in &dataset.notes {
        output.words(&format!("note: {note}"));
    }
    let rows: Vec<Vec<String>> = columns
        .iter()
        .map(|column| {
            let number = |value: f64| format!("{value:.4}");
            let statistics = [column.mean, column.sd, column.least, column.greatest].map(number);
            [vec![column.name.to_owned(), column.role.to_owned()], statistics.to_vec()].concat()
        })
        .collect();
    output.table(&["column", "role", "mean", "sd", "min", "max"], &rows)
}

fn task(task: Task) -> &'static str {
    match task {
        Task::Regression => "regression",
        Task::Classification => "classification",
    }
}
