//! The training of a ReLU network as one would write it by hand for a CPU: buffers that are never reallocated, fused loops over entries,
//! and a GEMM library for the products. What a framework costs is what it takes longer than this.
//!
//! `hand-written --program hand-written --dtype f32 --n 256 --d 10 --depth 3 --width 512 --seconds 3 --threads 2` prints one line of JSON.

use std::collections::HashMap;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Products of fewer multiplications stay on one thread, as in Burn's backend.
const PARALLEL_FROM: usize = 192 * 192 * 192;
const LEARNING_RATE: f64 = 1e-3;
const N_BLOCKS: usize = 5;

trait Number: Copy + Default + PartialOrd + 'static {
    fn of(value: f64) -> Self;
    fn plus_times(self, a: Self, b: Self) -> Self;
    fn times(self, b: Self) -> Self;
    fn minus(self, b: Self) -> Self;
}

macro_rules! number {
    ($t:ty) => {
        impl Number for $t {
            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn plus_times(self, a: Self, b: Self) -> Self {
                self + a * b
            }
            #[inline(always)]
            fn times(self, b: Self) -> Self {
                self * b
            }
            #[inline(always)]
            fn minus(self, b: Self) -> Self {
                self - b
            }
        }
    };
}
number!(f32);
number!(f64);

/// A row-major matrix whose rows may lie further apart than they are long, turned around or not.
#[derive(Clone, Copy)]
struct View<'a, T> {
    values: &'a [T],
    shape: (usize, usize),
    strides: (usize, usize),
}

impl<'a, T> View<'a, T> {
    fn of(values: &'a [T], n_rows: usize, n_columns: usize, row: usize) -> Self {
        assert!(values.len() >= (n_rows - 1) * row + n_columns);
        Self { values, shape: (n_rows, n_columns), strides: (row, 1) }
    }

    fn turned(self) -> Self {
        Self { shape: (self.shape.1, self.shape.0), strides: (self.strides.1, self.strides.0), ..self }
    }
}

/// c <- keep c + factor a b; the rows of c lie `row` apart.
fn product<T: Number>(c: &mut [T], row: usize, keep: bool, factor: f64, a: View<T>, b: View<T>, threads: usize) {
    let ((m, k), n) = (a.shape, b.shape.1);
    assert!(b.shape.0 == k && c.len() >= (m - 1) * row + n);
    let parallelism = match m * n * k >= PARALLEL_FROM && threads > 1 {
        true => gemm::Parallelism::Rayon(threads),
        false => gemm::Parallelism::None,
    };
    // The views hold what their shapes and strides reach.
    unsafe {
        gemm::gemm(
            m, n, k,
            c.as_mut_ptr(), 1, row as isize, keep,
            a.values.as_ptr(), a.strides.1 as isize, a.strides.0 as isize,
            b.values.as_ptr(), b.strides.1 as isize, b.strides.0 as isize,
            T::of(1.0), T::of(factor), false, false, false, parallelism,
        );
    }
}

struct Layer<T> {
    n_in: usize,
    n_out: usize,
    /// Numbers from one row of the weights to the next: a gap after a large power of two keeps W^T quick.
    row: usize,
    scale: f64,
    weight: Vec<T>,
    bias: Vec<T>,
    /// The outputs behind the activation, then their gradient.
    h: Vec<T>,
    delta: Vec<T>,
}

struct Network<T> {
    n: usize,
    threads: usize,
    x: Vec<T>,
    y: Vec<T>,
    layers: Vec<Layer<T>>,
}

const B_STD: f64 = 0.1;

impl<T: Number> Network<T> {
    fn new(n: usize, d: usize, depth: usize, width: usize, threads: usize) -> Self {
        let mut random = Random(1);
        let mut draw = |n: usize| (0..n).map(|_| T::of(random.normal())).collect::<Vec<T>>();
        let sizes: Vec<usize> = std::iter::once(d).chain((0..depth).map(|_| width)).chain([1]).collect();
        let layers = sizes.windows(2).map(|pair| {
            let (n_in, n_out) = (pair[0], pair[1]);
            let row = if n_out % 512 == 0 { n_out + 16 } else { n_out };
            let scale = (2.0 / n_in as f64).sqrt();
            let zeros = || vec![T::default(); n * n_out];
            Layer { n_in, n_out, row, scale, weight: draw(n_in * row), bias: draw(n_out), h: zeros(), delta: zeros() }
        });
        let layers = layers.collect();
        Self { n, threads, x: draw(n * d), y: draw(n), layers }
    }

