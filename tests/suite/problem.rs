//! Small problems that several tests share.

use std::f64::consts::SQRT_2;

use ntk::arch::{Activation, Architecture, Conv, Convention, Layer, Mlp, Parametrization};
use ntk::linalg::Matrix;
use ntk::net::{Backend, Compute, Dtype};
use ntk::seed;
use serde::Deserialize;

/// Every backend that is compiled in and computes in `dtype`, for tests of networks. All must open.
pub(crate) fn backends(dtype: Dtype) -> Vec<Compute> {
    Backend::ALL
        .into_iter()
        .filter(|backend| backend.is_compiled() && (dtype == Dtype::F32 || !backend.lacks_f64()))
        .map(|backend| Compute::open(backend, dtype).expect("a backend that is compiled in opens"))
        .collect()
}

/// Networks that are no plain sequence of dense layers: the shape of an input, and the hidden layers as a config has them.
const LAYERED: [(&str, &[usize], &str); 14] = [
    ("residual", &[4], "{ dense = 7 }, { residual = [{ activation = 'relu' }, { dense = 7 }] }, { activation = 'erf' }"),
    (
        "sum",
        &[4],
        "{ dense = 6 },
         { sum = [[{ activation = 'relu' }, { dense = 5 }], [{ activation = 'erf' }, { dense = 5 }]] },
         { activation = 'gelu' }",
    ),
    (
        "product",
        &[4],
        "{ dense = 6 }, { product = [[{ activation = 'sin' }, { dense = 5 }], [{ dense = 5 }]] }, { dense = 6 },
         { activation = 'relu' }, { product = [[], [{ dense = 6 }, { activation = 'erf' }]] }",
    ),
    (
        "layer normalization",
        &[4],
        "{ dense = 8 }, { layer-norm = {} }, { activation = 'relu' }, { dense = 5 }, { layer-norm = { eps = 0.1 } },
         { activation = 'tanh' }",
    ),
    ("dropout", &[4], "{ dense = 6 }, { dropout = 0.1 }, { activation = 'relu' }, { dropout = 0.2 }"),
    (
        "same sequence",
        &[6, 2],
        "{ conv = { channels = 3, window = 3, padding = 'same' } }, { activation = 'relu' },
         { conv = { channels = 4, window = 2, padding = 'same' } }, { activation = 'erf' }, 'flatten'",
    ),
    (
        "valid sequence",
        &[6, 2],
        "{ conv = { channels = 3, window = 3, stride = 2 } }, { activation = 'gelu' }, 'flatten', { dense = 5 },
         { activation = 'relu' }",
    ),
    (
        "circular sequence",
        &[6, 2],
        "{ conv = { channels = 3, window = 4, padding = 'circular', stride = 2 } }, { activation = 'relu' }, 'flatten'",
    ),
    (
        "wide on a small grid",
        &[2, 8],
        "{ conv = { channels = 16, window = 2, padding = 'circular' } }, { activation = 'relu' }, 'flatten'",
    ),
    (
        "same image",
        &[4, 4, 2],
        "{ conv = { channels = 3, window = 3, padding = 'same' } }, { activation = 'relu' }, 'global-avg-pool'",
    ),
    (
        "strided image",
        &[4, 4, 2],
        "{ conv = { channels = 3, window = 2, stride = 2 } }, { activation = 'relu' },
         { avg-pool = { window = [2, 1] } }, 'flatten'",
    ),
    (
        "uneven image",
        &[4, 3, 2],
        "{ conv = { channels = 3, window = [3, 2], stride = [2, 1], padding = 'circular' } }, { activation = 'relu' },
         { avg-pool = { window = 2, stride = 1 } }, { conv = { channels = 5, window = 1 } }, { activation = 'erf' }, 'flatten'",
    ),
    (
        "residual image",
        &[4, 4, 2],
        "{ conv = { channels = 3, window = 3, padding = 'same' } },
         { residual = [{ layer-norm = {} }, { activation = 'relu' }, { conv = { channels = 3, window = 3, padding = 'same' } }] },
         { activation = 'relu' }, 'global-avg-pool'",
    ),
    (
        "pooled inputs",
        &[4, 4, 2],
        "{ avg-pool = { window = 2 } }, { conv = { channels = 3, window = 2 } }, { activation = 'relu' }",
    ),
];

/// [`LAYERED`] and a network of another convention, with two outputs, in both parametrizations, with and without biases.
pub(crate) fn layered() -> Vec<(&'static str, Architecture)> {
    let mut all = Vec::new();
    for (name, input, layers) in LAYERED {
        for (parametrization, b_std) in settings() {
            let layers = toml::from_str::<Layers>(&format!("layers = [{layers}]")).expect("well written").layers;
            let architecture = Architecture::new(input, layers, 2, 1.3, b_std, parametrization).expect("valid");
            all.push((name, architecture));
        }
    }
    let (activation, parametrization) = (Activation::Relu, Parametrization::Ntk);
    let mlp = Mlp { depth: 2, width: 6, activation, w_std: SQRT_2, b_std: 0.4, parametrization };
    let architecture =
        Convention::ScikitNtk.apply(mlp.architecture(4, 2).expect("valid")).expect("as scikit-ntk has it");
    all.push(("scikit-ntk", architecture));
    all
}

/// [`LAYERED`] with all hidden layers of this width, and biases.
pub(crate) fn widened(
    width: usize,
    d_out: usize,
    parametrization: Parametrization,
) -> Vec<(&'static str, Architecture)> {
    let build = |(name, input, layers): (&'static str, &[usize], &str)| {
        let layers = toml::from_str::<Layers>(&format!("layers = [{layers}]")).expect("well written").layers;
        let layers = layers.into_iter().map(|layer| widen(layer, width)).collect();
        (name, Architecture::new(input, layers, d_out, 1.3, 0.3, parametrization).expect("valid"))
    };
    LAYERED.into_iter().map(build).collect()
}

fn widen(layer: Layer, width: usize) -> Layer {
    let all = |layers: Vec<Layer>| -> Vec<Layer> { layers.into_iter().map(|layer| widen(layer, width)).collect() };
    match layer {
        Layer::Dense(_) => Layer::Dense(width),
        Layer::Conv(conv) => Layer::Conv(Conv { channels: width, ..conv }),
        Layer::Residual(branch) => Layer::Residual(all(branch)),
        Layer::Sum(branches) => Layer::Sum(branches.into_iter().map(all).collect()),
        Layer::Product(branches) => Layer::Product(branches.into_iter().map(all).collect()),
        other => other,
    }
}

/// Both parametrizations, without and with biases.
pub(crate) fn settings() -> [(Parametrization, f64); 4] {
    let (ntk, standard) = (Parametrization::Ntk, Parametrization::Standard);
    [(ntk, 0.0), (ntk, 0.3), (standard, 0.0), (standard, 0.3)]
}

#[derive(Deserialize)]
struct Layers {
    layers: Vec<Layer>,
}

/// `[n, d_in]` standard normal inputs from a stream of this name.
pub(crate) fn inputs(n: usize, d_in: usize, name: &str) -> Matrix {
    let values = seed::standard_normals(&mut seed::stream(2, name), n * d_in);
    Matrix::from_vec(n, d_in, values).expect("as many as drawn")
}
