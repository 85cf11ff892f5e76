//! One kernel by an approximation of low rank, whose error is part of the record: some of its columns (Nystrom), or random features.

use super::candidate::Candidate;
use super::fit::{Chosen, in_units};
use super::plan::{Cell, KernelPlan};
use crate::error::{Error, Result};
use crate::kernel::fourier::FourierFeatures;
use crate::kernel::implicit::ImplicitGram;
use crate::linalg::{Entries, Matrix, PartialCholesky};
use crate::record::{KernelPoint, KernelRow};
use crate::regress::{feature_weights, kernel_error, mean_squared_error};
use crate::seed::stream;

/// Features of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Features {
    /// Its columns at so many training inputs.
    Columns(usize),
    /// So many random waves, of a stationary kernel.
    Waves(usize),
}

/// Training inputs that the error of random features is measured on.
const N_MEASURED: usize = 1000;

pub(super) fn approximate(cell: &Cell, plan: &KernelPlan, features: Features) -> Result<KernelPoint> {
    let split = &cell.split;
    let (x_train, y_train) = (&split.x_train, &split.y_train);
    let choice = Chosen::by_some(cell, plan)?;
    let made = match features {
        Features::Columns(rank) => columns(cell, plan, &choice.candidate, rank)?,
        Features::Waves(n) => waves(cell, plan, &choice.candidate, n)?,
    };
    let ridge = choice.relative_ridge * made.mean_diagonal;
    let weights = feature_weights(&made.train, y_train, ridge)?;
    let (prediction, fitted) = (made.test.matmul(&weights), made.train.matmul(&weights));
    let unit = split.target_deviation(&cell.config.data).powi(2);
    let row = KernelRow {
        mse_train: mean_squared_error(&fitted, y_train) / unit,
        rank: Some(made.train.n_cols()),
        trace_left: made.trace_left,
        gram_error: made.gram_error,
        ..choice.row(cell, plan, ridge, &prediction)
    };
    log::info!("{}: {} features of {} rows", plan.family, made.train.n_cols(), x_train.n_rows());
    let predictions = in_units(&prediction, unit.sqrt());
    Ok(KernelPoint { row, seconds: 0.0, path: Vec::new(), coverage: Vec::new(), predictions })
}

struct Made {
    train: Matrix,
    test: Matrix,
    mean_diagonal: f64,
    /// Of columns.
    trace_left: Option<f64>,
    /// Of waves.
    gram_error: Option<f64>,
}

fn columns(cell: &Cell, plan: &KernelPlan, candidate: &Candidate, rank: usize) -> Result<Made> {
    let (x_train, x_test) = (&cell.split.x_train, &cell.split.x_test);
    candidate.with(|kernel| {
        let gram = ImplicitGram::new(kernel, x_train);
        let mut random = stream(cell.config.seeds.root, &format!("pivots/{}", plan.id));
        let partial = PartialCholesky::of(&gram, rank, &mut random)?;
        let cross = kernel.cross_gram(x_test, &x_train.select_rows(partial.pivots()))?;
        let diagonal = gram.diagonal()?;
        Ok(Made {
            test: partial.extended(&cross),
            mean_diagonal: diagonal.iter().sum::<f64>() / diagonal.len() as f64,
            trace_left: Some(partial.relative_trace_left()),
            gram_error: None,
            train: partial.into_factor(),
        })
    })
}

fn waves(cell: &Cell, plan: &KernelPlan, candidate: &Candidate, n: usize) -> Result<Made> {
    let (x_train, x_test) = (&cell.split.x_train, &cell.split.x_test);
    let Candidate::Stationary(kernel) = candidate else {
        return Err(Error::config(
            "regress.solver.random-features",
            format!("the kernel `{}` is not stationary, and has no Fourier features", plan.family),
            "use `solver = { nystrom = { rank = 1000 } }`, or leave it out of `regress.kernels`",
        ));
    };
    let mut random = stream(cell.config.seeds.root, &format!("features/{}", plan.id));
    let features = FourierFeatures::draw(kernel, x_train.n_cols(), n, &mut random)?;
    let train = features.of(x_train)?;
    let measured: Vec<usize> = (0..x_train.n_rows().min(N_MEASURED)).collect();
    let gram = candidate.with(|kernel| kernel.gram(&x_train.select_rows(&measured)))?;
    let gram_error = Some(kernel_error(&gram, &train.select_rows(&measured))?);
    Ok(Made { test: features.of(x_test)?, train, mean_diagonal: 1.0, trace_left: None, gram_error })
}
