//! One description, two readings: the kernels of the infinitely wide network, and the tangent kernel of finite networks drawn
//! from the same description.
//!
//! `cargo run --release --example kernels`

#![allow(clippy::print_stdout, reason = "an example shows its results")]

use std::f64::consts::{SQRT_2, TAU};

use ntk::arch::{Activation, Architecture, Mlp, Parametrization};
use ntk::error::Result;
use ntk::kernel::Kernel;
use ntk::kernel::analytic::AnalyticKernel;
use ntk::kernel::compare::relative_frobenius;
use ntk::kernel::empirical::EmpiricalNtk;
use ntk::linalg::Matrix;
use ntk::net::{Backend, Compute, Dtype, InitialFunction, Predictor};
use ntk::seed::stream;
use ntk::stats::{log_log_slope, mean_interval};

const N_INPUTS: usize = 16;
const N_SEEDS: u64 = 10;

fn main() -> Result<()> {
    // Inputs around a circle, where these kernels depend on the angle alone.
    let angle = |i: usize| TAU * i as f64 / N_INPUTS as f64;
    let x = Matrix::from_fn(N_INPUTS, 2, |i, j| SQRT_2 * if j == 0 { angle(i).cos() } else { angle(i).sin() });
    let x_test = Matrix::from_vec(1, 2, vec![SQRT_2, 0.0])?;

    // The infinite reading. In the NTK parametrization every width has the same limit, so 1 will do.
    let kernel = AnalyticKernel::new(network_of_width(1)?);
    let k_test_train = kernel.cross_grams(&x_test, &x)?;
    println!("angle      nngp       ntk");
    for i in 0..=N_INPUTS / 2 {
        println!("{:>5.1} {:>9.4} {:>9.4}", angle(i).to_degrees(), k_test_train.nngp[(0, i)], k_test_train.ntk[(0, i)]);
    }

    // The finite reading: networks of growing width, and how far their tangent kernels are from the limit.
    let k_train_train = kernel.grams(&x)?;
    let compute = Compute::open(Backend::preferred(), Dtype::F32)?;
    println!("\nwidth   ||empirical - ntk|| / ||ntk||, mean over {N_SEEDS} networks [95 % interval]");
    let mut points = Vec::new();
    for width in [32, 128, 512, 2048] {
        let architecture = network_of_width(width)?;
        let distances = (0..N_SEEDS)
            .map(|seed| {
                let network =
                    Predictor::init(&architecture, InitialFunction::Plain, &mut stream(seed, "init"), &compute)?;
                let empirical = EmpiricalNtk::new(&network, &compute).gram(&x)?;
                relative_frobenius(&empirical, &k_train_train.ntk)
            })
            .collect::<Result<Vec<f64>>>()?;
        if let Some(distance) = mean_interval(&distances, 0.95) {
            println!("{width:>5}   {:.4} [{:.4}, {:.4}]", distance.mean, distance.low, distance.high);
        }
        points.extend(distances.into_iter().map(|distance| (width as f64, distance)));
    }
    if let Some(slope) = log_log_slope(&points, 0.95) {
        println!("\nIt falls as width^{:.2} [{:.2}, {:.2}]; theory: -0.5.", slope.exponent, slope.low, slope.high);
    }
    Ok(())
}

fn network_of_width(width: usize) -> Result<Architecture> {
    let activation = Activation::Relu;
    Mlp { depth: 2, width, activation, w_std: SQRT_2, b_std: 0.1, parametrization: Parametrization::Ntk }
        .architecture(2, 1)
}
