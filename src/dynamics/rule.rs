//! The pace of training: how fast an error of rate r shrinks under a rule of training, how long it takes to learn a direction, and the
//! largest step size.
//!
//! | rule | in one unit of time, or one step, an error shrinks by |
//! |---|---|
//! | gradient flow | e^{-r} |
//! | gradient descent | abs(1 - eta r) |
//! | momentum | the larger root of z^2 - (1 + beta - eta r) z + beta: sqrt(beta) between eta r = (1 -+ sqrt(beta))^2 (Polyak 1964) |
//! | damped flow | e^{-a}, a the smaller real part of the roots of a^2 - gamma a + r |
//!
//! A step size is too large where this reaches 1.

use super::Flow;

/// A rule of training, without its length: see [`Horizon`](super::Horizon).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Gradient flow.
    GradientFlow,
    /// Full-batch gradient descent.
    GradientDescent {
        /// eta, positive.
        learning_rate: f64,
    },
    /// The heavy ball.
    Momentum {
        /// eta, positive.
        learning_rate: f64,
        /// beta, from 0 up to below 1.
        momentum: f64,
    },
    /// The heavy ball in continuous time.
    DampedFlow {
        /// gamma, not negative.
        friction: f64,
    },
}

impl Rule {
    /// What an error of positive rate `rate` shrinks to in one unit of time, or one step, in the long run; 1 and more where it never does.
    #[must_use]
    pub fn contraction(self, rate: f64) -> f64 {
        self.log_contraction(rate).exp()
    }

    /// How long an error of positive rate `rate` takes to shrink to `fraction` of itself: in time for the continuous rules, in steps for
    /// the others. `None` where it never does.
    ///
    /// With momentum this leaves out the start, some 1 / (1 - beta) steps in which the velocity builds up.
    #[must_use]
    pub fn learning_time(self, rate: f64, fraction: f64) -> Option<f64> {
        let log_contraction = self.log_contraction(rate);
        (log_contraction < 0.0).then(|| (fraction.ln() / log_contraction).max(0.0))
    }

    /// Its logarithm, with all digits close to 1 from either side.
    fn log_contraction(self, rate: f64) -> f64 {
        match self {
            Self::GradientFlow => -rate,
            Self::GradientDescent { learning_rate } => {
                let shrinkage = learning_rate * rate;
                if shrinkage <= 1.0 { (-shrinkage).ln_1p() } else { (shrinkage - 2.0).ln_1p() }
            }
            Self::Momentum { learning_rate, momentum } => {
                let shrinkage = learning_rate * rate;
                // The roots are 1 - d, where d^2 - (1 - beta + eta r) d + eta r = 0.
                let sum = 1.0 - momentum + shrinkage;
                let discriminant = sum * sum - 4.0 * shrinkage;
                if discriminant < 0.0 {
                    0.5 * momentum.ln()
                } else if shrinkage < 1.0 {
                    (-2.0 * shrinkage / (sum + discriminant.sqrt())).ln_1p()
                } else {
                    (0.5 * (sum + discriminant.sqrt()) - 2.0).ln_1p()
                }
            }
            Self::DampedFlow { friction } => {
                let half = 0.5 * friction;
                let square = half * half - rate;
                if square < 0.0 { -half } else { -rate / (half + square.sqrt()) }
            }
        }
    }
}

impl Flow {
    /// How long each direction takes to be learned but for `fraction` of it, in the order of [`Flow::eigenvalues`]; see
    /// [`Rule::learning_time`]. `None` where it never is.
    #[must_use]
    pub fn learning_times(&self, rule: Rule, fraction: f64) -> Vec<Option<f64>> {
        let time = |&s: &f64| self.rate(s).and_then(|rate| rule.learning_time(rate, fraction));
        self.eigenvalues().iter().map(time).collect()
    }

