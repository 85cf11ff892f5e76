//! The comparison of kernels as written.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::DataConfig;
use crate::error::{Error, Result};
use crate::linalg::ensure_fits;
use crate::regress::{Criterion, Iteration};
use crate::study::arch_table::ArchConfig;
use crate::study::config::{ComputeConfig, OutputConfig, SeedConfig, StudyConfig, TrainConfig, VerdictConfig};
use crate::study::reading::{Changes, Scales, parse, read};
use crate::study::vary::Vary;

/// What a comparison of kernels takes of a config file. The tables of a study of networks may be there too, and are checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressConfig {
    /// What is asked.
    #[serde(default)]
    pub study: StudyConfig,
    /// On which data.
    pub data: DataConfig,
    /// Of which networks, where kernels of networks are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<ArchConfig>,
    /// How networks are trained, where they are compared with kernels; else checked and left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<TrainConfig>,
    /// Which kernels, and how they get their hyperparameters.
    #[serde(default)]
    pub regress: RegressTable,
    /// What runs through lists.
    #[serde(default, skip_serializing_if = "Vary::is_empty")]
    pub vary: Vary,
    /// With which random numbers.
    #[serde(default)]
    pub seeds: SeedConfig,
    /// Computed where.
    #[serde(default)]
    pub compute: ComputeConfig,
    /// Judged how.
    #[serde(default)]
    pub verdict: VerdictConfig,
    #[serde(default, rename = "output", skip_serializing)]
    _output: Option<OutputConfig>,
    #[serde(default, rename = "scale", skip_serializing)]
    _scale: Scales,
}

/// `[regress]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegressTable {
    /// The kernels.
    pub kernels: Vec<KernelFamily>,
    /// What their hyperparameters are chosen by.
    pub select: Criterion,
    /// Ridges to choose from, each over the mean diagonal of the kernel matrix; a solver that is not exact leaves 0 out.
    pub ridges: Vec<f64>,
    /// Length scales of a stationary kernel to choose from, each over the median distance of the training inputs.
    pub length_scales: Vec<f64>,
    /// How the chosen regression is solved.
    pub solver: Solver,
    /// Training rows to choose by, where the solver is not exact.
    pub n_selection: usize,
    /// Rows, of the test part first, whose spectrum predicts the test error; 0 predicts none.
    pub n_pool: usize,
}

impl Default for RegressTable {
    fn default() -> Self {
        Self {
            kernels: KernelFamily::KERNELS.to_vec(),
            select: Criterion::LeaveOneOut,
            ridges: std::iter::once(0.0).chain((-8..=2).map(|exponent| 10.0_f64.powi(exponent))).collect(),
            length_scales: vec![0.25, 0.5, 1.0, 2.0, 4.0],
            solver: Solver::Exact,
            n_selection: 4000,
            n_pool: 0,
        }
    }
}

/// A kernel that takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelFamily {
    /// The neural tangent kernel of each architecture.
    Ntk,
    /// The Gaussian process of each architecture at initialization.
    Nngp,
    /// exp(-r / l).
    Laplace,
    /// Matern-5/2.
    Matern,
    /// exp(-r^2 / 2 l^2).
    Rbf,
    /// <x, x'> / d + 1: ridge regression on the inputs.
    Linear,
    /// No kernel: each architecture itself, trained.
    Network,
}

impl KernelFamily {
    /// All kernels.
    pub const KERNELS: [Self; 6] = [Self::Ntk, Self::Nngp, Self::Laplace, Self::Matern, Self::Rbf, Self::Linear];

    /// Whether it is that of a network, or a network.
    #[must_use]
    pub fn is_of_network(self) -> bool {
        matches!(self, Self::Ntk | Self::Nngp | Self::Network)
    }

    /// Whether it is one of the distance alone.
    #[must_use]
    pub fn is_stationary(self) -> bool {
        matches!(self, Self::Laplace | Self::Matern | Self::Rbf)
    }
}

impl fmt::Display for KernelFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ntk => "ntk",
            Self::Nngp => "nngp",
            Self::Laplace => "laplace",
            Self::Matern => "matern",
            Self::Rbf => "rbf",
            Self::Linear => "linear",
            Self::Network => "network",
        })
    }
}

/// How a regression is solved.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Solver {
    /// The whole matrix in memory, taken apart.
    #[default]
    Exact,
    /// Products alone, with parts of the matrix made on the way, or kept in single precision where they fit.
    ConjugateGradients(Iteration),
    /// An approximation by columns of the matrix.
    Nystrom(Rank),
    /// An approximation by random Fourier features, of stationary kernels alone.
    RandomFeatures(Rank),
}

/// How large an approximation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rank {
    /// Columns, or features.
    pub rank: usize,
}

