//! The infinite-width side of one architecture on the training inputs, and the step sizes both sides can bear.

use super::config::StepSize;
use super::plan::{Plan, PointPlan};
use crate::arch::Architecture;
use crate::dynamics::{Flow, Outputs};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::Kernels;
use crate::kernel::analytic::AnalyticKernel;
use crate::kernel::empirical::EmpiricalNtk;
use crate::linalg::GramMatrix;
use crate::net::{Compute, Predictor};

/// The analytic kernels of an architecture on the plan's training inputs.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) kernel: AnalyticKernel,
    pub(super) grams: Kernels<GramMatrix>,
    /// Training under the NTK.
    pub(super) flow: Flow,
    /// The config's ridge, resolved on the NTK.
    pub(super) ridge: f64,
}

impl Limit {
    pub(super) fn of(plan: &Plan, architecture: &Architecture) -> Result<Self> {
        let (x_train, y_train, ..) = plan.parts();
        let kernel = AnalyticKernel::new(architecture.clone());
        let grams = kernel.grams(x_train)?;
        let ridge = plan.config.train.ridge.resolve(&grams.ntk);
        let cutoff = Flow::rounding_cutoff(grams.ntk.n(), f64::EPSILON);
        let flow = Flow::new(&grams.ntk, Outputs::Independent(y_train.n_cols()), ridge, cutoff)?;
        refuse_unstable(plan, "the analytic NTK", flow.stability_bound())?;
        Ok(Self { kernel, grams, flow, ridge })
    }

    /// The ridge as a fraction of the NTK's mean diagonal, which every other kernel takes of its own.
    pub(super) fn relative_ridge(&self) -> f64 {
        self.ridge / self.grams.ntk.mean_diagonal()
    }
}

/// A point's network before training.
pub(super) struct Start {
    pub(super) predictor: Predictor,
    pub(super) k_train_train: GramMatrix,
    /// Training under the network's own kernel.
    pub(super) flow: Flow,
    pub(super) learning_rate: f64,
    pub(super) n_steps: usize,
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
        let flow = Flow::new(&k_train_train, Outputs::Coupled(y_train.n_cols()), limit.ridge, 0.0)?;
        let bound = flow.stability_bound();
        let of = format!("the network (width {}, seed {})", point.architecture.width(), point.seed);
        refuse_unstable(plan, &of, bound)?;
        let (learning_rate, n_steps) = match settings.step {
            StepSize::Absolute(learning_rate) => (learning_rate, settings.n_steps),
            StepSize::FractionOfBound(fraction) => {
                let limit_bound = limit.flow.stability_bound();
                let time = fraction * limit_bound * settings.n_steps as f64;
                // A network of a lower bound takes more, smaller steps, so that all are compared at the same time.
                let n_steps = (settings.n_steps as f64 * (limit_bound / bound).max(1.0)).ceil();
                (time / n_steps, n_steps as usize)
            }
        };
        Ok(Self { predictor, k_train_train, flow, learning_rate, n_steps })
    }
}

fn refuse_unstable(plan: &Plan, of: &str, bound: f64) -> Result<()> {
    match plan.config.train.step {
        StepSize::Absolute(learning_rate) if learning_rate >= bound && !plan.config.train.allow_unstable => {
            Err(Error::config(
                "train.step.absolute",
                format!(
                    "{learning_rate} is at or above the stability bound {bound:.6} of {of}: gradient descent would diverge"
                ),
                "lower it, or use `step = { fraction-of-bound = 0.5 }`; `train.allow_unstable = true` lets it diverge",
            ))
        }
        _ => Ok(()),
    }
}
