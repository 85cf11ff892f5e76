//! `ntk config check|show|init`.

use clap::Subcommand;
use ntk::error::Result;
use ntk::study;
use ntk::study::regression::RegressConfig;

use super::output::Output;
use super::source::Source;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a config and its data without running anything
    Check(Source),
    /// Print the config with every default written out
    Show(Source),
    /// Print a commented config to begin from, in TOML
    Init,
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
        Command::Check(source) if RegressConfig::is_at(&source.config)? => {
            let plan = source.regression(threads)?;
            if output.json {
                return output.document(&serde_json::json!({ "n_points": plan.n_points() }));
            }
            let path = source.config.display();
            output.words(&format!(
                "{path} is a valid comparison of kernels, for `ntk regress`, of {} points",
                plan.n_points()
            ));
        }
        Command::Show(source) => {
            let config = source.load(threads)?;
            if output.json {
                return output.document(&config);
            }
            output.data(config.to_toml()?.trim_end())?;
        }
        Command::Check(source) => {
            let study = source.study(threads)?;
            study::check(&study)?;
            for note in study.notes() {
                output.words(&format!("note: {note}"));
            }
            if output.json {
                return output.document(&serde_json::json!({ "n_points": study.n_points(), "notes": study.notes() }));
            }
            output.words(&format!("{} is a valid study of {} points", source.config.display(), study.n_points()));
        }
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
