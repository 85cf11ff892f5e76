//! The architecture, checked: layers as written, and what they mean.

use serde::Serialize;

use super::{Activation, Layer, Parametrization, Taps};
use crate::error::{Error, Result};

/// One step of an architecture as meant: everything that follows from a layer's place worked out.
///
/// Between two steps pass channels at every position of a grid; a vector is a grid of one position.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// An affine map, the same at every output position. A dense map has one position and one tap, or, after `flatten`, all positions
    /// as taps.
    Map(AffineMap),
    /// An elementwise nonlinearity of Gaussian inputs.
    Activation(Activation),
    /// The mean over the taps of each output position.
    Pool(Taps),
    /// Each position's channels less their mean, divided by sqrt(variance + this).
    LayerNorm(f64),
    /// The sum of branches, at most one of which has no weights of its own; an empty branch is the identity.
    Sum(Vec<Vec<Step>>),
    /// The product, entry by entry, of independent branches.
    Product(Vec<Vec<Step>>),
}

/// An affine map of what each output position sees.
#[derive(Debug, Clone, PartialEq)]
pub struct AffineMap {
    /// Inputs of one unit: taps times channels, tap by tap.
    pub n_in: usize,
    /// Units, or output channels.
    pub n_out: usize,
    /// What each output position sees.
    pub taps: Taps,
}

/// A network from an input grid to `d_out` outputs: hidden layers and a dense readout.
///
/// Valid by construction: every size is positive, the standard deviations are finite, windows fit, branches meet in one shape, and each
/// activation acts on Gaussian inputs, which is what makes its infinite-width kernel an expectation over two Gaussian numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Architecture {
    input: Vec<usize>,
    layers: Vec<Layer>,
    w_std: f64,
    b_std: f64,
    parametrization: Parametrization,
    convention: Scales,
    #[serde(skip)]
    steps: Vec<Step>,
}

/// What distinguishes other authors' networks from these; see [`Convention`](super::Convention).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Scales {
    pub(super) input: f64,
    pub(super) output: f64,
    pub(super) starts_biased: bool,
}

impl Architecture {
    /// Checks the hidden `layers` and appends the readout to `d_out` outputs. `input` is `[d_in]` for vectors, `[length, channels]` for
    /// sequences, `[height, width, channels]` for images, whose numbers an input row holds in this order.
    ///
    /// # Errors
    /// A size of 0, a weight deviation that is not positive, a negative bias deviation, a layer that does not fit what it gets, or an
    /// activation that does not act on Gaussian inputs: each names the key of the `[arch]` table.
    pub fn new(
        input: &[usize],
        layers: Vec<Layer>,
        d_out: usize,
        w_std: f64,
        b_std: f64,
        parametrization: Parametrization,
    ) -> Result<Self> {
        if d_out == 0 {
            return Err(Error::shape("network", "at least one output", 0));
        }
        if !(w_std > 0.0 && w_std.is_finite()) {
            return Err(Error::config(
                "arch.w_std",
                format!("{w_std} is not a positive number"),
                "use 1.4142135623730951 (sqrt 2) for relu, 1 to 1.5 for erf",
            ));
        }
        if !(b_std >= 0.0 && b_std.is_finite()) {
            return Err(Error::config(
                "arch.b_std",
                format!("{b_std} is not a number from 0 up"),
                "use 0 for a network without biases",
            ));
        }
        let mut layers = layers;
        layers.push(Layer::Dense(d_out));
        let steps = Place::of_input(input)?.resolve(&layers, "arch.layers")?.0;
        let convention = Scales { input: 1.0, output: 1.0, starts_biased: true };
        Ok(Self { input: input.to_vec(), layers, w_std, b_std, parametrization, convention, steps })
    }

    /// The same network with another author's scales.
    pub(super) fn with_scales(self, convention: Scales) -> Self {
        Self { convention, ..self }
    }

