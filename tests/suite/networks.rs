//! Finite networks: against loops over numbers, and their activations against the functions they are to be.

use burn::tensor::Tensor;
use ntk::arch::{Activation, Architecture, Family, Layer, OwnFunction, Parametrization};
use ntk::error::Result;
use ntk::kernel::empirical::jacobian::jacobian;
use ntk::linalg::Matrix;
use ntk::net::{Compute, DenseWeights, Dtype, InitialFunction, Model, Network, Predictor, matmul, to_matrix};
use ntk::seed;

use crate::golden::relative_error;
use crate::loops::evaluate;
use crate::problem::{backends, inputs, layered};

#[test]
fn networks_of_all_layers_are_what_loops_over_numbers_give() {
    for compute in backends(Dtype::F64) {
        for (name, architecture) in layered() {
            let x = inputs(3, architecture.d_in(), "loops");
            let weights = DenseWeights::draw(&architecture, &mut seed::stream(6, name));
            let network = Network::from_weights(&architecture, &weights, &compute).expect("shapes agree");
            let found = to_matrix(network.forward(compute.tensor(&x))).expect("readable");
            let expected = x.rows().flat_map(|row| evaluate(&architecture, &weights, row)).collect();
            let expected = Matrix::from_vec(3, 2, expected).expect("two outputs each");
            let error = relative_error(&found, &expected);
            assert!(error < 1e-12, "{name}, {}: {error:e}", architecture.describe());
        }
    }
}

#[test]
fn products_and_their_gradients_have_the_precision_of_their_numbers() {
    // Matrix units that round f32 to 10 bits would err by 3e-4. A GPU takes other blocks for the larger product.
    for (dtype, tolerance) in [(Dtype::F32, 2e-6), (Dtype::F64, 1e-14)] {
        for compute in backends(dtype) {
            for (m, k, n) in [(37, 64, 29), (1500, 40, 1500)] {
                let [a, b, slope] = [(m, k, "a"), (n, k, "b"), (m, n, "slope")].map(|(rows, columns, name)| {
                    let rounded = compute.tensor(&inputs(rows, columns, name));
                    (to_matrix(rounded.clone()).expect("readable"), rounded)
                });
                let (left, right) = (a.1.autodiff().require_grad(), b.1.autodiff().require_grad());
                let product = matmul(left.clone(), right.clone().transpose());
                let gradients = (product.clone() * slope.1.autodiff()).sum().backward();
                let gradient = |of: &Tensor<2>| of.grad(&gradients).expect("tracked");
                let pairs = [
                    (product.inner(), a.0.matmul(&b.0.transpose())),
                    (gradient(&left), slope.0.matmul(&b.0)),
                    (gradient(&right), slope.0.transpose().matmul(&a.0)),
                ];
                for (found, expected) in pairs {
                    let error = relative_error(&to_matrix(found).expect("readable"), &expected);
                    assert!(error < tolerance, "{}, {dtype}, {m} x {k} x {n}: {error:e}", compute.backend());
                }
            }
            let batch = |name| compute.tensor(&inputs(6, 20, name)).reshape([3, 2, 4, 5]);
            let (a, b) = (batch("a"), batch("b").transpose());
            let one =
                |of: &Tensor<4>, at: [usize; 2]| of.clone().slice([at[0]..at[0] + 1, at[1]..at[1] + 1]).squeeze::<2>();
            let product = matmul(a.clone(), b.clone());
            for at in [[0, 0], [1, 1], [2, 0]] {
                let expected =
                    to_matrix(one(&a, at)).expect("readable").matmul(&to_matrix(one(&b, at)).expect("readable"));
                let error = relative_error(&to_matrix(one(&product, at)).expect("readable"), &expected);
                assert!(error < tolerance, "{}, {dtype}, {at:?}: {error:e}", compute.backend());
            }
        }
    }
}

#[test]
fn biases_that_start_at_zero_are_trained_all_the_same() {
    let (_, architecture) = layered().pop().expect("the last is scikit-ntk's");
    let weights = DenseWeights::draw(&architecture, &mut seed::stream(6, "biases"));
    assert!(weights.iter().all(|map| map.bias.as_ref().expect("biases").iter().all(|b| *b == 0.0)));
    let compute = backends(Dtype::F64).remove(0);
    let network = Network::from_weights(&architecture, &weights, &compute).expect("shapes agree");
    let j = jacobian(&network, Network::forward, &compute.tensor(&inputs(1, 4, "biases"))).expect("finite");
    assert_eq!(j.n_cols(), architecture.n_parameters());
    // The last parameter is the second output's bias: its factor is b_std times the scale of the outputs.
    assert!((j[(1, j.n_cols() - 1)] - 0.4 * architecture.output_scale()).abs() < 1e-15);
}

