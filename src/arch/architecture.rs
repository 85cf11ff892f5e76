//! The architecture, checked: layers as written, and what they mean.

use serde::Serialize;

use super::place::Place;
use super::step::{depth, visit};
use super::{Activation, AffineMap, Layer, Parametrization, Step};
use crate::error::{Error, Result};

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
    laziness: f64,
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
        require_deviations(w_std, b_std)?;
        let mut layers = layers;
        layers.push(Layer::Dense(d_out));
        let steps = Place::of_input(input)?.resolve(&layers, "arch.layers")?.0;
        let convention = Scales { input: 1.0, output: 1.0, starts_biased: true };
        Ok(Self { input: input.to_vec(), layers, w_std, b_std, parametrization, convention, laziness: 1.0, steps })
    }

    /// The same network with its outputs multiplied by `alpha` (Chizat, Oyallon, Bach 2019): the larger, the less its features move for
    /// the same change of its function. Its kernel is alpha^2 times as large, so the same speed in function space is a step size
    /// 1 / alpha^2 as large. Meant for networks that start at zero; a random initial function is multiplied as well.
    ///
    /// # Errors
    /// When alpha is not a positive number.
    pub fn with_laziness(self, alpha: f64) -> Result<Self> {
        if !(alpha > 0.0 && alpha.is_finite()) {
            let problem = format!("{alpha} is not a positive number");
            return Err(Error::config(
                "arch.laziness",
                problem,
                "1 is a network as it is, 10 a lazy one, 0.1 one that learns features",
            ));
        }
        Ok(Self { laziness: alpha, ..self })
    }

    /// The same network with other standard deviations of its weights and biases.
    ///
    /// # Errors
    /// As [`Architecture::new`], of the deviations.
    pub fn with_deviations(self, w_std: f64, b_std: f64) -> Result<Self> {
        require_deviations(w_std, b_std)?;
        Ok(Self { w_std, b_std, ..self })
    }

    /// The same layers in the NTK parametrization with laziness 1: what step sizes in function space are measured on.
    #[must_use]
    pub fn in_ntk_parametrization(&self) -> Self {
        Self { parametrization: Parametrization::Ntk, laziness: 1.0, ..self.clone() }
    }

    /// The same network with another author's scales.
    pub(super) fn with_scales(self, convention: Scales) -> Self {
        Self { convention, ..self }
    }

    /// Numbers in one input.
    #[must_use]
    pub fn d_in(&self) -> usize {
        // Saturating: what has too many digits is refused by this number.
        self.input.iter().fold(1, |product: usize, size| product.saturating_mul(*size))
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

    /// Alpha, which the outputs are multiplied by.
    #[must_use]
    pub fn laziness(&self) -> f64 {
        self.laziness
    }

    /// What outputs are multiplied by in all: the convention's scale, the laziness, and 1 / sqrt(width) of mup.
    #[must_use]
    pub fn output_scale(&self) -> f64 {
        let of_width = match (self.parametrization, &self.maps()[..]) {
            // Of a linear model there is no hidden width.
            (Parametrization::Mup, [_, .., readout]) => 1.0 / (readout.n_in as f64).sqrt(),
            _ => 1.0,
        };
        self.convention.output * self.laziness * of_width
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
            "{layers}, W_std {}, b_std {}, parametrization {}, {}{} inputs, {} outputs",
            self.w_std,
            self.b_std,
            self.parametrization,
            if self.laziness == 1.0 { String::new() } else { format!("laziness {}, ", self.laziness) },
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
            Parametrization::Standard | Parametrization::Mup => self.layers == other.layers,
            Parametrization::Ntk => {
                let without_widths = |layers: &[Layer]| layers.iter().map(|layer| layer.widened(0)).collect::<Vec<_>>();
                self.d_out() == other.d_out() && without_widths(&self.layers) == without_widths(&other.layers)
            }
        };
        let same = same_layers
            && self.input == other.input
            && self.w_std == other.w_std
            && self.b_std == other.b_std
            && self.parametrization == other.parametrization
            && self.laziness == other.laziness
            && self.convention == other.convention;
        if same { Ok(()) } else { Err(Error::Convention { network: self.describe(), kernel: other.describe() }) }
    }
}

fn require_deviations(w_std: f64, b_std: f64) -> Result<()> {
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Conv, Extent, Mlp, Padding};
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
}
