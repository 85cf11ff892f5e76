//! Rows drawn from a known law: y_i = f(x_i) + noise * e_i, with e_i independent standard normal numbers.
//!
//! Inputs, function and noise come from three streams, row by row: a larger `n_rows` keeps the earlier rows, and
//! another `noise` keeps the inputs and the function.

mod function;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::dataset::{Dataset, Task};
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::seed::{Stream, standard_normals, stream};

/// A law of inputs and targets: `n_rows` rows of `d_in` inputs, and on the targets noise of standard deviation `noise`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs, reason = "the enum explains the fields that kinds share, and each kind its own")]
pub enum Synthetic {
    /// f(x) = <v, x> with a random unit vector v; x uniform on the sphere of radius sqrt(d), so that f has variance 1.
    SphereLinear {
        n_rows: usize,
        d_in: usize,
        #[serde(default)]
        noise: f64,
    },
    /// A zonal harmonic of `degree` around a random unit vector, of variance 1; x as for `sphere-linear`. Kernels of
    /// the angle have it as an eigenfunction.
    SphereHarmonic {
        n_rows: usize,
        d_in: usize,
        degree: usize,
        #[serde(default)]
        noise: f64,
    },
    /// f(x) = sin(2 pi `frequency` x) of one input, uniform on [-1, 1].
    Sine {
        n_rows: usize,
        frequency: f64,
        #[serde(default)]
        noise: f64,
    },
    /// f(x) = 10 sin(pi x_1 x_2) + 20 (x_3 - 1/2)^2 + 10 x_4 + 5 x_5, inputs uniform on [0, 1]; the sixth and later
    /// inputs say nothing.
    Friedman1 {
        n_rows: usize,
        d_in: usize,
        #[serde(default)]
        noise: f64,
    },
    /// A draw from the Gaussian process with kernel exp(-|x - x'|^2 / (2 `length_scale`^2)); x standard normal.
    GaussianProcess {
        n_rows: usize,
        d_in: usize,
        length_scale: f64,
        #[serde(default)]
        noise: f64,
    },
    /// f(x) = `width`^(-1/2) sum_i a_i phi(<w_i, x> / sqrt(d)), all weights standard normal; x standard normal.
    Teacher {
        n_rows: usize,
        d_in: usize,
        width: usize,
        activation: TeacherActivation,
        #[serde(default)]
        noise: f64,
    },
}

/// phi of the teacher network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TeacherActivation {
    /// tanh(z).
    Tanh,
    /// max(z, 0).
    Relu,
}

/// More numbers than this (0.8 GB) are taken for a slip of the keyboard.
const MAX_NUMBERS: usize = 100_000_000;

impl Synthetic {
    /// Draws the rows under `root_seed`.
    ///
    /// # Errors
    /// When a setting has a value for which the law does not exist; the error names the key.
    pub fn load(&self, root_seed: u64) -> Result<Dataset> {
        self.check()?;
        let inputs = self.draw_inputs(&mut stream(root_seed, "data/inputs"));
        let clean = self.evaluate(&inputs, &mut stream(root_seed, "data/function"));
        let noise = standard_normals(&mut stream(root_seed, "data/noise"), clean.len());
        let values = clean.iter().zip(&noise).map(|(f, e)| f + self.noise() * e).collect();
        let targets = Matrix::from_vec(inputs.n_rows(), 1, values)?;
        let input_names = (1..=self.d_in()).map(|j| format!("x{j}")).collect();
        Dataset::new(self.name(), self.citation(), Task::Regression, (input_names, inputs), (vec!["y".into()], targets))
    }

    /// # Shapes
    /// `[n_rows, d_in]`.
    fn draw_inputs(&self, stream: &mut Stream) -> Matrix {
        let (n, d) = (self.n_rows(), self.d_in());
        match self {
            Self::SphereLinear { .. } | Self::SphereHarmonic { .. } => {
                let mut inputs = Matrix::zeros(n, d);
                for row in inputs.values_mut().chunks_exact_mut(d) {
                    let direction = function::unit_vector(stream, d);
                    row.iter_mut().zip(&direction).for_each(|(x, v)| *x = v * (d as f64).sqrt());
                }
                inputs
            }
            Self::Sine { .. } => Matrix::from_fn(n, d, |_, _| 2.0 * stream.random::<f64>() - 1.0),
            Self::Friedman1 { .. } => Matrix::from_fn(n, d, |_, _| stream.random()),
            Self::GaussianProcess { .. } | Self::Teacher { .. } => {
                let normals = standard_normals(stream, n * d);
                Matrix::from_fn(n, d, |i, j| normals[i * d + j])
            }
        }
    }

