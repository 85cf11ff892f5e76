//! Where rows come from, and how they become a training and a test part.
//!
//! A [`Source`] (vendored, a user's CSV, or synthetic) loads as a [`Dataset`]: raw numbers, as written in the source. A
//! [`Split`] is what a network and a kernel see: shuffled, cut, and standardized with the training part's statistics,
//!
//! ```text
//! x~_j = (x_j - m_j) / s_j,   y~_k = (y_k - m'_k) / s'_k,   m, s over the training rows (divisor n),
//! ```
//!
//! optionally followed by x~ <- sqrt(d) x~ / |x~|, which puts every input on the sphere where the kernels depend on the
//! angle alone. Both sides of every comparison receive the same [`Split`], so preparation cannot favour one of them.

mod arff;
mod columns;
mod config;
mod csv;
mod dataset;
mod dialect;
mod header;
mod labels;
mod loader;
mod missing;
mod nearest;
mod noise;
mod repeats;
mod rows;
mod scaling;
mod source;
mod split;
mod synthetic;
mod table;
mod text;
pub mod vendored;

pub use columns::ColumnNames;
pub use config::{DataConfig, RepeatedInputs};
pub use csv::{CsvSource, NewInputs, read_inputs};
pub use dataset::{Dataset, Task};
pub use dialect::{Decimal, Delimiter};
pub use loader::Loader;
pub use missing::Missing;
pub use scaling::Scaling;
pub use source::Source;
pub use split::Split;
pub use synthetic::{Synthetic, TeacherActivation};
