//! Products with a part of a symmetric matrix that is met once and counts twice.

use pulp::{Arch, Simd, WithSimd};

use super::Element;

/// Adds B x to `rows` and B^T y to `columns`, in one pass over the row-major part B.
///
/// # Panics
/// When the lengths do not fit, as indexing does.
pub fn add_both_products<T: Element>(part: &[T], (x, y): (&[f64], &[f64]), rows: &mut [f64], columns: &mut [f64]) {
    assert!(part.len() == x.len() * y.len() && rows.len() == y.len() && columns.len() == x.len(), "a part that fits");
    Arch::new().dispatch(BothProducts { part, x, y, rows, columns });
}

/// Adds B x to `rows`.
///
/// # Panics
/// As [`add_both_products`].
pub fn add_product<T: Element>(part: &[T], x: &[f64], rows: &mut [f64]) {
    assert_eq!(part.len(), x.len() * rows.len(), "a part that fits");
    Arch::new().dispatch(Product { part, x, rows });
}

/// The loop, as a value that is compiled for every set of vector instructions.
struct BothProducts<'a, T> {
    part: &'a [T],
    x: &'a [f64],
    y: &'a [f64],
    rows: &'a mut [f64],
    columns: &'a mut [f64],
}

/// Sums that stay in registers, which the order of additions would otherwise forbid.
const LANES: usize = 16;

impl<T: Element> WithSimd for BothProducts<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { part, x, y, rows, columns } = self;
        for ((values, sum), y) in part.chunks_exact(x.len()).zip(rows).zip(y) {
            let mut lanes = [0.0; LANES];
            let (whole, rest) = (x.len() - x.len() % LANES, x.len() % LANES);
            let strips = values.chunks_exact(LANES).zip(x.chunks_exact(LANES)).zip(columns.chunks_exact_mut(LANES));
            for ((values, x), columns) in strips {
                for lane in 0..LANES {
                    let value: f64 = values[lane].into();
                    lanes[lane] = value.mul_add(x[lane], lanes[lane]);
                    columns[lane] = value.mul_add(*y, columns[lane]);
                }
            }
            for at in whole..whole + rest {
                let value: f64 = values[at].into();
                lanes[0] += value * x[at];
                columns[at] += value * y;
            }
            *sum += lanes.iter().sum::<f64>();
        }
    }
}

struct Product<'a, T> {
    part: &'a [T],
    x: &'a [f64],
    rows: &'a mut [f64],
}

impl<T: Element> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { part, x, rows } = self;
        for (values, sum) in part.chunks_exact(x.len()).zip(rows) {
            let mut lanes = [0.0; LANES];
            for (values, x) in values.chunks_exact(LANES).zip(x.chunks_exact(LANES)) {
                for lane in 0..LANES {
                    let value: f64 = values[lane].into();
                    lanes[lane] = value.mul_add(x[lane], lanes[lane]);
                }
            }
            let whole = x.len() - x.len() % LANES;
            let rest: f64 = values[whole..].iter().zip(&x[whole..]).map(|(value, x)| (*value).into() * x).sum();
            *sum += lanes.iter().sum::<f64>() + rest;
        }
    }
}
