//! One error type, whose variants carry the numbers that explain them and the remedy.
//!
//! An error says what is wrong, where, with which number, and what to change. It is never used for a scientific outcome:
//! a training run that diverges is an [`Outcome`](crate::record::Outcome), because it is a result.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Whose fault an error is; the command line turns it into the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The config, the data or the arguments must change (exit code 2).
    User,
    /// The machine failed: disk, device, permissions (exit code 1).
    Machine,
    /// The run was interrupted and can be resumed (exit code 130).
    Interrupt,
}

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is unknown, of the wrong type or of an impossible value.
    #[error("config key `{key}`: {problem}\nhint: {remedy}")]
    Config {
        /// Dotted path of the key, as one would write it after `--set`.
        key: String,
        /// What is wrong, with the value.
        problem: String,
        /// What to change.
        remedy: String,
    },
    /// A config file cannot be read as TOML of the expected schema.
    #[error("{path}: {problem}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parser's own message: line, column, excerpt and what was expected.
        problem: String,
    },
    /// A user's file of numbers cannot be used.
    #[error("{place}: {problem}\nhint: {remedy}")]
    Input {
        /// The file and, where it helps, the line and column.
        place: String,
        /// What is wrong, with the value.
        problem: String,
        /// What to change.
        remedy: String,
    },
    /// A folder of results does not belong to what was asked for.
    #[error("{path}: {problem}\nhint: {remedy}", path = path.display())]
    Store {
        /// The run folder, or the file in it.
        path: PathBuf,
        /// What does not fit.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// Two things that must agree in size do not.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// What was being put together.
        what: String,
        /// The expected shape.
        expected: String,
        /// The shape that was given.
        found: String,
    },
    /// A network and a kernel that follow different conventions were about to be compared.
    #[error(
        "the network and the kernel describe different models: {network} against {kernel}\nhint: build both from the same `[arch]`"
    )]
    Convention {
        /// The network's convention in words.
        network: String,
        /// The kernel's convention in words.
        kernel: String,
    },
    /// A Cholesky factorization met a non-positive pivot.
    #[error(
        "kernel matrix of {n} inputs is not positive definite at row {row} (ridge {ridge:e})\nhint: raise `ridge`, or remove duplicate inputs"
    )]
    NotPositiveDefinite {
        /// Size of the matrix.
        n: usize,
        /// Row of the failing pivot, counted from 0.
        row: usize,
        /// What had been added to the diagonal.
        ridge: f64,
    },
    /// Conjugate gradients met a direction in which the matrix does not curve upwards.
    #[error(
        "kernel matrix of {n} inputs has curvature {curvature:e} along a direction that was tried after {n_iterations} iterations (ridge {ridge:e}): it is not positive definite\nhint: raise `ridge`, or remove duplicate inputs"
    )]
    Indefinite {
        /// Size of the matrix.
        n: usize,
        /// The direction's product with the matrix and itself.
        curvature: f64,
        /// Iterations before it.
        n_iterations: usize,
        /// What had been added to the diagonal.
        ridge: f64,
    },
    /// A kernel matrix has an eigenvalue below zero that rounding does not explain.
    #[error(
        "kernel matrix of {n} inputs has the eigenvalue {eigenvalue:e}, and rounding explains none below {bound:e}\nhint: a kernel has none below zero; check the function it comes from, or the number type it was computed in",
        bound = -bound
    )]
    NotSemidefinite {
        /// Size of the matrix.
        n: usize,
        /// The smallest eigenvalue.
        eigenvalue: f64,
        /// How far below zero rounding may leave an eigenvalue.
        bound: f64,
    },
    /// Inputs that the kernel cannot tell apart have different targets, and there is no ridge.
    #[error(
        "rows {first} and {second} have one input and targets {gap:e} apart ({n} such pairs), which no regression without a ridge fits\nhint: raise `ridge`, or merge repeated inputs"
    )]
    Contradiction {
        /// How many pairs there are.
        n: usize,
        /// The first row of the first pair.
        first: usize,
        /// The second row of the first pair.
        second: usize,
        /// How far their targets are apart.
        gap: f64,
    },
    /// An integration in explicit steps that its end is out of reach of.
    #[error(
        "integration reached time {reached:e} of {end:e} in {n_steps} steps\nhint: ask for a shorter time or for the optimizer's own steps, loosen the tolerance or allow more steps; the squared loss has a closed form"
    )]
    Stiff {
        /// The time reached.
        reached: f64,
        /// The time asked for.
        end: f64,
        /// All the steps that were allowed.
        n_steps: usize,
    },
    /// A number that must be finite is not.
    #[error("{what} holds a value that is not finite ({value}) at {place}\nhint: {remedy}")]
    NotFinite {
        /// What was computed.
        what: String,
        /// The value.
        value: f64,
        /// Where it was found.
        place: String,
        /// What to change.
        remedy: String,
    },
    /// A result that does not fit into the memory that is left.
    #[error("{what} takes {needed:.1} GB, and there are {available:.1} GB of memory for it\nhint: {remedy}")]
    TooLarge {
        /// What was to be computed, with its size.
        what: String,
        /// What it takes, in units of 10^9 bytes.
        needed: f64,
        /// What is left, likewise.
        available: f64,
        /// What to do.
        remedy: &'static str,
    },
    /// A backend or a number type that this program was built without, or that the device lacks.
    #[error("{problem}\nhint: {remedy}")]
    Device {
        /// What is missing.
        problem: String,
        /// The feature to build with, or the setting to change.
        remedy: String,
    },
    /// A Burn module that a method cannot be applied to.
    #[error("{problem}\nhint: {remedy}")]
    Module {
        /// What the method asks of a module and this one lacks.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A computation that must agree with theory to rounding did not: a fault of this program or of the machine.
    #[error("internal check failed: {0}")]
    Check(String),
    /// Reading or writing failed.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A figure could not be drawn.
    #[error("cannot draw {path}: {problem}", path = path.display())]
    Drawing {
        /// The figure's file.
        path: PathBuf,
        /// The drawing library's reason.
        problem: String,
    },
    /// The user interrupted; what was finished is stored.
    #[error(
        "interrupted; what was finished is stored\nhint: run the same command again; a study goes on where it stopped"
    )]
    Interrupted,
}

