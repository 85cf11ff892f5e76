//! How long training lasts, and what is left of an error that decays at a given rate by then.

/// When training stops. Time is learning rate times step, so the two finite horizons agree as the steps get small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Horizon {
    /// Full-batch gradient descent: an error of rate r shrinks to (1 - eta r)^T of itself.
    Steps {
        /// eta, positive.
        learning_rate: f64,
        /// T.
        n_steps: u64,
    },
    /// Gradient flow until this time, not negative: an error of rate r shrinks to e^{-r t} of itself.
    Time(f64),
    /// The limit of both: every error of positive rate is gone.
    Infinite,
}

impl Horizon {
    /// The factor left of an error of positive rate `rate`; beyond 1 in size where gradient descent diverges.
    pub(super) fn decay(self, rate: f64) -> f64 {
        let (sign, log) = self.decay_in_logarithms(rate);
        sign * log.exp()
    }

    /// 1 - decay, to full relative accuracy however little has been learned.
    pub(super) fn learned(self, rate: f64) -> f64 {
        let (sign, log) = self.decay_in_logarithms(rate);
        if sign > 0.0 { -log.exp_m1() } else { 1.0 + log.exp() }
    }

    /// The sign of the decay and the logarithm of its size: 1e9 steps are one product, and a factor near 1 keeps its
    /// digits.
    fn decay_in_logarithms(self, rate: f64) -> (f64, f64) {
        match self {
            Self::Infinite => (1.0, f64::NEG_INFINITY),
            Self::Time(time) => (1.0, -rate * time),
            Self::Steps { n_steps: 0, .. } => (1.0, 0.0),
            Self::Steps { learning_rate, n_steps } => {
                let shrinkage = learning_rate * rate;
                if shrinkage <= 1.0 {
                    return (1.0, n_steps as f64 * (-shrinkage).ln_1p());
                }
                // The step overshoots: the error changes sign each time, and ln(shrinkage - 1) is exact where it
                // matters, at 2.
                let sign = if n_steps.is_multiple_of(2) { 1.0 } else { -1.0 };
                (sign, n_steps as f64 * (shrinkage - 2.0).ln_1p())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(learning_rate: f64, n_steps: u64) -> Horizon {
        Horizon::Steps { learning_rate, n_steps }
    }

    #[test]
    fn powers_equal_repeated_multiplication_on_both_sides_of_one_step_convergence() {
        for shrinkage in [1e-3, 0.3, 1.0, 1.25, 1.75, 1.999, 2.0, 2.01] {
            for n_steps in 0..40 {
                let expected = (0..n_steps).fold(1.0, |product, _| product * (1.0 - shrinkage));
                let decay = steps(1.0, n_steps).decay(shrinkage);
                assert!((decay - expected).abs() <= 1e-14 * expected.abs().max(1e-3), "{shrinkage}^{n_steps}: {decay}");
                assert!((steps(1.0, n_steps).learned(shrinkage) - (1.0 - expected)).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn what_is_barely_learned_keeps_its_digits() {
        // 1 - (1 - z)^T = T z - T (T - 1) z^2 / 2 + ...; the naive power returns 0 here.
        let (z, n_steps) = (1e-18, 1_000_000_000_u64);
        let expected = 1e-9 - 0.5e-18;
        assert!((steps(1.0, n_steps).learned(z) / expected - 1.0).abs() < 1e-15);
        assert!((Horizon::Time(1e9).learned(z) / expected - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_billion_steps_neither_overflow_nor_lose_a_slow_direction() {
        let billion = 1_000_000_000;
        assert!((steps(1.0, billion).decay(1e-9) - (-1.0_f64).exp()).abs() < 1e-9);
        assert_eq!(steps(1.0, billion).decay(0.5), 0.0);
        assert_eq!(steps(1.0, billion).decay(1.5), 0.0);
        assert_eq!(steps(1.0, billion).learned(1.5), 1.0);
    }

    #[test]
    fn divergence_is_infinite_and_alternates() {
        assert_eq!(steps(1.0, 1_000_000_000).decay(2.1), f64::INFINITY);
        assert_eq!(steps(1.0, 1_000_000_001).decay(2.1), f64::NEG_INFINITY);
    }

    #[test]
    fn no_training_learns_nothing_and_endless_training_everything() {
        for nothing in [steps(0.5, 0), Horizon::Time(0.0)] {
            assert_eq!(nothing.learned(3.0), 0.0);
            assert_eq!(nothing.decay(3.0), 1.0);
        }
        assert_eq!(Horizon::Infinite.learned(1e-300), 1.0);
        assert_eq!(Horizon::Infinite.decay(1e-300), 0.0);
    }
}
