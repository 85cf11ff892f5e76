//! Turning matrices around: transposes, and the upper triangle of a symmetric matrix from its lower one.
//!
//! Both go by squares of 16 numbers, because a column of a large matrix touches another line of the cache, and another page of memory, for
//! every number.

use rayon::prelude::*;

/// The side of the squares: the numbers of f32 on a line of the cache.
const SIDE: usize = 16;

/// The transpose of row-major `values` with `n_columns` in a row.
#[must_use]
pub(super) fn transpose<T: Copy + Default + Send + Sync>(values: &[T], n_columns: usize) -> Vec<T> {
    let n_rows = values.len() / n_columns.max(1);
    let mut turned = vec![T::default(); values.len()];
    turned.par_chunks_mut((SIDE * n_rows).max(1)).enumerate().for_each(|(band, into)| {
        turn((values, n_columns, 0..n_rows, band * SIDE), (into, n_rows, 0), &|value| value);
    });
    turned
}

/// Writes the transpose of row-major `values`, number by number through `convert`, from the column `at` on into the rows of `into`, `row`
/// numbers each.
///
/// # Panics
/// When it does not fit, as indexing does.
pub fn transpose_into<S: Copy + Default, T: Copy + Default>(
    values: &[S],
    into: &mut [T],
    (row, at): (usize, usize),
    convert: impl Fn(S) -> T,
) {
    let n_columns = into.len() / row.max(1);
    let n_rows = values.len() / n_columns.max(1);
    for (band, into) in into.chunks_mut((SIDE * row).max(1)).enumerate() {
        turn((values, n_columns, 0..n_rows, band * SIDE), (into, row, at), &convert);
    }
}

/// Writes the entries above the diagonal of the row-major square matrix `values` from those below.
pub fn mirror_lower<T: Copy + Default + Send + Sync>(values: &mut [T], n: usize) {
    mirror(values, n, 0..n);
}

/// The rows and columns `range` alone; `values` are those rows.
fn mirror<T: Copy + Default + Send + Sync>(values: &mut [T], n: usize, range: std::ops::Range<usize>) {
    if range.len() <= SIDE {
        for i in 0..range.len() {
            for j in 0..i {
                values[j * n + range.start + i] = values[i * n + range.start + j];
            }
        }
        return;
    }
    // The upper half of the rows gets its right part from the left part of the lower half, and each half the rest from itself.
    let half = (range.len() / 2).next_multiple_of(SIDE);
    let (upper, lower) = values.split_at_mut(half * n);
    let middle = range.start + half;
    upper.par_chunks_mut(SIDE * n).enumerate().for_each(|(band, into)| {
        turn((&*lower, n, 0..range.end - middle, range.start + band * SIDE), (into, n, middle), &|value| value);
    });
    rayon::join(|| mirror(upper, n, range.start..middle), || mirror(lower, n, middle..range.end));
}

/// Writes the columns from `first` on of some rows, at most [`SIDE`] of them, as the rows of `into`, from its column `at` on.
fn turn<S: Copy + Default, T: Copy + Default>(
    (from, n_columns, rows, first): (&[S], usize, std::ops::Range<usize>, usize),
    (into, n_into, at): (&mut [T], usize, usize),
    convert: &impl Fn(S) -> T,
) {
    let width = into.len() / n_into.max(1);
    for start in rows.clone().step_by(SIDE) {
        let height = SIDE.min(rows.end - start);
        let mut square = [[S::default(); SIDE]; SIDE];
        for (i, row) in from[start * n_columns..].chunks(n_columns).take(height).enumerate() {
            for (column, value) in square.iter_mut().zip(&row[first..first + width]) {
                column[i] = *value;
            }
        }
        let at = at + start - rows.start;
        for (row, column) in into.chunks_exact_mut(n_into).zip(&square) {
            row[at..at + height].iter_mut().zip(column).for_each(|(to, from)| *to = convert(*from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposes_of_every_shape_are_exact() {
        for (n_rows, n_columns) in [(1, 1), (0, 0), (3, 50), (16, 16), (35, 18), (100, 1)] {
            let values: Vec<f32> = (0..n_rows * n_columns).map(|k| k as f32).collect();
            let mut turned = vec![-1.0_f64; n_columns * (n_rows + 5)];
            transpose_into(&values, &mut turned, (n_rows + 5, 2), |value| 2.0 * f64::from(value));
            for (place, found) in turned.into_iter().enumerate() {
                let (j, i) = (place / (n_rows + 5), place % (n_rows + 5));
                let is_inside = (2..n_rows + 2).contains(&i);
                assert_eq!(found, if is_inside { 2.0 * ((i - 2) * n_columns + j) as f64 } else { -1.0 });
            }
        }
    }

    #[test]
    fn the_upper_triangle_becomes_the_lower_one_at_every_size() {
        for n in [0, 1, 2, 15, 16, 17, 47, 48, 150] {
            let mut values: Vec<f64> =
                (0..n * n).map(|k| if k % n.max(1) <= k / n.max(1) { k as f64 } else { f64::NAN }).collect();
            mirror_lower(&mut values, n);
            for i in 0..n {
                for j in 0..n {
                    assert_eq!(values[i * n + j], (i.max(j) * n + i.min(j)) as f64, "{n}: {i} {j}");
                }
            }
        }
    }
}
