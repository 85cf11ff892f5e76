//! An extension of flex, Burn's CPU backend: products and sweeps in the memory of its tensors.

use std::borrow::Cow;
use std::ops::{Add, Mul};

use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind, Flex};
use burn::tensor::{DType, Tensor, TensorData};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::spare::Spare;
use crate::linalg::{self, Groups, Onto, View};

/// `$work` with this memory's number type as `$T`.
macro_rules! typed {
    ($memory:expr, $T:ident => $work:expr) => {
        if $memory.dtype() == DType::F32 {
            type $T = f32;
            $work
        } else {
            type $T = f64;
            $work
        }
    };
}

/// A tensor as flex has it. Reading needs no copy, and neither does writing, where nobody else holds the numbers.
pub(super) type Memory = burn::backend::tensor::FloatTensor<Flex>;

/// The memory of a matrix that lies on flex; the matrix itself, if it does not.
#[expect(clippy::result_large_err, reason = "what cannot be taken is handed back as it came")]
pub(super) fn taken(tensor: Tensor<2>) -> Result<Memory, Tensor<2>> {
    if !matches!(tensor.dtype(), DType::F32 | DType::F64) {
        return Err(tensor);
    }
    match tensor.into_dispatch() {
        DispatchTensor { kind: DispatchTensorKind::Flex(BackendTensor::Float(memory)), .. } => Ok(memory),
        elsewhere => Err(Tensor::from_dispatch(elsewhere)),
    }
}

/// The memory of a matrix, which nobody will write to.
fn seen(tensor: &Tensor<2>) -> Memory {
    taken(tensor.clone()).unwrap_or_else(|elsewhere| Memory::from_data(elsewhere.into_data()))
}

/// A number type of networks.
trait Number:
    burn::tensor::Element + bytemuck::Pod + linalg::Element + Spare + PartialOrd + Add<Output = Self> + Mul<Output = Self>
{
}

impl Number for f32 {}

impl Number for f64 {}

/// Leaves the room of a tensor to the next product of its size, if nobody else holds it.
pub(super) fn spend(tensor: Tensor<2>) {
    let Ok(memory) = taken(tensor) else { return };
    if memory.is_unique() {
        typed!(memory, T => {
            if let Ok(room) = memory.into_data().try_into_vec::<T>() {
                T::leave(room);
            }
        });
    }
}

/// factor A B.
pub(super) fn product(a: Memory, b: &Tensor<2>, factor: f64) -> Tensor<2> {
    let (a, b) = (&in_lines(a), &in_lines(seen(b)));
    let ((n_rows, _), (_, n_columns)) = (shape(a), shape(b));
    typed!(a, T => {
        // Made here: memory that flex makes is copied once for its alignment.
        let mut c = T::room(n_rows * n_columns);
        linalg::multiply(&mut c, Onto::Replaced, factor, view(a), view(b));
        given(Memory::from_data(TensorData::new(c, [n_rows, n_columns])))
    })
}

/// factor delta W^T, for `n_ways` ways back of each of `n_samples` samples.
pub(super) fn product_back(
    delta: Memory,
    weight: &Tensor<2>,
    factor: f64,
    (n_samples, n_ways): (usize, usize),
) -> Tensor<2> {
    let weight = seen(weight);
    let ((n_rows, k), (n_columns, _)) = (shape(&delta), shape(&weight));
    let groups = Groups { n_rows: n_ways, n_interleaved: (n_rows / (n_samples * n_ways).max(1)).max(1) };
    typed!(delta, T => {
        let mut c = T::room(n_rows * n_columns);
        linalg::multiply_groups(&mut c, factor, &numbers::<T>(&delta), &numbers::<T>(&weight), k, groups);
        given(Memory::from_data(TensorData::new(c, [n_rows, n_columns])))
    })
}

/// C + factor A B.
pub(super) fn plus_product(c: Memory, a: &Tensor<2>, b: &Tensor<2>, factor: f64) -> Tensor<2> {
    let (a, b) = (&in_lines(seen(a)), &in_lines(seen(b)));
    typed!(a, T => change::<T>(c, |c, _| linalg::multiply(c, Onto::Added, factor, view(a), view(b))))
}

/// slope max(z + bias, 0), the bias added to every row.
pub(super) fn rectified(z: Memory, bias: Option<&Tensor<2>>, slope: f64) -> Tensor<2> {
    let bias = bias.map(seen);
    typed!(z, T => {
        let bias = bias.as_ref().map(numbers::<T>);
        change::<T>(z, |z, n_columns| {
            let zeros = vec![0.0; if bias.is_none() { n_columns } else { 0 }];
            let bias = bias.as_deref().unwrap_or(&zeros);
            in_bands(z, n_columns, |_, band| rectify(band, bias, slope as T));
        })
    })
}

