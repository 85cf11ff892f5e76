//! The study itself: one trained network against kernel regression with its NTK, and the gap between them taken apart.
//!
//! [`Reference`] is the side without randomness, shared by all networks with the same infinite-width kernel; [`compare`] trains one
//! network and measures it against the reference.

use std::path::Path;
use std::time::{Duration, Instant};

use super::config::WatchLevel;
use super::directions::Directions;
use super::limit::{Limit, Start};
use super::plan::{Plan, PointPlan};
use super::watch::Watch;
use crate::arch::Architecture;
use crate::dynamics::{
    Comparison, Decomposition, Flow, Horizon, KernelPredictor, Order, Outputs, Prior, ensemble_marginals,
};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::compare::relative_frobenius;
use crate::kernel::empirical::EmpiricalNtk;
use crate::kernel::stationary::{Form, Stationary};
use crate::linalg::{GramMatrix, Matrix};
use crate::net::{Compute, InitialFunction, Predictor};
use crate::record::{Outcome, Point, Prediction, Row, SCHEMA_VERSION, Snapshot, finite};
use crate::regress::{mean_squared_error, regression};
use crate::train::{self, Batches, Checkpoint, Monitor, Optimizer, Schedule, Stop, Training, Trajectory};

/// How far the terms may miss their total, relative to the largest prediction, before the run is called broken.
const IDENTITY_TOLERANCE: f64 = 1e-10;

/// How much of one network's training an interruption can lose.
const SAVED_EVERY: Duration = Duration::from_secs(60);

/// What the kernels of one architecture predict on the plan's test inputs.
#[derive(Debug)]
pub struct Reference {
    limit: Limit,
    ntk_test_train: Matrix,
    nngp: Matrix,
    nngp_test_train: Matrix,
    nngp_test_diagonal: Vec<f64>,
    directions: Option<Directions>,
    errors: Errors,
}

/// Mean squared test errors of the kernels that know nothing of training.
#[derive(Debug, Clone, Copy)]
struct Errors {
    nngp: f64,
    rbf: f64,
    laplace: f64,
    matern: f64,
}

impl Reference {
    /// Evaluates the kernels of `architecture` and regresses with them.
    ///
    /// The ridge is resolved on the NTK; every other kernel gets the same fraction of its own mean diagonal.
    ///
    /// # Errors
    /// A kernel that overflows; an absolute step size above the stability bound of this kernel.
    pub fn new(plan: &Plan, architecture: &Architecture) -> Result<Self> {
        let (x_train, y_train, x_test, y_test) = plan.parts();
        let limit = Limit::of(plan, architecture)?;
        let cross = limit.kernel.cross_grams(x_test, x_train)?;
        let ridge = limit.relative_ridge();
        let error = |prediction: &Matrix| mean_squared_error(prediction, y_test) / plan.target_deviation().powi(2);
        let nngp = regression(&limit.grams.nngp, &cross.nngp, y_train, ridge)?;
        let stationary = |form| -> Result<f64> {
            let kernel = Stationary::with_median_length_scale(form, x_train);
            let prediction = regression(&kernel.gram(x_train)?, &kernel.cross_gram(x_test, x_train)?, y_train, ridge)?;
            Ok(error(&prediction))
        };
        let errors = Errors {
            nngp: error(&nngp),
            rbf: stationary(Form::Rbf)?,
            laplace: stationary(Form::Laplace)?,
            matern: stationary(Form::Matern52)?,
        };
        let nngp_test_diagonal = limit.kernel.diagonals(x_test)?.nngp;
        let directions = Directions::of(plan, &limit, &cross)?;
        let (ntk_test_train, nngp_test_train) = (cross.ntk, cross.nngp);
        Ok(Self { limit, ntk_test_train, nngp, nngp_test_train, nngp_test_diagonal, directions, errors })
    }

