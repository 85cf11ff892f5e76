//! `ntk regress CONFIG`: kernels beside each other on the same data, without a network.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ntk::error::Result;
use ntk::number::short;
use ntk::record::KernelRow;
use ntk::study::regression::{RegressPlan, RegressProgress, regress};
use ntk::{figure, report};
use serde::Serialize;

use super::interrupt::Interrupt;
use super::output::Output;
use super::source::Source;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Where results go; a run that is there already is resumed [default: runs/STUDY-NAME-kernels]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print the points, and stop
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments, threads: Option<usize>, output: &Output) -> Result<()> {
    let plan = arguments.source.regression(threads)?;
    output.notes(&plan.notes(), "in manifest.json");
    if arguments.dry_run {
        return dry_run(&plan, output);
    }
    let default = || Path::new("runs").join(format!("{}-kernels", plan.config.study.name));
    let folder = arguments.out.clone().unwrap_or_else(default);
    let bar = Bar::new(Interrupt::listen(), output.quiet);
    let outcome = regress(&plan, &folder, &bar);
    bar.bar.finish_and_clear();
    let store = outcome?;
    let points = store.points()?;
    let figures = figure::draw_regression(store.manifest(), &points, &folder.join("figures"))?;
    let report = report::write_regression(&store, &points, &figures)?;
    let rows: Vec<&KernelRow> = points.iter().map(|point| &point.row).collect();
    if output.json {
        return output.document(&Summary { folder: &folder, report: &report.html, rows });
    }
    for sentence in report::regression_sentences(store.manifest(), &rows) {
        output.words(&sentence.replace("**", ""));
    }
    table(&rows, output)?;
    output.words(&format!("the report, to be opened in a browser: {}", report.html.display()));
    Ok(())
}

#[derive(Serialize)]
struct Summary<'a> {
    folder: &'a Path,
    report: &'a Path,
    rows: Vec<&'a KernelRow>,
}

fn dry_run(plan: &RegressPlan, output: &Output) -> Result<()> {
    if output.json {
        let cells = plan.cells.iter().map(|cell| {
            serde_json::json!({
                "dataset": cell.dataset.name, "varied": cell.label, "n_train": cell.split.x_train.n_rows(),
                "n_test": cell.split.x_test.n_rows(), "n_kernels": cell.kernels.len(),
            })
        });
        return output.document(&cells.collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = plan
        .cells
        .iter()
        .map(|cell| {
            vec![
                cell.dataset.name.clone(),
                cell.split.x_train.n_rows().to_string(),
                cell.split.x_test.n_rows().to_string(),
                cell.kernels.len().to_string(),
                cell.label.clone(),
            ]
        })
        .collect();
    output.table(&["data", "training rows", "test rows", "kernels", "varied"], &rows)?;
    output.words(&format!("{} regressions on {} thread(s)", plan.n_points(), plan.n_threads));
    Ok(())
}

/// One line per point; more than a screen of them are in the file alone.
fn table(rows: &[&KernelRow], output: &Output) -> Result<()> {
    const MOST: usize = 60;
    if rows.len() > MOST {
        output.words(&format!("{} lines are in rows.csv", rows.len()));
        return Ok(());
    }
    let number = |value: Option<f64>| value.map_or("-".to_owned(), short);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.dataset.clone(),
                row.n_train.to_string(),
                row.depth.map_or(row.kernel.clone(), |depth| format!("{} depth {depth}", row.kernel)),
                format!("{}{}", short(row.relative_ridge), if row.edge.is_some() { " (edge)" } else { "" }),
                number(Some(row.mse_test)),
                number(row.accuracy),
                number(row.negative_log_density),
                number(row.coverage_95),
                row.varied.clone(),
            ]
        })
        .collect();
    let head =
        ["data", "training rows", "kernel", "ridge", "test error", "accuracy", "-log density", "in 95 %", "varied"];
    output.table(&head, &cells)
}

struct Bar {
    bar: ProgressBar,
    interrupt: Interrupt,
}

const TEMPLATE: &str = "{pos} of {len} regressions, {elapsed} elapsed  {msg}";

impl Bar {
    fn new(interrupt: Interrupt, quiet: bool) -> Self {
        let bar = ProgressBar::new(0);
        if quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        // A template of this program's own, checked by the test below.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self { bar, interrupt }
    }
}

impl RegressProgress for Bar {
    fn begin(&self, n_points: usize, n_finished: usize) {
        self.bar.set_length(n_points as u64);
        self.bar.set_position(n_finished as u64);
        if n_finished > 0 {
            log::info!("resuming: {n_finished} of {n_points} points are there already");
        }
    }

    fn doing(&self, kernel: &str, words: &str) {
        self.bar.set_message(format!("{kernel}: {words}"));
    }

    fn finished(&self, row: &KernelRow) {
        self.bar.inc(1);
        if let Some(ending) = row.ending.as_ref().filter(|ending| *ending != "converged") {
            self.bar.suspend(|| {
                let remedy = match ending.as_str() {
                    "exhausted" => "`regress.solver.conjugate-gradients.max_iterations` allows no more",
                    _ => "a larger `rank` of the solver, or larger `regress.ridges`, help",
                };
                log::warn!(
                    "{}: the iteration {ending} at a relative residual of {:.1e} after {} products; {remedy}",
                    row.kernel,
                    row.residual.unwrap_or(f64::NAN),
                    row.n_iterations.unwrap_or(0)
                );
            });
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.is_asked()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_is_valid() {
        assert!(indicatif::ProgressStyle::with_template(super::TEMPLATE).is_ok());
    }
}
