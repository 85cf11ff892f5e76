//! A finished point: the flat [`Row`] and the [`Point`] around it.

use serde::{Deserialize, Serialize};

use super::covariance::Direction;

/// The version of the types in this module; part of every point's identity.
pub const SCHEMA_VERSION: u32 = 5;

/// How a training run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All steps were taken and every number stayed finite.
    Completed,
    /// The loss stopped being finite, or grew beyond any use.
    Diverged,
}

/// The value, if there is one: what rounding or divergence made infinite or NaN is recorded as absent.
#[must_use]
pub fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// One point of a study (one network) as a flat line.
///
/// Gaps, errors and losses are in units of the training targets' standard deviation. A value that does not exist, because training
/// diverged or because it was not asked for, is `None`: `null` in JSON, an empty cell in CSV. Past the stability bound that is true of the
/// kernel's predictions at a finite time as well. No field depends on when or how fast the point was computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Hash of the point's fully resolved settings and the schema version.
    pub id: String,
    /// [`SCHEMA_VERSION`] at the time of writing.
    pub schema: u32,
    /// The study's name.
    pub study: String,
    /// The data set's name.
    pub dataset: String,
    /// What it has of the varied settings, `key=value` with spaces between; empty where nothing varies.
    pub varied: String,
    /// Which shuffle preceded the split.
    pub split_seed: u64,
    /// Noise on the training targets, as the config has it.
    pub label_noise: f64,
    /// Noise on the training inputs, as the config has it.
    pub input_noise: f64,
    /// Input dimension.
    pub d_in: usize,
    /// Output dimension.
    pub d_out: usize,
    /// Training inputs.
    pub n_train: usize,
    /// Test inputs.
    pub n_test: usize,
    /// The activation, or the list of them where layers differ.
    pub activation: String,
    /// `ntk`, `standard` or `mup`.
    pub parametrization: String,
    /// Alpha, which the outputs are multiplied by.
    pub laziness: f64,
    /// Standard deviation of the weights.
    pub w_std: f64,
    /// Standard deviation of the biases.
    pub b_std: f64,
    /// Hidden layers.
    pub depth: usize,
    /// Hidden width (the narrowest, where layers differ).
    pub width: usize,
    /// `plain`, `centred` or `antisymmetric`.
    pub initial_function: String,
    /// Index of the network's random stream.
    pub seed: u64,
    /// Burn backend that trained the network.
    pub backend: String,
    /// Number type of the network.
    pub dtype: String,
    /// Absolute ridge on both sides.
    pub ridge: f64,
    /// The rule of a step, and the batches and the schedule where they are not all rows and constant.
    pub optimizer: String,
    /// Step size.
    pub learning_rate: f64,
    /// The largest stable step size of the optimizer under the network's own kernel at initialization: of gradient descent
    /// 2 N O / (s_max + ridge). None for Adam.
    pub stability_bound: Option<f64>,
    /// Steps that led to the network, or after which training was found to have diverged.
    pub n_steps: usize,
    /// Time of gradient flow in these steps: learning_rate x n_steps of gradient descent. Of Adam that product is no time.
    pub time: f64,
    /// The rule that ends training.
    pub stop: String,
    /// Whether it was met before the steps ran out; always, where the rule is the time.
    pub is_reached: bool,
    /// How training ended.
    pub outcome: Outcome,
    /// The step after which training was found to have diverged.
    pub diverged_at: Option<usize>,
    /// Half the mean squared training residual at the end.
    pub loss_train: Option<f64>,
    /// Mean squared test error of the trained network.
    pub mse_network: Option<f64>,
    /// Mean squared test error of the trained network without what is left of its initial function: of f_T - (flin_T - A_T^emp Y).
    pub mse_subtracted: Option<f64>,
    /// Mean squared test error of the linearized network after the same steps.
    pub mse_linearized: Option<f64>,
    /// Mean squared test error of kernel regression with the analytic NTK.
    pub mse_ntk: f64,
    /// Mean squared test error of gradient descent under the analytic NTK after the same steps, from zero.
    pub mse_ntk_at_time: Option<f64>,
    /// Mean squared test error of A_T^emp Y: the network's kernel at initialization, for the same time, from zero.
    pub mse_empirical: Option<f64>,
    /// The same of its kernel after training (the "after-kernel"); none where the kernel was not watched.
    pub mse_after: Option<f64>,
    /// Mean squared test error of the NNGP posterior mean.
    pub mse_nngp: f64,
    /// Share of the test rows whose class the trained network gives its largest output; of classification only.
    pub accuracy_network: Option<f64>,
    /// The same of kernel regression with the analytic NTK.
    pub accuracy_ntk: Option<f64>,
    /// The same of the NNGP posterior mean.
    pub accuracy_nngp: Option<f64>,
    /// Mean squared test error of regression with the RBF kernel.
    pub mse_rbf: f64,
    /// Mean squared test error of regression with the Laplace kernel.
    pub mse_laplace: f64,
    /// Mean squared test error of regression with the Matern-5/2 kernel.
    pub mse_matern: f64,
    /// RMS over test points of f_T - A_inf^ntk Y.
    pub gap_total: Option<f64>,
    /// RMS of f_T - A_T^ntk Y: the gap to the kernel at the same time, all terms but the last.
    pub gap_at_time: Option<f64>,
    /// RMS of f_T - f_GD, where the optimizer is not full-batch gradient descent and keeps a time: f_GD is the network that it trains from the
    /// same initialization for the same time.
    pub gap_optimizer: Option<f64>,
    /// RMS of f_T - flin_T: the network left its linearization.
    pub gap_nonlinearity: Option<f64>,
    /// RMS of flin_T - A_T^emp Y: the initial function.
    pub gap_initial_function: Option<f64>,
    /// RMS of A_T^emp Y - A_T^ntk Y: the empirical kernel at initialization against the analytic one.
    pub gap_finite_width: Option<f64>,
    /// RMS of A_T^ntk Y - A_inf^ntk Y: finite training time of the analytic kernel alone.
    pub gap_finite_time: Option<f64>,
    /// RMS of what the linearized network's steps differ by from gradient flow for the same time; no part of the sum, whose A_T take the
    /// network's steps.
    pub gap_discretization: Option<f64>,
    /// The largest difference, over test points, between the sum of the four terms and the total.
    pub identity_residual: Option<f64>,
    /// Relative Frobenius distance of the empirical kernel at initialization from the analytic one, on the training inputs.
    pub kernel_error: f64,
    /// Root mean square of the entries of the empirical kernel at initialization, on the training inputs; times it, relative distances are
    /// absolute ones.
    pub kernel_scale: f64,
    /// Relative Frobenius distance of the empirical kernel after training from itself at initialization.
    pub kernel_drift: Option<f64>,
    /// Centred alignment of the empirical kernel after training with itself at initialization.
    pub kernel_alignment: Option<f64>,
    /// Centred alignment of the empirical kernel with the inner products of the targets, at initialization.
    pub target_alignment_start: Option<f64>,
    /// The same after training.
    pub target_alignment: Option<f64>,
    /// ||theta_T - theta_0|| / ||theta_0||.
    pub parameter_distance: Option<f64>,
    /// Eigenvalues of the analytic NTK below this are treated as zero: their directions are never learned.
    pub eigenvalue_cutoff: f64,
    /// How many directions of the analytic NTK that drops.
    pub n_dropped: usize,
}