    /// The standard deviation over seeds of networks at the horizon, at every test input; none of networks that start at zero.
    fn deviations(&self, plan: &Plan, horizon: Horizon) -> Result<Option<Vec<f64>>> {
        if plan.config.train.initial_function != InitialFunction::Plain {
            return Ok(None);
        }
        let dynamics = KernelPredictor { flow: &self.limit.flow, k_test_train: &self.ntk_test_train };
        let prior = Prior {
            k_train_train: &self.limit.grams.nngp,
            k_test_train: &self.nngp_test_train,
            k_test_test: &self.nngp_test_diagonal[..],
        };
        let (_, variances) = ensemble_marginals(dynamics, prior, horizon, &plan.split.y_train)?;
        // Rounding can leave a little below zero.
        Ok(Some(variances.into_iter().map(|variance| variance.max(0.0).sqrt()).collect()))
    }

    /// Whether networks of `architecture` have this kernel as their limit.
    #[must_use]
    pub fn is_limit_of(&self, architecture: &Architecture) -> bool {
        architecture.ensure_same_kernel(self.limit.kernel.architecture()).is_ok()
    }
}

/// The kernels of one network at initialization, to be kept on request.
#[derive(Debug)]
pub struct PointKernels {
    /// Empirical NTK on the training inputs.
    pub empirical_train_train: Matrix,
    /// Empirical NTK between test and training inputs.
    pub empirical_test_train: Matrix,
    /// Analytic NTK on the training inputs.
    pub ntk_train_train: Matrix,
    /// Analytic NTK between test and training inputs.
    pub ntk_test_train: Matrix,
}

/// What comparing a point gives.
#[derive(Debug)]
pub struct Compared {
    /// What is recorded.
    pub point: Point,
    /// Its kernels at initialization.
    pub kernels: PointKernels,
    /// The network after training.
    pub predictor: Predictor,
}

