//! Finite networks as Burn modules, built from [`arch`](crate::arch).
//!
//! The backend is chosen at run time ([`Backend`]), the number type is explicit in every tensor ([`Compute`]), and weights are
//! drawn on the host in f64, so that every backend starts from the same network. What can be trained is a [`Model`]; what shows its affine
//! maps to the tangent kernel is [`Probed`] as well; networks of this crate are both, and walk back to their gradients by themselves.

mod activation;
#[cfg(feature = "cube")]
mod card;
#[cfg(feature = "cube")]
mod cube;
mod dense;
mod device;
mod file;
#[cfg(feature = "flex")]
mod flex;
mod fused;
mod matmul;
mod model;
mod network;
mod norm;
mod parallel;
mod params;
mod pattern;
mod predictor;
mod probe;
mod probed;
mod reverse;
mod size;
#[cfg(feature = "flex")]
mod spare;
mod trainable;
mod window;

pub use dense::{Dense, DenseWeights, Frozen};
pub use device::{Backend, Compute, Dtype, to_matrix};
pub(crate) use device::{numbers, to_data};
pub use file::{NetworkFormat, load, save};
pub(crate) use fused::{plus_weighted, product, spend};
pub use matmul::matmul;
pub use model::{Cotangent, Model};
pub use network::Network;
pub(crate) use parallel::{in_parallel, in_pool};
pub use params::{flatten, relative_distance};
pub(crate) use params::{parameters, with_parameters};
pub use pattern::ActivationPattern;
pub use predictor::{InitialFunction, Predictor};
pub use probe::{Affine, Probe, Seen};
pub use probed::{Factor, Probed};
pub use size::{ensure_countable, ensure_parameters_fit, parameter_bytes};
pub use trainable::Trainable;
