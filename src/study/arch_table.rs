//! The `[arch]` table as written, and the architectures it runs through.

use serde::{Deserialize, Serialize};

use super::sweep::Sweep;
use crate::arch::{Activation, Architecture, Convention, Layer, Mlp, Parametrization};
use crate::error::{Error, Result};

/// `[arch]`: `depth`, `width` and `activation`, or `depth` and `block`, or `layers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchConfig {
    /// What the network is called where several are varied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Hidden layers, or how often `block` is repeated; a list runs through them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<Sweep<usize>>,
    /// Units in each hidden layer, or what those written in `stem`, `block` and `head` are multiplied by; a list runs through them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Sweep<usize>>,
    /// The nonlinearity after each hidden layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// The hidden layers one by one; the readout is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<Layer>>,
    /// The layers before the first block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem: Option<Vec<Layer>>,
    /// The layers that are repeated `depth` times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Vec<Layer>>,
    /// The layers after the last block; the readout is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Vec<Layer>>,
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

/// The ways to describe hidden layers.
enum Form<'a> {
    /// Equal ones.
    Equal { depths: &'a [usize], widths: &'a [usize], activation: &'a Activation },
    /// A block of layers that is repeated.
    Blocks { depths: &'a [usize], widths: &'a [usize], block: &'a [Layer] },
    /// One by one.
    Layers(&'a [Layer]),
}

impl ArchConfig {
    /// Every architecture the table describes, depth by depth, width by width.
    ///
    /// # Errors
    /// When two forms are mixed, one is incomplete, or a value is impossible.
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
        let finish = |architecture| self.convention.apply(architecture)?.with_laziness(self.laziness);
        let (b_std, parametrization) = (self.b_std, self.parametrization);
        let layered = |layers| {
            let input = self.input_shape(d_in)?;
            finish(Architecture::new(&input, layers, d_out, w_std, b_std, parametrization)?)
        };
        match self.form()? {
            Form::Layers(layers) => Ok(vec![layered(layers.to_vec())?]),
            Form::Blocks { depths, widths, block } => {
                pairs(depths, widths).map(|(depth, width)| layered(self.repeated(block, depth, width))).collect()
            }
            Form::Equal { depths, widths, activation } => pairs(depths, widths)
                .map(|(depth, width)| {
                    let depth = self.convention.n_hidden(depth)?;
                    let mlp = Mlp { depth, width, activation: activation.clone(), w_std, b_std, parametrization };
                    finish(mlp.architecture(d_in, d_out)?)
                })
                .collect(),
        }
    }

    /// Which form the hidden layers are written in.
    fn form(&self) -> Result<Form<'_>> {
        let Self { depth, width, activation, layers, stem, block, head, .. } = self;
        let is_shorthand = depth.is_some() || width.is_some() || activation.is_some();
        if block.is_none() && (stem.is_some() || head.is_some()) {
            return Err(Error::config(
                "arch.block",
                "`stem` and `head` stand around a block, and there is none",
                "give the layers that are repeated, as in `block = [{ dense = 128 }, { activation = \"relu\" }]`",
            ));
        }
        match (layers, block) {
            (Some(_), Some(_)) => Err(Error::config(
                "arch.layers",
                "`layers` and `block` describe the same thing twice",
                "keep one of the two forms",
            )),
            (Some(_), None) if is_shorthand => Err(Error::config(
                "arch.layers",
                "`layers` and `depth`, `width`, `activation` describe the same thing twice",
                "keep one of the two forms",
            )),
            (Some(layers), None) => Ok(Form::Layers(layers)),
            (None, Some(_)) if activation.is_some() => Err(Error::config(
                "arch.activation",
                "`block` says itself where which activation stands",
                "take `activation` out",
            )),
            (None, Some(block)) => {
                let depth = depth.as_ref().ok_or_else(|| {
                    Error::config(
                        "arch.depth",
                        "is not given, and that often `block` is repeated",
                        "give a number or a list, as in `depth = [1, 2, 3]`",
                    )
                })?;
                if !block.iter().any(is_nonlinear) {
                    return Err(Error::config(
                        "arch.block",
                        "the block has no activation, so repeating it adds no layer",
                        "put one in, as in `block = [{ dense = 128 }, { activation = \"relu\" }]`",
                    ));
                }
                let widths = width.as_ref().map_or(&[1][..], |width| &width.0);
                Ok(Form::Blocks { depths: checked_depths(depth)?, widths: checked_widths(widths)?, block })
            }
            (None, None) => {
                let (Some(depth), Some(width), Some(activation)) = (depth, width, activation) else {
                    return Err(Error::config(
                        "arch",
                        "the hidden layers are not described completely",
                        "give `depth`, `width` and `activation`, or `depth` and `block`, or \
                         `layers = [{ dense = 128 }, { activation = \"relu\" }]`",
                    ));
                };
                if self.input.is_some() {
                    return Err(Error::config(
                        "arch.input",
                        "positions need convolutions, which `depth`, `width` and `activation` cannot describe",
                        "write the network as `layers` or as a `block`",
                    ));
                }
                Ok(Form::Equal { depths: checked_depths(depth)?, widths: checked_widths(&width.0)?, activation })
            }
        }
    }

    /// The stem, `depth` blocks and the head, all of them `width` times as wide as written.
    fn repeated(&self, block: &[Layer], depth: usize, width: usize) -> Vec<Layer> {
        let stem = self.stem.iter().flatten();
        let blocks = std::iter::repeat_n(block, depth).flatten();
        stem.chain(blocks).chain(self.head.iter().flatten()).map(|layer| layer.widened(width)).collect()
    }

    /// The shape of one input, checked before the layers are worked out: their windows are listed position by position.
    fn input_shape(&self, d_in: usize) -> Result<Vec<usize>> {
        let input = self.input.clone().unwrap_or_else(|| vec![d_in]);
        let n_numbers = input.iter().fold(1, |product: usize, size| product.saturating_mul(*size));
        if n_numbers != d_in {
            return Err(Error::config(
                "arch.input",
                format!("{input:?} are {n_numbers} numbers, but the data have {d_in} columns"),
                "give the shape of one row of the data; of images, `data.standardize = false` keeps the constant pixels",
            ));
        }
        Ok(input)
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

/// Every depth with every width, the width fastest.
fn pairs<'a>(depths: &'a [usize], widths: &'a [usize]) -> impl Iterator<Item = (usize, usize)> + 'a {
    depths.iter().flat_map(|depth| widths.iter().map(move |width| (*depth, *width)))
}

fn is_nonlinear(layer: &Layer) -> bool {
    match layer {
        Layer::Activation(_) => true,
        Layer::Sum(branches) | Layer::Product(branches) => branches.iter().flatten().any(is_nonlinear),
        Layer::Residual(branch) => branch.iter().any(is_nonlinear),
        _ => false,
    }
}

fn checked_depths(depths: &Sweep<usize>) -> Result<&[usize]> {
    ensure_some(&depths.0, "arch.depth")?;
    if let Some(depth) = depths.0.iter().find(|depth| **depth > MAX_DEPTH) {
        return Err(Error::config(
            "arch.depth",
            format!("{depth} is more than {MAX_DEPTH}"),
            "the limit of deep kernels is reached long before",
        ));
    }
    Ok(&depths.0)
}

fn checked_widths(widths: &[usize]) -> Result<&[usize]> {
    ensure_some(widths, "arch.width")?;
    if widths.contains(&0) {
        return Err(Error::config("arch.width", "a layer has width 0", "give every layer at least one unit"));
    }
    Ok(widths)
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

    fn table(text: &str) -> ArchConfig {
        toml::from_str(&format!("w_std = 1.0\n{text}")).unwrap()
    }

    #[test]
    fn a_repeated_block_is_the_network_written_out() {
        let blocks = table(
            "depth = [1, 2]\nwidth = 4\nstem = [{ dense = 2 }]\nblock = [{ residual = [{ activation = 'relu' }, { dense = 2 }] }]\n\
             head = [{ activation = 'erf' }, { dense = 1 }, { activation = 'relu' }]",
        );
        let written = table(
            "layers = [{ dense = 8 }, { residual = [{ activation = 'relu' }, { dense = 8 }] }, \
             { residual = [{ activation = 'relu' }, { dense = 8 }] }, { activation = 'erf' }, { dense = 4 }, { activation = 'relu' }]",
        );
        let blocks = blocks.architectures(3, 2).unwrap();
        assert_eq!(blocks[1], written.architecture(3, 2).unwrap());
        assert_eq!([blocks[0].depth(), blocks[1].depth()], [3, 4]);
        assert_eq!((blocks[1].width(), blocks[1].activation_name().as_str()), (4, "relu, erf, relu"));

        let image = "input = [4, 4, 1]\ndepth = 2\nblock = [{ conv = { channels = 6, window = 3, padding = 'same' } }, { activation = 'relu' }]";
        let pooled = table(&format!("{image}\nhead = ['global-avg-pool']")).architecture(16, 1).unwrap();
        assert_eq!((pooled.depth(), pooled.width(), pooled.n_parameters()), (2, 6, 9 * 6 + 9 * 6 * 6 + 6));
    }

    #[test]
    fn forms_that_do_not_go_together_are_refused_by_their_key() {
        let block = "block = [{ dense = 4 }, { activation = 'relu' }]";
        let impossible = [
            (format!("{block}\ndepth = 1\nlayers = [{{ dense = 4 }}]"), "arch.layers", "twice"),
            (format!("{block}\ndepth = 1\nactivation = 'relu'"), "arch.activation", "take `activation` out"),
            (block.to_owned(), "arch.depth", "repeated"),
            ("depth = 1\nblock = [{ dense = 4 }]".to_owned(), "arch.block", "no activation"),
            ("depth = 1\nwidth = 4\nactivation = 'relu'\nhead = ['flatten']".to_owned(), "arch.block", "there is none"),
            (format!("{block}\ndepth = 1\nwidth = 0"), "arch.width", "width 0"),
            ("depth = 1\nlayers = [{ dense = 4 }]".to_owned(), "arch.layers", "twice"),
        ];
        for (text, key, word) in impossible {
            let error = table(&text).architectures(3, 1).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(word), "{error}");
        }
    }
}
