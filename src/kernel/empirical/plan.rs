//! What a kernel will cost, and how it will be computed: sizes, multiplications, memory, and the choice of the method.
//!
//! For N1 and N2 inputs, O outputs, P parameters and affine maps of n_in inputs and n_out outputs at p positions:
//!
//! | method | passes | multiplications | numbers of memory beside the result |
//! |---|---|---|---|
//! | structured | per tile one forward, O backward | N (1 + O) sum p n_in n_out, and sum N1 N2 p^2 (n_in + O^2 n_out) for the products | (n1 + n2) sum p (n_in + O n_out) of two tiles |
//! | jacobian | N O of one sample each | 3 N O sum p n_in n_out, and N1 N2 O^2 P for the product | (N1 + N2) O P |
//!
//! A Gram matrix has half the products. One pass of a single sample reads every weight for one multiplication each, which memory allows
//! at a small fraction of the rate of a matrix product ([`PASS_COST`]).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::anatomy::{Anatomy, MapShape};
use super::outputs::Outputs;
use crate::error::{Error, Result};
use crate::linalg;
use crate::net::Dtype;

/// How an empirical kernel is computed; all ways give the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The cheaper of the others for the network and the inputs at hand.
    #[default]
    Auto,
    /// From the inputs and deltas of every affine map.
    Structured,
    /// From the gradients of every parameter.
    Jacobian,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Structured => "structured derivatives",
            Self::Jacobian => "Jacobian contraction",
        })
    }
}

/// Multiplications of a matrix product in the time of one of a single sample's pass.
const PASS_COST: f64 = 30.0;

/// What is to be computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Task {
    /// Rows, in inputs.
    pub n_rows: usize,
    /// Columns, in inputs; those of the rows for a Gram matrix.
    pub n_columns: usize,
    /// Whether rows and columns are the same inputs.
    pub is_gram: bool,
    /// What becomes of several outputs.
    pub outputs: Outputs,
    /// Bytes of a device that has memory of its own, infinitely many where it does not say; none where the CPU computes.
    pub device_memory: Option<f64>,
    /// Number type of the network.
    pub dtype: Dtype,
    /// Whether the device computes in f64. On one that does not, the shares of the affine maps add up in f64 on the host.
    pub has_f64: bool,
    /// Numbers of the result for each pair of inputs.
    pub n_numbers: usize,
    /// Whether the result is held whole, or handed on a tile of rows at a time.
    pub is_held: bool,
}

impl Task {
    /// Inputs that pass through the network at least once, and pairs of them.
    fn sizes(&self) -> (f64, f64) {
        let (n1, n2) = (self.n_rows as f64, self.n_columns as f64);
        let n_inputs = if self.is_gram { n1 } else { n1 + n2 };
        (n_inputs, if self.is_lower() { 0.5 * n1 * (n1 + 1.0) } else { n1 * n2 })
    }

    /// Whether half of a Gram matrix is computed and mirrored; rows that are handed on must be whole.
    pub(super) fn is_lower(&self) -> bool {
        self.is_gram && self.is_held
    }

    /// Bytes of the result that are held at a time.
    fn result(&self, n_tile: usize) -> f64 {
        let n_rows = if self.is_held { self.n_rows } else { self.n_rows.min(n_tile) };
        (size_of::<f64>() * self.n_numbers) as f64 * n_rows as f64 * self.n_columns as f64
    }
}

/// How a kernel is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Structured or Jacobian, never auto.
    pub method: Method,
    /// Inputs whose factors are found at once.
    pub n_tile: usize,
    /// Rows, in inputs, whose products with a tile are one piece of work.
    pub n_strip: usize,
    /// Whether the factors of all inputs are kept until the end; otherwise those of two tiles are, and are found again for every pair.
    pub holds_factors: bool,
    /// Bytes at most, with the result.
    pub memory: f64,
    /// Those of them that are the host's where the device has memory of its own: the result and the blocks on their way to it, and J.
    pub host_memory: f64,
    /// Multiplications, including those by zeros that flex leaves out; those of a single sample's pass by their cost.
    pub n_multiplications: f64,
    /// Why this method.
    pub reason: String,
}

