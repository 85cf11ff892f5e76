//! `ntk run CONFIG`: the program's main job, from a config file to a verdict.

use std::path::{Path, PathBuf};

use clap::Args;
use ntk::error::Result;
use ntk::report;
use ntk::study::findings::Findings;
use ntk::study::{self, Study};
use serde::Serialize;

use super::interrupt::Interrupt;
use super::output::Output;
use super::progress::Bar;
use super::redraw::Shown;
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
    let study = arguments.source.study(threads)?;
    output.notes(&study.notes(), "in manifest.json");
    if arguments.dry_run {
        return dry_run(&study, output);
    }
    let folder = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&study.config.study.name));
    let mut bar = Bar::new(&study, Interrupt::listen(), output.quiet);
    let outcome = study::run(&study, &folder, &mut bar);
    bar.clear();
    let store = outcome?;
    let shown = Shown::of(&store)?;
    let report = shown.report()?;
    let (findings, verdict) = (&shown.findings, shown.verdict());
    let sentences = findings.as_ref().map_or_else(|| report::sentences(&verdict), report::statements);
    for sentence in sentences {
        output.words(&sentence.replace("**", ""));
    }
    if output.json {
        let verdict = findings.is_none().then_some(verdict);
        return output.document(&Summary { folder: &folder, report: &report.html, verdict, findings });
    }
    output.words("the report, to be opened in a browser:");
    output.data(&report.html.display().to_string())
}

#[derive(Serialize)]
struct Summary<'a> {
    folder: &'a Path,
    report: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<study::Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: &'a Option<Findings>,
}

fn dry_run(study: &Study, output: &Output) -> Result<()> {
    let estimates = study::estimate(study)?;
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
        "{} points, about {seconds:.0} s on {} thread(s), estimated from trial steps on these networks",
        study.n_points(),
        study.plans.first().map_or(1, |plan| plan.n_threads)
    ));
    Ok(())
}
