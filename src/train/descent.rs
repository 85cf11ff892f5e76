//! One step of gradient descent: theta <- theta - eta (gradient + pull (theta - theta_0)).

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

/// The initial parameters and how strongly they pull.
pub(super) struct Origin {
    /// One flat tensor per trainable parameter, in the order in which Burn visits them.
    theta_0: Vec<Tensor<1>>,
    strength: f64,
}

impl Origin {
    pub(super) fn of<M: Module>(module: &M, strength: f64) -> Self {
        let mut origin = Self { theta_0: Vec::new(), strength };
        module.visit(&mut origin);
        origin
    }
}

impl ModuleVisitor for Origin {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        if tensor.is_require_grad() {
            self.theta_0.push(flat(tensor.inner()));
        }
    }
}

pub(super) fn step<M: Module>(module: M, gradients: Gradients, learning_rate: f64, origin: Option<&Origin>) -> M {
    module.map(&mut Step { gradients, learning_rate, origin, n_visited: 0 })
}

struct Step<'a> {
    gradients: Gradients,
    learning_rate: f64,
    origin: Option<&'a Origin>,
    n_visited: usize,
}

impl ModuleMapper for Step<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        if !tensor.is_require_grad() {
            return Param::from_mapped_value(id, tensor, mapper);
        }
        let gradient = tensor.grad_remove(&mut self.gradients);
        let theta = tensor.inner();
        let mut moved = match gradient {
            Some(gradient) => theta.clone() - gradient * self.learning_rate,
            None => theta.clone(),
        };
        if let Some(origin) = self.origin
            && let Some(theta_0) = origin.theta_0.get(self.n_visited)
        {
            let shape = theta.shape();
            let pull = (flat(theta) - theta_0.clone()) * (self.learning_rate * origin.strength);
            moved = moved - pull.reshape(shape);
        }
        self.n_visited += 1;
        Param::from_mapped_value(id, moved.autodiff().require_grad(), mapper)
    }
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let n = tensor.shape().num_elements();
    tensor.reshape([n])
}
