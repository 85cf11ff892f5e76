//! The infinite-width side of one architecture on the training inputs, and the step sizes both sides can bear.

use super::config::{StepSize, TrainConfig};
use super::plan::{Plan, PointPlan};
use crate::arch::Architecture;
use crate::dynamics::{Flow, Outputs};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::Kernels;
use crate::kernel::analytic::AnalyticKernel;
use crate::kernel::empirical::EmpiricalNtk;
use crate::linalg::{GramMatrix, Matrix};
use crate::net::{Compute, Predictor};
use crate::train::{self, Loss, Optimizer};

/// The analytic kernels of an architecture on the plan's training inputs.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) kernel: AnalyticKernel,
    pub(super) grams: Kernels<GramMatrix>,
    /// Training under the NTK.
    pub(super) flow: Flow,
    /// The config's ridge, resolved on the NTK.
    pub(super) ridge: f64,
    /// The parameters' step size for a step size of 1 in function space.
    function_space: f64,
}

impl Limit {
    pub(super) fn of(plan: &Plan, architecture: &Architecture) -> Result<Self> {
        let (x_train, y_train, ..) = plan.parts();
        let kernel = AnalyticKernel::new(architecture.clone());
        let grams = kernel.grams(x_train)?;
        let ridge = plan.config.train.ridge.resolve(&grams.ntk);
        let cutoff = Flow::rounding_cutoff(grams.ntk.n(), f64::EPSILON);
        let flow = Flow::new(&grams.ntk, Outputs::Independent(y_train.n_cols()), ridge, cutoff)?;
        let function_space = function_space(architecture, x_train, grams.ntk.mean_diagonal())?;
        let limit = Self { kernel, grams, flow, ridge, function_space };
        limit.refuse_unstable(plan, "the analytic NTK", &limit.flow)?;
        Ok(limit)
    }

    /// Of the plan's one architecture.
    pub(super) fn of_one(plan: &Plan) -> Result<Self> {
        let (x_train, y_train, ..) = plan.parts();
        Self::of(plan, &plan.config.arch.architecture(x_train.n_cols(), y_train.n_cols())?)
    }

    /// The largest stable step size of the plan's optimizer on its loss, under the kernel of `flow`; none for Adam.
    pub(super) fn bound(plan: &Plan, flow: &Flow) -> Option<f64> {
        let settings = &plan.config.train;
        largest_step(flow.stability_bound(), settings.optimizer, settings.loss, plan.split.y_train.n_cols())
    }

    fn refuse_unstable(&self, plan: &Plan, of: &str, flow: &Flow) -> Result<()> {
        ensure_stable(&plan.config.train, self.function_space, Self::bound(plan, flow), of)
    }

    /// The ridge as a fraction of the NTK's mean diagonal, which every other kernel takes of its own.
    pub(super) fn relative_ridge(&self) -> f64 {
        self.ridge / self.grams.ntk.mean_diagonal()
    }

    /// How a network is trained whose kernel is that of `flow`.
    pub(super) fn recipe(&self, plan: &Plan, flow: &Flow, seed: u64) -> train::Plan {
        let settings = &plan.config.train;
        let bounds = Self::bound(plan, flow).zip(Self::bound(plan, &self.flow));
        let (learning_rate, n_steps) = match (settings.step, bounds) {
            (StepSize::Absolute(learning_rate), _) => (learning_rate, settings.n_steps),
            (StepSize::FunctionSpace(value), _) => (value * self.function_space, settings.n_steps),
            // Refused by the plan: Adam has no bound.
            (StepSize::FractionOfBound(_), None) => (0.0, settings.n_steps),
            (StepSize::FractionOfBound(fraction), Some((bound, limit_bound))) => {
                let time = fraction * limit_bound * settings.n_steps as f64;
                // A network of a lower bound takes more, smaller steps, so that all are compared at the same time.
                let n_steps = (settings.n_steps as f64 * (limit_bound / bound).max(1.0)).ceil();
                (time / n_steps, n_steps as usize)
            }
        };
        train::Plan {
            optimizer: settings.optimizer,
            learning_rate,
            schedule: settings.schedule,
            batches: settings.batches.clone(),
            loss: settings.loss,
            ridge: self.ridge,
            weight_decay: settings.weight_decay,
            n_steps,
            n_checkpoints: settings.n_checkpoints,
            stop: settings.stop,
            seed: (plan.config.seeds.root, seed),
        }
    }
}