impl Row {
    /// Whether training reached its end.
    #[must_use]
    pub fn is_trained(&self) -> bool {
        self.outcome == Outcome::Completed
    }

    /// Whether the rule to stop was not met by a network that trained to its end.
    #[must_use]
    pub fn misses_target(&self) -> bool {
        self.is_trained() && !self.is_reached
    }

    /// Whether the step size lay below the network's stability bound. Above it the linearized network, and the kernel at a finite time,
    /// measure nothing but how far they have diverged, whatever became of the network.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.stability_bound.is_none_or(|bound| self.learning_rate < bound)
    }
}

/// One test point as each method predicts it, in units of the training targets' standard deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Position in the test part.
    pub test_point: usize,
    /// Which output.
    pub output: usize,
    /// The true value.
    pub target: f64,
    /// f_T, the trained network.
    pub network: Option<f64>,
    /// flin_T, the linearized network after the same steps.
    pub linearized: Option<f64>,
    /// A_inf^ntk Y, kernel regression with the analytic NTK.
    pub ntk: f64,
    /// A_T^ntk Y, the same after the steps the network took.
    pub ntk_at_time: Option<f64>,
    /// The NNGP posterior mean.
    pub nngp: f64,
    /// The standard deviation over seeds that theory gives f_T (Lee et al. 2019), around A_T^ntk Y; none of networks that start at zero.
    pub deviation: Option<f64>,
}

