//! The analytic kernels against neural-tangents, entry by entry, and deep ones against 100 digits.

use ntk::arch::{
    Activation, Architecture, Conv, Extent, Family, Layer, LayerNorm, Mlp, Padding, Parametrization, Pool,
};
use ntk::kernel::Kernels;
use ntk::kernel::analytic::AnalyticKernel;
use ntk::linalg::Matrix;
use serde_json::Value;

use crate::golden;

const FILE: &str = include_str!("../golden/kernels.json");
const DEEP_RELU: &str = include_str!("../golden/deep_relu.json");

/// Rounding, carried through at most twenty layers.
const TOLERANCE: f64 = 1e-10;

/// neural-tangents takes the angle of kinked activations from acos, which loses half the digits at correlation 1. Against 50-digit arithmetic its ReLU
/// NTK is off by up to 1e-8 on the diagonal from depth 2 on (6e-8 at depth 20), and by less than 1e-14 elsewhere: there, and only there, the
/// reference is the exact recursion below, and neural-tangents is asked to agree to its own digits.
const REFERENCE_DIAGONAL_TOLERANCE: f64 = 1e-7;

/// Where kinked activations meet other layers, correlations of 1 stand inside its sums over positions and branches too.
const REFERENCE_KINKED_TOLERANCE: f64 = 1e-7;

#[test]
fn analytic_kernels_equal_those_of_neural_tangents() {
    let file = golden::parse(FILE);
    let mut n_checked = 0;
    for entry in file["kernels"].as_array().expect("a list of kernels") {
        let name = entry["name"].as_str().expect("a name");
        // The sign's square is 1, but neural-tangents has the NNGP of an input with itself off by 1e-4 from depth 2 on, and all that
        // follows.
        if entry["activation"] == "sign" && entry["depth"] != 1 {
            continue;
        }
        let architecture = architecture(&file, entry);
        let x1 = golden::input(&file, &entry["input"]);
        let is_gram = entry["input2"].is_null();
        let kernels = if is_gram {
            grams(&architecture, &x1)
        } else {
            let x2 = golden::input(&file, &entry["input2"]);
            AnalyticKernel::new(architecture.clone()).cross_grams(&x1, &x2).expect("finite")
        };
        // Quadrature of its own where neural-tangents' is off by up to 6e-3.
        let reference = |key: &str| entry.get(format!("{key}_ref")).unwrap_or(&entry[key]);
        let (nngp, ntk) = (golden::matrix(reference("nngp")), golden::matrix(reference("ntk")));
        let kink = squared_slopes(&architecture);
        let is_plain = entry["arch"] == "fc";
        assert_eq!(kernels.ntk.shape(), ntk.shape(), "{name}");
        for i in 0..ntk.n_rows() {
            for j in 0..ntk.n_cols() {
                let place = format!("{name}, row {i}, column {j}");
                assert_close(kernels.nngp[(i, j)], nngp[(i, j)], TOLERANCE, &format!("{place}, nngp"));
                let tolerance = if kink.is_some() && !is_plain { REFERENCE_KINKED_TOLERANCE } else { TOLERANCE };
                let Some(squared_slopes) = kink.filter(|_| is_plain && is_gram && i == j) else {
                    assert_close(kernels.ntk[(i, j)], ntk[(i, j)], tolerance, &format!("{place}, ntk"));
                    continue;
                };
                assert_close(kernels.ntk[(i, j)], ntk[(i, j)], REFERENCE_DIAGONAL_TOLERANCE, &format!("{place}, ntk"));
                let exact = diagonal(&architecture, squared_slopes, x1.row(i));
                assert_close(kernels.ntk[(i, j)], exact, 1e-13, &format!("{place}, exact ntk"));
            }
        }
        n_checked += 1;
    }
    assert_eq!(n_checked, 211);
}

