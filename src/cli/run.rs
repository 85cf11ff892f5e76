//! `ntk run CONFIG`: the program's main job, from a config file to a verdict.

use std::path::{Path, PathBuf};

use clap::Args;
use ntk::error::Result;
use ntk::record::Row;
use ntk::study::{self, Plan};
use ntk::{figure, report};
use serde::Serialize;

use super::interrupt::Interrupt;
use super::output::Output;
use super::progress::Bar;
use super::source::Source;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Where results go; a run that is there already is resumed [default: runs/STUDY-NAME]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print the points, what they will cost and the memory they need, and stop
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments, threads: Option<usize>, output: &Output) -> Result<()> {
    let plan = arguments.source.plan(threads)?;
    for note in &plan.split.notes {
        output.words(&format!("note: {note}"));
    }
    if arguments.dry_run {
        return dry_run(&plan, output);
    }
    let folder = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&plan.config.study.name));
    let mut bar = Bar::new(&plan, Interrupt::listen(), output.quiet);
    let outcome = study::run(&plan, &folder, &mut bar);
    bar.clear();
    let store = outcome?;
    let points = store.points()?;
    let figures = figure::draw_all(store.manifest(), &points, &folder.join("figures"))?;
    let report = report::write(&store, &points, &figures)?;
    let rows: Vec<&Row> = points.iter().map(|point| &point.row).collect();
    let verdict = study::verdict(store.manifest(), &rows);
    for sentence in report::sentences(&verdict) {
        output.words(&sentence.replace("**", ""));
    }
    if output.json {
        return output.document(&Summary { folder: &folder, report: &report.html, verdict });
    }
    output.words("the report, to be opened in a browser:");
    output.data(&report.html.display().to_string())
}

#[derive(Serialize)]
struct Summary<'a> {
    folder: &'a Path,
    report: &'a Path,
    verdict: study::Verdict,
}

fn dry_run(plan: &Plan, output: &Output) -> Result<()> {
    let estimates = study::estimate(plan)?;
    if output.json {
        return output.document(&estimates);
    }
    let rows: Vec<Vec<String>> = estimates
        .iter()
        .map(|estimate| {
            vec![
                estimate.depth.to_string(),
                estimate.width.to_string(),
                estimate.n_points.to_string(),
                estimate.n_parameters.to_string(),
                format!("{:.1}", estimate.seconds),
                format!("{:.0}", estimate.memory as f64 / 1e6),
            ]
        })
        .collect();
    output.table(&["depth", "width", "points", "parameters", "seconds", "memory MB"], &rows)?;
    let seconds: f64 = estimates.iter().map(|estimate| estimate.seconds).sum();
    output.words(&format!(
        "{} points, about {seconds:.0} s on {} thread(s), estimated from a few steps of each network",
        plan.points.len(),
        plan.n_threads
    ));
    Ok(())
}