    /// Numbers in one input.
    #[must_use]
    pub fn d_in(&self) -> usize {
        self.input.iter().product()
    }

    /// Positions and channels of the input grid: `d_in` is their product.
    #[must_use]
    pub fn input_grid(&self) -> (usize, usize) {
        let channels = self.input.last().copied().unwrap_or(1);
        (self.d_in() / channels.max(1), channels)
    }

    /// Output dimension.
    #[must_use]
    pub fn d_out(&self) -> usize {
        match self.layers.last() {
            Some(Layer::Dense(d_out)) => *d_out,
            _ => 0,
        }
    }

    /// All layers from the input to the readout, as written.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// All layers from the input to the readout, as meant.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Standard deviation of the weights.
    #[must_use]
    pub fn w_std(&self) -> f64 {
        self.w_std
    }

    /// Standard deviation of the biases; 0 means the network has none.
    #[must_use]
    pub fn b_std(&self) -> f64 {
        self.b_std
    }

    /// Where the width goes.
    #[must_use]
    pub fn parametrization(&self) -> Parametrization {
        self.parametrization
    }

    /// What inputs are multiplied by; 1 but in another author's convention.
    #[must_use]
    pub fn input_scale(&self) -> f64 {
        self.convention.input
    }

    /// What outputs are multiplied by; 1 but in another author's convention.
    #[must_use]
    pub fn output_scale(&self) -> f64 {
        self.convention.output
    }

    /// Whether biases are drawn; otherwise they start at 0 and are trained all the same.
    #[must_use]
    pub fn starts_biased(&self) -> bool {
        self.convention.starts_biased
    }

    /// Hidden layers: the most nonlinearities on a way from the input to the output.
    #[must_use]
    pub fn depth(&self) -> usize {
        depth(&self.steps)
    }

    /// The activations, branch after branch.
    #[must_use]
    pub fn activations(&self) -> Vec<&Activation> {
        let mut all = Vec::new();
        visit(&self.steps, &mut |step| {
            if let Step::Activation(activation) = step {
                all.push(activation);
            }
        });
        all
    }

    /// The affine maps, branch after branch: the order of their parameters.
    #[must_use]
    pub fn maps(&self) -> Vec<&AffineMap> {
        let mut all = Vec::new();
        visit(&self.steps, &mut |step| {
            if let Step::Map(map) = step {
                all.push(map);
            }
        });
        all
    }

    /// Units, or channels, of the narrowest hidden layer; the input dimension if there is none.
    #[must_use]
    pub fn width(&self) -> usize {
        let maps = self.maps();
        let hidden = maps.len() - 1;
        maps[..hidden].iter().map(|map| map.n_out).min().unwrap_or(self.d_in())
    }

    /// The activation's name, or the names of all where they differ.
    #[must_use]
    pub fn activation_name(&self) -> String {
        let mut names: Vec<String> = self.activations().iter().map(ToString::to_string).collect();
        names.dedup();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// Number of trainable parameters.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let n_bias_rows = usize::from(self.b_std > 0.0);
        // Saturating: a width with too many digits is refused by this number, and must not wrap around it.
        self.maps().iter().fold(0_usize, |total, map| {
            map.n_out.saturating_mul(map.n_in.saturating_add(n_bias_rows)).saturating_add(total)
        })
    }