#[inline(always)]
fn rectify<T: Number>(z: &mut [T], bias: &[T], slope: T) {
    let zero = T::default();
    for row in z.chunks_exact_mut(bias.len().max(1)) {
        for (z, bias) in row.iter_mut().zip(bias) {
            let sum = *z + *bias;
            let scaled = slope * sum;
            // What is not a number stays so.
            *z = if sum <= zero { zero } else { scaled };
        }
    }
}

/// factor delta where h is positive, 0 elsewhere, with all of a sample's h for each of its ways back.
pub(super) fn where_positive(delta: Memory, h: &Tensor<2>, factor: f64, n_samples: usize) -> Tensor<2> {
    let h = seen(h);
    typed!(delta, T => {
        let h = numbers::<T>(&h);
        change::<T>(delta, |delta, n_columns| {
            let n_ways = delta.len() / h.len().max(1);
            if n_ways <= 1 {
                return in_bands(delta, n_columns, |first, band| keep_positive(band, &h[first..], factor as T));
            }
            let size = (h.len() / n_samples.max(1)).max(1);
            Arch::new().dispatch(|| {
                for (delta, h) in delta.chunks_exact_mut(n_ways * size).zip(h.chunks_exact(size)) {
                    delta.chunks_exact_mut(size).for_each(|delta| keep_positive(delta, h, factor as T));
                }
            });
        })
    })
}

#[inline(always)]
fn keep_positive<T: Number>(delta: &mut [T], h: &[T], factor: T) {
    let zero = T::default();
    for (delta, h) in delta.iter_mut().zip(h) {
        let scaled = factor * *delta;
        *delta = if *h <= zero { zero } else { scaled };
    }
}

/// P (Q + shift), entry by entry, and `sum`, where P has as many rows and columns of each output of a sample as Q has of the sample,
/// `n_rows` and `n_columns` of them samples.
pub(super) fn weighted(
    p: Memory,
    q: &Tensor<2>,
    shift: f64,
    sum: Option<&Tensor<2>>,
    (n_rows, n_columns): (usize, usize),
) -> Tensor<2> {
    let (q, sum) = (seen(q), sum.map(seen));
    let (q_rows, q_columns) = shape(&q);
    // Rows and columns of one sample.
    let (height, width) = ((q_rows / n_rows.max(1)).max(1), (q_columns / n_columns.max(1)).max(1));
    typed!(p, T => {
        let (q, sum) = (&numbers::<T>(&q), sum.as_ref().map(numbers::<T>));
        let (sum, shift) = (sum.as_deref(), shift as T);
        change::<T>(p, |p, p_columns| Arch::new().dispatch(Weighting { p, p_columns, q, q_columns, shift, sum, height, width }))
    })
}

/// The sweep of [`weighted`], as a value that is compiled for every set of vector instructions: as a closure it is too large for that.
struct Weighting<'a, T> {
    p: &'a mut [T],
    p_columns: usize,
    q: &'a [T],
    q_columns: usize,
    shift: T,
    sum: Option<&'a [T]>,
    height: usize,
    width: usize,
}

impl<T: Number> WithSimd for Weighting<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { p, p_columns, q, q_columns, shift, sum, height, width } = self;
        let n_outputs = (p_columns / q_columns.max(1)).max(1);
        let mut wide = vec![T::default(); p_columns];
        for (number, q) in q.chunks_exact(q_columns.max(1)).enumerate() {
            widen(q, &mut wide, width, n_outputs, shift);
            let (sample, position) = (number / height, number % height);
            for output in 0..n_outputs {
                let first = ((sample * n_outputs + output) * height + position) * p_columns;
                let row = first..first + p_columns;
                weight(&mut p[row.clone()], &wide, sum.map(|sum| &sum[row]));
            }
        }
    }
}

/// Every sample's `width` numbers for each output, with the shift.
#[inline(always)]
fn widen<T: Number>(q: &[T], wide: &mut [T], width: usize, n_outputs: usize, shift: T) {
    if n_outputs == 1 {
        wide.iter_mut().zip(q).for_each(|(wide, q)| *wide = *q + shift);
        return;
    }
    if width == 1 {
        wide.chunks_exact_mut(n_outputs).zip(q).for_each(|(wide, q)| wide.fill(*q + shift));
        return;
    }
    for (q, wide) in q.chunks_exact(width).zip(wide.chunks_exact_mut(n_outputs * width)) {
        for wide in wide.chunks_exact_mut(width) {
            wide.iter_mut().zip(q).for_each(|(wide, q)| *wide = *q + shift);
        }
    }
}

