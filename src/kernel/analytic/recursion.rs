//! The recursion of an architecture: its steps, made ready for evaluation.
//!
//! Each step turns what is known of a pair of inputs at one node of the network into what is known at the next. Nodes are numbered, so
//! that the numbers which depend on one input alone can be kept in a list.

use std::ops::Range;

use crate::arch::{Architecture, Family, Parametrization, Step, Taps};

/// Which pairs of positions, one of each input, are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Positions of the grid.
    pub(super) n_positions: usize,
    /// All pairs, which a mean over positions needs; otherwise each position with itself.
    pub(super) is_full: bool,
}

impl Layout {
    pub(super) fn n_pairs(self) -> usize {
        if self.is_full { self.n_positions * self.n_positions } else { self.n_positions }
    }

    /// Where the pair of position `p` of the one and `q` of the other input is kept.
    pub(super) fn index(self, p: usize, q: usize) -> usize {
        if self.is_full { p * self.n_positions + q } else { p }
    }

    /// The pairs in order.
    pub(super) fn pairs(self) -> impl Iterator<Item = (usize, usize)> {
        self.lines().flat_map(|(p, line)| line.map(move |q| (p, q)))
    }

    /// Every position of the one input, with those of the other that it is paired with: these pairs lie next to each other.
    pub(super) fn lines(self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let n = self.n_positions;
        (0..n).map(move |p| (p, if self.is_full { 0..n } else { p..p + 1 }))
    }
}

/// A step between two nodes.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// What it is and where, for messages.
    pub(super) name: String,
    /// Of its input and of its output.
    pub(super) layouts: [Layout; 2],
    /// The numbers of its input and of its output.
    pub(super) ends: [usize; 2],
}

/// What a step does.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// An affine map of what each output position sees.
    Map(Window),
    /// An activation.
    Activation(Family),
    /// A mean over positions.
    Pool(Taps),
    /// Division by the root of the variance plus this.
    LayerNorm(f64),
    /// A sum of branches.
    Sum(Vec<Branch>),
    /// A product of branches.
    Product(Vec<Branch>),
}

/// What the output positions of an affine map see.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) taps: Taps,
    /// For each tap, the output positions that have it, as stretches in which its place moves along with them.
    pub(super) stretches: Vec<Vec<Stretch>>,
    /// Inputs of one unit.
    pub(super) n_in: usize,
}

/// Output positions `to`, `to + 1`, ... see input positions `from`, `from + 1`, ...
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) to: usize,
    pub(super) from: usize,
    pub(super) len: usize,
}

impl Window {
    fn new(taps: &Taps, n_in: usize) -> Self {
        let stretches = (0..taps.n_taps()).map(|tap| stretches(taps, tap)).collect();
        Self { taps: taps.clone(), stretches, n_in }
    }
}

fn stretches(taps: &Taps, tap: usize) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (to, positions) in taps.positions.iter().enumerate() {
        let Some(from) = positions[tap] else { continue };
        match stretches.last_mut() {
            Some(last) if last.to + last.len == to && last.from + last.len == from => last.len += 1,
            _ => stretches.push(Stretch { to, from, len: 1 }),
        }
    }
    stretches
}

/// One of several ways from a node.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) nodes: Vec<Node>,
    pub(super) layout: Layout,
    /// The number of its last node.
    pub(super) end: usize,
}

/// All steps of an architecture, and the numbers they share.
#[derive(Debug, Clone)]
pub(super) struct Recursion {
    pub(super) nodes: Vec<Node>,
    pub(super) input: Layout,
    pub(super) n_nodes: usize,
    pub(super) scales: Scales,
}

/// The numbers of an affine map: K <- w^2 K + b^2, Theta <- g w^2 K + h + w^2 Theta.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scales {
    pub(super) w_std: f64,
    /// b; 0 also where biases start at 0.
    pub(super) b_std: f64,
    /// h, the squared gradient of a bias.
    pub(super) bias_gradient: f64,
    parametrization: Parametrization,
}

