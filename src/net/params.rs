//! All parameters of a module as one vector.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::device::{Compute, to_vec};
use super::model::flat;
use super::probe::Trainable;
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

/// `module` without gradients, for passes forward and backward on `compute`'s device.
///
/// On a CPU the rows of its weights are moved apart where they lie a large power of two from one another: a product with W^T reads down
/// the columns, whose numbers would all fall into the same few places of the cache, and takes up to twice as long.
pub(crate) fn frozen<M: Module>(module: &M, compute: &Compute) -> M {
    let valid = module.valid();
    if compute.is_host() { valid.map(&mut Apart) } else { valid }
}

struct Apart;

impl ModuleMapper for Apart {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        Param::from_mapped_value(id, apart(tensor), mapper)
    }
}

/// The same numbers with a gap after every row of a large power of two.
fn apart<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    // Half a page is where it begins to show, for either number type.
    const ROW: usize = 512;
    const GAP: usize = 16;
    let n = tensor.dims()[D - 1];
    if D < 2 || !n.is_multiple_of(ROW) {
        return tensor;
    }
    let gap = tensor.clone().narrow(D - 1, 0, GAP);
    Tensor::cat(vec![tensor, gap], D - 1).narrow(D - 1, 0, n)
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

/// `module`, of [`Module::valid`], with these values for its `trainable` parameters, laid out as by [`frozen`].
pub(crate) fn with_parameters<M: Module>(
    module: M,
    values: &[Tensor<1>],
    trainable: &Trainable,
    compute: &Compute,
) -> M {
    module.map(&mut Put { trainable, values: values.iter(), is_apart: compute.is_host() })
}

struct Put<'a> {
    trainable: &'a Trainable,
    values: std::slice::Iter<'a, Tensor<1>>,
    is_apart: bool,
}

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.trainable.contains(param.id) {
            return param;
        }
        let Some(value) = self.values.next() else { return param };
        let (id, tensor, mapper) = param.consume();
        let value = value.clone().reshape(tensor.shape());
        Param::from_mapped_value(id, if self.is_apart { apart(value) } else { value }, mapper)
    }
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
