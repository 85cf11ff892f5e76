//! What a run leaves behind: plain values between computing and drawing.
//!
//! Everything a figure or a report says is read from these types and from nothing else, so that it can be redrawn from a run
//! folder on a machine that has neither the data nor the backend.
//!
//! - [`Row`]: one flat line per finished point, the content of `rows.jsonl` and `rows.csv`.
//! - [`Point`]: a row with what does not fit on a line: predictions, trajectory, modes.
//! - [`Group`]: the networks of all seeds together.
//! - [`KernelRow`], [`KernelPoint`], [`KernelManifest`]: the same of a comparison of kernels without networks.
//! - [`Manifest`]: what was run, by which program, on which machine; written first.
//! - [`Store`]: the run folder that holds them; [`Kept`]: what of it lies beside a report.

pub mod arrays;
mod covariance;
pub mod file;
mod group;
mod kept;
#[cfg(test)]
mod made_up;
mod manifest;
pub mod npy;
mod regression;
mod row;
mod store;

pub use covariance::{Band, Covariance, Direction};
pub use group::{Distance, Group, groups};
pub use kept::Kept;
pub use manifest::{Computation, Criterion, DataFacts, MAX_SHOWN_NOTES, Machine, Manifest, shown_notes};
pub use regression::{Covered, KernelManifest, KernelPoint, KernelRow, REGRESSION_SCHEMA, RidgePoint};
pub use row::{ModeBand, Outcome, Point, Prediction, Row, SCHEMA_VERSION, Snapshot, finite};
pub use store::{Recorded, RunKind, RunManifest, Store};
