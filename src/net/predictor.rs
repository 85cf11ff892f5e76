//! What is trained: a network, and what is done about the function it starts from.
//!
//! A random network starts at f_0, not at 0, and f_0 never vanishes from its predictions. Two ways of removing it keep the tangent
//! kernel at initialization: subtracting the initial network, and training a pair that starts as two equal networks (Chizat,
//! Oyallon, Bach 2019).

use std::f64::consts::FRAC_1_SQRT_2;
use std::fmt;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::dense::DenseWeights;
use super::device::Compute;
use super::network::Network;
use crate::arch::Architecture;
use crate::error::Result;
use crate::seed::{self, Stream};

/// How the initial function enters the prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitialFunction {
    /// f(x; theta), as initialized.
    #[default]
    Plain,
    /// f(x; theta) - f(x; theta_0).
    Centred,
    /// (f(x; theta_a) - f(x; theta_b)) / sqrt 2, with theta_a = theta_b at initialization and both trained.
    Antisymmetric,
}

impl fmt::Display for InitialFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Centred => "centred",
            Self::Antisymmetric => "antisymmetric",
        })
    }
}

/// A trainable function of the inputs.
#[derive(Module, Debug)]
pub struct Predictor {
    network: Network,
    /// The network that is subtracted: frozen where the function is centred, trained along where it is antisymmetric.
    twin: Option<Network>,
    #[module(skip)]
    initial: InitialFunction,
}

impl Predictor {
    /// The network number `seed.1` of the root seed `seed.0`: its parameters come from a stream named after depth, width and number, so
    /// that no two networks of a study share a draw.
    ///
    /// # Errors
    /// As [`Network::from_weights`].
    pub fn of_seed(
        architecture: &Architecture,
        initial: InitialFunction,
        seed: (u64, u64),
        compute: &Compute,
    ) -> Result<Self> {
        let name = format!("init/depth={}/width={}/seed={}", architecture.depth(), architecture.width(), seed.1);
        Self::init(architecture, initial, &mut seed::stream(seed.0, &name), compute)
    }

    /// Draws the network's parameters from `stream`.
    ///
    /// # Errors
    /// As [`Network::from_weights`].
    pub fn init(
        architecture: &Architecture,
        initial: InitialFunction,
        stream: &mut Stream,
        compute: &Compute,
    ) -> Result<Self> {
        Self::from_weights(architecture, &DenseWeights::draw(architecture, stream), initial, compute)
    }

    /// Starts from the given parameters.
    ///
    /// # Errors
    /// As [`Network::from_weights`].
    pub fn from_weights(
        architecture: &Architecture,
        weights: &[DenseWeights],
        initial: InitialFunction,
        compute: &Compute,
    ) -> Result<Self> {
        // The twin is built anew, not cloned: clones share their gradients.
        let build = || Network::from_weights(architecture, weights, compute);
        let twin = match initial {
            InitialFunction::Plain => None,
            InitialFunction::Centred => Some(build()?.no_grad()),
            InitialFunction::Antisymmetric => Some(build()?),
        };
        Ok(Self { network: build()?, twin, initial })
    }

    /// The predictions.
    ///
    /// # Shapes
    /// - input: `[n, d_in]`
    /// - output: `[n, d_out]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let Some(twin) = &self.twin else { return self.network.forward(x) };
        let difference = self.network.forward(x.clone()) - twin.forward(x);
        match self.initial {
            InitialFunction::Antisymmetric => difference * FRAC_1_SQRT_2,
            InitialFunction::Plain | InitialFunction::Centred => difference,
        }
    }

    /// The description of the network.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        self.network.architecture()
    }

    /// The trained networks, each with the square of its factor in the prediction: its weight in the tangent kernel.
    #[must_use]
    pub fn trained_networks(&self) -> Vec<(&Network, f64)> {
        match (self.initial, &self.twin) {
            (InitialFunction::Antisymmetric, Some(twin)) => vec![(&self.network, 0.5), (twin, 0.5)],
            _ => vec![(&self.network, 1.0)],
        }
    }
}
