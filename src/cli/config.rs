//! `ntk config check|show|init`, and how a config file is named on every other command.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ntk::error::Result;
use ntk::net::{Backend, Dtype};
use ntk::study::Config;

use super::output::Output;
use super::run::prepare;

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
}

fn dtype(name: &str) -> std::result::Result<Dtype, String> {
    match name {
        "f32" => Ok(Dtype::F32),
        "f64" => Ok(Dtype::F64),
        _ => Err("it is f32 or f64".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a config and its data without running anything
    Check(Source),
    /// Print the config with every default written out
    Show(Source),
    /// Print a commented config to begin from
    Init,
}

const TEMPLATE: &str = include_str!("template.toml");

pub(super) fn run(command: &Command, threads: Option<usize>, output: &Output) -> Result<()> {
    match command {
        Command::Init => output.data(TEMPLATE.trim_end()),
        Command::Show(source) => {
            let config = source.load(threads)?;
            if output.json {
                return output.document(&config);
            }
            output.data(config.to_toml()?.trim_end());
        }
        Command::Check(source) => {
            let plan = prepare(source.load(threads)?, &source.config)?;
            plan.backend.device()?;
            for note in &plan.split.notes {
                output.words(&format!("note: {note}"));
            }
            output.words(&format!("{} is a valid study of {} points", source.config.display(), plan.points.len()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ntk::study::{Config, Plan};

    #[test]
    fn the_template_is_a_valid_study() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("template.toml");
        std::fs::write(&path, super::TEMPLATE).expect("writable");
        let config = Config::load(&path, &[]).expect("the template parses");
        Plan::new(config, Path::new(".")).expect("the template is a study");
    }
}
