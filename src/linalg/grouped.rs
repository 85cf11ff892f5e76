//! Products with rows in groups, where all rows of a group are zero in the same columns.
//!
//! So are the derivatives of several outputs at one input on their way back through a rectifier: half of the hidden units are inactive
//! there, whichever output it is. A dense product multiplies with these zeros. Here they are left out, at the rate of a dense product
//! for the rest: the rows of a group are multiplied together, so that each number that is read of B serves all of them.

use std::ops::Range;

use bytemuck::Pod;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::product::{MIN_SHARED, multiply};
use super::{Element, Onto, View, transpose_into};

/// How rows come in groups: sets of `n_interleaved` groups, row by row, follow one another.
#[derive(Debug, Clone, Copy)]
pub struct Groups {
    /// Rows of a group.
    pub n_rows: usize,
    /// Groups of a set: its first rows are the first of each group.
    pub n_interleaved: usize,
}

impl Groups {
    /// The place of a row of a group among all rows.
    #[inline(always)]
    fn place(self, group: usize, row: usize) -> usize {
        (group / self.n_interleaved * self.n_rows + row) * self.n_interleaved + group % self.n_interleaved
    }

    /// Flags the columns of A `[m, k]` in which a row of the group is not zero, with ones among zeros.
    #[inline(always)]
    fn flag<T: Element>(self, is_active: &mut [T], a: &[T], k: usize, group: usize) {
        let (zero, one) = (T::default(), T::of(1.0));
        is_active.fill(zero);
        for row in 0..self.n_rows {
            let pairs = is_active.iter_mut().zip(&a[self.place(group, row) * k..][..k]);
            pairs.for_each(|(is_active, value)| *is_active = if *value == zero { *is_active } else { one });
        }
    }
}

/// factor A B^T in `into`, row after row, with A `[m, k]` whose rows come in `groups`, and B `[n, k]`, both row after row. What B has in columns
/// that are left out does not count, even if it is not finite. They are left out if the first groups have enough zeros; on x86-64 [`multiply`] adds
/// up in the same order, so that the numbers are the same.
///
/// # Panics
/// When the shapes do not fit, or k is 0.
pub fn multiply_groups<T: Element + Pod>(into: &mut [T], factor: f64, a: &[T], b: &[T], k: usize, groups: Groups) {
    let (m, n) = (a.len() / k, b.len() / k);
    assert!(a.len() == m * k && b.len() == n * k && into.len() == m * n, "shapes of a product: {m} x {k}, {n} x {k}");
    let set = groups.n_rows * groups.n_interleaved;
    let is_grouped = set > 0 && m.is_multiple_of(set) && n > 0;
    if !is_grouped || groups.n_rows < LEAST_ROWS || k < LEAST_COLUMNS || !has_zeros(a, k, groups) {
        return multiply(into, Onto::Replaced, factor, View::new(a, m, k, k), View::new(b, n, k, k).turned());
    }
    let n_threads = if m * n * k < MIN_SHARED { 1 } else { rayon::current_num_threads() };
    let share = (m / set).div_ceil(n_threads).max(LEAST_SHARED.div_ceil(set)) * set;
    into.par_chunks_mut(share * n).zip(a.par_chunks(share * k)).for_each(|(into, a)| {
        Arch::new().dispatch(Product { into, n, factor: T::of(factor), a, b, k, groups });
    });
}

/// Rows for which it is worth while that a thread turns B for itself.
const LEAST_SHARED: usize = 128;

/// Rows of a group below which the sums of a block are too few to keep a vector unit busy.
const LEAST_ROWS: usize = 3;

/// Columns of A below which there is too little to leave out.
const LEAST_COLUMNS: usize = 64;

