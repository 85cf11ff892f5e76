//! `ntk predict CONFIG --inputs FILE`: predictions in the units of the data, as CSV.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ntk::error::Result;
use ntk::record::file;
use ntk::study::{self, PredictWith};

use super::config::Source;
use super::interrupt::Interrupt;
use super::kernel::inputs;
use super::output::Output;
use super::run::prepare;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Inputs with the columns of the study's data, in its units: .npy, or .csv without a header
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// What predicts
    #[arg(long = "with", value_enum, default_value = "ntk")]
    with: With,
    /// Write the CSV there instead of on stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum With {
    /// Kernel regression with the analytic NTK
    Ntk,
    /// The posterior mean of the NNGP
    Nngp,
    /// The trained networks: mean and standard deviation over the config's seeds
    Network,
}

pub(super) fn run(arguments: &Arguments, threads: Option<usize>, output: &Output) -> Result<()> {
    let plan = prepare(arguments.source.load(threads)?, &arguments.source.config)?;
    let with = match arguments.with {
        With::Ntk => PredictWith::Ntk,
        With::Nngp => PredictWith::Nngp,
        With::Network => PredictWith::Network,
    };
    let interrupt = Interrupt::listen();
    let predicted = study::predict(&plan, with, &inputs(&arguments.inputs)?, &mut || interrupt.check())?;
    let names = &plan.dataset.target_names;
    let mut head: Vec<String> = names.clone();
    if predicted.deviation.is_some() {
        head.extend(names.iter().map(|name| format!("{name} sd")));
    }
    if output.json {
        let rows = |matrix: &ntk::linalg::Matrix| matrix.rows().map(<[f64]>::to_vec).collect::<Vec<_>>();
        return output.document(&serde_json::json!({
            "outputs": names,
            "mean": rows(&predicted.mean),
            "deviation": predicted.deviation.as_ref().map(rows),
        }));
    }
    let mut lines = vec![head.join(",")];
    for i in 0..predicted.mean.n_rows() {
        let deviation = predicted.deviation.as_ref().map_or(&[][..], |deviation| deviation.row(i));
        let cells: Vec<String> = predicted.mean.row(i).iter().chain(deviation).map(f64::to_string).collect();
        lines.push(cells.join(","));
    }
    match &arguments.out {
        None => output.data(&lines.join("\n")),
        Some(path) => {
            file::replace(path, (lines.join("\n") + "\n").as_bytes())?;
            output.data(&path.display().to_string());
        }
    }
    Ok(())
}
