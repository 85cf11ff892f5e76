//! `ntk predict CONFIG --inputs FILE`: predictions in the units of the data, as CSV.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ntk::data::NewInputs;
use ntk::error::{Error, Result};
use ntk::linalg::Matrix;
use ntk::number::short;
use ntk::record::file;
use ntk::record::npy::{Precision, Writer};
use ntk::study::{self, At, Covariance, Pace, Plan, PredictWith, Predicted, Spread};

use super::inputs::inputs;
use super::interrupt::Interrupt;
use super::output::Output;
use super::source::Source;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Inputs with the columns of the study's data, in its units: .npy, or .csv; columns under a header are matched by name
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// What predicts; deviations are of the function, without the noise of the targets
    #[arg(long = "with", value_enum, default_value = "ntk")]
    with: With,
    /// How long the ntk or the deep ensemble is trained on `train.loss`: a time of gradient flow (step size x step), as 2.5; steps of
    /// `train.optimizer` and `train.step`, as 100steps; or as many as the config says, training [default: without end]
    #[arg(long, value_name = "TIME|STEPS|training", value_parser = at)]
    at: Option<At>,
    /// Predict with this network, which a run with `output.networks` saved, instead of training; may be repeated
    #[arg(long, value_name = "FILE")]
    network: Vec<PathBuf>,
    /// Write the covariances between all inputs there, in squared units: [n, n], or [outputs, n, n] where there are several
    #[arg(long, value_name = "FILE.npy")]
    covariance: Option<PathBuf>,
    /// Write the predictions there instead of on stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum With {
    /// Training under the analytic NTK on the config's loss, or kernel regression, which is its end: the mean
    Ntk,
    /// The posterior of the NNGP: mean and standard deviation
    Nngp,
    /// The posterior with the NTK as the covariance: mean and standard deviation
    Ntkgp,
    /// Infinitely wide trained networks over their random seeds: mean and standard deviation
    DeepEnsemble,
    /// The trained networks: mean and standard deviation over the config's seeds
    Network,
}

