//! Times a kernel of a ReLU network and prints one line of JSON, for `benches/peers`:
//!
//! `cargo run --release --example kernel_timing -- --dtype f64 --n 5000 --depth 3`
//! `cargo run --release --example kernel_timing -- --kernel empirical --dtype f32 --n 1024 --depth 3 --width 1024 --d-out 1`
//!
//! Wall and CPU seconds of the Gram matrix, of NNGP and NTK together where it is analytic, with the memory for the results, and the peak of
//! resident memory above what was there before. Of an empirical kernel also the rate of its matrix products, and the best rate of one
//! product of the network's inner size measured in the same process: the bound. Reads Linux's `/proc`; elsewhere CPU seconds and memory
//! are 0.

#![allow(clippy::print_stdout, reason = "an example shows its results")]

use std::f64::consts::SQRT_2;
use std::time::Instant;

use clap::Parser;
use ntk::arch::{Activation, Architecture, Mlp, Parametrization};
use ntk::error::Result;
use ntk::kernel::Kernels;
use ntk::kernel::analytic::AnalyticKernel;
use ntk::kernel::empirical::{EmpiricalNtk, Method, Outputs};
use ntk::linalg::{self, Buffer, Element, Matrix};
use ntk::net::{Backend, Compute, Dtype, InitialFunction, Predictor, matmul, to_matrix};
use ntk::seed::{standard_normals, stream};
use serde_json::{Value, json};

/// As the program has it: results and activations come and go by megabytes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "analytic", value_parser = ["analytic", "empirical"])]
    kernel: String,
    #[arg(long, default_value = "f64", value_parser = ["f32", "f64"])]
    dtype: String,
    #[arg(long, default_value_t = 5000)]
    n: usize,
    #[arg(long, default_value_t = 3)]
    depth: usize,
    /// Of an empirical kernel.
    #[arg(long, default_value_t = 512)]
    width: usize,
    #[arg(long, default_value_t = 1)]
    d_out: usize,
    #[arg(long, default_value = "full", value_parser = ["full", "trace"])]
    outputs: String,
    #[arg(long)]
    backend: Option<Backend>,
    #[arg(long, default_value_t = 10)]
    d: usize,
    #[arg(long, default_value_t = 0.1)]
    b_std: f64,
    /// Calls, at least.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// How long to go on calling, at least: a thread that has slept takes a while to be at hand.
    #[arg(long, default_value_t = 0.0)]
    seconds: f64,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    linalg::set_threads(arguments.threads);
    let Arguments { n, depth, width, d_out, d, b_std, .. } = arguments;
    let (w_std, activation, parametrization) = (SQRT_2, Activation::Relu, Parametrization::Ntk);
    let architecture = Mlp { depth, width, activation, w_std, b_std, parametrization }.architecture(d, d_out)?;
    let x = Matrix::from_vec(n, d, standard_normals(&mut stream(1, "timing"), n * d))?;
    let mut line = match arguments.kernel.as_str() {
        "empirical" => empirical(&arguments, &architecture, &x)?,
        _ => analytic(&arguments, architecture, &x)?,
    };
    let asked = json!({
        "program": "ntk", "kernel": arguments.kernel, "dtype": arguments.dtype, "n": n, "depth": depth, "width": width,
        "d_out": d_out, "outputs": arguments.outputs, "threads": arguments.threads,
    });
    if let (Value::Object(line), Value::Object(asked)) = (&mut line, asked) {
        line.extend(asked);
    }
    println!("{line}");
    Ok(())
}

fn analytic(arguments: &Arguments, architecture: Architecture, x: &Matrix) -> Result<Value> {
    let kernel = AnalyticKernel::new(architecture);
    let timing = match arguments.dtype.as_str() {
        "f32" => Timing::of(arguments, || grams::<f32>(&kernel, x))?,
        _ => Timing::of(arguments, || grams::<f64>(&kernel, x))?,
    };
    Ok(timing.json())
}

fn grams<T: Element + bytemuck::Pod>(kernel: &AnalyticKernel, x: &Matrix) -> Result<()> {
    let n = x.n_rows();
    let (mut nngp, mut ntk) = (Buffer::<T>::zeros(n * n), Buffer::<T>::zeros(n * n));
    let wanted = Kernels { nngp: Some(&mut nngp[..]), ntk: Some(&mut ntk[..]) };
    kernel.evaluate(x, None)?.fill(wanted, &|_| {})
}

fn empirical(arguments: &Arguments, architecture: &Architecture, x: &Matrix) -> Result<Value> {
    let dtype = if arguments.dtype == "f64" { Dtype::F64 } else { Dtype::F32 };
    let outputs = if arguments.outputs == "trace" { Outputs::Trace } else { Outputs::Full };
    let backend = arguments.backend.unwrap_or_else(Backend::preferred);
    let compute = Compute::open(backend, dtype)?;
    let predictor = Predictor::init(architecture, InitialFunction::Plain, &mut stream(1, "init"), &compute)?;
    let ntk = EmpiricalNtk::new(&predictor, &compute).method(Method::Structured).outputs(outputs);
    let n_rows = x.n_rows() * if outputs == Outputs::Trace { 1 } else { arguments.d_out };
    let timing = Timing::of(arguments, || match dtype {
        Dtype::F32 => ntk.fill(x, None, &mut Buffer::<f32>::zeros(n_rows * n_rows)),
        Dtype::F64 => ntk.fill(x, None, &mut Buffer::<f64>::zeros(n_rows * n_rows)),
    })?;
    let best = product_rate(&compute, x.n_rows(), arguments.width)?;
    let rate = 2e-9 * ntk.plan(x.n_rows(), None, true)?.n_multiplications / median(&timing.walls);
    let mut line = timing.json();
    line["backend"] = json!(backend.name());
    line["device"] = json!(compute.device_name());
    line["gflops"] = json!(rate);
    line["product_gflops"] = json!(best);
    line["fraction_of_product_rate"] = json!(rate / best);
    Ok(line)
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
        let product = matmul(a.clone(), b.clone());
        // Where the device works on its own, the product is there when a number of it can be read.
        to_matrix(product.narrow(0, 0, 1).narrow(1, 0, 1))?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(2e-9 * (n * width * width) as f64 / best)
}

struct Timing {
    walls: Vec<f64>,
    cpus: Vec<f64>,
    peak: f64,
}

impl Timing {
    fn of(arguments: &Arguments, mut compute: impl FnMut() -> Result<()>) -> Result<Self> {
        // The first pass starts the threads.
        compute()?;
        let base = memory("VmRSS:");
        // Lets the peak begin here; without the right to do so it includes the first pass.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let (mut walls, mut cpus) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        while walls.len() < arguments.repeats || begun.elapsed().as_secs_f64() < arguments.seconds {
            let (start, cpu) = (Instant::now(), cpu_seconds());
            compute()?;
            walls.push(start.elapsed().as_secs_f64());
            cpus.push(cpu_seconds() - cpu);
        }
        Ok(Self { walls, cpus, peak: memory("VmHWM:") - base })
    }

    fn json(&self) -> Value {
        json!({
            "wall_s": median(&self.walls), "cpu_s": median(&self.cpus), "peak_mb_above_base": self.peak,
            "walls": self.walls, "cpus": self.cpus,
        })
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

/// A line of this process's memory, in megabytes of 10^6 bytes.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() * 1.024e-3
}