    /// f at every row of `inputs`.
    fn evaluate(&self, inputs: &Matrix, stream: &mut Stream) -> Vec<f64> {
        match *self {
            Self::SphereLinear { .. } => function::linear(inputs, stream),
            Self::SphereHarmonic { degree, .. } => function::zonal_harmonic(inputs, degree, stream),
            Self::Sine { frequency, .. } => function::sine(inputs, frequency),
            Self::Friedman1 { .. } => function::friedman1(inputs),
            Self::GaussianProcess { length_scale, .. } => function::random_waves(inputs, length_scale, stream),
            Self::Teacher { width, activation, .. } => function::teacher(inputs, width, activation, stream),
        }
    }

    fn check(&self) -> Result<()> {
        let refuse = |field: &str, problem: String, remedy: String| {
            Err(Error::config(format!("data.source.synthetic.{field}"), problem, remedy))
        };
        let (n_rows, d_in, noise) = (self.n_rows(), self.d_in(), self.noise());
        let at_least = |field: &str, value: usize, least: usize| {
            if value >= least {
                return Ok(());
            }
            refuse(field, format!("{value} is too small for `{}`", self.name()), format!("set it to {least} or more"))
        };
        let positive = |field: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            refuse(field, format!("{value} is not a positive number"), "set it to 1.0, say".into())
        };
        let affordable = |field: &str, count: usize| {
            if count.saturating_mul(d_in) <= MAX_NUMBERS {
                return Ok(());
            }
            let problem = format!("{count} times {d_in} inputs is more than {MAX_NUMBERS} numbers");
            refuse(field, problem, "lower it, or lower `d_in`".into())
        };

