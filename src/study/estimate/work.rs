//! What is to be done for a network, counted from its shape.

use crate::arch::{AffineMap, Architecture};
use crate::net::InitialFunction;
use crate::study::plan::Plan;

/// Multiplications of the parts of a network's cost.
///
/// For affine maps of n_in inputs and n_out outputs at p positions, N rows and O outputs: a step takes 3 N sum p n_in n_out, once forward and
/// twice back; the empirical kernel between N1 and N2 inputs a pass forward and O back over all of them, and for each pair of inputs, by pairs
/// of positions or by gradients of a sample, sum min(p^2 (n_in + O^2 n_out), O^2 n_in n_out).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Work {
    /// A step of training.
    pub(super) step: f64,
    /// The empirical kernel on the training inputs.
    pub(super) gram: f64,
    /// The empirical kernel between test and training inputs.
    pub(super) cross: f64,
}

impl Work {
    /// Of a network of `plan`.
    pub(super) fn of(plan: &Plan, architecture: &Architecture) -> Self {
        let (n_train, n_test) = (plan.split.x_train.n_rows(), plan.split.x_test.n_rows());
        let n_batch = plan.config.train.batches.size().unwrap_or(n_train);
        Self::of_rows(architecture, plan.config.train.initial_function, n_batch, (n_train, n_test))
    }

    /// Of a network that takes steps on `n_batch` rows, with `kernel.0` training and `kernel.1` test inputs.
    pub(super) fn of_rows(
        architecture: &Architecture,
        initial: InitialFunction,
        n_batch: usize,
        kernel: (usize, usize),
    ) -> Self {
        let (n_train, n_test) = (kernel.0 as f64, kernel.1 as f64);
        let n_outputs = architecture.d_out() as f64;
        // An antisymmetric pair is two networks; what is subtracted from a centred one is computed once.
        let n_networks = if initial == InitialFunction::Antisymmetric { 2.0 } else { 1.0 };
        let maps = architecture.maps();
        let of_row = |map: &&AffineMap| map.taps.n_outputs() as f64 * map.n_in as f64 * map.n_out as f64;
        let of_pair = |map: &&AffineMap| {
            let (n_in, n_out, n_positions) = (map.n_in as f64, map.n_out as f64, map.taps.n_outputs() as f64);
            let by_positions = n_positions.powi(2) * (n_in + n_outputs.powi(2) * n_out);
            by_positions.min(n_outputs.powi(2) * n_in * n_out)
        };
        let row = n_networks * maps.iter().map(of_row).sum::<f64>();
        let pair = n_networks * maps.iter().map(of_pair).sum::<f64>();
        let passes = |n_rows: f64| n_rows * (1.0 + n_outputs) * row;
        Self {
            step: 3.0 * n_batch as f64 * row,
            gram: passes(n_train) + 0.5 * n_train.powi(2) * pair,
            cross: passes(n_train + n_test) + n_train * n_test * pair,
        }
    }
}

/// Multiplications, up to a factor, for a pair of inputs in the analytic kernels: every layer at every pair of positions.
pub(super) fn work_of_pair(architecture: &Architecture) -> f64 {
    let (n_positions, _) = architecture.input_grid();
    (n_positions as f64).powi(2) * architecture.layers().len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{Activation, Mlp, Parametrization};

    fn work(width: usize, n_batch: usize, kernel: (usize, usize)) -> Work {
        let parametrization = Parametrization::Ntk;
        let mlp = Mlp { depth: 2, width, activation: Activation::Relu, w_std: 1.0, b_std: 0.1, parametrization };
        Work::of_rows(&mlp.architecture(5, 1).unwrap(), InitialFunction::Plain, n_batch, kernel)
    }

    #[test]
    fn a_step_grows_with_its_rows_and_a_kernel_with_their_square() {
        let one = work(64, 10, (100, 50));
        assert_eq!(work(64, 20, (100, 50)).step, 2.0 * one.step);
        // 5 x 64 + 64 x 64 + 64 weights, thrice for each row.
        assert_eq!(one.step, 3.0 * 10.0 * (5.0 * 64.0 + 64.0 * 64.0 + 64.0));
        let ratio = work(64, 10, (10_000, 50)).gram / work(64, 10, (5_000, 50)).gram;
        assert!((ratio - 4.0).abs() < 0.1, "{ratio}");
    }

    #[test]
    fn a_pair_of_networks_is_twice_the_work() {
        let mlp = |initial| {
            let parametrization = Parametrization::Ntk;
            let mlp = Mlp { depth: 1, width: 8, activation: Activation::Relu, w_std: 1.0, b_std: 0.0, parametrization };
            Work::of_rows(&mlp.architecture(3, 2).unwrap(), initial, 10, (10, 10))
        };
        let (one, pair) = (mlp(InitialFunction::Plain), mlp(InitialFunction::Antisymmetric));
        assert_eq!((2.0 * one.step, 2.0 * one.gram, 2.0 * one.cross), (pair.step, pair.gram, pair.cross));
    }
}
