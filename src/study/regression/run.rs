//! From a plan to a run folder: every point that is not there yet, each stored as soon as it is finished.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::candidate::Candidate;
use super::config::{KernelFamily, Solver};
use super::fit::fit;
use super::plan::{Cell, KernelPlan, RegressPlan};
use crate::error::{Error, Result};
use crate::net::{Backend, Compute};
use crate::record::{KernelPoint, KernelRow, Store};
use crate::train::side_by_side;

/// Someone who follows a comparison of kernels, from any thread.
pub trait RegressProgress: Sync {
    /// It begins; `n_finished` of its points are there already.
    fn begin(&self, n_points: usize, n_finished: usize);

    /// What is done on a point now, in a few words.
    fn doing(&self, kernel: &str, words: &str);

    /// A point is stored.
    fn finished(&self, row: &KernelRow);

    /// Whether the run should stop here; what is finished stays.
    fn is_interrupted(&self) -> bool;
}

/// Up to this many training rows, points are computed side by side, one to a thread; above, each takes all threads.
const MAX_ROWS_SIDE_BY_SIDE: usize = 1000;

/// Finds at once what would stop a comparison after its plan was accepted: too little memory, an absent device for its networks.
///
/// # Errors
/// As [`regress`], without touching a run folder.
pub fn check(plan: &RegressPlan) -> Result<()> {
    for cell in &plan.cells {
        cell.config.regress.solver.ensure_fits(cell.split.x_train.n_rows())?;
        if cell.kernels.iter().any(|kernel| kernel.family == KernelFamily::Network) {
            let compute = &cell.config.compute;
            Compute::open(compute.backend.unwrap_or_else(Backend::preferred), compute.dtype)?;
        }
    }
    Ok(())
}

/// Finds the rest by computing every kernel on the rows that its hyperparameters are chosen by, as long as that takes.
///
/// # Errors
/// As [`check`]; a kernel that overflows.
pub fn check_kernels(plan: &RegressPlan) -> Result<()> {
    check(plan)?;
    for (cell, kernel) in plan.points().filter(|(_, kernel)| kernel.family != KernelFamily::Network) {
        let (table, x_train) = (&cell.config.regress, &cell.split.x_train);
        let n = if table.solver == Solver::Exact { x_train.n_rows() } else { table.n_selection.min(x_train.n_rows()) };
        let x = x_train.select_rows(&(0..n).collect::<Vec<_>>());
        for candidate in Candidate::all(kernel, table, &x) {
            candidate.with(|kernel| kernel.gram(&x))?;
        }
    }
    Ok(())
}

/// Computes every point of `plan` that `folder` does not hold yet.
///
/// # Errors
/// A folder of another run, an impossible setting found on the way, a failing machine, or an interruption; finished points are stored in
/// every case, and running again resumes, an unfinished iteration too.
pub fn regress(plan: &RegressPlan, folder: &Path, progress: &dyn RegressProgress) -> Result<Store<KernelPoint>> {
    check(plan)?;
    let store = Store::<KernelPoint>::start(folder, plan.manifest()?)?;
    let missing: Vec<(&Cell, &KernelPlan)> =
        plan.points().filter(|(_, kernel)| !store.is_finished(&kernel.id)).collect();
    progress.begin(plan.n_points(), plan.n_points() - missing.len());
    let store = Mutex::new(store);
    let unfinished = folder.join("unfinished");
    let compute = |(cell, kernel): (&Cell, &KernelPlan)| -> Result<()> {
        let watch = |words: &str| {
            progress.doing(&name(kernel), words);
            if progress.is_interrupted() { Err(Error::Interrupted) } else { Ok(()) }
        };
        watch(&format!("{} training rows of {}", cell.split.x_train.n_rows(), cell.dataset.name))?;
        let kept_at = unfinished.join(&kernel.id).with_extension("safetensors");
        let point = fit(cell, kernel, &watch, kept_at.clone())?;
        // A thread that panicked has ended the run.
        store.lock().unwrap_or_else(PoisonError::into_inner).finish(&point)?;
        let _ = std::fs::remove_file(kept_at);
        progress.finished(&point.row);
        Ok(())
    };
    let at_once = |(cell, _): &(&Cell, &KernelPlan)| {
        if cell.split.x_train.n_rows() <= MAX_ROWS_SIDE_BY_SIDE { plan.n_threads } else { 1 }
    };
    for points in missing.chunk_by(|a, b| at_once(a) == at_once(b)) {
        side_by_side(points.len(), points.first().map_or(1, at_once), |number| compute(points[number]))?;
    }
    // Empty by now, if it was ever there.
    let _ = std::fs::remove_dir(unfinished);
    let mut store = store.into_inner().unwrap_or_else(PoisonError::into_inner);
    store.flush()?;
    Ok(store)
}

/// A kernel in a few words.
fn name(kernel: &KernelPlan) -> String {
    match kernel.architecture.as_ref().filter(|_| kernel.family.is_of_network()) {
        Some(architecture) => format!("{} of depth {}", kernel.family, architecture.depth()),
        None => kernel.family.to_string(),
    }
}