    /// The convention in words, for error messages.
    #[must_use]
    pub fn describe(&self) -> String {
        let layers = if self.layers.len() == 2 * self.depth() + 1 && self.input.len() == 1 {
            format!("depth {}, {}", self.depth(), self.activation_name())
        } else {
            self.layers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let input: Vec<String> = self.input.iter().map(ToString::to_string).collect();
        format!(
            "{layers}, W_std {}, b_std {}, parametrization {}, {} inputs, {} outputs",
            self.w_std,
            self.b_std,
            self.parametrization,
            input.join(" x "),
            self.d_out()
        )
    }

    /// Whether the two describe the same infinite-width kernel, so that comparing a network of one with the kernel of the other
    /// means something. Hidden widths may differ in the NTK parametrization, where the limit does not depend on them.
    ///
    /// # Errors
    /// [`Error::Convention`] with both conventions in words.
    pub fn ensure_same_kernel(&self, other: &Self) -> Result<()> {
        let same_layers = match self.parametrization {
            Parametrization::Standard => self.layers == other.layers,
            Parametrization::Ntk => {
                let without_widths = |layers: &[Layer]| layers.iter().map(Layer::without_widths).collect::<Vec<_>>();
                self.d_out() == other.d_out() && without_widths(&self.layers) == without_widths(&other.layers)
            }
        };
        let same = same_layers
            && self.input == other.input
            && self.w_std == other.w_std
            && self.b_std == other.b_std
            && self.parametrization == other.parametrization
            && self.convention == other.convention;
        if same { Ok(()) } else { Err(Error::Convention { network: self.describe(), kernel: other.describe() }) }
    }
}

fn visit<'a>(steps: &'a [Step], see: &mut impl FnMut(&'a Step)) {
    for step in steps {
        see(step);
        if let Step::Sum(branches) | Step::Product(branches) = step {
            branches.iter().for_each(|branch| visit(branch, see));
        }
    }
}

fn depth(steps: &[Step]) -> usize {
    let deepest = |branches: &[Vec<Step>]| branches.iter().map(|branch| depth(branch)).max().unwrap_or(0);
    steps
        .iter()
        .map(|step| match step {
            Step::Activation(_) => 1,
            Step::Sum(branches) | Step::Product(branches) => deepest(branches),
            Step::Map(_) | Step::Pool(_) | Step::LayerNorm(_) => 0,
        })
        .sum()
}

/// What a layer gets: the shape, and what is known of the distribution over random weights.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    grid: [usize; 2],
    is_sequence: bool,
    channels: usize,
    law: Law,
    /// Whether every way from the start of the branch leads through weights of its own.
    is_mixed: bool,
}

/// The distribution of the channels at one position, over random weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Law {
    /// Given numbers, the same for every network.
    Input,
    /// Independent and Gaussian with mean 0: the outputs of an affine map, and their sums.
    Gaussian,
    /// Functions of Gaussian numbers.
    Nonlinear,
    /// Products of branches.
    Product,
    /// Units of several positions side by side, which are not distributed alike.
    Flattened,
}

impl Place {
    fn of_input(input: &[usize]) -> Result<Self> {
        let (grid, channels) = match *input {
            [d_in] => ([1, 1], d_in),
            [length, channels] => ([1, length], channels),
            [height, width, channels] => ([height, width], channels),
            _ => {
                return Err(Error::config(
                    "arch.input",
                    format!("{} sizes", input.len()),
                    "give [length, channels] for sequences, [height, width, channels] for images",
                ));
            }
        };
        if input.contains(&0) {
            return Err(Error::config("arch.input", "a size is 0", "every input has at least one number"));
        }
        Ok(Self { grid, is_sequence: input.len() < 3, channels, law: Law::Input, is_mixed: false })
    }

    fn n_positions(&self) -> usize {
        self.grid[0] * self.grid[1]
    }

    fn shape(&self) -> String {
        format!("{} x {} positions of {} channels", self.grid[0], self.grid[1], self.channels)
    }

    /// The steps that `layers`, written at `key`, mean here, and the place after them.
    fn resolve(mut self, layers: &[Layer], key: &str) -> Result<(Vec<Step>, Self)> {
        let mut steps = Vec::with_capacity(layers.len());
        for (position, layer) in layers.iter().enumerate() {
            self.take(layer, &format!("{key}[{position}]"), &mut steps)?;
        }
        Ok((steps, self))
    }

