//! The study as written: the schema of a config file.
//!
//! Every table refuses keys it does not know, so a misspelt setting is an error with its line, never a silent default. What a value
//! means, and whether it is possible, is decided in [`Plan`](super::Plan).

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::analysis::Analysis;
use super::arch_table::ArchConfig;
use super::reading::{Changes, Scales, parse, read};
use super::regression::{RegressConfig, RegressTable};
use super::vary::Vary;
use crate::data::DataConfig;
use crate::error::{Error, Result};
use crate::net::{Backend, Dtype, InitialFunction, NetworkFormat};
use crate::regress::Ridge;
use crate::train::{Batches, Loss, Optimizer, Schedule, Stop};

/// A config file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is asked.
    #[serde(default)]
    pub study: StudyConfig,
    /// On which data.
    pub data: DataConfig,
    /// Of which networks.
    pub arch: ArchConfig,
    /// Trained how.
    pub train: TrainConfig,
    /// With which random numbers.
    #[serde(default)]
    pub seeds: SeedConfig,
    /// Computed where.
    #[serde(default)]
    pub compute: ComputeConfig,
    /// Judged how; stated before the run.
    #[serde(default)]
    pub verdict: VerdictConfig,
    /// What is kept beside the rows.
    #[serde(default)]
    pub output: OutputConfig,
    /// What runs through lists.
    #[serde(default, skip_serializing_if = "Vary::is_empty")]
    pub vary: Vary,
    /// Smaller and larger versions; those of the chosen one are in effect by now.
    #[serde(default, skip_serializing, rename = "scale")]
    _scale: Scales,
    /// What `ntk regress` does with this file; a study of networks checks it and leaves it alone.
    #[serde(default, skip_serializing, rename = "regress")]
    _regress: Option<RegressTable>,
}

/// `[study]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StudyConfig {
    /// Names the run folder.
    pub name: String,
    /// Heads the report.
    pub question: String,
    /// What reads the answer from the rows; absent: the equivalence at each depth, or, where settings vary, the map over them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
}

impl Default for StudyConfig {
    fn default() -> Self {
        Self {
            name: "study".to_owned(),
            question: "Does kernel regression with the NTK predict like the trained network?".to_owned(),
            analysis: None,
        }
    }
}

/// `[train]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// The rule of a step.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Step size.
    #[serde(default)]
    pub step: StepSize,
    /// How it changes.
    #[serde(default)]
    pub schedule: Schedule,
    /// The rows a step sees.
    #[serde(default)]
    pub batches: Batches,
    /// What is made small.
    #[serde(default)]
    pub loss: Loss,
    /// Pull to zero: this times the parameters in the gradient.
    #[serde(default)]
    pub weight_decay: f64,
    /// Number of steps, at most; with a fraction of the bound, of a network as stable as its limit.
    pub n_steps: usize,
    /// When training ends.
    #[serde(default)]
    pub stop: Stop,
    /// Checkpoints, spaced logarithmically in time.
    #[serde(default = "default_n_checkpoints")]
    pub n_checkpoints: usize,
    /// What is looked at there.
    #[serde(default)]
    pub watch: WatchLevel,
    /// Ridge of the kernel and pull to the initialization of the network, alike.
    #[serde(default)]
    pub ridge: Ridge,
    /// What is done about the function the network starts from.
    #[serde(default)]
    pub initial_function: InitialFunction,
    /// Lets a step size above the stability bound through, to watch the divergence.
    #[serde(default)]
    pub allow_unstable: bool,
}

/// What is recorded of a network at every checkpoint; each level includes the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WatchLevel {
    /// The losses, the residual by eigenvectors, and how far the parameters have moved: two forward passes.
    Function,
    /// The empirical kernel's drift, its alignment with its start and with the targets, and its effective rank: one kernel.
    #[default]
    Kernel,
    /// Every affine map's drift, the kernel's eigenvalues, and the units that have changed sign: one kernel of every map, and an
    /// eigendecomposition.
    Everything,
}

fn default_n_checkpoints() -> usize {
    12
}

impl TrainConfig {
    /// The optimizer in words, with the batches and the schedule where they are not all rows and constant.
    #[must_use]
    pub fn recipe(&self) -> String {
        let batches = match &self.batches {
            Batches::Full | Batches::Listed(_) => None,
            Batches::Shuffled(size) => Some(format!("batches of {size}, shuffled")),
            Batches::Drawn(size) => Some(format!("batches of {size}, drawn")),
        };
        let schedule = (self.schedule != Schedule::Constant).then(|| format!("schedule {}", self.schedule.name()));
        let decay = (self.weight_decay > 0.0).then(|| format!("weight decay {}", self.weight_decay));
        let parts = [Some(self.optimizer.name().to_owned()), batches, schedule, decay];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// The step size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepSize {
    /// This number, for every network.
    Absolute(f64),
    /// This fraction of the stability bound 2 N O / (s_max + ridge), at most: `n_steps` steps at this fraction of the analytic kernel's
    /// bound set the time, and a network whose own kernel at initialization has a lower bound reaches it in more, smaller steps. So
    /// both sides of the comparison are stable, and all networks of one kernel are compared at the same time.
    FractionOfBound(f64),
    /// The step size in function space: the one that moves the function as this does in the NTK parametrization with laziness 1. The
    /// parameters' step size is this times the ratio of both kernels' mean diagonals, so one value serves ntk, standard and mup.
    FunctionSpace(f64),
}

impl Default for StepSize {
    fn default() -> Self {
        Self::FractionOfBound(0.5)
    }
}

/// `[seeds]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeedConfig {
    /// Root of every random stream.
    pub root: u64,
    /// Networks per depth and width.
    pub n_seeds: usize,
}

