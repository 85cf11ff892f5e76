//! How the test error falls with the number of training rows, from the spectrum of a pool of them alone.

use serde::Serialize;

use super::kernel::Subject;
use crate::data::Task;
use crate::dynamics::{LearningPoint, TargetSpectrum};
use crate::error::{Error, Result};
use crate::study::regression::fit::pool;

/// The predicted test error for a number of training rows, on average over their choice (Canatar, Bordelon, Pehlevan 2021).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Training rows.
    pub n_train: usize,
    /// Mean squared error against targets without noise, over their variance; none where the theory has no finite one.
    pub error: Option<f64>,
    /// Modes' worth that so many rows teach.
    pub n_learned: f64,
}

/// For powers of two of training rows, up to half the pool, and for those of the config.
pub(super) fn learning_curve(subject: &Subject<'_>, ridge: f64) -> Result<Vec<CurvePoint>> {
    let (cell, Some((x, y))) = (subject.cell, pool(subject.cell)?) else { return Ok(Vec::new()) };
    if cell.dataset.task == Task::Classification && cell.config.data.label_noise > 0.0 {
        // Classes that are exchanged are no noise of a variance.
        return Ok(Vec::new());
    }
    if subject.n_rows() != cell.split.x_train.n_rows() {
        return Err(Error::config(
            "regress.n_pool",
            "a learning curve is one of a kernel that all outputs share, and a network's own kernel couples them",
            "set it to 0, or use the spectrum of `ntk`",
        ));
    }
    let most = x.n_rows() / 2;
    let mut sizes: Vec<usize> = std::iter::successors(Some(4), |n| Some(2 * n)).take_while(|n| *n <= most).collect();
    sizes.push(cell.split.x_train.n_rows());
    sizes.sort_unstable();
    sizes.dedup();
    let noise = cell.config.data.label_noise.powi(2);
    let unit = cell.split.target_deviation(&cell.config.data).powi(2);
    let points = TargetSpectrum::of_pool(&subject.gram(&x)?, &y)?.learning_curve(&sizes, ridge, noise * unit)?;
    let point = |point: &LearningPoint| CurvePoint {
        n_train: point.n_train,
        error: Some(point.error / unit).filter(|error| error.is_finite()),
        n_learned: point.n_learned,
    };
    Ok(points.iter().map(point).collect())
}
