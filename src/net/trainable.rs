//! Which parameters of a module are trained.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

use super::probe::Seen;
use crate::error::{Error, Result};

/// The parameters of a module that are trained, in the order in which Burn visits them.
#[derive(Debug, Clone)]
pub struct Trainable {
    /// With each one's shape, for messages.
    parameters: Vec<(ParamId, String)>,
}

impl Trainable {
    /// Those of `module` that require gradients; not to be asked of [`Module::valid`], where none does.
    #[must_use]
    pub fn of<M: Module>(module: &M) -> Self {
        let mut trainable = Self { parameters: Vec::new() };
        module.visit(&mut trainable);
        trainable
    }

    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = ParamId> {
        self.parameters.iter().map(|(id, _)| *id)
    }

    /// Whether this parameter is one of them.
    #[must_use]
    pub fn contains(&self, parameter: ParamId) -> bool {
        self.ids().any(|id| id == parameter)
    }

    /// Whether the weights or the biases of a map are among them.
    pub(super) fn trains(&self, map: &Seen) -> bool {
        self.contains(map.weight) || map.bias.is_some_and(|(bias, _)| self.contains(bias))
    }

    /// Refuses a forward pass whose maps do not have every trainable parameter exactly once.
    ///
    /// # Errors
    /// With the shape of the parameter that was missed, or met twice.
    pub fn ensure_seen_once(&self, seen: &[Seen]) -> Result<()> {
        for (parameter, shape) in &self.parameters {
            let parts = seen.iter().flat_map(|map| std::iter::once(map.weight).chain(map.bias.map(|(bias, _)| bias)));
            let problem = match parts.filter(|part| part == parameter).count() {
                1 => continue,
                0 => "belongs to no affine map that the forward pass showed".to_owned(),
                n => format!("belongs to {n} affine maps, and its shares of the kernel would not add up"),
            };
            return Err(Error::Module {
                problem: format!("a trainable parameter of shape {shape} {problem}"),
                remedy: "send it through `Probe::affine` once, freeze it with `no_grad`, or use `kernel::empirical::jacobian`",
            });
        }
        Ok(())
    }
}

impl ModuleVisitor for Trainable {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        if tensor.is_require_grad() {
            self.parameters.push((param.id, format!("{:?}", tensor.dims())));
        }
    }
}
