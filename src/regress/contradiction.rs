//! Inputs that the kernel cannot tell apart and whose targets differ: without a ridge, no function of its space fits them.
//!
//! In the kernel's feature space two inputs are sqrt(K_ii + K_jj - 2 K_ij) apart. Where that is 0, so is the difference of their rows,
//! because |K_ik - K_jk|^2 <= (K_ii + K_jj - 2 K_ij) K_kk.

use serde::{Deserialize, Serialize};

use super::problem::require_targets;
use crate::error::Result;
use crate::linalg::{GramMatrix, Matrix};

/// Two training inputs with one kernel row and two targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The first row of the kernel with this input.
    pub first: usize,
    /// The later row.
    pub second: usize,
    /// The largest difference of their targets over outputs.
    pub gap: f64,
}

/// Every row that repeats an earlier one, to the rounding of its entries, with another target.
///
/// `epsilon` is the machine epsilon of the number type that the kernel was computed in.
///
/// # Errors
/// [`Error::Shape`](crate::error::Error::Shape); [`Error::NotFinite`](crate::error::Error::NotFinite) of a target.
pub fn contradictions(k_train_train: &GramMatrix, y_train: &Matrix, epsilon: f64) -> Result<Vec<Contradiction>> {
    require_targets(k_train_train, y_train)?;
    let gap = |i: usize, j: usize| {
        let differences = y_train.row(i).iter().zip(y_train.row(j)).map(|(a, b)| (a - b).abs());
        differences.fold(0.0, f64::max)
    };
    let found = (0..k_train_train.n()).filter_map(|second| {
        let first = first_twin(k_train_train, second, epsilon)?;
        Some(Contradiction { first, second, gap: gap(first, second) })
    });
    Ok(found.filter(|contradiction| contradiction.gap > 0.0).collect())
}

/// Each entry is off by a few units of rounding, of which this leaves room for.
const ROOM: f64 = 8.0;

fn first_twin(gram: &GramMatrix, row: usize, epsilon: f64) -> Option<usize> {
    let own = gram[(row, row)];
    let values = &gram.as_matrix().row(row)[..row];
    values.iter().enumerate().position(|(j, value)| {
        let sum = own + gram[(j, j)];
        sum - 2.0 * value <= ROOM * epsilon * sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_inputs_with_other_targets_are_named_and_those_with_the_same_are_not() {
        let x = [0.3_f64, 1.0, 0.3, 2.0, 1.0, 0.3];
        let k = GramMatrix::from_lower(6, |i, j| (-(x[i] - x[j]).abs()).exp());
        let y = Matrix::from_fn(6, 2, |i, o| {
            [[1.0, 2.0], [3.0, 4.0], [1.0, 2.5], [0.0, 0.0], [3.0, 4.0], [1.0, 2.0]][i][o]
        });
        let found = contradictions(&k, &y, f64::EPSILON).unwrap();
        assert_eq!(found, [Contradiction { first: 0, second: 2, gap: 0.5 }]);
    }

    #[test]
    fn close_inputs_that_a_rough_kernel_tells_apart_do_not_contradict() {
        let k = GramMatrix::from_lower(2, |i, j| (-1e-9 * i.abs_diff(j) as f64).exp());
        let y = Matrix::from_fn(2, 1, |i, _| i as f64);
        assert_eq!(contradictions(&k, &y, f64::EPSILON).unwrap(), []);
        assert_eq!(contradictions(&k, &y, f64::from(f32::EPSILON)).unwrap().len(), 1);
    }
}
