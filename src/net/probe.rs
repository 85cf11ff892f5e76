//! A forward pass that shows its affine maps, one by one: all that structured derivatives and NTK-vector products need of a module.
//!
//! A module that sends every trainable parameter through [`Probe::affine`] is written once and serves for training, where the probe is
//! idle, and for its tangent kernel, where the probe keeps each map's inputs and adds a leaf to its outputs, from which one backward pass
//! reads the deltas df / dz of a whole batch.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

use super::activation::scaled;
use super::model::Model;
use crate::error::{Error, Result};

/// A model whose trainable parameters all belong to affine maps, each of its own.
pub trait Probed: Model {
    /// The outputs, as [`Model::forward`] with [`Probe::idle`] has them; every affine map is left to `probe`.
    ///
    /// # Shapes
    /// - input: `[n, d_in]`
    /// - output: `[n, d_out]`
    fn forward_probed(&self, x: Tensor<2>, probe: &mut Probe) -> Tensor<2>;

    /// What the derivatives of the `d_out` outputs in the `trainable` parameters are made of at the inputs `x` `[n, d_in]`: one factor for
    /// every map that has some, in the order of the forward pass. For a trace that of a map in [`Probed::merged_maps`] has the
    /// deltas of one output alone, whose inner products are the sums over all.
    ///
    /// To be asked of [`Module::valid`]. By a forward and a backward pass of Burn's autodiff for every output, where a module has no quicker
    /// way.
    ///
    /// # Errors
    /// Outputs that are not `[n, d_out]`.
    fn factors(&self, x: &Tensor<2>, d_out: usize, trainable: &Trainable, _traced: bool) -> Result<Vec<Factor>> {
        let shape = [x.dims()[0], d_out];
        let mut inputs: Vec<Tensor<2>> = Vec::new();
        let mut deltas: Vec<Vec<Tensor<2>>> = Vec::new();
        for output in 0..d_out {
            // A graph serves one backward pass.
            let mut probe = Probe::of_leaves();
            let f = self.forward_probed(x.clone(), &mut probe);
            if f.dims() != shape {
                return Err(Error::shape("outputs of the module", format!("{shape:?}"), format!("{:?}", f.dims())));
            }
            let f = if d_out == 1 { f } else { f.narrow(1, output, 1) };
            // Nothing is tracked in a module without a map.
            let gradients = f.is_tracked().then(|| f.sum().backward());
            let trained = probe.into_seen().into_iter().filter(|map| trainable.trains(map));
            for (number, map) in trained.enumerate() {
                let Some(leaf) = map.leaf else { continue };
                // Without a gradient the output does not depend on it: behind a sign, say.
                let delta = gradients.as_ref().and_then(|gradients| leaf.grad(gradients));
                let delta = delta.unwrap_or_else(|| leaf.inner().zeros_like());
                if output == 0 {
                    inputs.push(map.inputs);
                    deltas.push(Vec::with_capacity(d_out));
                }
                if let Some(deltas) = deltas.get_mut(number) {
                    deltas.push(delta);
                }
            }
        }
        let factor = |(inputs, deltas)| Factor { inputs, input_scale: 1.0, deltas: output_by_output(deltas, shape[0]) };
        Ok(inputs.into_iter().zip(deltas).map(factor).collect())
    }

    /// The numbers, in the order of the forward pass, of the maps whose deltas of all outputs are multiples of one another sample by sample
    /// in the same way, so that a trace needs one of them; none, where a module does not know.
    fn merged_maps(&self) -> Vec<usize> {
        Vec::new()
    }
}

/// Of one tensor per output, each with its rows sample by sample, every sample's rows of all outputs.
fn output_by_output(mut deltas: Vec<Tensor<2>>, n: usize) -> Tensor<2> {
    if deltas.len() == 1 {
        return deltas.remove(0);
    }
    let [n_rows, n_columns] = deltas[0].dims();
    let all = n_rows * deltas.len();
    let samples = deltas.into_iter().map(|delta| delta.reshape([n, n_rows * n_columns / n.max(1)]));
    Tensor::cat(samples.collect(), 1).reshape([all, n_columns])
}

/// What the derivatives in the parameters of an affine map are made of, for a batch.
#[derive(Debug, Clone)]
pub struct Factor {
    /// The map's inputs, `[rows, n_in]`; one row per sample and position, sample by sample.
    pub inputs: Tensor<2>,
    /// What the inputs are still to be multiplied by, so that they are weight_scale h.
    pub input_scale: f64,
    /// df / dz of every output f of the module, `[samples * outputs * positions, n_out]`: sample by sample, in each output by output.
    pub deltas: Tensor<2>,
}

/// An affine map of rows, z = weight_scale h W + bias_scale b.
#[derive(Debug, Clone, Copy)]
pub struct Affine<'a> {
    /// W, `[n_in, n_out]`.
    pub weight: &'a Param<Tensor<2>>,
    /// The factor of the weights.
    pub weight_scale: f64,
    /// b, `[n_out]`.
    pub bias: Option<&'a Param<Tensor<1>>>,
    /// The factor of the biases.
    pub bias_scale: f64,
}

impl Affine<'_> {
    /// z of inputs that carry the weights' scale.
    fn of_scaled(&self, inputs: Tensor<2>) -> Tensor<2> {
        let z = inputs.matmul(self.weight.val());
        match self.biases() {
            Some(biases) => z + biases,
            None => z,
        }
    }

    /// bias_scale b, `[1, n_out]`.
    pub(super) fn biases(&self) -> Option<Tensor<2>> {
        self.bias.map(|bias| scaled(bias.val().unsqueeze::<2>(), self.bias_scale))
    }
}

