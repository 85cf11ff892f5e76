//! The one integration binary, so that Burn is linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot read its own material fails")]

#[path = "suite/cli.rs"]
mod cli;
#[path = "suite/golden.rs"]
mod golden;
#[path = "suite/problem.rs"]
mod problem;

#[path = "suite/empirical.rs"]
mod empirical;
#[path = "suite/kernels.rs"]
mod kernels;
#[path = "suite/laws.rs"]
mod laws;
#[path = "suite/layers.rs"]
mod layers;
#[path = "suite/predictions.rs"]
mod predictions;
#[path = "suite/training.rs"]
mod training;
