//! Noise on the targets and on the inputs of the training part: what a fit to them cannot know.

use rand::RngExt;

use super::config::DataConfig;
use super::dataset::Task;
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::seed::{Stream, standard_normals, stream};

/// Training targets with the noise that `config` asks for, from a stream of its own, so that the split stays the same.
pub(super) fn noisy_targets(targets: Matrix, task: Task, config: &DataConfig, root_seed: u64) -> Result<Matrix> {
    let noise = config.label_noise;
    if noise == 0.0 {
        return Ok(targets);
    }
    let most = if task == Task::Classification { 1.0 } else { f64::INFINITY };
    if !(noise > 0.0 && noise <= most && noise.is_finite()) {
        return Err(Error::config(
            "data.label_noise",
            format!("{noise} is no {}", if most == 1.0 { "probability" } else { "standard deviation" }),
            "give a number from 0 up; of classification up to 1",
        ));
    }
    let mut stream = stream(root_seed, &format!("label noise/{}", config.split_seed));
    let (n, n_outputs) = targets.shape();
    if task == Task::Classification {
        let mut rows = targets;
        for i in 0..n {
            if n_outputs > 1 && stream.random_bool(noise) {
                // Every label behind the row becomes another class, and each of the others is equally likely.
                let offset = stream.random_range(1..n_outputs);
                rows.values_mut()[i * n_outputs..(i + 1) * n_outputs].rotate_right(offset);
            }
        }
        return Ok(rows);
    }
    Ok(with_normals(&targets, noise, &mut stream))
}

/// Training inputs with the noise that `config` asks for, likewise.
pub(super) fn noisy_inputs(inputs: Matrix, config: &DataConfig, root_seed: u64) -> Result<Matrix> {
    let noise = config.input_noise;
    if noise == 0.0 {
        return Ok(inputs);
    }
    if !(noise > 0.0 && noise.is_finite()) {
        let problem = format!("{noise} is no standard deviation");
        return Err(Error::config("data.input_noise", problem, "give a number from 0 up"));
    }
    Ok(with_normals(&inputs, noise, &mut stream(root_seed, &format!("input noise/{}", config.split_seed))))
}

/// Every entry with a normal number added, of `noise` standard deviations of its column.
fn with_normals(values: &Matrix, noise: f64, stream: &mut Stream) -> Matrix {
    let (n, n_columns) = values.shape();
    let deviation = |k: usize| {
        let column = values.column(k);
        let mean = column.iter().sum::<f64>() / n as f64;
        (column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64).sqrt()
    };
    let deviations: Vec<f64> = (0..n_columns).map(deviation).collect();
    let normals = standard_normals(stream, n * n_columns);
    Matrix::from_fn(n, n_columns, |i, k| values[(i, k)] + noise * deviations[k] * normals[i * n_columns + k])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Source, Split, vendored};

    fn split(name: &str, label_noise: f64) -> Result<Split> {
        let config = DataConfig { label_noise, ..DataConfig::new(Source::Vendored(name.into())) };
        Split::new(&vendored::load(name).expect("vendored"), &DataConfig { standardize: false, ..config }, 1)
    }

    #[test]
    fn noise_has_the_size_that_is_asked_for_and_leaves_the_test_part_alone() {
        let (clean, noisy) = (split("concrete", 0.0).unwrap(), split("concrete", 0.5).unwrap());
        assert_eq!((&clean.x_train, &clean.y_test), (&noisy.x_train, &noisy.y_test));
        let mean = clean.y_train.values().iter().sum::<f64>() / clean.y_train.values().len() as f64;
        let deviation = clean.y_train.map(|y| y - mean).rms();
        // 796 normal numbers: their RMS is 1 within 2.5 %; five of these.
        let size = (&noisy.y_train - &clean.y_train).rms() / deviation;
        assert!((size - 0.5).abs() < 0.06, "{size}");
    }

    #[test]
    fn every_share_of_a_merged_row_moves_to_another_class_and_the_row_sums_to_one() {
        let config = DataConfig { label_noise: 1.0, ..DataConfig::new(Source::Vendored("none".into())) };
        let soft = Matrix::from_fn(50, 3, |_, k| [0.5, 0.375, 0.125][k]);
        let noisy = noisy_targets(soft, Task::Classification, &config, 1).unwrap();
        assert!(noisy.rows().all(|row| row == [0.125, 0.5, 0.375] || row == [0.375, 0.125, 0.5]), "{noisy:?}");
        // A row of one label draws the same numbers.
        let hard = Matrix::from_fn(50, 3, |_, k| [1.0, 0.0, 0.0][k]);
        let hard = noisy_targets(hard, Task::Classification, &config, 1).unwrap();
        assert!(hard.rows().zip(noisy.rows()).all(|(hard, soft)| (hard[1] == 1.0) == (soft[1] == 0.5)));
    }

    #[test]
    fn classes_are_exchanged_for_others_at_the_rate_that_is_asked_for() {
        let (clean, noisy) = (split("yeast", 0.0).unwrap(), split("yeast", 0.3).unwrap());
        let n = clean.y_train.n_rows();
        assert!(noisy.y_train.rows().all(|row| row.iter().sum::<f64>() == 1.0));
        let n_changed = clean.y_train.rows().zip(noisy.y_train.rows()).filter(|(then, now)| then != now).count();
        // 1,187 rows or so: a standard error of 0.013; five of them.
        assert!((n_changed as f64 / n as f64 - 0.3).abs() < 0.067, "{n_changed} of {n}");
        assert!(split("yeast", 1.1).unwrap_err().to_string().contains("1.1 is no probability"));
        assert!(split("concrete", f64::NAN).is_err());
    }
}
