//! The largest eigenvalues of a matrix that is known by its products: block Lanczos with full orthogonalization (Golub and Underwood 1977;
//! randomly started, Musco and Musco 2015).
//!
//! In the span of V, K V, K^2 V, ... for a random block V, the eigenvectors of the small matrix Q^T K Q approach those of K, the largest
//! first. What each still misses, ||K q - s q||, is computed, and bounds how far s is from an eigenvalue.

use rand_distr::{Distribution, StandardNormal};

use super::{GramMatrix, Matrix, Operator, Spectrum};
use crate::error::{Error, Result};
use crate::seed::Stream;

/// The leading part of a spectrum.
#[derive(Debug, Clone)]
pub struct Leading {
    /// The eigenvalues in descending order, and their eigenvectors `[n, k]`.
    pub spectrum: Spectrum,
    /// ||K q - s q|| of each: an eigenvalue of K is at least this near to s.
    pub residuals: Vec<f64>,
    /// Products with a block of vectors.
    pub n_products: usize,
    /// Whether every residual is within the tolerance.
    pub is_converged: bool,
}

/// Vectors of a block beside those asked for.
const EXTRA: usize = 8;

/// Columns that the search for `k` eigenvalues of `n` holds at most, once for vectors and once for their products.
#[must_use]
pub fn search_columns(n: usize, k: usize, max_products: usize) -> usize {
    (k + EXTRA).saturating_mul(max_products).min(n)
}

/// The `k` largest eigenvalues of `matrix`, each with a residual of at most `tolerance` times the largest, from at most `max_products` products
/// with blocks of k + 8 vectors.
///
/// # Errors
/// What a product fails of; a matrix with entries that are not finite; [`Error::Shape`] when k is 0 or more than the matrix has rows.
pub fn leading_spectrum(
    matrix: &dyn Operator,
    k: usize,
    tolerance: f64,
    max_products: usize,
    random: &mut Stream,
) -> Result<Leading> {
    let n = matrix.n();
    if k == 0 || k > n {
        return Err(Error::shape("eigenvalues asked for", format!("1 to {n}"), k));
    }
    let width = (k + EXTRA).min(n);
    let start: Vec<f64> = (0..n * width).map(|_| StandardNormal.sample(random)).collect();
    let mut basis = Basis { vectors: Matrix::zeros(n, 0), images: Matrix::zeros(n, 0) };
    let mut block = Matrix::from_vec(n, width, start)?.orthonormal();
    let mut n_products = 0;
    loop {
        let image = matrix.times(&block)?;
        if let Some((row, column, value)) = image.first_non_finite() {
            return Err(Error::NotFinite {
                what: "a product with the kernel matrix".to_owned(),
                value,
                place: format!("row {row}, column {column}"),
                remedy: "look for inputs that are not finite, or so large that the kernel overflows".to_owned(),
            });
        }
        n_products += 1;
        basis.vectors = beside(&basis.vectors, &block);
        basis.images = beside(&basis.images, &image);
        let n_left = n - basis.vectors.n_cols();
        let leading = basis.leading(k)?;
        let within = tolerance * leading.0.eigenvalues()[0].abs();
        let is_converged = leading.1.iter().all(|residual| *residual <= within);
        if is_converged || n_left == 0 || n_products >= max_products {
            let (spectrum, residuals) = leading;
            return Ok(Leading { spectrum, residuals, n_products, is_converged });
        }
        // The last block is as narrow as what is left of the space, so that in the end the whole of it is searched.
        let next = Matrix::from_fn(n, width.min(n_left), |i, j| image[(i, j)]);
        // Twice, because the first pass leaves what rounding left of large components.
        block = basis.without(&basis.without(&next)).orthonormal();
        block = basis.without(&block).orthonormal();
    }
}

/// Orthonormal vectors, and their products with the matrix.
struct Basis {
    vectors: Matrix,
    images: Matrix,
}

