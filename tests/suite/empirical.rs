//! The empirical NTK: against neural-tangents, its two methods against each other, against finite differences, and against the laws of
//! finite width.

use ntk::arch::{Activation, Architecture, Layer, Mlp, Parametrization};
use ntk::kernel::Kernel;
use ntk::kernel::analytic::AnalyticKernel;
use ntk::kernel::empirical::{EmpiricalNtk, Linearization, Method, Outputs, jacobian};
use ntk::linalg::Matrix;
use ntk::net::{Compute, DenseWeights, Dtype, InitialFunction, Model, Predictor, to_matrix};
use ntk::seed;

use crate::golden;
use crate::problem::{backends, inputs, layered, settings, widened};

const FILE: &str = include_str!("../golden/empirical.json");

/// A network of the golden file, on the given backend in f64.
fn golden_network(
    entry: &serde_json::Value,
    d_in: usize,
    compute: &Compute,
) -> (Architecture, Vec<DenseWeights>, Predictor) {
    let count = |key: &str| usize::try_from(entry[key].as_u64().expect("a count")).expect("small");
    let activation = match entry["activation"].as_str().expect("a name") {
        "relu" => Activation::Relu,
        _ => Activation::Erf,
    };
    let mlp = Mlp {
        depth: count("hidden"),
        width: count("width"),
        activation,
        w_std: entry["W_std"].as_f64().expect("a number"),
        b_std: entry["b_std"].as_f64().expect("a number"),
        parametrization: Parametrization::Ntk,
    };
    let architecture = mlp.architecture(d_in, count("outputs")).expect("valid");
    let weights: Vec<DenseWeights> = entry["weights"]
        .as_array()
        .expect("a list of layers")
        .iter()
        .map(|layer| DenseWeights { weight: golden::matrix(&layer[0]), bias: Some(golden::numbers(&layer[1])) })
        .collect();
    let predictor =
        Predictor::from_weights(&architecture, &weights, InitialFunction::Plain, compute).expect("shapes agree");
    (architecture, weights, predictor)
}

#[test]
fn finite_networks_equal_those_of_neural_tangents() {
    let file = golden::parse(FILE);
    for compute in backends(Dtype::F64) {
        for entry in file["empirical"].as_array().expect("a list") {
            let (x, z) = (golden::input(&file, &entry["x"]), golden::input(&file, &entry["z"]));
            let (_, _, predictor) = golden_network(entry, x.n_cols(), &compute);
            let f = to_matrix(predictor.forward(compute.tensor(&x))).expect("readable");
            assert!(golden::relative_error(&f, &golden::matrix(&entry["f_x"])) < 1e-12);
            let ntk = EmpiricalNtk::new(&predictor, &compute);
            let cross = ntk.cross_gram(&x, &z).expect("finite");
            assert!(golden::relative_error(&cross, &full_blocks(&entry["ntk_xz_full"])) < 1e-12);
            let gram = ntk.gram(&x).expect("finite").into_matrix();
            assert!(golden::relative_error(&gram, &full_blocks(&entry["ntk_xx_full"])) < 1e-12);
            let outputs = ntk.output_cross_grams(&x, &z).expect("finite");
            let diagonal = Matrix::from_fn(x.n_rows(), z.n_rows() * outputs.len(), |i, column| {
                outputs[column % outputs.len()][(i, column / outputs.len())]
            });
            assert!(golden::relative_error(&diagonal, &golden::matrix(&entry["ntk_xz_diag"])) < 1e-12);
            let f_z = to_matrix(predictor.forward(compute.tensor(&z))).expect("readable");
            let nngp = f.matmul(&f_z.transpose()).map(|v| v / f.n_cols() as f64);
            assert!(golden::relative_error(&nngp, &golden::matrix(&entry["nngp_xz"])) < 1e-12);
            for method in [Method::Structured, Method::Jacobian] {
                let trace = ntk.method(method).outputs(Outputs::Trace).cross_gram(&x, &z).expect("finite");
                assert!(golden::relative_error(&trace, &golden::matrix(&entry["ntk_xz_trace_mean"])) < 1e-12);
            }
        }
    }
}

