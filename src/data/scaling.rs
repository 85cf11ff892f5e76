//! x~_j = (x_j - m_j) / s_j with the training part's means and standard deviations (divisor n), then the sphere.

use serde::{Deserialize, Serialize};

use super::config::DataConfig;
use super::dataset::{Dataset, Task};
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// The map from raw numbers to the ones that networks and kernels see, and the way back for predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    input_names: Vec<String>,
    /// One per input column that is not dropped.
    inputs: Vec<Column>,
    targets: Vec<Column>,
    sphere: bool,
    /// Input columns that were constant on the training rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<Dropped>,
}

/// An input column that is not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Dropped {
    index: usize,
    /// Its value on the first training row.
    value: f64,
    /// How far rounding may move it.
    rounding: f64,
}

/// One column's affine map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Column {
    index: usize,
    mean: f64,
    sd: f64,
}

impl Scaling {
    /// The scaling that `config` asks for, from raw training rows, and sentences on what could not be scaled.
    pub(super) fn of_training_rows(
        dataset: &Dataset,
        config: &DataConfig,
        inputs: &Matrix,
        targets: &Matrix,
    ) -> Result<(Self, Vec<String>)> {
        let mut notes = Vec::new();
        let mut dropped = Vec::new();
        let input_columns: Vec<Column> = if config.standardize {
            let (constant, varying): (Vec<_>, Vec<_>) = (0..inputs.n_cols()).partition(|&j| is_constant(inputs, j));
            let (equal, rounded): (Vec<_>, Vec<_>) = constant.iter().copied().partition(|&j| is_equal(inputs, j));
            notes.extend(note_on_dropped(dataset, &equal, ["is constant", "are constant"]));
            notes.extend(note_on_dropped(dataset, &rounded, ["varies by rounding alone", "vary by rounding alone"]));
            dropped = constant.iter().map(|&index| Dropped::of(inputs, index)).collect();
            varying.iter().map(|&j| Column::standardizing(inputs, j, &dataset.input_names[j])).collect::<Result<_>>()?
        } else {
            (0..inputs.n_cols()).map(Column::unchanged).collect()
        };
        check_inputs_left(dataset, config, &input_columns)?;

        let constant: Vec<usize> = (0..targets.n_cols()).filter(|&k| is_constant(targets, k)).collect();
        notes.extend(check_constant_targets(dataset, targets, &constant)?);
        let target_columns = (0..targets.n_cols())
            .map(|k| match config.standardize && !constant.contains(&k) {
                true => Column::standardizing(targets, k, &dataset.target_names[k]),
                false => Ok(Column::unchanged(k)),
            })
            .collect::<Result<_>>()?;

        let input_names = dataset.input_names.clone();
        let sphere = config.sphere;
        Ok((Self { input_names, inputs: input_columns, targets: target_columns, sphere, dropped }, notes))
    }

    /// Sentences on raw inputs `[n, number of raw columns]` that differ from all training rows in a column that was dropped.
    #[must_use]
    pub fn notes_on(&self, raw: &Matrix) -> Vec<String> {
        let note = |column: &Dropped| {
            let differs = |value: f64| (value - column.value).abs() > column.rounding;
            let differing: Vec<(usize, f64)> = raw
                .rows()
                .enumerate()
                .filter_map(|(i, row)| row.get(column.index).map(|value| (i, *value)))
                .filter(|(_, value)| differs(*value))
                .collect();
            let (first, value) = *differing.first()?;
            let others = match differing.len() - 1 {
                0 => String::new(),
                1 => ", and 1 more row differs".to_owned(),
                n => format!(", and {n} more rows differ"),
            };
            Some(format!(
                "The input column {} was {} on every training row and was dropped; row {} has {value} there{others}, which is \
                 ignored.",
                self.input_names[column.index],
                column.value,
                first + 1
            ))
        };
        self.dropped.iter().filter_map(note).collect()
    }

