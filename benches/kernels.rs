//! What the kernels and a training step cost: `cargo bench --bench kernels`.
//!
//! Where an item is a floating-point operation of a matrix product, its rate is to be read as a fraction of that of [`matmul`], on
//! the same backend in the same process: structured derivatives can hardly be faster than the products they consist of. On a
//! machine that does other work too, compare the fastest samples.

#![allow(clippy::expect_used, reason = "a benchmark that cannot start has no result")]

use std::f64::consts::SQRT_2;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use ntk::arch::{Activation, Architecture, Mlp, Parametrization};
use ntk::kernel::Kernel;
use ntk::kernel::analytic::AnalyticKernel;
use ntk::kernel::empirical::EmpiricalNtk;
use ntk::linalg::Matrix;
use ntk::net::{Backend, Compute, Dtype, InitialFunction, Predictor};
use ntk::regress::posterior;
use ntk::seed::{standard_normals, stream};
use ntk::train::{Plan, Problem, Unwatched, train};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const D_IN: usize = 10;

fn main() {
    divan::main();
}

/// NNGP and NTK of 1000 inputs by the layer recursion; an item is a pair of inputs.
#[divan::bench(args = [1, 3, 10])]
fn analytic_gram(bencher: Bencher<'_, '_>, depth: usize) {
    let n = 1000;
    let x = normal(n, D_IN);
    let kernel = AnalyticKernel::new(relu_network(depth, 1));
    bencher.counter(ItemsCount::new(n * (n + 1) / 2)).bench_local(|| kernel.grams(black_box(&x)));
}

/// Mean and covariance at 1000 test inputs by one factorization of the NTK; an item is a floating-point operation of its N^3 / 3 + M N^2 + N
/// M^2.
#[divan::bench(args = [1000, 2000], sample_count = 10)]
fn posterior_mean_and_covariance(bencher: Bencher<'_, '_>, n: usize) {
    let n_test = 1000;
    let (x, x_test) = (normal(n, D_IN), normal(n_test, D_IN));
    let y = Matrix::from_fn(n, 1, |i, _| x[(i, 0)] * x[(i, 1)]);
    let kernel = AnalyticKernel::new(relu_network(3, 1));
    let blocks = (kernel.grams(&x), kernel.cross_grams(&x_test, &x), kernel.grams(&x_test));
    let (Ok(train), Ok(cross), Ok(test)) = blocks else { panic!("a kernel that is not finite") };
    bencher
        .counter(ItemsCount::new(n * n * n / 3 + n_test * n * n + n * n_test * n_test))
        .bench_local(|| posterior(black_box(&train.ntk), &cross.ntk, &test.ntk, &y, 1e-2));
}

/// The tangent kernel of 256 inputs, 3 hidden layers, f32; an item is a floating-point operation of its matrix products.
#[divan::bench(args = [128, 512, 1024])]
fn structured_gram(bencher: Bencher<'_, '_>, width: usize) {
    let n = 256;
    let (compute, predictor) = open(width);
    let (x, kernel) = (normal(n, D_IN), EmpiricalNtk::new(&predictor, &compute));
    bencher.counter(ItemsCount::new(structured_flops(n, width))).bench_local(|| kernel.gram(black_box(&x)));
}

/// `[256, 1024]` x `[1024, 1024]` in f32; an item is a floating-point operation.
#[divan::bench]
fn matmul(bencher: Bencher<'_, '_>) {
    let (n, width) = (256, 1024);
    let compute = open_compute();
    let (a, b) = (compute.tensor(&normal(n, width)), compute.tensor(&normal(width, width)));
    bencher
        .counter(ItemsCount::new(2 * n * width * width))
        .bench_local(|| black_box(&a).clone().matmul(black_box(&b).clone()));
}

/// Gradient descent on 256 inputs, 3 hidden layers, f32; an item is a step. The two checkpoints that every run has are included.
#[divan::bench(args = [(64, 200), (512, 20)], sample_count = 10)]
fn training(bencher: Bencher<'_, '_>, (width, n_steps): (usize, usize)) {
    let (compute, predictor) = open(width);
    let (x_train, x_test) = (normal(256, D_IN), normal(1, D_IN));
    let y_train = Matrix::from_fn(256, 1, |i, _| x_train[(i, 0)] * x_train[(i, 1)]);
    let problem = Problem { x_train: &x_train, y_train: &y_train, x_test: &x_test, validation: None };
    let plan = Plan::gradient_descent(1e-2, n_steps);
    bencher
        .counter(ItemsCount::new(n_steps))
        .with_inputs(|| predictor.clone())
        .bench_local_values(|predictor| train(predictor, problem, &plan, &compute, &mut Unwatched));
}

/// Forward through every map, backward through all but the first, and two Gram matrices per map.
fn structured_flops(n: usize, width: usize) -> usize {
    let maps = [(D_IN, width), (width, width), (width, width), (width, 1)];
    let forward: usize = maps.iter().map(|(n_in, n_out)| 2 * n * n_in * n_out).sum();
    let backward: usize = maps[1..].iter().map(|(n_in, n_out)| 2 * n * n_in * n_out).sum();
    let grams: usize = maps.iter().map(|(n_in, n_out)| 2 * n * n * (n_in + n_out)).sum();
    forward + backward + grams
}

fn open(width: usize) -> (Compute, Predictor) {
    let compute = open_compute();
    let predictor = Predictor::init(&relu_network(3, width), InitialFunction::Plain, &mut stream(1, "init"), &compute)
        .expect("a network");
    (compute, predictor)
}

// A CPU backend computes at once; on a GPU a product would have to be read back before its time is known.
fn open_compute() -> Compute {
    Compute::open(Backend::Flex, Dtype::F32).expect("the flex backend")
}

fn relu_network(depth: usize, width: usize) -> Architecture {
    let (activation, parametrization) = (Activation::Relu, Parametrization::Ntk);
    Mlp { depth, width, activation, w_std: SQRT_2, b_std: 0.1, parametrization }
        .architecture(D_IN, 1)
        .expect("a valid architecture")
}

fn normal(n_rows: usize, n_cols: usize) -> Matrix {
    let values = standard_normals(&mut stream(1, "bench"), n_rows * n_cols);
    Matrix::from_vec(n_rows, n_cols, values).expect("as many numbers as entries")
}