    /// 2 (1 + beta) / ((s_max + lambda)/(N O) + w): the step size below which training with momentum beta (0 is gradient descent) and
    /// weight decay w, a pull w theta to zero in the gradient, converges, and above which it diverges.
    ///
    /// The ridge of the flow is the pull lambda to the initialization; the two add up. Of the squared loss; another loss without pulls is
    /// stable up to [`stability_factor`](crate::train::Loss::stability_factor) times as much.
    #[must_use]
    pub fn maximal_learning_rate(&self, momentum: f64, weight_decay: f64) -> f64 {
        2.0 * (1.0 + momentum) / (2.0 / self.stability_bound() + weight_decay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Horizon, Outputs};
    use crate::linalg::{GramMatrix, Matrix};

    fn momentum(momentum: f64) -> Rule {
        Rule::Momentum { learning_rate: 1.0, momentum }
    }

    #[test]
    fn after_its_learning_time_a_fraction_is_left() {
        for (rate, fraction) in [(1e-6, 0.5), (0.3, 0.01), (1.7, 0.01)] {
            let time = Rule::GradientFlow.learning_time(rate, fraction).unwrap();
            assert!((Horizon::Time(time).decay(rate) / fraction - 1.0).abs() < 1e-12);

            let steps = Rule::GradientDescent { learning_rate: 1.0 }.learning_time(rate, fraction).unwrap();
            let left = |n_steps: f64| Horizon::Steps { learning_rate: 1.0, n_steps: n_steps as u64 }.decay(rate).abs();
            assert!(left(steps.ceil()) <= fraction && left(steps.ceil() - 1.0) > fraction);
        }
    }

    #[test]
    fn in_the_long_run_the_decay_is_a_power_of_the_contraction() {
        let beta: f64 = 0.9;
        let [first, last] = [(1.0 - beta.sqrt()).powi(2), (1.0 + beta.sqrt()).powi(2)];
        for shrinkage in [0.5 * first, 0.9 * first, 0.5 * (last + 3.8)] {
            let left = |n_steps| Horizon::Momentum { learning_rate: 1.0, momentum: beta, n_steps }.decay(shrinkage);
            let ratio = (left(200) / left(199)).abs();
            assert!((ratio / momentum(beta).contraction(shrinkage) - 1.0).abs() < 1e-3, "{shrinkage}: {ratio}");
        }
        // Two roots of one size beat against each other; that their product is beta is left.
        assert_eq!(momentum(beta).contraction(1.0), beta.sqrt());
        for (rate, friction) in [(0.1_f64, 1.0_f64), (0.2, 3.0)] {
            let left = |time| Horizon::DampedTime { friction, time }.decay(rate);
            let ratio = left(31.0) / left(30.0);
            assert!((ratio / Rule::DampedFlow { friction }.contraction(rate) - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn without_momentum_the_heavy_ball_keeps_the_pace_of_gradient_descent() {
        for shrinkage in [1e-12, 0.3, 1.0, 1.4, 1.999_999, 2.5] {
            let expected = Rule::GradientDescent { learning_rate: 1.0 }.log_contraction(shrinkage);
            let found = momentum(0.0).log_contraction(shrinkage);
            assert!(found == expected || (found / expected - 1.0).abs() < 1e-9, "{shrinkage}: {found} and {expected}");
        }
    }

    #[test]
    fn the_best_momentum_learns_in_the_root_of_the_condition_number() {
        // Polyak: eta = (2 / (sqrt(s) + sqrt(l)))^2, beta = ((sqrt(s) - sqrt(l)) / (sqrt(s) + sqrt(l)))^2 contract both ends by sqrt(beta).
        let (l, s): (f64, f64) = (1e-4, 1.0);
        let root = (s.sqrt() - l.sqrt()) / (s.sqrt() + l.sqrt());
        let rule = Rule::Momentum { learning_rate: (2.0 / (s.sqrt() + l.sqrt())).powi(2), momentum: root * root };
        for rate in [l, 0.01, s] {
            assert!((rule.contraction(rate) - root).abs() < 1e-6, "{rate}");
        }
    }

    fn flow(ridge: f64) -> Flow {
        let gram = GramMatrix::from_lower(6, |i, j| (-(i.abs_diff(j) as f64)).exp());
        Flow::new(&gram, Outputs::Independent(2), ridge, 1e-14).unwrap()
    }

    #[test]
    fn at_the_maximal_step_size_the_fastest_direction_stops_shrinking() {
        for (ridge, beta) in [(0.0, 0.0), (0.3, 0.0), (0.0, 0.9), (0.3, 0.5)] {
            let flow = flow(ridge);
            let slowest = |fraction: f64| {
                let learning_rate = fraction * flow.maximal_learning_rate(beta, 0.0);
                let times = flow.learning_times(Rule::Momentum { learning_rate, momentum: beta }, 0.1);
                (times[0], times.iter().all(Option::is_some))
            };
            assert!(slowest(0.999_999).1);
            assert_eq!(slowest(1.000_001), (None, false));
        }
        assert_eq!(flow(0.3).maximal_learning_rate(0.0, 0.0), flow(0.3).stability_bound());
    }

    /// Steps of theta in parameter space under the squared loss with a pull to zero.
    #[test]
    fn weight_decay_lowers_the_maximal_step_size_by_its_own_rate() {
        let j = Matrix::from_fn(4, 5, |i, k| ((i * 5 + k) as f64 * 0.77).sin());
        let gram = GramMatrix::from_symmetric(j.matmul(&j.transpose()), 1e-14).unwrap();
        let flow = Flow::new(&gram, Outputs::Independent(1), 0.0, 1e-14).unwrap();
        let (beta, decay) = (0.6, 0.5);
        let size = |fraction: f64| {
            let eta = fraction * flow.maximal_learning_rate(beta, decay);
            let start = Matrix::from_fn(5, 1, |k, _| 1.0 + k as f64);
            let (theta, _) = (0..2000).fold((start, Matrix::zeros(5, 1)), |(theta, v), _| {
                let gradient = &j.transpose().matmul(&j.matmul(&theta)).map(|g| g / 4.0) + &theta.map(|p| decay * p);
                let v = &v.map(|v| beta * v) + &gradient;
                (&theta - &v.map(|v| eta * v), v)
            });
            theta.frobenius()
        };
        assert!(size(0.99) < 1e-3 && size(1.01) > 1e3, "{} and {}", size(0.99), size(1.01));
    }
}
