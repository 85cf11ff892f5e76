//! Training under the squared loss (1/(2 N O)) sum of squares, with the kernel held fixed, in closed form.
//!
//! In the eigenbasis of the kernel each direction of function space is learned alone and at its own rate, s/(N O): see
//! [`Flow`]. Around it stand what an infinite ensemble of networks predicts ([`ensemble`](fn@ensemble)) and the gap
//! between one trained network and its infinite-width limit, taken apart term by term ([`Decomposition`]). This module
//! sees matrices only, so any kernel can be passed: analytic, empirical, or a user's own.

mod decomposition;
mod early_stopping;
mod ensemble;
mod flow;
mod function_descent;
mod horizon;
mod integration;
mod loss;
mod momentum;
mod rule;

pub use decomposition::{Comparison, Decomposition, Order};
pub use early_stopping::{Pairing, early_stopping};
pub use ensemble::{Ensemble, Prior, ensemble};
pub use flow::{Flow, KernelPredictor, Outputs};
pub use function_descent::{Descent, FunctionDescent, Slope, Trained};
pub use horizon::Horizon;
pub use integration::Accuracy;
pub use loss::{cross_entropy_slope, squared_slope};
pub use rule::Rule;
