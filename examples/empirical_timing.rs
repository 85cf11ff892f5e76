//! Times the empirical NTK of a ReLU network and prints one line of JSON, for `benches/peers`:
//!
//! `cargo run --release --example empirical_timing -- --n 1024 --hidden 3 --width 1024 --d-out 1 --outputs full --dtype f32 --repeats 5`
//!
//! Wall and CPU seconds of the Gram matrix, the rate of its matrix products, and the best rate of one matrix product measured in the
//! same process, of the inner size of the network: the bound. Reads Linux's `/proc`; elsewhere CPU seconds and memory are 0.

#![allow(clippy::print_stdout, reason = "an example shows its results")]

use std::f64::consts::SQRT_2;
use std::time::Instant;

use clap::Parser;
use ntk::arch::{Activation, Mlp, Parametrization};
use ntk::error::Result;
use ntk::kernel::empirical::{EmpiricalNtk, Method, Outputs};
use ntk::linalg::{self, Buffer, Matrix};
use ntk::net::{Backend, Compute, Dtype, InitialFunction, Predictor, to_matrix};
use ntk::seed::{standard_normals, stream};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "f32", value_parser = ["f32", "f64"])]
    dtype: String,
    #[arg(long, default_value_t = 1024)]
    n: usize,
    #[arg(long, default_value_t = 3)]
    hidden: usize,
    #[arg(long, default_value_t = 512)]
    width: usize,
    #[arg(long, default_value_t = 1)]
    d_out: usize,
    #[arg(long, default_value = "full", value_parser = ["full", "trace"])]
    outputs: String,
    #[arg(long, default_value_t = 10)]
    d: usize,
    #[arg(long, default_value_t = 0.1)]
    b_std: f64,
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    #[arg(long)]
    backend: Option<Backend>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    linalg::set_threads(arguments.threads);
    let Arguments { n, hidden, width, d_out, d, b_std, .. } = arguments;
    let dtype = if arguments.dtype == "f64" { Dtype::F64 } else { Dtype::F32 };
    let outputs = if arguments.outputs == "trace" { Outputs::Trace } else { Outputs::Full };
    let compute = Compute::open(arguments.backend.unwrap_or_else(Backend::preferred), dtype)?;
    let (w_std, activation, parametrization) = (SQRT_2, Activation::Relu, Parametrization::Ntk);
    let architecture =
        Mlp { depth: hidden, width, activation, w_std, b_std, parametrization }.architecture(d, d_out)?;
    let predictor = Predictor::init(&architecture, InitialFunction::Plain, &mut stream(1, "init"), &compute)?;
    let x = Matrix::from_vec(n, d, standard_normals(&mut stream(1, "timing"), n * d))?;
    let ntk = EmpiricalNtk::new(&predictor, &compute).method(Method::Structured).outputs(outputs);
    let plan = ntk.plan(n, None, true)?;
    let n_rows = n * if outputs == Outputs::Trace { 1 } else { d_out };
    // With the memory for the result, in the number type of the network.
    let compute_gram = || match dtype {
        Dtype::F32 => ntk.fill(&x, None, &mut Buffer::<f32>::zeros(n_rows * n_rows)),
        Dtype::F64 => ntk.fill(&x, None, &mut Buffer::<f64>::zeros(n_rows * n_rows)),
    };
    // The first pass starts the threads.
    compute_gram()?;
    let base = memory("VmRSS:");
    // Lets the peak begin here; without the right to do so it includes the first pass.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..arguments.repeats {
        let (start, cpu) = (Instant::now(), cpu_seconds());
        compute_gram()?;
        walls.push(start.elapsed().as_secs_f64());
        cpus.push(cpu_seconds() - cpu);
    }
    let peak = memory("VmHWM:") - base;
    let best = product_rate(&compute, n, width)?;
    let rate = 2e-9 * plan.n_multiplications / median(&walls);
    let line = serde_json::json!({
        "program": "ntk", "dtype": arguments.dtype, "n": n, "hidden": hidden, "width": width, "d_out": d_out,
        "outputs": arguments.outputs, "threads": arguments.threads, "wall_s": median(&walls), "cpu_s": median(&cpus),
        "gflops": rate, "product_gflops": best, "fraction": rate / best, "peak_mb_above_base": peak,
        "walls": walls, "cpus": cpus,
    });
    println!("{line}");
    Ok(())
}

/// The best rate of `[n, width]` times `[width, width]`, in 10^9 operations a second.
fn product_rate(compute: &Compute, n: usize, width: usize) -> Result<f64> {
    let normal = |n_rows: usize| -> Result<_> {
        let values = standard_normals(&mut stream(1, "product"), n_rows * width);
        Ok(compute.tensor(&Matrix::from_vec(n_rows, width, values)?))
    };
    let (a, b) = (normal(n)?, normal(width)?);
    let mut best = f64::INFINITY;
    for _ in 0..12 {
        let start = Instant::now();
        let product = a.clone().matmul(b.clone());
        // Where the device works on its own, the product is there when a number of it can be read.
        to_matrix(product.narrow(0, 0, 1).narrow(1, 0, 1))?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(2e-9 * (n * width * width) as f64 / best)
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

/// A line of this process's memory, in megabytes of 10^6 bytes.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() * 1.024e-3
}
