//! The training rows in parts, each of which is left out once.

use rand::seq::SliceRandom;

use crate::error::{Error, Result};
use crate::seed::stream;

/// A partition of `n` rows into at least two parts, none empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    n: usize,
    parts: Vec<Vec<usize>>,
}

impl Folds {
    /// Parts chosen by hand, such as one per group of inputs that belong together.
    ///
    /// # Errors
    /// [`Error::Config`] naming the row that is missing, repeated or past the end; fewer than two parts, or an empty one.
    pub fn given(n: usize, parts: Vec<Vec<usize>>) -> Result<Self> {
        let refuse = |problem: String| Err(Error::config("folds", problem, "give each row to exactly one part"));
        if parts.len() < 2 || parts.iter().any(Vec::is_empty) {
            return refuse(format!(
                "{} parts of sizes {:?}",
                parts.len(),
                parts.iter().map(Vec::len).collect::<Vec<_>>()
            ));
        }
        let mut is_seen = vec![false; n];
        for &row in parts.iter().flatten() {
            match is_seen.get_mut(row) {
                None => return refuse(format!("row {row} of {n} rows")),
                Some(true) => return refuse(format!("row {row} is in two parts")),
                Some(seen) => *seen = true,
            }
        }
        match is_seen.iter().position(|seen| !seen) {
            Some(row) => refuse(format!("row {row} is in no part")),
            None => Ok(Self { n, parts }),
        }
    }

    /// `n_folds` parts whose sizes differ by at most one, drawn by the stream "folds": the same for every kernel compared.
    ///
    /// # Errors
    /// [`Error::Config`] when there are fewer than two parts, or more than rows.
    pub fn drawn(n: usize, n_folds: usize, root_seed: u64) -> Result<Self> {
        if n_folds < 2 || n_folds > n {
            let problem = format!("{n_folds} parts of {n} rows");
            return Err(Error::config("regress.select.k-fold", problem, format!("use between 2 and {n} parts")));
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut stream(root_seed, "folds"));
        let part = |fold: usize| order[fold * n / n_folds..(fold + 1) * n / n_folds].to_vec();
        Ok(Self { n, parts: (0..n_folds).map(part).collect() })
    }

    /// Every row alone.
    ///
    /// # Errors
    /// [`Error::Config`] when there are fewer than two rows.
    pub fn of_one_row(n: usize) -> Result<Self> {
        Self::given(n, (0..n).map(|row| vec![row]).collect())
    }

    /// How many rows there are.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n
    }

    /// The rows of each part.
    #[must_use]
    pub fn parts(&self) -> &[Vec<usize>] {
        &self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_folds_are_a_partition_of_even_sizes_that_repeats() {
        for (n, n_folds) in [(10, 3), (7, 7), (100, 10), (2, 2)] {
            let folds = Folds::drawn(n, n_folds, 4).unwrap();
            assert_eq!(Folds::given(n, folds.parts().to_vec()).unwrap(), folds);
            assert_eq!(Folds::drawn(n, n_folds, 4).unwrap(), folds);
            let sizes: Vec<usize> = folds.parts().iter().map(Vec::len).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
        assert_ne!(Folds::drawn(100, 10, 4).unwrap(), Folds::drawn(100, 10, 5).unwrap());
    }

    #[test]
    fn what_is_no_partition_is_refused_with_the_row() {
        let refused = |parts: &[&[usize]]| {
            Folds::given(4, parts.iter().map(|part| part.to_vec()).collect()).unwrap_err().to_string()
        };
        assert!(refused(&[&[0, 1], &[2]]).contains("row 3 is in no part"));
        assert!(refused(&[&[0, 1], &[2, 3, 1]]).contains("row 1 is in two parts"));
        assert!(refused(&[&[0, 1], &[2, 3, 4]]).contains("row 4 of 4"));
        assert!(refused(&[&[0, 1, 2, 3], &[]]).contains("2 parts of sizes [4, 0]"));
        assert!(Folds::drawn(5, 1, 0).is_err() && Folds::drawn(5, 6, 0).is_err() && Folds::of_one_row(1).is_err());
    }
}