/// Trains the point's network and compares it with the reference; `before_step` is asked before every step and may end the run. What is
/// trained is kept in the folder `unfinished`, which goes when the point is stored, and goes on from there the next time.
///
/// # Errors
/// A step size above the network's own stability bound, a failing device, an interruption, or a gap whose parts do not add up.
pub fn compare(
    plan: &Plan,
    point: &PointPlan,
    reference: &Reference,
    compute: &Compute,
    unfinished: &Path,
    before_step: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Compared> {
    let begun = Instant::now();
    let (x_train, y_train, x_test, _) = plan.parts();
    let Start { predictor, k_train_train, flow, recipe } = Start::of(plan, point, &reference.limit, compute)?;
    // Burn modules share their tensors, so this costs nothing.
    let untrained = predictor.clone();
    let k_test_train = EmpiricalNtk::new(&predictor, compute).cross_gram(x_test, x_train)?;

    let mut watch = Watch::new(plan, &reference.limit, compute, (&predictor, &k_train_train), &recipe, before_step)?;
    let training = Training::new(predictor, plan.problem(y_train, x_test), &recipe, compute)?;
    let (trained_predictor, trajectory) =
        training.kept_at(unfinished.join("network.safetensors"), SAVED_EVERY, &mut watch)?.run(&mut watch)?;
    let Watch { snapshots, bands, .. } = watch;
    let descent = Descent::beside(&recipe, trajectory.n_steps, &flow);
    let descended = descent
        .as_ref()
        .map(|descent| descent.of(untrained, plan, compute, unfinished, before_step))
        .transpose()?
        .flatten();

    let horizon = descent.map_or_else(|| horizon(&recipe, trajectory.n_steps), |descent| descent.horizon());
    let first =
        trajectory.checkpoints.first().ok_or_else(|| Error::Check("a run without its first checkpoint".to_owned()))?;
    let decomposition = Decomposition::of(
        &Comparison {
            ft_test: trained(&trajectory).map(|last| &last.f_test),
            gd_test: descended.as_ref(),
            f0_train: &first.f_train,
            f0_test: &first.f_test,
            y_train,
            empirical: KernelPredictor { flow: &flow, k_test_train: &k_test_train },
            analytic: KernelPredictor { flow: &reference.limit.flow, k_test_train: &reference.ntk_test_train },
            horizon,
        },
        Order::NetworkFirst,
    )?;
    // Past the stability bound a network may survive where its linearization overflows, and nothing adds up.
    let is_finite = [&decomposition.linearized, &decomposition.kernel_at_horizon]
        .iter()
        .all(|prediction| prediction.first_non_finite().is_none());
    if trajectory.outcome == Outcome::Completed && is_finite {
        decomposition.check(IDENTITY_TOLERANCE)?;
    }

    let empirical = KernelPredictor { flow: &flow, k_test_train: &k_test_train };
    let measured = Measured {
        discretization: discretization(empirical, horizon, &(y_train - &first.f_train))?,
        mse_after: mse_after(plan, reference, compute, &trained_predictor, &trajectory, horizon)?,
        deviations: reference.deviations(plan, horizon)?,
        kernel_scale: k_train_train.as_matrix().rms(),
        stability_bound: Limit::bound(plan, &flow),
        recipe,
        kernel_error: kernel_error(&k_train_train, reference, y_train.n_cols())?,
        trajectory,
        decomposition,
    };
    let row = row(plan, point, reference, &measured, &snapshots);
    let predictions = predictions(plan, reference, &measured);
    let directions = reference.directions.as_ref().map_or_else(Vec::new, |directions| {
        directions.of_network(trained(&measured.trajectory).map(|last| &last.f_test), plan.target_deviation())
    });
    let kernels = PointKernels {
        empirical_train_train: k_train_train.into_matrix(),
        empirical_test_train: k_test_train,
        ntk_train_train: reference.limit.grams.ntk.as_matrix().clone(),
        ntk_test_train: reference.ntk_test_train.clone(),
    };
    let seconds = begun.elapsed().as_secs_f64();
    let point = Point { row, seconds, predictions, trajectory: snapshots, modes: bands, directions };
    Ok(Compared { point, kernels, predictor: trained_predictor })
}

/// Full-batch gradient descent for as long as another optimizer trained.
struct Descent {
    recipe: train::Plan,
}

impl Descent {
    /// For the time of `n_steps` steps of `recipe`, at half the stability bound of `flow`; none where the recipe is gradient descent itself,
    /// or keeps no time.
    fn beside(recipe: &train::Plan, n_steps: usize, flow: &Flow) -> Option<Self> {
        let time = recipe.time(n_steps).filter(|time| *time > 0.0 && !recipe.is_gradient_descent())?;
        let n_steps = (time / (0.5 * flow.stability_bound())).ceil().max(1.0);
        let recipe = train::Plan {
            optimizer: Optimizer::GradientDescent,
            schedule: Schedule::Constant,
            batches: Batches::Full,
            learning_rate: time / n_steps,
            n_steps: n_steps as usize,
            n_checkpoints: 2,
            stop: Stop::AtTime,
            ..recipe.clone()
        };
        Some(Self { recipe })
    }

    fn horizon(&self) -> Horizon {
        horizon(&self.recipe, self.recipe.n_steps)
    }

    /// f_GD at the test inputs; none where it diverged.
    fn of(
        &self,
        untrained: Predictor,
        plan: &Plan,
        compute: &Compute,
        unfinished: &Path,
        before_step: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Option<Matrix>> {
        let (_, y_train, x_test, _) = plan.parts();
        let mut watch = Steps(before_step);
        let training = Training::new(untrained, plan.problem(y_train, x_test), &self.recipe, compute)?;
        let training = training.kept_at(unfinished.join("descent.safetensors"), SAVED_EVERY, &mut watch)?;
        let (_, trajectory) = training.run(&mut watch)?;
        Ok(trained(&trajectory).map(|last| last.f_test.clone()))
    }
}

/// Asks before every step, and looks at nothing.
struct Steps<'a>(&'a mut dyn FnMut(usize) -> Result<()>);

impl Monitor for Steps<'_> {
    fn before_step(&mut self, step: usize) -> Result<()> {
        (self.0)(step)
    }
}

/// What steps of gradient descent lead to beside gradient flow for the same time, RMS over test points; none where the linearized network
/// flows by itself.
fn discretization(empirical: KernelPredictor<'_>, horizon: Horizon, residual: &Matrix) -> Result<Option<f64>> {
    let Horizon::Steps { learning_rate, n_steps } = horizon else { return Ok(None) };
    let flow = empirical.predict(Horizon::Time(learning_rate * n_steps as f64), residual)?;
    Ok(finite((&empirical.predict(horizon, residual)? - &flow).rms()))
}

