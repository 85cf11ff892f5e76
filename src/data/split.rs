//! [`Split`]: a training and a test part, shuffled, disjoint, and scaled with the training part's statistics.

use rand::seq::SliceRandom;

use super::config::DataConfig;
use super::dataset::{Dataset, Task};
use super::noise::{noisy_inputs, noisy_targets};
use super::repeats::{self, Settled};
use super::scaling::Scaling;
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::seed::stream;

/// What networks and kernels see.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// `[n_train, d_in]`.
    pub x_train: Matrix,
    /// `[n_train, d_out]`.
    pub y_train: Matrix,
    /// `[n_validation, d_in]`.
    pub x_validation: Matrix,
    /// `[n_validation, d_out]`.
    pub y_validation: Matrix,
    /// `[n_test, d_in]`.
    pub x_test: Matrix,
    /// `[n_test, d_out]`.
    pub y_test: Matrix,
    /// From raw numbers to these, and back.
    pub scaling: Scaling,
    /// What was found in the data and done about it, in sentences.
    pub notes: Vec<String>,
}

impl Split {
    /// Prepares `dataset` as `config` says; its `source` is not looked at.
    ///
    /// Training rows are the first of the shuffled rows, validation rows come after them, and test rows are the last: with `n_test` set,
    /// a growing `n_train` keeps the test part and nests the training parts. Targets of validation and test rows bear no noise.
    ///
    /// # Errors
    /// When there are not as many rows as asked for, or nothing varies that could be learned from or predicted.
    pub fn new(dataset: &Dataset, config: &DataConfig, root_seed: u64) -> Result<Self> {
        Self::of_settled(dataset, &repeats::settle(dataset, config.repeated_inputs), config, root_seed)
    }

    /// Of `dataset` whose repeated inputs are `settled` as `config` says.
    pub(super) fn of_settled(
        dataset: &Dataset,
        settled: &Settled,
        config: &DataConfig,
        root_seed: u64,
    ) -> Result<Self> {
        let Settled { inputs, targets, note } = settled;
        let mut notes = dataset.notes.clone();
        notes.extend(note.clone());

        let n = inputs.n_rows();
        let (n_train, n_test) = sizes(config, n, dataset.n_rows())?;
        let n_validation = config.n_validation;
        if n_train + n_validation + n_test < n {
            let validation = if n_validation > 0 { format!(", {n_validation} for validation") } else { String::new() };
            notes.push(format!(
                "Of {n} rows, {n_train} are for training{validation} and {n_test} for testing; the others are not used."
            ));
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut stream(root_seed, &format!("split/{}", config.split_seed)));
        let (train, test) = (&order[..n_train], &order[n - n_test..]);
        let validation = &order[n_train..n_train + n_validation];

        let (raw_x_train, raw_y_train) = (inputs.select_rows(train), targets.select_rows(train));
        let raw_y_train = noisy_targets(raw_y_train, dataset.task, config, root_seed)?;
        let raw_x_train = noisy_inputs(raw_x_train, config, root_seed)?;
        let (scaling, scaling_notes) = Scaling::of_training_rows(dataset, config, &raw_x_train, &raw_y_train)?;
        notes.extend(scaling_notes);
        let x_train = scaling.inputs(&raw_x_train)?;
        if config.sphere {
            notes.extend(note_on_coincidence(&raw_x_train, &x_train));
        }
        Ok(Self {
            y_train: scaling.targets(&raw_y_train),
            x_validation: scaling.inputs(&inputs.select_rows(validation))?,
            y_validation: scaling.targets(&targets.select_rows(validation)),
            x_test: scaling.inputs(&inputs.select_rows(test))?,
            y_test: scaling.targets(&targets.select_rows(test)),
            x_train,
            scaling,
            notes,
        })
    }

    /// The standard deviation of the training targets (RMS over outputs), the unit of every gap and error; 1 where `config` standardizes
    /// them.
    #[must_use]
    pub fn target_deviation(&self, config: &DataConfig) -> f64 {
        if config.standardize {
            return 1.0;
        }
        let y = &self.y_train;
        let variance = |output: usize| {
            let column = y.column(output);
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / column.len() as f64
        };
        ((0..y.n_cols()).map(variance).sum::<f64>() / y.n_cols() as f64).sqrt()
    }

