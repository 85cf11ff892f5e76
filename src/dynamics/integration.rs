//! x' = F(x), by the explicit Runge-Kutta pair of Dormand and Prince (1980): steps of order 5, whose error a second combination of the
//! same slopes, of order 4, tells; the step size follows it by a proportional and integral rule (Gustafsson 1991; Hairer, Norsett,
//! Wanner 1993, sections II.4, IV.2).
//!
//! Written out here because the pair is one table: the crates for it (ode_solvers, differential-equations, diffsol, russell_ode) bring a second
//! linear algebra or solvers for implicit methods, measure errors entry by entry instead of in the norm of a kernel, and keep the path.

use crate::error::{Error, Result};

/// How closely a path is followed, and how long at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// The error of one step, relative to the largest size seen so far.
    pub tolerance: f64,
    /// How many steps, those that are tried and discarded among them.
    pub n_steps: usize,
}

impl Default for Accuracy {
    fn default() -> Self {
        Self { tolerance: 1e-10, n_steps: 100_000 }
    }
}

/// What moves and how its errors are measured.
pub(super) trait Motion {
    /// Writes x' at `x` into `slope`.
    fn slope(&self, x: &[f64], slope: &mut [f64]);

    /// The sizes of the parts of `x` whose errors are to be small, each relative to the size of its own part.
    fn sizes(&self, x: &[f64]) -> [f64; 2];

    /// The sizes of the parts of an error.
    fn errors(&self, error: &[f64]) -> [f64; 2];
}

/// A path that is being followed.
pub(super) struct Path<'a, M> {
    motion: &'a M,
    accuracy: Accuracy,
    time: f64,
    x: Vec<f64>,
    slope: Vec<f64>,
    /// The largest sizes so far.
    sizes: [f64; 2],
    step: Option<f64>,
    last_error: f64,
    n_steps: usize,
}

impl<'a, M: Motion> Path<'a, M> {
    /// Stands at `x` at time 0.
    pub(super) fn from(motion: &'a M, x: Vec<f64>, accuracy: Accuracy) -> Self {
        let mut slope = vec![0.0; x.len()];
        motion.slope(&x, &mut slope);
        let sizes = motion.sizes(&x);
        Self { motion, accuracy, time: 0.0, x, slope, sizes, step: None, last_error: 1e-4, n_steps: 0 }
    }

    /// Where the path is.
    pub(super) fn position(&self) -> &[f64] {
        &self.x
    }

    /// Follows the path until `end`, which is not before the time it is at.
    ///
    /// # Errors
    /// [`Error::Stiff`] when the steps are used up; [`Error::NotFinite`] when the slope is not finite.
    pub(super) fn follow(&mut self, end: f64) -> Result<()> {
        while self.time < end {
            if let Some(at) = self.slope.iter().position(|slope| !slope.is_finite()) {
                return Err(Error::NotFinite {
                    what: "the slope of the dynamics".to_string(),
                    value: self.slope[at],
                    place: format!("time {}", self.time),
                    remedy: "give a loss whose gradient is finite, or a shorter time".to_string(),
                });
            }
            if self.n_steps == self.accuracy.n_steps {
                return Err(Error::Stiff { reached: self.time, end, n_steps: self.n_steps });
            }
            self.n_steps += 1;
            self.attempt(end);
        }
        Ok(())
    }

    /// Tries one step, at most to `end`, and takes it if its error is small.
    fn attempt(&mut self, end: f64) {
        let planned = self.step.unwrap_or_else(|| self.first_step());
        // The last step is stretched a little, where another would be all rounding.
        let is_last = self.time + 1.000_001 * planned >= end;
        let step = if is_last { end - self.time } else { planned };

        let Trial { x, slope, error } = self.trial(step);
        let error = self.relative(&error, &x);
        if error <= 1.0 {
            let factor = 0.9 * error.max(1e-10).powf(-0.7 / 5.0) * self.last_error.powf(0.4 / 5.0);
            self.time = if is_last { end } else { self.time + step };
            (self.x, self.slope) = (x, slope);
            self.enlarge_sizes();
            self.last_error = error.max(1e-4);
            // A step that was cut short at `end` says nothing against the planned one.
            self.step = Some((step * factor.clamp(0.2, 5.0)).max(if is_last { planned.min(5.0 * step) } else { 0.0 }));
        } else {
            // A NaN, of a step far too large, is an error too.
            let factor = if error.is_finite() { 0.9 * error.powf(-0.2) } else { 0.1 };
            self.step = Some(step * factor.clamp(0.1, 0.9));
        }
    }

    /// A hundredth of the time in which something of its present size would be gone.
    fn first_step(&self) -> f64 {
        let speeds = self.motion.errors(&self.slope);
        let times = self.sizes.iter().zip(speeds).filter(|(size, speed)| **size > 0.0 && *speed > 0.0);
        0.01 * times.map(|(size, speed)| size / speed).fold(f64::MAX, f64::min)
    }