    /// Raw inputs, with the columns of the source, as networks and kernels see them.
    ///
    /// # Shapes
    /// `[n, number of raw columns]` to `[n, d_in]`; columns that were constant in training are dropped.
    ///
    /// # Errors
    /// When the number of columns differs from the source's, a number is not finite, or a row has no direction to be
    /// put on the sphere.
    pub fn inputs(&self, raw: &Matrix) -> Result<Matrix> {
        if raw.n_cols() != self.input_names.len() {
            return Err(Error::shape(
                "input columns",
                format!("{} ({})", self.input_names.len(), self.input_names.join(", ")),
                raw.n_cols(),
            ));
        }
        if let Some((i, j, value)) = raw.first_non_finite() {
            return Err(not_finite("the inputs", value, i, &self.input_names[j], "write a finite number"));
        }
        let mut scaled = Matrix::from_fn(raw.n_rows(), self.inputs.len(), |i, j| {
            let column = &self.inputs[j];
            column.scale(raw[(i, column.index)])
        });
        if self.sphere {
            put_on_sphere(&mut scaled)?;
        }
        if let Some((i, j, value)) = scaled.first_non_finite() {
            let name = &self.input_names[self.inputs[j].index];
            return Err(not_finite(
                "the scaled inputs",
                value,
                i,
                name,
                "rescale this column: its numbers are too large",
            ));
        }
        Ok(scaled)
    }

    /// Raw targets as networks and kernels see them.
    ///
    /// # Panics
    /// When `raw` has fewer columns than there are targets, as indexing past the end does.
    #[must_use]
    pub fn targets(&self, raw: &Matrix) -> Matrix {
        Matrix::from_fn(raw.n_rows(), self.targets.len(), |i, k| self.targets[k].scale(raw[(i, k)]))
    }

    /// Predictions in the raw units of the targets.
    ///
    /// # Panics
    /// When `predictions` has fewer columns than there are targets, as indexing past the end does.
    #[must_use]
    pub fn targets_back(&self, predictions: &Matrix) -> Matrix {
        Matrix::from_fn(predictions.n_rows(), self.targets.len(), |i, k| self.targets[k].unscale(predictions[(i, k)]))
    }

    /// What a difference of 1 is in the raw units of each target.
    #[must_use]
    pub fn target_units(&self) -> Vec<f64> {
        self.targets.iter().map(|column| column.sd).collect()
    }
}

impl Dropped {
    fn of(values: &Matrix, index: usize) -> Self {
        let column = values.column(index);
        let (value, n) = (column[0], column.len() as f64);
        let spread = column.iter().map(|other| (other - value).abs()).fold(0.0, f64::max);
        // A column whose training values are all equal has only that one; another bit is another value.
        let rounding = if spread > 0.0 { spread + n * f64::EPSILON * value.abs() } else { 0.0 };
        Self { index, value, rounding }
    }
}

impl Column {
    fn unchanged(index: usize) -> Self {
        Self { index, mean: 0.0, sd: 1.0 }
    }

    fn standardizing(values: &Matrix, index: usize, name: &str) -> Result<Self> {
        let column = values.column(index);
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        let sd = (column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        // Squares overflow above 1e154 and vanish below 1e-162.
        if !sd.is_normal() {
            return Err(Error::input(
                format!("column `{name}`"),
                format!(
                    "its standard deviation on the training rows comes out as {sd:e}, which nothing can be divided by"
                ),
                "rescale this column: its numbers are too large, or too close to each other",
            ));
        }
        Ok(Self { index, mean, sd })
    }

    fn scale(&self, raw: f64) -> f64 {
        (raw - self.mean) / self.sd
    }

    fn unscale(&self, scaled: f64) -> f64 {
        scaled * self.sd + self.mean
    }
}

/// x <- sqrt(d) x / |x| for every row.
fn put_on_sphere(inputs: &mut Matrix) -> Result<()> {
    let (n, d) = inputs.shape();
    for (i, row) in inputs.values_mut().chunks_exact_mut(d).enumerate() {
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if !norm.is_normal() {
            return Err(Error::input(
                format!("row {} of {n} inputs", i + 1),
                format!("its norm is {norm}, so it has no direction to be put on the sphere"),
                "remove the row, or set `data.sphere = false`",
            ));
        }
        row.iter_mut().for_each(|x| *x *= (d as f64).sqrt() / norm);
    }
    Ok(())
}

/// Whether all values are equal, or vary by no more than the rounding of a mean and a variance of n numbers leaves:
/// var < n eps var + (n mean eps)^2 (as in scikit-learn; Chan, Golub, LeVeque 1983).
fn is_constant(values: &Matrix, column: usize) -> bool {
    if is_equal(values, column) {
        return true;
    }
    let column = values.column(column);
    let n = column.len() as f64;
    let mean = column.iter().sum::<f64>() / n;
    let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    // Squares that overflow or vanish are refused by their column, with the remedy.
    variance.is_normal() && variance < n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2)
}