    /// The share of test labels that are the class with the largest entry, in the data's own units, of their row's prediction; of
    /// classification only. A merged row counts with the shares of the labels behind it, and classes that are predicted equally count
    /// with the mean of their shares, as if one of them were drawn.
    #[must_use]
    pub fn accuracy(&self, task: Task, prediction: &Matrix) -> Option<f64> {
        if task != Task::Classification || prediction.first_non_finite().is_some() {
            return None;
        }
        let (found, shares) = (self.scaling.targets_back(prediction), self.class_shares(&self.y_test));
        let n_right: f64 = found.rows().zip(shares.rows()).map(|(row, shares)| share_of_largest(row, shares)).sum();
        Some(n_right / found.n_rows() as f64)
    }

    /// The share of every class in the labels of each row, from scaled targets `[n, n_classes]`: exactly 0 and 1 where the row has one
    /// label, and something between for merged rows of different labels.
    #[must_use]
    pub fn class_shares(&self, targets: &Matrix) -> Matrix {
        // Scaling and its inverse leave rounding, which is far below the smallest share of a label.
        self.scaling.targets_back(targets).map(|share| {
            let whole = share.round();
            if (share - whole).abs() < 1e-9 { whole } else { share }
        })
    }
}

/// The mean share of the classes whose entry of `row` is the largest to rounding.
fn share_of_largest(row: &[f64], shares: &[f64]) -> f64 {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = largest - 1e-12 * largest.abs().max(1.0);
    let (sum, n) = row
        .iter()
        .zip(shares)
        .filter(|(value, _)| **value >= least)
        .fold((0.0, 0.0), |(sum, n), (_, share)| (sum + share, n + 1.0));
    sum / n
}

fn sizes(config: &DataConfig, n: usize, n_before_merging: usize) -> Result<(usize, usize)> {
    let rows = match n == n_before_merging {
        true => format!("{n} rows"),
        false => format!("{n} rows ({n_before_merging} before repeated inputs were merged)"),
    };
    let n_train = config.n_train.unwrap_or(n * 4 / 5);
    if n_train < 2 {
        let problem = format!("{n_train} of {rows} for training; statistics take at least 2");
        return Err(Error::config("data.n_train", problem, "raise it, or give more rows"));
    }
    let n_kept = n_train.saturating_add(config.n_validation);
    if config.n_validation > 0 && n_kept >= n {
        return Err(Error::config(
            "data.n_validation",
            format!(
                "{} validation rows asked for, but of {rows} {n_train} are for training and at least 1 is for testing",
                config.n_validation
            ),
            format!("set it to at most {}, or lower `data.n_train`", n.saturating_sub(n_train + 1)),
        ));
    }
    if n_train >= n {
        let problem = format!("{n_train} training rows asked for, but there are {rows} and at least 1 is for testing");
        return Err(Error::config("data.n_train", problem, format!("set it to at most {}", n.saturating_sub(1))));
    }
    let n_left = n - n_kept;
    let n_test = config.n_test.unwrap_or(n_left);
    if n_test == 0 {
        return Err(Error::config("data.n_test", "0 rows to test on", format!("set it between 1 and {n_left}")));
    }
    if n_test > n_left {
        let why = if config.n_train.is_none() { " (80 %, because `data.n_train` is not set)" } else { "" };
        return Err(Error::config(
            "data.n_test",
            format!(
                "{n_test} test rows asked for, but of {rows} {n_kept} are for training{why}, which leaves {n_left}"
            ),
            format!("set it to at most {n_left}, or lower `data.n_train`"),
        ));
    }
    Ok((n_train, n_test))
}

