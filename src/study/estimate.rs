//! What a run will cost, measured before it starts: a few steps and one kernel of every architecture, extrapolated.

use std::time::Instant;

use serde::Serialize;

use super::config::WatchLevel;
use super::plan::Plan;
use super::run::n_at_once;
use super::settings::Study;
use crate::arch::{AffineMap, Architecture};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::empirical::EmpiricalNtk;
use crate::linalg::{Spectrum, available_memory};
use crate::net::{Compute, Predictor};
use crate::train::{self, Monitor, train};

/// Steps that are timed, after one that is not: the first pays for allocation.
const N_TIMED_STEPS: usize = 3;

/// The cost of all seeds of one architecture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Hidden layers.
    pub depth: usize,
    /// Hidden width.
    pub width: usize,
    /// Trainable parameters of one network.
    pub n_parameters: usize,
    /// Networks.
    pub n_points: usize,
    /// Of them, those that train at once.
    pub n_at_once: usize,
    /// Seconds for all of them.
    pub seconds: f64,
    /// Peak memory of one network and its kernels, in bytes, from their sizes.
    pub memory: usize,
}

/// One estimate per depth and width, in the study's order, over all settings.
///
/// # Errors
/// A device that fails.
pub fn estimate(study: &Study) -> Result<Vec<Estimate>> {
    let mut measured: Vec<Measured> = Vec::new();
    let mut estimates: Vec<Estimate> = Vec::new();
    for plan in &study.plans {
        ensure_memory(plan)?;
        let compute = Compute::open(plan.backend, plan.config.compute.dtype)?;
        for same in plan.points.chunk_by(|a, b| a.architecture == b.architecture) {
            let architecture = &same[0].architecture;
            let cost = Cost::of(plan, architecture);
            let known = measured.iter().find(|other| other.cost == cost).map(|other| other.seconds);
            let seconds = known.map_or_else(|| seconds(plan, architecture, &compute), Ok)?;
            if known.is_none() {
                measured.push(Measured { cost, seconds });
            }
            let n_at_once = n_at_once(plan, architecture, available_memory());
            let (depth, width) = (architecture.depth(), architecture.width());
            let estimate = Estimate {
                depth,
                width,
                n_parameters: architecture.n_parameters(),
                n_points: same.len(),
                n_at_once,
                seconds: seconds * same.len() as f64 / n_at_once.min(same.len()) as f64,
                memory: memory(plan, architecture),
            };
            match estimates.iter_mut().find(|other| (other.depth, other.width) == (depth, width)) {
                None => estimates.push(estimate),
                Some(all) => {
                    all.n_points += estimate.n_points;
                    all.seconds += estimate.seconds;
                    all.memory = all.memory.max(estimate.memory);
                    all.n_parameters = all.n_parameters.max(estimate.n_parameters);
                }
            }
        }
    }
    Ok(estimates)
}

/// What decides the cost of a network; settings that share it are measured once.
#[derive(PartialEq)]
struct Cost {
    architecture: Architecture,
    n_train: usize,
    n_test: usize,
    n_steps: usize,
}

impl Cost {
    fn of(plan: &Plan, architecture: &Architecture) -> Self {
        Self {
            architecture: architecture.clone(),
            n_train: plan.split.x_train.n_rows(),
            n_test: plan.split.x_test.n_rows(),
            n_steps: plan.config.train.n_steps,
        }
    }
}

struct Measured {
    cost: Cost,
    seconds: f64,
}

/// Refuses a plan whose largest network or kernel does not fit into the memory that is free now.
///
/// # Errors
/// With both sizes, and the keys that decide them.
pub(super) fn ensure_memory(plan: &Plan) -> Result<()> {
    let needed = plan.points.iter().map(|point| memory(plan, &point.architecture)).max().unwrap_or(0);
    match available_memory() {
        Some(available) if needed as f64 > available => Err(Error::config(
            "data.n_train",
            format!(
                "{} training entries and networks of up to {} parameters need about {:.1} GB, and {:.1} GB are free",
                plan.n_entries(),
                plan.points.iter().map(|point| point.architecture.n_parameters()).max().unwrap_or(0),
                needed as f64 / 1e9,
                available / 1e9
            ),
            "lower `data.n_train` or `arch.width`",
        )),
        _ => Ok(()),
    }
}

