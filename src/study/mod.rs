//! Experiments: the only module that knows what a study is.
//!
//! [`Config`] is the study as written, [`Study`] the study as meant: a [`Plan`] for every setting, every default filled in, every value
//! checked, every point with its identity. [`run`] takes it to a [`Store`](crate::record::Store); [`Verdict`] reads the answer from the
//! rows of one setting, [`analyse`] that of the [`Analysis`] which the config names from the rows of all.
//! [`equivalence`] is the study itself: one network against its kernels. [`regression`] is the study of kernels beside each other, without
//! a network. Before either, [`spectrum`] takes one kernel apart, and [`predict`](fn@predict) asks a kernel or networks about inputs of one's
//! own.

mod analysis;
mod arch_table;
mod config;
mod directions;
pub mod equivalence;
mod estimate;
pub mod findings;
mod limit;
mod plan;
mod predict;
mod reading;
pub mod regression;
mod run;
mod settings;
pub mod spectrum;
mod sweep;
mod vary;
mod verdict;
mod watch;

pub use analysis::{Analysis, Evidence, analyse};
pub use arch_table::ArchConfig;
pub use config::{
    ComputeConfig, Config, KernelConfig, MAX_THREADS, OutputConfig, SeedConfig, StepSize, StudyConfig, TrainConfig,
    VerdictConfig, WatchLevel,
};
pub use estimate::{Estimate, estimate};
pub use plan::{Plan, PointPlan};
pub use predict::{At, Covariance, Pace, PredictWith, Predicted, Spread, predict};
pub use reading::Changes;
pub use run::{Progress, check, check_kernels, run};
pub use settings::Study;
pub use sweep::Sweep;
pub use verdict::{Decision, DepthVerdict, Term, TermVerdict, Verdict, verdict};