fn is_equal(values: &Matrix, column: usize) -> bool {
    values.rows().all(|row| row[column] == values[(0, column)])
}

/// `verbs` say what one column does and what several do.
fn note_on_dropped(dataset: &Dataset, constant: &[usize], [one, several]: [&str; 2]) -> Option<String> {
    let names: Vec<&str> = constant.iter().map(|&j| dataset.input_names[j].as_str()).collect();
    match names.len() {
        0 => None,
        1 => Some(format!("The input column {} {one} on the training rows and was dropped.", names[0])),
        n => Some(format!("{n} input columns {several} on the training rows and were dropped: {}.", names.join(", "))),
    }
}

fn check_inputs_left(dataset: &Dataset, config: &DataConfig, columns: &[Column]) -> Result<()> {
    if columns.is_empty() {
        return Err(Error::input(
            format!("data set `{}`", dataset.name),
            "every input column is constant on the training rows",
            "raise `data.n_train`, or add a column that varies",
        ));
    }
    if config.sphere && columns.len() == 1 {
        return Err(Error::config(
            "data.sphere",
            format!("`{}` has one input column, and in one dimension the sphere is two points", dataset.name),
            "set it to false",
        ));
    }
    Ok(())
}

/// A class without training rows is a fact to be told; a target that never varies leaves nothing to learn.
fn check_constant_targets(dataset: &Dataset, targets: &Matrix, constant: &[usize]) -> Result<Option<String>> {
    let names: Vec<&str> = constant.iter().map(|&k| dataset.target_names[k].as_str()).collect();
    let Some(&first) = constant.first() else { return Ok(None) };
    if dataset.task == Task::Regression || constant.len() == targets.n_cols() {
        let problem = match dataset.task {
            Task::Regression if is_equal(targets, first) => {
                format!("the target `{}` is {} on every training row", names[0], targets[(0, first)])
            }
            Task::Regression => {
                format!("the target `{}` varies by rounding alone around {}", names[0], targets[(0, first)])
            }
            Task::Classification if targets.values().iter().all(|share| [0.0, 1.0].contains(share)) => {
                "all training rows belong to one class".into()
            }
            Task::Classification => "every training row has the same shares of all classes".into(),
        };
        return Err(Error::input(
            format!("data set `{}`", dataset.name),
            problem,
            "raise `data.n_train`, change `data.split_seed`, or choose another target",
        ));
    }
    let (absent, level): (Vec<usize>, Vec<usize>) = constant.iter().partition(|&&k| targets[(0, k)] == 0.0);
    let named = |classes: &[usize], sentence: &str| {
        let names: Vec<&str> = classes.iter().map(|&k| dataset.target_names[k].as_str()).collect();
        (!names.is_empty()).then(|| format!("{sentence}: {}.", names.join(", ")))
    };
    let notes = [
        named(&absent, "No training row belongs to these classes, which therefore cannot be learned"),
        named(&level, "Every training row has the same share of these classes"),
    ];
    Ok(Some(notes.into_iter().flatten().collect::<Vec<_>>().join(" ")))
}

fn not_finite(what: &str, value: f64, row: usize, column: &str, remedy: &str) -> Error {
    Error::NotFinite {
        what: what.into(),
        value,
        place: format!("row {}, column `{column}`", row + 1),
        remedy: remedy.into(),
    }
}
