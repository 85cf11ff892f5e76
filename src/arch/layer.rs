//! The general layer list, checked.

use serde::{Deserialize, Serialize};

use super::{Activation, Parametrization};
use crate::error::{Error, Result};

/// One layer, as written in `layers = [{ dense = 128 }, { activation = "relu" }]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// An affine map to this many units.
    Dense(usize),
    /// An elementwise nonlinearity.
    Activation(Activation),
}

/// A network from inputs of dimension `d_in` to `d_out` outputs: hidden layers and a dense readout.
///
/// Valid by construction: every dimension is positive, the standard deviations are finite, and each activation acts on the
/// output of a dense map, which is what makes its infinite-width kernel a Gaussian expectation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Architecture {
    d_in: usize,
    layers: Vec<Layer>,
    w_std: f64,
    b_std: f64,
    parametrization: Parametrization,
}

impl Architecture {
    /// Checks the hidden `layers` and appends the readout to `d_out` outputs.
    ///
    /// # Errors
    /// A dimension of 0, a weight deviation that is not positive, a negative bias deviation, or an activation that does not
    /// follow a dense map: each names the key of the `[arch]` table.
    pub fn new(
        d_in: usize,
        mut layers: Vec<Layer>,
        d_out: usize,
        w_std: f64,
        b_std: f64,
        parametrization: Parametrization,
    ) -> Result<Self> {
        if d_in == 0 || d_out == 0 {
            return Err(Error::shape("network", "at least one input and one output", format!("{d_in} and {d_out}")));
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
        layers.push(Layer::Dense(d_out));
        let mut after_dense = false;
        for (position, layer) in layers.iter().enumerate() {
            match layer {
                Layer::Dense(0) => {
                    return Err(Error::config(
                        "arch.width",
                        format!("layer {position} has width 0"),
                        "give every layer at least one unit",
                    ));
                }
                Layer::Dense(_) => after_dense = true,
                Layer::Activation(activation) if !after_dense => {
                    return Err(Error::config(
                        "arch.layers",
                        format!("`{activation}` at position {position} does not follow a dense layer"),
                        "put `{ dense = WIDTH }` before every activation: its kernel is an expectation over Gaussian inputs",
                    ));
                }
                Layer::Activation(activation) => {
                    activation.validate("arch.activation")?;
                    after_dense = false;
                }
            }
        }
        Ok(Self { d_in, layers, w_std, b_std, parametrization })
    }

    /// Input dimension.
    #[must_use]
    pub fn d_in(&self) -> usize {
        self.d_in
    }

    /// Output dimension.
    #[must_use]
    pub fn d_out(&self) -> usize {
        self.dense_widths().last().unwrap_or(self.d_in)
    }

    /// All layers from the input to the readout.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
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

    /// Hidden layers: the nonlinearities between dense maps.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.activations().count()
    }

    /// The activations from the input to the readout.
    pub fn activations(&self) -> impl Iterator<Item = Activation> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::Activation(activation) => Some(*activation),
            Layer::Dense(_) => None,
        })
    }

    /// Units of the narrowest hidden layer; the input dimension if there is none.
    #[must_use]
    pub fn width(&self) -> usize {
        let n_hidden = self.dense_widths().count() - 1;
        self.dense_widths().take(n_hidden).min().unwrap_or(self.d_in)
    }

    /// The activation's name, or the names of all where they differ.
    #[must_use]
    pub fn activation_name(&self) -> String {
        let mut names: Vec<String> = self.activations().map(|a| a.to_string()).collect();
        names.dedup();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// Number of trainable parameters.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let n_bias_rows = usize::from(self.b_std > 0.0);
        let mut n_in = self.d_in;
        let mut total = 0_usize;
        for n_out in self.dense_widths() {
            // Saturating: a width with too many digits is refused by this number, and must not wrap around it.
            total = n_out.saturating_mul(n_in.saturating_add(n_bias_rows)).saturating_add(total);
            n_in = n_out;
        }
        total
    }

    /// The convention in words, for error messages.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "depth {}, {}, W_std {}, b_std {}, parametrization {}, {} inputs, {} outputs",
            self.depth(),
            self.activation_name(),
            self.w_std,
            self.b_std,
            self.parametrization,
            self.d_in,
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
                self.d_out() == other.d_out()
                    && self.layers.len() == other.layers.len()
                    && self.layers.iter().zip(&other.layers).all(|pair| match pair {
                        (Layer::Dense(_), Layer::Dense(_)) => true,
                        (a, b) => a == b,
                    })
            }
        };
        let same = same_layers
            && self.d_in == other.d_in
            && self.w_std == other.w_std
            && self.b_std == other.b_std
            && self.parametrization == other.parametrization;
        if same { Ok(()) } else { Err(Error::Convention { network: self.describe(), kernel: other.describe() }) }
    }

    fn dense_widths(&self) -> impl Iterator<Item = usize> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::Dense(width) => Some(*width),
            Layer::Activation(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mlp;
    use super::*;

    fn mlp(depth: usize, width: usize, parametrization: Parametrization) -> Architecture {
        Mlp { depth, width, activation: Activation::Relu, w_std: 1.5, b_std: 0.1, parametrization }
            .architecture(5, 2)
            .expect("valid")
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
    fn width_changes_the_kernel_in_the_standard_parametrization_only() {
        let same = |p| mlp(2, 7, p).ensure_same_kernel(&mlp(2, 8, p)).is_ok();
        assert!(same(Parametrization::Ntk));
        assert!(!same(Parametrization::Standard));
        assert!(mlp(2, 7, Parametrization::Ntk).ensure_same_kernel(&mlp(2, 7, Parametrization::Standard)).is_err());
        assert!(mlp(2, 7, Parametrization::Ntk).ensure_same_kernel(&mlp(3, 7, Parametrization::Ntk)).is_err());
    }

    #[test]
    fn impossible_layers_are_refused_by_name() {
        let build = |layers| Architecture::new(3, layers, 1, 1.0, 0.0, Parametrization::Ntk);
        let message = build(vec![Layer::Activation(Activation::Relu)]).expect_err("no dense layer").to_string();
        assert!(message.contains("arch.layers") && message.contains("position 0"), "{message}");
        let message = build(vec![Layer::Dense(0)]).expect_err("width 0").to_string();
        assert!(message.contains("arch.width"), "{message}");
    }
}