/// neural-tangents orders a full kernel [n1, n2, O, O]; here it is [n1 O, n2 O].
fn full_blocks(value: &serde_json::Value) -> Matrix {
    let (n1, n2) = (value.as_array().expect("n1").len(), value[0].as_array().expect("n2").len());
    let d_out = value[0][0].as_array().expect("O").len();
    let numbers = golden::numbers(value);
    Matrix::from_fn(n1 * d_out, n2 * d_out, |row, column| {
        let (i, o, j, p) = (row / d_out, row % d_out, column / d_out, column % d_out);
        numbers[((i * n2 + j) * d_out + o) * d_out + p]
    })
}

#[test]
fn the_linearized_network_equals_that_of_neural_tangents() {
    // lin_x = f(theta) + J d, at d = 0.1 cos(k), k counting each array's entries row by row; f_x_perturbed = f(theta + d).
    let file = golden::parse(FILE);
    for compute in backends(Dtype::F64) {
        for entry in file["empirical"].as_array().expect("a list") {
            let x = golden::input(&file, &entry["x"]);
            let (architecture, mut weights, predictor) = golden_network(entry, x.n_cols(), &compute);
            for layer in &mut weights {
                let move_by = |values: &mut [f64]| {
                    values.iter_mut().enumerate().for_each(|(k, value)| *value += 0.1 * (k as f64).cos());
                };
                move_by(layer.weight.values_mut());
                if let Some(bias) = &mut layer.bias {
                    move_by(bias);
                }
            }
            let moved = Predictor::from_weights(&architecture, &weights, InitialFunction::Plain, &compute);
            let moved = moved.expect("shapes agree");
            let linearization = Linearization::of(&predictor, &compute, &x).expect("finite");
            let found = linearization.at(&moved).expect("the same network");
            assert!(golden::relative_error(&found, &golden::matrix(&entry["lin_x"])) < 1e-12);
            let f = to_matrix(moved.forward(compute.tensor(&x))).expect("readable");
            assert!(golden::relative_error(&f, &golden::matrix(&entry["f_x_perturbed"])) < 1e-12);
        }
    }
}

/// Networks of every activation, both parametrizations, several outputs, with and without biases, equal and unequal widths.
fn architectures() -> Vec<Architecture> {
    let mut all = Vec::new();
    for activation in Activation::examples() {
        for (parametrization, b_std) in settings() {
            let hidden = vec![
                Layer::Dense(7),
                Layer::Activation(activation.clone()),
                Layer::Dense(5),
                Layer::Dense(6),
                Layer::Activation(activation.clone()),
            ];
            all.push(Architecture::new(&[4], hidden, 2, 1.3, b_std, parametrization).expect("valid"));
        }
    }
    all
}

#[test]
fn structured_derivatives_equal_jacobian_contraction() {
    let layered = layered().into_iter().map(|(_, architecture)| architecture);
    let architectures: Vec<Architecture> = architectures().into_iter().chain(layered).collect();
    for (dtype, tolerance) in [(Dtype::F64, 1e-12), (Dtype::F32, 1e-5)] {
        for compute in backends(dtype) {
            for architecture in &architectures {
                let d_in = architecture.d_in();
                let (x1, x2) = (inputs(5, d_in, "x1"), inputs(3, d_in, "x2"));
                for initial in [InitialFunction::Plain, InitialFunction::Centred, InitialFunction::Antisymmetric] {
                    let mut stream = seed::stream(3, "methods");
                    let predictor = Predictor::init(architecture, initial, &mut stream, &compute).expect("valid");
                    let ntk = EmpiricalNtk::new(&predictor, &compute);
                    let (t1, t2) = (compute.tensor(&x1), compute.tensor(&x2));
                    let reference = jacobian::cross_gram(&predictor, Predictor::forward, &t1, &t2).expect("finite");
                    let error = golden::relative_error(&ntk.cross_gram(&x1, &x2).expect("finite"), &reference);
                    assert!(error < tolerance, "{}, {initial}, {dtype}: {error:e}", architecture.describe());
                    let reference = jacobian::gram(&predictor, Predictor::forward, &t1).expect("finite");
                    let gram = ntk.gram(&x1).expect("finite");
                    let error = golden::relative_error(gram.as_matrix(), reference.as_matrix());
                    assert!(error < tolerance, "{}, {initial}, {dtype}: {error:e}", architecture.describe());
                }
            }
        }
    }
}

