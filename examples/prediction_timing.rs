//! Times predictions from kernels, or a factorization of one, and prints one line of JSON, for `benches/peers`:
//!
//! `cargo run --release --example prediction_timing -- ntk-mean --n 2000`
//! `cargo run --release --example prediction_timing -- ntk-mean --n 2000 --start inputs`
//! `cargo run --release --example prediction_timing -- eigendecomposition --n 5000`
//!
//! Of the NNGP and NTK of a ReLU network (W_std = sqrt 2, b_std = 0.1), which are there before or, with `--start inputs`, are timed as well: regression under the NTK, the posterior under
//! the NNGP kernel, the ensemble of trained networks after infinite or finite time, and what these rest on. Medians of wall and CPU seconds,
//! and the peak of resident memory above what was there before. Reads Linux's `/proc`; elsewhere CPU seconds and memory are 0.

#![allow(clippy::print_stdout, reason = "an example shows its results")]

use std::f64::consts::SQRT_2;
use std::hint::black_box;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use ntk::arch::{Activation, Mlp, Parametrization};
use ntk::dynamics::{Flow, Horizon, KernelPredictor, Outputs, Prior, converged_ensemble, ensemble};
use ntk::error::Result;
use ntk::kernel::Kernels;
use ntk::kernel::analytic::AnalyticKernel;
use ntk::linalg::{self, Cholesky, GramMatrix, Matrix, Spectrum};
use ntk::regress::{kernel_ridge, posterior};
use ntk::seed::{standard_normals, stream};
use serde_json::json;

/// As the program has it: matrices come and go by megabytes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Added to the diagonal, by the peers too.
const RIDGE: f64 = 1e-3;

#[derive(Debug, Parser)]
struct Arguments {
    case: Case,
    /// Training inputs.
    #[arg(long, default_value_t = 2000)]
    n: usize,
    /// Inputs to predict at.
    #[arg(long, default_value_t = 1000)]
    n_test: usize,
    #[arg(long, default_value_t = 10)]
    d: usize,
    #[arg(long, default_value_t = 3)]
    depth: usize,
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// What is there before the clock runs.
    #[arg(long, default_value = "kernels")]
    start: Start,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Case {
    NtkMean,
    NngpPosterior,
    NtkEnsemble,
    NtkEnsembleFinite,
    Eigendecomposition,
    Cholesky,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Start {
    Kernels,
    Inputs,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    linalg::set_threads(arguments.threads);
    let Arguments { case, n, n_test, d, depth, repeats, threads, start } = arguments;
    let inputs = Inputs::new(&arguments)?;
    let timing = match start {
        Start::Inputs => Timing::of(repeats, || inputs.kernels()?.solve(case, &inputs.y_train))?,
        Start::Kernels => {
            let kernels = inputs.kernels()?;
            Timing::of(repeats, || kernels.solve(case, &inputs.y_train))?
        }
    };
    let line = json!({
        "program": "ntk", "case": name(case), "n": n, "n_test": n_test, "d": d, "depth": depth, "threads": threads,
        "start": name(start),
        "wall": median(&timing.walls), "cpu": median(&timing.cpus), "peak_bytes": timing.peak_bytes,
        "walls": timing.walls, "cpus": timing.cpus,
    });
    println!("{line}");
    Ok(())
}

/// As on the command line.
fn name(value: impl ValueEnum) -> Option<String> {
    value.to_possible_value().map(|value| value.get_name().to_owned())
}

/// Training and test inputs, and targets.
struct Inputs {
    kernel: AnalyticKernel,
    x_train: Matrix,
    x_test: Matrix,
    y_train: Matrix,
}

impl Inputs {
    fn new(arguments: &Arguments) -> Result<Self> {
        let &Arguments { n, n_test, d, depth, .. } = arguments;
        let (w_std, activation, parametrization) = (SQRT_2, Activation::Relu, Parametrization::Ntk);
        let architecture =
            Mlp { depth, width: 1, activation, w_std, b_std: 0.1, parametrization }.architecture(d, 1)?;
        let kernel = AnalyticKernel::new(architecture);
        let normal = |name, n, d| Matrix::from_vec(n, d, standard_normals(&mut stream(1, name), n * d));
        let (x_train, x_test) = (normal("train", n, d)?, normal("test", n_test, d)?);
        Ok(Self { kernel, x_train, x_test, y_train: normal("targets", n, 1)? })
    }

    fn kernels(&self) -> Result<Problem> {
        Ok(Problem {
            train_train: self.kernel.grams(&self.x_train)?,
            test_train: self.kernel.cross_grams(&self.x_test, &self.x_train)?,
            test_test: self.kernel.grams(&self.x_test)?,
        })
    }
}

/// Both kernels on training and test inputs.
struct Problem {
    train_train: Kernels<GramMatrix>,
    test_train: Kernels<Matrix>,
    test_test: Kernels<GramMatrix>,
}

impl Problem {
    fn solve(&self, case: Case, y_train: &Matrix) -> Result<()> {
        let Self { train_train, test_train, test_test } = self;
        match case {
            Case::NtkMean => drop(black_box(kernel_ridge(&train_train.ntk, &test_train.ntk, y_train, RIDGE)?)),
            Case::NngpPosterior => {
                let posterior = posterior(&train_train.nngp, &test_train.nngp, &test_test.nngp, y_train, RIDGE)?;
                drop(black_box(posterior));
            }
            Case::NtkEnsemble => {
                let ensemble = converged_ensemble(&train_train.ntk, &test_train.ntk, self.prior(), y_train, RIDGE)?;
                drop(black_box(ensemble));
            }
            // The time at which a direction of eigenvalue 1 has decayed to 1/e.
            Case::NtkEnsembleFinite => {
                let flow = Flow::new(&train_train.ntk, Outputs::Independent(1), RIDGE, 0.0)?;
                let dynamics = KernelPredictor { flow: &flow, k_test_train: &test_train.ntk };
                let horizon = Horizon::Time(y_train.n_rows() as f64);
                drop(black_box(ensemble(dynamics, self.prior(), horizon, y_train)?));
            }
            Case::Eigendecomposition => drop(black_box(Spectrum::of(&train_train.ntk)?)),
            Case::Cholesky => drop(black_box(Cholesky::of(&train_train.ntk, RIDGE)?)),
        }
        Ok(())
    }

    fn prior(&self) -> Prior<'_> {
        let Self { train_train, test_train, test_test } = self;
        Prior { k_train_train: &train_train.nngp, k_test_train: &test_train.nngp, k_test_test: &test_test.nngp }
    }
}

struct Timing {
    walls: Vec<f64>,
    cpus: Vec<f64>,
    peak_bytes: u64,
}

impl Timing {
    fn of(repeats: usize, mut compute: impl FnMut() -> Result<()>) -> Result<Self> {
        let base = memory("VmRSS:");
        // Lets the peak begin here; without the right to do so it includes the making of the kernels.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        // The first pass starts the threads.
        compute()?;
        let (mut walls, mut cpus) = (Vec::new(), Vec::new());
        for _ in 0..repeats {
            let (start, cpu) = (Instant::now(), cpu_seconds());
            compute()?;
            walls.push(start.elapsed().as_secs_f64());
            cpus.push(cpu_seconds() - cpu);
        }
        Ok(Self { walls, cpus, peak_bytes: memory("VmHWM:").saturating_sub(base) })
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Seconds that all threads have been running.
fn cpu_seconds() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let nanoseconds = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    tasks.flatten().filter_map(nanoseconds).sum::<f64>() * 1e-9
}

/// A line of this process's memory, in bytes.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    1024 * kilobytes.unwrap_or_default()
}
