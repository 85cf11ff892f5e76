//! Estimates with their uncertainty, and decisions about paired comparisons.
//!
//! Every number that a figure or a report states over seeds is an [`Interval`]; every rate is a [`Slope`]. What two methods do on the same data
//! or seeds comes in pairs, and a test of them takes the differences:
//!
//! | question | answer |
//! |---|---|
//! | How large is it, whatever the distribution? | [`bootstrap()`], [`cluster_bootstrap`] for seeds that share their data |
//! | How large is a share? | [`share_interval`] |
//! | How large is it in units of its own spread? | [`effect()`], [`superiority`] |
//! | Is there a difference at all? | [`sign_flip_test`]; by ranks [`signed_rank_test`]; of several methods on several data sets [`friedman_test`] |
//! | Is there none that matters? | [`equivalence_test`]; [`pairs_needed`] before the runs |
//! | Which of many tests stand together? | [`holm()`] |
//! | Are the differences normal, as Student's interval and the equivalence test take them to be? | [`normality_test`] |

mod bootstrap;
mod distribution;
mod effect;
mod equivalence;
mod friedman;
mod holm;
mod interval;
mod moments;
mod normality;
mod proportion;
mod ranks;
mod sign_flip;
mod signed_rank;
mod slope;

#[cfg(test)]
mod golden;

pub use bootstrap::{Bootstrap, bca, bootstrap, cluster_bootstrap};
pub use distribution::covered_by_scale;
pub use effect::{Effect, effect, superiority};
pub use equivalence::{Decision, Equivalence, equivalence_test, pairs_needed};
pub use friedman::{Friedman, friedman_test, mean_ranks};
pub use holm::holm;
pub use interval::{Interval, mean_interval};
pub use normality::{Normality, normality_test};
pub use proportion::share_interval;
pub use sign_flip::{SignFlip, sign_flip_test};
pub use signed_rank::{SignedRank, signed_rank_test};
pub use slope::{Slope, log_log_slope};
