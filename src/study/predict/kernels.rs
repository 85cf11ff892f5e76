//! The infinite-width side: the NTK at any time under any loss, and the processes.
//!
//! In the eigenbasis throughout: without a ridge a kernel is inverted as far as rounding leaves it, so that repeated inputs and smooth
//! kernels are no error.

use super::{At, Covariance, Pace, Predicted, Spread, in_units};
use crate::dynamics::{
    Accuracy, Descent, Flow, FunctionDescent, Horizon, KernelPredictor, LossSlope, Outputs, Prior, cross_entropy_slope,
    ensemble, ensemble_marginals, huber_slope,
};
use crate::error::{Error, Result};
use crate::kernel::{Kernel, KernelKind, Kernels};
use crate::linalg::{Matrix, ensure_fits};
use crate::net::InitialFunction;
use crate::regress::{Marginals, Posterior, Process, eigenbasis_marginals, eigenbasis_posterior};
use crate::study::equivalence::horizon;
use crate::study::limit::Limit;
use crate::study::plan::Plan;
use crate::train::{Batches, Loss, Optimizer, Schedule, Stop};

/// Training under the analytic NTK, from the function that is 0.
pub(super) fn mean(plan: &Plan, at: At, x: &Matrix) -> Result<Predicted> {
    let limit = Limit::of_one(plan)?;
    let horizon = until(plan, &limit, at)?;
    let cross = limit.kernel.cross_grams(x, plan.parts().0)?;
    let f = match plan.config.train.loss {
        Loss::Squared => limit.flow.predict(&cross.ntk, horizon, &plan.split.y_train)?,
        Loss::Huber(delta) => followed(plan, &limit, horizon, (&|f, y| huber_slope(delta, f, y), &cross.ntk))?,
        Loss::CrossEntropy => followed(plan, &limit, horizon, (&cross_entropy_slope, &cross.ntk))?,
    };
    let pace = Some(pace(plan, &limit, horizon));
    Ok(Predicted { mean: in_units(plan, &f), deviation: None, covariance: None, pace })
}

