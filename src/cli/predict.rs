//! `ntk predict CONFIG --inputs FILE`: predictions in the units of the data, as CSV.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ntk::error::{Error, Result};
use ntk::linalg::Matrix;
use ntk::record::file;
use ntk::study::{self, Plan, PredictWith, Predicted};

use super::inputs::inputs;
use super::interrupt::Interrupt;
use super::output::Output;
use super::source::Source;

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
    /// Write the predictions there instead of on stdout
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
    let plan = arguments.source.plan(threads)?;
    let with = match arguments.with {
        With::Ntk => PredictWith::Ntk,
        With::Nngp => PredictWith::Nngp,
        With::Network => PredictWith::Network,
    };
    let inputs = inputs(&arguments.inputs)?;
    let wanted = &plan.dataset.input_names;
    if inputs.n_cols() != wanted.len() {
        return Err(Error::input(
            arguments.inputs.display().to_string(),
            format!("{} columns, but the study's data have {} inputs", inputs.n_cols(), wanted.len()),
            format!("give these columns, without the target: {}", wanted.join(", ")),
        ));
    }
    let interrupt = Interrupt::listen();
    let predicted = study::predict(&plan, with, &inputs, &mut || interrupt.check())?;
    let text = if output.json { as_json(&plan, &predicted)? } else { as_csv(&plan, &predicted)? };
    match &arguments.out {
        None => output.data(&text),
        Some(path) => {
            file::replace(path, (text + "\n").as_bytes())?;
            output.paths(&[path])
        }
    }
}

fn as_json(plan: &Plan, predicted: &Predicted) -> Result<String> {
    let rows = |matrix: &Matrix| matrix.rows().map(<[f64]>::to_vec).collect::<Vec<_>>();
    Output::json_text(&serde_json::json!({
        "outputs": plan.dataset.target_names,
        "mean": rows(&predicted.mean),
        "deviation": predicted.deviation.as_ref().map(rows),
    }))
}

fn as_csv(plan: &Plan, predicted: &Predicted) -> Result<String> {
    let names = &plan.dataset.target_names;
    let mut head: Vec<String> = names.clone();
    if predicted.deviation.is_some() {
        head.extend(names.iter().map(|name| format!("{name} sd")));
    }
    let mut table = csv::Writer::from_writer(Vec::new());
    let unwritable = |reason: csv::Error| Error::Check(format!("predictions cannot be written as CSV: {reason}"));
    table.write_record(&head).map_err(unwritable)?;
    for i in 0..predicted.mean.n_rows() {
        let deviation = predicted.deviation.as_ref().map_or(&[][..], |deviation| deviation.row(i));
        let cells = predicted.mean.row(i).iter().chain(deviation).map(f64::to_string);
        table.write_record(cells).map_err(unwritable)?;
    }
    let bytes = table.into_inner().map_err(|reason| unwritable(reason.into_error().into()))?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}
