//! What is seen of a network while it trains: its kernel, and its residual in the eigenbasis of the analytic kernel.

use super::config::WatchLevel;
use super::equivalence::horizon;
use super::limit::Limit;
use super::plan::Plan;
use crate::dynamics::Flow;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernel::compare::{centred_alignment, effective_rank, relative_frobenius, target_alignment};
use crate::kernel::empirical::EmpiricalNtk;
use crate::linalg::{GramMatrix, Matrix, Spectrum};
use crate::net::{ActivationPattern, Compute, Model, Predictor, to_matrix};
use crate::record::{ModeBand, Snapshot, finite};
use crate::regress::mean_squared_error;
use crate::train::{self, Checkpoint, Monitor};

/// Looks at the network at every checkpoint, as closely as the config asks.
pub(super) struct Watch<'a> {
    plan: &'a Plan,
    limit: &'a Limit,
    compute: &'a Compute,
    initial_kernel: &'a GramMatrix,
    recipe: &'a train::Plan,
    before_step: &'a mut dyn FnMut(usize) -> Result<()>,
    first: First,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) bands: Vec<ModeBand>,
}

/// What is seen of the network before training.
struct First {
    /// The residual along the analytic kernel's eigenvectors.
    components: Matrix,
    map_grams: Vec<GramMatrix>,
    pattern: Option<ActivationPattern>,
}

impl First {
    fn of(plan: &Plan, limit: &Limit, compute: &Compute, predictor: &Predictor) -> Result<Self> {
        let (x_train, y_train, ..) = plan.parts();
        let f_train = to_matrix(predictor.forward(compute.tensor(x_train)))?;
        let components = limit.flow.components(&(y_train - &f_train))?;
        if plan.config.train.watch < WatchLevel::Everything {
            return Ok(Self { components, map_grams: Vec::new(), pattern: None });
        }
        let map_grams = EmpiricalNtk::new(predictor, compute).map_grams(x_train)?;
        let pattern = Some(ActivationPattern::of(predictor.network(), compute.tensor(x_train)));
        Ok(Self { components, map_grams, pattern })
    }
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        limit: &'a Limit,
        compute: &'a Compute,
        (predictor, initial_kernel): (&Predictor, &'a GramMatrix),
        recipe: &'a train::Plan,
        before_step: &'a mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Self> {
        let bands = mode_bands(&limit.flow);
        let first = First::of(plan, limit, compute, predictor)?;
        Ok(Self { plan, limit, compute, initial_kernel, recipe, before_step, first, snapshots: Vec::new(), bands })
    }

    /// The kernel at a checkpoint, and what is seen of it.
    fn measure_kernel(&self, predictor: &Predictor, snapshot: &mut Snapshot) -> Result<()> {
        let ntk = EmpiricalNtk::new(predictor, self.compute);
        let x_train = &self.plan.split.x_train;
        let kernel = if self.plan.config.train.watch < WatchLevel::Everything {
            ntk.gram(x_train)?
        } else {
            let maps = ntk.map_grams(x_train)?;
            let kernel = sum(&maps, self.initial_kernel.n())?;
            let drifts = maps.iter().zip(&self.first.map_grams).map(|(now, then)| relative_frobenius(now, then));
            snapshot.map_drifts = drifts.map(|drift| drift.map(finite)).collect::<Result<_>>()?;
            snapshot.eigenvalues = Spectrum::of(&kernel)?.eigenvalues().to_vec();
            let pattern = ActivationPattern::of(predictor.network(), self.compute.tensor(x_train));
            if let Some(first) = &self.first.pattern {
                snapshot.sign_flips = finite(pattern.flips(first)?);
            }
            kernel
        };
        snapshot.kernel_drift = finite(relative_frobenius(&kernel, self.initial_kernel)?);
        snapshot.kernel_alignment = finite(centred_alignment(&kernel, self.initial_kernel)?);
        snapshot.target_alignment = finite(target_alignment(&kernel, &self.plan.split.y_train)?);
        snapshot.effective_rank = finite(effective_rank(&kernel));
        Ok(())
    }

