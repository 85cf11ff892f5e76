//! The three places that rows can come from.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::csv::CsvSource;
use super::dataset::Dataset;
use super::synthetic::Synthetic;
use super::vendored;
use crate::error::Result;

/// Where rows come from: `source = { vendored = "concrete" }` in a config.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// A data set that comes with the program, by name.
    Vendored(String),
    /// A user's file.
    Csv(CsvSource),
    /// Rows drawn at random from a known law.
    Synthetic(Synthetic),
}

impl Source {
    /// Loads or draws the rows; a relative path starts at `base`, and `root_seed` names the draws.
    ///
    /// # Errors
    /// When a name is unknown, a file cannot be used, or a setting has an impossible value.
    pub fn load(&self, root_seed: u64, base: &Path) -> Result<Dataset> {
        match self {
            Self::Vendored(name) => vendored::load(name),
            Self::Csv(csv) => csv.load(base),
            Self::Synthetic(synthetic) => synthetic.load(root_seed),
        }
    }
}