#[inline(always)]
fn weight<T: Number>(p: &mut [T], weights: &[T], sum: Option<&[T]>) {
    match sum {
        None => p.iter_mut().zip(weights).for_each(|(p, weight)| *p = *weight * *p),
        Some(sum) => {
            p.iter_mut().zip(weights).zip(sum).for_each(|((p, weight), sum)| *p = *p * *weight + *sum);
        }
    }
}

/// factor times the sums of the columns, `[1, n_columns]`, added up row after row.
pub(super) fn column_sums(tensor: &Memory, factor: f64) -> Tensor<2> {
    typed!(tensor, T => {
        let (_, n_columns) = shape(tensor);
        let (mut sums, rows) = (vec![0.0 as T; n_columns], numbers::<T>(tensor));
        Arch::new().dispatch(|| add_rows(&mut sums, &rows, factor as T));
        given(Memory::from_data(TensorData::new(sums, [1, n_columns])))
    })
}

#[inline(always)]
fn add_rows<T: Number>(sums: &mut [T], rows: &[T], factor: T) {
    for row in rows.chunks_exact(sums.len().max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum = *value + *sum);
    }
    sums.iter_mut().for_each(|sum| *sum = factor * *sum);
}

fn given(memory: Memory) -> Tensor<2> {
    Tensor::from_primitive::<Flex>(memory)
}

/// The same matrix, whose rows or whose columns are lines of neighbouring numbers.
fn in_lines(memory: Memory) -> Memory {
    let ((n_rows, n_columns), (rows, columns)) = (shape(&memory), strides(&memory));
    let is_in_lines = (columns == 1 && rows >= n_columns) || (rows == 1 && columns >= n_rows);
    if is_in_lines { memory } else { memory.to_contiguous() }
}

/// Of memory that is [`in_lines`].
fn view<T: Number>(memory: &Memory) -> View<'_, T> {
    let ((n_rows, n_columns), (rows, columns)) = (shape(memory), strides(memory));
    let values = &memory.storage::<T>()[memory.layout().start_offset()..];
    if columns == 1 && rows >= n_columns {
        View::new(values, n_rows, n_columns, rows)
    } else {
        View::new(values, n_columns, n_rows, columns).turned()
    }
}

fn shape(memory: &Memory) -> (usize, usize) {
    let shape = memory.layout().shape();
    (shape[0], shape[1])
}

/// From one row, and from one column, to the next; 0 for an order that is not one of a matrix in lines.
fn strides(memory: &Memory) -> (usize, usize) {
    let strides = memory.layout().strides();
    (usize::try_from(strides[0]).unwrap_or(0), usize::try_from(strides[1]).unwrap_or(0))
}

/// All numbers, row after row.
fn numbers<T: Number>(memory: &Memory) -> Cow<'_, [T]> {
    match memory.layout().contiguous_offsets() {
        Some((start, end)) => Cow::Borrowed(&memory.storage::<T>()[start..end]),
        None => Cow::Owned(memory.to_contiguous().storage::<T>().to_vec()),
    }
}

/// Lets `work` have all numbers, row after row, and how many are in a row.
fn change<T: Number>(memory: Memory, work: impl FnOnce(&mut [T], usize)) -> Tensor<2> {
    let is_own = memory.is_unique() && memory.layout().contiguous_offsets().is_some();
    let mut memory = if is_own { memory } else { memory.to_contiguous() };
    let (n_rows, n_columns) = shape(&memory);
    let start = memory.layout().start_offset();
    work(&mut memory.storage_mut::<T>()[start..start + n_rows * n_columns], n_columns);
    given(memory)
}

/// Numbers below which threads cost more than they do.
const MIN_SHARED: usize = 1 << 17;

/// Bands of whole rows, with the place of each one's first number, shared among threads where there are many numbers.
fn in_bands<T: Send>(values: &mut [T], n_columns: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    let n_threads = rayon::current_num_threads();
    if n_threads == 1 || values.len() < MIN_SHARED {
        return Arch::new().dispatch(|| work(0, values));
    }
    let size = (values.len() / n_columns).div_ceil(n_threads) * n_columns;
    let bands = values.par_chunks_mut(size).enumerate();
    bands.for_each(|(number, band)| Arch::new().dispatch(|| work(number * size, band)));
}
