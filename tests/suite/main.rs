//! The one integration binary, so that Burn is linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot read its own material fails")]

mod cli;
mod golden;
mod loops;
mod problem;

mod empirical;
mod ensembles;
mod gradients;
mod kernels;
mod laws;
mod layers;
mod modules;
mod networks;
mod predictions;
mod recipes;
mod tangents;
mod training;
mod width_laws;
