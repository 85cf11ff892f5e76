//! What a GPU says of itself.

use burn::backend::{BackendTensor, DispatchTensorKind};
use burn::tensor::{Device, Tensor};

/// A device that CubeCL computes on.
pub(super) struct Card {
    pub(super) name: String,
    /// In bytes, where it is known.
    pub(super) memory: Option<f64>,
}

impl Card {
    /// Absent where CubeCL does not compute.
    pub(super) fn of(device: &Device) -> Option<Self> {
        match Tensor::<1>::zeros([1], device).into_dispatch().kind {
            DispatchTensorKind::Cube(BackendTensor::Float(tensor)) => {
                let properties = tensor.client.properties();
                let memory = properties.memory.max_memory().map(|bytes| bytes as f64);
                Some(Self { name: properties.identity.name.clone(), memory })
            }
            _ => None,
        }
    }
}
