//! From a study to a run folder: every point that is not there yet, in order, each stored as soon as it is finished.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::equivalence::{PointKernels, Reference, compare};
use super::estimate::{ensure_memory, memory};
use super::plan::{Plan, PointPlan};
use super::settings::Study;
use crate::arch::Architecture;
use crate::error::{Error, Result};
use crate::kernel::analytic::AnalyticKernel;
use crate::linalg::{Matrix, available_memory};
use crate::net::{self, Compute, NetworkFormat};
use crate::record::{Row, Store, npy};
use crate::train::{Loss, n_side_by_side, side_by_side};

/// Someone who follows a run.
pub trait Progress {
    /// The run begins; `n_finished` of its points are there already.
    fn begin(&mut self, n_points: usize, n_finished: usize);

    /// A point is there already.
    fn skipped(&mut self, point: &PointPlan);

    /// A point begins.
    fn point(&mut self, point: &PointPlan);

    /// A step of a point that has begun is about to be taken.
    fn step(&mut self, point: &PointPlan, step: usize);

    /// A point is stored.
    fn finished(&mut self, row: &Row);

    /// Whether the run should stop here; what is finished stays.
    fn is_interrupted(&self) -> bool;
}

/// Finds at once most of what would stop a run after its plans were accepted: an absent device, too little memory, a kernel that overflows
/// at the longest training input.
///
/// # Errors
/// As [`run`], without touching a run folder.
pub fn check(study: &Study) -> Result<()> {
    for plan in &study.plans {
        ensure_possible(plan)?;
        let longest = plan.split.x_train.select_rows(&[longest_row(&plan.split.x_train)]);
        for architecture in limits(plan) {
            AnalyticKernel::new(architecture.clone()).diagonals(&longest)?;
        }
    }
    Ok(())
}

/// Finds the rest by computing and decomposing the analytic kernels of every setting, as long as that takes: a kernel that overflows anywhere,
/// a step size at which its training would diverge.
///
/// # Errors
/// As [`check`].
pub fn check_kernels(study: &Study) -> Result<()> {
    check(study)?;
    study.plans.iter().try_for_each(|plan| references(plan).map(drop))
}

/// Computes every point of `study` that `folder` does not hold yet; small networks side by side, as many as there are threads for.
///
/// # Errors
/// A folder of another run, an impossible setting found on the way, a failing machine, or an interruption; finished points are
/// stored in every case, and running again resumes, an unfinished network too.
pub fn run(study: &Study, folder: &Path, progress: &mut (dyn Progress + Send)) -> Result<Store> {
    study.plans.iter().try_for_each(ensure_possible)?;
    // What is wrong with the first setting is said before anything is written.
    let mut first = study.plans.first().map(references).transpose()?;
    let store = Store::start(folder, study.manifest()?)?;
    // A point that was finished before its kernels or its network were asked for is computed once more, with the same numbers.
    let output = study.config.output;
    let is_finished = |point: &PointPlan| {
        store.is_finished(&point.id)
            && (!output.kernels || kernel_folder(folder, point).join(LAST_KERNEL).exists())
            && output.networks.is_none_or(|format| network_file(folder, point, format).exists())
    };
    let points = study.plans.iter().flat_map(|plan| &plan.points);
    let finished: Vec<&PointPlan> = points.filter(|point| is_finished(point)).collect();
    progress.begin(study.n_points(), finished.len());
    finished.iter().for_each(|point| progress.skipped(point));
    let finished: HashSet<&str> = finished.iter().map(|point| point.id.as_str()).collect();
    let shared = Mutex::new(Shared { store, progress });
    let free = available_memory();
    for plan in &study.plans {
        let missing: Vec<&PointPlan> =
            plan.points.iter().filter(|point| !finished.contains(point.id.as_str())).collect();
        let known = first.take();
        if missing.is_empty() {
            continue;
        }
        let references = known.map_or_else(|| references(plan), Ok)?;
        let compute = Compute::open(plan.backend, plan.config.compute.dtype)?;
        let job = Job { plan, folder, compute, references, shared: &shared };
        let at_once = |point: &PointPlan| n_at_once(plan, &point.architecture, free);
        for points in missing.chunk_by(|a, b| at_once(a) == at_once(b)) {
            let n_at_once = points.first().map_or(1, |point| at_once(point));
            side_by_side(points.len(), n_at_once, |number| job.point(points[number]))?;
        }
    }
    // Empty by now, if it was ever there.
    let _ = std::fs::remove_dir(folder.join(UNFINISHED));
    let mut store = shared.into_inner().unwrap_or_else(PoisonError::into_inner).store;
    store.flush()?;
    Ok(store)
}

/// Refuses what no device, or not this computer, can do.
fn ensure_possible(plan: &Plan) -> Result<()> {
    ensure_comparable(plan)?;
    ensure_memory(plan)?;
    Compute::open(plan.backend, plan.config.compute.dtype).map(drop)
}

