//! The windows of convolution and pooling: what an output position sees becomes one row of a matrix, so that both are what they are
//! for a vector.

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use super::device::Compute;
use crate::arch::Taps;

/// [`Taps`] on a device.
#[derive(Debug, Clone)]
pub(super) struct Window {
    n_inputs: usize,
    n_outputs: usize,
    n_taps: usize,
    /// The input position under each tap, output by output, where `n_inputs` is a position of zeros. `None` where the taps run through all
    /// positions in their order, so that nothing moves: for vectors, windows of one position, and windows of all.
    positions: Option<Tensor<1, Int>>,
    is_padded: bool,
}

impl Window {
    pub(super) fn new(taps: &Taps, compute: &Compute) -> Self {
        let n_inputs = taps.n_inputs;
        let positions: Vec<usize> = taps.positions.iter().flatten().map(|tap| tap.unwrap_or(n_inputs)).collect();
        let is_in_order = positions.iter().copied().eq(0..n_inputs);
        Self {
            n_inputs,
            n_outputs: taps.n_outputs(),
            n_taps: taps.n_taps(),
            is_padded: positions.contains(&n_inputs),
            positions: (!is_in_order).then(|| compute.indices(&positions)),
        }
    }

    /// Whether there is one position, seen by itself.
    pub(super) fn is_of_a_vector(&self) -> bool {
        (self.n_inputs, self.n_outputs, self.n_taps) == (1, 1, 1)
    }

    /// What each output position sees, tap by tap.
    ///
    /// # Shapes
    /// - input: `[n * n_inputs, channels]`
    /// - output: `[n * n_outputs, n_taps * channels]`
    pub(super) fn gather(&self, h: Tensor<2>) -> Tensor<2> {
        let [n_rows, channels] = h.dims();
        let n = n_rows / self.n_inputs;
        let shape = [n * self.n_outputs, self.n_taps * channels];
        let Some(positions) = &self.positions else {
            return if self.n_taps == 1 { h } else { h.reshape(shape) };
        };
        let grid = h.reshape([n, self.n_inputs, channels]);
        let grid = if self.is_padded {
            let zeros = grid.clone().narrow(1, 0, 1).zeros_like();
            Tensor::cat(vec![grid, zeros], 1)
        } else {
            grid
        };
        grid.select(1, positions.clone()).reshape(shape)
    }

    /// The transpose of [`Window::gather`]: every number goes back to the place it was seen at, where they add up.
    ///
    /// # Shapes
    /// - input: `[n * n_outputs, n_taps * channels]`
    /// - output: `[n * n_inputs, channels]`
    pub(super) fn scatter(&self, seen: Tensor<2>) -> Tensor<2> {
        let [n_rows, n_columns] = seen.dims();
        let (n, channels) = (n_rows / self.n_outputs, n_columns / self.n_taps);
        let shape = [n * self.n_inputs, channels];
        let Some(positions) = &self.positions else {
            return if self.n_taps == 1 { seen } else { seen.reshape(shape) };
        };
        let seen = seen.reshape([n, self.n_outputs * self.n_taps, channels]);
        let n_places = self.n_inputs + usize::from(self.is_padded);
        let grid = Tensor::<3>::zeros([n, n_places, channels], (&seen.device(), seen.dtype()));
        let grid = grid.select_assign(1, positions.clone(), seen, IndexingUpdateOp::Add);
        grid.narrow(1, 0, self.n_inputs).reshape(shape)
    }

    /// The mean of what each output position sees.
    ///
    /// # Shapes
    /// - input: `[n * n_inputs, channels]`
    /// - output: `[n * n_outputs, channels]`
    pub(super) fn mean(&self, h: Tensor<2>) -> Tensor<2> {
        let [_, channels] = h.dims();
        let seen = self.gather(h);
        let [n_rows, _] = seen.dims();
        seen.reshape([n_rows, self.n_taps, channels]).mean_dim(1).reshape([n_rows, channels])
    }

    /// The transpose of [`Window::mean`].
    ///
    /// # Shapes
    /// - input: `[n * n_outputs, channels]`
    /// - output: `[n * n_inputs, channels]`
    pub(super) fn spread(&self, means: Tensor<2>) -> Tensor<2> {
        self.scatter((means / self.n_taps as f64).repeat_dim(1, self.n_taps))
    }
}
