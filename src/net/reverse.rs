//! The way back through a network: how a loss, or an output, depends on every affine map, from what the forward pass kept.
//!
//! With delta = dloss/dz at an affine map z = s h W + c b of rows,
//!
//! ```text
//! dloss/dW = s h^T delta,   dloss/db = c sum_rows delta,   dloss/dh = s delta W^T,
//! ```
//!
//! and nothing is propagated to inputs behind which no map lies. Every operation has its way back written out, so that a network never meets
//! Burn's autodiff, whose bookkeeping costs a small network more than its arithmetic, is shared by all threads, and serves one way back
//! for each way forth; only the derivative of a smooth activation is asked of it, entry by entry.

use std::ops::Range;

use burn::tensor::Tensor;

use super::activation::scaled;
use super::dense::Dense;
use super::fused::{column_sums, product, product_back, rectified, repeated, spend, where_positive};
use super::network::{Network, Operation};
use super::norm::Normalized;
use super::parallel::in_parallel;
use super::params::flat;
use super::probed::{Factor, Probed};
use super::trainable::Trainable;
use super::window::Window;

/// What the way back needs of a forward pass, operation by operation.
type Tape<'a> = Vec<Kept<'a>>;

enum Kept<'a> {
    /// The inputs h of the map of this number, as its window shows them.
    Map(usize, Tensor<2>, &'a Window),
    /// The outputs of a rectifier of this slope.
    Rectified(Tensor<2>, f64),
    /// The derivative of an activation.
    Activation(Tensor<2>),
    Pool(&'a Window),
    Normalized(Box<Normalized>),
    Sum(Vec<Tape<'a>>),
    /// Every branch with its outputs.
    Product(Vec<(Tape<'a>, Tensor<2>)>),
}

/// What the derivative in the parameters of a map is made of.
#[derive(Debug, Clone)]
struct Met {
    /// h, window by window.
    inputs: Tensor<2>,
    delta: Tensor<2>,
}

/// A forward pass that can be walked back.
///
/// On a CPU a batch is passed in shards, which threads share: all of a layer's work is then done by the thread that has its numbers at
/// hand, and a product is shared only with threads that have nothing else to do. A row of a product is the same however many rows there
/// are, so the numbers do not depend on the shards, nor on the threads.
pub(super) struct Pass<'a> {
    network: &'a Network,
    shards: Vec<(Range<usize>, Tape<'a>)>,
}

impl<'a> Pass<'a> {
    /// The outputs, and the way back, in shards.
    pub(super) fn of(network: &'a Network, x: &Tensor<2>) -> (Tensor<2>, Self) {
        let [n, _] = x.dims();
        let (outputs, shards) = in_parallel(true, shards(network, n), |rows| {
            let (f, tape) = record_all(network, x.clone().narrow(0, rows.start, rows.len()));
            (f, (rows, tape))
        })
        .into_iter()
        .unzip();
        (joined(outputs), Self { network, shards })
    }

    /// What the parameters' derivatives are made of, given that in the outputs, for maps with a `trainable` parameter.
    pub(super) fn back(&self, slope: &Tensor<2>, trainable: &Trainable) -> Slopes {
        let network = self.network;
        let shards = in_parallel(true, self.shards.iter().collect(), |(rows, tape)| {
            let slope = slope.clone().narrow(0, rows.start, rows.len());
            Walk::all(network, trainable, tape, slope, (rows.len(), 1))
        });
        let mut by_map: Vec<(Vec<Tensor<2>>, Vec<Tensor<2>>)> =
            network.maps().iter().map(|_| Default::default()).collect();
        for shard in shards {
            for ((inputs, deltas), met) in by_map.iter_mut().zip(shard) {
                let Some(met) = met else { continue };
                inputs.push(met.inputs);
                deltas.push(met.delta);
            }
        }
        // One shard is a sign that there are no threads to share with, or that each product had better have all of them.
        let is_shared = self.shards.len() > 1;
        let met = |(inputs, deltas): (Vec<_>, Vec<_>)| {
            (!deltas.is_empty()).then(|| Met { inputs: joined(inputs), delta: joined(deltas) })
        };
        Slopes { by_map: in_parallel(is_shared, by_map, met), is_shared }
    }
}

/// What the derivatives of `scale` times every output at `x` are made of: one way back for all of them, side by side; for a trace, in as few
/// deltas as it needs. On this thread, for callers that use all.
pub(super) fn factors(
    network: &Network,
    x: &Tensor<2>,
    scale: f64,
    trainable: &Trainable,
    traced: bool,
) -> Vec<Factor> {
    let (f, tape) = record_all(network, x.clone());
    let [n, d_out] = f.dims();
    let slope = Tensor::<2>::eye(d_out, &f.device()).cast(f.dtype()).repeat_dim(0, n);
    let mut met = Walk::all(network, trainable, &tape, scaled(slope, scale), (n, d_out));
    if traced && d_out > 1 {
        merge(network, &tape, scale * network.output_scale(), f, &mut met);
    }
    let factor = |(map, met): (&Dense, Option<Met>)| {
        met.map(|Met { inputs, delta }| Factor { inputs, input_scale: map.affine().weight_scale, deltas: delta })
    };
    network.maps().iter().zip(met).filter_map(factor).collect()
}

/// Puts one delta in the place of those of all outputs, at the merged maps: with outputs f_o = scale (s <W_o, h> + b_o) and a unit-by-unit way
/// from z to h, the inner products of (dh / dz) W_o, summed over o, are those of (dh / dz) sqrt(sum_o W_o^2).
fn merge(network: &Network, tape: &[Kept<'_>], scale: f64, f: Tensor<2>, met: &mut [Option<Met>]) {
    let [n, d_out] = f.dims();
    let mut put = |number: usize, delta: Tensor<2>| {
        if let Some(met) = &mut met[number] {
            met.delta = delta;
        }
    };
    let merged = network.merged_maps();
    let mut delta = f.narrow(1, 0, 1).zeros_like() + scale * (d_out as f64).sqrt();
    for kept in tape.iter().rev() {
        delta = match kept {
            Kept::Map(number, ..) if merged.contains(number) => {
                put(*number, delta);
                if Some(number) == merged.first() {
                    return;
                }
                let readout = network.maps()[*number].affine();
                let norms = readout.weight.val().square().sum_dim(1).sqrt().transpose();
                (norms * (scale * readout.weight_scale)).repeat_dim(0, n)
            }
            Kept::Rectified(h, slope) => where_positive(delta, h, *slope, n),
            Kept::Activation(derivative) => delta * derivative.clone(),
            _ => return,
        };
    }
}

/// What was met at every map, in their order.
pub(super) struct Slopes {
    by_map: Vec<Option<Met>>,
    /// Whether every thread has maps to itself.
    is_shared: bool,
}

impl Slopes {
    /// The gradients of `trainable` parameters, in the order of the maps: weights, then biases.
    pub(super) fn gradients(self, network: &Network, trainable: &Trainable) -> Vec<Tensor<1>> {
        let tasks: Vec<_> = network.maps().iter().zip(self.by_map).collect();
        let gradients = in_parallel(self.is_shared, tasks, |(map, met)| {
            let affine = map.affine();
            let mut gradients = Vec::new();
            let Some(Met { inputs, delta }) = met else { return gradients };
            if trainable.contains(affine.weight.id) {
                gradients.push(flat(product(&inputs.transpose(), &delta, affine.weight_scale)));
            }
            if let Some(bias) = affine.bias
                && trainable.contains(bias.id)
            {
                gradients.push(flat(column_sums(&delta, affine.bias_scale)));
            }
            gradients
        });
        gradients.into_iter().flatten().collect()
    }

    /// Moves the `trainable` parameters by the negative of their gradients, in the place where they are.
    pub(super) fn descend(self, network: &mut Network, trainable: &Trainable) {
        let tasks: Vec<_> = std::mem::take(network.maps_mut()).into_iter().zip(self.by_map).collect();
        *network.maps_mut() = in_parallel(self.is_shared, tasks, |(map, met)| match met {
            Some(Met { inputs, delta }) => {
                let map = map.descended(&inputs, &delta, trainable);
                spend(inputs);
                spend(delta);
                map
            }
            None => map,
        });
    }
}

/// Rows of a shard: enough that a product with the weights runs at its full rate.
const SHARD: usize = 128;

/// Multiplications of a layer below which threads cost more than they do.
const MIN_PRODUCT: usize = 1 << 23;

/// Weights of a layer above which every thread's reading all of them costs more than waiting.
const MAX_WEIGHTS: usize = 1 << 19;

/// Whether threads share the pass of `n` inputs. Not on a GPU, which has an order of its own for what each thread asks of it.
pub(super) fn is_shared(network: &Network, n: usize) -> bool {
    network.is_on_host() && n_weights(network).saturating_mul(n) >= MIN_PRODUCT
}

fn shards(network: &Network, n: usize) -> Vec<Range<usize>> {
    let has_threads = rayon::current_num_threads() > 1;
    let is_worth = has_threads && is_shared(network, n) && n_weights(network) <= MAX_WEIGHTS;
    let size = n.div_ceil(if is_worth { (n / SHARD).max(1) } else { 1 });
    (0..n).step_by(size.max(1)).map(|start| start..(start + size).min(n)).collect()
}

/// Of the largest layer.
fn n_weights(network: &Network) -> usize {
    network.maps().iter().map(|map| map.affine().weight.shape().num_elements()).max().unwrap_or(0)
}

fn joined(mut parts: Vec<Tensor<2>>) -> Tensor<2> {
    if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, 0) }
}

fn record_all(network: &Network, x: Tensor<2>) -> (Tensor<2>, Tape<'_>) {
    let mut tape = Tape::new();
    let f = record(network, network.operations(), network.rows(x), &mut tape);
    (scaled(f, network.output_scale()), tape)
}

fn record<'a>(network: &'a Network, operations: &'a [Operation], mut h: Tensor<2>, tape: &mut Tape<'a>) -> Tensor<2> {
    let branch = |operations: &'a Vec<Operation>, h: &Tensor<2>| {
        let mut tape = Tape::new();
        let outputs = record(network, operations, h.clone(), &mut tape);
        (tape, outputs)
    };
    let mut operations = operations.iter().peekable();
    while let Some(operation) = operations.next() {
        h = match operation {
            Operation::Map(number, window) => {
                let affine = network.maps()[*number].affine();
                let inputs = window.gather(h);
                let z = product(&inputs, &affine.weight.val(), affine.weight_scale);
                tape.push(Kept::Map(*number, inputs, window));
                // A rectifier that follows is done in the sweep that adds the biases.
                match operations.next_if(|next| next.rectifier().is_some()).and_then(Operation::rectifier) {
                    Some(slope) => {
                        let h = rectified(z, affine.biases(), slope);
                        tape.push(Kept::Rectified(h.clone(), slope));
                        h
                    }
                    None => match affine.biases() {
                        Some(biases) => z + biases,
                        None => z,
                    },
                }
            }
            Operation::Activation(activation) => match activation.rectifier() {
                Some(slope) => {
                    let h = rectified(h, None, slope);
                    tape.push(Kept::Rectified(h.clone(), slope));
                    h
                }
                None => {
                    let (h, derivative) = activation.with_derivative(h);
                    tape.push(Kept::Activation(derivative));
                    h
                }
            },
            Operation::Pool(window) => {
                tape.push(Kept::Pool(window));
                window.mean(h)
            }
            Operation::LayerNorm(eps) => {
                let normalized = Normalized::of(h, *eps);
                let h = normalized.outputs();
                tape.push(Kept::Normalized(Box::new(normalized)));
                h
            }
            Operation::Sum(branches) => {
                let (tapes, outputs): (Vec<_>, Vec<_>) =
                    branches.iter().map(|operations| branch(operations, &h)).unzip();
                tape.push(Kept::Sum(tapes));
                outputs.into_iter().reduce(|sum, branch| sum + branch).unwrap_or(h)
            }
            Operation::Product(branches) => {
                let branches: Vec<_> = branches.iter().map(|operations| branch(operations, &h)).collect();
                let product =
                    branches.iter().map(|(_, outputs)| outputs.clone()).reduce(|product, branch| product * branch);
                tape.push(Kept::Product(branches));
                product.unwrap_or(h)
            }
        };
    }
    h
}

fn has_map(tape: &[Kept<'_>]) -> bool {
    tape.iter().any(|kept| match kept {
        Kept::Map(..) => true,
        Kept::Rectified(..) | Kept::Activation(_) | Kept::Pool(_) | Kept::Normalized(_) => false,
        Kept::Sum(tapes) => tapes.iter().any(|tape| has_map(tape)),
        Kept::Product(branches) => branches.iter().any(|(tape, _)| has_map(tape)),
    })
}

struct Walk<'a> {
    network: &'a Network,
    trainable: &'a Trainable,
    n_samples: usize,
    /// Ways back side by side: every sample has so many rows of delta where it has one of outputs.
    n_ways: usize,
    met: Vec<Option<Met>>,
}

impl<'a> Walk<'a> {
    /// From the derivative in the network's outputs, `[n_samples * n_ways, d_out]`, to what is met at every map.
    fn all(
        network: &'a Network,
        trainable: &'a Trainable,
        tape: &[Kept<'_>],
        slope: Tensor<2>,
        (n_samples, n_ways): (usize, usize),
    ) -> Vec<Option<Met>> {
        let met = vec![None; network.maps().len()];
        let mut walk = Self { network, trainable, n_samples, n_ways, met };
        walk.back(tape, scaled(slope, network.output_scale()), false);
        walk.met
    }

    /// From delta behind the tape to delta before it, which is only worked out where something behind needs it, or `is_wanted`.
    fn back(&mut self, tape: &[Kept<'_>], delta: Tensor<2>, is_wanted: bool) -> Option<Tensor<2>> {
        let mut delta = delta;
        for (place, kept) in tape.iter().enumerate().rev() {
            let goes_on = is_wanted || has_map(&tape[..place]);
            delta = self.through(kept, delta, goes_on)?;
        }
        Some(delta)
    }

    fn through(&mut self, kept: &Kept<'_>, delta: Tensor<2>, goes_on: bool) -> Option<Tensor<2>> {
        match kept {
            Kept::Map(number, inputs, window) => {
                let affine = self.network.maps()[*number].affine();
                let is_trained = |id| self.trainable.contains(id);
                if is_trained(affine.weight.id) || affine.bias.is_some_and(|bias| is_trained(bias.id)) {
                    self.met[*number] = Some(Met { inputs: inputs.clone(), delta: delta.clone() });
                }
                let n = (self.n_samples, self.n_ways);
                goes_on.then(|| window.scatter(product_back(&delta, &affine.weight.val(), affine.weight_scale, n)))
            }
            // The outputs are positive where the derivative is the slope, and 0 where it is 0.
            Kept::Rectified(h, slope) => goes_on.then(|| where_positive(delta, h, *slope, self.n_samples)),
            Kept::Activation(derivative) => goes_on.then(|| delta * self.for_all(derivative)),
            Kept::Pool(window) => goes_on.then(|| window.spread(delta)),
            Kept::Normalized(normalized) => goes_on.then(|| normalized.back(delta, |kept| self.for_all(kept))),
            Kept::Sum(tapes) => {
                let deltas = tapes.iter().map(|tape| self.back(tape, delta.clone(), goes_on));
                deltas.collect::<Vec<_>>().into_iter().flatten().reduce(|sum, delta| sum + delta)
            }
            Kept::Product(branches) => {
                let deltas = branches.iter().enumerate().map(|(i, (tape, _))| {
                    let others = branches.iter().enumerate().filter(|(j, _)| *j != i);
                    let delta = others.fold(delta.clone(), |delta, (_, (_, output))| delta * self.for_all(output));
                    self.back(tape, delta, goes_on)
                });
                deltas.collect::<Vec<_>>().into_iter().flatten().reduce(|sum, delta| sum + delta)
            }
        }
    }

    /// What a sample has, for each way back.
    fn for_all(&self, kept: &Tensor<2>) -> Tensor<2> {
        repeated(kept, self.n_samples, self.n_ways)
    }
}
