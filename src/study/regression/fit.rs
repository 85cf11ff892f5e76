//! One kernel on one training set: hyperparameters chosen by the protocol, then the regression, its errors and its calibration.

use std::time::Instant;

use super::approximate::{Features, approximate};
use super::candidate::Candidate;
use super::config::{KernelFamily, Rank, RegressTable, Solver};
use super::iterate::iterate;
use super::network::networks;
use super::plan::{Cell, KernelPlan};
use crate::dynamics::{Flow, TargetSpectrum};
use crate::error::{Error, Result};
use crate::kernel::implicit::ImplicitGram;
use crate::linalg::{Entries, Matrix};
use crate::record::{Covered, KernelPoint, KernelRow, REGRESSION_SCHEMA, RidgePoint, finite};
use crate::regress::{Calibration, Edge, Marginals, Ridge, RidgePath, Scorer, mean_squared_error};

/// Levels of the central intervals that targets are counted in.
const LEVELS: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// The usual one.
const USUAL: f64 = 0.95;

/// A kernel with the ridge that goes with it, chosen from the table.
pub(super) struct Choice {
    pub(super) candidate: Candidate,
    pub(super) relative_ridge: f64,
    score: f64,
    edge: Option<Edge>,
    /// Rows by which it was chosen.
    n_rows: usize,
}

impl Choice {
    /// The end of the grid that the ridge lies at.
    pub(super) fn edge(&self) -> Option<String> {
        self.edge.map(|edge| edge.to_string())
    }

    /// What every solver records of what it `predicted` at the test inputs with this `ridge`.
    pub(super) fn row(&self, cell: &Cell, plan: &KernelPlan, ridge: f64, predicted: &Matrix) -> KernelRow {
        let (split, unit) = (&cell.split, cell.split.target_deviation(&cell.config.data).powi(2));
        KernelRow {
            n_selection: self.n_rows,
            relative_ridge: self.relative_ridge,
            ridge,
            score: Some(self.score),
            length_scale: self.candidate.length_scale(),
            edge: self.edge(),
            mse_test: mean_squared_error(predicted, &split.y_test) / unit,
            accuracy: split.accuracy(cell.dataset.task, predicted),
            ..empty_row(cell, plan)
        }
    }
}

/// A choice, and the decomposition that it was made by.
pub(super) struct Chosen {
    pub(super) choice: Choice,
    path: RidgePath,
}

impl Chosen {
    /// From the training rows alone.
    pub(super) fn of(
        plan: &KernelPlan,
        table: &RegressTable,
        root_seed: u64,
        (x_train, y_train): (&Matrix, &Matrix),
    ) -> Result<Self> {
        let n = x_train.n_rows();
        Solver::Exact.ensure_fits(n)?;
        let scorer = Scorer::new(table.select, n, root_seed)?;
        let mut best: Option<Self> = None;
        for candidate in Candidate::all(plan, table, x_train) {
            let gram = candidate.with(|kernel| kernel.gram(x_train))?;
            let path = RidgePath::new(&gram, y_train, Flow::rounding_cutoff(n, f64::EPSILON))?;
            drop(gram);
            let Some((relative_ridge, score)) = lowest(&path, &scorer, &table.ridges)? else { continue };
            if best.as_ref().is_none_or(|best| score < best.choice.score) {
                let edge = Edge::of(relative_ridge, &table.ridges);
                best = Some(Self { choice: Choice { candidate, relative_ridge, score, edge, n_rows: n }, path });
            }
        }
        best.ok_or_else(|| {
            Error::config(
                "regress.ridges",
                format!(
                    "the criterion `{}` has no value at any of them for the kernel `{}`",
                    table.select, plan.family
                ),
                "add a ridge above 0, which gives every criterion a value",
            )
        })
    }

    /// From some of the training rows, where all would be too many, with a ridge above 0.
    pub(super) fn by_some(cell: &Cell, plan: &KernelPlan) -> Result<Choice> {
        let (split, table) = (&cell.split, &cell.config.regress);
        // Training rows are shuffled, so the first are a sample.
        let sample: Vec<usize> = (0..table.n_selection.min(split.x_train.n_rows())).collect();
        let ridges = table.ridges.iter().copied().filter(|ridge| *ridge > 0.0).collect();
        let table = RegressTable { ridges, ..table.clone() };
        let parts = (&split.x_train.select_rows(&sample), &split.y_train.select_rows(&sample));
        Ok(Self::of(plan, &table, cell.config.seeds.root, parts)?.choice)
    }
}

