//! One layer, as written in a config.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Activation, Extent, Padding};

/// One layer, as in `layers = [{ dense = 128 }, { activation = "relu" }]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// An affine map of a vector to this many units.
    Dense(usize),
    /// An elementwise nonlinearity.
    Activation(Activation),
    /// An affine map of the window around each position of a sequence or an image.
    Conv(Conv),
    /// The mean over the window around each position.
    AvgPool(Pool),
    /// The mean over all positions.
    GlobalAvgPool,
    /// All positions side by side in one vector; a dense map must follow.
    Flatten,
    /// Each position's channels less their mean, divided by their standard deviation; without parameters of its own.
    LayerNorm(LayerNorm),
    /// Dropout at this rate in its inference form, which leaves everything as it is: networks here are functions, not samples.
    Dropout(f64),
    /// The sum of branches that all start here; an empty branch is the identity.
    Sum(Vec<Vec<Layer>>),
    /// The product, entry by entry, of branches that all start here.
    Product(Vec<Vec<Layer>>),
    /// The sum of the identity and this branch.
    Residual(Vec<Layer>),
}

/// A convolution: `{ conv = { channels = 32, window = 3, padding = "same" } }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv {
    /// Outputs at every position.
    pub channels: usize,
    /// Positions it sees in each dimension.
    pub window: Extent,
    /// Positions from one output to the next.
    #[serde(default = "one")]
    pub stride: Extent,
    /// What it sees beyond the edge.
    #[serde(default)]
    pub padding: Padding,
}

/// A mean over windows: `{ avg-pool = { window = 2 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Positions it sees in each dimension.
    pub window: Extent,
    /// Positions from one output to the next; the window's, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Extent>,
}

/// Layer normalization (Ba, Kiros, Hinton 2016): `{ layer-norm = {} }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNorm {
    /// Added to the variance.
    #[serde(default = "default_eps")]
    pub eps: f64,
}

fn one() -> Extent {
    Extent::Same(1)
}

fn default_eps() -> f64 {
    1e-5
}

impl Layer {
    /// The same with `factor` times the units, or channels, of every map.
    #[must_use]
    pub fn widened(&self, factor: usize) -> Self {
        let all = |layers: &[Self]| layers.iter().map(|layer| layer.widened(factor)).collect();
        // Saturating: a width with too many digits is refused later, and must not wrap around.
        match self {
            Self::Dense(width) => Self::Dense(width.saturating_mul(factor)),
            Self::Conv(conv) => Self::Conv(Conv { channels: conv.channels.saturating_mul(factor), ..*conv }),
            Self::Sum(branches) => Self::Sum(branches.iter().map(|branch| all(branch)).collect()),
            Self::Product(branches) => Self::Product(branches.iter().map(|branch| all(branch)).collect()),
            Self::Residual(branch) => Self::Residual(all(branch)),
            other => other.clone(),
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense(width) => write!(f, "dense {width}"),
            Self::Activation(activation) => write!(f, "{activation}"),
            Self::Conv(conv) => {
                write!(f, "conv {} window {} stride {} {}", conv.channels, conv.window, conv.stride, conv.padding)
            }
            Self::AvgPool(pool) => write!(f, "avg-pool window {}", pool.window),
            Self::GlobalAvgPool => f.write_str("global-avg-pool"),
            Self::Flatten => f.write_str("flatten"),
            Self::LayerNorm(norm) => write!(f, "layer-norm {:e}", norm.eps),
            Self::Dropout(rate) => write!(f, "dropout {rate}"),
            Self::Sum(branches) => write_branches(f, "sum", branches),
            Self::Product(branches) => write_branches(f, "product", branches),
            Self::Residual(branch) => write_branches(f, "residual", std::slice::from_ref(branch)),
        }
    }
}

fn write_branches(f: &mut fmt::Formatter<'_>, name: &str, branches: &[Vec<Layer>]) -> fmt::Result {
    let branches: Vec<String> =
        branches.iter().map(|branch| branch.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")).collect();
    write!(f, "{name}({})", branches.join(" | "))
}