impl Scales {
    /// g, for units of `n_in` inputs.
    pub(super) fn weight_gradient(&self, n_in: usize) -> f64 {
        if self.parametrization.is_scaled() { 1.0 } else { n_in as f64 / (self.w_std * self.w_std) }
    }
}

impl Recursion {
    pub(super) fn of(architecture: &Architecture) -> Self {
        let (n_positions, _) = architecture.input_grid();
        let input = Layout { n_positions, is_full: n_positions > 1 && pools(architecture.steps()) };
        let mut compiler = Compiler { n_nodes: 1, n_steps: 0 };
        let nodes = compiler.compile(architecture.steps(), input, 0, false).nodes;
        let b_std = architecture.b_std();
        let scales = Scales {
            w_std: architecture.w_std(),
            b_std: if architecture.starts_biased() { b_std } else { 0.0 },
            bias_gradient: if architecture.parametrization().is_scaled() {
                b_std * b_std
            } else {
                f64::from(b_std > 0.0)
            },
            parametrization: architecture.parametrization(),
        };
        Self { nodes, input, n_nodes: compiler.n_nodes, scales }
    }

    /// The number of the output node.
    pub(super) fn end(&self) -> usize {
        self.nodes.last().map_or(0, |node| node.ends[1])
    }
}

/// Whether a mean over several positions is taken somewhere.
fn pools(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Pool(taps) => taps.n_taps() > 1,
        Step::Sum(branches) | Step::Product(branches) => branches.iter().any(|branch| pools(branch)),
        Step::Map(_) | Step::Activation(_) | Step::LayerNorm(_) => false,
    })
}

struct Compiler {
    n_nodes: usize,
    n_steps: usize,
}

impl Compiler {
    /// The steps from the node `start`; `pools_later` says whether a mean over positions follows them.
    fn compile(&mut self, steps: &[Step], mut layout: Layout, start: usize, pools_later: bool) -> Branch {
        let mut end = start;
        let mut nodes = Vec::with_capacity(steps.len());
        for (i, step) in steps.iter().enumerate() {
            self.n_steps += 1;
            let place = self.n_steps;
            let is_full = pools_later || pools(&steps[i + 1..]);
            let at = |n_positions: usize| Layout { n_positions, is_full: is_full && n_positions > 1 };
            let (kind, name, output) = match step {
                Step::Map(map) => (
                    Kind::Map(Window::new(&map.taps, map.n_in)),
                    format!("affine map to {}", map.n_out),
                    at(map.taps.n_outputs()),
                ),
                Step::Activation(activation) => (Kind::Activation(activation.family()), activation.to_string(), layout),
                Step::Pool(taps) => (Kind::Pool(taps.clone()), "average pool".to_owned(), at(taps.n_outputs())),
                Step::LayerNorm(eps) => (Kind::LayerNorm(*eps), "layer norm".to_owned(), layout),
                Step::Sum(branches) => {
                    let branches = self.branches(branches, layout, end, is_full);
                    let output = at(branches.first().map_or(1, |branch| branch.layout.n_positions));
                    (Kind::Sum(branches), "sum of branches".to_owned(), output)
                }
                Step::Product(branches) => {
                    let branches = self.branches(branches, layout, end, is_full);
                    let output = at(branches.first().map_or(1, |branch| branch.layout.n_positions));
                    (Kind::Product(branches), "product of branches".to_owned(), output)
                }
            };
            let ends = [end, self.n_nodes];
            self.n_nodes += 1;
            nodes.push(Node { kind, name: format!("step {place}, {name}"), layouts: [layout, output], ends });
            (end, layout) = (ends[1], output);
        }
        Branch { nodes, layout, end }
    }

    fn branches(&mut self, branches: &[Vec<Step>], layout: Layout, start: usize, is_full: bool) -> Vec<Branch> {
        branches.iter().map(|branch| self.compile(branch, layout, start, is_full)).collect()
    }
}
