//! Which training rows a step sees.

use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::seed;

/// The rows of every step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Batches {
    /// All rows.
    #[default]
    Full,
    /// So many in a new random order every epoch, each row once; the last batch of an epoch has what is left.
    Shuffled(usize),
    /// So many drawn anew for every step, each from all rows.
    Drawn(usize),
    /// These lists in turn.
    #[serde(skip)]
    Listed(Vec<Vec<usize>>),
}

impl Batches {
    /// The rows of one batch, where it is not all of them.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::Full | Self::Listed(_) => None,
            Self::Shuffled(size) | Self::Drawn(size) => Some(*size),
        }
    }

    /// Refuses batches that `n_train` rows do not have.
    ///
    /// # Errors
    /// An empty batch, one larger than the data, a row that is not there.
    pub fn check(&self, n_train: usize) -> Result<()> {
        let refuse = |problem: String| {
            Err(Error::config("train.batches", problem, "use `batches = { shuffled = 32 }`, or \"full\""))
        };
        match (self, self.size()) {
            (_, Some(0)) => refuse("a batch of 0 rows".to_owned()),
            (_, Some(size)) if size > n_train => {
                refuse(format!("a batch of {size} rows is larger than the data, which have {n_train} for training"))
            }
            (Self::Listed(lists), _) if lists.is_empty() || lists.iter().any(Vec::is_empty) => {
                refuse("a batch of 0 rows".to_owned())
            }
            (Self::Listed(lists), _) => match lists.iter().flatten().find(|row| **row >= n_train) {
                Some(row) => refuse(format!("row {row} of {n_train}")),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// The rows of one step after the other; any step can be asked for, so that a resumed run draws what it would have drawn.
#[derive(Debug)]
pub(super) struct Sampler<'a> {
    batches: &'a Batches,
    n_train: usize,
    /// The root seed and the network's number.
    seed: (u64, u64),
    /// The epoch whose order is held.
    epoch: Option<usize>,
    order: Vec<usize>,
}

impl<'a> Sampler<'a> {
    pub(super) fn new(batches: &'a Batches, n_train: usize, seed: (u64, u64)) -> Self {
        Self { batches, n_train, seed, epoch: None, order: Vec::new() }
    }

    /// Whether the step is the first of an epoch: of as many rows as there are.
    pub(super) fn is_epoch(&self, step: usize) -> bool {
        let n_steps = match self.batches {
            Batches::Full => 1,
            Batches::Listed(lists) => lists.len(),
            Batches::Shuffled(size) | Batches::Drawn(size) => self.n_train.div_ceil(*size),
        };
        step.is_multiple_of(n_steps)
    }

    /// `None` for all rows.
    pub(super) fn rows(&mut self, step: usize) -> Option<Vec<usize>> {
        let (root, seed) = self.seed;
        match self.batches {
            Batches::Full => None,
            Batches::Listed(lists) => Some(lists[step % lists.len()].clone()),
            Batches::Drawn(size) => {
                let mut stream = seed::stream(root, &format!("batch/seed={seed}/step={step}"));
                Some((0..*size).map(|_| stream.random_range(0..self.n_train)).collect())
            }
            Batches::Shuffled(size) => {
                let per_epoch = self.n_train.div_ceil(*size);
                let epoch = step / per_epoch;
                if self.epoch != Some(epoch) {
                    self.epoch = Some(epoch);
                    self.order = (0..self.n_train).collect();
                    self.order.shuffle(&mut seed::stream(root, &format!("batches/seed={seed}/epoch={epoch}")));
                }
                let start = step % per_epoch * size;
                Some(self.order[start..(start + size).min(self.n_train)].to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_holds_every_row_once_and_steps_can_be_asked_for_in_any_order() {
        let batches = Batches::Shuffled(4);
        let mut sampler = Sampler::new(&batches, 10, (1, 0));
        let epoch: Vec<Vec<usize>> = (3..6).map(|step| sampler.rows(step).unwrap()).collect();
        let mut rows = epoch.concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..10).collect::<Vec<_>>());
        assert_eq!(Sampler::new(&batches, 10, (1, 0)).rows(4).unwrap(), epoch[1]);
        assert_ne!(Sampler::new(&batches, 10, (1, 1)).rows(4).unwrap(), epoch[1]);
        assert_ne!(sampler.rows(0), sampler.rows(3));
    }

    #[test]
    fn drawn_rows_repeat_and_shuffled_ones_do_not() {
        let batches = Batches::Drawn(9);
        let mut sampler = Sampler::new(&batches, 10, (1, 0));
        let n_distinct = |mut rows: Vec<usize>| {
            rows.sort_unstable();
            rows.dedup();
            rows.len()
        };
        // Nine of ten rows without a repetition have a chance of 10! / 10^9 = 0.004; in ten steps of 1e-24.
        assert!((0..10).any(|step| n_distinct(sampler.rows(step).unwrap()) < 9));
    }

    #[test]
    fn batches_larger_than_the_data_are_refused_with_both_numbers() {
        let message = Batches::Drawn(11).check(10).unwrap_err().to_string();
        assert!(message.contains("11 rows") && message.contains("10 for training"), "{message}");
        assert!(Batches::Shuffled(0).check(10).is_err());
        assert!(Batches::Listed(vec![vec![10]]).check(10).is_err());
    }
}
