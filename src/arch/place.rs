//! What each layer means where it stands: the steps, with shapes worked out, or why it has no kernel there.

use super::{AffineMap, Extent, Layer, Padding, Step, Taps};
use crate::error::{Error, Result};

/// What a layer gets: the shape, and what is known of the distribution over random weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
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

/// More could be described, but not computed.
const MAX_POSITIONS: usize = 1 << 20;

impl Place {
    pub(super) fn of_input(input: &[usize]) -> Result<Self> {
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
        // Each dimension by itself too: a product of many digits must not wrap around the bound.
        if grid.iter().any(|size| *size > MAX_POSITIONS) || grid[0] * grid[1] > MAX_POSITIONS {
            return Err(Error::config(
                "arch.input",
                format!("{} x {} positions are more than {MAX_POSITIONS}", grid[0], grid[1]),
                "give smaller inputs: kernels with pooling follow every pair of positions",
            ));
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
    pub(super) fn resolve(mut self, layers: &[Layer], key: &str) -> Result<(Vec<Step>, Self)> {
        let mut steps = Vec::with_capacity(layers.len());
        for (position, layer) in layers.iter().enumerate() {
            self.take(layer, &format!("{key}[{position}]"), &mut steps)?;
        }
        Ok((steps, self))
    }

    /// What to do about a window or a stride of 0.
    fn window_remedy(&self, window: Extent, stride: Extent) -> Option<&'static str> {
        let is_zero = |extent: Extent| extent.on(self.is_sequence).contains(&0);
        match (is_zero(window), is_zero(stride)) {
            (true, _) => Some("use a window of at least 1"),
            (false, true) => Some("use a stride of at least 1"),
            (false, false) => None,
        }
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
                    let remedy = self.window_remedy(conv.window, conv.stride);
                    return refuse(
                        format!("does not fit {}", self.shape()),
                        remedy.unwrap_or("use a smaller window, or `padding = \"same\"`"),
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
                let taps = Taps::of_window(self.grid, self.is_sequence, pool.window, stride, Padding::Valid);
                let Some((grid, taps)) = taps else {
                    let remedy = self.window_remedy(pool.window, stride).unwrap_or("use a smaller window");
                    return refuse(format!("does not fit {}", self.shape()), remedy);
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
        steps.push(Step::Map(AffineMap { n_in: taps.n_taps().saturating_mul(self.channels), n_out, taps }));
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
    use super::super::{Activation, Conv, Extent, LayerNorm, Pool};
    use super::*;

    fn build(input: &[usize], mut layers: Vec<Layer>) -> Result<Vec<Step>> {
        layers.push(Layer::Dense(1));
        Ok(Place::of_input(input)?.resolve(&layers, "arch.layers")?.0)
    }

    fn relu() -> Layer {
        Layer::Activation(Activation::Relu)
    }

    fn conv(channels: usize) -> Layer {
        Layer::Conv(Conv { channels, window: Extent::Same(3), stride: Extent::Same(1), padding: Padding::Same })
    }

    #[test]
    fn layers_that_have_no_kernel_are_refused_by_their_place() {
        let dense = || Layer::Dense(4);
        let window = Extent::Same(usize::MAX);
        let huge = Layer::Conv(Conv { channels: 1, window, stride: Extent::Same(1), padding: Padding::Circular });
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
            (vec![usize::MAX, usize::MAX, 1], vec![], "arch.input", "positions"),
            (vec![8, 8, 1], vec![huge], "arch.layers[0]", "does not fit"),
        ] {
            let message = build(&input, layers).expect_err(problem).to_string();
            assert!(message.contains(place) && message.contains(problem), "{message}");
        }
    }
}
