//! Kernel regression, f(x*) = K(x*, X) (K(X, X) + lambda I)^-1 Y, and the Gaussian process whose posterior mean it is.
//!
//! This module sees matrices only, or their products, so any kernel can be passed: analytic, empirical, or a user's own.

mod calibration;
mod condition;
mod contradiction;
mod fit;
mod folds;
mod iterative;
mod leave_out;
mod likelihood;
mod low_rank;
mod path;
mod posterior;
mod problem;
mod process;
mod regression;
mod ridge;
mod selection;

pub use calibration::{Calibration, Coverage};
pub use condition::Condition;
pub use contradiction::{Contradiction, contradictions};
pub use fit::RidgeFit;
pub use folds::Folds;
pub use iterative::{Iteration, Seen, Solution, System};
pub use leave_out::LeftOut;
pub use likelihood::{MarginalLikelihood, log_marginal_likelihood};
pub use low_rank::{feature_regression, feature_weights, kernel_error};
pub use path::{Projection, RidgePath, require_semidefinite};
pub use posterior::{
    Marginals, Posterior, eigenbasis_marginals, eigenbasis_posterior, kernel_ridge, posterior, posterior_marginals,
};
pub use process::Process;
pub use regression::{mean_squared_error, regression};
pub use ridge::Ridge;
pub use selection::{Candidate, Criterion, Edge, Protocol, Score, Scorer, Selection, select};
