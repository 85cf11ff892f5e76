//! How far two kernel matrices are apart.
//!
//! - relative Frobenius distance ||A - B|| / ||B||: absolute, sees a change of scale;
//! - centred alignment <HAH, HBH> / (||HAH|| ||HBH||) with H = I - 11^T/n (Cortes, Mohri, Rostamizadeh 2012): 1 for kernels that
//!   differ by a factor or a constant only, so that growth alone is not counted as change;
//! - target alignment, the same with B = Y Y^T (Cristianini et al. 2001): how much of the kernel is about the targets;
//! - effective rank (tr A)^2 / ||A||^2: over how many directions the spectrum is spread; n for the identity, 1 for a single direction.

use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};

/// ||a - b|| / ||b|| in the Frobenius norm.
///
/// # Errors
/// When the sizes differ.
pub fn relative_frobenius(a: &GramMatrix, b: &GramMatrix) -> Result<f64> {
    ensure_same_size(a, b)?;
    Ok((a.as_matrix() - b.as_matrix()).frobenius() / b.as_matrix().frobenius())
}

/// The cosine between the two centred matrices.
///
/// # Errors
/// When the sizes differ.
pub fn centred_alignment(a: &GramMatrix, b: &GramMatrix) -> Result<f64> {
    ensure_same_size(a, b)?;
    let (a, b) = (centred(a), centred(b));
    let inner: f64 = a.values().iter().zip(b.values()).map(|(u, v)| u * v).sum();
    Ok(inner / (a.frobenius() * b.frobenius()))
}

/// The cosine between the centred kernel and the centred Y Y^T of the targets `y` `[n, d_out]`.
///
/// A kernel of `n d_out` rows, row i O + o for output o of input i, is compared with the inner products of all pairs of entries.
///
/// # Errors
/// When the kernel has neither one row per input nor one per entry of the targets.
pub fn target_alignment(a: &GramMatrix, y: &Matrix) -> Result<f64> {
    let n_rows = if a.n() == y.n_rows() { y.n_rows() } else { y.values().len() };
    let rows = y.clone().reshape(n_rows, y.values().len() / n_rows.max(1))?;
    let targets = rows.matmul(&rows.transpose());
    centred_alignment(a, &GramMatrix::from_lower_triangle(targets)?)
}

/// (tr A)^2 / ||A||^2.
#[must_use]
pub fn effective_rank(a: &GramMatrix) -> f64 {
    let trace = a.n() as f64 * a.mean_diagonal();
    (trace / a.as_matrix().frobenius()).powi(2)
}

fn ensure_same_size(a: &GramMatrix, b: &GramMatrix) -> Result<()> {
    if a.n() == b.n() { Ok(()) } else { Err(Error::shape("kernels to compare", b.n(), a.n())) }
}

fn centred(a: &GramMatrix) -> Matrix {
    let n = a.n();
    let means: Vec<f64> = a.as_matrix().rows().map(|row| row.iter().sum::<f64>() / n as f64).collect();
    let mean = means.iter().sum::<f64>() / n as f64;
    Matrix::from_fn(n, n, |i, j| a[(i, j)] - means[i] - means[j] + mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignment_ignores_scale_and_offset_and_distance_does_not() {
        let a = GramMatrix::from_lower(4, |i, j| ((i + 1) * (j + 1)) as f64 + if i == j { 2.0 } else { 0.0 });
        let b = GramMatrix::from_lower(4, |i, j| 3.0 * a[(i, j)] + 5.0);
        assert!((centred_alignment(&a, &b).expect("same size") - 1.0).abs() < 1e-14);
        assert!(relative_frobenius(&b, &a).expect("same size") > 1.0);
        assert_eq!(relative_frobenius(&a, &a).expect("same size"), 0.0);
    }

    #[test]
    fn a_kernel_of_the_targets_is_aligned_with_them_and_of_their_rank() {
        let y = Matrix::from_fn(5, 1, |i, _| [1.0, -2.0, 0.5, 3.0, -1.0][i]);
        let of_targets = GramMatrix::from_lower(5, |i, j| 2.0 * y[(i, 0)] * y[(j, 0)]);
        assert!((target_alignment(&of_targets, &y).expect("same size") - 1.0).abs() < 1e-14);
        assert!((effective_rank(&of_targets) - 1.0).abs() < 1e-14);
        let identity = GramMatrix::from_lower(5, |i, j| f64::from(u8::from(i == j)));
        assert!((effective_rank(&identity) - 5.0).abs() < 1e-14);
        // The centred identity has norm sqrt(n - 1), and any direction of zero mean is one of its eigenvectors.
        assert!((target_alignment(&identity, &y).expect("same size") - 0.5).abs() < 1e-14);
        assert!(target_alignment(&identity, &Matrix::zeros(4, 1)).is_err());
    }
}
