//! The loop.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::batches::Sampler;
use super::optimizer::{Memory, Moving, Penalty};
use super::saved::Saved;
use super::{Checkpoint, Monitor, Optimizer, Plan, Problem, Stop, Trajectory, log_spaced_steps};
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::net::{
    Compute, Model, Trainable, flatten, in_parallel, parameters, relative_distance, to_matrix, with_parameters,
};
use crate::record::Outcome;

/// How far beyond its start the loss may rise before a run counts as diverged; a stable run never rises at all.
const DIVERGENCE_FACTOR: f64 = 1e6;

/// Parameters from which threads share a step.
const MIN_SHARED: usize = 1 << 18;

/// A model in training.
#[derive(Debug)]
pub struct Training<'a, M: Model> {
    /// The model without gradients of its own, at the present parameters.
    model: M,
    problem: Problem<'a>,
    plan: &'a Plan,
    compute: &'a Compute,
    trainable: Trainable,
    /// Of the start, on the host.
    theta_0: Vec<f64>,
    /// The same on the device, where something pulls to them; otherwise empty.
    origin: Vec<Tensor<1>>,
    saving: Option<Saving>,
    pub(super) state: State,
}

/// Where an unfinished run is kept, and how often it is written there.
#[derive(Debug)]
struct Saving {
    path: PathBuf,
    every: Duration,
    last: Instant,
}

/// What changes from step to step beside the model: all that a resumed run needs.
#[derive(Debug, Default)]
pub(super) struct State {
    /// One per trainable parameter.
    pub(super) memory: Vec<Memory>,
    pub(super) n_steps: usize,
    pub(super) checkpoints: Vec<Checkpoint>,
    pub(super) best: Option<Best>,
}

/// The best look at the validation rows so far.
#[derive(Debug, Clone)]
pub(super) struct Best {
    pub(super) theta: Vec<Tensor<1>>,
    pub(super) step: usize,
    pub(super) error: f64,
    /// Looks since.
    pub(super) n_worse: usize,
}

/// Tensors that every step uses.
struct OnDevice {
    x_train: Tensor<2>,
    x_test: Tensor<2>,
    y_train: Tensor<2>,
    x_validation: Option<Tensor<2>>,
}

impl<'a, M: Model> Training<'a, M> {
    /// A model at its initialization.
    ///
    /// # Errors
    /// Shapes that do not fit, targets the loss has no meaning for, a plan that cannot be carried out, or a model without a trainable
    /// parameter.
    pub fn new(model: M, problem: Problem<'a>, plan: &'a Plan, compute: &'a Compute) -> Result<Self> {
        plan.check(problem.x_train.n_rows())?;
        plan.loss.check(problem.y_train)?;
        if matches!(plan.stop, Stop::Validation { .. }) && problem.validation.is_none() {
            return Err(Error::config(
                "train.stop",
                "`validation` needs rows to look at",
                "set `data.n_validation`, for example to a fifth of the training rows",
            ));
        }
        ensure_shapes(&model.valid(), problem, compute)?;
        let theta_0 = flatten(&model)?;
        if theta_0.is_empty() {
            return Err(Error::Module {
                problem: "the network has no trainable parameter".to_owned(),
                remedy: "leave at least one affine map unfrozen",
            });
        }
        let trainable = Trainable::of(&model);
        let model = model.valid();
        let origin = if plan.ridge > 0.0 { parameters(&model, &trainable) } else { Vec::new() };
        let memory = vec![Memory::default(); trainable.ids().count()];
        let state = State { memory, ..State::default() };
        Ok(Self { model, problem, plan, compute, trainable, theta_0, origin, saving: None, state })
    }

    /// Goes on from the unfinished run at `path`, if there is one, and keeps this one there, written every so often. The file stays when the
    /// run ends: whoever has stored what came of it removes it, so that nothing is lost in between. A disk that cannot take it is a warning,
    /// because the run itself needs no disk.
    ///
    /// # Errors
    /// A file of another plan, another network or another number type.
    pub fn kept_at(mut self, path: PathBuf, every: Duration, monitor: &mut dyn Monitor<M>) -> Result<Self> {
        if path.exists() {
            let saved = Saved::read(&path, self.plan, &self.theta(), self.compute)?;
            monitor.resume(&saved.notes)?;
            self.state = saved.state;
            self.put(&saved.theta);
        }
        self.saving = Some(Saving { path, every, last: Instant::now() });
        Ok(self)
    }

