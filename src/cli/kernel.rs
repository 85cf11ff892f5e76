//! `ntk kernel CONFIG --x1 FILE`: the kernels of an architecture on the user's inputs, as .npy files.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ntk::arch::Architecture;
use ntk::error::{Error, Result};
use ntk::kernel::Kernel;
use ntk::kernel::KernelKind;
use ntk::kernel::analytic::AnalyticKernel;
use ntk::kernel::empirical::EmpiricalNtk;
use ntk::linalg::Matrix;
use ntk::net::{Backend, Compute, InitialFunction, Predictor};
use ntk::record::npy;
use ntk::study::KernelConfig;

use super::inputs::inputs;
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
    /// Where to write nngp.npy, ntk.npy, empirical.npy
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Infinite-width covariance of the untrained network
    Nngp,
    /// Infinite-width tangent kernel
    Ntk,
    /// Tangent kernel of one random network of the config's width
    Empirical,
}

impl Which {
    fn file(self) -> &'static str {
        match self {
            Self::Nngp => "nngp.npy",
            Self::Ntk => "ntk.npy",
            Self::Empirical => "empirical.npy",
        }
    }
}

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
    let analytic = AnalyticKernel::new(architecture.clone());
    let kernel = |which: &Which| match which {
        Which::Nngp => evaluate(&analytic.of_kind(KernelKind::Nngp), &x1, x2.as_ref()),
        Which::Ntk => evaluate(&analytic.of_kind(KernelKind::Ntk), &x1, x2.as_ref()),
        Which::Empirical => empirical(&config, &architecture, &x1, x2.as_ref()),
    };
    // All before the first is written: a failure leaves no part of an answer behind.
    let matrices = arguments.get.iter().map(kernel).collect::<Result<Vec<_>>>()?;
    let paths: Vec<PathBuf> = arguments.get.iter().map(|which| arguments.out.join(which.file())).collect();
    for (path, matrix) in paths.iter().zip(&matrices) {
        npy::write(path, matrix)?;
        output.words(&format!("{}: {} x {}", path.display(), matrix.n_rows(), matrix.n_cols()));
    }
    output.paths(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

fn empirical(config: &KernelConfig, architecture: &Architecture, x1: &Matrix, x2: Option<&Matrix>) -> Result<Matrix> {
    let backend = config.compute.backend.unwrap_or_else(Backend::preferred);
    let compute = Compute::open(backend, config.compute.dtype)?;
    let predictor = Predictor::of_seed(architecture, InitialFunction::Plain, (config.seeds.root, 0), &compute)?;
    evaluate(&EmpiricalNtk::new(&predictor, &compute), x1, x2)
}

fn evaluate(kernel: &dyn Kernel, x1: &Matrix, x2: Option<&Matrix>) -> Result<Matrix> {
    match x2 {
        None => Ok(kernel.gram(x1)?.into_matrix()),
        Some(x2) => kernel.cross_gram(x1, x2),
    }
}