    fn trial(&self, step: f64) -> Trial {
        let n = self.x.len();
        let mut slopes = vec![self.slope.clone()];
        let mut x = Vec::new();
        for row in STAGES {
            x = (0..n)
                .map(|i| {
                    self.x[i] + step * row.iter().zip(&slopes).map(|(weight, slope)| weight * slope[i]).sum::<f64>()
                })
                .collect();
            let mut slope = vec![0.0; n];
            self.motion.slope(&x, &mut slope);
            slopes.push(slope);
        }
        let error =
            (0..n).map(|i| step * ERROR.iter().zip(&slopes).map(|(weight, slope)| weight * slope[i]).sum::<f64>());
        // The last stage stands at the end of the step: its slope begins the next.
        Trial { error: error.collect(), x, slope: slopes.pop().unwrap_or_default() }
    }

    /// The error in units of what is allowed; NaN when it is not a number.
    fn relative(&self, error: &[f64], x: &[f64]) -> f64 {
        let (errors, at_end) = (self.motion.errors(error), self.motion.sizes(x));
        let mut worst = 0.0;
        for part in 0..2 {
            let allowed = self.accuracy.tolerance * self.sizes[part].max(at_end[part]);
            let share = if errors[part] == 0.0 { 0.0 } else { errors[part] / allowed };
            worst = if share.is_nan() || share > worst { share } else { worst };
        }
        worst
    }

    fn enlarge_sizes(&mut self) {
        for (held, size) in self.sizes.iter_mut().zip(self.motion.sizes(&self.x)) {
            *held = held.max(size);
        }
    }
}

/// The end of a step that may be taken.
struct Trial {
    x: Vec<f64>,
    slope: Vec<f64>,
    error: Vec<f64>,
}

/// The weights of the slopes so far, stage after stage; the last row is the step of order 5.
const STAGES: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];

/// The step of order 5 less that of order 4.
const ERROR: [f64; 7] =
    [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339_200.0, 22.0 / 525.0, -1.0 / 40.0];

#[cfg(test)]
mod tests {
    use super::*;

    /// The pendulum without its gravity: x'' = -x.
    struct Circle;

    impl Motion for Circle {
        fn slope(&self, x: &[f64], slope: &mut [f64]) {
            (slope[0], slope[1]) = (x[1], -x[0]);
        }

        fn sizes(&self, x: &[f64]) -> [f64; 2] {
            [x[0].hypot(x[1]), 0.0]
        }

        fn errors(&self, error: &[f64]) -> [f64; 2] {
            self.sizes(error)
        }
    }

    /// x' = rate (x^power - 1) in one dimension.
    struct Fall {
        rate: f64,
        power: i32,
    }

    impl Motion for Fall {
        fn slope(&self, x: &[f64], slope: &mut [f64]) {
            slope[0] = self.rate * (x[0].powi(self.power) - 1.0);
        }

        fn sizes(&self, x: &[f64]) -> [f64; 2] {
            [x[0].abs(), 0.0]
        }

        fn errors(&self, error: &[f64]) -> [f64; 2] {
            self.sizes(error)
        }
    }

    fn accuracy(tolerance: f64) -> Accuracy {
        Accuracy { tolerance, ..Accuracy::default() }
    }

    #[test]
    fn each_row_of_weights_sums_to_its_time_and_both_steps_are_consistent() {
        let times = [0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0];
        for (row, time) in STAGES.iter().zip(times) {
            assert!((row.iter().sum::<f64>() - time).abs() < 1e-14);
        }
        assert!(ERROR.iter().sum::<f64>().abs() < 1e-16);
    }

    #[test]
    fn a_step_has_order_five_and_its_error_estimate_order_four() {
        let path = Path::from(&Circle, vec![1.0, 0.0], Accuracy::default());
        let error = |step: f64| (path.trial(step).x[0] - step.cos()).hypot(path.trial(step).x[1] + step.sin());
        let estimate = |step: f64| Circle.errors(&path.trial(step).error)[0];
        assert!((error(0.2) / error(0.1)).log2() > 5.8);
        assert!(((estimate(0.2) / estimate(0.1)).log2() - 5.0).abs() < 0.3);
    }

    #[test]
    fn a_circle_is_followed_as_closely_as_asked() {
        for tolerance in [1e-6, 1e-9, 1e-12] {
            let mut path = Path::from(&Circle, vec![1.0, 0.0], accuracy(tolerance));
            for time in [0.0, 1e-9, 1.0, 1.0, 20.0] {
                path.follow(time).unwrap();
                let gap = (path.position()[0] - time.cos()).hypot(path.position()[1] + time.sin());
                assert!(gap < 100.0 * tolerance, "{tolerance:e} at {time}: {gap:e} in {} steps", path.n_steps);
            }
        }
    }

    #[test]
    fn a_stiff_path_ends_in_an_error_that_says_how_far_it_came() {
        let limit = Accuracy { tolerance: 1e-6, n_steps: 200 };
        let fall = Fall { rate: -1e6, power: 1 };
        let error = Path::from(&fall, vec![2.0], limit).follow(1.0).unwrap_err();
        assert!(
            matches!(error, Error::Stiff { reached, n_steps: 200, .. } if reached > 0.0 && reached < 1e-2),
            "{error}"
        );
    }

    #[test]
    fn a_path_that_leaves_the_numbers_ends_in_an_error() {
        // x' = x^2 - 1 from 2 is infinite at time ln(3) / 2.
        let error = Path::from(&Fall { rate: 1.0, power: 2 }, vec![2.0], accuracy(1e-8)).follow(1.0).unwrap_err();
        assert!(matches!(error, Error::NotFinite { .. } | Error::Stiff { .. }), "{error}");
    }
}