/// Training on a loss that has no closed form: followed from the start, as long as it lasts.
fn followed(
    plan: &Plan,
    limit: &Limit,
    horizon: Horizon,
    (slope, k_test_train): (LossSlope<'_>, &Matrix),
) -> Result<Matrix> {
    let (descent, time) = match horizon {
        Horizon::Time(time) => (Descent::Flow, time),
        Horizon::Steps { learning_rate, n_steps } => (Descent::Steps { learning_rate, momentum: 0.0 }, n_steps as f64),
        Horizon::Momentum { learning_rate, momentum, n_steps } => {
            (Descent::Steps { learning_rate, momentum }, n_steps as f64)
        }
        Horizon::DampedTime { friction, time } => (Descent::Damped { friction }, time),
        Horizon::Infinite => {
            return Err(Error::config(
                "train.loss",
                "the end of training is known in closed form under the squared loss alone; under the cross-entropy there may be none",
                "say when to look, as `--at training` or `--at 100steps`, or use `loss = \"squared\"`",
            ));
        }
    };
    let y_train = plan.training_targets();
    let training = FunctionDescent {
        k_train_train: &limit.grams.ntk,
        outputs: Outputs::Independent(y_train.n_cols()),
        slope,
        descent,
        ridge: limit.ridge,
    };
    let zeros = |n_rows: usize| Matrix::zeros(n_rows, y_train.n_cols());
    let trained = training.train(&zeros(y_train.n_rows()), &y_train, &[time], Accuracy::default())?;
    let last = trained.last().ok_or_else(|| Error::Check("training without an end".to_owned()))?;
    last.predict(k_test_train, &zeros(k_test_train.n_rows()))
}

/// What is worth knowing of the steps.
fn pace(plan: &Plan, limit: &Limit, horizon: Horizon) -> Pace {
    let learning_rate = match horizon {
        Horizon::Steps { learning_rate, .. } | Horizon::Momentum { learning_rate, .. } => Some(learning_rate),
        Horizon::Time(_) | Horizon::DampedTime { .. } | Horizon::Infinite => None,
    };
    Pace { optimizer: plan.config.train.optimizer, learning_rate, bound: Limit::bound(plan, &limit.flow) }
}

/// A process, with the config's ridge: that of the NTK, and of the NNGP the same fraction of its own mean diagonal.
pub(super) fn process(plan: &Plan, process: Process, (at, spread): (At, Spread), x: &Matrix) -> Result<Predicted> {
    if process == Process::DeepEnsemble {
        ensure_random_start(plan)?;
        ensure_closed_form(plan)?;
    }
    let (x_train, y_train, ..) = plan.parts();
    if spread == Spread::Covariances {
        ensure_covariances_fit(x_train.n_rows(), x.n_rows())?;
    }
    let limit = Limit::of_one(plan)?;
    let horizon = until(plan, &limit, at)?;
    let cross = limit.kernel.cross_grams(x, x_train)?;
    let question = Question { process, limit: &limit, horizon, cross: &cross, y_train };
    let (marginals, covariance) = match spread {
        Spread::Deviations => (question.marginals(x)?, None),
        Spread::Covariances => {
            let posterior = question.posterior(x)?;
            (posterior.marginals(), Some(posterior.covariance))
        }
    };
    let units = plan.split.scaling.target_units();
    let deviation = Matrix::from_fn(x.n_rows(), units.len(), |i, k| units[k] * marginals.variance[i].sqrt());
    Ok(Predicted {
        mean: plan.split.scaling.targets_back(&marginals.mean),
        deviation: Some(deviation),
        covariance: covariance.map(|scaled| Covariance { scaled, units }),
        pace: (process == Process::DeepEnsemble).then(|| pace(plan, &limit, horizon)),
    })
}

/// What is asked, with the kernels that every answer needs.
struct Question<'a> {
    process: Process,
    limit: &'a Limit,
    horizon: Horizon,
    cross: &'a Kernels<Matrix>,
    y_train: &'a Matrix,
}

impl Question<'_> {
    fn marginals(&self, x: &Matrix) -> Result<Marginals> {
        let diagonals = self.limit.kernel.diagonals(x)?;
        match self.process {
            Process::Nngp => eigenbasis_marginals(self.nngp(&self.nngp_flow()?), &diagonals.nngp, self.y_train),
            Process::Ntkgp => eigenbasis_marginals(self.ntk(), &diagonals.ntk, self.y_train),
            Process::DeepEnsemble => {
                let prior = self.prior(&diagonals.nngp[..]);
                let (mean, variance) = ensemble_marginals(self.ntk(), prior, self.horizon, self.y_train)?;
                Ok(Marginals { mean, variance })
            }
        }
    }

    fn posterior(&self, x: &Matrix) -> Result<Posterior> {
        let gram = |kind: KernelKind| self.limit.kernel.of_kind(kind).gram(x);
        match self.process {
            Process::Nngp => {
                eigenbasis_posterior(self.nngp(&self.nngp_flow()?), &gram(KernelKind::Nngp)?, self.y_train)
            }
            Process::Ntkgp => eigenbasis_posterior(self.ntk(), &gram(KernelKind::Ntk)?, self.y_train),
            Process::DeepEnsemble => {
                let k_test_test = gram(KernelKind::Nngp)?;
                let trained = ensemble(self.ntk(), self.prior(&k_test_test), self.horizon, self.y_train)?;
                Ok(Posterior { mean: trained.mean, covariance: trained.covariance })
            }
        }
    }

    fn ntk(&self) -> KernelPredictor<'_> {
        KernelPredictor { flow: &self.limit.flow, k_test_train: &self.cross.ntk }
    }

    fn nngp<'a>(&'a self, flow: &'a Flow) -> KernelPredictor<'a> {
        KernelPredictor { flow, k_test_train: &self.cross.nngp }
    }

    fn nngp_flow(&self) -> Result<Flow> {
        let nngp = &self.limit.grams.nngp;
        let ridge = self.limit.relative_ridge() * nngp.mean_diagonal();
        let cutoff = Flow::rounding_cutoff(nngp.n(), f64::EPSILON);
        Flow::new(nngp, Outputs::Independent(self.y_train.n_cols()), ridge, cutoff)
    }

    fn prior<T>(&self, k_test_test: T) -> Prior<'_, T> {
        Prior { k_train_train: &self.limit.grams.nngp, k_test_train: &self.cross.nngp, k_test_test }
    }
}

