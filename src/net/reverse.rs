//! The way back through a network: the gradients of its parameters, from what its forward pass kept.
//!
//! With delta = dloss/dz at an affine map z = s h W + c b of rows,
//!
//! ```text
//! dloss/dW = (s h)^T delta,   dloss/db = c sum_rows delta,   dloss/dh = s delta W^T,
//! ```
//!
//! and nothing is propagated to inputs behind which no map lies. A rectifier needs its outputs alone; every other operation is
//! differentiated by itself, by autodiff. So a network of rectifiers never meets Burn's autodiff, whose bookkeeping costs a small
//! network more than its arithmetic and is shared by all threads.

use std::ops::Range;

use burn::tensor::Tensor;

use super::activation::scaled;
use super::dense::Dense;
use super::model::flat;
use super::network::{Network, Operation, layer_norm};
use super::parallel::in_parallel;
use super::probe::Trainable;

/// What the way back needs of a forward pass, operation by operation.
type Tape = Vec<Kept>;

enum Kept {
    Map {
        number: usize,
        /// s h, window by window.
        inputs: Tensor<2>,
        /// How h became windows, where that is more than itself.
        gathered: Option<Box<Piece>>,
    },
    /// The outputs of a rectifier of this slope.
    Rectified(Tensor<2>, f64),
    Piece(Box<Piece>),
    Sum(Vec<Tape>),
    /// Every branch with its outputs.
    Product(Vec<(Tape, Tensor<2>)>),
}

/// An operation as a graph of its own.
struct Piece {
    leaf: Tensor<2>,
    outputs: Tensor<2>,
}

impl Piece {
    fn of(h: Tensor<2>, operation: impl FnOnce(Tensor<2>) -> Tensor<2>) -> (Tensor<2>, Self) {
        let leaf = h.autodiff().require_grad();
        let outputs = operation(leaf.clone());
        (outputs.clone().inner(), Self { leaf, outputs })
    }

    fn back(self, delta: Tensor<2>) -> Tensor<2> {
        let leaf = self.leaf;
        let mut gradients = (self.outputs * delta).sum().backward();
        leaf.grad_remove(&mut gradients).unwrap_or_else(|| leaf.inner().zeros_like())
    }
}

/// A forward pass that can be walked back.
///
/// On a CPU a batch is passed in shards, which threads share: all of a layer's work is then done by the thread that has its numbers at
/// hand, and no product waits for another thread. A row of a product is the same however many rows there are, so the numbers do not
/// depend on the shards, nor on the threads.
pub(super) struct Pass<'a> {
    network: &'a Network,
    shards: Vec<(Range<usize>, Tape)>,
}

impl<'a> Pass<'a> {
    /// The outputs, and the way back.
    pub(super) fn of(network: &'a Network, x: &Tensor<2>) -> (Tensor<2>, Self) {
        let [n, _] = x.dims();
        let (outputs, shards) = in_parallel(true, shards(network, n), |rows| {
            let mut tape = Tape::new();
            let x = x.clone().narrow(0, rows.start, rows.len());
            let f = record(network, network.operations(), network.rows(x), &mut tape);
            (scaled(f, network.output_scale()), (rows, tape))
        })
        .into_iter()
        .unzip();
        (joined(outputs), Self { network, shards })
    }

