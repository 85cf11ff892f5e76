//! Products of matrices that lie in memory of someone else, in either number type.

use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::Element;

/// A matrix in the memory of someone else.
#[derive(Debug, Clone, Copy)]
pub struct View<'a, T> {
    values: &'a [T],
    n_rows: usize,
    n_cols: usize,
    row: usize,
    is_turned: bool,
}

impl<'a, T: Element> View<'a, T> {
    /// `n_rows` rows of `n_cols` numbers, `row` numbers from the beginning of one to that of the next.
    ///
    /// # Panics
    /// When `values` ends before the last row, as indexing does.
    #[must_use]
    pub fn new(values: &'a [T], n_rows: usize, n_cols: usize, row: usize) -> Self {
        let n = if n_rows == 0 { 0 } else { (n_rows - 1) * row + n_cols };
        Self { values: &values[..n], n_rows, n_cols, row: row.max(n_cols), is_turned: false }
    }

    /// The transpose, for which nothing moves.
    #[must_use]
    pub fn turned(self) -> Self {
        Self { is_turned: !self.is_turned, ..self }
    }

    /// Rows and columns.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        if self.is_turned { (self.n_cols, self.n_rows) } else { (self.n_rows, self.n_cols) }
    }

    fn as_faer(&self) -> MatRef<'a, T> {
        let rows = MatRef::from_row_major_slice_with_stride(self.values, self.n_rows, self.n_cols, self.row);
        if self.is_turned { rows.transpose() } else { rows }
    }
}

/// What a product does with the numbers in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// It takes their place.
    Replaced,
    /// It is added to them.
    Added,
}

/// Multiplications below which threads cost more than they do.
pub(super) const MIN_SHARED: usize = 192 * 192 * 192;

/// factor A B in `into`, row after row, by the threads of the present pool. A row is the same, bit for bit, however many threads there are,
/// and whatever other rows there are beside it, if there are any.
///
/// # Panics
/// When the shapes do not fit.
pub fn multiply<T: Element>(into: &mut [T], onto: Onto, factor: f64, a: View<'_, T>, b: View<'_, T>) {
    let ((m, k), (also_k, n)) = (a.shape(), b.shape());
    assert!(k == also_k && into.len() == m * n, "shapes of a product: {m} x {k}, {also_k} x {n}, {}", into.len());
    let accum = if onto == Onto::Added { Accum::Add } else { Accum::Replace };
    let (a, b) = (a.as_faer(), b.as_faer());
    let into = MatMut::from_row_major_slice_mut(into, m, n);
    let make = |into: MatMut<'_, T>, a: MatRef<'_, T>, b: MatRef<'_, T>| {
        faer::linalg::matmul::matmul(into, accum, a, b, T::of(factor), Par::Seq);
    };
    let n_threads = if m * n * k < MIN_SHARED { 1 } else { rayon::current_num_threads() };
    let (height, width) = piece::<T>((m, k, n), n_threads);
    if n_threads == 1 {
        let middle = width.min(n);
        let (first, last) = into.split_at_col_mut(middle);
        make(first, a, b.subcols(0, middle));
        if middle < n {
            make(last, a, b.subcols(middle, n - middle));
        }
        return;
    }
    into.par_col_chunks_mut(width).zip(b.par_col_chunks(width)).for_each(|(into, b)| {
        into.par_row_chunks_mut(height).zip(a.par_row_chunks(height)).for_each(|(into, a)| make(into, a, b));
    });
}

/// Rows and columns of the pieces in which `n_threads` make a product of m x k and k x n.
///
/// Threads share columns, if there are enough, so that each reads a part of B that is its own; sharing in faer, where the parts of each are
/// all over, takes a tenth longer. Of columns that are as many as eight registers of a vector unit each half is a piece: faer goes over them
/// by six registers, and what it does by two takes a quarter longer; unless A is read twice for it from afar. No piece is a column alone,
/// whose sums faer takes in another order.
fn piece<T>((m, k, n): (usize, usize, usize), n_threads: usize) -> (usize, usize) {
    let n_wide = (n / WIDE).clamp(1, n_threads);
    let n_high = (m / HIGH).min(m * n * k / LONG).clamp(1, n_threads.div_ceil(n_wide));
    let register = REGISTER / size_of::<T>();
    let mut width = n.div_ceil(n_wide).next_multiple_of(register).max(register);
    if width == 8 * register && k <= MAX_HALVED {
        width /= 2;
    }
    while n > width && n % width == 1 {
        width += register;
    }
    (m.div_ceil(n_high).max(1), width)
}

