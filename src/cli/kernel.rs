//! `ntk kernel`: the kernels of an architecture on inputs of the user's own.
//!
//! Kernels are written as they are computed, a block of rows at a time, so that they may be larger than memory.

mod analytic;
mod empirical;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ntk::data::NewInputs;
use ntk::error::{Error, Result};
use ntk::kernel::empirical::{Method, Outputs};
use ntk::linalg::Matrix;
use ntk::record::npy::{self, Precision};

use self::empirical::Empirical;
use super::inputs::inputs;
use super::interrupt::Interrupt;
use super::output::Output;
use super::source::Source;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Inputs, one row each: .npy, or .csv
    #[arg(long, value_name = "FILE")]
    x1: PathBuf,
    /// Other inputs, for the kernel between x1 and x2 [default: x1 with itself]
    #[arg(long, value_name = "FILE")]
    x2: Option<PathBuf>,
    /// Which kernels
    #[arg(long, value_delimiter = ',', default_value = "nngp,ntk")]
    get: Vec<Which>,
    /// Number type of the files; analytic kernels are computed in f64, empirical ones in `compute.dtype` [default: f64]
    #[arg(long, value_name = "f32|f64", value_parser = precision)]
    store: Option<Precision>,
    /// What becomes of several outputs of an empirical kernel: all pairs, or the mean over outputs
    #[arg(long, value_name = "full|trace", default_value = "full", value_parser = outputs)]
    outputs: Outputs,
    /// How an empirical kernel is computed
    #[arg(long, value_name = "auto|structured|jacobian", default_value = "auto", value_parser = method)]
    method: Method,
    /// Memory for an empirical kernel, as 4GB or 500MB [default: what is free]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    memory_limit: Option<f64>,
    /// The network of the empirical kernels, which a run with `output.networks` saved; its inputs are as it was trained on, scaled, and
    /// several outputs need `--set arch.d_out` [default: a random one]
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// Where to write nngp.npy, ntk.npy, ...
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Infinite-width covariance of the untrained network
    Nngp,
    /// Infinite-width tangent kernel
    Ntk,
    /// The NNGP of each input of x1 with itself
    NngpDiagonal,
    /// The tangent kernel of each input of x1 with itself
    NtkDiagonal,
    /// Tangent kernel of one random network of the config's width, or of the one in `--network`
    Empirical,
    /// Its blocks of each output with itself: [outputs, rows, columns]
    EmpiricalOutputs,
    /// Its share from each affine map: [maps, rows, columns]
    EmpiricalLayers,
    /// Covariance of that network's outputs over its readout alone
    EmpiricalNngp,
}

impl Which {
    fn file(self) -> &'static str {
        match self {
            Self::Nngp => "nngp.npy",
            Self::Ntk => "ntk.npy",
            Self::NngpDiagonal => "nngp_diagonal.npy",
            Self::NtkDiagonal => "ntk_diagonal.npy",
            Self::Empirical => "empirical.npy",
            Self::EmpiricalOutputs => "empirical_outputs.npy",
            Self::EmpiricalLayers => "empirical_layers.npy",
            Self::EmpiricalNngp => "empirical_nngp.npy",
        }
    }

    fn is_empirical(self) -> bool {
        matches!(self, Self::Empirical | Self::EmpiricalOutputs | Self::EmpiricalLayers | Self::EmpiricalNngp)
    }
}

