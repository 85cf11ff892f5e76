//! One setting of a study: data loaded and split, every value checked, every point with its identity.

use std::collections::HashSet;
use std::path::{Component, Path};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::config::{Config, StepSize, TrainConfig};
use crate::arch::Architecture;
use crate::data::{DataConfig, Dataset, Loader, Split, Task};
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::net::{Backend, Dtype, ensure_countable};
use crate::record::{Computation, DataFacts, Machine, SCHEMA_VERSION};
use crate::train::{Loss, Optimizer, Problem, Stop};

/// Beyond these numbers a setting is a slip of the keyboard, and would end in a full memory, not in a message.
const MAX_POINTS: usize = 100_000;
const MAX_CHECKPOINTS: usize = 1000;

/// One setting of a study, checked.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it has of the settings that vary, `key=value` with spaces between; empty where nothing does.
    pub varied: String,
    /// As written, with overrides applied.
    pub config: Config,
    /// The data before the split; settings share what they have in common.
    pub dataset: Arc<Dataset>,
    /// What networks and kernels see.
    pub split: Arc<Split>,
    /// Where networks are computed.
    pub backend: Backend,
    /// Threads.
    pub n_threads: usize,
    /// The networks, in the order in which they are computed.
    pub points: Vec<PointPlan>,
}

/// One network to be trained.
#[derive(Debug, Clone, PartialEq)]
pub struct PointPlan {
    /// Hash of everything that decides its numbers.
    pub id: String,
    /// The network.
    pub architecture: Architecture,
    /// Index of its random stream.
    pub seed: u64,
}

/// Everything that decides a point's numbers; hashed in this order.
#[derive(Serialize)]
struct Identity<'a> {
    schema: u32,
    data_digest: &'a str,
    data: &'a DataConfig,
    architecture: &'a Architecture,
    train: &'a TrainConfig,
    root_seed: u64,
    seed: u64,
    backend: Backend,
    dtype: Dtype,
}

impl Plan {
    /// Checks `config`, loads its data and lays out its points. Relative paths start at `base`, the config file's folder.
    ///
    /// # Errors
    /// An impossible value, by its key; data that cannot be used, by its place.
    pub fn new(config: Config, base: &Path) -> Result<Self> {
        Self::labelled(String::new(), config, &mut Loader::new(base))
    }

    pub(super) fn labelled(varied: String, config: Config, loader: &mut Loader<'_>) -> Result<Self> {
        check_values(&config)?;
        let backend = config.compute.backend.unwrap_or_else(Backend::preferred);
        let (dataset, split) = loader.load(&config.data, config.seeds.root)?;
        config.train.batches.check(split.x_train.n_rows())?;
        ensure_classes(&config.train, dataset.task)?;
        let architectures = config.arch.architectures(split.x_train.n_cols(), split.y_train.n_cols())?;
        check_architectures(&architectures, config.seeds.n_seeds)?;
        let n_seeds = config.seeds.n_seeds as u64;
        // What was left to a default is as much a setting as what was written.
        let data = DataConfig {
            n_train: Some(split.x_train.n_rows()),
            n_test: Some(split.x_test.n_rows()),
            ..config.data.clone()
        };
        let mut points = Vec::with_capacity(architectures.len() * config.seeds.n_seeds);
        for architecture in architectures {
            for seed in 0..n_seeds {
                let identity = Identity {
                    schema: SCHEMA_VERSION,
                    data_digest: &dataset.digest,
                    data: &data,
                    architecture: &architecture,
                    train: &config.train,
                    root_seed: config.seeds.root,
                    seed,
                    backend,
                    dtype: config.compute.dtype,
                };
                points.push(PointPlan { id: digest(&identity)?, architecture: architecture.clone(), seed });
            }
        }
        let n_threads =
            config.compute.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        Ok(Self { varied, config, dataset, split, backend, n_threads, points })
    }

    /// Of data that are there already, with points that need no identity of their own.
    pub(super) fn of_parts(
        config: Config,
        dataset: Arc<Dataset>,
        split: Arc<Split>,
        points: Vec<PointPlan>,
    ) -> Result<Self> {
        check_values(&config)?;
        config.train.batches.check(split.x_train.n_rows())?;
        let backend = config.compute.backend.unwrap_or_else(Backend::preferred);
        let n_threads = config.compute.threads.unwrap_or(1);
        Ok(Self { varied: String::new(), config, dataset, split, backend, n_threads, points })
    }

    /// Training entries N x O, the normalization of loss and time.
    #[must_use]
    pub fn n_entries(&self) -> usize {
        self.split.y_train.values().len()
    }

    /// The standard deviation of the training targets (RMS over outputs), the unit of every gap and error; 1 where they are
    /// standardized.
    #[must_use]
    pub fn target_deviation(&self) -> f64 {
        self.split.target_deviation(&self.config.data)
    }