        at_least("n_rows", n_rows, 2)?;
        affordable("n_rows", n_rows)?;
        if !(noise.is_finite() && noise >= 0.0) {
            return refuse("noise", format!("{noise} is not a standard deviation"), "set it to 0.0 or more".into());
        }
        match *self {
            // In one dimension the sphere is two points.
            Self::SphereLinear { .. } => at_least("d_in", d_in, 2),
            Self::SphereHarmonic { degree, .. } => {
                at_least("d_in", d_in, 2)?;
                at_least("degree", degree, 1)?;
                if degree > 100 {
                    return refuse("degree", format!("{degree} is more than 100"), "set it to 100 or less".into());
                }
                Ok(())
            }
            Self::Sine { frequency, .. } => positive("frequency", frequency),
            Self::Friedman1 { .. } => at_least("d_in", d_in, 5),
            Self::GaussianProcess { length_scale, .. } => {
                at_least("d_in", d_in, 1)?;
                positive("length_scale", length_scale)
            }
            Self::Teacher { width, .. } => {
                at_least("d_in", d_in, 1)?;
                at_least("width", width, 1)?;
                affordable("width", width)
            }
        }
    }

    fn n_rows(&self) -> usize {
        match *self {
            Self::SphereLinear { n_rows, .. }
            | Self::SphereHarmonic { n_rows, .. }
            | Self::Sine { n_rows, .. }
            | Self::Friedman1 { n_rows, .. }
            | Self::GaussianProcess { n_rows, .. }
            | Self::Teacher { n_rows, .. } => n_rows,
        }
    }

    fn d_in(&self) -> usize {
        match *self {
            Self::Sine { .. } => 1,
            Self::SphereLinear { d_in, .. }
            | Self::SphereHarmonic { d_in, .. }
            | Self::Friedman1 { d_in, .. }
            | Self::GaussianProcess { d_in, .. }
            | Self::Teacher { d_in, .. } => d_in,
        }
    }

    fn noise(&self) -> f64 {
        match *self {
            Self::SphereLinear { noise, .. }
            | Self::SphereHarmonic { noise, .. }
            | Self::Sine { noise, .. }
            | Self::Friedman1 { noise, .. }
            | Self::GaussianProcess { noise, .. }
            | Self::Teacher { noise, .. } => noise,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::SphereLinear { .. } => "sphere-linear",
            Self::SphereHarmonic { .. } => "sphere-harmonic",
            Self::Sine { .. } => "sine",
            Self::Friedman1 { .. } => "friedman1",
            Self::GaussianProcess { .. } => "gaussian-process",
            Self::Teacher { .. } => "teacher",
        }
    }

    fn citation(&self) -> &'static str {
        match self {
            Self::Friedman1 { .. } => "Friedman 1991, Annals of Statistics 19(1):1-67, drawn by this program",
            _ => "drawn by this program",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synthetic(text: &str) -> Synthetic {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn inputs_of_the_sphere_kinds_have_norm_root_d() {
        let dataset = synthetic("kind = 'sphere-linear'\nn_rows = 50\nd_in = 7").load(1).unwrap();
        for row in dataset.inputs.rows() {
            assert!((row.iter().map(|x| x * x).sum::<f64>() - 7.0).abs() < 1e-12);
        }
    }

    #[test]
    fn friedman1_without_noise_is_its_formula() {
        let dataset = synthetic("kind = 'friedman1'\nn_rows = 30\nd_in = 8").load(1).unwrap();
        for (x, y) in dataset.inputs.rows().zip(dataset.targets.values()) {
            assert!(x.iter().all(|v| (0.0..1.0).contains(v)));
            let f = 10.0 * (std::f64::consts::PI * x[0] * x[1]).sin()
                + 20.0 * (x[2] - 0.5).powi(2)
                + 10.0 * x[3]
                + 5.0 * x[4];
            assert!((y - f).abs() < 1e-12);
        }
    }

    #[test]
    fn a_sine_without_noise_is_a_sine_on_the_interval() {
        let dataset = synthetic("kind = 'sine'\nn_rows = 30\nfrequency = 1.5").load(1).unwrap();
        for (x, y) in dataset.inputs.values().iter().zip(dataset.targets.values()) {
            assert!(x.abs() <= 1.0);
            assert!((y - (3.0 * std::f64::consts::PI * x).sin()).abs() < 1e-12);
        }
    }

    #[test]
    fn more_rows_and_other_noise_keep_the_earlier_rows() {
        for kind in [
            "kind = 'sphere-linear'\nd_in = 3",
            "kind = 'sphere-harmonic'\nd_in = 3\ndegree = 2",
            "kind = 'sine'\nfrequency = 1.0",
            "kind = 'friedman1'\nd_in = 5",
            "kind = 'gaussian-process'\nd_in = 3\nlength_scale = 1.0",
            "kind = 'teacher'\nd_in = 3\nwidth = 10\nactivation = 'tanh'",
        ] {
            let load =
                |n_rows, noise| synthetic(&format!("{kind}\nn_rows = {n_rows}\nnoise = {noise:?}")).load(4).unwrap();
            let (few, many, noisy) = (load(10, 0.0), load(25, 0.0), load(10, 0.5));
            assert_eq!(few.inputs.values(), &many.inputs.values()[..few.inputs.values().len()], "{kind}");
            assert_eq!(few.targets.values(), &many.targets.values()[..10], "{kind}");
            assert_eq!(few.inputs, noisy.inputs, "{kind}");
            assert_ne!(few.targets, noisy.targets, "{kind}");
        }
    }

    #[test]
    fn the_noise_has_the_standard_deviation_asked_for() {
        // 4000 draws: the standard error of the variance is 2.2 %; the bound is five of them.
        let load = |noise: f64| {
            synthetic(&format!("kind = 'sine'\nfrequency = 1.0\nn_rows = 4000\nnoise = {noise:?}")).load(2).unwrap()
        };
        let residual = (&load(0.3).targets - &load(0.0).targets).rms();
        assert!((residual.powi(2) / 0.09 - 1.0).abs() < 0.11, "{residual}");
    }

    #[test]
    fn an_impossible_setting_is_refused_with_its_key() {
        for (text, key) in [
            ("kind = 'friedman1'\nn_rows = 9\nd_in = 4", "d_in"),
            ("kind = 'friedman1'\nn_rows = 1\nd_in = 5", "n_rows"),
            ("kind = 'friedman1'\nn_rows = 9223372036854775807\nd_in = 5", "n_rows"),
            ("kind = 'sine'\nn_rows = 9\nfrequency = nan", "frequency"),
            ("kind = 'sine'\nn_rows = 9\nfrequency = 1\nnoise = -1", "noise"),
            ("kind = 'sphere-harmonic'\nn_rows = 9\nd_in = 3\ndegree = 0", "degree"),
            ("kind = 'gaussian-process'\nn_rows = 9\nd_in = 3\nlength_scale = 0.0", "length_scale"),
            ("kind = 'teacher'\nn_rows = 9\nd_in = 3\nwidth = 0\nactivation = 'relu'", "width"),
        ] {
            let message = synthetic(text).load(0).unwrap_err().to_string();
            assert!(message.contains(&format!("`data.source.synthetic.{key}`")), "{message}");
            assert!(message.contains("hint:"), "{message}");
        }
    }
}