impl Error {
    /// A config error about one key.
    pub fn config(key: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Config { key: key.into(), problem: problem.into(), remedy: remedy.into() }
    }

    /// An error about a user's file of numbers.
    pub fn input(place: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Input { place: place.into(), problem: problem.into(), remedy: remedy.into() }
    }

    /// Two sizes that ought to agree.
    pub fn shape(what: impl Into<String>, expected: impl ToString, found: impl ToString) -> Self {
        Self::Shape { what: what.into(), expected: expected.to_string(), found: found.to_string() }
    }

    /// For `map_err` on an input or output operation.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Config { .. }
            | Self::Syntax { .. }
            | Self::Input { .. }
            | Self::Store { .. }
            | Self::Shape { .. }
            | Self::Convention { .. }
            | Self::NotPositiveDefinite { .. }
            | Self::Indefinite { .. }
            | Self::NotSemidefinite { .. }
            | Self::Contradiction { .. }
            | Self::NotFinite { .. }
            | Self::Stiff { .. }
            | Self::TooLarge { .. }
            | Self::Module { .. }
            | Self::Device { .. } => Blame::User,
            // An absent file, or a folder in its place, is the user's to mend; a full disk is not.
            Self::Io { source, .. } if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
                Blame::User
            }
            Self::Io { .. } | Self::Check(_) | Self::Drawing { .. } => Blame::Machine,
            Self::Interrupted => Blame::Interrupt,
        }
    }
}