/// An affine map as it was met in a forward pass.
#[derive(Debug)]
pub struct Seen {
    /// Which parameter the weights are.
    pub weight: ParamId,
    /// Which the biases are, with their factor.
    pub bias: Option<(ParamId, f64)>,
    /// weight_scale h, `[rows, n_in]`; one row per sample and position, sample by sample.
    pub inputs: Tensor<2>,
    /// z, `[rows, n_out]`, where it was asked for.
    pub outputs: Option<Tensor<2>>,
    /// What the backward pass gives df / dz to, where it was asked for.
    pub leaf: Option<Tensor<2>>,
}

/// Looks on while a module computes.
#[derive(Debug)]
pub struct Probe {
    purpose: Purpose,
    seen: Vec<Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Idle,
    Outputs,
    Leaves,
}

impl Probe {
    /// Computes, and keeps nothing.
    #[must_use]
    pub fn idle() -> Self {
        Self { purpose: Purpose::Idle, seen: Vec::new() }
    }

    /// Keeps the inputs and outputs of every map.
    #[must_use]
    pub fn of_outputs() -> Self {
        Self { purpose: Purpose::Outputs, seen: Vec::new() }
    }

    /// Keeps the inputs of every map and makes its outputs depend on a leaf. For modules without gradients of their own
    /// ([`Module::valid`]): no gradient of a weight is then ever formed.
    #[must_use]
    pub fn of_leaves() -> Self {
        Self { purpose: Purpose::Leaves, seen: Vec::new() }
    }

    /// z = weight_scale h W + bias_scale b.
    ///
    /// # Shapes
    /// - input: `[rows, n_in]`
    /// - output: `[rows, n_out]`
    pub fn affine(&mut self, map: Affine<'_>, h: Tensor<2>) -> Tensor<2> {
        // The inputs carry the scale: rows x n_in numbers, where the weights are n_in x n_out and wide networks see few samples.
        let inputs = scaled(h, map.weight_scale);
        let kept = (self.purpose != Purpose::Idle).then(|| inputs.clone());
        let z = map.of_scaled(inputs);
        let Some(inputs) = kept else { return z };
        let (z, leaf) = if self.purpose == Purpose::Leaves { with_leaf(z) } else { (z, None) };
        self.seen.push(Seen {
            weight: map.weight.id,
            bias: map.bias.map(|bias| (bias.id, map.bias_scale)),
            inputs: inputs.inner(),
            outputs: (self.purpose == Purpose::Outputs).then(|| z.clone()),
            leaf,
        });
        z
    }

    /// The maps in the order in which they were met.
    #[must_use]
    pub fn into_seen(self) -> Vec<Seen> {
        self.seen
    }
}

/// z, depending on a leaf of its own: z itself where nothing before it is tracked, otherwise zeros that are added.
fn with_leaf(z: Tensor<2>) -> (Tensor<2>, Option<Tensor<2>>) {
    if z.is_tracked() {
        let leaf = z.zeros_like().inner().autodiff().require_grad();
        (z + leaf.clone(), Some(leaf))
    } else {
        let leaf = z.autodiff().require_grad();
        (leaf.clone(), Some(leaf))
    }
}

/// The parameters of a module that are trained, in the order in which Burn visits them.
#[derive(Debug, Clone)]
pub struct Trainable {
    /// With each one's shape, for messages.
    parameters: Vec<(ParamId, String)>,
}

impl Trainable {
    /// Those of `module` that require gradients; not to be asked of [`Module::valid`], where none does.
    #[must_use]
    pub fn of<M: Module>(module: &M) -> Self {
        let mut trainable = Self { parameters: Vec::new() };
        module.visit(&mut trainable);
        trainable
    }

    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = ParamId> {
        self.parameters.iter().map(|(id, _)| *id)
    }

    /// Whether this parameter is one of them.
    #[must_use]
    pub fn contains(&self, parameter: ParamId) -> bool {
        self.ids().any(|id| id == parameter)
    }

    /// Whether the weights or the biases of a map are among them.
    fn trains(&self, map: &Seen) -> bool {
        self.contains(map.weight) || map.bias.is_some_and(|(bias, _)| self.contains(bias))
    }

    /// Refuses a forward pass whose maps do not have every trainable parameter exactly once.
    ///
    /// # Errors
    /// With the shape of the parameter that was missed, or met twice.
    pub fn ensure_seen_once(&self, seen: &[Seen]) -> Result<()> {
        for (parameter, shape) in &self.parameters {
            let parts = seen.iter().flat_map(|map| std::iter::once(map.weight).chain(map.bias.map(|(bias, _)| bias)));
            let problem = match parts.filter(|part| part == parameter).count() {
                1 => continue,
                0 => "belongs to no affine map that the forward pass showed".to_owned(),
                n => format!("belongs to {n} affine maps, and its shares of the kernel would not add up"),
            };
            return Err(Error::Module {
                problem: format!("a trainable parameter of shape {shape} {problem}"),
                remedy: "send it through `Probe::affine` once, freeze it with `no_grad`, or use `kernel::empirical::jacobian`",
            });
        }
        Ok(())
    }
}

impl ModuleVisitor for Trainable {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        if tensor.is_require_grad() {
            self.parameters.push((param.id, format!("{:?}", tensor.dims())));
        }
    }
}
