//! A kernel matrix that is never whole: products with it from parts that are made, used and forgotten.
//!
//! Every pair of inputs is computed once and counts twice. The parts can also be kept in single precision, which takes 2 n^2 bytes, a quarter
//! of the matrix; products are then bound by the speed of memory, not by the kernel. What single precision costs the solution is found and
//! mended by [`regress`](crate::regress), with products of full precision.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Kernel;
use crate::error::Result;
use crate::linalg::{Entries, Matrix, Operator, add_both_products, add_product};

/// The kernel on all pairs within some inputs, as an [`Operator`].
pub struct ImplicitGram<'a> {
    kernel: &'a (dyn Kernel + Sync),
    x: &'a Matrix,
    groups: Vec<Group>,
    keeps: bool,
    watch: &'a (dyn Fn(f64) -> Result<()> + Sync),
}

/// Some parts, whose products are summed in order: so the sum depends on no thread.
struct Group {
    parts: Vec<(Range<usize>, Range<usize>)>,
    kept: OnceLock<Vec<f32>>,
}

/// Rows and columns of a part: it stays in the second cache.
const SIDE: usize = 256;

/// Groups have a sum of their own each, so they are few; each thread takes several.
const N_GROUPS: usize = 64;

impl<'a> ImplicitGram<'a> {
    /// Of `kernel` on `x` `[n, d_in]`.
    #[must_use]
    pub fn new(kernel: &'a (dyn Kernel + Sync), x: &'a Matrix) -> Self {
        let n = x.n_rows();
        let bands: Vec<Range<usize>> = (0..n).step_by(SIDE).map(|start| start..(start + SIDE).min(n)).collect();
        let mut parts = Vec::new();
        for (i, rows) in bands.iter().enumerate() {
            parts.extend(bands[..=i].iter().map(|columns| (rows.clone(), columns.clone())));
        }
        let size = parts.len().div_ceil(N_GROUPS).max(1);
        let groups = parts.chunks(size).map(|parts| Group { parts: parts.to_vec(), kept: OnceLock::new() }).collect();
        Self { kernel, x, groups, keeps: false, watch: &|_| Ok(()) }
    }

    /// The same matrix rounded to single precision, whose parts are kept from the first product on.
    #[must_use]
    pub fn kept(self) -> Self {
        Self { keeps: true, ..self }
    }

    /// `watch` is told of every product how much of 1 is done, from any thread, and may end it with an error.
    #[must_use]
    pub fn watched(self, watch: &'a (dyn Fn(f64) -> Result<()> + Sync)) -> Self {
        Self { watch, ..self }
    }

    /// Bytes that keeping `n` inputs takes.
    #[must_use]
    pub fn kept_bytes(n: usize) -> f64 {
        let n_bands = n.div_ceil(SIDE) as f64;
        4.0 * 0.5 * n_bands * (n_bands + 1.0) * (SIDE * SIDE) as f64
    }

    fn rows_of(&self, rows: &Range<usize>) -> Matrix {
        Matrix::from_fn(rows.len(), self.x.n_cols(), |i, j| self.x[(rows.start + i, j)])
    }

    fn part(&self, (rows, columns): &(Range<usize>, Range<usize>)) -> Result<Matrix> {
        if rows == columns {
            return Ok(self.kernel.gram(&self.rows_of(rows))?.into_matrix());
        }
        self.kernel.cross_gram(&self.rows_of(rows), &self.rows_of(columns))
    }

    /// The sum of one group's products with the columns `v`, column by column.
    fn group_times(
        &self,
        group: &Group,
        v: &[Vec<f64>],
        tell: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<Vec<Vec<f64>>> {
        let mut sums = vec![vec![0.0; self.x.n_rows()]; v.len()];
        if !self.keeps {
            for part in &group.parts {
                add(part, self.part(part)?.values(), v, &mut sums);
                tell()?;
            }
            return Ok(sums);
        }
        if group.kept.get().is_none() {
            let mut kept = Vec::new();
            for part in &group.parts {
                kept.extend(self.part(part)?.values().iter().map(|value| *value as f32));
                tell()?;
            }
            // Another product may have been as fast; both hold the same numbers.
            let _ = group.kept.set(kept);
        }
        let mut rest = group.kept.get().map_or(&[][..], Vec::as_slice);
        for part in &group.parts {
            let (values, after) = rest.split_at(part.0.len() * part.1.len());
            add(part, values, v, &mut sums);
            rest = after;
        }
        Ok(sums)
    }
}

/// Adds one part's products with every column, and those of its mirror image.
fn add<T: crate::linalg::Element>(
    (rows, columns): &(Range<usize>, Range<usize>),
    values: &[T],
    v: &[Vec<f64>],
    sums: &mut [Vec<f64>],
) {
    for (v, sum) in v.iter().zip(sums) {
        if rows == columns {
            add_product(values, &v[columns.clone()], &mut sum[rows.clone()]);
        } else {
            // Parts lie below the diagonal: their columns end before their rows begin.
            let (before, after) = sum.split_at_mut(rows.start);
            let sums = (&mut after[..rows.len()], &mut before[columns.clone()]);
            add_both_products(values, (&v[columns.clone()], &v[rows.clone()]), sums.0, sums.1);
        }
    }
}

impl Operator for ImplicitGram<'_> {
    fn n(&self) -> usize {
        self.x.n_rows()
    }

