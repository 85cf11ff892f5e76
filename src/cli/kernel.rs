//! `ntk kernel`: the kernels of an architecture on inputs of the user's own.
//!
//! Analytic kernels are written as they are computed, a block of rows at a time, so that they may be larger than memory.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ntk::arch::Architecture;
use ntk::error::{Error, Result};
use ntk::kernel::Kernel;
use ntk::kernel::analytic::{AnalyticKernel, Evaluation};
use ntk::kernel::empirical::EmpiricalNtk;
use ntk::linalg::Matrix;
use ntk::net::{Backend, Compute, InitialFunction, Predictor};
use ntk::record::npy::{self, Precision};
use ntk::study::KernelConfig;

use super::inputs::inputs;
use super::interrupt::Interrupt;
use super::output::Output;
use super::source::Source;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Inputs, one row each: .npy, or .csv without a header
    #[arg(long, value_name = "FILE")]
    x1: PathBuf,
    /// Other inputs, for the kernel between x1 and x2 [default: x1 with itself]
    #[arg(long, value_name = "FILE")]
    x2: Option<PathBuf>,
    /// Which kernels
    #[arg(long, value_delimiter = ',', default_value = "nngp,ntk")]
    get: Vec<Which>,
    /// Number type of the files of analytic kernels, which are computed in f64 [default: f64]
    #[arg(long, value_name = "f32|f64", value_parser = precision)]
    store: Option<Precision>,
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
    /// Tangent kernel of one random network of the config's width
    Empirical,
}

impl Which {
    fn file(self) -> &'static str {
        match self {
            Self::Nngp => "nngp.npy",
            Self::Ntk => "ntk.npy",
            Self::NngpDiagonal => "nngp_diagonal.npy",
            Self::NtkDiagonal => "ntk_diagonal.npy",
            Self::Empirical => "empirical.npy",
        }
    }
}

/// Bytes of the rows that are held at a time.
const BLOCK_BYTES: usize = 1 << 26;

/// Seconds from which on it is worth saying how long it will take.
const LONG: f64 = 2.0;

pub(super) fn run(arguments: &Arguments, threads: Option<usize>, output: &Output) -> Result<()> {
    let config = arguments.source.kernel(threads)?;
    let x1 = inputs(&arguments.x1)?;
    let x2 = arguments.x2.as_deref().map(inputs).transpose()?;
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
    let wants = |which: Which| arguments.get.contains(&which);
    // Before anything is written: a failure leaves no part of an answer behind.
    let empirical = wants(Which::Empirical).then(|| empirical(&config, &architecture, &x1, x2.as_ref())).transpose()?;
    if arguments.get.iter().any(|which| *which != Which::Empirical) {
        analytic(arguments, architecture, &x1, x2.as_ref(), output)?;
    }
    let folder = &arguments.out;
    if let Some(matrix) = &empirical {
        npy::write(&folder.join(Which::Empirical.file()), matrix)?;
    }
    let paths: Vec<PathBuf> = arguments.get.iter().map(|which| folder.join(which.file())).collect();
    output.paths(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

/// Writes what is wanted of the analytic kernels.
fn analytic(
    arguments: &Arguments,
    architecture: Architecture,
    x1: &Matrix,
    x2: Option<&Matrix>,
    output: &Output,
) -> Result<()> {
    let wants = |which: Which| arguments.get.contains(&which);
    let kernel = AnalyticKernel::new(architecture);
    let evaluation = kernel.evaluate(x1, x2)?;
    let error = evaluation.quadrature_error();
    if error.nngp.max(error.ntk) > 0.0 {
        output.words(&format!(
            "note: the activation has no closed form; the nngp is right to {:.0e}, a layer's factor of the ntk to {:.0e}",
            error.nngp, error.ntk
        ));
    }
    let folder = &arguments.out;
    let precision = arguments.store.unwrap_or_default();
    let diagonal = evaluation.diagonal();
    for (which, values) in [(Which::NngpDiagonal, &diagonal.nngp), (Which::NtkDiagonal, &diagonal.ntk)] {
        if wants(which) {
            let mut writer = npy::Writer::create(&folder.join(which.file()), &[values.len()], precision)?;
            writer.append(values)?;
            writer.finish()?;
        }
    }
    if wants(Which::Nngp) || wants(Which::Ntk) {
        stream(&evaluation, [wants(Which::Nngp), wants(Which::Ntk)], folder, precision, output)?;
    }
    Ok(())
}

/// Writes the analytic kernels row after row.
fn stream(
    evaluation: &Evaluation<'_>,
    [nngp, ntk]: [bool; 2],
    folder: &Path,
    precision: Precision,
    output: &Output,
) -> Result<()> {
    let (n_rows, n_columns) = evaluation.shape();
    let begin = |wanted: bool, which: Which| {
        wanted.then(|| npy::Writer::create(&folder.join(which.file()), &[n_rows, n_columns], precision)).transpose()
    };
    let (mut nngp, mut ntk) = (begin(nngp, Which::Nngp)?, begin(ntk, Which::Ntk)?);
    let bar = bar(n_rows as u64);
    let estimate = evaluation.estimate();
    if output.quiet || estimate.as_secs_f64() < LONG {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    } else {
        output.words(&format!("{n_rows} x {n_columns} entries will take about {}", HumanDuration(estimate)));
    }
    let interrupt = Interrupt::listen();
    // In blocks of which at least a hundred make the whole, so that there is something to see.
    let n_block = (BLOCK_BYTES / (16 * n_columns.max(1))).clamp(1, n_rows.div_ceil(100).max(32));
    for (rows, block) in evaluation.row_blocks(n_block) {
        interrupt.check()?;
        for (writer, block) in [(&mut nngp, &block.nngp), (&mut ntk, &block.ntk)] {
            if let Some(writer) = writer {
                writer.append(block.values())?;
            }
        }
        bar.set_position(rows.end as u64);
    }
    bar.finish_and_clear();
    [nngp, ntk].into_iter().flatten().try_for_each(npy::Writer::finish)
}

fn bar(n_rows: u64) -> ProgressBar {
    let bar = ProgressBar::new(n_rows);
    // A template of this program's own, checked by the test below.
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

const TEMPLATE: &str = "{percent:>3} % [{bar:30}] {elapsed} elapsed, {eta} left  row {pos} of {len}";

fn empirical(config: &KernelConfig, architecture: &Architecture, x1: &Matrix, x2: Option<&Matrix>) -> Result<Matrix> {
    let backend = config.compute.backend.unwrap_or_else(Backend::preferred);
    let compute = Compute::open(backend, config.compute.dtype)?;
    let predictor = Predictor::of_seed(architecture, InitialFunction::Plain, (config.seeds.root, 0), &compute)?;
    let kernel = EmpiricalNtk::new(&predictor, &compute);
    match x2 {
        None => Ok(kernel.gram(x1)?.into_matrix()),
        Some(x2) => kernel.cross_gram(x1, x2),
    }
}

fn precision(name: &str) -> std::result::Result<Precision, String> {
    match name {
        "f32" => Ok(Precision::F32),
        "f64" => Ok(Precision::F64),
        _ => Err("it is f32 or f64".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_is_valid() {
        assert!(indicatif::ProgressStyle::with_template(super::TEMPLATE).is_ok());
    }
}
