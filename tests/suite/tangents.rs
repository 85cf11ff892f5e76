//! What structured derivatives give beside the whole kernel: vectors instead of matrices, parts of the sum, tiles and memory, frozen
//! parameters, and the linearized network in training.

use ntk::arch::{Activation, Architecture, Mlp, Parametrization};
use ntk::dynamics::{Flow, Horizon, Outputs as Coupling};
use ntk::error::Error;
use ntk::kernel::Kernel;
use ntk::kernel::empirical::{EmpiricalNngp, EmpiricalNtk, Linearization, Method, Outputs, Tangent, jacobian};
use ntk::linalg::Matrix;
use ntk::net::{Compute, Dtype, Frozen, InitialFunction, Model, Predictor, to_matrix};
use ntk::seed;

use crate::golden::relative_error;
use crate::problem::{backends, inputs, layered};

fn network(architecture: &Architecture, initial: InitialFunction, compute: &Compute) -> Predictor {
    Predictor::init(architecture, initial, &mut seed::stream(8, "tangents"), compute).expect("valid")
}

fn relu(depth: usize, width: usize, d_out: usize) -> Architecture {
    let (activation, parametrization) = (Activation::Relu, Parametrization::Ntk);
    let mlp = Mlp { depth, width, activation, w_std: 2.0_f64.sqrt(), b_std: 0.3, parametrization };
    mlp.architecture(3, d_out).expect("valid")
}

fn column(values: Vec<f64>) -> Matrix {
    Matrix::from_vec(values.len(), 1, values).expect("a column")
}

