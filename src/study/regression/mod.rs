//! Kernels beside each other on the same data, under one protocol of selection: the networks' NNGP and NTK, and kernels that know nothing
//! of networks.
//!
//! A config's `[vary]` table runs any setting through a list, so that one run can be a map over sample sizes, noise, splits and data sets.
//! Each kernel gets its ridge, and a stationary one its length scale, from the training rows alone, by the same criterion on the same
//! grid.

mod approximate;
pub(super) mod candidate;
mod comparison;
mod config;
pub(super) mod fit;
mod iterate;
mod network;
mod plan;
mod rank;
mod run;
mod setting;
mod split;

#[cfg(test)]
pub(crate) mod made_up;

pub use comparison::{KernelComparison, compare_kernels};
pub use config::{KernelFamily, Rank, RegressConfig, RegressTable, Solver};
pub use plan::{Cell, KernelPlan, RegressPlan};
pub use rank::{Ranked, Ranking, rank_kernels};
pub use run::{RegressProgress, check, check_kernels, regress};
pub use setting::{Factor, Setting, Settings};
pub use split::mean_over_splits;
