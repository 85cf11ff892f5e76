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

use super::dense::{DenseWeights, Frozen};
use super::device::Compute;
use super::model::{Cotangent, Model};
use super::network::Network;
use super::parallel::in_pool;
use super::probe::Probe;
use super::probed::{Factor, Probed};
use super::reverse::{Pass, Slopes, factors, is_shared};
use super::size::ensure_parameters_fit;
use super::trainable::Trainable;
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
    /// As [`Network::from_weights`]; more parameters than can be counted, or than fit into memory.
    pub fn init(
        architecture: &Architecture,
        initial: InitialFunction,
        stream: &mut Stream,
        compute: &Compute,
    ) -> Result<Self> {
        let n_networks = if initial == InitialFunction::Plain { 1 } else { 2 };
        ensure_parameters_fit(architecture, n_networks, compute.dtype())?;
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

    /// The description of the network.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        self.network.architecture()
    }

    /// The network, which in the antisymmetric pair is the one that counts positive.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The same predictor with parameters of affine map `number` no longer trained; of both networks, where both are.
    ///
    /// # Errors
    /// As [`Network::freeze`].
    pub fn freeze(self, number: usize, parameters: Frozen) -> Result<Self> {
        let Self { network, twin, initial } = self;
        let twin = twin.map(|twin| twin.freeze(number, parameters)).transpose()?;
        Ok(Self { network: network.freeze(number, parameters)?, twin, initial })
    }
}

impl Predictor {
    /// Of the network, and of its twin where that is trained.
    fn slopes(&self, x: Tensor<2>, trainable: &Trainable, cotangent: &mut Cotangent<'_>) -> (Slopes, Option<Slopes>) {
        let (f, pass) = Pass::of(&self.network, &x);
        match (&self.twin, self.initial) {
            (None, _) => (pass.back(&cotangent(f), trainable), None),
            (Some(twin), InitialFunction::Antisymmetric) => {
                let (f_twin, pass_twin) = Pass::of(twin, &x);
                let slope = cotangent((f - f_twin) * FRAC_1_SQRT_2) * FRAC_1_SQRT_2;
                (pass.back(&slope, trainable), Some(pass_twin.back(&slope.neg(), trainable)))
            }
            // The same way as the network, so that at initialization nothing is left, not even rounding.
            (Some(twin), _) => (pass.back(&cotangent(f - Pass::of(twin, &x).0), trainable), None),
        }
    }
}

impl Model for Predictor {
    fn d_in(&self) -> usize {
        self.network.d_in()
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward_probed(x, &mut Probe::idle())
    }

    fn gradients(&self, x: Tensor<2>, trainable: &Trainable, cotangent: &mut Cotangent<'_>) -> Vec<Tensor<1>> {
        let [n, _] = x.dims();
        in_pool(is_shared(&self.network, n), || {
            let (slopes, of_twin) = self.slopes(x, trainable, cotangent);
            let mut gradients = slopes.gradients(&self.network, trainable);
            if let (Some(twin), Some(slopes)) = (&self.twin, of_twin) {
                gradients.extend(slopes.gradients(twin, trainable));
            }
            gradients
        })
    }

    fn descend(&mut self, x: Tensor<2>, trainable: &Trainable, cotangent: &mut Cotangent<'_>) {
        let [n, _] = x.dims();
        in_pool(is_shared(&self.network, n), || {
            let (slopes, of_twin) = self.slopes(x, trainable, cotangent);
            slopes.descend(&mut self.network, trainable);
            if let (Some(twin), Some(slopes)) = (&mut self.twin, of_twin) {
                slopes.descend(twin, trainable);
            }
        });
    }
}

impl Probed for Predictor {
    fn forward_probed(&self, x: Tensor<2>, probe: &mut Probe) -> Tensor<2> {
        let Some(twin) = &self.twin else { return self.network.forward_probed(x, probe) };
        let f = self.network.forward_probed(x.clone(), probe);
        match self.initial {
            InitialFunction::Antisymmetric => (f - twin.forward_probed(x, probe)) * FRAC_1_SQRT_2,
            // A constant: nothing in it is trained.
            InitialFunction::Plain | InitialFunction::Centred => f - twin.forward(x),
        }
    }

    fn factors(&self, x: &Tensor<2>, _: usize, trainable: &Trainable, traced: bool) -> Result<Vec<Factor>> {
        Ok(match (&self.twin, self.initial) {
            (Some(twin), InitialFunction::Antisymmetric) => {
                let mut both = factors(&self.network, x, FRAC_1_SQRT_2, trainable, traced);
                both.extend(factors(twin, x, -FRAC_1_SQRT_2, trainable, traced));
                both
            }
            _ => factors(&self.network, x, 1.0, trainable, traced),
        })
    }

    fn merged_maps(&self) -> Vec<usize> {
        let merged = self.network.merged_maps();
        match self.initial {
            InitialFunction::Antisymmetric => {
                let n_maps = self.network.architecture().maps().len();
                merged.iter().copied().chain(merged.iter().map(|number| n_maps + number)).collect()
            }
            InitialFunction::Plain | InitialFunction::Centred => merged,
        }
    }
}
