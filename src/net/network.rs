//! The finite network of an [`Architecture`].
//!
//! Between two steps, a batch is one row of channels per sample and position, `[n * n_positions, channels]`, sample by sample. A vector
//! has one position, and what acts at every position alike, such as an affine map of the window around it, acts on rows.

use burn::module::Module;
use burn::tensor::Tensor;

use super::activation::{Elementwise, scaled};
use super::dense::{Dense, DenseWeights, Frozen};
use super::device::Compute;
use super::model::{Cotangent, Model};
use super::norm::Normalized;
use super::parallel::in_pool;
use super::probe::Probe;
use super::probed::{Factor, Probed};
use super::reverse::{Pass, factors, is_shared};
use super::trainable::Trainable;
use super::window::Window;
use crate::arch::{AffineMap, Architecture, Step};
use crate::error::{Error, Result};

/// A network whose parameters require gradients; use [`Module::valid`] for inference.
#[derive(Module, Debug)]
pub struct Network {
    /// The affine maps, branch after branch.
    maps: Vec<Dense>,
    #[module(skip)]
    operations: Vec<Operation>,
    #[module(skip)]
    architecture: Architecture,
    #[module(skip)]
    is_on_host: bool,
}

/// A [`Step`] with what it needs on the device.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// The affine map of this number.
    Map(usize, Window),
    Activation(Elementwise),
    Pool(Window),
    LayerNorm(f64),
    Sum(Vec<Vec<Operation>>),
    Product(Vec<Vec<Operation>>),
}

impl Operation {
    /// The slope above 0, of an activation that is 0 below.
    pub(super) fn rectifier(&self) -> Option<f64> {
        if let Self::Activation(activation) = self { activation.rectifier() } else { None }
    }
}

impl Network {
    /// Builds the network with the given parameters.
    ///
    /// # Errors
    /// When the parameters do not have the architecture's shapes, or an activation is a caller's own function.
    pub fn from_weights(architecture: &Architecture, weights: &[DenseWeights], compute: &Compute) -> Result<Self> {
        let maps = architecture.maps();
        if maps.len() != weights.len() {
            return Err(Error::shape("affine maps with weights", maps.len(), weights.len()));
        }
        for (number, (map, weights)) in maps.into_iter().zip(weights).enumerate() {
            ensure_shape(number, weights, map, architecture.b_std() > 0.0)?;
        }
        Ok(Self {
            maps: weights.iter().map(|weights| Dense::new(weights, architecture, compute)).collect(),
            operations: operations(architecture.steps(), &mut 0, compute)?,
            architecture: architecture.clone(),
            is_on_host: compute.is_host(),
        })
    }

    /// The description this network was built from.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The same network with the parameters of affine map `number`, in the order of [`Architecture::maps`], no longer trained.
    ///
    /// # Errors
    /// When there are not so many maps.
    pub fn freeze(mut self, number: usize, parameters: Frozen) -> Result<Self> {
        if number >= self.maps.len() {
            return Err(Error::shape("the number of an affine map", format!("below {}", self.maps.len()), number));
        }
        let map = self.maps.remove(number);
        self.maps.insert(number, map.frozen(parameters));
        Ok(self)
    }

    pub(super) fn maps(&self) -> &[Dense] {
        &self.maps
    }

    pub(super) fn maps_mut(&mut self) -> &mut Vec<Dense> {
        &mut self.maps
    }

    pub(super) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// A batch as the operations take it, with the convention's scale.
    pub(super) fn rows(&self, x: Tensor<2>) -> Tensor<2> {
        let [n, _] = x.dims();
        let (n_positions, channels) = self.architecture.input_grid();
        let rows = if n_positions == 1 { x } else { x.reshape([n * n_positions, channels]) };
        scaled(rows, self.architecture.input_scale())
    }

    /// Whether its parameters lie in the memory of this process.
    pub(super) fn is_on_host(&self) -> bool {
        self.is_on_host
    }

    pub(super) fn output_scale(&self) -> f64 {
        self.architecture.output_scale()
    }