    fn take(&mut self, layer: &Layer, key: &str, steps: &mut Vec<Step>) -> Result<()> {
        let refuse = |problem: String, remedy: &str| Err(Error::config(key, format!("`{layer}` {problem}"), remedy));
        if self.law == Law::Flattened && !matches!(layer, Layer::Dense(_) | Layer::Dropout(_)) {
            return refuse(
                "follows `flatten`, after which units are no longer distributed alike".to_owned(),
                "put `flatten` right before a dense layer",
            );
        }
        match layer {
            Layer::Dense(n_out) => {
                if self.n_positions() > 1 && self.law != Law::Flattened {
                    return refuse(
                        format!("needs a vector, and gets {}", self.shape()),
                        "put \"flatten\" or \"global-avg-pool\" before it, or use a conv of window 1",
                    );
                }
                self.map(*n_out, Taps::all(self.n_positions()), [1, 1], key, steps)?;
            }
            Layer::Conv(_) if self.n_positions() == 1 => {
                return refuse(
                    "needs positions, and gets a vector".to_owned(),
                    "set `arch.input` to [length, channels] or [height, width, channels]",
                );
            }
            Layer::Conv(conv) => {
                let taps = Taps::of_window(self.grid, self.is_sequence, conv.window, conv.stride, conv.padding);
                let Some((grid, taps)) = taps else {
                    return refuse(
                        format!("does not fit {}", self.shape()),
                        "use a smaller window, or `padding = \"same\"`",
                    );
                };
                self.map(conv.channels, taps, grid, key, steps)?;
            }
            Layer::Activation(activation) => {
                activation.validate(key)?;
                let problem = match self.law {
                    Law::Gaussian => None,
                    Law::Input => Some("acts on the inputs, which are not random"),
                    Law::Product => Some("follows a product of branches, which is not Gaussian"),
                    Law::Nonlinear | Law::Flattened => {
                        Some("follows another nonlinearity, whose output is not Gaussian")
                    }
                };
                if let Some(problem) = problem {
                    return refuse(
                        problem.to_owned(),
                        "put a dense or conv layer before it: its kernel is an expectation over Gaussian inputs",
                    );
                }
                steps.push(Step::Activation(activation.clone()));
                self.law = Law::Nonlinear;
            }
            Layer::AvgPool(pool) => {
                let stride = pool.stride.unwrap_or(pool.window);
                let taps = Taps::of_window(self.grid, self.is_sequence, pool.window, stride, super::Padding::Valid);
                let Some((grid, taps)) = taps else {
                    return refuse(format!("does not fit {}", self.shape()), "use a smaller window");
                };
                steps.push(Step::Pool(taps));
                self.grid = grid;
            }
            Layer::GlobalAvgPool => {
                steps.push(Step::Pool(Taps::all(self.n_positions())));
                self.grid = [1, 1];
            }
            Layer::Flatten => self.law = Law::Flattened,
            Layer::LayerNorm(norm) => {
                if !(norm.eps >= 0.0 && norm.eps.is_finite()) {
                    return refuse("has an eps that is not a number from 0 up".to_owned(), "use 1e-5");
                }
                if self.law != Law::Gaussian {
                    return refuse(
                        "does not follow a dense or conv layer, so its mean over channels is not 0".to_owned(),
                        "put it between the dense or conv layer and the activation",
                    );
                }
                steps.push(Step::LayerNorm(norm.eps));
            }
            Layer::Dropout(rate) => {
                if !(0.0..1.0).contains(rate) {
                    return refuse("has a rate that is not from 0 up to 1".to_owned(), "use 0.1, say");
                }
            }
            Layer::Sum(branches) => {
                let branches = self.branches(branches, layer, key)?;
                if branches.iter().any(|(_, end)| end.law != Law::Gaussian) {
                    return refuse(
                        "adds a branch that does not end in a dense or conv layer, so that its mean is not 0"
                            .to_owned(),
                        "end every branch with a dense or conv layer; an empty branch may follow one",
                    );
                }
                self.join(&branches, Law::Gaussian);
                steps.push(Step::Sum(branches.into_iter().map(|(branch, _)| branch).collect()));
            }
            Layer::Residual(branch) => {
                return self.take(&Layer::Sum(vec![Vec::new(), branch.clone()]), key, steps);
            }
            Layer::Product(branches) => {
                let branches = self.branches(branches, layer, key)?;
                self.join(&branches, Law::Product);
                steps.push(Step::Product(branches.into_iter().map(|(branch, _)| branch).collect()));
            }
        }
        Ok(())
    }