/// 100-digit arithmetic, rounded to f64; how it was made is in `deep_relu.py` and the file's `meta`.
#[test]
fn a_thousand_relu_layers_keep_twelve_digits_of_near_duplicates() {
    let file = golden::parse(DEEP_RELU);
    let x = golden::matrix(&file["inputs"]);
    for entry in file["kernels"].as_array().expect("a list of kernels") {
        let number = |key: &str| entry[key].as_f64().expect("a number");
        let depth = usize::try_from(entry["depth"].as_u64().expect("a depth")).expect("small");
        let (activation, parametrization) = (Activation::Relu, Parametrization::Ntk);
        let (w_std, b_std) = (number("w_std"), number("b_std"));
        let mlp = Mlp { depth, width: 1, activation, w_std, b_std, parametrization };
        let kernels = grams(&mlp.architecture(x.n_cols(), 1).expect("valid"), &x);
        for (found, key) in [(&kernels.nngp, "nngp"), (&kernels.ntk, "ntk")] {
            let expected = golden::matrix(&entry[key]);
            for i in 0..x.n_rows() {
                for j in 0..x.n_rows() {
                    // Opposite inputs at depth 1 have a kernel of 1e-78, which counts as 0 beside the diagonal.
                    let scale = expected[(i, j)].abs().max(1e-3 * (expected[(i, i)] * expected[(j, j)]).sqrt());
                    let error = (found[(i, j)] - expected[(i, j)]).abs() / scale;
                    assert!(error < 1e-12, "{key} at depth {depth}, {w_std}, {b_std}, row {i}, column {j}: {error:e}");
                }
            }
        }
    }
}

fn grams(architecture: &Architecture, x: &Matrix) -> Kernels<Matrix> {
    let kernels = AnalyticKernel::new(architecture.clone()).grams(x).expect("finite");
    Kernels { nngp: kernels.nngp.into_matrix(), ntk: kernels.ntk.into_matrix() }
}

/// Entry by entry: a small entry must be as right as a large one, down to 1e-3, below which sums have cancelled.
fn assert_close(found: f64, expected: f64, tolerance: f64, place: &str) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1e-3), "{place}: {found} against {expected}");
}

/// (A^2 + B^2) / 2 of an activation with slopes A below and B above 0, if it has a kink there.
fn squared_slopes(architecture: &Architecture) -> Option<f64> {
    architecture.activations().into_iter().find_map(|activation| match activation.family() {
        Family::TwoSlope { left, right } if left != right => Some(0.5 * (left * left + right * right)),
        _ => None,
    })
}

/// The NTK of an input with itself under a kinked activation, where T = a T' and T' = (A^2 + B^2) / 2 need no angle.
fn diagonal(architecture: &Architecture, squared_slopes: f64, x: &[f64]) -> f64 {
    let (w2, b2) = (architecture.w_std().powi(2), architecture.b_std().powi(2));
    let is_standard = architecture.parametrization() == Parametrization::Standard;
    let bias = if b2 > 0.0 { 1.0 } else { 0.0 };
    let mut n_in = x.len() as f64;
    let mut input = x.iter().map(|v| v * v).sum::<f64>() / n_in;
    let mut ntk = 0.0;
    for layer in 0..=architecture.depth() {
        let k = w2 * input + b2;
        ntk = w2 * ntk + if is_standard { n_in * input + bias } else { k };
        if layer < architecture.depth() {
            input = k * squared_slopes;
            ntk *= squared_slopes;
        }
        n_in = architecture.width() as f64;
    }
    ntk
}

/// The entry's architecture.
fn architecture(file: &Value, entry: &Value) -> Architecture {
    let number = |key: &str, default: f64| entry[key].as_f64().unwrap_or(default);
    let (w_std, b_std) = (number("W_std", 1.5), number("b_std", 0.05));
    let parametrization = match entry["parameterization"].as_str() {
        Some("standard") => Parametrization::Standard,
        _ => Parametrization::Ntk,
    };
    let text = entry["arch"].as_str().expect("an architecture");
    let input = &file["inputs"][entry["input"].as_str().expect("an input's name")];
    if text == "fc" {
        let mlp = Mlp {
            depth: usize::try_from(entry["depth"].as_u64().expect("a depth")).expect("small"),
            // The limit of the NTK parametrization does not depend on it.
            width: entry["width"].as_u64().map_or(1, |width| usize::try_from(width).expect("a width")),
            activation: activation(entry["activation"].as_str().expect("an activation")),
            w_std,
            b_std,
            parametrization,
        };
        return mlp.architecture(golden::shape(input)[1], 1).expect("valid");
    }
    let layers = layers(text, entry["activation"].as_str());
    Architecture::new(&golden::shape(input)[1..], layers, 1, w_std, b_std, parametrization).expect("valid")
}

