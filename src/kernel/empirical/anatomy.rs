//! The affine maps of a module, and what each costs: found by one forward pass of one sample, in which no map is computed.

use burn::tensor::Tensor;

use super::outputs::Outputs;
use crate::error::{Error, Result};
use crate::net::{Probe, Probed, Seen, Trainable};

/// An affine map of a module as its kernel sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct MapShape {
    /// Rows per sample.
    pub n_positions: usize,
    /// Inputs of one unit.
    pub n_in: usize,
    /// Units.
    pub n_out: usize,
    /// Whether its weights are trained.
    pub is_weight_trained: bool,
    /// The factor of its biases; 0 where it has none that are trained.
    pub bias_scale: f64,
    /// Whether a trace needs its deltas of one output alone; see [`Probed::merged_maps`].
    pub is_merged: bool,
}

impl MapShape {
    /// Whether any of its parameters is trained.
    #[must_use]
    pub fn is_trained(&self) -> bool {
        self.is_weight_trained || self.bias_scale != 0.0
    }

    /// Trained weights and biases.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let weights = if self.is_weight_trained { self.n_in * self.n_out } else { 0 };
        weights + if self.bias_scale == 0.0 { 0 } else { self.n_out }
    }

    /// Multiplications of one sample on the way through.
    pub(super) fn pass(&self) -> f64 {
        (self.n_positions * self.n_in * self.n_out) as f64
    }

    /// Whether summing each sample's gradient first takes fewer multiplications for many samples; see `map_factors`.
    pub(super) fn is_summed_by_samples(&self, outputs: Outputs, d_out: usize) -> bool {
        let (by_samples, by_positions) = self.products(outputs, d_out);
        self.n_positions > 1 && by_samples < by_positions
    }

    /// Multiplications for one pair of samples.
    pub(super) fn product(&self, outputs: Outputs, d_out: usize) -> f64 {
        let (by_samples, by_positions) = self.products(outputs, d_out);
        if self.is_summed_by_samples(outputs, d_out) { by_samples } else { by_positions }
    }

    fn products(&self, outputs: Outputs, d_out: usize) -> (f64, f64) {
        let [p, n_in, n_out, d_out] = [self.n_positions, self.n_in, self.n_out, d_out].map(|count| count as f64);
        // For a trace the deltas of all outputs lie side by side.
        let n_out = n_out
            * match outputs {
                Outputs::Full => d_out * d_out,
                Outputs::Trace if self.is_merged => 1.0,
                Outputs::Trace => d_out,
            };
        (n_in * n_out, p * p * (n_in + n_out))
    }

    /// Numbers kept for one sample.
    pub(super) fn memory(&self, outputs: Outputs, d_out: usize) -> f64 {
        let n_deltas = if outputs == Outputs::Trace && self.is_merged { 1 } else { d_out };
        let [p, n_in, n_out] = [self.n_positions, self.n_in, self.n_out * n_deltas].map(|count| count as f64);
        if self.is_summed_by_samples(outputs, d_out) { n_in * n_out } else { p * (n_in + n_out) }
    }
}

/// The affine maps of a module, found by one forward pass of one sample, in which no map is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Anatomy {
    /// Outputs.
    pub d_out: usize,
    /// In the order in which the forward pass meets them.
    pub maps: Vec<MapShape>,
    /// Every trained parameter in the order in which Burn visits them: the number of its map among those that are trained, and which of
    /// the two it is.
    pub(super) parameters: Vec<(usize, Part)>,
}

/// A parameter of an affine map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Weight,
    Bias,
}

impl Anatomy {
    /// Of a `module`, by what `valid`, the same without gradients, does with one input.
    ///
    /// # Errors
    /// A module whose outputs are not one row per sample, or whose trainable parameters do not each belong to one affine map.
    pub(super) fn of<M: Probed>(module: &M, valid: &M, x: Tensor<2>) -> Result<Self> {
        let trainable = Trainable::of(module);
        let mut probe = Probe::of_shapes();
        let f = valid.forward_probed(x, &mut probe);
        let [n_rows, d_out] = f.dims();
        if n_rows != 1 || d_out == 0 {
            return Err(Error::shape("outputs of the module for one input", "[1, d_out]", format!("{:?}", f.dims())));
        }
        let seen = probe.into_seen();
        trainable.ensure_seen_once(&seen)?;
        let merged = module.merged_maps();
        let shape = |(number, map): (usize, &Seen)| {
            let [n_positions, n_in] = map.inputs.dims();
            let n_out = map.outputs.as_ref().map_or(0, |outputs| outputs.dims()[1]);
            let bias = map.bias.filter(|(bias, _)| trainable.contains(*bias));
            let is_weight_trained = trainable.contains(map.weight);
            let bias_scale = bias.map_or(0.0, |(_, scale)| scale);
            MapShape { n_positions, n_in, n_out, is_weight_trained, bias_scale, is_merged: merged.contains(&number) }
        };
        let maps: Vec<MapShape> = seen.iter().enumerate().map(shape).collect();
        let trained = || seen.iter().zip(&maps).filter(|(_, shape)| shape.is_trained()).map(|(map, _)| map).enumerate();
        let place = |id| {
            trained().find_map(|(number, map)| match map.bias {
                _ if map.weight == id => Some((number, Part::Weight)),
                Some((bias, _)) if bias == id => Some((number, Part::Bias)),
                _ => None,
            })
        };
        let parameters = trainable.ids().filter_map(place).collect();
        Ok(Self { d_out, maps, parameters })
    }

    /// The maps that are trained.
    pub fn trained_maps(&self) -> impl Iterator<Item = &MapShape> {
        self.maps.iter().filter(|map| map.is_trained())
    }

    /// Trained parameters.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.maps.iter().map(MapShape::n_parameters).sum()
    }

    /// Multiplications of one sample on its way forth and, for every output, back. Modules that go by autodiff go forth as often as back.
    pub(super) fn passes(&self) -> f64 {
        (1 + self.d_out) as f64 * self.maps.iter().map(MapShape::pass).sum::<f64>()
    }
}
