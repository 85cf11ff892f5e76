//! Rows with identical inputs: found, reported, and merged into one with the mean target.
//!
//! Two equal inputs are two equal rows of every kernel matrix, which makes it singular; and split apart they put the
//! same input into the training and the test part.

use std::collections::HashMap;

use super::config::RepeatedInputs;
use super::dataset::{Dataset, Task};
use crate::linalg::Matrix;

/// The rows of a data set in which repeated inputs are dealt with.
#[derive(Debug)]
pub(super) struct Settled {
    /// `[n, d_in]`.
    pub(super) inputs: Matrix,
    /// `[n, d_out]`.
    pub(super) targets: Matrix,
    /// What was repeated, and what became of it, in a sentence.
    pub(super) note: Option<String>,
}

/// Deals with the repeated inputs of `dataset` by `choice`.
pub(super) fn settle(dataset: &Dataset, choice: RepeatedInputs) -> Settled {
    let groups = groups_of_equal_rows(&dataset.inputs);
    let n_repeated = dataset.n_rows() - groups.len();
    if n_repeated == 0 {
        return Settled { inputs: dataset.inputs.clone(), targets: dataset.targets.clone(), note: None };
    }
    let n_contradictory = groups.iter().filter(|group| differ(&dataset.targets, group)).count();
    let found = format!(
        "{n_repeated} of {} rows repeat the inputs of an earlier row, and {n_contradictory} of the repeated inputs \
         have different targets",
        dataset.n_rows()
    );
    match choice {
        RepeatedInputs::Keep => {
            let note = format!(
                "{found}. All rows were kept: the kernel matrix can be singular, and an input can be both in the \
                 training and in the test part."
            );
            Settled { inputs: dataset.inputs.clone(), targets: dataset.targets.clone(), note: Some(note) }
        }
        RepeatedInputs::Average => {
            let firsts: Vec<usize> = groups.iter().map(|group| group[0]).collect();
            let targets = Matrix::from_fn(groups.len(), dataset.targets.n_cols(), |i, k| {
                mean(groups[i].iter().map(|&row| dataset.targets[(row, k)]))
            });
            let target = match dataset.task {
                Task::Regression => "the mean target",
                Task::Classification => "the shares of their labels as its target",
            };
            let note = format!(
                "{found}. Rows with the same inputs were merged into one with {target}, which leaves {} rows.",
                groups.len()
            );
            Settled { inputs: dataset.inputs.select_rows(&firsts), targets, note: Some(note) }
        }
    }
}

/// How many rows equal an earlier one.
pub(super) fn n_repeated_rows(inputs: &Matrix) -> usize {
    inputs.n_rows() - groups_of_equal_rows(inputs).len()
}

/// The rows of each distinct input, in the order of first appearance.
fn groups_of_equal_rows(inputs: &Matrix) -> Vec<Vec<usize>> {
    let mut group_of: HashMap<Vec<u64>, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (row, input) in inputs.rows().enumerate() {
        // Adding 0 turns -0 into 0, which is the same input in other bits.
        let bits = input.iter().map(|v| (v + 0.0).to_bits()).collect();
        let group = *group_of.entry(bits).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(row);
    }
    groups
}

fn differ(targets: &Matrix, group: &[usize]) -> bool {
    group.iter().any(|&row| targets.row(row) != targets.row(group[0]))
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_inputs_become_one_row_with_the_mean_target() {
        let inputs = Matrix::from_vec(4, 1, vec![0.0, 1.0, -0.0, 2.0]).unwrap();
        let targets = Matrix::from_vec(4, 1, vec![1.0, 5.0, 3.0, 7.0]).unwrap();
        let named = |name: &str, values| (vec![name.to_string()], values);
        let dataset = Dataset::new("four", "", Task::Regression, named("x", inputs), named("y", targets)).unwrap();

        let Settled { inputs, targets, note } = settle(&dataset, RepeatedInputs::Average);
        assert_eq!(inputs.values(), [0.0, 1.0, 2.0]);
        assert_eq!(targets.values(), [2.0, 5.0, 7.0]);
        assert!(note.unwrap().contains("1 of 4 rows repeat the inputs of an earlier row, and 1 of the"));

        let Settled { inputs, note, .. } = settle(&dataset, RepeatedInputs::Keep);
        assert_eq!(inputs, dataset.inputs);
        assert!(note.unwrap().contains("All rows were kept"));
    }
}