/// Whether the first groups have enough.
fn has_zeros<T: Element>(a: &[T], k: usize, groups: Groups) -> bool {
    let n_groups = (a.len() / (groups.n_rows * k)).min(LOOKED_AT);
    let mut is_active = vec![T::default(); k];
    let n_active = (0..n_groups).map(|group| {
        groups.flag(&mut is_active, a, k, group);
        is_active.iter().filter(|is_active| **is_active != T::default()).count()
    });
    (n_active.sum::<usize>() as f64) < MOST_ACTIVE * (n_groups * k) as f64
}

/// Groups that are looked at, and the share of their columns that may be without zeros.
const LOOKED_AT: usize = 4;
const MOST_ACTIVE: f64 = 0.75;

/// The product, as a value that is compiled for every set of vector instructions.
struct Product<'a, T> {
    into: &'a mut [T],
    n: usize,
    factor: T,
    a: &'a [T],
    b: &'a [T],
    k: usize,
    groups: Groups,
}

/// Vectors that a block of the product is wide.
const VECTORS: usize = 2;

/// Columns of A that are added up before their sum is added to those of the others, as faer does it.
const AT_ONCE: usize = 512;

/// Rows of a block at most: with as many sums, and what they are made of, it fits into the registers of AVX-512.
const MOST_ROWS: usize = 12;

impl<T: Element + Pod> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { into, n, factor, a, b, k, groups } = self;
        let most_rows = MOST_ROWS.min(S::REGISTER_COUNT / VECTORS - 2);
        let a = Active::of(a, k, groups, groups.n_rows.div_ceil(groups.n_rows.div_ceil(most_rows)));
        let width = VECTORS * size_of::<T::SimdVec<S>>() / size_of::<T>();
        let mut panel = vec![T::default(); k * width];
        for (number, rows_of_b) in b.chunks(width * k).enumerate() {
            // The last panel may keep columns of the one before, which no block puts anywhere.
            transpose_into(rows_of_b, &mut panel, (width, 0), |value| value);
            let (panel, _) = bytemuck::cast_slice::<T, T::SimdVec<S>>(&panel).as_chunks();
            for part in &a.parts {
                let block = Block {
                    simd,
                    panel,
                    factor,
                    active: &a.columns[part.columns.clone()],
                    values: &a.values[part.values.clone()],
                    into: &mut into[part.row * n..],
                    distance: groups.n_interleaved * n,
                    columns: number * width..(number * width + width).min(n),
                };
                block.put(part.n_rows);
            }
        }
    }
}

/// What is left of A without the columns in which groups are zero.
struct Active<T> {
    parts: Vec<Part>,
    columns: Vec<u32>,
    values: Vec<T>,
}

/// Rows of a group that are multiplied at once.
struct Part {
    /// The first one's place in A.
    row: usize,
    n_rows: usize,
    /// Where the group's columns are, and their values, with all of the rows side by side.
    columns: Range<usize>,
    values: Range<usize>,
}

impl<T: Element> Active<T> {
    /// In parts of at most `height` rows.
    #[inline(always)]
    fn of(a: &[T], k: usize, groups: Groups, height: usize) -> Self {
        let n_rows = groups.n_rows;
        let (mut parts, mut n_columns, mut n_values) = (Vec::new(), 0, 0);
        let (mut columns, mut values) = (vec![0; a.len() / n_rows], vec![T::default(); a.len()]);
        let mut is_active = vec![T::default(); k];
        for group in 0..a.len() / (n_rows * k) {
            groups.flag(&mut is_active, a, k, group);
            let start = n_columns;
            for (column, is_active) in is_active.iter().enumerate() {
                // Without a branch, which nothing could foresee: what is left out is written over.
                columns[n_columns] = column as u32;
                n_columns += usize::from(*is_active != T::default());
            }
            let active = start..n_columns;
            for first in (0..n_rows).step_by(height) {
                let n_now = height.min(n_rows - first);
                let part = n_values..n_values + n_now * active.len();
                let into = &mut values[part.clone()];
                for number in 0..n_now {
                    let row = &a[groups.place(group, first + number) * k..][..k];
                    for (column, into) in columns[active.clone()].iter().zip(into.chunks_exact_mut(n_now)) {
                        into[number] = row[*column as usize];
                    }
                }
                n_values = part.end;
                let row = groups.place(group, first);
                parts.push(Part { row, n_rows: n_now, columns: active.clone(), values: part });
            }
        }
        Self { parts, columns, values }
    }
}