    fn map(&mut self, n_out: usize, taps: Taps, grid: [usize; 2], key: &str, steps: &mut Vec<Step>) -> Result<()> {
        if n_out == 0 {
            return Err(Error::config(key, "has width 0", "give every layer at least one unit"));
        }
        steps.push(Step::Map(AffineMap { n_in: taps.n_taps() * self.channels, n_out, taps }));
        *self = Self { grid, channels: n_out, law: Law::Gaussian, is_mixed: true, ..*self };
        Ok(())
    }

    /// Every branch from here, if they can be joined.
    fn branches(&self, branches: &[Vec<Layer>], layer: &Layer, key: &str) -> Result<Vec<(Vec<Step>, Self)>> {
        let start = Self { is_mixed: false, ..*self };
        let ends: Vec<(Vec<Step>, Self)> = branches
            .iter()
            .enumerate()
            .map(|(i, branch)| start.resolve(branch, &format!("{key}[{i}]")))
            .collect::<Result<_>>()?;
        let refuse = |problem: String, remedy: &str| Err(Error::config(key, format!("`{layer}` {problem}"), remedy));
        let [(_, first), others @ ..] = &ends[..] else {
            return refuse("has no branches".to_owned(), "give at least two");
        };
        if others.is_empty() {
            return refuse("has one branch".to_owned(), "give at least two");
        }
        if let Some((_, other)) =
            others.iter().find(|(_, end)| (end.grid, end.channels) != (first.grid, first.channels))
        {
            return refuse(
                format!("joins {} with {}", first.shape(), other.shape()),
                "give all branches the same positions and channels",
            );
        }
        if ends.iter().filter(|(_, end)| !end.is_mixed).count() > 1 {
            return refuse(
                "has more than one branch without weights of its own, so that they are not independent".to_owned(),
                "put a dense or conv layer into all branches but one",
            );
        }
        Ok(ends)
    }

    fn join(&mut self, branches: &[(Vec<Step>, Self)], law: Law) {
        let Some((_, end)) = branches.first() else { return };
        let is_mixed = self.is_mixed || branches.iter().all(|(_, end)| end.is_mixed);
        *self = Self { law, is_mixed, ..*end };
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Conv, Extent, LayerNorm, Mlp, Padding, Pool};
    use super::*;

    fn mlp(depth: usize, width: usize, parametrization: Parametrization) -> Architecture {
        Mlp { depth, width, activation: Activation::Relu, w_std: 1.5, b_std: 0.1, parametrization }
            .architecture(5, 2)
            .expect("valid")
    }

    fn build(input: &[usize], layers: Vec<Layer>) -> Result<Architecture> {
        Architecture::new(input, layers, 1, 1.0, 0.0, Parametrization::Ntk)
    }

    fn relu() -> Layer {
        Layer::Activation(Activation::Relu)
    }

    fn conv(channels: usize) -> Layer {
        Layer::Conv(Conv { channels, window: Extent::Same(3), stride: Extent::Same(1), padding: Padding::Same })
    }

    #[test]
    fn depth_counts_hidden_layers_and_parameters_count_biases() {
        let architecture = mlp(2, 7, Parametrization::Ntk);
        assert_eq!(architecture.depth(), 2);
        assert_eq!(architecture.width(), 7);
        assert_eq!(architecture.d_out(), 2);
        assert_eq!(architecture.n_parameters(), 6 * 7 + 8 * 7 + 8 * 2);
    }

