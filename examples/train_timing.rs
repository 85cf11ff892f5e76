//! Times the training of ReLU networks and prints one line of JSON, for `benches/peers`:
//!
//! `cargo run --release --example train_timing -- --dtype f32 --width 512 --depth 3 --n 256 --d 10 --seeds 1`
//!
//! Steps of full-batch gradient descent per second, times the networks that take them side by side; the CPU seconds of one step of one
//! network; and the peak of resident memory above what was there before. Reads Linux's `/proc`; elsewhere CPU seconds and memory are 0.

#![allow(clippy::print_stdout, reason = "an example shows its results")]

use std::f64::consts::SQRT_2;
use std::sync::Mutex;
use std::time::Instant;

use clap::Parser;
use ntk::arch::{Activation, Architecture, Mlp, Parametrization};
use ntk::error::Result;
use ntk::linalg::{self, Matrix};
use ntk::net::{Backend, Compute, Dtype, InitialFunction, Predictor};
use ntk::seed::{standard_normals, stream};
use ntk::train::{Monitor, Plan, Problem, Training, Unwatched, n_side_by_side, side_by_side};
use serde_json::json;

/// As the program has it: activations come and go by megabytes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Far below the bound of every width: what is timed does not depend on it.
const LEARNING_RATE: f64 = 1e-3;

/// Timed runs of equal length, of which the median counts.
const N_BLOCKS: usize = 3;

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value = "ntk", value_parser = ["ntk"])]
    program: String,
    #[arg(long, default_value = "f32", value_parser = ["f32", "f64"])]
    dtype: String,
    #[arg(long, default_value_t = 256)]
    n: usize,
    #[arg(long, default_value_t = 10)]
    d: usize,
    #[arg(long, default_value_t = 3)]
    depth: usize,
    #[arg(long, default_value_t = 512)]
    width: usize,
    /// Networks.
    #[arg(long, default_value_t = 1)]
    seeds: usize,
    /// Networks at a time, where it is not left to the program.
    #[arg(long)]
    side_by_side: Option<usize>,
    /// Seconds to time for.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    #[arg(long)]
    backend: Option<Backend>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    linalg::set_threads(arguments.threads);
    let Arguments { n, d, depth, width, seeds, threads, .. } = arguments;
    let (w_std, activation, parametrization) = (SQRT_2, Activation::Relu, Parametrization::Ntk);
    let architecture = Mlp { depth, width, activation, w_std, b_std: 0.1, parametrization }.architecture(d, 1)?;
    let dtype = if arguments.dtype == "f64" { Dtype::F64 } else { Dtype::F32 };
    let compute = Compute::open(arguments.backend.unwrap_or_else(Backend::preferred), dtype)?;
    let normal = |name, n_cols| Matrix::from_vec(n, n_cols, standard_normals(&mut stream(1, name), n * n_cols));
    let (x_train, y_train) = (normal("inputs", d)?, normal("targets", 1)?);
    let problem = Problem { x_train: &x_train, y_train: &y_train, x_test: &x_train, validation: None };
    let n_workers = arguments.side_by_side.unwrap_or_else(|| n_side_by_side(&architecture, n, threads));

    // A short run warms up and tells how long the timed ones have to be.
    let base = memory("VmRSS:");
    let wall = |n_steps| -> Result<f64> { Ok(seconds(&architecture, problem, n_steps, seeds, n_workers, &compute)?.0) };
    wall(2)?;
    let per_step = (wall(12)? / 12.0).max(1e-6);
    let n_steps = ((arguments.seconds / N_BLOCKS as f64 / per_step) as usize).max(if seeds > 1 { 200 } else { 3 });
    let mut blocks = Vec::new();
    for _ in 0..N_BLOCKS {
        blocks.push(seconds(&architecture, problem, n_steps, seeds, n_workers, &compute)?);
    }
    let n_network_steps = (n_steps * seeds) as f64;
    let rates: Vec<f64> = blocks.iter().map(|(wall, _)| n_network_steps / wall).collect();
    let cpus: Vec<f64> = blocks.iter().map(|(_, cpu)| cpu / n_network_steps).collect();
    let line = json!({
        "program": "ntk", "variant": format!("{n_workers} at a time"), "backend": compute.backend().name(),
        "dtype": arguments.dtype, "n": n, "d": d, "depth": depth, "width": width, "seeds": seeds, "threads": threads,
        "n_steps": n_steps, "steps_per_s": median(&rates), "cpu_s_per_step": median(&cpus),
        "peak_mb_above_base": memory("VmHWM:") - base, "rates": rates,
    });
    println!("{line}");
    Ok(())
}

/// Wall and CPU seconds of as many steps of every network.
fn seconds(
    architecture: &Architecture,
    problem: Problem<'_>,
    n_steps: usize,
    n_seeds: usize,
    n_workers: usize,
    compute: &Compute,
) -> Result<(f64, f64)> {
    let plan = Plan::gradient_descent(LEARNING_RATE, n_steps);
    let build = |seed: usize| {
        let name = format!("init/{seed}");
        let predictor = Predictor::init(architecture, InitialFunction::Plain, &mut stream(1, &name), compute)?;
        Training::new(predictor, problem, &plan, compute)
    };
    let ready: Vec<_> = (0..n_seeds).map(|seed| Ok(Mutex::new(Some(build(seed)?)))).collect::<Result<_>>()?;
    let mut clock = Clock { n_steps, first: None, last: None };
    if let [one] = &ready[..] {
        let Some(training) = one.lock().ok().and_then(|mut training| training.take()) else { return Ok((0.0, 0.0)) };
        training.run(&mut clock)?;
        return Ok(clock.of_all_steps());
    }
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    side_by_side(n_seeds, n_workers, |seed| {
        let training = ready[seed].lock().ok().and_then(|mut training| training.take());
        training.map_or(Ok(()), |training| training.run(&mut Unwatched).map(drop))
    })?;
    Ok((begun.elapsed().as_secs_f64(), cpu_seconds() - cpu))
}

/// Times the steps of one network, without what comes before and after them.
struct Clock {
    n_steps: usize,
    first: Option<(Instant, f64)>,
    last: Option<(Instant, f64)>,
}

impl Clock {
    fn of_all_steps(&self) -> (f64, f64) {
        let (Some((begun, cpu)), Some((ended, cpu_then))) = (self.first, self.last) else { return (0.0, 0.0) };
        // Between the beginnings of n steps lie n - 1 of them.
        let all = self.n_steps as f64 / (self.n_steps - 1) as f64;
        ((ended - begun).as_secs_f64() * all, (cpu_then - cpu) * all)
    }
}

impl Monitor for Clock {
    fn before_step(&mut self, step: usize) -> Result<()> {
        let is_last = step + 1 == self.n_steps;
        if step == 0 || is_last {
            let now = Some((Instant::now(), cpu_seconds()));
            *(if is_last { &mut self.last } else { &mut self.first }) = now;
        }
        Ok(())
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Seconds that all threads have been running, those that have ended too.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th fields behind it, in hundredths.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 1e-2
}

/// A line of this process's memory, in megabytes of 10^6 bytes.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() * 1.024e-3
}