#[test]
fn units_without_a_derivative_in_any_output_can_be_left_out() {
    // As they are in so wide layers; both ways of bringing several outputs together.
    for (name, architecture) in widened(64, 4, Parametrization::Ntk) {
        let compute = backends(Dtype::F64).remove(0);
        let x = inputs(5, architecture.d_in(), "x1");
        let mut stream = seed::stream(3, "methods");
        let predictor = Predictor::init(&architecture, InitialFunction::Plain, &mut stream, &compute).expect("valid");
        let ntk = EmpiricalNtk::new(&predictor, &compute);
        for outputs in [Outputs::Full, Outputs::Trace] {
            let [structured, jacobian] = [Method::Structured, Method::Jacobian]
                .map(|method| ntk.outputs(outputs).method(method).gram(&x).expect("finite"));
            let error = golden::relative_error(structured.as_matrix(), jacobian.as_matrix());
            assert!(error < 1e-12, "{name}, {outputs:?}: {error:e}");
        }
    }
}

#[test]
fn the_jacobian_equals_finite_differences_in_every_parameter() {
    let x = inputs(3, 4, "x");
    for compute in backends(Dtype::F64) {
        // Smooth activation: central differences with h = 1e-5 are right to about h^2 = 1e-10.
        let architecture = Architecture::new(
            &[4],
            vec![Layer::Dense(5), Layer::Activation(Activation::Erf)],
            2,
            1.3,
            0.4,
            Parametrization::Ntk,
        )
        .expect("valid");
        let weights = DenseWeights::draw(&architecture, &mut seed::stream(5, "differences"));
        let forward = |weights: &[DenseWeights]| {
            let predictor = Predictor::from_weights(&architecture, weights, InitialFunction::Plain, &compute);
            to_matrix(predictor.expect("valid").forward(compute.tensor(&x))).expect("readable")
        };
        let predictor =
            Predictor::from_weights(&architecture, &weights, InitialFunction::Plain, &compute).expect("valid");
        let j = jacobian::jacobian(&predictor, Predictor::forward, &compute.tensor(&x)).expect("finite");
        let mut parameter = 0;
        for layer in 0..weights.len() {
            let n_weights = weights[layer].weight.values().len();
            let n_biases = weights[layer].bias.as_ref().map_or(0, Vec::len);
            for k in 0..n_weights + n_biases {
                let moved = |h: f64| {
                    let mut moved = weights.clone();
                    if k < n_weights {
                        moved[layer].weight.values_mut()[k] += h;
                    } else if let Some(bias) = &mut moved[layer].bias {
                        bias[k - n_weights] += h;
                    }
                    forward(&moved)
                };
                let h = 1e-5;
                let slope = (&moved(h) - &moved(-h)).map(|v| v / (2.0 * h));
                for (row, value) in slope.values().iter().enumerate() {
                    assert!((j[(row, parameter)] - value).abs() < 1e-8, "parameter {parameter}, output {row}");
                }
                parameter += 1;
            }
        }
        assert_eq!(parameter, architecture.n_parameters());
    }
}

#[test]
fn permuting_the_inputs_permutes_the_kernel() {
    let x = inputs(5, 4, "x");
    let order = [3, 0, 4, 1, 2];
    for compute in backends(Dtype::F64) {
        let architecture = &architectures()[1];
        let mut stream = seed::stream(3, "permutation");
        let predictor = Predictor::init(architecture, InitialFunction::Plain, &mut stream, &compute).expect("valid");
        let ntk = EmpiricalNtk::new(&predictor, &compute);
        let d_out = architecture.d_out();
        let straight = ntk.gram(&x).expect("finite");
        let permuted = ntk.gram(&x.select_rows(&order)).expect("finite");
        for row in 0..5 * d_out {
            for column in 0..5 * d_out {
                let at = |k: usize| order[k / d_out] * d_out + k % d_out;
                let gap = (permuted[(row, column)] - straight[(at(row), at(column))]).abs();
                assert!(gap < 1e-12 * straight.mean_diagonal(), "row {row}, column {column}: {gap:e}");
            }
        }
    }
}

/// One kernel entry of `n_networks` independent networks of one hidden layer.
fn samples(architecture: &Architecture, x1: &Matrix, x2: &Matrix, n_networks: u64, compute: &Compute) -> Vec<f64> {
    (0..n_networks)
        .map(|index| {
            let mut stream = seed::stream(17, &format!("law/{index}"));
            let predictor = Predictor::init(architecture, InitialFunction::Plain, &mut stream, compute).expect("valid");
            EmpiricalNtk::new(&predictor, compute).cross_gram(x1, x2).expect("finite")[(0, 0)]
        })
        .collect()
}