/// The test error of regression, for the same time, with the kernel that the network has after training; none of a network whose kernel is
/// not watched, or that diverged.
fn mse_after(
    plan: &Plan,
    reference: &Reference,
    compute: &Compute,
    predictor: &Predictor,
    trajectory: &Trajectory,
    horizon: Horizon,
) -> Result<Option<f64>> {
    if plan.config.train.watch < WatchLevel::Kernel || trained(trajectory).is_none() {
        return Ok(None);
    }
    let (x_train, y_train, x_test, y_test) = plan.parts();
    let ntk = EmpiricalNtk::new(predictor, compute);
    let k_train_train = ntk.gram(x_train)?;
    let time = match horizon {
        // Steps that the initial kernel bears may be too long for this one.
        Horizon::Steps { learning_rate, n_steps } => Horizon::Time(learning_rate * n_steps as f64),
        other => other,
    };
    let cutoff = match time {
        Horizon::Infinite => Flow::rounding_cutoff(k_train_train.n(), plan.config.compute.dtype.epsilon()),
        _ => 0.0,
    };
    let flow = Flow::new(&k_train_train, Outputs::Coupled(y_train.n_cols()), reference.limit.ridge, cutoff)?;
    let k_test_train = &ntk.cross_gram(x_test, x_train)?;
    let prediction = KernelPredictor { flow: &flow, k_test_train }.predict(time, y_train)?;
    Ok(finite(mean_squared_error(&prediction, y_test) / plan.target_deviation().powi(2)))
}

/// What one network adds to the reference.
struct Measured {
    discretization: Option<f64>,
    mse_after: Option<f64>,
    deviations: Option<Vec<f64>>,
    kernel_scale: f64,
    recipe: train::Plan,
    stability_bound: Option<f64>,
    kernel_error: f64,
    trajectory: Trajectory,
    decomposition: Decomposition,
}

fn row(plan: &Plan, point: &PointPlan, reference: &Reference, measured: &Measured, snapshots: &[Snapshot]) -> Row {
    let Measured { recipe, trajectory, decomposition, .. } = measured;
    let n_steps = trajectory.n_steps;
    let (x_train, y_train, x_test, y_test) = plan.parts();
    let config = &plan.config;
    let architecture = &point.architecture;
    let end = trained(trajectory);
    let start = snapshots.first();
    let last = snapshots.last().filter(|_| end.is_some());
    let unit = plan.target_deviation();
    let rms = |term: &Matrix| finite(term.rms() / unit);
    let error = |prediction: &Matrix| mean_squared_error(prediction, y_test) / unit.powi(2);
    Row {
        id: point.id.clone(),
        schema: SCHEMA_VERSION,
        study: config.study.name.clone(),
        dataset: plan.dataset.name.clone(),
        varied: plan.varied.clone(),
        split_seed: config.data.split_seed,
        label_noise: config.data.label_noise,
        input_noise: config.data.input_noise,
        d_in: x_train.n_cols(),
        d_out: y_train.n_cols(),
        n_train: x_train.n_rows(),
        n_test: x_test.n_rows(),
        activation: architecture.activation_name(),
        parametrization: architecture.parametrization().to_string(),
        laziness: architecture.laziness(),
        w_std: architecture.w_std(),
        b_std: architecture.b_std(),
        depth: architecture.depth(),
        width: architecture.width(),
        initial_function: config.train.initial_function.to_string(),
        seed: point.seed,
        backend: plan.backend.to_string(),
        dtype: config.compute.dtype.to_string(),
        ridge: reference.limit.ridge,
        optimizer: config.train.recipe(),
        learning_rate: recipe.learning_rate,
        stability_bound: measured.stability_bound,
        n_steps,
        time: recipe.time(n_steps).unwrap_or(recipe.learning_rate * n_steps as f64),
        stop: recipe.stop.name().to_owned(),
        is_reached: trajectory.is_reached,
        outcome: trajectory.outcome,
        diverged_at: trajectory.diverged_at,
        loss_train: end.map(|end| end.loss / unit.powi(2)),
        mse_network: end.map(|end| error(&end.f_test)),
        mse_subtracted: end.and_then(|end| finite(error(&(&end.f_test - &decomposition.initial_function)))),
        mse_linearized: finite(error(&decomposition.linearized)),
        mse_ntk: error(&decomposition.kernel_limit),
        mse_ntk_at_time: finite(error(&decomposition.kernel_at_horizon)),
        mse_empirical: finite(error(&(&decomposition.kernel_at_horizon + &decomposition.finite_width))),
        mse_after: measured.mse_after,
        mse_nngp: reference.errors.nngp,
        accuracy_network: end.and_then(|end| plan.accuracy(&end.f_test)),
        accuracy_ntk: plan.accuracy(&decomposition.kernel_limit),
        accuracy_nngp: plan.accuracy(&reference.nngp),
        mse_rbf: reference.errors.rbf,
        mse_laplace: reference.errors.laplace,
        mse_matern: reference.errors.matern,
        gap_total: decomposition.total.as_ref().and_then(rms),
        gap_at_time: end.and_then(|end| rms(&(&end.f_test - &decomposition.kernel_at_horizon))),
        gap_optimizer: decomposition.optimizer.as_ref().and_then(rms),
        gap_nonlinearity: decomposition.nonlinearity.as_ref().and_then(rms),
        gap_initial_function: rms(&decomposition.initial_function),
        gap_finite_width: rms(&decomposition.finite_width),
        gap_finite_time: rms(&decomposition.finite_time),
        gap_discretization: measured.discretization.and_then(|gap| finite(gap / unit)),
        identity_residual: end.and_then(|_| finite(decomposition.identity_residual() / unit)),
        kernel_error: measured.kernel_error,
        kernel_scale: measured.kernel_scale,
        kernel_drift: last.and_then(|snapshot| snapshot.kernel_drift),
        kernel_alignment: last.and_then(|snapshot| snapshot.kernel_alignment),
        target_alignment_start: start.and_then(|snapshot| snapshot.target_alignment),
        target_alignment: last.and_then(|snapshot| snapshot.target_alignment),
        parameter_distance: last.and_then(|snapshot| snapshot.parameter_distance),
        eigenvalue_cutoff: reference.limit.flow.eigenvalue_cutoff(),
        n_dropped: reference.limit.flow.n_dropped(),
    }
}

