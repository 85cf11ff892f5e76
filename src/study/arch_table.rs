//! The `[arch]` table as written, and the architectures it runs through.

use serde::{Deserialize, Serialize};

use super::sweep::Sweep;
use crate::arch::{Activation, Architecture, Convention, Layer, Mlp, Parametrization};
use crate::error::{Error, Result};

/// `[arch]`: either `depth`, `width` and `activation`, or `layers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchConfig {
    /// Hidden layers; a list runs through them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<Sweep<usize>>,
    /// Units in each hidden layer; a list runs through them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Sweep<usize>>,
    /// The nonlinearity after each hidden layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// The hidden layers one by one; the readout is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<Layer>>,
    /// The shape of one input, `[length, channels]` or `[height, width, channels]`; a vector, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Vec<usize>>,
    /// Outputs; must be the data's where there are data, and is 1 where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_out: Option<usize>,
    /// Standard deviation of the weights; left out where the convention fixes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub w_std: Option<f64>,
    /// Standard deviation of the biases; 0 for a network without.
    #[serde(default)]
    pub b_std: f64,
    /// Where the width goes.
    #[serde(default)]
    pub parametrization: Parametrization,
    /// What the outputs are multiplied by; see [`Architecture::with_laziness`].
    #[serde(default = "one")]
    pub laziness: f64,
    /// Whose convention these numbers follow.
    #[serde(default)]
    pub convention: Convention,
}

fn one() -> f64 {
    1.0
}

const MAX_DEPTH: usize = 10_000;

impl ArchConfig {
    /// Every architecture the table describes, depth by depth, width by width.
    ///
    /// # Errors
    /// When both forms are mixed, one is incomplete, or a value is impossible.
    pub fn architectures(&self, d_in: usize, d_out: usize) -> Result<Vec<Architecture>> {
        if let Some(written) = self.d_out
            && written != d_out
        {
            return Err(Error::config(
                "arch.d_out",
                format!("{written} outputs, but the data have {d_out}"),
                "leave it out: it follows from the data",
            ));
        }
        let w_std = self.w_std.or(self.convention.w_std()).ok_or_else(|| {
            Error::config("arch.w_std", "is not given", "use 1.4142135623730951 (sqrt 2) for relu, 1 to 1.5 for erf")
        })?;
        let shorthand = (&self.depth, &self.width, &self.activation);
        match (&self.layers, shorthand) {
            (Some(layers), (None, None, None)) => {
                let vector = vec![d_in];
                let input = self.input.as_ref().unwrap_or(&vector);
                // Before the layers are worked out: their windows are listed position by position.
                let n_numbers = input.iter().fold(1, |product: usize, size| product.saturating_mul(*size));
                if n_numbers != d_in {
                    return Err(Error::config(
                        "arch.input",
                        format!("{input:?} are {n_numbers} numbers, but the data have {d_in} columns"),
                        "give the shape of one row of the data",
                    ));
                }
                let architecture =
                    Architecture::new(input, layers.clone(), d_out, w_std, self.b_std, self.parametrization)?;
                Ok(vec![self.convention.apply(architecture)?.with_laziness(self.laziness)?])
            }
            (None, (Some(_), Some(_), Some(_))) if self.input.is_some() => Err(Error::config(
                "arch.input",
                "positions need convolutions, which `depth`, `width` and `activation` cannot describe",
                "write the network as `layers`",
            )),
            (None, (Some(depths), Some(widths), Some(activation))) => {
                ensure_some(&depths.0, "arch.depth")?;
                if let Some(depth) = depths.0.iter().find(|depth| **depth > MAX_DEPTH) {
                    return Err(Error::config(
                        "arch.depth",
                        format!("{depth} is more than {MAX_DEPTH}"),
                        "the limit of deep kernels is reached long before",
                    ));
                }
                ensure_some(&widths.0, "arch.width")?;
                if widths.0.contains(&0) {
                    return Err(Error::config(
                        "arch.width",
                        "a layer has width 0",
                        "give every layer at least one unit",
                    ));
                }
                let pairs = depths.0.iter().flat_map(|depth| widths.0.iter().map(move |width| (*depth, *width)));
                pairs
                    .map(|(depth, width)| {
                        let depth = self.convention.n_hidden(depth)?;
                        let (activation, b_std, parametrization) =
                            (activation.clone(), self.b_std, self.parametrization);
                        let mlp = Mlp { depth, width, activation, w_std, b_std, parametrization };
                        self.convention.apply(mlp.architecture(d_in, d_out)?)?.with_laziness(self.laziness)
                    })
                    .collect()
            }
            (Some(_), _) => Err(Error::config(
                "arch.layers",
                "`layers` and `depth`, `width`, `activation` describe the same thing twice",
                "keep one of the two forms",
            )),
            (None, _) => Err(Error::config(
                "arch",
                "the hidden layers are not described completely",
                "give `depth`, `width` and `activation`, or `layers = [{ dense = 128 }, { activation = \"relu\" }]`",
            )),
        }
    }

    /// The one architecture the table describes.
    ///
    /// # Errors
    /// As [`ArchConfig::architectures`], and when the table runs through several.
    pub fn architecture(&self, d_in: usize, d_out: usize) -> Result<Architecture> {
        let mut all = self.architectures(d_in, d_out)?;
        match (all.pop(), all.len()) {
            (Some(one), 0) => Ok(one),
            (_, others) => Err(Error::config(
                "arch",
                format!("describes {} architectures where one is needed", others + 1),
                "choose one with `--set arch.depth=2 --set arch.width=512`",
            )),
        }
    }
}

fn ensure_some(values: &[usize], key: &str) -> Result<()> {
    if values.is_empty() { Err(Error::config(key, "the list is empty", "give at least one value")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_written_by_name_or_with_their_numbers() {
        let read = |activation: &str| {
            let text = format!("depth = 1\nwidth = 4\nw_std = 1.0\nactivation = {activation}");
            toml::from_str::<ArchConfig>(&text).map(|table| table.activation)
        };
        assert_eq!(read("'sigmoid-like'").unwrap(), Some(Activation::SigmoidLike));
        assert_eq!(read("{ leaky-relu = 0.1 }").unwrap(), Some(Activation::LeakyRelu(0.1)));
        let sine = Activation::Sine { amplitude: 1.0, frequency: 2.0, phase: 0.5 };
        assert_eq!(read("{ sine = { amplitude = 1.0, frequency = 2.0, phase = 0.5 } }").unwrap(), Some(sine));
        assert!(read("'rleu'").unwrap_err().to_string().contains("relu"));
    }
}
