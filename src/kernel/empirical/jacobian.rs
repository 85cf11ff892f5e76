//! Jacobian contraction: one backward pass per output entry, J held, Theta_hat = J1 J2^T.
//!
//! Works for every Burn module and forward function. Cost N O passes and (N O)^2 P multiplications; memory N O P. The reference
//! the other methods are tested against. It is as exact as the module's products: those of Burn's layers are rounded to TF32 in f32 through CUDA,
//! those of [`matmul`](crate::net::matmul) are not.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use super::Outputs;
use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};
use crate::net::to_matrix;

/// The derivatives of every output entry with respect to every trainable parameter.
///
/// # Shapes
/// - x: `[n, d_in]`; `forward` maps it to `[n, d_out]`
/// - output: `[n * d_out, n_parameters]`
///
/// # Errors
/// A module whose outputs are not one row per input; a device that fails to deliver a result.
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
            let [n_found, d_out] = f.dims();
            if n_found != 1 || d_out == 0 {
                let found = format!("{:?}", [n_found, d_out]);
                return Err(Error::shape("outputs of the module for one input", "[1, d_out]", found));
            }
            // Of frozen parameters alone, nothing is tracked.
            let gradients = f.is_tracked().then(|| f.narrow(1, output, 1).sum().backward());
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
    GramMatrix::from_lower_triangle(kernel(module, forward, x, None, Outputs::Full)?)
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
    kernel(module, forward, x1, Some(x2), Outputs::Full)
}

/// Between `x1` and `x2`, or of `x1` with itself.
pub(super) fn kernel<M: Module>(
    module: &M,
    forward: impl Fn(&M, Tensor<2>) -> Tensor<2>,
    x1: &Tensor<2>,
    x2: Option<&Tensor<2>>,
    outputs: Outputs,
) -> Result<Matrix> {
    let rows = |x: &Tensor<2>| -> Result<(Matrix, f64)> {
        let j = jacobian(module, &forward, x)?;
        let ([n, _], (n_rows, n_parameters)) = (x.dims(), j.shape());
        let d_out = n_rows / n.max(1);
        match outputs {
            Outputs::Full => Ok((j, 1.0)),
            // Of all outputs side by side, inner products are traces.
            Outputs::Trace => Ok((j.reshape(n, d_out * n_parameters)?, d_out as f64)),
        }
    };
    let (j1, d_out) = rows(x1)?;
    let j2 = x2.map(rows).transpose()?;
    let theta = j1.matmul(&j2.as_ref().map_or(&j1, |(j2, _)| j2).transpose());
    Ok(if d_out == 1.0 { theta } else { theta.map(|v| v / d_out) })
}

struct Collect<'a> {
    gradients: Option<Gradients>,
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
        match self.gradients.as_mut().and_then(|gradients| tensor.grad_remove(gradients)) {
            // A parameter the output does not depend on.
            None => values.extend(std::iter::repeat_n(0.0, n)),
            Some(gradient) => match to_matrix(gradient.reshape([1, n])) {
                Ok(read) => values.extend(read.values()),
                Err(error) => self.values = Err(error),
            },
        }
    }
}
