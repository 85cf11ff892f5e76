//! The steps that layers mean.

use super::{Activation, Taps};

/// One step of an architecture as meant: everything that follows from a layer's place worked out.
///
/// Between two steps pass channels at every position of a grid; a vector is a grid of one position.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// An affine map, the same at every output position. A dense map has one position and one tap, or, after `flatten`, all positions
    /// as taps.
    Map(AffineMap),
    /// An elementwise nonlinearity of Gaussian inputs.
    Activation(Activation),
    /// The mean over the taps of each output position.
    Pool(Taps),
    /// Each position's channels less their mean, divided by sqrt(variance + this).
    LayerNorm(f64),
    /// The sum of branches, at most one of which has no weights of its own; an empty branch is the identity.
    Sum(Vec<Vec<Step>>),
    /// The product, entry by entry, of independent branches.
    Product(Vec<Vec<Step>>),
}

/// An affine map of what each output position sees.
#[derive(Debug, Clone, PartialEq)]
pub struct AffineMap {
    /// Inputs of one unit: taps times channels, tap by tap.
    pub n_in: usize,
    /// Units, or output channels.
    pub n_out: usize,
    /// What each output position sees.
    pub taps: Taps,
}

/// Every step, branch after branch.
pub(super) fn visit<'a>(steps: &'a [Step], see: &mut impl FnMut(&'a Step)) {
    for step in steps {
        see(step);
        if let Step::Sum(branches) | Step::Product(branches) = step {
            branches.iter().for_each(|branch| visit(branch, see));
        }
    }
}

/// The most nonlinearities on a way through.
pub(super) fn depth(steps: &[Step]) -> usize {
    let deepest = |branches: &[Vec<Step>]| branches.iter().map(|branch| depth(branch)).max().unwrap_or(0);
    steps
        .iter()
        .map(|step| match step {
            Step::Activation(_) => 1,
            Step::Sum(branches) | Step::Product(branches) => deepest(branches),
            Step::Map(_) | Step::Pool(_) | Step::LayerNorm(_) => 0,
        })
        .sum()
}
