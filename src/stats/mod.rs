//! Estimates with their uncertainty.
//!
//! Every number that a figure or a report states over seeds is an [`Interval`]; every rate is a [`Slope`].

mod interval;
mod slope;

pub use interval::{Interval, mean_interval};
pub use slope::{Slope, log_log_slope};
