//! A finished point of a comparison of kernels: the flat [`KernelRow`] and the [`KernelPoint`] around it.

use serde::{Deserialize, Serialize};

use super::manifest::{Computation, Criterion, DataFacts};
use super::store::{Recorded, RunKind, RunManifest};

/// The version of the types in this module; part of every point's identity.
pub const REGRESSION_SCHEMA: u32 = 2;

/// One kernel on one training set, with the hyperparameters that the protocol chose, as a flat line.
///
/// Errors are in units of the training targets' variance. A value that does not exist, or was not asked for, is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelRow {
    /// Hash of the point's fully resolved settings and the schema version.
    pub id: String,
    /// [`REGRESSION_SCHEMA`] at the time of writing.
    pub schema: u32,
    /// The study's name.
    pub study: String,
    /// The data set's name.
    pub dataset: String,
    /// What this point has of the varied settings, as `key=value` with spaces between.
    pub varied: String,
    /// Input dimension.
    pub d_in: usize,
    /// Output dimension.
    pub d_out: usize,
    /// Training inputs.
    pub n_train: usize,
    /// Test inputs.
    pub n_test: usize,
    /// Which shuffle preceded the split.
    pub split_seed: u64,
    /// Noise that was added to the training targets.
    pub label_noise: f64,
    /// `ntk`, `nngp`, `laplace`, `matern`, `rbf` or `linear`.
    pub kernel: String,
    /// Hidden layers, of a network's kernel.
    pub depth: Option<usize>,
    /// Activation, of a network's kernel.
    pub activation: Option<String>,
    /// The chosen length scale, of a stationary kernel.
    pub length_scale: Option<f64>,
    /// By what the hyperparameters were chosen.
    pub criterion: String,
    /// Its value at the chosen ones; the smaller, the better.
    pub score: Option<f64>,
    /// Rows by which they were chosen: all training rows, or fewer of a large set.
    pub n_selection: usize,
    /// The chosen ridge, over the mean diagonal of the kernel matrix.
    pub relative_ridge: f64,
    /// The chosen ridge.
    pub ridge: f64,
    /// Whether the chosen ridge is the `lowest` or the `highest` of its grid, and a better one may lie beyond.
    pub edge: Option<String>,
    /// Mean squared training error.
    pub mse_train: f64,
    /// Mean squared test error.
    pub mse_test: f64,
    /// Share of test rows whose class has the largest prediction, of classification.
    pub accuracy: Option<f64>,
    /// Effective number of parameters, tr K (K + ridge I)^-1.
    pub degrees_of_freedom: Option<f64>,
    /// Log marginal likelihood with the best amplitude, by training entry.
    pub log_likelihood: Option<f64>,
    /// Mean of -log p(y) over test entries, of the Gaussian process with that amplitude.
    pub negative_log_density: Option<f64>,
    /// Mean continuous ranked probability score.
    pub crps: Option<f64>,
    /// Share of test targets within their central 95 % interval.
    pub coverage_95: Option<f64>,
    /// Test error that the spectrum predicts for this many training inputs, where a learning curve was asked for.
    pub mse_predicted: Option<f64>,
    /// Condition number of K + ridge I.
    pub condition: Option<f64>,
    /// Digits of a solution that this leaves.
    pub digits: Option<f64>,
    /// Directions that were dropped, because without a ridge rounding is all that is left of their eigenvalues.
    pub n_dropped: Option<usize>,
    /// `exact`, `conjugate-gradients`, `nystrom` or `random-features`.
    pub solver: String,
    /// Relative residual of the iteration, computed anew at its end.
    pub residual: Option<f64>,
    /// Products that the iteration took.
    pub n_iterations: Option<usize>,
    /// Whether its products were rounded to f32, with the kernel's parts kept in memory, where there was enough of it; otherwise they were made
    /// anew in f64. The residual is exact either way.
    #[serde(default)]
    pub is_rounded: Option<bool>,
    /// Columns that preconditioned it, or features of an approximation.
    pub rank: Option<usize>,
    /// The share of the kernel matrix's trace that these columns leave out, 1 - tr(F F^T) / tr K; random features have none.
    pub trace_left: Option<f64>,
    /// The relative error of the kernel matrix that random features give, ||K - F F^T|| / ||K|| in the Frobenius norm, on some of the training
    /// inputs; columns have none.
    pub gram_error: Option<f64>,
    /// How the iteration ended: `converged`, `stalled` or `exhausted`.
    pub ending: Option<String>,
}

/// One ridge of the grid, at the chosen length scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RidgePoint {
    /// Over the mean diagonal.
    pub relative_ridge: f64,
    /// The criterion.
    pub score: Option<f64>,
    /// Mean squared training error.
    pub mse_train: f64,
    /// Leave-one-out error, whatever the criterion.
    pub mse_left_out: Option<f64>,
    /// Mean squared test error.
    pub mse_test: f64,
}

/// How often test targets lie within the central interval of a probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Covered {
    /// The probability.
    pub level: f64,
    /// The share.
    pub fraction: f64,
}

/// A finished point: everything that is recorded of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelPoint {
    /// The flat line.
    pub row: KernelRow,
    /// How long it took.
    pub seconds: f64,
    /// The grid.
    pub path: Vec<RidgePoint>,
    /// Calibration of the Gaussian process.
    pub coverage: Vec<Covered>,
    /// Test predictions `[n_test][d_out]`, in units of the targets' standard deviation.
    pub predictions: Vec<Vec<f64>>,
}

/// What a comparison of kernels consists of and how it came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelManifest {
    /// [`RunKind::Regression`].
    pub kind: RunKind,
    /// [`REGRESSION_SCHEMA`] at the time of writing.
    pub schema: u32,
    /// The study's name.
    pub study: String,
    /// The question the study asks, in the config's words.
    pub question: String,
    /// The resolved config, as TOML.
    pub config: String,
    /// Root of every random stream.
    pub root_seed: u64,
    /// The data sets, each in its first variation.
    pub data: Vec<DataFacts>,
    /// The relative difference of test errors below which two kernels are called alike.
    pub margin: f64,
    /// Confidence level of every interval.
    pub confidence: f64,
    /// As in [`Manifest::earlier_criteria`](super::Manifest::earlier_criteria).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_criteria: Vec<Criterion>,
    /// Points, by id, in order.
    pub points: Vec<String>,
    /// By what the points were computed.
    pub computed_by: Vec<Computation>,
}

impl Recorded for KernelPoint {
    type Row = KernelRow;
    type Manifest = KernelManifest;

    fn row(&self) -> &KernelRow {
        &self.row
    }

    fn id(&self) -> &str {
        &self.row.id
    }
}

impl RunManifest for KernelManifest {
    const SCHEMA: u32 = REGRESSION_SCHEMA;
    const KIND: RunKind = RunKind::Regression;

    fn points(&self) -> &[String] {
        &self.points
    }

    fn computed_by(&mut self) -> &mut Vec<Computation> {
        &mut self.computed_by
    }

    fn criterion(&self) -> Criterion {
        Criterion { margin: self.margin, confidence: self.confidence }
    }

    fn earlier_criteria(&mut self) -> &mut Vec<Criterion> {
        &mut self.earlier_criteria
    }
}