    fn measure_bands(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let (flow, unit) = (&self.limit.flow, self.plan.target_deviation());
        let components = flow.components(&(&self.plan.split.y_train - &checkpoint.f_train))?;
        let initial = &self.first.components;
        let decay = flow.decay(horizon(self.recipe, checkpoint.step));
        let ridge = self.limit.ridge;
        // With a ridge, a residual decays to what the ridge leaves of it, not to zero.
        let remaining = |(s, decay): (&f64, &f64)| 1.0 - s / (s + ridge) * (1.0 - decay);
        let left: Vec<f64> = flow.eigenvalues().iter().zip(&decay).map(remaining).collect();
        for band in &mut self.bands {
            let (mut measured, mut predicted) = (0.0, 0.0);
            for (mode, left) in left.iter().enumerate().take(band.last).skip(band.first - 1) {
                for (now, then) in components.row(mode).iter().zip(initial.row(mode)) {
                    measured += now * now;
                    predicted += (then * left).powi(2);
                }
            }
            band.measured.push(finite(measured.sqrt() / unit));
            band.predicted.push(finite(predicted.sqrt() / unit));
        }
        Ok(())
    }
}

impl Monitor for Watch<'_> {
    fn before_step(&mut self, step: usize) -> Result<()> {
        (self.before_step)(step)
    }

    fn at_checkpoint(&mut self, checkpoint: &Checkpoint, predictor: &Predictor) -> Result<()> {
        // An early stop returns to an earlier step.
        let n_kept = self.snapshots.iter().filter(|snapshot| snapshot.step < checkpoint.step).count();
        self.snapshots.truncate(n_kept);
        for band in &mut self.bands {
            band.measured.truncate(n_kept);
            band.predicted.truncate(n_kept);
        }
        self.measure_bands(checkpoint)?;
        let unit = self.plan.target_deviation();
        let mut snapshot = Snapshot {
            step: checkpoint.step,
            time: self.recipe.time(checkpoint.step).unwrap_or(self.recipe.learning_rate * checkpoint.step as f64),
            loss_train: finite(checkpoint.loss / unit.powi(2)),
            mse_test: finite(mean_squared_error(&checkpoint.f_test, &self.plan.split.y_test) / unit.powi(2)),
            parameter_distance: finite(checkpoint.parameter_distance),
            ..Snapshot::default()
        };
        if self.plan.config.train.watch >= WatchLevel::Kernel {
            self.measure_kernel(predictor, &mut snapshot)?;
        }
        self.snapshots.push(snapshot);
        Ok(())
    }

    fn notes(&self) -> Result<String> {
        let unwritable = |reason| Error::Check(format!("what was seen of a network cannot be written: {reason}"));
        serde_json::to_string(&(&self.snapshots, &self.bands)).map_err(unwritable)
    }

    fn resume(&mut self, notes: &str) -> Result<()> {
        let unreadable = |reason| Error::Check(format!("what was seen of a network cannot be read: {reason}"));
        (self.snapshots, self.bands) = serde_json::from_str(notes).map_err(unreadable)?;
        Ok(())
    }
}

fn sum(maps: &[GramMatrix], n: usize) -> Result<GramMatrix> {
    let zeros = Matrix::zeros(n, n);
    GramMatrix::from_lower_triangle(maps.iter().fold(zeros, |sum, map| &sum + map.as_matrix()))
}

/// Bands that double in size: eigenvalues 1, 2, 3-4, 5-8, ...; directions that are never learned belong to none.
fn mode_bands(flow: &Flow) -> Vec<ModeBand> {
    let n_learned = flow.eigenvalues().len() - flow.n_dropped();
    let mut bands = Vec::new();
    let (mut first, mut last) = (1, 1);
    while first <= n_learned {
        let end = last.min(n_learned);
        let eigenvalues = &flow.eigenvalues()[first - 1..end];
        let mean_log =
            eigenvalues.iter().map(|s| s.max(f64::MIN_POSITIVE).ln()).sum::<f64>() / eigenvalues.len() as f64;
        bands.push(ModeBand {
            first,
            last: end,
            eigenvalue: mean_log.exp(),
            measured: Vec::new(),
            predicted: Vec::new(),
        });
        first = last + 1;
        last *= 2;
    }
    bands
}
