//! lambda, the number added to the diagonal of a kernel matrix, with the unit it is stated in.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::linalg::GramMatrix;

/// A ridge as written in a config: `{ absolute = 1e-3 }` or `{ relative-to-trace = 1e-6 }`.
///
/// A kernel's scale grows with depth and weight variance, so one absolute number regularizes two kernels differently; a
/// relative one is in units of the mean of the diagonal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ridge {
    /// lambda itself.
    Absolute(f64),
    /// lambda in units of trace(K) / n.
    RelativeToTrace(f64),
}

impl Default for Ridge {
    fn default() -> Self {
        Self::Absolute(0.0)
    }
}

impl Ridge {
    /// lambda for the kernel matrix of the training inputs.
    #[must_use]
    pub fn resolve(self, k_train_train: &GramMatrix) -> f64 {
        self.of_mean_diagonal(k_train_train.mean_diagonal())
    }

    /// lambda for a kernel matrix of which trace(K) / n is known.
    #[must_use]
    pub fn of_mean_diagonal(self, mean_diagonal: f64) -> f64 {
        match self {
            Self::Absolute(lambda) => lambda,
            Self::RelativeToTrace(fraction) => fraction * mean_diagonal,
        }
    }

    /// Refuses a ridge that is negative or not finite; `key` is the dotted path it was written at.
    ///
    /// # Errors
    /// [`Error::Config`] with the value.
    pub fn validate(self, key: &str) -> Result<()> {
        let (unit, value) = match self {
            Self::Absolute(value) => ("absolute", value),
            Self::RelativeToTrace(value) => ("relative-to-trace", value),
        };
        if value.is_finite() && value >= 0.0 {
            return Ok(());
        }
        Err(Error::config(
            format!("{key}.{unit}"),
            format!("a ridge cannot be {value}"),
            "give a finite number that is not negative; 0 is regression without a ridge",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_ridge_follows_the_scale_of_the_kernel() {
        let small = GramMatrix::from_lower(3, |i, j| if i == j { (i + 1) as f64 } else { 0.5 });
        let large = GramMatrix::from_lower(3, |i, j| 10.0 * small[(i, j)]);
        assert_eq!(Ridge::RelativeToTrace(0.25).resolve(&small), 0.5);
        assert_eq!(Ridge::RelativeToTrace(0.25).resolve(&large), 5.0);
        assert_eq!(Ridge::Absolute(0.25).resolve(&large), 0.25);
    }

    #[test]
    fn a_ridge_is_written_with_its_unit() {
        let read = |text| serde_json::from_str::<Ridge>(text);
        assert_eq!(read(r#"{ "absolute": 1e-3 }"#).unwrap(), Ridge::Absolute(1e-3));
        assert_eq!(read(r#"{ "relative-to-trace": 1e-6 }"#).unwrap(), Ridge::RelativeToTrace(1e-6));
        assert!(read("1e-3").is_err());
    }

    #[test]
    fn a_negative_or_infinite_ridge_is_refused_under_its_key() {
        for value in [-1e-9, f64::NAN, f64::INFINITY] {
            let error = Ridge::RelativeToTrace(value).validate("kernel.ridge").unwrap_err();
            assert!(error.to_string().contains("`kernel.ridge.relative-to-trace`"), "{error}");
        }
        assert!(Ridge::Absolute(0.0).validate("kernel.ridge").is_ok());
    }
}