/// Kernel regression answers to squared errors; what another loss leads to has no such counterpart.
fn ensure_comparable(plan: &Plan) -> Result<()> {
    match plan.config.train.loss {
        Loss::Squared => Ok(()),
        other => Err(Error::config(
            "train.loss",
            format!("a network trained by the loss `{}` has no kernel regression to be compared with", other.name()),
            "use `loss = \"squared\"`, on one-hot classes too, or `ntk predict --with network` and `--with ntk --at training`",
        )),
    }
}

/// What all points of a setting share.
struct Job<'a, 'b> {
    plan: &'a Plan,
    folder: &'a Path,
    compute: Compute,
    references: Vec<Reference>,
    shared: &'a Mutex<Shared<'b>>,
}

struct Shared<'a> {
    store: Store,
    progress: &'a mut (dyn Progress + Send),
}

impl<'b> Job<'_, 'b> {
    fn shared(&self) -> MutexGuard<'_, Shared<'b>> {
        // A thread that panicked has ended the run.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn point(&self, point: &PointPlan) -> Result<()> {
        let Self { plan, folder, .. } = self;
        self.shared().progress.point(point);
        let reference = self
            .references
            .iter()
            .find(|reference| reference.is_limit_of(&point.architecture))
            .ok_or_else(|| Error::Check(format!("no analytic kernel for {}", point.architecture.describe())))?;
        let mut before_step = |step| {
            let mut shared = self.shared();
            shared.progress.step(point, step);
            if shared.progress.is_interrupted() { Err(Error::Interrupted) } else { Ok(()) }
        };
        let unfinished = folder.join(UNFINISHED).join(&point.id);
        let compared = compare(plan, point, reference, &self.compute, &unfinished, &mut before_step)?;
        if plan.config.output.kernels {
            write_kernels(&kernel_folder(folder, point), &compared.kernels)?;
        }
        if let Some(format) = plan.config.output.networks {
            net::save(&compared.predictor, &network_file(folder, point, format))?;
        }
        let finished = compared.point;
        let mut shared = self.shared();
        shared.store.finish(&finished)?;
        // Not there where training took less than the time after which it is kept.
        let _ = std::fs::remove_dir_all(&unfinished);
        log::info!("{}, seed {}: {:.2} s", point.architecture.describe(), point.seed, finished.seconds);
        shared.progress.finished(&finished.row);
        Ok(())
    }
}

/// Networks of this architecture to train at once: what is fastest, and fits into the `free` memory.
pub(super) fn n_at_once(plan: &Plan, architecture: &Architecture, free: Option<f64>) -> usize {
    if !plan.backend.is_host() {
        return 1;
    }
    let n_train = plan.split.x_train.n_rows();
    let fits = free.map_or(usize::MAX, |free| (free / memory(plan, architecture).max(1) as f64) as usize);
    n_side_by_side(architecture, n_train, plan.n_threads).min(fits).max(1)
}

/// Where networks are kept while they train.
const UNFINISHED: &str = "unfinished";

fn network_file(folder: &Path, point: &PointPlan, format: NetworkFormat) -> PathBuf {
    folder.join("networks").join(&point.id).with_extension(format.extension())
}

/// Written after the others: where it is, all of them are.
const LAST_KERNEL: &str = "ntk_test_train.npy";

fn kernel_folder(folder: &Path, point: &PointPlan) -> PathBuf {
    folder.join("kernels").join(&point.id)
}

/// One reference per infinite-width kernel in the plan.
fn references(plan: &Plan) -> Result<Vec<Reference>> {
    limits(plan).into_iter().map(|architecture| Reference::new(plan, architecture)).collect()
}

/// One architecture per infinite-width kernel in the plan.
pub(super) fn limits(plan: &Plan) -> Vec<&Architecture> {
    let mut limits: Vec<&Architecture> = Vec::new();
    for point in &plan.points {
        if limits.iter().all(|limit| point.architecture.ensure_same_kernel(limit).is_err()) {
            limits.push(&point.architecture);
        }
    }
    limits
}

/// The row of the largest norm; kernels grow with it.
fn longest_row(x: &Matrix) -> usize {
    let norm = |row: &[f64]| row.iter().map(|value| value * value).sum::<f64>();
    x.rows().map(norm).enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(row, _)| row)
}

fn write_kernels(folder: &Path, kernels: &PointKernels) -> Result<()> {
    npy::write(&folder.join("empirical_train_train.npy"), &kernels.empirical_train_train)?;
    npy::write(&folder.join("empirical_test_train.npy"), &kernels.empirical_test_train)?;
    npy::write(&folder.join("ntk_train_train.npy"), &kernels.ntk_train_train)?;
    npy::write(&folder.join(LAST_KERNEL), &kernels.ntk_test_train)
}