    /// The training targets as the loss takes them: for the cross-entropy the shares of the classes, whatever the scaling.
    #[must_use]
    pub fn training_targets(&self) -> Matrix {
        let y_train = &self.split.y_train;
        match self.config.train.loss {
            Loss::Squared | Loss::Huber(_) => y_train.clone(),
            Loss::CrossEntropy => self.split.class_shares(y_train),
        }
    }

    /// What a network is to fit, seen at `x_test`.
    #[must_use]
    pub fn problem<'a>(&'a self, y_train: &'a Matrix, x_test: &'a Matrix) -> Problem<'a> {
        let Split { x_train, x_validation, y_validation, .. } = &*self.split;
        let validation = (x_validation.n_rows() > 0).then_some((x_validation, y_validation));
        Problem { x_train, y_train, x_test, validation }
    }

    /// As [`Split::accuracy`].
    #[must_use]
    pub fn accuracy(&self, prediction: &Matrix) -> Option<f64> {
        self.split.accuracy(self.dataset.task, prediction)
    }

    /// Training inputs and targets, test inputs and targets.
    #[must_use]
    pub fn parts(&self) -> (&Matrix, &Matrix, &Matrix, &Matrix) {
        (&self.split.x_train, &self.split.y_train, &self.split.x_test, &self.split.y_test)
    }
}

/// What was found in the data of all settings and done about it, each once.
pub(super) fn distinct_notes<'a>(splits: impl Iterator<Item = &'a Split>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    splits.flat_map(|split| &split.notes).map(String::as_str).filter(|note| seen.insert(*note)).collect()
}

/// What a manifest says of the data: every data set once, with the sizes of the first setting and the notes of all.
pub(super) fn data_facts<'a>(settings: impl Iterator<Item = (&'a Dataset, &'a Split)>) -> Vec<DataFacts> {
    let mut all: Vec<DataFacts> = Vec::new();
    for (dataset, split) in settings {
        let Some(facts) = all.iter_mut().find(|facts| facts.name == dataset.name) else {
            all.push(facts_of_one(dataset, split));
            continue;
        };
        for note in &split.notes {
            if !facts.notes.contains(note) {
                facts.notes.push(note.clone());
            }
        }
    }
    all
}

fn facts_of_one(dataset: &Dataset, split: &Split) -> DataFacts {
    DataFacts {
        name: dataset.name.clone(),
        citation: dataset.citation.clone(),
        n_rows: dataset.n_rows(),
        n_train: split.x_train.n_rows(),
        n_test: split.x_test.n_rows(),
        d_in: split.x_train.n_cols(),
        d_out: split.y_train.n_cols(),
        notes: split.notes.clone(),
    }
}

/// This program on this computer, from now on.
pub(super) fn computed_here(n_threads: usize) -> Computation {
    Computation {
        started: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        program: format!("ntk {}", env!("CARGO_PKG_VERSION")),
        commit: env!("NTK_COMMIT").to_owned(),
        libraries: ["burn", "faer", "plotters"].into_iter().filter_map(library_version).collect(),
        n_threads,
        machine: Machine::here(),
    }
}

fn check_values(config: &Config) -> Result<()> {
    ensure_folder_name(&config.study.name)?;
    ensure_positive(
        config.seeds.n_seeds,
        "seeds.n_seeds",
        "give at least one seed; 5 or more for an interval worth having",
    )?;
    config.compute.check()?;
    check_train(&config.train, config.data.n_validation)?;
    config.verdict.validate()
}

fn ensure_positive(value: usize, key: &str, remedy: &str) -> Result<()> {
    if value > 0 { Ok(()) } else { Err(Error::config(key, "0 is too few", remedy)) }
}

/// Refuses what no training can do; batches are compared with the data when these are there.
pub(super) fn check_train(train: &TrainConfig, n_validation: usize) -> Result<()> {
    ensure_positive(train.n_steps, "train.n_steps", "give at least one step")?;
    if train.n_checkpoints < 2 {
        return Err(Error::config(
            "train.n_checkpoints",
            format!("{} is too few", train.n_checkpoints),
            "give at least 2: the start and the end",
        ));
    }
    if train.n_checkpoints > MAX_CHECKPOINTS {
        return Err(Error::config(
            "train.n_checkpoints",
            format!("{} is more than {MAX_CHECKPOINTS}, and each costs a kernel", train.n_checkpoints),
            "give some tens",
        ));
    }
    train.ridge.validate("train.ridge")?;
    check_recipe(train, n_validation)?;
    match train.step {
        StepSize::Absolute(value) if !(value > 0.0 && value.is_finite()) => {
            Err(Error::config("train.step.absolute", format!("{value} is not a positive number"), "give one"))
        }
        StepSize::FractionOfBound(value) if !(value > 0.0 && value.is_finite()) => Err(Error::config(
            "train.step.fraction-of-bound",
            format!("{value} is not a positive number"),
            "give a fraction below 1; 0.5 learns every direction without oscillation",
        )),
        StepSize::FractionOfBound(value) if value >= 1.0 && !train.allow_unstable => Err(Error::config(
            "train.step.fraction-of-bound",
            format!("{value} is at or above the stability bound: gradient descent would diverge"),
            "give a fraction below 1, or set `train.allow_unstable = true` to watch it diverge",
        )),
        StepSize::FunctionSpace(value) if !(value > 0.0 && value.is_finite()) => {
            Err(Error::config("train.step.function-space", format!("{value} is not a positive number"), "give one"))
        }
        StepSize::Absolute(_) | StepSize::FractionOfBound(_) | StepSize::FunctionSpace(_) => Ok(()),
    }
}

