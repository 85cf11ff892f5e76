//! How long training lasts and by which rule, and what is left of an error that decays at a given rate by then.

use super::momentum::Change;

/// When training stops. Time is learning rate times step, so `Steps` and `Time` agree as the steps get small; so do `Momentum` and
/// `DampedTime`, whose time is sqrt(learning rate) times step.
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
    /// Full-batch gradient descent with momentum (the heavy ball, Polyak 1964), from rest: v <- beta v + g, theta <- theta - eta v.
    Momentum {
        /// eta, positive.
        learning_rate: f64,
        /// beta, the share of the velocity that is kept; from 0 up to below 1.
        momentum: f64,
        /// T.
        n_steps: u64,
    },
    /// The heavy ball in continuous time, from rest: theta'' + gamma theta' + g = 0.
    DampedTime {
        /// gamma, not negative; (1 - beta) / sqrt(eta) for the limit of small steps.
        friction: f64,
        /// Finite, not negative; sqrt(eta) T likewise.
        time: f64,
    },
    /// The limit of all: every error of positive rate is gone.
    Infinite,
}

impl Horizon {
    /// `n_steps` steps of momentum in the continuous time that they approach: `gradient_descent` of neural-tangents.
    #[must_use]
    pub fn momentum_flow(learning_rate: f64, momentum: f64, n_steps: f64) -> Self {
        let unit = learning_rate.sqrt();
        Self::DampedTime { friction: (1.0 - momentum) / unit, time: unit * n_steps }
    }

    /// The factor left of an error of positive rate `rate`; beyond 1 in size where the steps diverge. With momentum to rounding of 1.
    pub(super) fn decay(self, rate: f64) -> f64 {
        match self.left(rate) {
            Left::Factor { sign, log } => sign * log.exp(),
            Left::Learned(learned) => 1.0 - learned,
        }
    }

    /// 1 - decay, to full relative accuracy however little has been learned.
    pub(super) fn learned(self, rate: f64) -> f64 {
        match self.left(rate) {
            Left::Factor { sign, log } if sign > 0.0 => -log.exp_m1(),
            Left::Factor { log, .. } => 1.0 + log.exp(),
            Left::Learned(learned) => learned,
        }
    }

    fn left(self, rate: f64) -> Left {
        match self {
            Self::Infinite => Left::Factor { sign: 1.0, log: f64::NEG_INFINITY },
            Self::Time(time) => Left::Factor { sign: 1.0, log: -rate * time },
            Self::Steps { n_steps: 0, .. } => Left::Factor { sign: 1.0, log: 0.0 },
            Self::Steps { learning_rate, n_steps } => {
                let shrinkage = learning_rate * rate;
                if shrinkage <= 1.0 {
                    return Left::Factor { sign: 1.0, log: n_steps as f64 * (-shrinkage).ln_1p() };
                }
                // The step overshoots: the error changes sign each time, and ln(shrinkage - 1) is exact where it
                // matters, at 2.
                let sign = if n_steps.is_multiple_of(2) { 1.0 } else { -1.0 };
                Left::Factor { sign, log: n_steps as f64 * (shrinkage - 2.0).ln_1p() }
            }
            Self::Momentum { learning_rate, momentum, n_steps } => {
                Left::Learned(Change::of_steps(learning_rate * rate, momentum, n_steps).learned())
            }
            Self::DampedTime { friction, time } => Left::Learned(Change::of_flow(rate, friction, time).learned()),
        }
    }
}

/// What is left of an error, in the form in which it keeps its digits.
enum Left {
    /// The sign of the factor and the logarithm of its size: 1e9 steps are one product.
    Factor { sign: f64, log: f64 },
    /// 1 - the factor.
    Learned(f64),
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
        let momentum = Horizon::Momentum { learning_rate: 0.5, momentum: 0.9, n_steps: 0 };
        for nothing in [steps(0.5, 0), Horizon::Time(0.0), momentum, Horizon::momentum_flow(0.5, 0.9, 0.0)] {
            assert_eq!(nothing.learned(3.0), 0.0);
            assert_eq!(nothing.decay(3.0), 1.0);
        }
        assert_eq!(Horizon::Infinite.learned(1e-300), 1.0);
        assert_eq!(Horizon::Infinite.decay(1e-300), 0.0);
    }

    #[test]
    fn without_momentum_the_heavy_ball_is_gradient_descent() {
        for shrinkage in [1e-12, 0.3, 1.0, 1.9] {
            for n_steps in [0, 1, 30, 1_000_000] {
                let ball = Horizon::Momentum { learning_rate: 1.0, momentum: 0.0, n_steps };
                let expected = steps(1.0, n_steps).learned(shrinkage);
                assert!((ball.learned(shrinkage) - expected).abs() <= 1e-13 * expected, "{shrinkage}, {n_steps}");
            }
        }
    }
}
