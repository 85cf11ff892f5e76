//! A function of the inputs whose parameters can be trained.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use super::params::{flat, parameters, with_parameters};
use super::trainable::Trainable;

/// From a batch of outputs to the gradient of a loss in them, `[n, d_out]` as they are.
pub type Cotangent<'a> = dyn FnMut(Tensor<2>) -> Tensor<2> + Send + 'a;

/// A Burn module that maps `[n, d_in]` to `[n, d_out]`, row by row.
pub trait Model: Module {
    /// Numbers in one input.
    fn d_in(&self) -> usize;

    /// The outputs.
    ///
    /// # Shapes
    /// - input: `[n, d_in]`
    /// - output: `[n, d_out]`
    fn forward(&self, x: Tensor<2>) -> Tensor<2>;

    /// The gradient of a loss in the parameters that are trained: one flat tensor for each of `trainable`, in its order.
    ///
    /// To be asked of [`Module::valid`], which tracks nothing by itself. Burn's autodiff by default.
    fn gradients(&self, x: Tensor<2>, trainable: &Trainable, cotangent: &mut Cotangent<'_>) -> Vec<Tensor<1>> {
        let tracked = self.clone().train();
        let f = tracked.forward(x);
        let slope = cotangent(f.clone().inner());
        let gradients = f.is_tracked().then(|| (f * slope).sum().backward());
        let mut collect = Collect { trainable, gradients, flat: Vec::new() };
        tracked.visit(&mut collect);
        collect.flat
    }

    /// Moves every parameter that is trained by the negative of its gradient, of a loss that carries the step size.
    ///
    /// To be asked of [`Module::valid`], as [`Model::gradients`], which it goes by where a model has no quicker way.
    fn descend(&mut self, x: Tensor<2>, trainable: &Trainable, cotangent: &mut Cotangent<'_>) {
        let gradients = self.gradients(x, trainable, cotangent);
        let theta = parameters(self, trainable).into_iter().zip(gradients);
        let moved: Vec<_> = theta.map(|(theta, gradient)| theta - gradient).collect();
        *self = with_parameters(self.clone(), &moved, trainable);
    }
}

struct Collect<'a> {
    trainable: &'a Trainable,
    gradients: Option<Gradients>,
    flat: Vec<Tensor<1>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.trainable.contains(param.id) {
            return;
        }
        let tensor = param.val();
        let gradient = self.gradients.as_mut().and_then(|gradients| tensor.grad_remove(gradients));
        // A parameter that no output depends on has none.
        let gradient = gradient.unwrap_or_else(|| tensor.inner().zeros_like());
        self.flat.push(flat(gradient));
    }
}
