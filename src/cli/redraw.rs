//! `ntk figure RUN` and `ntk report RUN`: everything a run shows, again from its records alone.

use std::path::{Path, PathBuf};

use clap::Args;
use ntk::error::{Error, Result};
use ntk::figure::{self, Figure, Undrawn};
use ntk::record::{Group, Kept, KernelPoint, KernelRow, Point, Row, RunKind, Store, groups};
use ntk::report::{self, Report};
use ntk::study::findings::Findings;
use ntk::study::{self, Evidence};

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
    /// Write nothing: compare every number of the report that is there with what the rows beside it give
    #[arg(long)]
    check: bool,
}

pub(super) fn figures(arguments: &FigureArguments, output: &Output) -> Result<()> {
    let folder = arguments.out.clone().unwrap_or_else(|| arguments.run.join("figures"));
    let figures = match RunKind::of(&arguments.run)? {
        RunKind::Equivalence => Shown::of(&Store::open(&arguments.run)?)?.draw(&folder)?,
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
    if arguments.check {
        return check(&arguments.run, output);
    }
    let report = match RunKind::of(&arguments.run)? {
        RunKind::Equivalence => Shown::of(&Store::open(&arguments.run)?)?.report()?,
        RunKind::Regression => {
            let store = Store::<KernelPoint>::open(&arguments.run)?;
            let points = store.points()?;
            let figures = figure::draw_regression(store.manifest(), &points, &arguments.run.join("figures"))?;
            report::write_regression(&store, &points, &figures)?
        }
    };
    output.paths(&[&report.markdown, &report.html])
}

/// A run of networks, read whole and analysed once.
pub(super) struct Shown<'a> {
    store: &'a Store,
    points: Vec<Point>,
    groups: Vec<Group>,
    /// None of the equivalence at each depth, which is a verdict.
    pub(super) findings: Option<Findings>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(store: &'a Store) -> Result<Self> {
        let points = store.points()?;
        let groups = groups(&points);
        store.write_groups(&groups)?;
        let rows: Vec<&Row> = points.iter().map(|point| &point.row).collect();
        let findings = study::analyse(&Evidence { manifest: store.manifest(), rows: &rows, groups: &groups });
        Ok(Self { store, points, groups, findings })
    }

    fn rows(&self) -> Vec<&Row> {
        self.points.iter().map(|point| &point.row).collect()
    }

    /// The equivalence at each depth.
    pub(super) fn verdict(&self) -> study::Verdict {
        study::verdict(self.store.manifest(), &self.rows())
    }

    fn draw(&self, folder: &Path) -> Result<Vec<Figure>> {
        match &self.findings {
            Some(findings) => figure::draw_findings(findings, folder),
            None => figure::draw_all(self.store.manifest(), &self.points, folder),
        }
    }

    pub(super) fn report(&self) -> Result<Report> {
        let folder = self.store.folder();
        let figures = self.draw(&folder.join("figures"))?;
        let evidence = Evidence { manifest: self.store.manifest(), rows: &self.rows(), groups: &self.groups };
        report::write(folder, &evidence, self.findings.as_ref(), &figures)
    }
}

/// Compares the report in a folder, and the numbers of the figures that are made of rows, with what the rows there give.
fn check(folder: &Path, output: &Output) -> Result<()> {
    let path = folder.join("report.md");
    let kept = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let (n_rows, computed, figures) = match RunKind::of(folder)? {
        RunKind::Equivalence => {
            let Kept { manifest, rows, groups } = Kept::<Point>::read(folder)?;
            let rows: Vec<&Row> = rows.iter().collect();
            let evidence = Evidence { manifest: &manifest, rows: &rows, groups: &groups };
            let findings = study::analyse(&evidence);
            let undrawn = findings.as_ref().map(figure::undrawn).transpose()?.unwrap_or_default();
            let figures: Vec<Figure> = undrawn.iter().map(|one| one.figure.clone()).collect();
            (rows.len(), report::text(&evidence, findings.as_ref(), &figures), undrawn)
        }
        RunKind::Regression => {
            let Kept { manifest, rows, .. } = Kept::<KernelPoint>::read(folder)?;
            let rows: Vec<&KernelRow> = rows.iter().collect();
            let undrawn = figure::undrawn_regression(&manifest, &rows)?;
            (rows.len(), report::regression_text(&manifest, &rows), undrawn)
        }
    };
    let differences = report::differences(&kept, &computed);
    if output.json {
        output.document(&serde_json::json!({ "n_rows": n_rows, "differences": differences }))?;
    }
    if let Some(first) = differences.first() {
        return Err(not_of_rows(
            &path,
            format!(
                "{} lines are not what the {n_rows} rows give; the first is\n  {}\nand the rows give\n  {}",
                differences.len(),
                first.kept,
                first.computed
            ),
        ));
    }
    for Undrawn { figure, numbers } in &figures {
        // Beside the report where results are kept, in a folder of their own in a run.
        let beside = folder.join(&figure.numbers);
        let path = if beside.exists() { beside } else { folder.join("figures").join(&figure.numbers) };
        let kept = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        if !report::same_numbers(&kept, &String::from_utf8_lossy(numbers)) {
            return Err(not_of_rows(&path, format!("these numbers are not what the {n_rows} rows give")));
        }
    }
    output.words(&format!("{}: every number is that of the {n_rows} rows", path.display()));
    Ok(())
}

fn not_of_rows(path: &Path, problem: String) -> Error {
    Error::Store {
        path: path.to_path_buf(),
        problem,
        remedy: "write it again with `ntk report`, or find out what was changed".to_owned(),
    }
}