impl Basis {
    /// The leading eigenpairs within the span, and their residuals.
    fn leading(&self, k: usize) -> Result<(Spectrum, Vec<f64>)> {
        let small = self.vectors.transposed_times(&self.images);
        let m = small.n_rows();
        let small = GramMatrix::from_lower(m, |i, j| 0.5 * (small[(i, j)] + small[(j, i)]));
        let inner = Spectrum::of(&small)?;
        let turn = Matrix::from_fn(m, k, |i, j| inner.eigenvectors()[(i, j)]);
        let values = inner.eigenvalues()[..k].to_vec();
        let vectors = self.vectors.matmul(&turn);
        let images = self.images.matmul(&turn);
        let mut residuals = vec![0.0; k];
        for (vector, image) in vectors.rows().zip(images.rows()) {
            for (j, residual) in residuals.iter_mut().enumerate() {
                *residual += (image[j] - values[j] * vector[j]).powi(2);
            }
        }
        let residuals = residuals.into_iter().map(f64::sqrt).collect();
        Ok((Spectrum::from_parts(values, vectors), residuals))
    }

    /// What of the columns of `block` is orthogonal to the basis.
    fn without(&self, block: &Matrix) -> Matrix {
        let along = self.vectors.transposed_times(block);
        block - &self.vectors.matmul(&along)
    }
}

fn beside(left: &Matrix, right: &Matrix) -> Matrix {
    let n = left.n_cols();
    Matrix::from_fn(right.n_rows(), n + right.n_cols(), |i, j| if j < n { left[(i, j)] } else { right[(i, j - n)] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;

    fn gram(n: usize) -> GramMatrix {
        GramMatrix::from_lower(n, |i, j| (-(i.abs_diff(j) as f64) / 30.0).exp())
    }

    #[test]
    fn the_leading_eigenvalues_are_those_of_the_whole_spectrum() {
        let k = gram(200);
        let whole = Spectrum::of(&k).unwrap();
        let leading = leading_spectrum(&k, 12, 1e-10, 100, &mut stream(1, "block")).unwrap();
        assert!(leading.is_converged && leading.n_products < 10, "{}", leading.n_products);
        for (j, value) in leading.spectrum.eigenvalues().iter().enumerate() {
            let largest = whole.eigenvalues()[0];
            assert!((value - whole.eigenvalues()[j]).abs() < 1e-12 * largest);
            let along: f64 =
                (0..200).map(|i| leading.spectrum.eigenvectors()[(i, j)] * whole.eigenvectors()[(i, j)]).sum();
            assert!((along.abs() - 1.0).abs() < 1e-8, "{j}: {along}");
        }
    }

    #[test]
    fn the_residual_bounds_how_far_a_value_is_from_an_eigenvalue_before_it_has_converged() {
        let k = gram(200);
        let whole = Spectrum::of(&k).unwrap();
        let leading = leading_spectrum(&k, 12, 1e-14, 2, &mut stream(1, "block")).unwrap();
        assert!(!leading.is_converged);
        for (value, residual) in leading.spectrum.eigenvalues().iter().zip(&leading.residuals) {
            let distance = whole.eigenvalues().iter().map(|s| (s - value).abs()).fold(f64::INFINITY, f64::min);
            assert!(distance <= residual + 1e-12, "{value}: {distance:e} against {residual:e}");
        }
    }

    #[test]
    fn a_space_that_is_no_multiple_of_the_block_is_searched_to_its_end() {
        let k = gram(40);
        let leading = leading_spectrum(&k, 6, 0.0, 100, &mut stream(1, "block")).unwrap();
        let whole = Spectrum::of(&k).unwrap();
        assert_eq!(leading.n_products, 3, "of 14, 14 and 12 vectors");
        for (value, expected) in leading.spectrum.eigenvalues().iter().zip(whole.eigenvalues()) {
            assert!((value - expected).abs() < 1e-12 * whole.eigenvalues()[0]);
        }
    }

    #[test]
    fn of_a_matrix_as_small_as_the_block_all_is_found() {
        let k = gram(9);
        let leading = leading_spectrum(&k, 9, 1e-10, 100, &mut stream(1, "block")).unwrap();
        let whole = Spectrum::of(&k).unwrap();
        for (a, b) in leading.spectrum.eigenvalues().iter().zip(whole.eigenvalues()) {
            assert!((a - b).abs() < 1e-12);
        }
        assert!(leading_spectrum(&k, 10, 1e-10, 100, &mut stream(1, "block")).is_err());
    }
}