/// Inputs on one ray from the mean fall on one point of the sphere.
fn note_on_coincidence(raw: &Matrix, scaled: &Matrix) -> Option<String> {
    let n_new = repeats::n_repeated_rows(scaled).saturating_sub(repeats::n_repeated_rows(raw));
    (n_new > 0).then(|| {
        format!(
            "{n_new} distinct training inputs coincide with another on the sphere: the kernel matrix can be singular."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{RepeatedInputs, Source, vendored};

    fn config() -> DataConfig {
        DataConfig::new(Source::Vendored("the split does not look at it".into()))
    }

    type NamedColumn = (&'static str, fn(usize) -> f64);

    /// Row i has the input i (and the columns of `more`) and the target i squared.
    fn dataset(n: usize, more: &[NamedColumn]) -> Dataset {
        let names = std::iter::once("index").chain(more.iter().map(|(name, _)| *name)).map(String::from).collect();
        let inputs = Matrix::from_fn(n, 1 + more.len(), |i, j| if j == 0 { i as f64 } else { more[j - 1].1(i) });
        let targets = Matrix::from_fn(n, 1, |i, _| (i * i) as f64);
        Dataset::new("test", "", Task::Regression, (names, inputs), (vec!["square".into()], targets)).unwrap()
    }

    fn moments(column: &[f64]) -> (f64, f64) {
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        (mean, (column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    #[test]
    fn parts_are_disjoint_cover_all_rows_and_keep_inputs_with_their_targets() {
        let raw = DataConfig { standardize: false, ..config() };
        let split = Split::new(&dataset(51, &[]), &raw, 1).unwrap();
        assert_eq!((split.x_train.n_rows(), split.x_test.n_rows()), (40, 11));
        let mut seen = [split.x_train.values(), split.x_test.values()].concat();
        seen.sort_by(f64::total_cmp);
        assert_eq!(seen, (0..51).map(f64::from).collect::<Vec<_>>());
        assert_eq!(split.x_test.map(|x| x * x), split.y_test);
        assert_eq!(split.x_train.map(|x| x * x), split.y_train);
    }

    #[test]
    fn a_split_repeats_under_its_seeds_and_differs_under_others() {
        let dataset = dataset(50, &[]);
        let split = |split_seed, root| Split::new(&dataset, &DataConfig { split_seed, ..config() }, root).unwrap();
        assert_eq!(split(0, 1), split(0, 1));
        assert_ne!(split(0, 1).x_train, split(1, 1).x_train);
        assert_ne!(split(0, 1).x_train, split(0, 2).x_train);
    }

    #[test]
    fn a_growing_training_part_is_nested_and_keeps_the_test_rows() {
        let dataset = dataset(50, &[]);
        let raw = |n_train| DataConfig { n_train: Some(n_train), n_test: Some(10), standardize: false, ..config() };
        let (small, large) = (Split::new(&dataset, &raw(8), 1).unwrap(), Split::new(&dataset, &raw(30), 1).unwrap());
        assert_eq!(small.x_test, large.x_test);
        assert_eq!(small.x_train.values(), &large.x_train.values()[..8]);
        assert!(small.notes[0].contains("Of 50 rows, 8 are for training and 10 for testing"));
    }

    #[test]
    fn standardization_uses_training_rows_only() {
        let split = Split::new(&vendored::load("yacht").unwrap(), &config(), 1).unwrap();
        for j in 0..split.x_train.n_cols() {
            let (mean, sd) = moments(&split.x_train.column(j));
            assert!(mean.abs() < 1e-12 && (sd - 1.0).abs() < 1e-12, "column {j}: {mean} {sd}");
            let (mean, sd) = moments(&split.x_test.column(j));
            assert!(mean.abs() > 1e-6 && (sd - 1.0).abs() > 1e-6, "column {j}: {mean} {sd}");
        }
        let (mean, sd) = moments(split.y_train.values());
        assert!(mean.abs() < 1e-12 && (sd - 1.0).abs() < 1e-12);
        assert!(moments(split.y_test.values()).0.abs() > 1e-6);
    }

    #[test]
    fn predictions_return_to_raw_units_and_raw_inputs_to_the_scaled_ones() {
        let raw = vendored::load("diabetes").unwrap();
        let split = Split::new(&raw, &config(), 1).unwrap();
        let back = split.scaling.targets_back(&split.scaling.targets(&raw.targets));
        assert!((&back - &raw.targets).rms() < 1e-12);
        let scaled = split.scaling.inputs(&raw.inputs).unwrap();
        let first = split.x_test.row(0);
        assert!(scaled.rows().any(|row| row == first));
    }

    #[test]
    fn repeated_inputs_of_concrete_are_averaged_and_told() {
        let concrete = vendored::load("concrete").unwrap();
        let merged = Split::new(&concrete, &config(), 1).unwrap();
        assert_eq!(merged.x_train.n_rows() + merged.x_test.n_rows(), 996);
        assert!(
            merged.notes[0].starts_with("34 of 1030 rows repeat the inputs of an earlier row"),
            "{:?}",
            merged.notes
        );
        let kept = DataConfig { repeated_inputs: RepeatedInputs::Keep, ..config() };
        let kept = Split::new(&concrete, &kept, 1).unwrap();
        assert_eq!(kept.x_train.n_rows() + kept.x_test.n_rows(), 1030);
    }

    #[test]
    fn inputs_on_the_sphere_have_norm_root_d() {
        let on_sphere = DataConfig { sphere: true, ..config() };
        let split = Split::new(&vendored::load("yacht").unwrap(), &on_sphere, 1).unwrap();
        for row in split.x_train.rows().chain(split.x_test.rows()) {
            assert!((row.iter().map(|x| x * x).sum::<f64>() - 6.0).abs() < 1e-12);
        }
        let message = Split::new(&dataset(20, &[]), &on_sphere, 1).unwrap_err().to_string();
        assert!(message.contains("`data.sphere`") && message.contains("two points"), "{message}");
    }

    #[test]
    fn constant_input_columns_are_dropped_and_named() {
        let split = Split::new(&dataset(20, &[("flat", |_| 0.1), ("odd", |i| (i % 2) as f64)]), &config(), 1).unwrap();
        assert_eq!(split.x_train.n_cols(), 2);
        assert_eq!(split.notes, ["The input column flat is constant on the training rows and was dropped."]);
        // New inputs still come with all columns of the source.
        assert_eq!(split.scaling.inputs(&Matrix::zeros(1, 3)).unwrap().n_cols(), 2);
        let new = Matrix::from_vec(2, 3, vec![5.0, 0.1, 1.0, 6.0, 7.0, 0.0]).unwrap();
        let notes = split.scaling.notes_on(&new);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].starts_with("The input column flat was 0.1 on every training row"), "{notes:?}");
        assert!(notes[0].ends_with("row 2 has 7 there, which is ignored."), "{notes:?}");
        assert!(split.scaling.notes_on(&new.select_rows(&[0])).is_empty());
    }

    #[test]
    fn a_column_that_varies_by_rounding_alone_is_constant() {
        let rounded: fn(usize) -> f64 = |i| if i.is_multiple_of(2) { 0.3 } else { 0.1 + 0.2 };
        let split = Split::new(&dataset(20, &[("flat", rounded)]), &config(), 1).unwrap();
        assert_eq!(split.x_train.n_cols(), 1);
        assert!(split.notes[0].contains("flat varies by rounding alone"), "{:?}", split.notes);
        let new = |flat| split.scaling.notes_on(&Matrix::from_vec(1, 2, vec![5.0, flat]).unwrap()).len();
        assert_eq!((new(0.3), new(0.1 + 0.2), new(0.31)), (0, 0, 1));
        // Seconds since 1970 vary by more than rounding, and so does a small column around 0.
        let varying: [fn(usize) -> f64; 2] = [|i| 1.7e9 + i as f64, |i| 1e-30 * i as f64];
        for varying in varying {
            assert_eq!(Split::new(&dataset(20, &[("odd", varying)]), &config(), 1).unwrap().x_train.n_cols(), 2);
        }
        let mut flat = dataset(20, &[]);
        flat.targets = Matrix::from_fn(20, 1, |i, _| rounded(i));
        let message = Split::new(&flat, &config(), 1).unwrap_err().to_string();
        assert!(message.contains("the target `square` varies by rounding alone"), "{message}");
    }

    #[test]
    fn a_constant_target_and_an_absent_class_are_told_apart() {
        let mut flat = dataset(20, &[]);
        flat.targets = Matrix::from_fn(20, 1, |_, _| 3.0);
        let message = Split::new(&flat, &config(), 1).unwrap_err().to_string();
        assert!(message.contains("the target `square` is 3 on every training row"), "{message}");

        // Two training rows cannot hold all ten classes of yeast, but in some split they hold two.
        let few = |split_seed| DataConfig { n_train: Some(2), split_seed, ..config() };
        let yeast = vendored::load("yeast").unwrap();
        let split = (0..20).find_map(|seed| Split::new(&yeast, &few(seed), 1).ok()).unwrap();
        assert!(split.notes.iter().any(|note| note.contains("No training row belongs to these classes")));
        assert!(split.y_train.first_non_finite().is_none() && split.y_test.first_non_finite().is_none());
    }

    /// `n` inputs, each three times, with the labels a, a, b.
    fn two_to_one(n: usize) -> Dataset {
        let inputs = Matrix::from_fn(3 * n, 1, |i, _| (i / 3) as f64);
        let targets = Matrix::from_fn(3 * n, 2, |i, k| if (i % 3 == 2) == (k == 1) { 1.0 } else { 0.0 });
        let names = (vec!["u".into()], vec!["a".into(), "b".into()]);
        Dataset::new("two to one", "", Task::Classification, (names.0, inputs), (names.1, targets)).unwrap()
    }

    #[test]
    fn a_merged_row_counts_in_the_accuracy_with_the_labels_behind_it() {
        let raw = DataConfig { standardize: false, ..config() };
        let mut dataset = two_to_one(10);
        // One input whose three labels are the same, so that a target varies.
        (0..3).for_each(|i| dataset.targets.values_mut()[2 * i..2 * i + 2].copy_from_slice(&[0.0, 1.0]));
        let with_it_in_training = |seed| Split::new(&dataset, &DataConfig { split_seed: seed, ..raw.clone() }, 1).ok();
        let split = (0..20).find_map(with_it_in_training).expect("a split that has the input in its training part");
        let always = |class: usize| Matrix::from_fn(split.x_test.n_rows(), 2, |_, k| f64::from(u8::from(k == class)));
        let accuracy = |prediction: &Matrix| split.accuracy(Task::Classification, prediction).unwrap();
        assert!((accuracy(&always(0)) - 2.0 / 3.0).abs() < 1e-12);
        assert!((accuracy(&always(1)) - 1.0 / 3.0).abs() < 1e-12);
        assert!(split.notes[0].contains("the shares of their labels"), "{:?}", split.notes);
    }

    #[test]
    fn classes_that_are_predicted_equally_count_with_the_mean_of_their_shares() {
        assert_eq!(share_of_largest(&[0.5, 0.5, 0.0], &[0.0, 1.0, 0.0]), 0.5);
        assert_eq!(share_of_largest(&[0.5, 0.5 - 1e-16, 0.0], &[1.0, 0.0, 0.0]), 0.5);
        assert_eq!(share_of_largest(&[0.2, 0.1, 0.7], &[0.0, 0.0, 1.0]), 1.0);
    }

    #[test]
    fn shares_of_labels_survive_the_scaling_and_one_label_is_exactly_one() {
        let split = Split::new(&vendored::load("yeast").unwrap(), &config(), 1).unwrap();
        let shares = split.class_shares(&split.y_train);
        assert!(shares.rows().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-12));
        let mixed: Vec<f64> = shares.values().iter().copied().filter(|share| share.fract() != 0.0).collect();
        assert!(mixed.iter().all(|share| *share > 0.05 && *share < 0.95), "{mixed:?}");
    }

    #[test]
    fn more_rows_than_there_are_is_refused_with_the_numbers_and_the_key() {
        let refusal = |n_train, n_test| {
            Split::new(&dataset(50, &[]), &DataConfig { n_train, n_test, ..config() }, 1).unwrap_err().to_string()
        };
        let message = refusal(Some(30), Some(25));
        assert!(
            message.contains("`data.n_test`: 25 test rows asked for, but of 50 rows 30 are for training"),
            "{message}"
        );
        assert!(message.contains("at most 20"), "{message}");
        assert!(refusal(None, Some(25)).contains("40 are for training (80 %"));
        assert!(refusal(Some(50), None).contains("`data.n_train`: 50 training rows asked for"));
        assert!(refusal(Some(1), None).contains("`data.n_train`: 1 of 50 rows for training"));
        assert!(refusal(None, Some(0)).contains("`data.n_test`: 0 rows"));
    }

    #[test]
    fn new_inputs_of_another_shape_or_not_finite_are_refused() {
        let split = Split::new(&dataset(20, &[("odd", |i| (i % 2) as f64)]), &config(), 1).unwrap();
        let message = split.scaling.inputs(&Matrix::zeros(1, 5)).unwrap_err().to_string();
        assert_eq!(message, "input columns: expected 2 (index, odd), found 5");
        let message = split.scaling.inputs(&Matrix::from_fn(2, 2, |i, _| 0.0 / i as f64)).unwrap_err().to_string();
        assert!(message.contains("row 1, column `index`"), "{message}");
    }

    #[test]
    fn numbers_too_large_to_square_are_refused_with_the_column() {
        let huge = dataset(20, &[("huge", |i| i as f64 * 1e200)]);
        let message = Split::new(&huge, &config(), 1).unwrap_err().to_string();
        assert!(message.contains("column `huge`") && message.contains("rescale"), "{message}");
    }
}