    #[test]
    fn a_convolution_has_a_weight_per_tap_and_flattening_one_per_position() {
        let architecture = build(&[4, 5, 2], vec![conv(6), relu(), Layer::Flatten]).unwrap();
        assert_eq!(architecture.n_parameters(), 3 * 3 * 2 * 6 + 4 * 5 * 6);
        let pooled = build(&[4, 5, 2], vec![conv(6), relu(), Layer::GlobalAvgPool]).unwrap();
        assert_eq!(pooled.n_parameters(), 3 * 3 * 2 * 6 + 6);
        assert_eq!(pooled.input_grid(), (20, 2));
    }

    #[test]
    fn width_changes_the_kernel_in_the_standard_parametrization_only() {
        let same = |p| mlp(2, 7, p).ensure_same_kernel(&mlp(2, 8, p)).is_ok();
        assert!(same(Parametrization::Ntk));
        assert!(!same(Parametrization::Standard));
        assert!(mlp(2, 7, Parametrization::Ntk).ensure_same_kernel(&mlp(2, 7, Parametrization::Standard)).is_err());
        assert!(mlp(2, 7, Parametrization::Ntk).ensure_same_kernel(&mlp(3, 7, Parametrization::Ntk)).is_err());
    }

    #[test]
    fn depth_is_that_of_the_longest_way() {
        let dense = || Layer::Dense(4);
        let branch = vec![relu(), dense(), relu(), dense()];
        let architecture = build(&[3], vec![dense(), Layer::Residual(branch), relu()]).unwrap();
        assert_eq!(architecture.depth(), 3);
    }

    #[test]
    fn layers_that_have_no_kernel_are_refused_by_their_place() {
        let dense = || Layer::Dense(4);
        let pool = Layer::AvgPool(Pool { window: Extent::Same(9), stride: None });
        let branch = |layers: Vec<Layer>| vec![layers, vec![relu(), dense()]];
        for (input, layers, place, problem) in [
            (vec![3], vec![relu()], "arch.layers[0]", "not random"),
            (vec![3], vec![Layer::Dense(0)], "arch.layers[0]", "width 0"),
            (vec![3], vec![dense(), relu(), relu()], "arch.layers[2]", "not Gaussian"),
            (vec![3], vec![dense(), Layer::Product(branch(vec![])), relu()], "arch.layers[2]", "product"),
            (vec![3], vec![dense(), Layer::Sum(branch(vec![relu()]))], "arch.layers[1]", "mean is not 0"),
            (vec![3], vec![dense(), Layer::Sum(vec![vec![], vec![]])], "arch.layers[1]", "not independent"),
            (vec![3], vec![dense(), Layer::Sum(branch(vec![Layer::Dense(5)]))], "arch.layers[1]", "joins"),
            (
                vec![3],
                vec![dense(), Layer::Sum(branch(vec![dense(), relu(), relu()]))],
                "arch.layers[1][0][2]",
                "Gaussian",
            ),
            (vec![3], vec![dense(), relu(), Layer::LayerNorm(LayerNorm { eps: 0.0 })], "arch.layers[2]", "mean"),
            (vec![8, 8, 1], vec![dense()], "arch.layers[0]", "needs a vector"),
            (vec![8, 8, 1], vec![conv(2), relu()], "arch.layers[2]", "needs a vector"),
            (vec![8, 8, 1], vec![conv(2), Layer::Flatten, relu()], "arch.layers[2]", "flatten"),
            (vec![8, 8, 1], vec![conv(2), pool], "arch.layers[1]", "does not fit"),
            (vec![3], vec![Layer::Dropout(1.0)], "arch.layers[0]", "rate"),
            (vec![3, 0], vec![], "arch.input", "0"),
        ] {
            let message = build(&input, layers).expect_err(problem).to_string();
            assert!(message.contains(place) && message.contains(problem), "{message}");
        }
    }
}
