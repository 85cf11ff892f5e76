//! The architecture as data: one description, read by both the finite network and its infinite-width kernels.
//!
//! A network of depth L is L hidden layers and L + 1 dense maps (Jacot, Gabriel, Hongler 2018; NTK parametrization):
//!
//! ```text
//! h^0 = x,   z^l = (W_std / sqrt(n_{l-1})) W^l h^{l-1} + b_std b^l,   h^l = phi(z^l),   f(x) = z^{L+1}
//! ```
//!
//! with every parameter N(0, 1) at initialization; see [`Parametrization`] for the other reading. Nothing here computes: a
//! description is checked once, when it is built, and is correct from then on.

mod activation;
mod architecture;
mod convention;
mod family;
mod layer;
mod mlp;
mod parametrization;
mod place;
mod step;
mod window;

pub use activation::{Activation, MAX_DEGREE, OwnFunction};
pub use architecture::Architecture;
pub use convention::Convention;
pub use family::{Family, Smooth};
pub use layer::{Conv, Layer, LayerNorm, Pool};
pub use mlp::Mlp;
pub use parametrization::Parametrization;
pub use step::{AffineMap, Step};
pub use window::{Extent, Padding, Taps};
