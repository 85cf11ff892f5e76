//! What structured derivatives and NTK-vector products need of a module: a forward pass that shows its affine maps, and from it what their
//! derivatives are made of.

use burn::tensor::Tensor;

use super::model::Model;
use super::probe::Probe;
use super::trainable::Trainable;
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
    /// To be asked of [`Module::valid`](burn::module::Module::valid). By a forward and a backward pass of Burn's autodiff for every output, where a module has no quicker
    /// way.
    ///
    /// # Errors
    /// Outputs that are not `[n, d_out]`, or affine maps that are not the same in every pass.
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
        if let Some(some) = deltas.iter().find(|deltas| deltas.len() != d_out) {
            return Err(Error::shape("passes that show an affine map, one for each output", d_out, some.len()));
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
