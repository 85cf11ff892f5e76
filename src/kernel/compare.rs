//! How far two kernel matrices are apart.
//!
//! - relative Frobenius distance ||A - B|| / ||B||: absolute, sees a change of scale;
//! - centred alignment <HAH, HBH> / (||HAH|| ||HBH||) with H = I - 11^T/n (Cortes, Mohri, Rostamizadeh 2012): 1 for kernels that
//!   differ by a factor or a constant only, so that growth alone is not counted as change.

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
}
