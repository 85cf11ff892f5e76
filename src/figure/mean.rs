//! Means over seeds: the numbers that most figures draw.

use super::axis::Scale;
use super::numbers::{Numbers, cell};
use crate::record::Row;
use crate::stats::{Interval, mean_interval};

/// The mean of one quantity over the seeds at one depth and width.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mean {
    pub(super) series: &'static str,
    pub(super) depth: usize,
    /// `None` for what no network enters, and which has no width.
    pub(super) width: Option<usize>,
    /// `None` where no seed has a finite value.
    pub(super) value: Option<Interval>,
    pub(super) n_points: usize,
    pub(super) n_diverged: usize,
}

/// A quantity of a row, where it exists.
pub(super) type Quantity = fn(&Row) -> Option<f64>;

impl Mean {
    /// The mean of `quantity` over `rows`, which share a depth and a width.
    pub(super) fn over(
        rows: &[&Row],
        (series, quantity): (&'static str, Quantity),
        (depth, width): (usize, Option<usize>),
        confidence: f64,
    ) -> Self {
        let values: Vec<f64> = rows.iter().filter_map(|row| quantity(row)).filter(|v| v.is_finite()).collect();
        let n_diverged = rows.iter().filter(|row| !row.is_trained()).count();
        Self { series, depth, width, value: mean_interval(&values, confidence), n_points: rows.len(), n_diverged }
    }
}

/// The first columns of a table of means.
pub(super) const MEAN_HEADER: [&str; 8] = ["series", "depth", "width", "n_points", "n_diverged", "mean", "low", "high"];

/// The cells of a mean under [`MEAN_HEADER`].
pub(super) fn mean_cells(mean: &Mean) -> Vec<String> {
    vec![
        mean.series.to_owned(),
        mean.depth.to_string(),
        mean.width.map_or_else(String::new, |width| width.to_string()),
        mean.n_points.to_string(),
        mean.n_diverged.to_string(),
        cell(mean.value.map(|v| v.mean)),
        cell(mean.value.map(|v| v.low)),
        cell(mean.value.map(|v| v.high)),
    ]
}

/// The table of means.
pub(super) fn mean_table(means: &[Mean]) -> Numbers {
    let mut numbers = Numbers::new(MEAN_HEADER);
    for mean in means {
        numbers.push(mean_cells(mean));
    }
    numbers
}

/// What an axis must show of some means: the intervals; on a logarithmic one, where zero is endlessly far, of a lower end far
/// below its mean only the way there.
pub(super) fn extent<'a>(means: impl IntoIterator<Item = &'a Mean>, scale: Scale) -> Vec<f64> {
    let least = if scale == Scale::Log10 { 0.4 } else { f64::NEG_INFINITY };
    let values = means.into_iter().filter_map(|mean| mean.value);
    values.flat_map(|v| [v.low.max(least * v.mean), v.mean, v.high]).collect()
}