impl Arguments {
    /// What is asked for, unless it does not exist.
    fn with<'a>(&self, networks: &'a [&'a Path]) -> Result<PredictWith<'a>> {
        let name = self.with.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
        let refuse = |flag: &str, problem: String, remedy: &str| Err(Error::input(flag, problem, remedy));
        if self.at.is_some() && !matches!(self.with, With::Ntk | With::DeepEnsemble) {
            let problem = match self.with {
                With::Network => "networks train as long as the config says".to_owned(),
                _ => format!("{name} is a posterior, which no training leads to"),
            };
            return refuse("--at", problem, "leave it out, or use `--with ntk` or `--with deep-ensemble`");
        }
        if self.covariance.is_some() && matches!(self.with, With::Ntk | With::Network) {
            let problem = format!("{name} has no covariance between inputs");
            return refuse("--covariance", problem, "use `--with nngp`, `--with ntkgp` or `--with deep-ensemble`");
        }
        if !networks.is_empty() && self.with != With::Network {
            let problem = format!("{name} is of infinite width, and in no file");
            return refuse("--network", problem, "use `--with network`");
        }
        let spread = if self.covariance.is_some() { Spread::Covariances } else { Spread::Deviations };
        let at = self.at.unwrap_or_default();
        Ok(match self.with {
            With::Ntk => PredictWith::Ntk(at),
            With::Nngp => PredictWith::Nngp(spread),
            With::Ntkgp => PredictWith::Ntkgp(spread),
            With::DeepEnsemble => PredictWith::DeepEnsemble(at, spread),
            With::Network if networks.is_empty() => PredictWith::Networks,
            With::Network => PredictWith::Saved(networks),
        })
    }
}

pub(super) fn run(arguments: &Arguments, threads: Option<usize>, output: &Output) -> Result<()> {
    let networks: Vec<&Path> = arguments.network.iter().map(PathBuf::as_path).collect();
    let with = arguments.with(&networks)?;
    let plan = arguments.source.plan(threads)?;
    output.notes(&plan.split.notes, "in the manifest of a run");
    let wanted = &plan.dataset.input_names;
    let NewInputs { values: inputs, notes } = inputs(&arguments.inputs, Some(wanted))?;
    for note in &notes {
        output.words(&format!("note: {}: {note}", arguments.inputs.display()));
    }
    if inputs.n_cols() != wanted.len() {
        return Err(Error::input(
            arguments.inputs.display().to_string(),
            format!("{} columns, but the study's data have {} inputs", inputs.n_cols(), wanted.len()),
            format!("give these columns, without the target: {}", wanted.join(", ")),
        ));
    }
    output.notes(&plan.split.scaling.notes_on(&inputs), "not shown");
    let interrupt = Interrupt::listen();
    let predicted = study::predict(&plan, with, &inputs, &|| interrupt.check())?;
    if let Some(words) = predicted.pace.as_ref().and_then(|pace| pace_in_words(pace, arguments.at)) {
        output.words(&words);
    }
    let text = if output.json { as_json(&plan, &predicted)? } else { as_csv(&plan, &predicted)? };
    if let (Some(path), Some(covariance)) = (&arguments.covariance, &predicted.covariance) {
        write(path, covariance)?;
    }
    match (&arguments.out, &arguments.covariance) {
        (None, covariance) => {
            output.data(&text)?;
            covariance.iter().for_each(|path| output.words(&format!("covariances are in {}", path.display())));
            Ok(())
        }
        (Some(path), covariance) => {
            file::replace(path, (text + "\n").as_bytes())?;
            output.paths(
                &[Some(path), covariance.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect::<Vec<_>>(),
            )
        }
    }
}

/// Of training that is looked at before its end, in what steps it may be taken.
fn pace_in_words(pace: &Pace, at: Option<At>) -> Option<String> {
    at?;
    let (optimizer, bound) = (pace.optimizer.name(), short(pace.bound?));
    Some(match pace.learning_rate {
        Some(step) => format!("steps of {} by {optimizer}; from {bound} on they diverge", short(step)),
        None => format!("gradient flow; steps by {optimizer} diverge from {bound} on"),
    })
}

/// A time, `100steps`, or `training`.
fn at(text: &str) -> std::result::Result<At, String> {
    let wrong = || "it is a time from 0 up, as 2.5, a number of steps, as 100steps, or training".to_owned();
    if text == "training" {
        return Ok(At::Training);
    }
    if let Some(n_steps) = text.strip_suffix("steps") {
        return n_steps.trim().parse().map(At::Steps).map_err(|_| wrong());
    }
    match text.parse::<f64>() {
        Ok(time) if time >= 0.0 && time.is_finite() => Ok(At::Time(time)),
        _ => Err(wrong()),
    }
}

/// A row at a time, so that no second matrix is made.
fn write(path: &Path, covariance: &Covariance) -> Result<()> {
    let n = covariance.scaled.n();
    let shape = [covariance.units.len(), n, n];
    let shape = if covariance.units.len() == 1 { &shape[1..] } else { &shape[..] };
    let mut writer = Writer::create(path, shape, Precision::F64)?;
    for unit in &covariance.units {
        for row in covariance.scaled.as_matrix().rows() {
            writer.append(&row.iter().map(|value| unit * unit * value).collect::<Vec<f64>>())?;
        }
    }
    writer.finish()
}

fn as_json(plan: &Plan, predicted: &Predicted) -> Result<String> {
    let rows = |matrix: &Matrix| matrix.rows().map(<[f64]>::to_vec).collect::<Vec<_>>();
    Output::json_text(&serde_json::json!({
        "outputs": plan.dataset.target_names,
        "mean": rows(&predicted.mean),
        "deviation": predicted.deviation.as_ref().map(rows),
        "step": predicted.pace.and_then(|pace| pace.learning_rate),
        "largest_step": predicted.pace.and_then(|pace| pace.bound),
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
        let cells = predicted.mean.row(i).iter().chain(deviation).map(|value| format!("{value:?}"));
        table.write_record(cells).map_err(unwritable)?;
    }
    let bytes = table.into_inner().map_err(|reason| unwritable(reason.into_error().into()))?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}