    fn run(&self, operations: &[Operation], h: Tensor<2>, probe: &mut Probe) -> Tensor<2> {
        operations.iter().fold(h, |h, operation| match operation {
            Operation::Map(number, window) => probe.affine(self.maps[*number].affine(), window.gather(h)),
            Operation::Activation(activation) => activation.apply(h),
            Operation::Pool(window) => window.mean(h),
            Operation::LayerNorm(eps) => Normalized::of(h, *eps).outputs(),
            Operation::Sum(branches) => self.run_all(branches, h, probe, |sum, branch| sum + branch),
            Operation::Product(branches) => self.run_all(branches, h, probe, |product, branch| product * branch),
        })
    }

    fn run_all(
        &self,
        branches: &[Vec<Operation>],
        h: Tensor<2>,
        probe: &mut Probe,
        join: impl FnMut(Tensor<2>, Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        branches.iter().map(|branch| self.run(branch, h.clone(), probe)).reduce(join).unwrap_or(h)
    }
}

impl Model for Network {
    fn d_in(&self) -> usize {
        self.architecture.d_in()
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward_probed(x, &mut Probe::idle())
    }

    fn gradients(&self, x: Tensor<2>, trainable: &Trainable, cotangent: &mut Cotangent<'_>) -> Vec<Tensor<1>> {
        let [n, _] = x.dims();
        in_pool(is_shared(self, n), || {
            let (f, pass) = Pass::of(self, &x);
            pass.back(&cotangent(f), trainable).gradients(self, trainable)
        })
    }

    fn descend(&mut self, x: Tensor<2>, trainable: &Trainable, cotangent: &mut Cotangent<'_>) {
        let [n, _] = x.dims();
        in_pool(is_shared(self, n), || {
            let (f, pass) = Pass::of(self, &x);
            pass.back(&cotangent(f), trainable).descend(self, trainable);
        });
    }
}

impl Probed for Network {
    fn forward_probed(&self, x: Tensor<2>, probe: &mut Probe) -> Tensor<2> {
        scaled(self.run(&self.operations, self.rows(x), probe), self.output_scale())
    }

    fn factors(&self, x: &Tensor<2>, _: usize, trainable: &Trainable, traced: bool) -> Result<Vec<Factor>> {
        Ok(factors(self, x, 1.0, trainable, traced))
    }

    /// The readout, and the map before it where nothing but activations lies between them, unit by unit.
    fn merged_maps(&self) -> Vec<usize> {
        let mut merged = Vec::new();
        for operation in self.operations.iter().rev() {
            match operation {
                Operation::Map(number, window) if window.is_of_a_vector() && merged.len() < 2 => {
                    merged.insert(0, *number)
                }
                Operation::Activation(_) if merged.len() == 1 => {}
                _ => break,
            }
        }
        merged
    }
}

/// Maps are numbered in the order in which they are met, which is that of [`Architecture::maps`].
fn operations(steps: &[Step], n_maps: &mut usize, compute: &Compute) -> Result<Vec<Operation>> {
    let mut all = Vec::with_capacity(steps.len());
    for step in steps {
        let mut each = |branches: &[Vec<Step>]| -> Result<Vec<Vec<Operation>>> {
            branches.iter().map(|branch| operations(branch, n_maps, compute)).collect()
        };
        all.push(match step {
            Step::Map(map) => {
                *n_maps += 1;
                Operation::Map(*n_maps - 1, Window::new(&map.taps, compute))
            }
            Step::Activation(activation) => Operation::Activation(Elementwise::new(activation)?),
            Step::Pool(taps) => Operation::Pool(Window::new(taps, compute)),
            Step::LayerNorm(eps) => Operation::LayerNorm(*eps),
            Step::Sum(branches) => Operation::Sum(each(branches)?),
            Step::Product(branches) => Operation::Product(each(branches)?),
        });
    }
    Ok(all)
}

fn ensure_shape(number: usize, weights: &DenseWeights, map: &AffineMap, has_bias: bool) -> Result<()> {
    let expected = (map.n_in, map.n_out, has_bias.then_some(map.n_out));
    let found = (weights.weight.n_rows(), weights.weight.n_cols(), weights.bias.as_ref().map(Vec::len));
    if expected == found {
        return Ok(());
    }
    Err(Error::shape(
        format!("weights of affine map {number} (inputs, outputs, biases)"),
        format!("{expected:?}"),
        format!("{found:?}"),
    ))
}
