//! `ntk figure RUN` and `ntk report RUN`: everything a run shows, again from its records alone.

use std::path::PathBuf;

use clap::Args;
use ntk::error::Result;
use ntk::record::{KernelPoint, Point, RunKind, Store};
use ntk::{figure, report};

use super::output::Output;

#[derive(Debug, Args)]
pub(super) struct FigureArguments {
    /// The run folder
    run: PathBuf,
    /// Where the figures go [default: RUN/figures]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// The run folder
    run: PathBuf,
}

pub(super) fn figures(arguments: &FigureArguments, output: &Output) -> Result<()> {
    let folder = arguments.out.clone().unwrap_or_else(|| arguments.run.join("figures"));
    let figures = match RunKind::of(&arguments.run)? {
        RunKind::Equivalence => {
            let store = Store::<Point>::open(&arguments.run)?;
            figure::draw_all(store.manifest(), &store.points()?, &folder)?
        }
        RunKind::Regression => {
            let store = Store::<KernelPoint>::open(&arguments.run)?;
            figure::draw_regression(store.manifest(), &store.points()?, &folder)?
        }
    };
    for figure in &figures {
        output.words(&format!("{}: {}", figure.title, figure.caption));
    }
    let paths: Vec<_> = figures.iter().map(|figure| figure.svg.as_path()).collect();
    output.paths(&paths)
}

pub(super) fn report(arguments: &ReportArguments, output: &Output) -> Result<()> {
    let folder = arguments.run.join("figures");
    let report = match RunKind::of(&arguments.run)? {
        RunKind::Equivalence => {
            let store = Store::<Point>::open(&arguments.run)?;
            let points = store.points()?;
            report::write(&store, &points, &figure::draw_all(store.manifest(), &points, &folder)?)?
        }
        RunKind::Regression => {
            let store = Store::<KernelPoint>::open(&arguments.run)?;
            let points = store.points()?;
            report::write_regression(&store, &points, &figure::draw_regression(store.manifest(), &points, &folder)?)?
        }
    };
    output.paths(&[&report.markdown, &report.html])
}