#[test]
fn with_one_hidden_layer_the_mean_over_networks_is_the_analytic_kernel_at_every_width() {
    // 1,000 networks of width 8; five standard errors of the sample itself leave about one failure in a million for each of the 60
    // cases, and the seeds are fixed. This is the test that network and kernel describe the same thing.
    let compute = backends(Dtype::F64).remove(0);
    let (x1, x2) = (inputs(1, 3, "law x1"), inputs(1, 3, "law x2"));
    for activation in Activation::examples() {
        for parametrization in [Parametrization::Ntk, Parametrization::Standard] {
            let activation = activation.clone();
            let mlp = Mlp { depth: 1, width: 8, activation, w_std: 1.4, b_std: 0.2, parametrization };
            let architecture = mlp.architecture(3, 1).expect("valid");
            let values = samples(&architecture, &x1, &x2, 1_000, &compute);
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            let exact = AnalyticKernel::new(architecture.clone()).cross_grams(&x1, &x2).expect("finite").ntk[(0, 0)];
            let bound = 5.0 * deviation / n.sqrt();
            assert!((mean - exact).abs() < bound, "{}: {mean} against {exact} +- {bound}", architecture.describe());
        }
    }
}

#[test]
fn layers_of_every_kind_have_the_analytic_kernel_in_the_mean() {
    // Behind the first hidden layer the mean is off by O(1 / n): two widths, n and 2n, cancel that and leave O(1 / n^2), below one percent at
    // width 48, where the standard error of the 400 + 400 networks is one to three. The bound is five of them: about one failure in a
    // million for each of the 28 cases, with fixed seeds. A factor of a window, a pool or a branch that is wrong is off by far more.
    let compute = backends(Dtype::F64).remove(0);
    for parametrization in [Parametrization::Ntk, Parametrization::Standard] {
        let [narrow, wide] = [48, 96].map(|width| widened(width, 1, parametrization));
        for ((name, narrow), (_, wide)) in narrow.iter().zip(&wide) {
            let [x1, x2] = ["layers x1", "layers x2"].map(|stream| inputs(1, narrow.d_in(), stream));
            // The mean over the exact value and its standard error, on the scale of the diagonal.
            let of = |architecture: &Architecture| {
                let values = samples(architecture, &x1, &x2, 400, &compute);
                let kernel = AnalyticKernel::new(architecture.clone());
                let exact = kernel.cross_grams(&x1, &x2).expect("finite").ntk[(0, 0)];
                let diagonal = |x: &Matrix| kernel.diagonals(x).expect("finite").ntk[0];
                let scale = (diagonal(&x1) * diagonal(&x2)).sqrt();
                let n = values.len() as f64;
                let mean = values.iter().sum::<f64>() / n;
                let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
                ((mean - exact) / scale, (variance / n).sqrt() / scale)
            };
            let ((gap, error), (wide_gap, wide_error)) = (of(narrow), of(wide));
            let extrapolated = 2.0 * wide_gap - gap;
            let bound = 5.0 * (4.0 * wide_error * wide_error + error * error).sqrt();
            assert!(bound < 0.25, "{name}, {parametrization}: a bound of {bound} tests nothing");
            assert!(extrapolated.abs() < bound, "{name}, {parametrization}: {extrapolated} beyond {bound}");
        }
    }
}

#[test]
fn the_relative_variance_of_a_relu_diagonal_entry_is_three_over_the_width() {
    // One hidden layer, no bias: exactly 3 / n (Hanin and Nica 2020). 4,000 networks of width 16: the entry is a mean of 16 terms,
    // so its excess kurtosis is below 2 and the sample variance has a relative standard error below sqrt(4 / 4000) = 3.2 %;
    // the bound is five of them.
    let compute = backends(Dtype::F64).remove(0);
    let mlp = Mlp {
        depth: 1,
        width: 16,
        activation: Activation::Relu,
        w_std: 2.0_f64.sqrt(),
        b_std: 0.0,
        parametrization: Parametrization::Ntk,
    };
    let architecture = mlp.architecture(3, 1).expect("valid");
    let x = inputs(1, 3, "variance");
    let values = samples(&architecture, &x, &x, 4_000, &compute);
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let relative = variance / (mean * mean);
    assert!((relative * 16.0 / 3.0 - 1.0).abs() < 0.16, "relative variance {relative}, expected {}", 3.0 / 16.0);
}
