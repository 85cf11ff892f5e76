//! Small problems that several tests share.

use ntk::arch::Activation;
use ntk::linalg::Matrix;
use ntk::net::{Backend, Compute, Dtype};
use ntk::seed;

/// Every CPU backend that is compiled in; the tests of networks run on all of them.
pub(crate) fn backends(dtype: Dtype) -> Vec<Compute> {
    [Backend::Flex, Backend::Ndarray]
        .into_iter()
        .filter(|backend| backend.is_compiled())
        .map(|backend| Compute::open(backend, dtype).expect("a CPU backend opens"))
        .collect()
}

/// Every activation, with unremarkable numbers where it takes some.
pub(crate) const ACTIVATIONS: [Activation; 19] = [
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu(0.1),
    Activation::TwoSlope { left: -0.3, right: 1.2 },
    Activation::Abs,
    Activation::Sign,
    Activation::Step,
    Activation::Erf,
    Activation::ScaledErf { scale: 2.0, slope: 0.5, offset: 0.1 },
    Activation::SigmoidLike,
    Activation::Gelu,
    Activation::Sin,
    Activation::Cos,
    Activation::Sine { amplitude: 1.3, frequency: 0.7, phase: 0.2 },
    Activation::Rbf(0.5),
    Activation::Gaussian,
    Activation::Exponential { scale: 0.5, rate: 0.4 },
    Activation::Monomial(2),
    Activation::Hermite(3),
];

/// `[n, d_in]` standard normal inputs from a stream of this name.
pub(crate) fn inputs(n: usize, d_in: usize, name: &str) -> Matrix {
    let values = seed::standard_normals(&mut seed::stream(2, name), n * d_in);
    Matrix::from_vec(n, d_in, values).expect("as many as drawn")
}
