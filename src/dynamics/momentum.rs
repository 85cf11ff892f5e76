//! The heavy ball (Polyak 1964) on one direction of function space. For an error e of rate r, in discrete and in continuous time,
//!
//! ```text
//! v <- beta v + r e,  e <- e - eta v             e_{T+1} = (1 + beta - eta r) e_T - beta e_{T-1}
//! e'' + gamma e' + r e = 0,  e'(0) = 0           gamma = (1 - beta) / sqrt(eta),  t = sqrt(eta) T
//! ```
//!
//! Both are powers of a 2 x 2 matrix, with roots that are real, equal or complex as r grows. By repeated squaring of M^T - I
//! the three are one case, 1e18 steps are 60 products, and what is barely learned keeps its digits, which the formula with
//! roots loses where they are close to one another or to 1.

/// A 2 x 2 matrix M of how (e, velocity) changes, kept as M - I, because M is close to I where steps are small.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change([[f64; 2]; 2]);

impl Change {
    /// `n_steps` steps of the heavy ball on an error of rate r, with `shrinkage` = eta r.
    pub(super) fn of_steps(shrinkage: f64, momentum: f64, n_steps: u64) -> Self {
        Self([[-shrinkage, -momentum], [shrinkage, momentum - 1.0]]).repeated(n_steps)
    }

    /// The ball in continuous time until `time`.
    pub(super) fn of_flow(rate: f64, friction: f64, time: f64) -> Self {
        // In units of the frequency sqrt(r) both off-diagonal entries have one size.
        let frequency = rate.sqrt();
        let size = (frequency + friction) * time;
        // Halved until the series below needs few terms; the quotient is a power of two, so no digit is lost. 2^1024 is no number.
        let n_halvings = if size > 0.5 { (2.0 * size).log2().ceil().min(1024.0) } else { 0.0 };
        let part = time * (-n_halvings).exp2();
        let generator = Self([[0.0, -frequency * part], [frequency * part, -friction * part]]);
        // e^A - I = A (I + A/2 (I + A/3 (...))): the first term left out is below 0.5^15 / 16!.
        let mut series = Self([[0.0; 2]; 2]);
        for order in (1..=15).rev() {
            series = generator.scaled(1.0 / f64::from(order)).after(series);
        }
        (0..n_halvings as u32).fold(series, |change, _| change.then(change))
    }

    /// What is gone of an error that started at rest; negative where it has grown, infinite where it diverged.
    pub(super) fn learned(self) -> f64 {
        let [[change, _], _] = self.0;
        if change.is_finite() { -change } else { f64::NEG_INFINITY }
    }

    /// M^n - I.
    fn repeated(self, n: u64) -> Self {
        let (mut power, mut result) = (self, Self([[0.0; 2]; 2]));
        let mut left = n;
        while left > 0 {
            if left % 2 == 1 {
                result = result.then(power);
            }
            power = power.then(power);
            left /= 2;
        }
        result
    }

    /// (I + A) (I + B) - I = A + B + A B.
    fn then(self, next: Self) -> Self {
        let product = self.product(next);
        Self(std::array::from_fn(|i| std::array::from_fn(|j| self.0[i][j] + next.0[i][j] + product.0[i][j])))
    }

    /// A (I + B) = A + A B.
    fn after(self, inner: Self) -> Self {
        let product = self.product(inner);
        Self(std::array::from_fn(|i| std::array::from_fn(|j| self.0[i][j] + product.0[i][j])))
    }

    fn product(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        Self(std::array::from_fn(|i| std::array::from_fn(|j| a[i][0] * b[0][j] + a[i][1] * b[1][j])))
    }