/// Columns, and rows, that a thread should have at least.
const WIDE: usize = 64;
const HIGH: usize = 128;

/// Multiplications for which it is worth while that each thread brings all of B into order for itself, where they share rows.
const LONG: usize = 1 << 27;

/// Bytes in a register of AVX-512.
const REGISTER: usize = 64;

/// Numbers in a row of A that lies in the cache; measured.
const MAX_HALVED: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    /// `[n_rows, n_cols]` with a gap of 3 behind every row.
    fn numbers<T: Element>(n_rows: usize, n_cols: usize) -> Vec<T> {
        (0..n_rows * (n_cols + 3)).map(|i| T::of((i as f64 * 0.7).sin())).collect()
    }

    fn entry<T: Element>(view: &View<'_, T>, i: usize, j: usize) -> f64 {
        let (i, j) = if view.is_turned { (j, i) } else { (i, j) };
        view.values[i * view.row + j].into()
    }

    fn differs_at_most_by<T: Element>(bound: f64) {
        for (m, k, n) in [
            (1, 1, 1),
            (5, 3, 4),
            (40, 33, 1),
            (1, 20, 30),
            (130, 70, 65),
            (9, 20, 64),
            (9, 20, 128),
            (0, 3, 4),
            (3, 0, 4),
        ] {
            for (turns_a, turns_b) in [(false, false), (false, true), (true, false), (true, true)] {
                let (a, b) = (numbers::<T>(m.max(k), k.max(m)), numbers::<T>(n.max(k), k.max(n)));
                let view = |values, n_rows: usize, n_cols: usize, turns| {
                    let (rows, cols) = if turns { (n_cols, n_rows) } else { (n_rows, n_cols) };
                    let view = View::new(values, rows, cols, cols + 3);
                    if turns { view.turned() } else { view }
                };
                let (a, b) = (view(&a, m, k, turns_a), view(&b, k, n, turns_b));
                let mut c = vec![T::of(2.0); m * n];
                multiply(&mut c, Onto::Added, -0.5, a, b);
                for (place, found) in c.into_iter().enumerate() {
                    let (i, j) = (place / n, place % n);
                    let sum: f64 = (0..k).map(|l| entry(&a, i, l) * entry(&b, l, j)).sum();
                    assert!((found.into() - (2.0 - 0.5 * sum)).abs() <= bound, "{m} {k} {n} {turns_a} {turns_b}");
                }
            }
        }
    }

    #[test]
    fn products_are_sums_of_products_whichever_way_the_factors_lie() {
        differs_at_most_by::<f64>(1e-13);
        differs_at_most_by::<f32>(1e-4);
    }

    #[test]
    fn a_row_depends_neither_on_the_others_nor_on_the_threads() {
        // Threads share columns, where 128 for one are halved, and none is left alone, or rows.
        let columns = [300, 128, 256, 321, 449].map(|n| (256, n, 256));
        for ((m, n, k), is_turned) in
            columns.into_iter().chain([(1100, 60, 4100)]).flat_map(|shape| [(shape, false), (shape, true)])
        {
            let (a, b) = (numbers::<f32>(m, k), numbers::<f32>(k.max(n), k.max(n)));
            let b = if is_turned { View::new(&b, n, k, k + 3).turned() } else { View::new(&b, k, n, n + 3) };
            let rows = |first: usize, n_rows: usize, n_threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
                let mut c = vec![0.0; n_rows * n];
                let a = View::new(&a[first * (k + 3)..], n_rows, k, k + 3);
                pool.install(|| multiply(&mut c, Onto::Replaced, 0.3, a, b));
                c
            };
            let all = rows(0, m, 1);
            for (first, n_rows, n_threads) in [(0, m, 2), (0, m, 4), (0, m, 5), (64, 64, 1), (100, 2, 2), (17, 130, 2)]
            {
                assert_eq!(rows(first, n_rows, n_threads)[..], all[first * n..(first + n_rows) * n]);
            }
        }
    }
}