    /// The gradients of `trainable` parameters, given the loss' in the outputs, in the order of the maps: weights, then biases.
    pub(super) fn back(self, slope: &Tensor<2>, trainable: &Trainable) -> Vec<Tensor<1>> {
        let (network, n_shards) = (self.network, self.shards.len());
        let shards = in_parallel(true, self.shards, |(rows, tape)| {
            let mut walk = Walk { network, trainable, met: (0..network.maps().len()).map(|_| None).collect() };
            let slope = slope.clone().narrow(0, rows.start, rows.len());
            walk.back(tape, scaled(slope, network.output_scale()), false);
            walk.met
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
        let tasks: Vec<_> = network.maps().iter().zip(by_map).collect();
        let gradient = |(map, (inputs, deltas)): (&Dense, (Vec<_>, Vec<_>))| {
            let affine = map.affine();
            let mut gradients = Vec::new();
            if deltas.is_empty() {
                return gradients;
            }
            let delta = joined(deltas);
            if trainable.contains(affine.weight.id) {
                gradients.push(flat(joined(inputs).transpose().matmul(delta.clone())));
            }
            if let Some(bias) = affine.bias
                && trainable.contains(bias.id)
            {
                // As a product, which Burn's CPU backend does in vectors; its sums of f64 go number by number.
                let c = Tensor::full([1, delta.dims()[0]], affine.bias_scale, (&delta.device(), delta.dtype()));
                gradients.push(flat(c.matmul(delta)));
            }
            gradients
        };
        // One shard is a sign that there are no threads to share with, or that each product had better have all of them.
        let gradients = in_parallel(n_shards > 1, tasks, gradient);
        gradients.into_iter().flatten().collect()
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

fn record(network: &Network, operations: &[Operation], h: Tensor<2>, tape: &mut Tape) -> Tensor<2> {
    let piece = |tape: &mut Tape, h, operation: &dyn Fn(Tensor<2>) -> Tensor<2>| {
        let (outputs, piece) = Piece::of(h, operation);
        tape.push(Kept::Piece(Box::new(piece)));
        outputs
    };
    let branch = |operations: &Vec<Operation>, h: &Tensor<2>| {
        let mut tape = Tape::new();
        let outputs = record(network, operations, h.clone(), &mut tape);
        (tape, outputs)
    };
    operations.iter().fold(h, |h, operation| match operation {
        Operation::Map(number, window) => {
            let (h, gathered) = if window.is_identity() {
                (h, None)
            } else {
                let (h, piece) = Piece::of(h, |h| window.gather(h));
                (h, Some(Box::new(piece)))
            };
            let affine = network.maps()[*number].affine();
            let inputs = scaled(h, affine.weight_scale);
            let z = affine.of_scaled(inputs.clone());
            tape.push(Kept::Map { number: *number, inputs, gathered });
            z
        }
        Operation::Activation(activation) => match activation.rectifier() {
            Some(slope) => {
                let h = activation.apply(h);
                tape.push(Kept::Rectified(h.clone(), slope));
                h
            }
            None => piece(tape, h, &|z| activation.apply(z)),
        },
        Operation::Pool(window) => piece(tape, h, &|h| window.mean(h)),
        Operation::LayerNorm(eps) => piece(tape, h, &|z| layer_norm(z, *eps)),
        Operation::Sum(branches) => {
            let (tapes, outputs): (Vec<_>, Vec<_>) = branches.iter().map(|operations| branch(operations, &h)).unzip();
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
    })
}

fn has_map(tape: &[Kept]) -> bool {
    tape.iter().any(|kept| match kept {
        Kept::Map { .. } => true,
        Kept::Rectified(..) | Kept::Piece(_) => false,
        Kept::Sum(tapes) => tapes.iter().any(|tape| has_map(tape)),
        Kept::Product(branches) => branches.iter().any(|(tape, _)| has_map(tape)),
    })
}

struct Walk<'a> {
    network: &'a Network,
    trainable: &'a Trainable,
    /// What the gradients of every map are made of, where it is trained.
    met: Vec<Option<Met>>,
}

/// s h and delta at a map.
struct Met {
    inputs: Tensor<2>,
    delta: Tensor<2>,
}

impl Walk<'_> {
    /// From delta behind the tape to delta before it, which is only worked out where something behind needs it, or `is_wanted`.
    fn back(&mut self, mut tape: Tape, delta: Tensor<2>, is_wanted: bool) -> Option<Tensor<2>> {
        let mut delta = Some(delta);
        while let Some(kept) = tape.pop() {
            let goes_on = is_wanted || has_map(&tape);
            let Some(behind) = delta else { break };
            delta = self.through(kept, behind, goes_on);
        }
        delta
    }

    fn through(&mut self, kept: Kept, delta: Tensor<2>, goes_on: bool) -> Option<Tensor<2>> {
        match kept {
            Kept::Map { number, inputs, gathered } => self.through_map(number, inputs, gathered, delta, goes_on),
            // The outputs are positive where the derivative is the slope, and 0 where it is 0.
            Kept::Rectified(h, slope) => goes_on.then(|| scaled(where_positive(delta, h), slope)),
            Kept::Piece(piece) => goes_on.then(|| piece.back(delta)),
            Kept::Sum(tapes) => {
                let deltas = tapes.into_iter().map(|tape| self.back(tape, delta.clone(), goes_on));
                deltas.collect::<Vec<_>>().into_iter().flatten().reduce(|sum, delta| sum + delta)
            }
            Kept::Product(branches) => {
                let (tapes, outputs): (Vec<_>, Vec<_>) = branches.into_iter().unzip();
                let deltas = tapes.into_iter().enumerate().map(|(i, tape)| {
                    let others = outputs.iter().enumerate().filter(|(j, _)| *j != i);
                    let delta = others.fold(delta.clone(), |delta, (_, output)| delta * output.clone());
                    self.back(tape, delta, goes_on)
                });
                deltas.collect::<Vec<_>>().into_iter().flatten().reduce(|sum, delta| sum + delta)
            }
        }
    }

    fn through_map(
        &mut self,
        number: usize,
        inputs: Tensor<2>,
        gathered: Option<Box<Piece>>,
        delta: Tensor<2>,
        goes_on: bool,
    ) -> Option<Tensor<2>> {
        let affine = self.network.maps()[number].affine();
        let is_trained = |id| self.trainable.contains(id);
        if is_trained(affine.weight.id) || affine.bias.is_some_and(|bias| is_trained(bias.id)) {
            self.met[number] = Some(Met { inputs, delta: delta.clone() });
        }
        goes_on.then(|| {
            let delta = scaled(delta.matmul(affine.weight.val().transpose()), affine.weight_scale);
            match gathered {
                Some(piece) => piece.back(delta),
                None => delta,
            }
        })
    }
}

/// delta where h is positive, and 0 elsewhere.
fn where_positive(delta: Tensor<2>, h: Tensor<2>) -> Tensor<2> {
    // A second owner, because Burn's CPU backend fills number by number where it can do so in place, and in vectors where it cannot.
    let _shared = delta.clone();
    delta.mask_fill(h.lower_equal_elem(0.0), 0.0)
}