/// Rows of inputs and positions in a tile, unless memory asks for fewer: so many that reading the weights is a small part of the work.
pub(super) const TILE: usize = 512;

/// Fewest of them where every thread would otherwise not have a tile; in smaller ones each reads the weights for too little work, and threads had
/// better share every product.
const SMALL_TILE: usize = 256;

/// By how much there are fewer of them, at most, for several outputs, whose ways back lie side by side and have to stay in the cache.
const MOST_SHARED: usize = 2;

/// Rows in a strip; of a Gram matrix the strips on the diagonal are computed whole.
const STRIP: usize = 96;

/// The same where every thread has a tile or less: products of so many rows take a twentieth longer, but threads get equal work, and less is
/// computed twice.
const SMALL_STRIP: usize = 64;

/// Rows of several outputs, one below the other, for the rows of a strip: so many that their products with a tile stay in the cache.
const STACK: usize = 192;

/// Fewest rows in a strip, however many outputs there are.
const FEWEST: usize = 8;

/// Rows of inputs, positions and outputs in a tile on a device of its own, and in a strip: so many that a product takes longer than its start.
const DEVICE_TILE: usize = 2048;

/// Fewest inputs of a tile with many positions, whose gradients are multiplied input by input.
const FEW: usize = 64;

impl Plan {
    /// The plan for `task`, which must not take more than `limit` bytes, or than are free.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn new(anatomy: &Anatomy, task: &Task, method: Method, limit: Option<f64>) -> Result<Self> {
        let room = Room::of(anatomy, task, limit);
        let (structured, jacobian) = (Self::structured(anatomy, task, &room), Self::jacobian(anatomy, task));
        let plan = match method {
            Method::Structured => Self { reason: "asked for".to_owned(), ..structured },
            Method::Jacobian => Self { reason: "asked for".to_owned(), ..jacobian },
            Method::Auto if !task.is_held => {
                Self { reason: "the one way to whole rows a tile at a time".to_owned(), ..structured }
            }
            Method::Auto => {
                let ratio = jacobian.n_multiplications / structured.n_multiplications;
                let (chosen, other, ratio) =
                    if ratio >= 1.0 { (structured, jacobian, ratio) } else { (jacobian, structured, 1.0 / ratio) };
                match (chosen.shortage(&room), other.shortage(&room)) {
                    (Some(_), None) => {
                        Self { reason: format!("{} takes more memory than there is", chosen.method), ..other }
                    }
                    _ => Self { reason: format!("{} would cost {} as much", other.method, times(ratio)), ..chosen },
                }
            }
        };
        let Some(Shortage { needed, available, remedy }) = plan.shortage(&room) else { return Ok(plan) };
        Err(Error::TooLarge {
            what: format!("an empirical kernel of {} x {} inputs by {}", task.n_rows, task.n_columns, plan.method),
            needed: needed * 1e-9,
            available: available * 1e-9,
            remedy,
        })
    }

    fn shortage(&self, room: &Room) -> Option<Shortage> {
        room.shortage(self.host_memory, self.memory - self.host_memory)
    }

    /// The largest tiles that fit; the smallest, if none do.
    fn structured(anatomy: &Anatomy, task: &Task, room: &Room) -> Self {
        let size = task.dtype.size() as f64;
        let d_out = anatomy.d_out;
        let per_input = size * anatomy.trained_maps().map(|map| map.memory(task.outputs, d_out)).sum::<f64>();
        // Forward, backward and leaves each hold the inputs and outputs of every map for a while, and what comes back is there for all outputs.
        let passing = |map: &MapShape| ((4 + 2 * d_out) * map.n_positions * (map.n_out + map.n_in)) as f64;
        let per_pass = size * anatomy.maps.iter().map(passing).sum::<f64>();
        let n_positions = |by_positions: bool| {
            let of =
                anatomy.trained_maps().filter(|map| !(by_positions && map.is_summed_by_samples(task.outputs, d_out)));
            of.map(|map| map.n_positions).max().unwrap_or(1)
        };
        let (n_rows_per_input, n_pairs_per_input) = (n_positions(false), n_positions(true));
        let n_largest = task.n_rows.max(task.n_columns).max(1);
        let n_stacked = if task.outputs == Outputs::Full { d_out } else { 1 };
        let n_share = n_largest.div_ceil(rayon::current_num_threads()) * n_rows_per_input;
        let is_on_host = task.device_memory.is_none();
        let is_small = is_on_host && n_share <= TILE;
        let (n_rows, n_fewest, n_strip) = if is_on_host {
            let strip = if is_small { SMALL_STRIP } else { STRIP };
            let n_strip = (strip / n_pairs_per_input).min((STACK / n_stacked).max(FEWEST));
            (TILE.min(n_share.max(SMALL_TILE)) / d_out.min(MOST_SHARED), FEW, n_strip)
        } else {
            let n_inputs = in_equal_parts(n_largest, DEVICE_TILE / (n_stacked * n_rows_per_input));
            (n_inputs * n_rows_per_input, 1, DEVICE_TILE / (n_pairs_per_input * n_stacked))
        };
        let mut n_tile = (n_rows / n_rows_per_input).max(n_fewest).min(n_largest);
        let n_strip = n_strip.max(1).min(n_largest);
        let n_threads = rayon::current_num_threads();
        let (n_inputs, n_pairs) = task.sizes();
        // Numbers in the blocks that are made at once, of all pairs of positions and outputs.
        let in_blocks = |n_tile: usize, n_pairs_per_input: usize| {
            let n_strip = n_strip.min(n_tile);
            let n_at_once = n_threads.min(n_largest.div_ceil(n_strip));
            (n_at_once * n_strip * n_tile * (n_pairs_per_input * n_stacked).pow(2)) as f64
        };
        let at = |n_tile: usize, n_held: f64| {
            // On the CPU as many tiles pass at once as there are threads, or tiles; on a device one after the other.
            let n_at_once = if is_on_host { n_threads } else { 1 };
            let n_passing = (n_tile * n_at_once).min(n_inputs as usize).max(n_tile) as f64;
            // Products of inputs and of deltas, and their sum.
            n_held * per_input + n_passing * per_pass + 3.0 * size * in_blocks(n_tile, n_pairs_per_input)
        };
        let on_host = |n_tile: usize| {
            let n_read = if is_on_host { 0.0 } else { in_blocks(n_tile, 1) };
            task.result(n_tile) + size_of::<f64>() as f64 * n_read
        };
        let is_short = |n_tile, n_held| room.shortage(on_host(n_tile), at(n_tile, n_held)).is_some();
        let holds_factors = !is_short(n_tile, n_inputs);
        while !holds_factors && n_tile > 1 && is_short(n_tile, 2.0 * n_tile as f64) {
            n_tile /= 2;
        }
        let host_memory = on_host(n_tile);
        let memory = host_memory + at(n_tile, if holds_factors { n_inputs } else { 2.0 * n_tile as f64 });
        // Without room for all factors, those of the columns are found again for every tile of rows.
        let n_passed = if holds_factors { n_inputs } else { task.n_rows as f64 + n_pairs / n_tile as f64 };
        let products: f64 = anatomy.trained_maps().map(|map| map.product(task.outputs, d_out)).sum();
        Self {
            method: Method::Structured,
            n_tile,
            // Of a small kernel the strips are alike.
            n_strip: if is_small { in_equal_parts(n_tile, n_strip) } else { n_strip.min(n_tile) },
            holds_factors,
            memory,
            host_memory,
            n_multiplications: n_passed * anatomy.passes() + n_pairs * products,
            reason: String::new(),
        }
    }

    /// All of J, in f64.
    fn jacobian(anatomy: &Anatomy, task: &Task) -> Self {
        let (n_inputs, n_pairs) = task.sizes();
        let d_out = anatomy.d_out as f64;
        let pairs = if task.outputs == Outputs::Trace { d_out } else { d_out * d_out };
        let n_parameters = anatomy.n_parameters() as f64;
        // J is read back as it comes.
        let memory = task.result(task.n_rows) + size_of::<f64>() as f64 * n_inputs * d_out * n_parameters;
        Self {
            method: Method::Jacobian,
            n_tile: 1,
            n_strip: 1,
            holds_factors: true,
            memory,
            host_memory: memory,
            n_multiplications: 1.5 * PASS_COST * n_inputs * anatomy.passes() + n_pairs * pairs * n_parameters,
            reason: String::new(),
        }
    }
}

