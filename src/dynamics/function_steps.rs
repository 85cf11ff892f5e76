//! The steps of an optimizer in function space, where [`FunctionDescent`](super::FunctionDescent) is not followed in continuous time: exactly
//! what training does while the kernel stays as it is, for any loss,
//!
//! ```text
//! v <- beta v + dL/df(X) + (lambda/(N O)) c,   c <- c - eta v,   f(X) = f_0(X) + Theta c
//! ```

use super::function_descent::{Moving, Trained};
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// A function that steps are taken from, beginning with f_0.
pub(super) struct Walk<'a> {
    moving: &'a Moving<'a>,
    f0_train: &'a Matrix,
    learning_rate: f64,
    momentum: f64,
    n_steps: u64,
    c: Vec<f64>,
    velocity: Vec<f64>,
    f: Vec<f64>,
}

impl<'a> Walk<'a> {
    pub(super) fn from(moving: &'a Moving<'a>, f0_train: &'a Matrix, (learning_rate, momentum): (f64, f64)) -> Self {
        let f = f0_train.values().to_vec();
        let zeros = || vec![0.0; f.len()];
        Self { moving, f0_train, learning_rate, momentum, n_steps: 0, c: zeros(), velocity: zeros(), f }
    }

    /// Takes the steps that are missing to `n_steps`, a whole number.
    ///
    /// # Errors
    /// [`Error::Input`] of another number; [`Error::NotFinite`] where the steps diverged.
    pub(super) fn go_on_to(&mut self, n_steps: f64) -> Result<Trained> {
        if n_steps.fract() != 0.0 {
            let remedy = "give whole numbers; in between there is nothing";
            return Err(Error::input("steps of training", n_steps.to_string(), remedy));
        }
        while (self.n_steps as f64) < n_steps {
            self.step();
            if let Some(value) = self.f.iter().find(|value| !value.is_finite()) {
                return Err(Error::NotFinite {
                    what: "the function in training".to_owned(),
                    value: *value,
                    place: format!("step {}", self.n_steps),
                    remedy: "training diverged: lower the step size".to_owned(),
                });
            }
        }
        let (n_inputs, n_outputs) = self.f0_train.shape();
        let matrix = |values: &[f64]| Matrix::from_vec(n_inputs, n_outputs, values.to_vec());
        Ok(Trained { coefficients: matrix(&self.c)?, f_train: matrix(&self.f)? })
    }

    fn step(&mut self) {
        let force = self.moving.force(&self.c, &self.f);
        for ((c, velocity), force) in self.c.iter_mut().zip(&mut self.velocity).zip(force) {
            *velocity = self.momentum * *velocity + force;
            *c += self.learning_rate * *velocity;
        }
        self.moving.function(&self.c, &mut self.f);
        self.f.iter_mut().zip(self.f0_train.values()).for_each(|(f, f0)| *f += f0);
        self.n_steps += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Accuracy, Descent, Flow, FunctionDescent, Horizon, Outputs, cross_entropy_slope, squared_slope,
    };
    use super::*;
    use crate::linalg::GramMatrix;

    const N: usize = 6;
    const O: usize = 2;

    fn features(n: usize, shift: f64) -> Matrix {
        Matrix::from_fn(n, 9, |i, j| ((i * 9 + j) as f64 * 0.77 + shift).sin())
    }

    fn gram() -> GramMatrix {
        let j = features(N, 0.0);
        GramMatrix::from_symmetric(j.matmul(&j.transpose()), 1e-14).unwrap()
    }

    fn largest(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    #[test]
    fn under_the_squared_loss_steps_equal_the_closed_form() {
        let gram = gram();
        let (f0, y) = [0.2, 0.9].map(|shift| Matrix::from_fn(N, O, |i, j| ((i * O + j) as f64 + shift).sin())).into();
        for (ridge, momentum) in [(0.0, 0.0), (0.3, 0.0), (0.0, 0.9), (0.3, 0.5)] {
            let flow = Flow::new(&gram, Outputs::Independent(O), ridge, 1e-14).unwrap();
            let learning_rate = 0.7 * flow.maximal_learning_rate(momentum, 0.0);
            let descent = FunctionDescent {
                k_train_train: &gram,
                outputs: Outputs::Independent(O),
                slope: &squared_slope,
                descent: Descent::Steps { learning_rate, momentum },
                ridge,
            };
            let n_steps = [0_u64, 1, 2, 30];
            let found = descent.train(&f0, &y, &n_steps.map(|n| n as f64), Accuracy::default()).unwrap();
            for (n_steps, found) in n_steps.into_iter().zip(found) {
                let horizon = Horizon::Momentum { learning_rate, momentum, n_steps };
                let expected = &f0 + &flow.predict(gram.as_matrix(), horizon, &(&y - &f0)).unwrap();
                assert!(largest(&(&found.f_train - &expected)) < 1e-12, "{ridge}, {momentum}, {n_steps}");
            }
        }
    }

    #[test]
    fn a_linear_classifier_takes_the_same_steps_in_its_parameters() {
        let (j, j_test, gram) = (features(N, 0.0), features(3, 0.4), gram());
        let y = Matrix::from_fn(N, O, |i, k| f64::from(i % O == k));
        let (eta, beta, ridge, n_steps) = (0.8, 0.7, 0.2, 40);
        let zeros = || Matrix::zeros(9, O);
        let (w, _) = (0..n_steps).fold((zeros(), zeros()), |(w, v), _| {
            let gradient =
                &j.transpose().matmul(&cross_entropy_slope(&j.matmul(&w), &y)) + &w.map(|w| ridge / (N * O) as f64 * w);
            let v = &v.map(|v| beta * v) + &gradient;
            (&w - &v.map(|v| eta * v), v)
        });
        let descent = FunctionDescent {
            k_train_train: &gram,
            outputs: Outputs::Independent(O),
            slope: &cross_entropy_slope,
            descent: Descent::Steps { learning_rate: eta, momentum: beta },
            ridge,
        };
        let trained =
            descent.train(&Matrix::zeros(N, O), &y, &[f64::from(n_steps)], Accuracy::default()).unwrap().swap_remove(0);
        let found = trained.predict(&j_test.matmul(&j.transpose()), &Matrix::zeros(3, O)).unwrap();
        assert!(largest(&(&found - &j_test.matmul(&w))) < 1e-12);
    }

    #[test]
    fn half_a_step_and_steps_that_diverge_are_refused() {
        let (gram, y) = (gram(), Matrix::from_fn(N, O, |i, _| i as f64));
        let descent = FunctionDescent {
            k_train_train: &gram,
            outputs: Outputs::Independent(O),
            slope: &squared_slope,
            descent: Descent::Steps { learning_rate: 1e3, momentum: 0.0 },
            ridge: 0.0,
        };
        let refused = |n_steps: f64| {
            descent.train(&Matrix::zeros(N, O), &y, &[n_steps], Accuracy::default()).unwrap_err().to_string()
        };
        assert!(refused(1.5).contains("steps of training: 1.5"));
        assert!(refused(1000.0).contains("training diverged"));
    }
}