    /// Trains to the end.
    ///
    /// # Errors
    /// A device that fails, or the monitor's own.
    pub fn run(mut self, monitor: &mut dyn Monitor<M>) -> Result<(M, Trajectory)> {
        let device = self.on_device();
        let mut sampler = Sampler::new(&self.plan.batches, self.problem.x_train.n_rows(), self.plan.seed);
        let mut is_reached = self.plan.stop == Stop::AtTime;
        for target in log_spaced_steps(self.plan.n_steps, self.plan.n_checkpoints) {
            if self.state.checkpoints.last().is_some_and(|last| last.step >= target) {
                continue;
            }
            let mut is_over = false;
            while self.state.n_steps < target && !is_over {
                if let Err(stop) = monitor.before_step(self.state.n_steps) {
                    self.save(monitor, Duration::ZERO);
                    return Err(stop);
                }
                is_over = self.advance(&device, &mut sampler)?;
                self.save(monitor, self.saving.as_ref().map_or(Duration::MAX, |saving| saving.every));
            }
            is_reached |= is_over;
            if self.state.best.is_some() && (is_over || target == self.plan.n_steps) {
                self.return_to_best();
                is_over = true;
            }
            let checkpoint = self.look(&device)?;
            if self.is_diverged(&checkpoint) {
                return Ok(self.end(Outcome::Diverged, false));
            }
            let is_settled = self.is_settled(&checkpoint);
            is_reached |= is_settled;
            self.see(checkpoint, monitor)?;
            if is_over || is_settled {
                break;
            }
        }
        Ok(self.end(Outcome::Completed, is_reached))
    }

    fn on_device(&self) -> OnDevice {
        let (problem, compute) = (self.problem, self.compute);
        OnDevice {
            x_train: compute.tensor(problem.x_train),
            x_test: compute.tensor(problem.x_test),
            y_train: compute.tensor(problem.y_train),
            x_validation: problem.validation.map(|(x, _)| compute.tensor(x)),
        }
    }

    /// The parameters as they are.
    fn theta(&self) -> Vec<Tensor<1>> {
        parameters(&self.model, &self.trainable)
    }

    fn put(&mut self, theta: &[Tensor<1>]) {
        self.model = with_parameters(self.model.clone(), theta, &self.trainable);
    }

    /// Takes a step, unless the rule to stop is met before it.
    fn advance(&mut self, device: &OnDevice, sampler: &mut Sampler<'_>) -> Result<bool> {
        let (plan, step) = (self.plan, self.state.n_steps);
        if self.has_stopped_improving(device)? {
            return Ok(true);
        }
        let rows = sampler.rows(step);
        let is_full = rows.is_none();
        let (x, y) = match rows {
            None => (device.x_train.clone(), device.y_train.clone()),
            Some(rows) => {
                let rows = self.compute.indices(&rows);
                (device.x_train.clone().select(0, rows.clone()), device.y_train.clone().select(0, rows))
            }
        };
        let learning_rate = plan.learning_rate_at(step);
        let prefactor = plan.optimizer.prefactor(learning_rate);
        let wants_loss = matches!(plan.stop, Stop::TrainingLoss(_));
        let penalty = plan.penalty(self.problem.y_train.values().len());
        if plan.optimizer == Optimizer::GradientDescent && penalty == Penalty::default() && !wants_loss {
            self.model.descend(x, &self.trainable, &mut |f| plan.loss.slope(f, y.clone(), learning_rate));
            self.state.n_steps += 1;
            return Ok(false);
        }
        let mut outputs = None;
        let gradients = self.model.gradients(x, &self.trainable, &mut |f| {
            outputs = (wants_loss && is_full).then(|| f.clone());
            plan.loss.slope(f, y.clone(), prefactor)
        });
        if wants_loss && (is_full || sampler.is_epoch(step)) {
            let f = outputs.unwrap_or_else(|| self.model.forward(device.x_train.clone()));
            let loss = plan.loss.of(&to_matrix(f)?, self.problem.y_train);
            if matches!(plan.stop, Stop::TrainingLoss(goal) if loss < goal) {
                return Ok(true);
            }
        }
        let mut theta = self.theta();
        let moving: Vec<Moving<'_>> = theta
            .iter_mut()
            .zip(&mut self.state.memory)
            .zip(gradients)
            .enumerate()
            .map(|(number, ((theta, memory), gradient))| Moving {
                theta,
                gradient,
                theta_0: self.origin.get(number),
                memory,
            })
            .collect();
        let is_worth = self.compute.is_host() && self.theta_0.len() >= MIN_SHARED;
        in_parallel(is_worth, moving, |moving| plan.optimizer.step(moving, step, learning_rate, penalty));
        self.put(&theta);
        self.state.n_steps += 1;
        Ok(false)
    }

