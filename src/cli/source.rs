//! A config file as every command that runs a study takes it.

use std::path::{Path, PathBuf};

use clap::Args;
use ntk::error::Result;
use ntk::linalg;
use ntk::net::{Backend, Dtype};
use ntk::study::{Config, Plan};

/// A config file and what the command line changes in it.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// The study's config file
    pub(super) config: PathBuf,
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
        let mut config = Config::load(&self.config, &self.overrides)?;
        if let Some(backend) = self.backend {
            config.compute.backend = Some(backend);
        }
        if let Some(dtype) = self.dtype {
            config.compute.dtype = dtype;
        }
        if threads.is_some() {
            config.compute.threads = threads;
        }
        Ok(config)
    }

    /// Threads are set before anything is computed; the config's folder is where relative paths start.
    pub(super) fn plan(&self, threads: Option<usize>) -> Result<Plan> {
        let config = self.load(threads)?;
        if let Some(n_threads) = config.compute.threads.filter(|n| *n > 0) {
            linalg::set_threads(n_threads);
        }
        Plan::new(config, self.config.parent().unwrap_or(Path::new(".")))
    }
}

fn dtype(name: &str) -> std::result::Result<Dtype, String> {
    match name {
        "f32" => Ok(Dtype::F32),
        "f64" => Ok(Dtype::F64),
        _ => Err("it is f32 or f64".to_owned()),
    }
}
