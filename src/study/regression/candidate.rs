//! The kernels a family has to choose from on some training inputs.

use super::config::{KernelFamily, RegressTable};
use super::plan::KernelPlan;
use crate::kernel::analytic::AnalyticKernel;
use crate::kernel::stationary::{Form, Stationary};
use crate::kernel::{Kernel, KernelKind};
use crate::linalg::Matrix;

/// One of them.
#[derive(Debug, Clone)]
pub(in crate::study) enum Candidate {
    Network(AnalyticKernel, KernelKind),
    Stationary(Stationary),
}

/// More training inputs than this make more distances than a median needs.
const MAX_MEDIAN_INPUTS: usize = 2000;

impl Candidate {
    /// A network's kernel is one; a stationary kernel is one for each length scale of the table.
    pub(in crate::study) fn all(plan: &KernelPlan, table: &RegressTable, x_train: &Matrix) -> Vec<Self> {
        let form = match (plan.family, &plan.architecture) {
            (KernelFamily::Ntk, Some(architecture)) => {
                return vec![Self::Network(AnalyticKernel::new(architecture.clone()), KernelKind::Ntk)];
            }
            (KernelFamily::Nngp | KernelFamily::Linear, Some(architecture)) => {
                return vec![Self::Network(AnalyticKernel::new(architecture.clone()), KernelKind::Nngp)];
            }
            (KernelFamily::Laplace, _) => Form::Laplace,
            (KernelFamily::Matern, _) => Form::Matern52,
            _ => Form::Rbf,
        };
        let seen: Vec<usize> = (0..x_train.n_rows().min(MAX_MEDIAN_INPUTS)).collect();
        let median = Stationary::with_median_length_scale(form, &x_train.select_rows(&seen)).length_scale;
        let scales = table.length_scales.iter();
        scales.map(|scale| Self::Stationary(Stationary { form, length_scale: scale * median })).collect()
    }

    /// Of a stationary kernel.
    pub(in crate::study) fn length_scale(&self) -> Option<f64> {
        match self {
            Self::Network(..) => None,
            Self::Stationary(kernel) => Some(kernel.length_scale),
        }
    }

    /// What `f` makes of the kernel.
    pub(in crate::study) fn with<T>(&self, f: impl FnOnce(&(dyn Kernel + Sync)) -> T) -> T {
        match self {
            Self::Network(kernel, kind) => f(&kernel.of_kind(*kind)),
            Self::Stationary(kernel) => f(kernel),
        }
    }
}
