//! Estimates with their uncertainty, and decisions about paired comparisons.
//!
//! Every number that a figure or a report states over seeds is an [`Interval`]; every rate is a [`Slope`].

mod bootstrap;
mod distribution;
mod interval;
mod slope;

#[cfg(test)]
mod golden;

pub use bootstrap::{Bootstrap, bca, bootstrap, cluster_bootstrap};
pub use interval::{Interval, mean_interval};
pub use slope::{Slope, log_log_slope};
