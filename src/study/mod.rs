//! Experiments: the only module that knows what a study is.
//!
//! [`Config`] is the study as written, [`Plan`] the study as meant: every default filled in, every value checked, every point
//! with its identity. [`run`] takes a plan to a [`Store`](crate::record::Store); [`Verdict`] reads the answer from the rows.
//! [`equivalence`] is the study itself: one network against its kernels. [`regression`] is the study of kernels beside each other, without
//! a network.

mod arch_table;
mod config;
pub mod equivalence;
mod estimate;
mod limit;
mod plan;
mod predict;
mod reading;
pub mod regression;
mod run;
mod sweep;
mod vary;
mod verdict;
mod watch;

pub use arch_table::ArchConfig;
pub use config::{
    ComputeConfig, Config, KernelConfig, MAX_THREADS, OutputConfig, SeedConfig, StepSize, StudyConfig, TrainConfig,
    VerdictConfig, WatchLevel,
};
pub use estimate::{Estimate, estimate};
pub use plan::{Plan, PointPlan};
pub use predict::{At, Covariance, PredictWith, Predicted, Spread, predict};
pub use run::{Progress, check, run};
pub use sweep::Sweep;
pub use verdict::{Decision, DepthVerdict, Term, TermVerdict, Verdict, verdict};