fn activation(name: &str) -> Activation {
    match name {
        "identity" => Activation::Identity,
        "relu" | "Relu" => Activation::Relu,
        "leaky_relu_0.1" => Activation::LeakyRelu(0.1),
        "abrelu_-0.3_1.2" => Activation::TwoSlope { left: -0.3, right: 1.2 },
        "abs" => Activation::Abs,
        "sign" => Activation::Sign,
        "erf" | "Erf" => Activation::Erf,
        "erf_a2_b0.5_c0.1" => Activation::ScaledErf { scale: 2.0, slope: 0.5, offset: 0.1 },
        "sigmoid_like" => Activation::SigmoidLike,
        "gelu" => Activation::Gelu,
        "sin" => Activation::Sin,
        "sin_a1.3_b0.7_c0.2" => Activation::Sine { amplitude: 1.3, frequency: 0.7, phase: 0.2 },
        "cos" => Activation::Cos,
        "rbf_g0.5" => Activation::Rbf(0.5),
        "exp_a0.5_b0.4" => Activation::Exponential { scale: 0.5, rate: 0.4 },
        "gaussian" => Activation::Gaussian,
        "gabor" => Activation::Gabor,
        "monomial2" => Activation::Monomial(2),
        "monomial3" => Activation::Monomial(3),
        "polynomial" => Activation::Polynomial(vec![0.2, 0.5, -0.3]),
        "hermite3" => Activation::Hermite(3),
        "tanh_gh60" => Activation::Tanh,
        "swish_gh60" => Activation::Swish,
        other => panic!("an activation that the golden file did not have: {other}"),
    }
}

/// The hidden layers of an entry that is not fully connected, from its name there.
fn layers(text: &str, phi: Option<&str>) -> Vec<Layer> {
    let act = |name: &str| Layer::Activation(activation(name));
    let dense = || Layer::Dense(1);
    let norm = || Layer::LayerNorm(LayerNorm { eps: 1e-12 });
    let padding = match text {
        _ if text.contains("SAME") => Padding::Same,
        _ if text.contains("CIRCULAR") => Padding::Circular,
        _ => Padding::Valid,
    };
    let conv = || {
        let (window, stride) = (Extent::Same(3), Extent::Same(1));
        Layer::Conv(Conv { channels: 1, window, stride, padding })
    };
    let phi = || act(phi.unwrap_or("relu"));
    if text.contains("AvgPool") {
        let pool = Layer::AvgPool(Pool { window: Extent::Same(2), stride: Some(Extent::Same(2)) });
        return vec![conv(), phi(), pool, Layer::Flatten];
    }
    let end = if text.contains("gap") { Layer::GlobalAvgPool } else { Layer::Flatten };
    if text.starts_with("[Conv1D") {
        return vec![conv(), phi(), conv(), phi(), end];
    }
    if text.starts_with("Conv2D") {
        return vec![conv(), phi(), end];
    }
    let residual = || Layer::Residual(vec![phi(), dense()]);
    match text {
        "Dense,[FanOut2;Identity||(act,Dense);FanInSum]x2,act,Dense(1)" => {
            vec![dense(), residual(), residual(), phi()]
        }
        "Dense,FanOut2,(Relu,Dense)||(Erf,Dense),FanInProd,Dense" => {
            vec![dense(), Layer::Product(vec![vec![act("relu"), dense()], vec![act("erf"), dense()]])]
        }
        "[Dense,LayerNorm(eps=1e-12),Relu]x2,Dense" => vec![dense(), norm(), phi(), dense(), norm(), phi()],
        "Dense,LayerNorm,Erf,Dense" => vec![dense(), norm(), act("erf")],
        other => panic!("an architecture that the golden file did not have: {other}"),
    }
}
