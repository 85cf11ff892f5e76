//! Small problems that several tests share.

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

/// `[n, d_in]` standard normal inputs from a stream of this name.
pub(crate) fn inputs(n: usize, d_in: usize, name: &str) -> Matrix {
    let values = seed::standard_normals(&mut seed::stream(2, name), n * d_in);
    Matrix::from_vec(n, d_in, values).expect("as many as drawn")
}
