//! Regression at every ridge from one eigendecomposition: with K = Q S Q^T and c = Q^T Y, everything that depends on lambda is a sum over
//! eigenvectors. See [`RidgeFit`] for what there is at one of them.
//!
//! A decomposition costs some twenty factorizations, so one mean at one ridge is had faster from
//! [`kernel_ridge`](super::kernel_ridge), and twenty ridges, or what leaving rows out would change, from here.

use super::contradiction::{Contradiction, contradictions};
use super::fit::RidgeFit;
use super::problem::{require_targets, require_test_train};
use super::ridge::Ridge;
use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix, Spectrum};

/// A kernel and targets, ready for any ridge from 0 up.
///
/// Without a ridge, eigenvalues up to the cutoff times the largest count as zero and are not inverted: every result is then the limit of
/// a vanishing ridge, which is the pseudo-inverse. With one nothing is dropped, and an eigenvalue that rounding left negative counts as 0.
/// The same rule as [`Flow`](crate::dynamics::Flow)'s.
#[derive(Debug, Clone)]
pub struct RidgePath {
    pub(super) spectrum: Spectrum,
    /// c = Q^T Y, `[N, O]`.
    pub(super) coordinates: Matrix,
    pub(super) relative_cutoff: f64,
    pub(super) mean_diagonal: f64,
    pub(super) contradictions: Vec<Contradiction>,
}

/// K* Q `[n_test, N]`: test inputs along the eigenvectors, found once for all ridges.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection(pub(super) Matrix);

/// How many cutoffs an eigenvalue may lie below zero before it is no rounding error.
const ROOM: f64 = 10.0;

impl RidgePath {
    /// Takes the kernel apart. [`Flow::rounding_cutoff`](crate::dynamics::Flow::rounding_cutoff) is the cutoff to pass.
    ///
    /// # Shapes
    /// `y_train` `[N, O]`.
    ///
    /// # Errors
    /// [`Error::NotSemidefinite`] when an eigenvalue is negative beyond ten cutoffs of the largest; [`Error::NotFinite`], also of a
    /// target; [`Error::Shape`], also without inputs or outputs.
    pub fn new(k_train_train: &GramMatrix, y_train: &Matrix, relative_cutoff: f64) -> Result<Self> {
        require_targets(k_train_train, y_train)?;
        let n = k_train_train.n();
        if y_train.values().is_empty() {
            let found = format!("{n} x {}", y_train.n_cols());
            return Err(Error::shape("training targets", "at least one input and one output", found));
        }
        let spectrum = Spectrum::of(k_train_train)?;
        require_semidefinite(spectrum.eigenvalues(), relative_cutoff)?;
        Ok(Self {
            coordinates: spectrum.project(y_train),
            spectrum,
            relative_cutoff,
            mean_diagonal: k_train_train.mean_diagonal(),
            contradictions: contradictions(k_train_train, y_train, relative_cutoff / n as f64)?,
        })
    }

    /// The regression at one ridge.
    ///
    /// # Errors
    /// [`Error::Config`] when the ridge is negative or not finite.
    pub fn at(&self, ridge: Ridge) -> Result<RidgeFit<'_>> {
        ridge.validate("ridge")?;
        Ok(RidgeFit::new(self, ridge.of_mean_diagonal(self.mean_diagonal)))
    }

    /// Test inputs along the eigenvectors, for [`RidgeFit::predict`]: N^2 per test input here, N at every ridge.
    ///
    /// # Shapes
    /// `k_test_train` `[n_test, N]`.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn project(&self, k_test_train: &Matrix) -> Result<Projection> {
        require_test_train(self.n(), k_test_train)?;
        Ok(Projection(k_test_train.matmul(self.spectrum.eigenvectors())))
    }

    /// The eigenvalues of K in descending order.
    #[must_use]
    pub fn eigenvalues(&self) -> &[f64] {
        self.spectrum.eigenvalues()
    }

    /// Without a ridge, directions whose eigenvalue is not above this are dropped.
    #[must_use]
    pub fn eigenvalue_cutoff(&self) -> f64 {
        self.relative_cutoff * self.eigenvalues()[0].max(0.0)
    }

    /// Inputs that cannot be told apart and have different targets; they matter without a ridge, where the fit is their mean.
    #[must_use]
    pub fn contradictions(&self) -> &[Contradiction] {
        &self.contradictions
    }

    /// N.
    pub(super) fn n(&self) -> usize {
        self.coordinates.n_rows()
    }
}

/// Refuses a matrix whose `eigenvalues`, largest first, are those of no kernel.
///
/// # Errors
/// [`Error::NotSemidefinite`] when one is negative beyond ten cutoffs of the largest.
pub fn require_semidefinite(eigenvalues: &[f64], relative_cutoff: f64) -> Result<()> {
    let n = eigenvalues.len();
    let (Some(&largest), Some(&smallest)) = (eigenvalues.first(), eigenvalues.last()) else { return Ok(()) };
    let bound = ROOM * relative_cutoff.max(n as f64 * f64::EPSILON) * largest.max(0.0);
    if smallest >= -bound {
        return Ok(());
    }
    Err(Error::NotSemidefinite { n, eigenvalue: smallest, bound })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gram(n: usize) -> GramMatrix {
        GramMatrix::from_lower(n, |i, j| (-(i.abs_diff(j) as f64)).exp())
    }

    #[test]
    fn a_matrix_that_is_no_kernel_is_refused_with_its_eigenvalue() {
        let indefinite = GramMatrix::from_lower(3, |i, j| if i == j { 1.0 } else { -0.75 });
        let error = RidgePath::new(&indefinite, &Matrix::zeros(3, 1), 1e-15).unwrap_err();
        let Error::NotSemidefinite { n: 3, eigenvalue, .. } = error else { panic!("{error}") };
        assert!((eigenvalue + 0.5).abs() < 1e-14, "{eigenvalue}");
        assert!(error.to_string().contains("3 inputs"), "{error}");
    }

    #[test]
    fn rounding_below_zero_is_no_reason_to_refuse() {
        // Rank 2: 58 eigenvalues are rounding errors of either sign.
        let gram = GramMatrix::from_lower(60, |i, j| 1.0 + (i * j) as f64);
        let path = RidgePath::new(&gram, &Matrix::zeros(60, 1), 60.0 * f64::EPSILON).unwrap();
        assert!(path.eigenvalues().iter().any(|s| *s < 0.0), "the test needs a negative eigenvalue");
        assert_eq!(path.at(Ridge::Absolute(0.0)).unwrap().condition().n_dropped, 58);
    }

    #[test]
    fn ridges_below_zero_and_targets_without_a_number_are_refused() {
        let path = RidgePath::new(&gram(3), &Matrix::zeros(3, 1), 1e-15).unwrap();
        assert!(path.at(Ridge::Absolute(-1e-9)).is_err() && path.at(Ridge::RelativeToTrace(f64::NAN)).is_err());
        assert!(RidgePath::new(&gram(3), &Matrix::from_fn(3, 1, |_, _| f64::INFINITY), 1e-15).is_err());
        assert!(RidgePath::new(&gram(3), &Matrix::zeros(2, 1), 1e-15).is_err());
        assert!(RidgePath::new(&gram(0), &Matrix::zeros(0, 1), 1e-15).is_err());
        assert!(path.project(&Matrix::zeros(1, 4)).is_err());
    }
}
