//! Kernel regression, f(x*) = K(x*, X) (K(X, X) + lambda I)^-1 Y, and the Gaussian process whose posterior mean it is.
//!
//! This module sees matrices only, so any kernel can be passed: analytic, empirical, or a user's own.

mod iterative;
mod low_rank;
mod posterior;
mod regression;
mod ridge;

pub use iterative::{Iteration, Seen, Solution, System};
pub use low_rank::{feature_regression, kernel_error};
pub use posterior::{Posterior, kernel_ridge, posterior};
pub use regression::{mean_squared_error, regression};
pub use ridge::Ridge;