/// The largest stable step size of an optimizer, where that of gradient descent on the squared loss is `bound`; none for Adam.
pub(super) fn largest_step(bound: f64, optimizer: Optimizer, loss: Loss, n_outputs: usize) -> Option<f64> {
    Some(optimizer.stability_factor()? * loss.stability_factor(n_outputs) * bound)
}

/// The parameters' step size for a step size of 1 in function space, of an architecture whose NTK has this mean diagonal.
pub(super) fn function_space(architecture: &Architecture, x_train: &Matrix, mean_diagonal: f64) -> Result<f64> {
    let reference = AnalyticKernel::new(architecture.in_ntk_parametrization()).diagonals(x_train)?.ntk;
    Ok(reference.iter().sum::<f64>() / reference.len() as f64 / mean_diagonal)
}

/// Refuses a step size at or above the `bound` of a kernel, whose name is `of`; `function_space` is the parameters' step size for one of 1 in
/// function space.
pub(super) fn ensure_stable(settings: &TrainConfig, function_space: f64, bound: Option<f64>, of: &str) -> Result<()> {
    let (key, value) = match settings.step {
        StepSize::Absolute(value) => ("train.step.absolute", value),
        StepSize::FunctionSpace(value) => ("train.step.function-space", value * function_space),
        StepSize::FractionOfBound(_) => return Ok(()),
    };
    match bound {
        Some(bound) if value >= bound && !settings.allow_unstable => Err(Error::config(
            key,
            format!("{value} is at or above the stability bound {bound:.6} of {of}: training would diverge"),
            "lower it, or use `step = { fraction-of-bound = 0.5 }`; `train.allow_unstable = true` lets it diverge",
        )),
        _ => Ok(()),
    }
}

/// A point's network before training.
pub(super) struct Start {
    pub(super) predictor: Predictor,
    pub(super) k_train_train: GramMatrix,
    /// Training under the network's own kernel.
    pub(super) flow: Flow,
    /// How it is trained.
    pub(super) recipe: train::Plan,
}

impl Start {
    pub(super) fn of(plan: &Plan, point: &PointPlan, limit: &Limit, compute: &Compute) -> Result<Self> {
        point.architecture.ensure_same_kernel(limit.kernel.architecture())?;
        let (x_train, y_train, ..) = plan.parts();
        let settings = &plan.config.train;
        let root = plan.config.seeds.root;
        let predictor =
            Predictor::of_seed(&point.architecture, settings.initial_function, (root, point.seed), compute)?;
        let k_train_train = EmpiricalNtk::new(&predictor, compute).gram(x_train)?;
        // No cutoff: at a finite time small eigenvalues do no harm, and this kernel is not taken to infinity.
        // Where it is, because the optimizer keeps no time, rounding must not be inverted.
        let n = k_train_train.n();
        let is_finite = settings.optimizer.time_factor().is_some();
        let cutoff = if is_finite { 0.0 } else { Flow::rounding_cutoff(n, plan.config.compute.dtype.epsilon()) };
        let flow = Flow::new(&k_train_train, Outputs::Coupled(y_train.n_cols()), limit.ridge, cutoff)?;
        let of = format!("the network (width {}, seed {})", point.architecture.width(), point.seed);
        limit.refuse_unstable(plan, &of, &flow)?;
        let recipe = limit.recipe(plan, &flow, point.seed);
        Ok(Self { predictor, k_train_train, flow, recipe })
    }
}
