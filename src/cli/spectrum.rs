//! `ntk spectrum CONFIG`: the eigenvalues of a kernel on the training rows, and what they say before anything is trained.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use ntk::error::{Error, Result};
use ntk::figure;
use ntk::record::file;
use ntk::report;
use ntk::study::spectrum::{KernelSpectrum, SpectrumOf, SpectrumRequest, spectrum};
use serde::Serialize;

use super::interrupt::Interrupt;
use super::output::Output;
use super::source::Source;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Whose spectrum
    #[arg(long, value_enum, default_value = "ntk")]
    of: Of,
    /// So many of the largest eigenvalues, from products with the kernel alone, for any number of rows [default: all, by taking the matrix
    /// apart]
    #[arg(long, value_name = "K")]
    leading: Option<usize>,
    /// Write modes.csv, early_stopping.csv, ... and two figures there instead of tables on stdout
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The infinite-width tangent kernel
    Ntk,
    /// The infinite-width covariance of the untrained network
    Nngp,
    /// The tangent kernel of the config's network of seed 0, before training; all outputs with all outputs
    Empirical,
    /// exp(-r / l), l the median distance unless `regress.length_scales` is one number
    Laplace,
    /// Matern-5/2, likewise
    Matern,
    /// exp(-r^2 / 2 l^2), likewise
    Rbf,
    /// <x, x'> / d + 1
    Linear,
}

impl From<Of> for SpectrumOf {
    fn from(of: Of) -> Self {
        match of {
            Of::Ntk => Self::Ntk,
            Of::Nngp => Self::Nngp,
            Of::Empirical => Self::Empirical,
            Of::Laplace => Self::Laplace,
            Of::Matern => Self::Matern,
            Of::Rbf => Self::Rbf,
            Of::Linear => Self::Linear,
        }
    }
}

pub(super) fn run(arguments: &Arguments, threads: Option<usize>, output: &Output) -> Result<()> {
    let (config, base) = arguments.source.regression_at(threads)?;
    let interrupt = Interrupt::listen();
    let request = SpectrumRequest { of: arguments.of.into(), leading: arguments.leading };
    let spinner = if output.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    let watch = |done: f64| {
        spinner.set_message(format!("product with the kernel, {:.0} %", 100.0 * done));
        spinner.tick();
        interrupt.check()
    };
    let found = spectrum(&config, base, request, &watch);
    spinner.finish_and_clear();
    let found = found?;
    output.notes(&found.notes, "in the answer of `--json`");
    if !found.is_converged {
        output.words(
            "note: not every eigenvalue is within 1e-8 of the largest; the residuals say how far each may be off",
        );
    }
    match &arguments.out {
        Some(folder) => write(&found, folder, output),
        None if output.json => output.document(&found),
        None => print(&found, output),
    }
}

fn print(found: &KernelSpectrum, output: &Output) -> Result<()> {
    for (number, table) in found.findings().tables.iter().enumerate() {
        if number > 0 {
            output.data("")?;
        }
        output.data(&table.title)?;
        output.data(&table.note)?;
        let header: Vec<&str> = table.header.iter().map(String::as_str).collect();
        output.table(&header, &report::cells(table))?;
    }
    Ok(())
}

/// All modes, and the other tables, as CSV; everything as JSON; the figures.
fn write(found: &KernelSpectrum, folder: &Path, output: &Output) -> Result<()> {
    let mut paths = Vec::new();
    let mut put = |name: &str, text: Vec<u8>| -> Result<()> {
        let path = folder.join(name);
        file::replace(&path, &text)?;
        paths.push(path);
        Ok(())
    };
    put("spectrum.json", (Output::json_text(found)? + "\n").into_bytes())?;
    put("modes.csv", csv_of(&found.modes)?)?;
    put("steps.csv", csv_of(&found.steps)?)?;
    if !found.early_stopping.is_empty() {
        put("early_stopping.csv", csv_of(&found.early_stopping)?)?;
    }
    if !found.learning_curve.is_empty() {
        put("learning_curve.csv", csv_of(&found.learning_curve)?)?;
    }
    for figure in figure::draw_findings(&found.findings(), folder)? {
        paths.extend([figure.svg, figure.png]);
    }
    output.paths(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

fn csv_of(rows: &[impl Serialize]) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let unwritable = |reason: csv::Error| Error::Check(format!("the spectrum cannot be written as CSV: {reason}"));
    rows.iter().try_for_each(|row| table.serialize(row)).map_err(unwritable)?;
    table.into_inner().map_err(|reason| unwritable(reason.into_error().into()))
}