    fn step(&mut self, learning_rate: f64) {
        let Self { n, threads, x, y, layers } = self;
        let (n, threads, n_layers) = (*n, *threads, layers.len());
        for number in 0..n_layers {
            let (before, from) = layers.split_at_mut(number);
            let Layer { n_in, n_out, row, scale, weight, bias, h, .. } = &mut from[0];
            let input = before.last().map_or(&x[..], |layer| &layer.h);
            let (input, weight) = (View::of(input, n, *n_in, *n_in), View::of(weight, *n_in, *n_out, *row));
            product(h, *n_out, false, *scale, input, weight, threads);
            let is_last = number + 1 == n_layers;
            for h in h.chunks_exact_mut(*n_out) {
                for (h, b) in h.iter_mut().zip(&*bias) {
                    let z = h.plus_times(*b, T::of(B_STD));
                    *h = if is_last || z > T::default() { z } else { T::default() };
                }
            }
        }
        let last = &mut layers[n_layers - 1];
        for ((delta, f), y) in last.delta.iter_mut().zip(&last.h).zip(&*y) {
            *delta = f.minus(*y).times(T::of(1.0 / n as f64));
        }
        for number in (0..n_layers).rev() {
            let (before, from) = layers.split_at_mut(number);
            let Layer { n_in, n_out, row, scale, weight, bias, delta, .. } = &mut from[0];
            let delta = View::of(delta, n, *n_out, *n_out);
            if let Some(layer) = before.last_mut() {
                product(&mut layer.delta, *n_in, false, *scale, delta, View::of(weight, *n_in, *n_out, *row).turned(), threads);
                for (delta, h) in layer.delta.iter_mut().zip(&layer.h) {
                    *delta = if *h > T::default() { *delta } else { T::default() };
                }
            }
            let input = before.last().map_or(&x[..], |layer| &layer.h);
            let input = View::of(input, n, *n_in, *n_in).turned();
            product(weight, *row, true, -learning_rate * *scale, input, delta, threads);
            for delta in delta.values.chunks_exact(*n_out) {
                for (b, delta) in bias.iter_mut().zip(delta) {
                    *b = b.plus_times(*delta, T::of(-learning_rate * B_STD));
                }
            }
        }
    }
}

/// Sums of uniform numbers: normal enough for timing.
struct Random(u64);

impl Random {
    fn normal(&mut self) -> f64 {
        let mut uniform = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given: HashMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].trim_start_matches("--"), &*pair[1])).collect();
    match given.get("dtype") {
        Some(&"f64") => run::<f64>(&given),
        _ => run::<f32>(&given),
    }
}

fn run<T: Number>(given: &HashMap<&str, &str>) {
    let number = |key: &str, default: f64| given.get(key).and_then(|text| text.parse::<f64>().ok()).unwrap_or(default);
    let count = |key: &str, default: usize| number(key, default as f64) as usize;
    let (n, d, depth) = (count("n", 256), count("d", 10), count("depth", 3));
    let (width, threads, seconds) = (count("width", 512), count("threads", 2), number("seconds", 3.0));
    let mut network = Network::<T>::new(n, d, depth, width, threads);
    let mut time = |n_steps: usize| {
        let (begun, cpu) = (Instant::now(), cpu_seconds());
        (0..n_steps).for_each(|_| network.step(LEARNING_RATE));
        (begun.elapsed().as_secs_f64(), cpu_seconds() - cpu)
    };
    time(2);
    let n_short = ((0.4 / time(2).0.max(1e-6)) as usize).max(2);
    let per_step = time(n_short).0 / n_short as f64;
    let n_steps = ((seconds / N_BLOCKS as f64 / per_step) as usize).max(2);
    let blocks: Vec<(f64, f64)> = (0..N_BLOCKS).map(|_| time(n_steps)).collect();
    let rates = blocks.iter().map(|(wall, _)| n_steps as f64 / wall);
    let cpus = blocks.iter().map(|(_, cpu)| cpu / n_steps as f64);
    println!(
        "{{\"program\": \"hand-written\", \"variant\": \"gemm 0.19\", \"dtype\": \"{}\", \"n\": {n}, \"d\": {d}, \"depth\": {depth}, \
         \"width\": {width}, \"seeds\": 1, \"threads\": {threads}, \"n_steps\": {n_steps}, \"steps_per_s\": {}, \"cpu_s_per_step\": {}, \
         \"peak_mb_above_base\": 0}}",
        if size_of::<T>() == 8 { "f64" } else { "f32" },
        median(rates.collect()),
        median(cpus.collect()),
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// User and system time of all threads, in hundredths of a second as Linux counts them.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 1e-2
}
