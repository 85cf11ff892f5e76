//! The shorthand for the architecture most studies use: `depth` equal hidden layers.

use super::{Activation, Architecture, Layer, Parametrization};
use crate::error::Result;

/// A fully connected network of equal hidden layers.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    /// Hidden layers; 0 is a linear model.
    pub depth: usize,
    /// Units in each hidden layer.
    pub width: usize,
    /// The nonlinearity after each hidden layer.
    pub activation: Activation,
    /// Standard deviation of the weights.
    pub w_std: f64,
    /// Standard deviation of the biases; 0 means none.
    pub b_std: f64,
    /// Where the width goes.
    pub parametrization: Parametrization,
}

impl Mlp {
    /// The layers, written out for inputs of dimension `d_in` and outputs of dimension `d_out`.
    ///
    /// # Errors
    /// As [`Architecture::new`].
    pub fn architecture(&self, d_in: usize, d_out: usize) -> Result<Architecture> {
        let hidden = [Layer::Dense(self.width), Layer::Activation(self.activation.clone())];
        let layers = std::iter::repeat_n(hidden, self.depth).flatten().collect();
        Architecture::new(&[d_in], layers, d_out, self.w_std, self.b_std, self.parametrization)
    }
}
