//! Kernel regression with the tangent kernel of a Burn module of one's own, here a gated network that no list of layers describes:
//!
//! ```text
//! h = relu(sqrt(2 / d) x V) * tanh(x G / sqrt d + b),   f(x) = h w / sqrt n
//! ```
//!
//! Its affine maps go through a probe, which is all that structured derivatives need: the module is written once, trains as any other, and
//! its kernel costs a few matrix products. A module without a probe has its kernel from its Jacobian, which is checked here on a few
//! inputs. The regression's prediction is what gradient flow on the linearized network, less its initial function and with a pull to the
//! start of the ridge's strength, converges to.
//!
//! `cargo run --release --example own_module`

#![allow(clippy::print_stdout, reason = "an example shows its results")]

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use ntk::data::{DataConfig, Source, Split, vendored};
use ntk::error::Result;
use ntk::kernel::Kernel;
use ntk::kernel::empirical::{EmpiricalNtk, jacobian};
use ntk::linalg::{Matrix, Spectrum};
use ntk::net::{Affine, Backend, Compute, Dtype, Model, Probe, Probed};
use ntk::regress::{Ridge, kernel_ridge};
use ntk::seed::{Stream, standard_normals, stream};
use ntk::train::{Plan, Problem, Unwatched, train};

/// The network; its parameters are standard normal numbers.
#[derive(Module, Debug)]
struct Gated {
    value: Param<Tensor<2>>,
    gate: Param<Tensor<2>>,
    gate_bias: Param<Tensor<1>>,
    readout: Param<Tensor<2>>,
}

impl Gated {
    fn init(d_in: usize, width: usize, stream: &mut Stream, compute: &Compute) -> Result<Self> {
        let mut draw = |n_in: usize, n_out: usize| {
            let weight = Matrix::from_vec(n_in, n_out, standard_normals(stream, n_in * n_out))?;
            // On the autodiff device, because the kernel is made of derivatives.
            Ok(compute.tensor(&weight).autodiff())
        };
        Ok(Self {
            value: Param::from_tensor(draw(d_in, width)?),
            gate: Param::from_tensor(draw(d_in, width)?),
            gate_bias: Param::from_tensor(draw(1, width)?.squeeze_dim::<1>(0)),
            readout: Param::from_tensor(draw(width, 1)?),
        })
    }
}

impl Model for Gated {
    fn d_in(&self) -> usize {
        self.value.dims()[0]
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.forward_probed(x, &mut Probe::idle())
    }
}

impl Probed for Gated {
    fn forward_probed(&self, x: Tensor<2>, probe: &mut Probe) -> Tensor<2> {
        let [d_in, width] = self.value.dims().map(|size| size as f64);
        let map = |weight, weight_scale: f64| Affine { weight, weight_scale, bias: None, bias_scale: 0.0 };
        let value = relu(probe.affine(map(&self.value, (2.0 / d_in).sqrt()), x.clone()));
        let gate = Affine { bias: Some(&self.gate_bias), bias_scale: 1.0, ..map(&self.gate, 1.0 / d_in.sqrt()) };
        let h = value * probe.affine(gate, x).tanh();
        probe.affine(map(&self.readout, 1.0 / width.sqrt()), h)
    }
}

fn main() -> Result<()> {
    let config = DataConfig { n_train: Some(200), ..DataConfig::new(Source::Vendored("yacht".to_owned())) };
    let data = Split::new(&vendored::load("yacht")?, &config, 1)?;

    let compute = Compute::open(Backend::preferred(), Dtype::F64)?;
    let network = Gated::init(data.x_train.n_cols(), 1024, &mut stream(1, "init"), &compute)?;
    let ntk = EmpiricalNtk::new(&network, &compute);
    println!("{}", ntk.plan(data.x_train.n_rows(), None, true)?);
    let k_train_train = ntk.gram(&data.x_train)?;
    let k_test_train = ntk.cross_gram(&data.x_test, &data.x_train)?;

    let few = data.x_train.select_rows(&[0, 1, 2, 3]);
    let exact = jacobian::gram(&network, Gated::forward, &compute.tensor(&few))?;
    let gap = (ntk.gram(&few)?.as_matrix() - exact.as_matrix()).frobenius() / exact.as_matrix().frobenius();
    println!("from the Jacobian, on 4 inputs: relative difference {gap:.0e}");

    let ridge = Ridge::RelativeToTrace(1e-4).resolve(&k_train_train);
    let prediction = kernel_ridge(&k_train_train, &k_test_train, &data.y_train, ridge)?;

    // The module itself, trained by the same loop as the networks of this crate.
    let bound = 2.0 * data.y_train.values().len() as f64 / Spectrum::of(&k_train_train)?.eigenvalues()[0];
    let plan = Plan::gradient_descent(0.5 * bound, 2000);
    let problem = Problem { x_train: &data.x_train, y_train: &data.y_train, x_test: &data.x_test, validation: None };
    let (_, trajectory) = train(network, problem, &plan, &compute, &mut Unwatched)?;
    let trained = trajectory.checkpoints.last().map(|last| (&last.f_test - &data.y_test).rms());

    // Targets have mean 0 and variance 1 over the training rows, so 0 is the prediction of the mean.
    println!("RMS test error in standard deviations of the target");
    println!("  kernel regression    {:.3}", (&prediction - &data.y_test).rms());
    println!("  trained module       {:.3}", trained.unwrap_or(f64::NAN));
    println!("  the training mean    {:.3}", data.y_test.rms());
    Ok(())
}