fn lowest(path: &RidgePath, scorer: &Scorer, ridges: &[f64]) -> Result<Option<(f64, f64)>> {
    let mut lowest: Option<(f64, f64)> = None;
    for &ridge in ridges {
        let score = scorer.score(&path.at(Ridge::RelativeToTrace(ridge))?)?.filter(|score| score.is_finite());
        if let Some(score) = score
            && lowest.is_none_or(|(_, least)| score < least)
        {
            lowest = Some((ridge, score));
        }
    }
    Ok(lowest)
}

/// Chooses, regresses and measures.
pub(super) fn fit(
    cell: &Cell,
    plan: &KernelPlan,
    watch: &(dyn Fn(&str) -> Result<()> + Sync),
    kept_at: std::path::PathBuf,
) -> Result<KernelPoint> {
    if let (KernelFamily::Network, Some(architecture)) = (plan.family, &plan.architecture) {
        return networks(cell, plan, architecture, watch);
    }
    let begun = Instant::now();
    let point = match cell.config.regress.solver {
        Solver::Exact => exactly(cell, plan)?,
        Solver::ConjugateGradients(how) => iterate(cell, plan, &how, watch, kept_at)?,
        Solver::Nystrom(Rank { rank }) => approximate(cell, plan, Features::Columns(rank))?,
        Solver::RandomFeatures(Rank { rank }) => approximate(cell, plan, Features::Waves(rank))?,
    };
    Ok(KernelPoint { seconds: begun.elapsed().as_secs_f64(), ..point })
}

fn exactly(cell: &Cell, plan: &KernelPlan) -> Result<KernelPoint> {
    let (split, table) = (&cell.split, &cell.config.regress);
    let (x_train, y_train) = (&split.x_train, &split.y_train);
    let Chosen { choice, path: decomposed } = Chosen::of(plan, table, cell.config.seeds.root, (x_train, y_train))?;
    let cross = choice.candidate.with(|kernel| kernel.cross_gram(&split.x_test, x_train))?;
    let projection = decomposed.project(&cross)?;
    drop(cross);

    let unit = split.target_deviation(&cell.config.data).powi(2);
    let error = |prediction: &Matrix| mean_squared_error(prediction, &split.y_test) / unit;
    let scorer = Scorer::new(table.select, x_train.n_rows(), cell.config.seeds.root)?;
    let mut path = Vec::with_capacity(table.ridges.len());
    for &relative_ridge in &table.ridges {
        let fit = decomposed.at(Ridge::RelativeToTrace(relative_ridge))?;
        path.push(RidgePoint {
            relative_ridge,
            score: scorer.score(&fit)?.and_then(finite),
            mse_train: fit.training_error() / unit,
            mse_left_out: fit.leave_one_out()?.mean_squared_error().map(|error| error / unit),
            mse_test: error(&fit.predict(&projection)),
        });
    }

    let fit = decomposed.at(Ridge::RelativeToTrace(choice.relative_ridge))?;
    let prediction = fit.predict(&projection);
    let diagonal = choice.candidate.with(|kernel| ImplicitGram::new(kernel, &split.x_test).diagonal())?;
    let amplitude = fit.amplitude();
    let marginals = fit.marginals(&projection, &diagonal)?;
    let calibration = amplitude.and_then(|amplitude| {
        let variance = marginals.variance.iter().map(|variance| amplitude * variance).collect();
        let process = Marginals { mean: marginals.mean.clone(), variance };
        let levels = [&LEVELS[..], &[USUAL]].concat();
        // Of a process without width anywhere there is nothing to calibrate.
        Calibration::of(&process, amplitude * fit.ridge(), &split.y_test, &levels).ok()
    });
    let condition = fit.condition();
    let row = KernelRow {
        mse_train: fit.training_error() / unit,
        degrees_of_freedom: Some(fit.degrees_of_freedom()),
        log_likelihood: fit.profile_log_likelihood().map(|log| log / y_train.values().len() as f64),
        negative_log_density: calibration.as_ref().map(|c| c.negative_log_density),
        crps: calibration.as_ref().map(|c| c.crps),
        coverage_95: calibration.as_ref().and_then(|c| c.coverage.last().map(|covered| covered.fraction)),
        mse_predicted: predicted_error(cell, &choice.candidate, fit.ridge())?.map(|error| error / unit),
        condition: finite(condition.number()),
        digits: Some(condition.trusted_digits()),
        n_dropped: Some(condition.n_dropped),
        ..choice.row(cell, plan, fit.ridge(), &prediction)
    };
    let coverage = calibration.map_or_else(Vec::new, |calibration| {
        calibration.coverage.iter().map(|c| Covered { level: c.level, fraction: c.fraction }).collect()
    });
    Ok(KernelPoint { row, seconds: 0.0, path, coverage, predictions: in_units(&prediction, unit.sqrt()) })
}

