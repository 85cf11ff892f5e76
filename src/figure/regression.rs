//! The figures of a comparison of kernels.

use super::Drawing;
use crate::record::{KernelManifest, KernelPoint};

/// The figures there are numbers for.
pub(super) fn draw(_: &KernelManifest, _: &[KernelPoint]) -> Vec<Drawing> {
    Vec::new()
}
