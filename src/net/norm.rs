//! Layer normalization: each row less its mean, divided by its standard deviation.

use burn::tensor::Tensor;

/// Normalized rows, with what the way back needs.
#[derive(Debug, Clone)]
pub(super) struct Normalized {
    /// y = (z - mean z) / deviation.
    outputs: Tensor<2>,
    /// sqrt(variance + eps), `[rows, 1]`; the variance is the mean square, without Bessel's correction.
    deviation: Tensor<2>,
}

impl Normalized {
    pub(super) fn of(z: Tensor<2>, eps: f64) -> Self {
        let centred = z.clone() - z.mean_dim(1);
        let deviation = (centred.clone().square().mean_dim(1) + eps).sqrt();
        Self { outputs: centred / deviation.clone(), deviation }
    }

    pub(super) fn outputs(&self) -> Tensor<2> {
        self.outputs.clone()
    }

    /// From dloss/dy to dloss/dz = (delta - mean delta - y mean(y delta)) / deviation, with the rows that `for_all` makes of those here.
    pub(super) fn back(&self, delta: Tensor<2>, for_all: impl Fn(&Tensor<2>) -> Tensor<2>) -> Tensor<2> {
        let (outputs, deviation) = (for_all(&self.outputs), for_all(&self.deviation));
        let along = (outputs.clone() * delta.clone()).mean_dim(1);
        let mean = delta.clone().mean_dim(1);
        (delta - mean - outputs * along) / deviation
    }
}