/// Refuses a loss of classes where there are none.
pub(super) fn ensure_classes(train: &TrainConfig, task: Task) -> Result<()> {
    if train.loss != Loss::CrossEntropy || task == Task::Classification {
        return Ok(());
    }
    Err(Error::config(
        "train.loss",
        "the cross-entropy is one of classes, and these data are numbers",
        "use `loss = \"squared\"`, or say `task = \"classification\"` of a csv source",
    ))
}

/// Refuses an optimizer, schedule or rule that means nothing.
fn check_recipe(train: &TrainConfig, n_validation: usize) -> Result<()> {
    train.optimizer.check("train.optimizer")?;
    train.schedule.check("train.schedule")?;
    train.stop.check("train.stop")?;
    train.loss.validate("train.loss")?;
    if !(train.weight_decay >= 0.0 && train.weight_decay.is_finite()) {
        let problem = format!("{} is not a number from 0 up", train.weight_decay);
        return Err(Error::config("train.weight_decay", problem, "1e-4 is usual"));
    }
    if matches!((train.optimizer, train.step), (Optimizer::Adam { .. }, StepSize::FractionOfBound(_))) {
        return Err(Error::config(
            "train.step.fraction-of-bound",
            "Adam has no stability bound: its steps do not scale with the gradient",
            "give `step = { absolute = 1e-3 }`",
        ));
    }
    match train.stop {
        Stop::Validation { .. } if n_validation == 0 => Err(Error::config(
            "train.stop.validation",
            "there are no validation rows to look at",
            "set `data.n_validation`, for example to a fifth of the training rows",
        )),
        Stop::Validation { .. } if train.loss == Loss::CrossEntropy => Err(Error::config(
            "train.stop.validation",
            "it looks at squared errors, which the cross-entropy does not make small",
            "use another rule, or the squared loss",
        )),
        _ => Ok(()),
    }
}

/// Whether the name stays inside the folder of all runs, and in one line of the report.
/// A study's name names its run folder.
pub(super) fn ensure_folder_name(name: &str) -> Result<()> {
    let mut components = Path::new(name).components();
    if matches!((components.next(), components.next()), (Some(Component::Normal(only)), None) if only == name)
        && !name.chars().any(char::is_control)
    {
        return Ok(());
    }
    Err(Error::config(
        "study.name",
        format!("`{name}` cannot name a folder"),
        "use letters, digits and hyphens; `--out` chooses another place for the results",
    ))
}

/// Refuses what would be counted twice or could not be held.
fn check_architectures(architectures: &[Architecture], n_seeds: usize) -> Result<()> {
    for (i, architecture) in architectures.iter().enumerate() {
        if architectures[..i].contains(architecture) {
            return Err(Error::config(
                "arch",
                format!("the network of depth {}, width {} is there twice", architecture.depth(), architecture.width()),
                "name every `depth` and `width` once; at depth 0 there is no width to vary",
            ));
        }
        ensure_countable(architecture)?;
    }
    let n_points = architectures.len().saturating_mul(n_seeds);
    if n_points > MAX_POINTS {
        return Err(Error::config(
            "seeds.n_seeds",
            format!("{n_seeds} seeds of {} architectures are more than {MAX_POINTS} networks", architectures.len()),
            "lower it; some tens of seeds make a narrow interval",
        ));
    }
    Ok(())
}

/// 32 hexadecimal digits of the hash of a value's JSON, whose fields have a fixed order.
pub(super) fn digest(value: &impl Serialize) -> Result<String> {
    let json =
        serde_json::to_vec(value).map_err(|reason| Error::Check(format!("settings cannot be hashed: {reason}")))?;
    let mut hex = blake3::hash(&json).to_hex().to_string();
    hex.truncate(32);
    Ok(hex)
}

/// `name version` from the lock file this program was built with.
fn library_version(name: &str) -> Option<String> {
    let lock = include_str!("../../Cargo.lock");
    let after = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?.1;
    Some(format!("{name} {}", after.split_once('"')?.0))
}
