//! From a plan to a run folder: every point that is not there yet, in order, each stored as soon as it is finished.

use std::path::{Path, PathBuf};

use super::equivalence::{PointKernels, Reference, compare};
use super::estimate::ensure_memory;
use super::plan::{Plan, PointPlan};
use crate::error::{Error, Result};
use crate::net::Compute;
use crate::record::{Row, Store, npy};

/// Someone who follows a run.
pub trait Progress {
    /// The run begins; `n_finished` of its points are there already.
    fn begin(&mut self, n_points: usize, n_finished: usize);

    /// A point is there already.
    fn skipped(&mut self, point: &PointPlan);

    /// A point begins.
    fn point(&mut self, point: &PointPlan);

    /// A step of the present point is about to be taken.
    fn step(&mut self, step: usize);

    /// A point is stored.
    fn finished(&mut self, row: &Row);

    /// Whether the run should stop here; what is finished stays.
    fn is_interrupted(&self) -> bool;
}

/// Finds what would stop a run after its plan was accepted: an absent device, a kernel that overflows, an unstable step size.
///
/// # Errors
/// As [`run`], without touching a run folder.
pub fn check(plan: &Plan) -> Result<()> {
    ensure_memory(plan)?;
    Compute::open(plan.backend, plan.config.compute.dtype)?;
    references(plan).map(drop)
}

/// Computes every point of `plan` that `folder` does not hold yet.
///
/// # Errors
/// A folder of another run, an impossible setting found on the way, a failing machine, or an interruption; finished points are
/// stored in every case, and running again resumes.
pub fn run(plan: &Plan, folder: &Path, progress: &mut dyn Progress) -> Result<Store> {
    ensure_memory(plan)?;
    let compute = Compute::open(plan.backend, plan.config.compute.dtype)?;
    let references = references(plan)?;
    let mut store = Store::start(folder, plan.manifest()?)?;
    // A point that was finished before its kernels were asked for is computed once more, with the same numbers.
    let is_finished = |store: &Store, point: &PointPlan| {
        store.is_finished(&point.id)
            && (!plan.config.output.kernels || kernel_folder(folder, point).join(LAST_KERNEL).exists())
    };
    let n_finished = plan.points.iter().filter(|point| is_finished(&store, point)).count();
    progress.begin(plan.points.len(), n_finished);
    for point in &plan.points {
        if is_finished(&store, point) {
            progress.skipped(point);
            continue;
        }
        progress.point(point);
        let reference = references
            .iter()
            .find(|reference| reference.is_limit_of(&point.architecture))
            .ok_or_else(|| Error::Check(format!("no analytic kernel for {}", point.architecture.describe())))?;
        let mut before_step = |step| {
            progress.step(step);
            if progress.is_interrupted() { Err(Error::Interrupted) } else { Ok(()) }
        };
        let (finished, kernels) = compare(plan, point, reference, &compute, &mut before_step)?;
        if plan.config.output.kernels {
            write_kernels(&kernel_folder(folder, point), &kernels)?;
        }
        store.finish(&finished)?;
        log::info!("{}, seed {}: {:.2} s", point.architecture.describe(), point.seed, finished.seconds);
        progress.finished(&finished.row);
    }
    Ok(store)
}

/// Written after the others: where it is, all of them are.
const LAST_KERNEL: &str = "ntk_test_train.npy";

fn kernel_folder(folder: &Path, point: &PointPlan) -> PathBuf {
    folder.join("kernels").join(&point.id)
}

/// One reference per infinite-width kernel in the plan.
fn references(plan: &Plan) -> Result<Vec<Reference>> {
    let mut references: Vec<Reference> = Vec::new();
    for point in &plan.points {
        if !references.iter().any(|reference| reference.is_limit_of(&point.architecture)) {
            references.push(Reference::new(plan, &point.architecture)?);
        }
    }
    Ok(references)
}

fn write_kernels(folder: &Path, kernels: &PointKernels) -> Result<()> {
    npy::write(&folder.join("empirical_train_train.npy"), &kernels.empirical_train_train)?;
    npy::write(&folder.join("empirical_test_train.npy"), &kernels.empirical_test_train)?;
    npy::write(&folder.join("ntk_train_train.npy"), &kernels.ntk_train_train)?;
    npy::write(&folder.join(LAST_KERNEL), &kernels.ntk_test_train)
}
