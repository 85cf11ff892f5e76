//! The `[data]` table of a config: where the rows come from and how they are prepared.

use serde::{Deserialize, Serialize};

use super::source::Source;

/// Source and preparation, as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Where the rows come from.
    pub source: Source,
    /// Training rows; absent: 80 % of the rows, rounded down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_train: Option<usize>,
    /// Test rows; absent: all that remain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_test: Option<usize>,
    /// Rows set aside from training, for [`Stop::Validation`](crate::train::Stop) to look at.
    #[serde(default)]
    pub n_validation: usize,
    /// Noise on the training targets, and on them alone: of regression the standard deviation of a normal number, in units of the
    /// targets' own; of classification the probability that a row gets another class.
    #[serde(default)]
    pub label_noise: f64,
    /// Noise on the training inputs, and on them alone: the standard deviation of a normal number, in units of each column's own.
    #[serde(default)]
    pub input_noise: f64,
    /// Whether inputs and targets are brought to mean 0 and standard deviation 1 over the training rows.
    #[serde(default = "yes")]
    pub standardize: bool,
    /// Whether every input row is then scaled to norm sqrt(d).
    #[serde(default)]
    pub sphere: bool,
    /// What becomes of rows with the same inputs.
    #[serde(default)]
    pub repeated_inputs: RepeatedInputs,
    /// Which shuffle precedes the split.
    #[serde(default)]
    pub split_seed: u64,
}

/// What becomes of rows with the same inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepeatedInputs {
    /// One row with the mean target. Otherwise the kernel matrix is singular, and an input can be in both parts.
    #[default]
    Average,
    /// All rows stay.
    Keep,
}

impl DataConfig {
    /// Default preparation of rows from `source`.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            source,
            n_train: None,
            n_test: None,
            n_validation: 0,
            label_noise: 0.0,
            input_noise: 0.0,
            standardize: true,
            sphere: false,
            repeated_inputs: RepeatedInputs::Average,
            split_seed: 0,
        }
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_alone_is_a_config_with_the_defaults() {
        let config: DataConfig = toml::from_str("source = { vendored = 'concrete' }").unwrap();
        assert_eq!(config, DataConfig::new(Source::Vendored("concrete".into())));
    }

    #[test]
    fn every_source_is_written_and_read_back_unchanged() {
        for source in [
            "vendored = 'yacht'",
            "csv = { path = 'my.csv', target = 'strength', header = false, task = 'classification' }",
            "synthetic = { kind = 'sphere-linear', n_rows = 9, d_in = 3 }",
            "synthetic = { kind = 'sphere-harmonic', n_rows = 9, d_in = 3, degree = 2, noise = 0.1 }",
            "synthetic = { kind = 'sine', n_rows = 9, frequency = 2 }",
            "synthetic = { kind = 'friedman1', n_rows = 9, d_in = 5, noise = 1 }",
            "synthetic = { kind = 'gaussian-process', n_rows = 9, d_in = 2, length_scale = 1.5 }",
            "synthetic = { kind = 'teacher', n_rows = 9, d_in = 2, width = 8, activation = 'relu' }",
        ] {
            let text = format!("source = {{ {source} }}\nn_train = 5\nrepeated_inputs = 'keep'\nsphere = true");
            let config: DataConfig = toml::from_str(&text).unwrap();
            let again: DataConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
            assert_eq!(config, again);
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        for (text, unknown) in [
            ("n_trian = 3\nsource = { vendored = 'yacht' }", "n_trian"),
            ("source = { vendord = 'yacht' }", "vendord"),
            ("source = { csv = { path = 'a', column = 'b' } }", "column"),
            ("source = { synthetic = { kind = 'sine', n_rows = 9, frequency = 1, d_in = 2 } }", "d_in"),
            ("source = { synthetic = { kind = 'cosine', n_rows = 9 } }", "cosine"),
        ] {
            let message = toml::from_str::<DataConfig>(text).unwrap_err().to_string();
            assert!(message.contains(&format!("`{unknown}`")), "{message}");
        }
    }
}
