//! All parameters of a module as one vector.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::device::to_vec;
use crate::error::Result;

/// The trainable parameters of `module` in f64, in the order in which Burn visits them; frozen ones are left out.
///
/// # Errors
/// When the device fails to deliver them.
pub fn flatten<M: Module>(module: &M) -> Result<Vec<f64>> {
    let mut visitor = Flatten { values: Ok(Vec::new()) };
    module.visit(&mut visitor);
    visitor.values
}

/// ||theta - theta_0|| / ||theta_0||.
#[must_use]
pub fn relative_distance(theta: &[f64], theta_0: &[f64]) -> f64 {
    let distance: f64 = theta.iter().zip(theta_0).map(|(a, b)| (a - b).powi(2)).sum();
    let norm: f64 = theta_0.iter().map(|b| b * b).sum();
    (distance / norm).sqrt()
}

struct Flatten {
    values: Result<Vec<f64>>,
}

impl ModuleVisitor for Flatten {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let Ok(values) = &mut self.values else { return };
        if !tensor.is_require_grad() {
            return;
        }
        match to_vec(tensor) {
            Ok(read) => values.extend(read),
            Err(error) => self.values = Err(error),
        }
    }
}
