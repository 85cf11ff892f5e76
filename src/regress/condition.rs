//! How many digits of a solve can be trusted: at most -log10(cond epsilon), cond = (s_max + lambda) / (s_min + lambda).
//!
//! A relative error epsilon in the kernel comes out as a relative error of up to cond epsilon in (K + lambda I)^-1 Y (Higham 2002,
//! chapter 7). Nothing is added to the diagonal to make the number look better: a larger ridge is another regression, and is asked for.

use serde::{Deserialize, Serialize};

/// The extreme eigenvalues of K + lambda I, and the precision that K is known to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// s_max + lambda.
    pub largest: f64,
    /// s_min + lambda, of the directions that are not dropped.
    pub smallest: f64,
    /// How many directions count as zero and are not inverted; see [`RidgePath`](super::RidgePath).
    pub n_dropped: usize,
    /// The machine epsilon of the number type that the kernel was computed in.
    pub epsilon: f64,
}

impl Condition {
    /// cond; infinite where nothing can be inverted.
    #[must_use]
    pub fn number(&self) -> f64 {
        if self.smallest > 0.0 { self.largest / self.smallest } else { f64::INFINITY }
    }

    /// -log10(cond epsilon), at least 0.
    #[must_use]
    pub fn trusted_digits(&self) -> f64 {
        (-(self.number() * self.epsilon).log10()).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_factor_of_ten_in_the_condition_number_costs_a_digit() {
        let digits = |smallest| Condition { largest: 1.0, smallest, n_dropped: 0, epsilon: 1e-16 }.trusted_digits();
        assert!((digits(1.0) - 16.0).abs() < 1e-12);
        assert!((digits(1e-6) - 10.0).abs() < 1e-12);
        assert_eq!((digits(1e-20), digits(0.0)), (0.0, 0.0));
    }
}
