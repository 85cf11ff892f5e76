//! Times the analytic kernels of a ReLU network and prints one line of JSON, for `benches/peers`:
//!
//! `cargo run --release --example kernel_timing -- --dtype f64 --n 5000 --depth 3 --d 10 --b-std 0.1 --repeats 5 --threads 2`
//!
//! Wall and CPU seconds of NNGP and NTK together, with the memory for them, and the peak of resident memory above what was there before.
//! Reads Linux's `/proc`; elsewhere CPU seconds and memory are 0.

#![allow(clippy::print_stdout, reason = "an example shows its results")]

use std::f64::consts::SQRT_2;
use std::time::Instant;

use clap::Parser;
use ntk::arch::{Activation, Mlp, Parametrization};
use ntk::error::Result;
use ntk::kernel::Kernels;
use ntk::kernel::analytic::{AnalyticKernel, Element};
use ntk::linalg::{self, Buffer, Matrix};
use ntk::seed::{standard_normals, stream};

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "f64", value_parser = ["f32", "f64"])]
    dtype: String,
    #[arg(long, default_value_t = 5000)]
    n: usize,
    #[arg(long, default_value_t = 3)]
    depth: usize,
    #[arg(long, default_value_t = 10)]
    d: usize,
    #[arg(long, default_value_t = 0.1)]
    b_std: f64,
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    linalg::set_threads(arguments.threads);
    let Arguments { n, depth, d, b_std, .. } = arguments;
    let (w_std, activation, parametrization) = (SQRT_2, Activation::Relu, Parametrization::Ntk);
    let mlp = Mlp { depth, width: 1, activation, w_std, b_std, parametrization };
    let kernel = AnalyticKernel::new(mlp.architecture(d, 1)?);
    let x = Matrix::from_vec(n, d, standard_normals(&mut stream(1, "timing"), n * d))?;
    let compute = || match arguments.dtype.as_str() {
        "f32" => kernels::<f32>(&kernel, &x),
        _ => kernels::<f64>(&kernel, &x),
    };
    // The first pass starts the threads.
    compute()?;
    let base = memory("VmRSS:");
    // Lets the peak begin here; without the right to do so it includes the first pass.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..arguments.repeats {
        let (start, cpu) = (Instant::now(), cpu_seconds());
        compute()?;
        walls.push(start.elapsed().as_secs_f64());
        cpus.push(cpu_seconds() - cpu);
    }
    let line = serde_json::json!({
        "program": "ntk", "dtype": arguments.dtype, "n": n, "depth": depth, "threads": arguments.threads,
        "wall_s": median(&walls), "cpu_s": median(&cpus), "peak_mb_above_base": memory("VmHWM:") - base,
        "walls": walls, "cpus": cpus,
    });
    println!("{line}");
    Ok(())
}

fn kernels<T: Element + bytemuck::Pod>(kernel: &AnalyticKernel, x: &Matrix) -> Result<()> {
    let n = x.n_rows();
    let (mut nngp, mut ntk) = (Buffer::<T>::zeros(n * n), Buffer::<T>::zeros(n * n));
    let wanted = Kernels { nngp: Some(&mut nngp[..]), ntk: Some(&mut ntk[..]) };
    kernel.evaluate(x, None)?.fill(wanted, &|_| {})
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
