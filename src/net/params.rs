//! All parameters of a module as one vector.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::device::to_vec;
use super::trainable::Trainable;
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

/// The parameters of `module` that are `trainable`, each flat, in its order, as they lie on the device; of [`Module::valid`].
pub(crate) fn parameters<M: Module>(module: &M, trainable: &Trainable) -> Vec<Tensor<1>> {
    let mut list = List { trainable, values: Vec::new() };
    module.visit(&mut list);
    list.values
}

struct List<'a> {
    trainable: &'a Trainable,
    values: Vec<Tensor<1>>,
}

impl ModuleVisitor for List<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.trainable.contains(param.id) {
            self.values.push(flat(param.val()));
        }
    }
}

/// `module`, of [`Module::valid`], with these values for its `trainable` parameters.
pub(crate) fn with_parameters<M: Module>(module: M, values: &[Tensor<1>], trainable: &Trainable) -> M {
    module.map(&mut Put { trainable, values: values.iter() })
}

struct Put<'a> {
    trainable: &'a Trainable,
    values: std::slice::Iter<'a, Tensor<1>>,
}

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.trainable.contains(param.id) {
            return param;
        }
        let Some(value) = self.values.next() else { return param };
        let (id, tensor, mapper) = param.consume();
        Param::from_mapped_value(id, value.clone().reshape(tensor.shape()), mapper)
    }
}

/// All numbers of a tensor in one row.
pub(crate) fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let n = tensor.shape().num_elements();
    tensor.reshape([n])
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