/// A network that is phi itself: f(x) = phi(x + b) at b = 0, whose derivative in b is phi'(x).
fn bare(activation: &Activation, compute: &Compute) -> Result<Predictor> {
    let layers = vec![Layer::Dense(1), Layer::Activation(activation.clone())];
    let architecture = Architecture::new(&[1], layers, 1, 1.0, 1.0, Parametrization::Ntk)?;
    let weights = DenseWeights { weight: Matrix::from_fn(1, 1, |_, _| 1.0), bias: Some(vec![0.0]) };
    Predictor::from_weights(&architecture, &[weights.clone(), weights], InitialFunction::Plain, compute)
}

/// The bias b is the second parameter.
fn derivatives(activation: &Activation, z: &Matrix, compute: &Compute) -> Vec<f64> {
    let network = bare(activation, compute).expect("has a form on tensors");
    let j = jacobian(&network, Predictor::forward, &compute.tensor(z)).expect("readable");
    (0..j.n_rows()).map(|row| j[(row, 1)]).collect()
}

fn column(values: &[f64]) -> Matrix {
    Matrix::from_vec(values.len(), 1, values.to_vec()).expect("a column")
}

const ARGUMENTS: [f64; 17] =
    [-100.0, -41.0, -30.0, -6.0, -2.5, -1.0, -0.3, -1e-9, 0.0, 1e-9, 0.4, 1.0, 3.0, 7.0, 30.0, 41.0, 100.0];

#[test]
fn activations_on_tensors_are_those_on_numbers() {
    let z = column(&ARGUMENTS);
    for compute in backends(Dtype::F64) {
        for activation in Activation::examples() {
            let network = bare(&activation, &compute).expect("has a form on tensors");
            let found = to_matrix(network.forward(compute.tensor(&z))).expect("readable");
            for (z, found) in ARGUMENTS.iter().zip(found.values()) {
                let expected = activation.family().value(*z);
                // 1 + tanh and 1 + erf are right to rounding of 1, which z multiplies.
                let bound = 1e-12 * expected.abs().max(1.0);
                assert!((found - expected).abs() < bound, "{activation} at {z}: {found} against {expected}");
            }
        }
    }
}

#[test]
fn derivatives_of_activations_are_those_of_the_functions() {
    // Central differences with h = 1e-5 are right to about h^2 = 1e-10 of the third derivative, and to rounding over h, 1e-11 of the
    // function; kinks and jumps are at 0 alone.
    let h = 1e-5;
    for compute in backends(Dtype::F64) {
        for activation in Activation::examples() {
            let family = activation.family();
            let is_smooth_at_0 = match family {
                Family::TwoSlope { left, right } => left == right,
                Family::TwoLevel { .. } => false,
                Family::ExponentialLinear { right, scale, rate } => right == scale * rate,
                _ => true,
            };
            let arguments = ARGUMENTS.map(|z| if z.abs() < 0.1 { 0.0 } else { z });
            for (z, found) in arguments.iter().zip(derivatives(&activation, &column(&arguments), &compute)) {
                if *z == 0.0 && !is_smooth_at_0 {
                    continue;
                }
                let expected = (family.value(z + h) - family.value(z - h)) / (2.0 * h);
                // The ELU's second derivative jumps at 0, which costs a difference h / 4.
                let bound = 1e-8 * family.value(*z).abs().max(1.0) + if *z == 0.0 { 0.5 * h } else { 0.0 };
                assert!((found - expected).abs() < bound, "{activation} at {z}: {found} against {expected}");
            }
        }
    }
}

#[test]
fn no_derivative_is_lost_where_exponentials_overflow() {
    let far = column(&[-100.0, 100.0]);
    for dtype in [Dtype::F32, Dtype::F64] {
        for compute in backends(dtype) {
            for activation in Activation::examples() {
                let found = derivatives(&activation, &far, &compute);
                assert!(found.iter().all(|v| v.is_finite()), "{activation}, {dtype}: {found:?}");
            }
        }
    }
}

#[test]
fn a_network_of_a_function_of_ones_own_is_refused_by_its_name() {
    let own = Activation::Own(OwnFunction::new("cubic root", f64::cbrt));
    let compute = backends(Dtype::F64).remove(0);
    let message = bare(&own, &compute).expect_err("no form on tensors").to_string();
    assert!(message.contains("cubic root") && message.contains("jacobian"), "{message}");
}