/// How long training under the kernel lasts, and by which rule: equal steps on all rows as the optimizer takes them, any others as gradient
/// flow for the same time.
fn until(plan: &Plan, limit: &Limit, at: At) -> Result<Horizon> {
    if at == At::End {
        return Ok(Horizon::Infinite);
    }
    let settings = &plan.config.train;
    let n_steps = match at {
        At::End => return Ok(Horizon::Infinite),
        At::Time(time) => return Ok(Horizon::Time(time)),
        At::Training if settings.stop != Stop::AtTime => {
            return Err(Error::config(
                "train.stop",
                format!("by the rule {} every network has a time of its own", settings.stop.name()),
                "give a time or a number of steps",
            ));
        }
        At::Training => settings.n_steps,
        At::Steps(n_steps) if n_steps > settings.n_steps && settings.schedule != Schedule::Constant => {
            return Err(Error::config(
                "train.schedule",
                format!("it ends after `train.n_steps` = {}, before step {n_steps}", settings.n_steps),
                "raise `train.n_steps`, or use a constant step size",
            ));
        }
        At::Steps(n_steps) => n_steps,
    };
    if settings.optimizer.time_factor().is_none() {
        return Err(Error::config(
            "train.optimizer",
            "a step of Adam takes no time that a kernel would share",
            "give a time of gradient flow",
        ));
    }
    let recipe = limit.recipe(plan, &limit.flow, 0);
    match recipe.optimizer {
        Optimizer::Momentum(momentum) if recipe.schedule == Schedule::Constant && recipe.batches == Batches::Full => {
            Ok(Horizon::Momentum { learning_rate: recipe.learning_rate, momentum, n_steps: n_steps as u64 })
        }
        _ => Ok(horizon(&recipe, n_steps)),
    }
}

/// What the ensemble keeps of its random start is known where the loss is squared.
fn ensure_closed_form(plan: &Plan) -> Result<()> {
    if plan.config.train.loss == Loss::Squared {
        return Ok(());
    }
    Err(Error::config(
        "train.loss",
        "the distribution of trained networks has a closed form under the squared loss alone",
        "use `loss = \"squared\"`; under another `--with ntk` follows the function that starts from 0, and `--with network` trains",
    ))
}

/// What the seed leaves behind is gone with the initial function.
fn ensure_random_start(plan: &Plan) -> Result<()> {
    match plan.config.train.initial_function {
        InitialFunction::Plain => Ok(()),
        initial => Err(Error::config(
            "train.initial_function",
            format!(
                "{initial} networks start at 0 and, infinitely wide, all end at one function: their deviation is 0"
            ),
            "use `plain`; the mean is that of the ntk in any case",
        )),
    }
}

/// Before any kernel is computed.
fn ensure_covariances_fit(n_train: usize, n: usize) -> Result<()> {
    let (n_train, n) = (n_train as f64, n as f64);
    // The kernel of the inputs, the covariance, and four blocks between both sets.
    ensure_fits(
        8.0 * (2.0 * n * n + 4.0 * n * n_train),
        || format!("the covariance of {n} inputs given {n_train} training inputs"),
        "leave out `--covariance`, or give fewer inputs at a time",
    )
}
