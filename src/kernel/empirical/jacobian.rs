//! Jacobian contraction: one backward pass per output entry, J held, Theta_hat = J1 J2^T.
//!
//! Works for every Burn module and forward function. Cost N O passes and (N O)^2 P multiplications; memory N O P. The reference
//! the other methods are tested against.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use crate::error::Result;
use crate::linalg::{GramMatrix, Matrix};
use crate::net::to_matrix;

/// The derivatives of every output entry with respect to every trainable parameter.
///
/// # Shapes
/// - x: `[n, d_in]`; `forward` maps it to `[n, d_out]`
/// - output: `[n * d_out, n_parameters]`
///
/// # Errors
/// When the device fails to deliver a result.
pub fn jacobian<M: Module>(module: &M, forward: impl Fn(&M, Tensor<2>) -> Tensor<2>, x: &Tensor<2>) -> Result<Matrix> {
    let [n, _] = x.dims();
    let mut rows = Vec::new();
    let mut n_rows = 0;
    for i in 0..n {
        let input = x.clone().narrow(0, i, 1);
        let mut output = 0;
        loop {
            // A graph serves one backward pass, so every output entry has its own forward pass.
            let f = forward(module, input.clone());
            let [_, d_out] = f.dims();
            let gradients = f.narrow(1, output, 1).sum().backward();
            let mut collect = Collect { gradients, values: Ok(&mut rows) };
            module.visit(&mut collect);
            collect.values?;
            n_rows += 1;
            output += 1;
            if output == d_out {
                break;
            }
        }
    }
    let n_parameters = rows.len() / n_rows.max(1);
    Matrix::from_vec(n_rows, n_parameters, rows)
}

/// Theta_hat on all pairs within `x`: `[n d_out, n d_out]`.
///
/// # Errors
/// As [`jacobian`].
pub fn gram<M: Module>(module: &M, forward: impl Fn(&M, Tensor<2>) -> Tensor<2>, x: &Tensor<2>) -> Result<GramMatrix> {
    let j = jacobian(module, forward, x)?;
    GramMatrix::from_symmetric(j.matmul(&j.transpose()), 1e-12)
}

/// Theta_hat between `x1` and `x2`: `[n1 d_out, n2 d_out]`.
///
/// # Errors
/// As [`jacobian`].
pub fn cross_gram<M: Module>(
    module: &M,
    forward: impl Fn(&M, Tensor<2>) -> Tensor<2>,
    x1: &Tensor<2>,
    x2: &Tensor<2>,
) -> Result<Matrix> {
    let (j1, j2) = (jacobian(module, &forward, x1)?, jacobian(module, &forward, x2)?);
    Ok(j1.matmul(&j2.transpose()))
}

struct Collect<'a> {
    gradients: Gradients,
    values: Result<&'a mut Vec<f64>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let Ok(values) = &mut self.values else { return };
        if !tensor.is_require_grad() {
            return;
        }
        let n = tensor.shape().num_elements();
        match tensor.grad_remove(&mut self.gradients) {
            // A parameter the output does not depend on.
            None => values.extend(std::iter::repeat_n(0.0, n)),
            Some(gradient) => match to_matrix(gradient.reshape([1, n])) {
                Ok(read) => values.extend(read.values()),
                Err(error) => self.values = Err(error),
            },
        }
    }
}