    /// Looks at the validation rows, where the rule says so.
    fn has_stopped_improving(&mut self, device: &OnDevice) -> Result<bool> {
        let Stop::Validation { every, patience } = self.plan.stop else { return Ok(false) };
        let step = self.state.n_steps;
        let (true, Some(x), Some((_, y))) = (step.is_multiple_of(every), &device.x_validation, self.problem.validation)
        else {
            return Ok(false);
        };
        let error = (&to_matrix(self.model.forward(x.clone()))? - y).rms();
        match &mut self.state.best {
            // Of two looks without a number, the first.
            Some(best) if error.total_cmp(&best.error).is_ge() => {
                best.n_worse += 1;
                Ok(best.n_worse >= patience)
            }
            _ => {
                self.state.best =
                    Some(Best { theta: parameters(&self.model, &self.trainable), step, error, n_worse: 0 });
                Ok(false)
            }
        }
    }

    fn return_to_best(&mut self) {
        let Some(Best { theta, step, .. }) = self.state.best.clone() else { return };
        self.put(&theta);
        self.state.n_steps = step;
        self.state.checkpoints.retain(|checkpoint| checkpoint.step < step);
    }

    fn look(&self, device: &OnDevice) -> Result<Checkpoint> {
        let f_train = to_matrix(self.model.forward(device.x_train.clone()))?;
        let f_test = to_matrix(self.model.forward(device.x_test.clone()))?;
        let loss = self.plan.loss.of(&f_train, self.problem.y_train);
        let parameter_distance = relative_distance(&flatten(&self.tracked())?, &self.theta_0);
        Ok(Checkpoint { step: self.state.n_steps, f_train, f_test, loss, parameter_distance })
    }

    fn see(&mut self, checkpoint: Checkpoint, monitor: &mut dyn Monitor<M>) -> Result<()> {
        monitor.at_checkpoint(&checkpoint, &self.tracked())?;
        self.state.checkpoints.push(checkpoint);
        Ok(())
    }

    fn is_diverged(&self, now: &Checkpoint) -> bool {
        let first = self.state.checkpoints.first();
        let limit = first.map_or(f64::INFINITY, |first| DIVERGENCE_FACTOR * first.loss.max(1.0));
        !(now.loss.is_finite() && now.loss <= limit && now.f_test.first_non_finite().is_none())
    }

    /// Whether the residual has stopped changing. Its norm is the same along the kernel's eigenvectors as along the data.
    fn is_settled(&self, now: &Checkpoint) -> bool {
        let (Stop::ResidualChange(share), Some(last)) = (self.plan.stop, self.state.checkpoints.last()) else {
            return false;
        };
        (&now.f_train - &last.f_train).rms() < share * (&last.f_train - self.problem.y_train).rms()
    }

    /// The model as it was given, with gradients to be asked of it.
    fn tracked(&self) -> M {
        self.model.clone().train()
    }

    fn save(&mut self, monitor: &dyn Monitor<M>, every: Duration) {
        let Some(saving) = &mut self.saving else { return };
        if saving.last.elapsed() < every {
            return;
        }
        let theta = parameters(&self.model, &self.trainable);
        let written =
            monitor.notes().and_then(|notes| Saved::write(&saving.path, self.plan, &theta, &self.state, &notes));
        if let Err(reason) = written {
            log::warn!("the unfinished run cannot be kept, and would begin anew if it were interrupted: {reason}");
        }
        saving.last = Instant::now();
    }

    fn end(self, outcome: Outcome, is_reached: bool) -> (M, Trajectory) {
        let model = self.tracked();
        let n_steps = self.state.n_steps;
        let diverged_at = (outcome == Outcome::Diverged).then_some(n_steps);
        (model, Trajectory { checkpoints: self.state.checkpoints, outcome, diverged_at, n_steps, is_reached })
    }
}

fn ensure_shapes<M: Model>(model: &M, problem: Problem<'_>, compute: &Compute) -> Result<()> {
    let Problem { x_train, y_train, x_test, validation } = problem;
    let inputs = [
        ("training inputs", Some(x_train)),
        ("test inputs", Some(x_test)),
        ("validation inputs", validation.map(|v| v.0)),
    ];
    for (what, x) in inputs {
        let Some(x) = x else { continue };
        if x.n_cols() != model.d_in() {
            return Err(Error::shape(what, format!("{} columns", model.d_in()), format!("{} columns", x.n_cols())));
        }
    }
    if x_train.n_rows() == 0 {
        return Err(Error::shape("training inputs", "at least one row", 0));
    }
    let one = Matrix::from_fn(1, x_train.n_cols(), |_, j| x_train[(0, j)]);
    let f = model.forward(compute.tensor(&one)).dims();
    let targets = [("targets", Some((x_train, y_train))), ("validation targets", validation)];
    for (what, pair) in targets {
        let Some((x, y)) = pair else { continue };
        let expected = (x.n_rows(), f[1]);
        if y.shape() != expected || f[0] != 1 {
            return Err(Error::shape(what, format!("{expected:?}"), format!("{:?}", y.shape())));
        }
    }
    Ok(())
}