impl Default for SeedConfig {
    fn default() -> Self {
        Self { root: 0, n_seeds: 5 }
    }
}

/// `[compute]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ComputeConfig {
    /// Burn backend; the first one compiled in, where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<Backend>,
    /// Number type of the networks and their empirical kernels; analytic kernels, regression and the decomposition are always f64.
    pub dtype: Dtype,
    /// Threads; all of the machine's, where no number is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
}

/// The most threads that can be asked for.
pub const MAX_THREADS: usize = 1024;

impl ComputeConfig {
    /// Refuses what no machine can do.
    ///
    /// # Errors
    /// A thread count of 0, or one that would keep the system busy with threads alone.
    pub(super) fn check(&self) -> Result<()> {
        match self.threads {
            Some(0) => Err(Error::config("compute.threads", "0 is too few", "leave it out to use all cores")),
            Some(n) if n > MAX_THREADS => Err(Error::config(
                "compute.threads",
                format!("{n} is more than {MAX_THREADS}"),
                "leave it out to use all cores; more threads than cores gain nothing",
            )),
            _ => Ok(()),
        }
    }
}

/// `[verdict]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerdictConfig {
    /// What still counts as alike: of a network and its kernel the RMS gap, in units of the target's standard deviation; of two kernels the
    /// relative difference of their test errors.
    pub margin: f64,
    /// Confidence level of every interval.
    pub confidence: f64,
}

impl VerdictConfig {
    /// Refuses what cannot be judged by.
    ///
    /// # Errors
    /// By its key.
    pub(super) fn validate(&self) -> Result<()> {
        if !(self.margin > 0.0 && self.margin.is_finite()) {
            return Err(Error::config(
                "verdict.margin",
                format!("{} is not a positive number", self.margin),
                "give the largest RMS gap, in target standard deviations, or of kernels the largest relative difference, that still counts as \
                 alike",
            ));
        }
        // The second bound is 1 in exact arithmetic; a level that rounds to certainty has an interval without ends.
        if !(self.confidence > 0.0 && 0.5 * (1.0 + self.confidence) < 1.0) {
            return Err(Error::config(
                "verdict.confidence",
                format!("{} is not between 0 and 1", self.confidence),
                "use 0.95 for 95 % intervals",
            ));
        }
        Ok(())
    }
}

impl Default for VerdictConfig {
    fn default() -> Self {
        Self { margin: 0.1, confidence: 0.95 }
    }
}

/// `[output]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Keep every point's kernels as .npy.
    pub kernels: bool,
    /// Keep every trained network: as `safetensors`, which Python reads, or as `burn`, Burn's own record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networks: Option<NetworkFormat>,
}

/// What a kernel alone needs of a config file: `[arch]`, and where the random network comes from. The tables of a study may be there
/// too, and are checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelConfig {
    /// Of which network.
    pub arch: ArchConfig,
    /// With which random numbers.
    #[serde(default)]
    pub seeds: SeedConfig,
    /// Computed where.
    #[serde(default)]
    pub compute: ComputeConfig,
    #[serde(default, rename = "study")]
    _study: Option<StudyConfig>,
    #[serde(default, rename = "data")]
    _data: Option<DataConfig>,
    #[serde(default)]
    train: Option<TrainConfig>,
    #[serde(default, rename = "verdict")]
    _verdict: Option<VerdictConfig>,
    #[serde(default, rename = "output")]
    _output: Option<OutputConfig>,
    #[serde(default, rename = "regress")]
    _regress: Option<RegressTable>,
    #[serde(default, rename = "vary")]
    _vary: Option<Vary>,
    #[serde(default, rename = "scale")]
    _scale: Scales,
}

impl KernelConfig {
    /// As [`Config::load`].
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load(path: &Path, changes: &Changes<'_>) -> Result<Self> {
        let config: Self = parse(&read(path)?, path, changes)?;
        config.compute.check()?;
        Ok(config)
    }

    /// What trained networks do about the function they start from.
    #[must_use]
    pub fn initial_function(&self) -> InitialFunction {
        self.train.as_ref().map_or(InitialFunction::default(), |train| train.initial_function)
    }
}

impl Config {
    /// Reads a config file and applies the changes of the command line.
    ///
    /// # Errors
    /// An absent file, text that is not TOML, an unknown key, a wrong type: with line, column and what was expected. An impossible
    /// thread count too, because threads are set before anything else is looked at.
    pub fn load(path: &Path, changes: &Changes<'_>) -> Result<Self> {
        let config: Self = parse(&read(path)?, path, changes)?;
        config.compute.check()?;
        Ok(config)
    }

    /// The networks that a comparison of kernels trains beside them.
    ///
    /// # Errors
    /// Without `[arch]` or `[train]`.
    pub(super) fn of_regression(config: &RegressConfig) -> Result<Self> {
        let missing = |table: &str| {
            let remedy = format!("add `[{table}]`, or leave `network` out of `regress.kernels`");
            Error::config(table, "networks are asked for, and this table is not there", remedy)
        };
        Ok(Self {
            study: config.study.clone(),
            data: config.data.clone(),
            arch: config.arch.clone().ok_or_else(|| missing("arch"))?,
            train: config.train.clone().ok_or_else(|| missing("train"))?,
            seeds: config.seeds.clone(),
            compute: config.compute.clone(),
            verdict: config.verdict.clone(),
            output: OutputConfig::default(),
            vary: Vary::new(),
            _scale: Scales::new(),
            _regress: None,
        })
    }

    /// The config with every default written out.
    ///
    /// # Errors
    /// Never for a config that was read; the encoder's own failures are passed on.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|reason| Error::Check(format!("the config cannot be written as TOML: {reason}")))
    }
}