/// The network at one checkpoint; checkpoints are spaced logarithmically in time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// Steps taken.
    pub step: usize,
    /// learning_rate x step.
    pub time: f64,
    /// Half the mean squared training residual.
    pub loss_train: Option<f64>,
    /// Mean squared test error.
    pub mse_test: Option<f64>,
    /// Relative Frobenius distance of the empirical kernel from itself at initialization.
    pub kernel_drift: Option<f64>,
    /// Centred alignment of the empirical kernel with itself at initialization.
    pub kernel_alignment: Option<f64>,
    /// Centred alignment of the empirical kernel with the inner products of the targets.
    pub target_alignment: Option<f64>,
    /// (tr Theta)^2 / ||Theta||^2 of the empirical kernel.
    pub effective_rank: Option<f64>,
    /// ||theta - theta_0|| / ||theta_0||.
    pub parameter_distance: Option<f64>,
    /// The share of hidden pre-activations on the training inputs whose sign is no longer that at initialization.
    pub sign_flips: Option<f64>,
    /// Relative Frobenius distance of every affine map's share of the empirical kernel from itself at initialization, in the order of the
    /// forward pass; empty where it was not asked for.
    pub map_drifts: Vec<Option<f64>>,
    /// Eigenvalues of the empirical kernel, largest first; empty where they were not asked for.
    pub eigenvalues: Vec<f64>,
}

/// The training residual in a band of eigenvectors of the analytic NTK, at every checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModeBand {
    /// Rank of the band's largest eigenvalue, counted from 1.
    pub first: usize,
    /// Rank of the band's smallest eigenvalue.
    pub last: usize,
    /// Geometric mean of the band's eigenvalues.
    pub eigenvalue: f64,
    /// Norm of the network's residual in the band, one number per checkpoint.
    pub measured: Vec<Option<f64>>,
    /// Norm the analytic NTK predicts: each mode shrinks by |1 - learning_rate (s + ridge) / (N O)| a step, towards the share
    /// ridge / (s + ridge) that the ridge leaves of it.
    pub predicted: Vec<Option<f64>>,
}

/// A finished point: its row, and what does not fit on a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The flat line.
    pub row: Row,
    /// Wall-clock time it took, in seconds; kept out of the row because rows repeat exactly.
    pub seconds: f64,
    /// Every test point as each method predicts it.
    pub predictions: Vec<Prediction>,
    /// The network at each checkpoint.
    pub trajectory: Vec<Snapshot>,
    /// The training residual by eigenvector bands.
    pub modes: Vec<ModeBand>,
    /// The network along the eigenvectors of the covariance between test inputs, largest variance first, as many as there are test inputs and
    /// outputs; empty where the analysis does not read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directions: Vec<Direction>,
}
