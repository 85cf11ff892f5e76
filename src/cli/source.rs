//! A config file, and what the command line changes in it.

use std::path::{Path, PathBuf};

use clap::Args;
use ntk::error::Result;
use ntk::linalg;
use ntk::net::{Backend, Dtype};
use ntk::study::regression::{RegressConfig, RegressPlan};
use ntk::study::{Changes, ComputeConfig, Config, KernelConfig, Plan, Study};

/// A config file and what the command line changes in it.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// The config file
    pub(super) config: PathBuf,
    /// The size of the study: laptop is the file as it is written, other sizes are its `[scale.NAME]` tables
    #[arg(long, value_name = "smoke|laptop|full")]
    scale: Option<String>,
    /// Change a setting, as in `--set arch.width=256`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) overrides: Vec<String>,
    /// Burn backend; `ntk backends` lists them
    #[arg(long, value_name = "NAME")]
    pub(super) backend: Option<Backend>,
    /// Number type of the networks
    #[arg(long, value_name = "f32|f64", value_parser = dtype)]
    pub(super) dtype: Option<Dtype>,
}

impl Source {
    pub(super) fn load(&self, threads: Option<usize>) -> Result<Config> {
        let mut config = Config::load(&self.config, &self.changes())?;
        self.change(&mut config.compute, threads);
        Ok(config)
    }

    /// The part of a config that kernels need, with threads set.
    pub(super) fn kernel(&self, threads: Option<usize>) -> Result<KernelConfig> {
        let mut config = KernelConfig::load(&self.config, &self.changes())?;
        self.change(&mut config.compute, threads);
        set_threads(&config.compute);
        Ok(config)
    }

    fn changes(&self) -> Changes<'_> {
        Changes { scale: self.scale.as_deref(), settings: &self.overrides }
    }

    /// The study, with threads set before anything is computed; the config's folder is where relative paths start.
    pub(super) fn study(&self, threads: Option<usize>) -> Result<Study> {
        let config = self.load(threads)?;
        set_threads(&config.compute);
        Study::new(config, self.config.parent().unwrap_or(Path::new(".")))
    }

    /// The study without what varies.
    pub(super) fn plan(&self, threads: Option<usize>) -> Result<Plan> {
        let config = self.load(threads)?;
        set_threads(&config.compute);
        Plan::new(config, self.config.parent().unwrap_or(Path::new(".")))
    }

    pub(super) fn load_regression(&self, threads: Option<usize>) -> Result<RegressConfig> {
        let mut config = RegressConfig::load(&self.config, &self.changes())?;
        self.change(&mut config.compute, threads);
        Ok(config)
    }

    /// The comparison of kernels, likewise.
    pub(super) fn regression(&self, threads: Option<usize>) -> Result<RegressPlan> {
        let (config, base) = self.regression_at(threads)?;
        RegressPlan::new(config, base)
    }

    /// The part of a config that kernels on data need, with threads set, and the folder where relative paths start.
    pub(super) fn regression_at(&self, threads: Option<usize>) -> Result<(RegressConfig, &Path)> {
        let config = self.load_regression(threads)?;
        set_threads(&config.compute);
        Ok((config, self.config.parent().unwrap_or(Path::new("."))))
    }

    fn change(&self, compute: &mut ComputeConfig, threads: Option<usize>) {
        compute.backend = self.backend.or(compute.backend);
        compute.dtype = self.dtype.unwrap_or(compute.dtype);
        compute.threads = threads.or(compute.threads);
    }
}

fn set_threads(compute: &ComputeConfig) {
    // An impossible number is refused by the plan.
    if let Some(n_threads) = compute.threads.filter(|n| *n > 0) {
        linalg::set_threads(n_threads);
    }
}

fn dtype(name: &str) -> std::result::Result<Dtype, String> {
    match name {
        "f32" => Ok(Dtype::F32),
        "f64" => Ok(Dtype::F64),
        _ => Err("it is f32 or f64".to_owned()),
    }
}