fn seconds(plan: &Plan, architecture: &Architecture, compute: &Compute) -> Result<f64> {
    let (x_train, y_train, x_test, _) = plan.parts();
    let settings = &plan.config.train;
    let predictor = Predictor::of_seed(architecture, settings.initial_function, (plan.config.seeds.root, 0), compute)?;
    let begun = Instant::now();
    let gram = EmpiricalNtk::new(&predictor, compute).gram(x_train)?;
    let kernel = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    Spectrum::of(&gram)?;
    let spectrum = begun.elapsed().as_secs_f64();
    // A step size of 0 costs what any other does, and cannot diverge.
    let few = train::Plan {
        optimizer: settings.optimizer,
        batches: settings.batches.clone(),
        ..train::Plan::gradient_descent(0.0, 1 + N_TIMED_STEPS)
    };
    let mut clock = Clock { first: None, last: None };
    train(predictor, train::Problem { x_train, y_train, x_test, validation: None }, &few, compute, &mut clock)?;
    let step = match (clock.first, clock.last) {
        (Some(first), Some(last)) => last.duration_since(first).as_secs_f64() / (N_TIMED_STEPS - 1) as f64,
        _ => 0.0,
    };
    // The kernel at the start, once against the test inputs, and at every checkpoint where it is watched; its spectrum, and this network's
    // share of the five of its limit and the kernels beside it, whose matrices are smaller where there are several outputs.
    let n_checkpoints = settings.n_checkpoints as f64;
    let (n_kernels, n_spectra) = match settings.watch {
        WatchLevel::Function => (2.0, 1.0),
        WatchLevel::Kernel => (2.0 + n_checkpoints, 1.0),
        WatchLevel::Everything => (2.0 + n_checkpoints, 1.0 + n_checkpoints),
    };
    let n_networks = plan.points.iter().filter(|point| point.architecture.depth() == architecture.depth()).count();
    let share = 5.0 / (n_networks as f64 * (y_train.n_cols() as f64).powi(3));
    Ok(step * settings.n_steps as f64 + kernel * n_kernels + spectrum * (n_spectra + share))
}

/// Remembers when the second and the last step began.
struct Clock {
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Monitor for Clock {
    fn before_step(&mut self, step: usize) -> Result<()> {
        if step == 1 {
            self.first = Some(Instant::now());
        }
        self.last = Some(Instant::now());
        Ok(())
    }
}

pub(super) fn memory(plan: &Plan, architecture: &Architecture) -> usize {
    let bytes = plan.config.compute.dtype.size();
    let (n_train, n_test) = (plan.split.x_train.n_rows(), plan.split.x_test.n_rows());
    let n_entries = plan.n_entries();
    // Parameters, their gradients, their next values and their initial ones; a few activations per map, position and sample, and twice
    // what its windows see where that is copied.
    let network = 4 * architecture.n_parameters() * bytes;
    let numbers = |map: &AffineMap| {
        map.taps.n_outputs() * (4 * map.n_out + if map.taps.is_pointwise() { 0 } else { 2 * map.n_in })
    };
    let activations = architecture.maps().into_iter().map(numbers).sum::<usize>() * (n_train + n_test) * bytes;
    // The share of a map in the empirical kernel, which goes by pairs of positions or by each sample's gradients.
    let share = |map: &AffineMap| match map.taps.n_outputs() {
        1 => 0,
        n_positions => 2 * (n_train * n_positions).pow(2).min(n_entries * map.n_in * map.n_out),
    };
    let share = architecture.maps().into_iter().map(share).max().unwrap_or(0) * bytes;
    // Empirical kernel, its eigenvectors and two intermediates; the same once for the analytic one; the cross kernels.
    let kernels =
        8 * (4 * n_entries * n_entries + 4 * n_train * n_train + 2 * n_entries * n_test * plan.split.y_train.n_cols());
    network + activations + share + kernels
}