    fn scaled(self, factor: f64) -> Self {
        Self(self.0.map(|row| row.map(|entry| factor * entry)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::{Flow, Horizon, Outputs};
    use crate::linalg::{GramMatrix, Matrix};

    /// The rule itself, step after step.
    fn step_by_step(shrinkage: f64, momentum: f64, n_steps: u64) -> f64 {
        let (error, _) = (0..n_steps).fold((1.0, 0.0), |(error, velocity), _| {
            let velocity = momentum * velocity + shrinkage * error;
            (error - velocity, velocity)
        });
        error
    }

    /// The sizes of eta r at which the roots are equal: between them they are complex.
    fn double_roots(momentum: f64) -> [f64; 2] {
        [(1.0 - momentum.sqrt()).powi(2), (1.0 + momentum.sqrt()).powi(2)]
    }

    #[test]
    fn powers_equal_repeated_steps_for_real_equal_and_complex_roots() {
        for momentum in [0.0, 0.5, 0.9, 0.99] {
            let [first, last] = double_roots(momentum);
            let bound = 2.0 * (1.0 + momentum);
            for shrinkage in [1e-6, 0.5 * first, first, 0.3, 1.0, 0.9 * last, last, 0.5 * (last + bound), bound] {
                for n_steps in [0, 1, 2, 3, 10, 57, 400] {
                    let expected = step_by_step(shrinkage, momentum, n_steps);
                    let found = 1.0 - Change::of_steps(shrinkage, momentum, n_steps).learned();
                    // At a double root, which the bound is close to, rounding counts T^2-fold, as a change of eta r does.
                    let is_double = shrinkage == first || shrinkage >= last;
                    let bound = if is_double { 20.0 * f64::EPSILON * (n_steps as f64).powi(2) } else { 0.0 };
                    let error = (found - expected).abs() / expected.abs().max(1.0);
                    assert!(error < 1e-12 + bound, "{shrinkage}, {momentum}, {n_steps}: {found} against {expected}");
                }
            }
        }
    }

    #[test]
    fn the_formula_with_roots_agrees() {
        // e_T = (d2 z1^{T+1} - d1 z2^{T+1}) / (d2 - d1), z = 1 - d, d^2 - (1 - beta + eta r) d + eta r = 0; for complex roots
        // beta^{T/2} (sin (T+1)w - sqrt(beta) sin Tw) / sin w, cos w = (1 + beta - eta r) / (2 sqrt(beta)).
        let momentum: f64 = 0.9;
        for n_steps in [1, 20, 300] {
            let (t, real, complex) = (n_steps as f64, 1e-3, 0.7);
            let middle = 1.0 - momentum + real;
            let root = (middle * middle - 4.0 * real).sqrt();
            let (d1, d2) = (0.5 * (middle - root), 0.5 * (middle + root));
            let expected = (d2 * (1.0 - d1).powf(t + 1.0) - d1 * (1.0 - d2).powf(t + 1.0)) / (d2 - d1);
            assert!((1.0 - Change::of_steps(real, momentum, n_steps).learned() - expected).abs() < 1e-13);

            let w = (0.5 * (1.0 + momentum - complex) / momentum.sqrt()).acos();
            let wave = ((t + 1.0) * w).sin() - momentum.sqrt() * (t * w).sin();
            let expected = momentum.powf(0.5 * t) * wave / w.sin();
            assert!((1.0 - Change::of_steps(complex, momentum, n_steps).learned() - expected).abs() < 1e-13);
        }
    }

    #[test]
    fn what_is_barely_learned_keeps_its_digits() {
        // Long after the velocity has built up, (T + 1) d - d / (1 - beta) with d = eta r / (1 - beta), to first order.
        let (shrinkage, momentum, n_steps) = (1e-20, 0.9, 1_000_000_000);
        let expected = shrinkage / (1.0 - momentum) * (n_steps as f64 + 1.0 - 1.0 / (1.0 - momentum));
        assert!((Change::of_steps(shrinkage, momentum, n_steps).learned() / expected - 1.0).abs() < 1e-10);
        // In the beginning r t^2 / 2 (1 - gamma t / 3), whatever the friction.
        let expected = 1e-20 * 0.5e-8 * (1.0 - 0.3e-4 / 3.0);
        assert!((Change::of_flow(1e-20, 0.3, 1e-4).learned() / expected - 1.0).abs() < 1e-9);
    }

    #[test]
    fn endless_training_learns_everything_below_the_bound_and_diverges_above() {
        for momentum in [0.0, 0.3, 0.9] {
            let bound = 2.0 * (1.0 + momentum);
            assert!((Change::of_steps(0.999 * bound, momentum, 1_000_000_000_000).learned() - 1.0).abs() < 1e-12);
            assert_eq!(Change::of_steps(1.001 * bound, momentum, 1_000_000_000_000).learned(), f64::NEG_INFINITY);
        }
    }

    #[test]
    fn continuous_time_has_its_textbook_solutions() {
        for time in [0.0_f64, 1e-3, 1.0, 7.0, 300.0] {
            // Without friction cos(sqrt(r) t); at gamma = 2 sqrt(r) (1 + gamma t / 2) e^{-gamma t / 2}; beyond, two exponentials.
            let left = |rate, friction| 1.0 - Change::of_flow(rate, friction, time).learned();
            assert!((left(0.49, 0.0) - (0.7 * time).cos()).abs() < 2e-13, "{time}");
            assert!((left(0.49, 1.4) - (1.0 + 0.7 * time) * (-0.7 * time).exp()).abs() < 2e-13, "{time}");
            let two = (4.0 * (-time).exp() - (-4.0 * time).exp()) / 3.0;
            assert!((left(4.0, 5.0) - two).abs() < 2e-13, "{time}");
        }
        assert_eq!(Change::of_flow(1.0, 1e3, 1e15).learned(), 1.0);
    }

    #[test]
    fn small_steps_approach_continuous_time_at_first_order() {
        let (rate, friction, time): (f64, f64, f64) = (0.8, 0.3, 5.0);
        let expected = Change::of_flow(rate, friction, time).learned();
        let error = |n_steps: u64| {
            let step = time / n_steps as f64;
            let learned = Change::of_steps(step * step * rate, 1.0 - friction * step, n_steps).learned();
            (learned - expected).abs()
        };
        assert!((error(10_000) / error(100_000) - 10.0).abs() < 0.1);
    }

    /// The heavy ball on (1/(2 N O)) (sum |J w - y|^2 + ridge |w|^2) in parameter space.
    fn trained(j: &Matrix, y: &Matrix, ridge: f64, (eta, beta): (f64, f64), n_steps: u64) -> Matrix {
        let per_entry = 1.0 / y.values().len() as f64;
        let zeros = || Matrix::zeros(j.n_cols(), y.n_cols());
        let (w, _) = (0..n_steps).fold((zeros(), zeros()), |(w, v), _| {
            let gradient = &j.transpose().matmul(&(&j.matmul(&w) - y)) + &w.map(|v| ridge * v);
            let v = &v.map(|v| beta * v) + &gradient.map(|g| per_entry * g);
            (&w - &v.map(|v| eta * v), v)
        });
        w
    }

    #[test]
    fn a_linear_model_trained_with_momentum_equals_the_closed_form() {
        let features = |n: usize, shift: f64| Matrix::from_fn(n, 11, |i, j| ((i * 11 + j) as f64 * 0.77 + shift).sin());
        let (j_train, j_test) = (features(8, 0.0), features(3, 0.4));
        let y = Matrix::from_fn(8, 2, |i, j| (3.0 * i as f64 + j as f64).cos());
        let k = GramMatrix::from_symmetric(j_train.matmul(&j_train.transpose()), 1e-14).unwrap();
        let k_test_train = j_test.matmul(&j_train.transpose());
        for (ridge, momentum) in [(0.0, 0.9), (0.5, 0.9), (0.5, 0.3)] {
            let flow = Flow::new(&k, Outputs::Independent(2), ridge, 1e-13).unwrap();
            for fraction in [0.01, 0.5, 0.999] {
                for n_steps in [1, 2, 7, 200] {
                    let learning_rate = fraction * flow.maximal_learning_rate(momentum, 0.0);
                    let expected = j_test.matmul(&trained(&j_train, &y, ridge, (learning_rate, momentum), n_steps));
                    let horizon = Horizon::Momentum { learning_rate, momentum, n_steps };
                    let found = flow.predict(&k_test_train, horizon, &y).unwrap();
                    let error = (&found - &expected).frobenius() / expected.frobenius();
                    assert!(error < 1e-11, "ridge {ridge}, {momentum}, {fraction}, {n_steps} steps: {error:e}");
                }
            }
        }
    }
}
