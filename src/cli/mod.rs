//! The command line: one file per subcommand. Data go to stdout, words to stderr; this is the only module that prints.
//!
//! Exit codes: 0 done, 1 the machine failed, 2 the config, the data or the arguments must change, 130 interrupted.

mod backends;
mod config;
mod data;
mod inputs;
mod interrupt;
mod kernel;
mod output;
mod predict;
mod progress;
mod redraw;
mod regress;
mod run;
mod source;
mod spectrum;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ntk::error::{Blame, Error, Result};
use ntk::study::MAX_THREADS;

use self::output::Output;

/// Does the trained network predict like kernel regression with its neural tangent kernel? Where not, which step of the theorem
/// fails, and by how much?
#[derive(Debug, Parser)]
#[command(name = "ntk", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Args)]
struct Global {
    /// Threads to use [default: the config's, else all cores]
    #[arg(long, global = true, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    /// Print machine-readable JSON on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Print nothing but results and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Say more; twice for everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a study: train, compare, draw, report; running again resumes
    Run(run::Arguments),
    /// Compare kernels as predictors under one protocol, without a network; running again resumes
    Regress(regress::Arguments),
    /// Compute the kernels of an architecture on inputs of your own
    Kernel(kernel::Arguments),
    /// Take a kernel apart on the training rows: eigenvalues, learning times, largest steps, digits, stopping early beside a ridge
    Spectrum(spectrum::Arguments),
    /// Predict at inputs of your own with a kernel or the trained networks of a study
    Predict(predict::Arguments),
    /// Redraw the figures of a run
    Figure(redraw::FigureArguments),
    /// Rewrite the report of a run
    Report(redraw::ReportArguments),
    /// List or describe the data sets that come with the program
    #[command(subcommand)]
    Data(data::Command),
    /// List the backends: what is compiled in, what each supports, how to add the others
    Backends,
    /// Check, show or begin a config file
    #[command(subcommand)]
    Config(config::Command),
}

pub(super) fn main() -> ExitCode {
    let Cli { command, global } = Cli::parse();
    let level = match (global.quiet, global.verbose) {
        (true, _) => log::LevelFilter::Error,
        (false, 0) => log::LevelFilter::Warn,
        (false, 1) => log::LevelFilter::Info,
        (false, _) => log::LevelFilter::Debug,
    };
    env_logger::Builder::new().filter_module("ntk", level).format_target(false).format_timestamp(None).init();
    let output = Output::new(global.json, global.quiet);
    match dispatch(command, &global, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            exit_code(&error)
        }
    }
}

fn dispatch(command: Command, global: &Global, output: &Output) -> Result<()> {
    match command {
        Command::Run(arguments) => run::run(&arguments, global.threads, output),
        Command::Regress(arguments) => regress::run(&arguments, global.threads, output),
        Command::Kernel(arguments) => kernel::run(&arguments, global.threads, output),
        Command::Spectrum(arguments) => spectrum::run(&arguments, global.threads, output),
        Command::Predict(arguments) => predict::run(&arguments, global.threads, output),
        Command::Figure(arguments) => redraw::figures(&arguments, output),
        Command::Report(arguments) => redraw::report(&arguments, output),
        Command::Data(command) => data::run(&command, output),
        Command::Backends => backends::run(output),
        Command::Config(command) => config::run(&command, global.threads, output),
    }
}

fn threads(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=MAX_THREADS).contains(&n) => Ok(n),
        _ => Err(format!("give a number from 1 to {MAX_THREADS}")),
    }
}

fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(match error.blame() {
        Blame::Machine => 1,
        Blame::User => 2,
        Blame::Interrupt => 130,
    })
}