/// The test error that the kernel's spectrum predicts for as many training rows, on average over their choice (Canatar, Bordelon, Pehlevan
/// 2021).
fn predicted_error(cell: &Cell, candidate: &Candidate, ridge: f64) -> Result<Option<f64>> {
    let Some((x, y)) = pool(cell)? else { return Ok(None) };
    let gram = candidate.with(|kernel| kernel.gram(&x))?;
    let noise = cell.config.data.label_noise.powi(2);
    let curve = TargetSpectrum::of_pool(&gram, &y)?.learning_curve(&[cell.split.x_train.n_rows()], ridge, noise)?;
    Ok(curve.first().and_then(|point| finite(point.error)))
}

/// Inputs and targets that stand for their distribution, of the test part first; none where none are asked for.
pub(in crate::study) fn pool(cell: &Cell) -> Result<Option<(Matrix, Matrix)>> {
    let (split, n_pool) = (&cell.split, cell.config.regress.n_pool);
    if n_pool == 0 {
        return Ok(None);
    }
    // Test targets bear no noise of ours, so they come first.
    let below = |test: &Matrix, train: &Matrix| {
        let values = [test.values(), train.values()].concat();
        let n = n_pool.min(test.n_rows() + train.n_rows());
        Matrix::from_vec(n, test.n_cols(), values[..n * test.n_cols()].to_vec())
    };
    Ok(Some((below(&split.x_test, &split.x_train)?, below(&split.y_test, &split.y_train)?)))
}

/// Predictions as rows, in units of the targets' standard deviation.
pub(super) fn in_units(prediction: &Matrix, unit: f64) -> Vec<Vec<f64>> {
    prediction.rows().map(|row| row.iter().map(|value| value / unit).collect()).collect()
}

/// What is known of a point before it is computed.
pub(super) fn empty_row(cell: &Cell, plan: &KernelPlan) -> KernelRow {
    let (split, config) = (&cell.split, &cell.config);
    let network = plan.architecture.as_ref().filter(|_| plan.family.is_of_network());
    KernelRow {
        id: plan.id.clone(),
        schema: REGRESSION_SCHEMA,
        study: config.study.name.clone(),
        dataset: cell.dataset.name.clone(),
        varied: cell.label.clone(),
        d_in: split.x_train.n_cols(),
        d_out: split.y_train.n_cols(),
        n_train: split.x_train.n_rows(),
        n_test: split.x_test.n_rows(),
        split_seed: config.data.split_seed,
        label_noise: config.data.label_noise,
        kernel: plan.family.to_string(),
        depth: network.map(crate::arch::Architecture::depth),
        activation: network.map(crate::arch::Architecture::activation_name),
        length_scale: None,
        criterion: config.regress.select.to_string(),
        score: None,
        n_selection: split.x_train.n_rows(),
        relative_ridge: f64::NAN,
        ridge: f64::NAN,
        edge: None,
        mse_train: f64::NAN,
        mse_test: f64::NAN,
        accuracy: None,
        degrees_of_freedom: None,
        log_likelihood: None,
        negative_log_density: None,
        crps: None,
        coverage_95: None,
        mse_predicted: None,
        condition: None,
        digits: None,
        n_dropped: None,
        solver: config.regress.solver.name().to_owned(),
        residual: None,
        n_iterations: None,
        is_rounded: None,
        rank: None,
        trace_left: None,
        gram_error: None,
        ending: None,
    }
}
