//! How large a network may be: what can be counted, and what fits into the memory that is left.

use super::device::Dtype;
use crate::arch::Architecture;
use crate::error::{Error, Result};
use crate::linalg::ensure_fits;

/// Beyond this number a width is a slip of the keyboard, and would end in a full memory, not in a message.
const MAX_PARAMETERS: usize = 1 << 32;

/// Refuses a network whose parameters are too many for any machine.
///
/// # Errors
/// By the key `arch.width`, with the bound.
pub fn ensure_countable(architecture: &Architecture) -> Result<()> {
    if architecture.n_parameters() <= MAX_PARAMETERS {
        return Ok(());
    }
    Err(Error::config(
        "arch.width",
        format!(
            "the network of depth {}, width {} has more than {MAX_PARAMETERS} parameters",
            architecture.depth(),
            architecture.width()
        ),
        "lower it; `ntk run CONFIG --dry-run` prints the memory that a study needs",
    ))
}

/// Bytes of `n_copies` of the parameters in `dtype`.
#[must_use]
pub fn parameter_bytes(architecture: &Architecture, n_copies: usize, dtype: Dtype) -> f64 {
    architecture.n_parameters() as f64 * (n_copies * dtype.size()) as f64
}

/// Refuses a network that cannot be counted, or whose `n_copies` on the device and draws in f64 exceed the memory that is free now.
///
/// # Errors
/// As [`ensure_countable`]; [`Error::TooLarge`] with both numbers.
pub fn ensure_parameters_fit(architecture: &Architecture, n_copies: usize, dtype: Dtype) -> Result<()> {
    ensure_countable(architecture)?;
    let drawn = parameter_bytes(architecture, 1, Dtype::F64);
    let what = || {
        format!(
            "a network of depth {}, width {} with {} parameters",
            architecture.depth(),
            architecture.width(),
            architecture.n_parameters()
        )
    };
    ensure_fits(drawn + parameter_bytes(architecture, n_copies, dtype), what, "lower `arch.width`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{Activation, Mlp, Parametrization};

    fn of_width(width: usize) -> Architecture {
        let parametrization = Parametrization::Ntk;
        Mlp { depth: 2, width, activation: Activation::Relu, w_std: 1.0, b_std: 0.1, parametrization }
            .architecture(3, 1)
            .unwrap()
    }

    #[test]
    fn a_width_of_all_digits_is_refused_by_its_key_before_anything_is_allocated() {
        let message = ensure_parameters_fit(&of_width(i64::MAX as usize), 1, Dtype::F32).unwrap_err().to_string();
        assert!(message.contains("`arch.width`") && message.contains("more than 4294967296 parameters"), "{message}");
        assert!(ensure_parameters_fit(&of_width(64), 2, Dtype::F64).is_ok());
    }

    #[test]
    fn copies_are_counted_in_their_number_type() {
        let architecture = of_width(10);
        let n = architecture.n_parameters() as f64;
        assert_eq!(parameter_bytes(&architecture, 3, Dtype::F32), 12.0 * n);
        assert_eq!(parameter_bytes(&architecture, 1, Dtype::F64), 8.0 * n);
    }
}
