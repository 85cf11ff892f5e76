//! Estimates with their uncertainty, and decisions about paired comparisons.
//!
//! Every number that a figure or a report states over seeds is an [`Interval`]; every rate is a [`Slope`].

mod bootstrap;
mod distribution;
mod effect;
mod friedman;
mod holm;
mod interval;
mod moments;
mod normality;
mod ranks;
mod sign_flip;
mod signed_rank;
mod slope;

#[cfg(test)]
mod golden;

pub use bootstrap::{Bootstrap, bca, bootstrap, cluster_bootstrap};
pub use effect::{Effect, effect, superiority};
pub use friedman::{Friedman, friedman_test, mean_ranks};
pub use holm::holm;
pub use interval::{Interval, mean_interval};
pub use normality::{Normality, normality_test};
pub use sign_flip::{SignFlip, sign_flip_test};
pub use signed_rank::{SignedRank, signed_rank_test};
pub use slope::{Slope, log_log_slope};
