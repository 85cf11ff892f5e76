//! From a plan to a run folder: every point that is not there yet, each stored as soon as it is finished.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::fit::fit;
use super::plan::{Cell, KernelPlan, RegressPlan};
use crate::error::{Error, Result};
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

/// Computes every point of `plan` that `folder` does not hold yet.
///
/// # Errors
/// A folder of another run, an impossible setting found on the way, a failing machine, or an interruption; finished points are stored in
/// every case, and running again resumes, an unfinished iteration too.
pub fn regress(plan: &RegressPlan, folder: &Path, progress: &dyn RegressProgress) -> Result<Store<KernelPoint>> {
    for cell in &plan.cells {
        cell.config.regress.solver.ensure_fits(cell.split.x_train.n_rows())?;
    }
    let store = Store::<KernelPoint>::start(folder, plan.manifest()?)?;
    let all = plan.cells.iter().flat_map(|cell| cell.kernels.iter().map(move |kernel| (cell, kernel)));
    let missing: Vec<(&Cell, &KernelPlan)> = all.filter(|(_, kernel)| !store.is_finished(&kernel.id)).collect();
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