/// How long the linearized network trains for these steps: step by step where it is gradient descent, as gradient flow for the same
/// time under other rules, and to the end where the optimizer keeps no time.
pub(super) fn horizon(recipe: &train::Plan, n_steps: usize) -> Horizon {
    match recipe.time(n_steps) {
        Some(_) if recipe.is_gradient_descent() => {
            Horizon::Steps { learning_rate: recipe.learning_rate, n_steps: n_steps as u64 }
        }
        Some(time) => Horizon::Time(time),
        None => Horizon::Infinite,
    }
}

/// The last checkpoint of a run that reached its end.
fn trained(trajectory: &Trajectory) -> Option<&Checkpoint> {
    trajectory.checkpoints.last().filter(|_| trajectory.outcome == Outcome::Completed)
}

fn predictions(plan: &Plan, reference: &Reference, measured: &Measured) -> Vec<Prediction> {
    let Measured { trajectory, decomposition, .. } = measured;
    let (y_test, unit) = (&plan.split.y_test, plan.target_deviation());
    let network = trained(trajectory).map(|last| &last.f_test);
    let mut predictions = Vec::with_capacity(y_test.values().len());
    for test_point in 0..y_test.n_rows() {
        for output in 0..y_test.n_cols() {
            let at = (test_point, output);
            predictions.push(Prediction {
                test_point,
                output,
                target: y_test[at] / unit,
                network: network.map(|f| f[at] / unit),
                linearized: finite(decomposition.linearized[at] / unit),
                ntk: decomposition.kernel_limit[at] / unit,
                ntk_at_time: finite(decomposition.kernel_at_horizon[at] / unit),
                nngp: reference.nngp[at] / unit,
                deviation: measured.deviations.as_ref().map(|deviations| deviations[test_point] / unit),
            });
        }
    }
    predictions
}

/// Relative Frobenius distance of the full empirical kernel from the analytic kernel times the identity over outputs.
fn kernel_error(empirical: &GramMatrix, reference: &Reference, n_outputs: usize) -> Result<f64> {
    let analytic = &reference.limit.grams.ntk;
    let full = GramMatrix::from_lower(empirical.n(), |i, j| {
        if i % n_outputs == j % n_outputs { analytic[(i / n_outputs, j / n_outputs)] } else { 0.0 }
    });
    relative_frobenius(empirical, &full)
}
