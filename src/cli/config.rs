//! `ntk config check|show|init`.

use clap::{Args, Subcommand};
use ntk::error::Result;
use ntk::study;
use ntk::study::regression::{self, RegressConfig};

use super::output::Output;
use super::source::Source;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a config and its data within a second, without running anything
    Check(CheckArguments),
    /// Print the config with every default written out
    Show(Source),
    /// Print a commented config to begin from, in TOML
    Init,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    source: Source,
    /// Also compute every kernel, which may take as long as the kernels of the run: finds kernels that overflow and unstable step sizes
    #[arg(long)]
    deep: bool,
}

const TEMPLATE: &str = include_str!("template.toml");

pub(super) fn run(command: &Command, threads: Option<usize>, output: &Output) -> Result<()> {
    match command {
        Command::Init => output.data(TEMPLATE.trim_end())?,
        Command::Show(source) if RegressConfig::is_at(&source.config)? => {
            let config = source.load_regression(threads)?;
            if output.json {
                return output.document(&config);
            }
            output.data(config.to_toml()?.trim_end())?;
        }
        Command::Show(source) => {
            let config = source.load(threads)?;
            if output.json {
                return output.document(&config);
            }
            output.data(config.to_toml()?.trim_end())?;
        }
        Command::Check(arguments) => check(arguments, threads, output)?,
    }
    Ok(())
}

fn check(CheckArguments { source, deep }: &CheckArguments, threads: Option<usize>, output: &Output) -> Result<()> {
    let (what, n_points, notes) = if RegressConfig::is_at(&source.config)? {
        let plan = source.regression(threads)?;
        if *deep {
            regression::check_kernels(&plan)?
        } else {
            regression::check(&plan)?
        }
        let notes: Vec<String> = plan.notes().into_iter().map(str::to_owned).collect();
        ("comparison of kernels, for `ntk regress`,", plan.n_points(), notes)
    } else {
        let study = source.study(threads)?;
        if *deep {
            study::check_kernels(&study)?
        } else {
            study::check(&study)?
        }
        let notes = study.notes().into_iter().map(str::to_owned).collect();
        ("study", study.n_points(), notes)
    };
    output.notes(&notes, "in the answer of `--json`");
    if output.json {
        return output.document(&serde_json::json!({ "n_points": n_points, "notes": notes }));
    }
    output.words(&format!("{} is a valid {what} of {n_points} points", source.config.display()));
    if !deep {
        output.words(
            "its kernels were not computed: `--deep` does, and finds step sizes at which training would diverge",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ntk::study::{Changes, Config, Study};

    #[test]
    fn the_template_is_a_valid_study() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("template.toml");
        std::fs::write(&path, super::TEMPLATE).expect("writable");
        let config = Config::load(&path, &Changes::default()).expect("the template parses");
        Study::new(config, Path::new(".")).expect("the template is a study");
    }
}