#[test]
fn products_with_vectors_are_those_of_the_jacobian_for_every_layer() {
    for (dtype, tolerance) in [(Dtype::F64, 1e-12), (Dtype::F32, 1e-5)] {
        for compute in backends(dtype) {
            for (name, architecture) in layered() {
                for initial in [InitialFunction::Plain, InitialFunction::Antisymmetric] {
                    let predictor = network(&architecture, initial, &compute);
                    let (x1, x2) = (inputs(5, architecture.d_in(), "t1"), inputs(3, architecture.d_in(), "t2"));
                    let j = |x: &Matrix| {
                        jacobian::jacobian(&predictor, Predictor::forward, &compute.tensor(x)).expect("finite")
                    };
                    let (j1, j2) = (j(&x1), j(&x2));
                    let tangent = |x: &Matrix| Tangent::of(&predictor, &compute, x).expect("finite");
                    let (t1, t2) = (tangent(&x1), tangent(&x2));
                    assert_eq!((t1.n_rows(), t1.n_parameters()), j1.shape());
                    let u: Vec<f64> = (0..j1.n_rows()).map(|k| (1.0 + k as f64).sin()).collect();
                    let v: Vec<f64> = (0..j1.n_cols()).map(|k| (0.7 * k as f64).cos()).collect();
                    let (u_column, v_column) = (column(u.clone()), column(v.clone()));
                    let back = j1.transpose().matmul(&u_column);
                    for (what, found, expected) in [
                        ("J v", t1.forward(&v), j1.matmul(&v_column)),
                        ("J^T u", t1.backward(&u), back.clone()),
                        ("J J^T u", t1.kernel_times(&u), j1.matmul(&back)),
                        ("J J'^T u", t2.cross_kernel_times(&t1, &u), j2.matmul(&back)),
                    ] {
                        let error = relative_error(&column(found.expect("fits")), &expected);
                        assert!(error < tolerance, "{what}, {name}, {initial}, {dtype}: {error:e}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_power_iteration_on_products_finds_the_largest_eigenvalue_of_the_kernel() {
    let compute = backends(Dtype::F64).remove(0);
    let predictor = network(&relu(2, 20, 1), InitialFunction::Plain, &compute);
    let x = inputs(30, 3, "power");
    let gram = EmpiricalNtk::new(&predictor, &compute).gram(&x).expect("finite");
    let largest = ntk::linalg::Spectrum::of(&gram).expect("finite").eigenvalues()[0];
    let tangent = Tangent::of(&predictor, &compute, &x).expect("finite");
    let (mut u, mut found) = (vec![1.0; 30], 0.0);
    for _ in 0..200 {
        let next = tangent.kernel_times(&u).expect("fits");
        found = next.iter().map(|v| v * v).sum::<f64>().sqrt();
        u = next.into_iter().map(|v| v / found).collect();
    }
    assert!((found / largest - 1.0).abs() < 1e-12, "{found} against {largest}");
}

#[test]
fn shares_of_maps_and_of_outputs_make_up_the_kernel() {
    for compute in backends(Dtype::F64) {
        for (name, architecture) in layered() {
            let predictor = network(&architecture, InitialFunction::Plain, &compute);
            let x = inputs(4, architecture.d_in(), "shares");
            let ntk = EmpiricalNtk::new(&predictor, &compute);
            let full = ntk.gram(&x).expect("finite").into_matrix();
            let maps = ntk.map_grams(&x).expect("finite");
            assert_eq!(maps.len(), architecture.maps().len());
            let sum = maps.iter().fold(Matrix::zeros(8, 8), |sum, map| &sum + map.as_matrix());
            assert!(relative_error(&sum, &full) < 1e-13, "{name}");
            let outputs = ntk.output_grams(&x).expect("finite");
            let block = |o: usize| Matrix::from_fn(4, 4, |i, j| full[(2 * i + o, 2 * j + o)]);
            assert!((0..2).all(|o| relative_error(outputs[o].as_matrix(), &block(o)) < 1e-13), "{name}");
            let mean = (&block(0) + &block(1)).map(|v| 0.5 * v);
            for method in [Method::Structured, Method::Jacobian] {
                let trace = ntk.outputs(Outputs::Trace).method(method).gram(&x).expect("finite").into_matrix();
                assert!(relative_error(&trace, &mean) < 1e-12, "{name}");
            }
        }
    }
}

#[test]
fn tiles_row_blocks_and_a_memory_limit_change_nothing_beyond_rounding() {
    // More inputs than a tile and several strips have, and no multiple of either.
    let (n1, n2) = (1131, 300);
    for compute in backends(Dtype::F64) {
        let predictor = network(&relu(2, 9, 2), InitialFunction::Plain, &compute);
        let (x1, x2) = (inputs(n1, 3, "tiles x1"), inputs(n2, 3, "tiles x2"));
        let ntk = EmpiricalNtk::new(&predictor, &compute);
        let gram = ntk.gram(&x1).expect("finite").into_matrix();
        let cross = ntk.cross_gram(&x2, &x1).expect("finite");
        let both = Matrix::from_fn(n1 + n2, 3, |i, j| if i < n1 { x1[(i, j)] } else { x2[(i - n1, j)] });
        let joint = ntk.gram(&both).expect("finite");
        let part = |first: usize, n: usize| Matrix::from_fn(2 * n, 2 * n1, |i, j| joint[(2 * first + i, j)]);
        assert!(relative_error(&gram, &part(0, n1)) < 1e-13);
        assert!(relative_error(&cross, &part(n1, n2)) < 1e-13);
        // Room for half of what would be held beside the result.
        let (result, whole) = (8.0 * (4 * n1 * n1) as f64, ntk.plan(n1, None, true).expect("fits"));
        let limit = result + 0.5 * (whole.memory - result);
        let limited = ntk.memory_limit(limit);
        let plan = limited.plan(n1, None, true).expect("fits");
        assert!(whole.holds_factors && !plan.holds_factors, "{plan}");
        assert!(plan.n_tile < whole.n_tile && plan.memory <= limit, "{plan}");
        assert!(relative_error(limited.gram(&x1).expect("fits").as_matrix(), &gram) < 1e-13);
        assert!(matches!(ntk.memory_limit(result).gram(&x1), Err(Error::TooLarge { .. })));
        let mut rows = Vec::new();
        let take = &mut |range: std::ops::Range<usize>, block: &Matrix| {
            assert_eq!((rows.len() / (4 * n1), block.n_rows()), (range.start, 2 * range.len()));
            rows.extend_from_slice(block.values());
            Ok(())
        };
        ntk.memory_limit(limit).row_blocks(&x1, None, take).expect("needs no room for the result");
        let rows = Matrix::from_vec(2 * n1, 2 * n1, rows).expect("all rows");
        assert!(relative_error(&rows, &gram) < 1e-13);
    }
}

#[test]
fn frozen_parameters_have_no_share() {
    for compute in backends(Dtype::F64) {
        for (name, architecture) in layered() {
            for initial in [InitialFunction::Plain, InitialFunction::Antisymmetric] {
                let x = inputs(4, architecture.d_in(), "frozen");
                let last = architecture.maps().len() - 1;
                let predictor = network(&architecture, initial, &compute);
                let predictor = predictor.freeze(0, Frozen::Weights).and_then(|p| p.freeze(last, Frozen::Both));
                let predictor = predictor.expect("there are such maps");
                let t = compute.tensor(&x);
                let exact = jacobian::gram(&predictor, Predictor::forward, &t).expect("finite").into_matrix();
                let found = EmpiricalNtk::new(&predictor, &compute).method(Method::Structured).gram(&x);
                let gap = (found.expect("finite").as_matrix() - &exact).frobenius();
                assert!(gap <= 1e-12 * exact.frobenius(), "{name}, {initial}: {gap:e}");
            }
        }
    }
    let compute = backends(Dtype::F64).remove(0);
    assert!(network(&relu(1, 4, 1), InitialFunction::Plain, &compute).freeze(2, Frozen::Both).is_err());
}

#[test]
fn the_cheaper_method_is_chosen_and_both_agree() {
    let compute = backends(Dtype::F64).remove(0);
    let predictor = network(&relu(2, 64, 1), InitialFunction::Plain, &compute);
    let plan = EmpiricalNtk::new(&predictor, &compute).plan(100, None, true).expect("fits");
    assert_eq!(plan.method, Method::Structured);
    assert!(plan.to_string().contains("Jacobian contraction would cost"), "{plan}");
    let asked = EmpiricalNtk::new(&predictor, &compute).method(Method::Jacobian).plan(100, None, true).expect("fits");
    assert_eq!((asked.method, asked.reason.as_str()), (Method::Jacobian, "asked for"));
    assert!(asked.n_multiplications > plan.n_multiplications);
    let x = inputs(6, 3, "methods");
    let by = |method| EmpiricalNtk::new(&predictor, &compute).method(method).gram(&x).expect("finite").into_matrix();
    assert!(relative_error(&by(Method::Structured), &by(Method::Jacobian)) < 1e-12);
}

#[test]
fn the_linearized_network_in_training_is_the_closed_form_in_functions_and_in_parameters() {
    // The parameters theta_0 + J^T a of the flow's weights a give the predictions of the flow itself.
    for compute in backends(Dtype::F64) {
        let predictor = network(&relu(2, 30, 2), InitialFunction::Plain, &compute);
        let (x_train, x_test) = (inputs(12, 3, "lin train"), inputs(7, 3, "lin test"));
        let y = Matrix::from_fn(12, 2, |i, o| (x_train[(i, 0)] * (1.0 + o as f64)).sin());
        let ntk = EmpiricalNtk::new(&predictor, &compute);
        let flow = Flow::new(&ntk.gram(&x_train).expect("finite"), Coupling::Coupled(2), 0.0, 0.0).expect("finite");
        let at = |x: &Matrix| Linearization::of(&predictor, &compute, x).expect("finite");
        let (train, test) = (at(&x_train), at(&x_test));
        let horizon = Horizon::Steps { learning_rate: 0.5 * flow.stability_bound(), n_steps: 40 };
        let residual = &y - train.f_0();
        let weights = flow.coefficients(horizon, &residual).expect("fits");
        let displacement = train.tangent().backward(weights.values()).expect("fits");
        let cross = ntk.cross_gram(&x_test, &x_train).expect("finite");
        let expected = test.f_0() + &flow.predict(&cross, horizon, &residual).expect("fits");
        let found = test.moved_by(&displacement).expect("fits");
        assert!(relative_error(&found, &expected) < 1e-12);
        let f_0 = to_matrix(predictor.forward(compute.tensor(&x_test))).expect("readable");
        assert!(relative_error(test.f_0(), &f_0) < 1e-13);
    }
}

#[test]
fn the_kernel_of_the_features_is_the_share_of_the_readout() {
    // In the NTK parametrization the readout's share is that of its weights and biases times the unit delta of the output.
    let compute = backends(Dtype::F64).remove(0);
    let architecture = relu(2, 11, 1);
    let predictor = network(&architecture, InitialFunction::Plain, &compute);
    let x = inputs(6, 3, "features");
    let nngp = EmpiricalNngp::new(&predictor, &compute).gram(&x).expect("finite").into_matrix();
    let maps = EmpiricalNtk::new(&predictor, &compute).map_grams(&x).expect("finite");
    assert!(relative_error(&nngp, maps.last().expect("a readout").as_matrix()) < 1e-13);
}