    fn times(&self, v: &Matrix) -> Result<Matrix> {
        let columns: Vec<Vec<f64>> = (0..v.n_cols()).map(|column| v.column(column)).collect();
        let n_parts: usize = self.groups.iter().map(|group| group.parts.len()).sum();
        let n_done = AtomicUsize::new(0);
        let tell = || (self.watch)((n_done.fetch_add(1, Ordering::Relaxed) + 1) as f64 / n_parts as f64);
        let sums: Vec<Vec<Vec<f64>>> =
            self.groups.par_iter().map(|group| self.group_times(group, &columns, &tell)).collect::<Result<_>>()?;
        let mut product = Matrix::zeros(v.n_rows(), v.n_cols());
        for group in &sums {
            for (column, sum) in group.iter().enumerate() {
                for (i, value) in sum.iter().enumerate() {
                    product[(i, column)] += value;
                }
            }
        }
        Ok(product)
    }
}

impl Entries for ImplicitGram<'_> {
    fn diagonal(&self) -> Result<Vec<f64>> {
        let diagonals = (0..self.x.n_rows()).step_by(SIDE).map(|start| {
            let rows = start..(start + SIDE).min(self.x.n_rows());
            let gram = self.kernel.gram(&self.rows_of(&rows))?;
            Ok((0..gram.n()).map(|i| gram[(i, i)]).collect())
        });
        Ok(diagonals.collect::<Result<Vec<Vec<f64>>>>()?.concat())
    }

    fn columns(&self, which: &[usize]) -> Result<Matrix> {
        self.kernel.cross_gram(self.x, &self.x.select_rows(which))
    }
}

/// K(x_test, x_train) times `weights`, without holding the kernel: `[n_test, k]`.
///
/// # Shapes
/// `x_test` `[n_test, d_in]`, `x_train` `[n, d_in]`, `weights` `[n, k]`.
///
/// # Errors
/// As [`Kernel::cross_gram`].
pub fn cross_times(kernel: &dyn Kernel, x_test: &Matrix, x_train: &Matrix, weights: &Matrix) -> Result<Matrix> {
    let mut values = Vec::with_capacity(x_test.n_rows() * weights.n_cols());
    for start in (0..x_test.n_rows()).step_by(SIDE) {
        let n = SIDE.min(x_test.n_rows() - start);
        let rows = Matrix::from_fn(n, x_test.n_cols(), |i, j| x_test[(start + i, j)]);
        values.extend_from_slice(kernel.cross_gram(&rows, x_train)?.matmul(weights).values());
    }
    Matrix::from_vec(x_test.n_rows(), weights.n_cols(), values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{Activation, Mlp, Parametrization};
    use crate::kernel::KernelKind;
    use crate::kernel::analytic::AnalyticKernel;
    use crate::kernel::stationary::{Form, Stationary};
    use crate::seed;

    fn inputs(n: usize) -> Matrix {
        let values = seed::standard_normals(&mut seed::stream(7, "implicit"), n * 3);
        Matrix::from_vec(n, 3, values).unwrap()
    }

    fn relu() -> AnalyticKernel {
        let mlp = Mlp {
            depth: 2,
            width: 1,
            activation: Activation::Relu,
            w_std: 1.4,
            b_std: 0.1,
            parametrization: Parametrization::Ntk,
        };
        AnalyticKernel::new(mlp.architecture(3, 1).unwrap())
    }

    fn gap(a: &Matrix, b: &Matrix) -> f64 {
        (a - b).values().iter().fold(0.0, |most, v| most.max(v.abs()))
    }

    #[test]
    fn products_columns_and_diagonal_are_those_of_the_whole_matrix() {
        // More rows than a part has, and no multiple of it.
        let x = inputs(2 * SIDE + 77);
        let v = Matrix::from_fn(x.n_rows(), 2, |i, j| ((i * (j + 2)) as f64 * 0.1).sin());
        let (analytic, laplace) = (relu(), Stationary { form: Form::Laplace, length_scale: 1.5 });
        let ntk = analytic.of_kind(KernelKind::Ntk);
        for kernel in [&ntk as &(dyn Kernel + Sync), &laplace] {
            let whole = kernel.gram(&x).unwrap();
            let implicit = ImplicitGram::new(kernel, &x);
            let expected = whole.as_matrix().matmul(&v);
            assert!(gap(&implicit.times(&v).unwrap(), &expected) < 1e-11, "{}", kernel.name());
            assert!(gap(&implicit.columns(&[3, 500]).unwrap(), &whole.columns(&[3, 500]).unwrap()) < 1e-13);
            let (found, expected) = (implicit.diagonal().unwrap(), whole.diagonal().unwrap());
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-13));
            let cross = cross_times(kernel, &x, &x, &v).unwrap();
            assert!(gap(&cross, &implicit.times(&v).unwrap()) < 1e-11);
        }
    }

    #[test]
    fn kept_parts_give_the_same_bits_each_time_and_seven_digits() {
        let x = inputs(SIDE + 30);
        let v = Matrix::from_fn(x.n_rows(), 1, |i, _| (i as f64).cos());
        let (analytic, kept) = (relu(), relu());
        let (ntk, kept) = (analytic.of_kind(KernelKind::Ntk), kept.of_kind(KernelKind::Ntk));
        let (exact, kept) = (ImplicitGram::new(&ntk, &x), ImplicitGram::new(&kept, &x).kept());
        let first = kept.times(&v).unwrap();
        assert_eq!(kept.times(&v).unwrap(), first);
        let gap = gap(&first, &exact.times(&v).unwrap());
        assert!(gap > 0.0 && gap < 1e-4, "{gap:e}");
    }

    #[test]
    fn a_watch_ends_a_product() {
        let x = inputs(2 * SIDE);
        let kernel = Stationary { form: Form::Rbf, length_scale: 1.0 };
        let stop = |_| Err(crate::error::Error::Interrupted);
        let implicit = ImplicitGram::new(&kernel, &x).watched(&stop);
        assert!(implicit.times(&Matrix::zeros(x.n_rows(), 1)).is_err());
    }
}
