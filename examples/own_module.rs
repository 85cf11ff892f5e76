//! Kernel regression with the tangent kernel of a Burn module of one's own, here a network with a skip connection:
//!
//! ```text
//! h_1 = relu(sqrt(2 / d) x W_1),   h_2 = h_1 + relu(sqrt(2 / n) h_1 W_2),   f(x) = h_2 v / sqrt n
//! ```
//!
//! Whether or not a module could be written as layers, its Jacobian J gives its kernel Theta_hat = J J^T, and regression
//! sees only matrices. Its prediction is what gradient flow on the linearized network, less its initial function and with a pull to the
//! start of the ridge's strength, converges to.
//!
//! `cargo run --release --example own_module`

#![allow(clippy::print_stdout, reason = "an example shows its results")]

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use ntk::data::{DataConfig, Source, Split, vendored};
use ntk::error::Result;
use ntk::kernel::empirical::jacobian::jacobian;
use ntk::linalg::{GramMatrix, Matrix};
use ntk::net::{Backend, Compute, Dtype};
use ntk::regress::{Ridge, kernel_ridge};
use ntk::seed::{Stream, standard_normals, stream};

/// The network; its parameters are standard normal numbers.
#[derive(Module, Debug)]
struct SkipNetwork {
    first: Param<Tensor<2>>,
    second: Param<Tensor<2>>,
    readout: Param<Tensor<2>>,
}

impl SkipNetwork {
    fn init(d_in: usize, width: usize, stream: &mut Stream, compute: &Compute) -> Result<Self> {
        let mut draw = |n_in: usize, n_out: usize| {
            let weight = Matrix::from_vec(n_in, n_out, standard_normals(stream, n_in * n_out))?;
            // On the autodiff device, because the kernel is made of derivatives.
            Ok(Param::from_tensor(compute.tensor(&weight).autodiff()))
        };
        Ok(Self { first: draw(d_in, width)?, second: draw(width, width)?, readout: draw(width, 1)? })
    }

    /// # Shapes
    /// - input: `[n, d_in]`
    /// - output: `[n, 1]`
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [d_in, width] = self.first.dims();
        let h1 = relu(x.matmul(self.first.val()) * (2.0 / d_in as f64).sqrt());
        let h2 = h1.clone() + relu(h1.matmul(self.second.val()) * (2.0 / width as f64).sqrt());
        h2.matmul(self.readout.val()) / (width as f64).sqrt()
    }
}

fn main() -> Result<()> {
    let config = DataConfig { n_train: Some(200), ..DataConfig::new(Source::Vendored("yacht".to_owned())) };
    let data = Split::new(&vendored::load("yacht")?, &config, 1)?;

    let compute = Compute::open(Backend::preferred(), Dtype::F64)?;
    let network = SkipNetwork::init(data.x_train.n_cols(), 128, &mut stream(1, "init"), &compute)?;
    let j_train = jacobian(&network, SkipNetwork::forward, &compute.tensor(&data.x_train))?;
    let j_test = jacobian(&network, SkipNetwork::forward, &compute.tensor(&data.x_test))?;
    println!("{} training inputs, {} test inputs, {} parameters", j_train.n_rows(), j_test.n_rows(), j_train.n_cols());

    let k_train_train = GramMatrix::from_symmetric(j_train.matmul(&j_train.transpose()), 1e-12)?;
    let k_test_train = j_test.matmul(&j_train.transpose());
    let ridge = Ridge::RelativeToTrace(1e-4).resolve(&k_train_train);
    let prediction = kernel_ridge(&k_train_train, &k_test_train, &data.y_train, ridge)?;

    // Targets have mean 0 and variance 1 over the training rows, so 0 is the prediction of the mean.
    println!("RMS test error in standard deviations of the target");
    println!("  kernel regression    {:.3}", (&prediction - &data.y_test).rms());
    println!("  the training mean    {:.3}", data.y_test.rms());
    Ok(())
}