impl Solver {
    /// As rows name it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::ConjugateGradients(_) => "conjugate-gradients",
            Self::Nystrom(_) => "nystrom",
            Self::RandomFeatures(_) => "random-features",
        }
    }

    /// Refuses what does not fit into the memory that is free now, for `n` training rows.
    ///
    /// # Errors
    /// With both sizes and a way out.
    pub(super) fn ensure_fits(self, n: usize) -> Result<()> {
        let (n_numbers, remedy) = match self {
            // The kernel, its eigenvectors, and what the decomposition works in.
            Self::Exact => (
                5.0 * (n as f64).powi(2),
                "lower `data.n_train`, or use `regress.solver = { conjugate-gradients = {} }`, which needs no matrix",
            ),
            // Columns, and the leading ones of them.
            Self::ConjugateGradients(Iteration { rank, .. }) | Self::Nystrom(Rank { rank }) => {
                (2.0 * n as f64 * rank.min(n) as f64, "take fewer columns, a smaller `rank` of `regress.solver`")
            }
            Self::RandomFeatures(Rank { rank }) => {
                (n as f64 * rank as f64, "take fewer features, a smaller `rank` of `regress.solver`")
            }
        };
        ensure_fits(8.0 * n_numbers, || format!("regression with {n} training rows by `{}`", self.name()), remedy)
    }
}

impl RegressConfig {
    /// Reads a config file and applies the changes of the command line.
    ///
    /// # Errors
    /// As [`Config::load`](crate::study::Config::load).
    pub fn load(path: &Path, changes: &Changes<'_>) -> Result<Self> {
        let config: Self = parse(&read(path)?, path, changes)?;
        config.compute.check()?;
        Ok(config)
    }

    /// Whether the file at `path` is for a comparison of kernels alone: it trains nothing.
    ///
    /// # Errors
    /// An absent file.
    pub fn is_at(path: &Path) -> Result<bool> {
        // Text that is not TOML is refused, with its line, by whoever loads it.
        let table: toml::Table = toml::from_str(&read(path)?).unwrap_or_default();
        Ok(!table.is_empty() && !table.contains_key("train"))
    }

    /// The config with every default written out.
    ///
    /// # Errors
    /// Never for a config that was read; the encoder's own failures are passed on.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|reason| Error::Check(format!("the config cannot be written as TOML: {reason}")))
    }
}

impl RegressTable {
    /// Refuses what cannot be.
    ///
    /// # Errors
    /// By its key.
    pub(super) fn validate(&self) -> Result<()> {
        let some = |is_empty: bool, key: &str| match is_empty {
            true => Err(Error::config(format!("regress.{key}"), "the list is empty", "give at least one value")),
            false => Ok(()),
        };
        some(self.kernels.is_empty(), "kernels")?;
        some(self.ridges.is_empty(), "ridges")?;
        some(self.length_scales.is_empty(), "length_scales")?;
        if let Some(ridge) = self.ridges.iter().find(|ridge| !(ridge.is_finite() && **ridge >= 0.0)) {
            return Err(Error::config(
                "regress.ridges",
                format!("a ridge cannot be {ridge}"),
                "give finite numbers that are not negative; 0 is regression without a ridge",
            ));
        }
        if let Some(scale) = self.length_scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
            return Err(Error::config(
                "regress.length_scales",
                format!("a length scale cannot be {scale}"),
                "give positive numbers; 1 is the median distance between training inputs",
            ));
        }
        let key = format!("regress.solver.{}", self.solver.name());
        match self.solver {
            Solver::Exact => return Ok(()),
            Solver::ConjugateGradients(iteration) => iteration.validate(&key)?,
            Solver::Nystrom(Rank { rank }) | Solver::RandomFeatures(Rank { rank }) if rank == 0 => {
                return Err(Error::config(format!("{key}.rank"), "0 is too few", "give some hundreds"));
            }
            Solver::Nystrom(_) => {}
            Solver::RandomFeatures(_) => {
                if let Some(family) = self.kernels.iter().find(|family| !family.is_stationary()) {
                    return Err(Error::config(
                        key,
                        format!("the kernel `{family}` is not stationary, and has no Fourier features"),
                        "use `solver = { nystrom = { rank = 1000 } }`, or leave it out of `regress.kernels`",
                    ));
                }
            }
        }
        if self.n_selection < 2 {
            return Err(Error::config("regress.n_selection", "less than 2 rows choose nothing", "give some hundreds"));
        }
        if self.ridges.iter().all(|ridge| *ridge == 0.0) {
            return Err(Error::config(
                "regress.ridges",
                format!("the solver `{}` cannot do without a ridge", self.solver.name()),
                "give one above 0, or use `solver = \"exact\"`",
            ));
        }
        Ok(())
    }
}
