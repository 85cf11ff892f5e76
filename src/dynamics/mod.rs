//! Training with the kernel held fixed.
//!
//! Under the squared loss (1/(2 N O)) sum of squares it has a closed form: in the eigenbasis of the kernel each direction of function space
//! is learned alone and at its own rate, s/(N O), until a [`Horizon`], by gradient descent or with momentum: see [`Flow`], and [`Rule`] for
//! how long that takes and how large a step may be. Any other loss is followed
//! in time or step by step ([`FunctionDescent`]).
//!
//! Around it stand what an infinite ensemble of networks predicts ([`ensemble`](fn@ensemble)), the gap between one trained network and its
//! infinite-width limit, taken apart term by term ([`Decomposition`]), the ridge that stopping early amounts to
//! ([`early_stopping`](fn@early_stopping)), and how the test error falls with the number of training inputs ([`TargetSpectrum`],
//! [`LearningPoint`]). This module sees matrices only, so any kernel can be passed: analytic, empirical, or a user's own.

mod decomposition;
mod early_stopping;
mod ensemble;
mod flow;
mod function_descent;
mod function_steps;
mod horizon;
mod integration;
mod learning_curve;
mod loss;
mod momentum;
mod rule;
mod target_spectrum;

pub use decomposition::{Comparison, Decomposition, Order};
pub use early_stopping::{Pairing, early_stopping};
pub use ensemble::{Ensemble, Prior, converged_ensemble, converged_marginals, ensemble, ensemble_marginals};
pub use flow::{Flow, KernelPredictor, Outputs};
pub use function_descent::{Descent, FunctionDescent, LossSlope, Trained};
pub use horizon::Horizon;
pub use integration::Accuracy;
pub use learning_curve::LearningPoint;
pub use loss::{cross_entropy_slope, huber_slope, squared_slope};
pub use rule::Rule;
pub use target_spectrum::TargetSpectrum;