/// How much memory there is, in bytes.
struct Room {
    /// For everything.
    whole: f64,
    /// On the host, and on a device that has its own.
    host: f64,
    device: f64,
}

/// How much of a device's memory can be had: it holds programs as well, and gaps.
const USABLE: f64 = 0.9;

/// What is asked for and not there, in bytes.
struct Shortage {
    needed: f64,
    available: f64,
    remedy: &'static str,
}

impl Room {
    fn of(anatomy: &Anatomy, task: &Task, limit: Option<f64>) -> Self {
        let free = linalg::available_memory().unwrap_or(f64::INFINITY);
        let parameters = (anatomy.n_parameters() * task.dtype.size()) as f64;
        match task.device_memory {
            Some(bytes) if bytes.is_finite() => Self {
                whole: limit.unwrap_or(f64::INFINITY),
                host: if limit.is_some() { f64::INFINITY } else { free },
                device: (USABLE * bytes - parameters).max(0.0),
            },
            // A device that does not say what it has may have the host's.
            _ => Self { whole: limit.unwrap_or(free), host: f64::INFINITY, device: f64::INFINITY },
        }
    }

    fn shortage(&self, host: f64, device: f64) -> Option<Shortage> {
        let less = "write it to disk with `ntk kernel`, take the trace over outputs, or raise the memory limit";
        let elsewhere = "take the trace over outputs, or compute it on the CPU, with `--backend flex`";
        let asked = [(host + device, self.whole, less), (host, self.host, less), (device, self.device, elsewhere)];
        let (needed, available, remedy) = asked.into_iter().find(|(needed, available, _)| needed > available)?;
        Some(Shortage { needed, available, remedy })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}): {:.2e} multiplications, at most {} of memory, {} inputs at a time{}",
            self.method,
            self.reason,
            self.n_multiplications,
            bytes(self.memory),
            self.n_tile,
            if self.holds_factors { "" } else { ", their factors found again for every pair of tiles" }
        )
    }
}