/// A block of the product: the rows of a part, as wide as a panel.
struct Block<'a, S: Simd, T: Element> {
    simd: S,
    /// Column by column of A, what B has there.
    panel: &'a [[T::SimdVec<S>; VECTORS]],
    factor: T,
    /// Columns of A, and the rows' values there.
    active: &'a [u32],
    values: &'a [T],
    /// From the first row on, with so many numbers from one to the next, in these columns.
    into: &'a mut [T],
    distance: usize,
    columns: Range<usize>,
}

impl<S: Simd, T: Element + Pod> Block<'_, S, T> {
    #[inline(always)]
    fn put(self, n_rows: usize) {
        match n_rows {
            1 => self.put_rows::<1>(),
            2 => self.put_rows::<2>(),
            3 => self.put_rows::<3>(),
            4 => self.put_rows::<4>(),
            5 => self.put_rows::<5>(),
            6 => self.put_rows::<6>(),
            7 => self.put_rows::<7>(),
            8 => self.put_rows::<8>(),
            9 => self.put_rows::<9>(),
            10 => self.put_rows::<10>(),
            11 => self.put_rows::<11>(),
            _ => self.put_rows::<MOST_ROWS>(),
        }
    }

    #[inline(always)]
    fn put_rows<const R: usize>(self) {
        let Self { simd, panel, factor, active, values, into, distance, columns } = self;
        let simd = T::simd_ctx(simd);
        let factor = T::simd_splat(&simd, &factor);
        let zeros = [[T::simd_splat(&simd, &T::default()); VECTORS]; R];
        let (mut whole, mut rest) = (zeros, (active, values.as_chunks::<R>().0));
        for end in (0..panel.len()).step_by(AT_ONCE).map(|start| start + AT_ONCE) {
            let n_now = rest.0.partition_point(|column| (*column as usize) < end);
            let ((active, later), (values, of_later)) = (rest.0.split_at(n_now), rest.1.split_at(n_now));
            rest = (later, of_later);
            let mut sums = zeros;
            for (column, values) in active.iter().zip(values) {
                let of_b = panel[*column as usize];
                for (sums, value) in sums.iter_mut().zip(values) {
                    let value = T::simd_splat(&simd, value);
                    sums.iter_mut().zip(of_b).for_each(|(sum, b)| *sum = T::simd_mul_add(&simd, value, b, *sum));
                }
            }
            for (whole, sum) in whole.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
                *whole = T::simd_add(&simd, *whole, T::simd_mul(&simd, factor, *sum));
            }
        }
        for (sums, into) in whole.into_iter().zip(into.chunks_mut(distance)) {
            let into = &mut into[columns.clone()];
            match bytemuck::try_cast_slice_mut::<T, [T::SimdVec<S>; VECTORS]>(into) {
                Ok([whole]) => *whole = sums,
                _ => into.copy_from_slice(&bytemuck::cast_slice(&sums)[..columns.len()]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of which each group is zero in a share of its columns.
    fn rows<T: Element>(n_sets: usize, groups: Groups, k: usize, zeros: f64) -> Vec<T> {
        let Groups { n_rows, n_interleaved } = groups;
        let number = |i: usize| {
            let (row, column) = (i / k, i % k);
            let group = row / (n_rows * n_interleaved) * n_interleaved + row % n_interleaved;
            let is_zero = ((group * 37 + column * 11) as f64).sin().mul_add(0.5, 0.5) < zeros;
            T::of(if is_zero { 0.0 } else { (i as f64 * 0.7).sin() })
        };
        (0..n_sets * n_rows * n_interleaved * k).map(number).collect()
    }

    fn differs_at_most_by<T: Element + Pod>(bound: f64) {
        for (n_rows, n_interleaved, k, n, zeros) in [
            (10, 1, 100, 70, 0.5),
            (3, 1, 64, 16, 0.7),
            (13, 4, 65, 33, 0.5),
            (30, 1, 80, 1, 0.9),
            (5, 2, 100, 20, 0.1),
            (2, 1, 70, 9, 0.5),
        ] {
            let groups = Groups { n_rows, n_interleaved };
            let (a, b) = (rows::<T>(9, groups, k, zeros), rows::<T>(n, Groups { n_rows: 1, n_interleaved: 1 }, k, 0.0));
            let mut c = vec![T::of(7.0); a.len() / k * n];
            multiply_groups(&mut c, -0.5, &a, &b, k, groups);
            for (place, found) in c.into_iter().enumerate() {
                let (i, j) = (place / n, place % n);
                let sum: f64 = (0..k).map(|l| a[i * k + l].into() * b[j * k + l].into()).sum();
                assert!((found.into() + 0.5 * sum).abs() <= bound, "{n_rows} {n_interleaved} {k} {n} {zeros}: {i} {j}");
            }
        }
    }

    #[test]
    fn a_product_without_its_zeros_is_the_product() {
        differs_at_most_by::<f64>(1e-13);
        differs_at_most_by::<f32>(1e-4);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn leaving_out_changes_no_bit() {
        fn check<T: Element + Pod>() {
            for k in [100, 512, 1100] {
                let groups = Groups { n_rows: 5, n_interleaved: 1 };
                let (a, b) = (rows::<T>(9, groups, k, 0.5), rows::<T>(70, Groups { n_rows: 1, ..groups }, k, 0.0));
                let [mut left_out, mut dense] = [(); 2].map(|()| vec![T::default(); 45 * 70]);
                multiply_groups(&mut left_out, 0.3, &a, &b, k, groups);
                let views = (View::new(&a, 45, k, k), View::new(&b, 70, k, k).turned());
                multiply(&mut dense, Onto::Replaced, 0.3, views.0, views.1);
                assert!(left_out == dense, "{k}");
            }
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn what_is_not_a_number_is_no_zero() {
        let groups = Groups { n_rows: 4, n_interleaved: 1 };
        let mut a = rows::<f64>(8, groups, 80, 0.6);
        let b = rows::<f64>(20, Groups { n_rows: 1, n_interleaved: 1 }, 80, 0.0);
        a[6 * 80 + 3] = f64::NAN;
        let mut c = vec![0.0; 32 * 20];
        multiply_groups(&mut c, 1.0, &a, &b, 80, groups);
        assert!(c.chunks(20).enumerate().all(|(i, row)| row.iter().all(|value| value.is_nan() == (i == 6))));
    }

    #[test]
    fn columns_are_left_out_where_all_rows_of_a_group_are_zero() {
        let groups = Groups { n_rows: 2, n_interleaved: 2 };
        // Two groups side by side: rows 0 and 2, rows 1 and 3.
        let a = [0.0, 1.0, 2.0, 6.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 5.0, 0.0];
        let Active { parts, columns, values } = Active::of(&a, 3, groups, 2);
        let found: Vec<_> =
            parts.into_iter().map(|part| (part.row, &columns[part.columns], &values[part.values])).collect();
        let expected: [(_, &[u32], &[f64]); 2] =
            [(0, &[1, 2], &[1.0, 3.0, 2.0, 0.0]), (1, &[0, 1], &[6.0, 0.0, 0.0, 5.0])];
        assert_eq!(found, expected);
        assert!(has_zeros(&a, 3, groups) && !has_zeros(&a, 3, Groups { n_rows: 4, n_interleaved: 1 }));
    }
}