pub(super) fn run(arguments: &Arguments, threads: Option<usize>, output: &Output) -> Result<()> {
    if arguments.network.is_some() && !arguments.get.iter().any(|which| which.is_empirical()) {
        return Err(Error::input(
            "--network",
            "the kernels that are asked for are of infinite width, and of no network in a file",
            "add `--get empirical`",
        ));
    }
    let config = arguments.source.kernel(threads)?;
    let read = |path: &Path| {
        let NewInputs { values, notes } = inputs(path, None)?;
        notes.iter().for_each(|note| output.words(&format!("note: {}: {note}", path.display())));
        Ok::<_, Error>(values)
    };
    let x1 = read(&arguments.x1)?;
    let x2 = arguments.x2.as_deref().map(read).transpose()?;
    if let Some(x2) = &x2
        && x1.n_cols() != x2.n_cols()
    {
        return Err(Error::input(
            format!("{} and {}", arguments.x1.display(), arguments.x2.as_deref().unwrap_or(Path::new("")).display()),
            format!("the inputs have {} and {} columns", x1.n_cols(), x2.n_cols()),
            "give both files the same columns",
        ));
    }
    let architecture = config.arch.architecture(x1.n_cols(), config.arch.d_out.unwrap_or(1))?;
    let request = Request { arguments, x1: &x1, x2: x2.as_ref(), output, interrupt: Interrupt::listen() };
    // Before anything is written: a network that cannot be built leaves no part of an answer behind.
    let empirical = arguments.get.iter().any(|which| which.is_empirical());
    let empirical = empirical.then(|| Empirical::open(&config, &architecture, &request)).transpose()?;
    if arguments.get.iter().any(|which| !which.is_empirical()) {
        analytic::write(architecture, &request)?;
    }
    if let Some(empirical) = &empirical {
        empirical.write(&request)?;
    }
    let paths: Vec<PathBuf> = arguments.get.iter().map(|which| request.path(*which)).collect();
    output.paths(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

/// What was asked for.
struct Request<'a> {
    arguments: &'a Arguments,
    x1: &'a Matrix,
    x2: Option<&'a Matrix>,
    output: &'a Output,
    interrupt: Interrupt,
}

impl Request<'_> {
    fn wants(&self, which: Which) -> bool {
        self.arguments.get.contains(&which)
    }

    fn path(&self, which: Which) -> PathBuf {
        self.arguments.out.join(which.file())
    }

    /// The file of a kernel that was asked for, begun.
    fn begin(&self, which: Which, shape: &[usize]) -> Result<Option<npy::Writer>> {
        let precision = self.arguments.store.unwrap_or_default();
        self.wants(which).then(|| npy::Writer::create(&self.path(which), shape, precision)).transpose()
    }

    /// A bar of so many rows, hidden where it would be gone at once.
    fn bar(&self, n_rows: usize, seconds: f64) -> ProgressBar {
        let bar = ProgressBar::new(n_rows as u64);
        // A template of this program's own, checked by the test below.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        if self.output.quiet || seconds < LONG {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar
    }

    /// Says how long so many entries will take, where it is worth saying.
    fn announce(&self, (n_rows, n_columns): (usize, usize), estimate: std::time::Duration) {
        if estimate.as_secs_f64() >= LONG {
            self.output.words(&format!("{n_rows} x {n_columns} entries will take about {}", HumanDuration(estimate)));
        }
    }
}

/// Seconds from which on it is worth saying how long it will take.
const LONG: f64 = 2.0;

const TEMPLATE: &str = "{percent:>3} % [{bar:30}] {elapsed} elapsed, {eta} left  row {pos} of {len}";

fn precision(name: &str) -> std::result::Result<Precision, String> {
    match name {
        "f32" => Ok(Precision::F32),
        "f64" => Ok(Precision::F64),
        _ => Err("it is f32 or f64".to_owned()),
    }
}

fn outputs(name: &str) -> std::result::Result<Outputs, String> {
    match name {
        "full" => Ok(Outputs::Full),
        "trace" => Ok(Outputs::Trace),
        _ => Err("it is full or trace".to_owned()),
    }
}

fn method(name: &str) -> std::result::Result<Method, String> {
    match name {
        "auto" => Ok(Method::Auto),
        "structured" => Ok(Method::Structured),
        "jacobian" => Ok(Method::Jacobian),
        _ => Err("it is auto, structured or jacobian".to_owned()),
    }
}

/// A number of bytes with a unit.
fn bytes(text: &str) -> std::result::Result<f64, String> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        _ => return Err(format!("`{unit}` is no unit of memory: write 4GB or 500MB")),
    };
    match number.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number * factor),
        _ => Err("it is a positive number with a unit, as 4GB or 500MB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_is_valid() {
        assert!(indicatif::ProgressStyle::with_template(super::TEMPLATE).is_ok());
    }

    #[test]
    fn memory_is_read_with_its_unit() {
        assert_eq!(super::bytes("4GB"), Ok(4e9));
        assert_eq!(super::bytes("1.5 mb"), Ok(1.5e6));
        assert_eq!(super::bytes("200"), Ok(200.0));
        for wrong in ["", "GB", "-1GB", "4 elephants", "infGB"] {
            assert!(super::bytes(wrong).is_err(), "{wrong}");
        }
    }
}