/// The size of as many parts of `n` as there are of `most` at most, all alike.
fn in_equal_parts(n: usize, most: usize) -> usize {
    n.div_ceil(n.div_ceil(most.max(1)).max(1))
}

/// 3.2 times, 1.5e3 times.
fn times(ratio: f64) -> String {
    if ratio < 1000.0 { format!("{ratio:.1} times") } else { format!("{ratio:.1e} times") }
}

fn bytes(n: f64) -> String {
    if n < 1e9 { format!("{:.0} MB", n * 1e-6) } else { format!("{:.1} GB", n * 1e-9) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_of_its_own_has_large_tiles_in_its_own_memory() {
        let map = |n_in, n_out| MapShape {
            n_in,
            n_out,
            n_positions: 1,
            is_weight_trained: true,
            bias_scale: 0.1,
            is_merged: false,
        };
        let anatomy =
            Anatomy { maps: vec![map(10, 500), map(500, 500), map(500, 2)], d_out: 2, parameters: Vec::new() };
        let plan = |device_memory, outputs| {
            let task = Task {
                n_rows: 5000,
                n_columns: 5000,
                is_gram: true,
                outputs,
                device_memory,
                dtype: Dtype::F32,
                has_f64: true,
                n_numbers: 1,
                is_held: true,
            };
            Plan::new(&anatomy, &task, Method::Structured, None)
        };
        let room = plan(Some(80e9), Outputs::Trace).unwrap();
        // Three tiles of at most 2,048 rows, and five of both outputs; the result is on the host.
        assert_eq!((room.n_tile, room.n_strip, room.holds_factors), (1667, 1667, true));
        assert_eq!(plan(Some(80e9), Outputs::Full).unwrap().n_tile, 1000);
        assert!(room.host_memory > 8.0 * 5000.0 * 5000.0);
        // Its factors are in the device's memory, or found again tile by tile, or too many.
        let short = plan(Some(60e6), Outputs::Trace).unwrap();
        assert!(!short.holds_factors && short.n_tile < 1667 && short.memory - short.host_memory < 60e6, "{short}");
        let message = plan(Some(1e6), Outputs::Trace).expect_err("no room").to_string();
        assert!(message.contains("--backend flex"), "{message}");
    }
}
