//! What there is to know of a regression at one ridge, in the eigenbasis K = Q S Q^T with c = Q^T Y and G = (K + lambda I)^-1:
//!
//! ```text
//! coefficients          alpha = G Y = Q (S + lambda)^-1 c
//! fitted values         K alpha,      residuals  lambda alpha
//! degrees of freedom    tr K G = sum of s / (s + lambda)
//! cross-validation      (1/(N O)) |Y - K alpha|^2 / (tr(I - K G) / N)^2                (generalized: Golub, Heath, Wahba 1979)
//! marginal likelihood   log N(Y; 0, K + lambda I), summed over the outputs
//! ```
//!
//! Each is O(N O), or O(N^2 O) where it has a number for every input. Without a ridge each is the limit of a vanishing one.

use std::f64::consts::TAU;

use super::condition::Condition;
use super::contradiction::Contradiction;
use super::path::{Projection, RidgePath};
use super::posterior::Marginals;
use super::problem::require_test_test;
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// A [`RidgePath`] at one ridge.
#[derive(Debug, Clone)]
pub struct RidgeFit<'a> {
    pub(super) path: &'a RidgePath,
    ridge: f64,
    /// 1 / (s + lambda); as many as there are directions that are not dropped, which are the first.
    pub(super) inverses: Vec<f64>,
}

impl<'a> RidgeFit<'a> {
    pub(super) fn new(path: &'a RidgePath, ridge: f64) -> Self {
        let cutoff = path.eigenvalue_cutoff();
        let kept = path.eigenvalues().iter().take_while(|s| ridge > 0.0 || **s > cutoff);
        let inverses = kept.map(|s| (s.max(0.0) + ridge).recip()).collect();
        Self { path, ridge, inverses }
    }

    /// lambda.
    #[must_use]
    pub fn ridge(&self) -> f64 {
        self.ridge
    }

    /// alpha `[N, O]`.
    #[must_use]
    pub fn coefficients(&self) -> Matrix {
        self.along_eigenvectors(|j| self.inverse(j))
    }

    /// K alpha `[N, O]`.
    #[must_use]
    pub fn fitted(&self) -> Matrix {
        self.along_eigenvectors(|j| self.learned(j))
    }

    /// Y - K alpha `[N, O]`.
    #[must_use]
    pub fn residuals(&self) -> Matrix {
        self.along_eigenvectors(|j| self.left(j))
    }

    /// The mean squared residual over inputs and outputs.
    #[must_use]
    pub fn training_error(&self) -> f64 {
        let rows = self.path.coordinates.rows().enumerate();
        let sum: f64 = rows.map(|(j, row)| self.left(j).powi(2) * row.iter().map(|c| c * c).sum::<f64>()).sum();
        sum / self.n_targets() as f64
    }

    /// K* alpha `[n_test, O]`.
    ///
    /// # Panics
    /// When the projection is another path's with another number of training inputs.
    #[must_use]
    pub fn predict(&self, k_test_train: &Projection) -> Matrix {
        k_test_train.0.matmul(&self.scaled(|j| self.inverse(j)))
    }

    /// As [`posterior_marginals`](super::posterior_marginals), from the eigenbasis.
    ///
    /// # Shapes
    /// `k_test_diagonal` `[n_test]`.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub fn marginals(&self, k_test_train: &Projection, k_test_diagonal: &[f64]) -> Result<Marginals> {
        require_test_test(&k_test_train.0, k_test_diagonal.len())?;
        let explained = |row: &[f64]| row.iter().zip(&self.inverses).map(|(v, inverse)| v * v * inverse).sum::<f64>();
        // Cut off at zero, because rounding leaves the variance at a training input on either side of it.
        let variance = k_test_diagonal.iter().zip(k_test_train.0.rows()).map(|(k, row)| (k - explained(row)).max(0.0));
        Ok(Marginals { mean: self.predict(k_test_train), variance: variance.collect() })
    }

    /// tr K (K + lambda I)^-1: how many parameters a linear model would have that follows its targets as closely.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> f64 {
        (0..self.inverses.len()).map(|j| self.learned(j)).sum()
    }

    /// The estimate of the mean squared error at new inputs by generalized cross-validation. Unlike leaving out, it does not depend on
    /// the basis in which the training inputs are counted.
    #[must_use]
    pub fn generalized_cross_validation(&self) -> f64 {
        // Both squares over lambda^2: without a ridge, the limit of a quotient of zeros.
        let factor = |j: usize| if self.drops() { self.left(j) } else { self.inverse(j) };
        let n = self.path.n();
        let rows = self.path.coordinates.rows().enumerate();
        let squares: f64 = rows.map(|(j, row)| factor(j).powi(2) * row.iter().map(|c| c * c).sum::<f64>()).sum();
        let trace: f64 = (0..n).map(factor).sum();
        squares / self.n_targets() as f64 / (trace / n as f64).powi(2)
    }

    /// log N(Y; 0, K + lambda I), summed over outputs; `None` where directions are dropped, because a singular Gaussian has no density.
    #[must_use]
    pub fn log_marginal_likelihood(&self) -> Option<f64> {
        if self.drops() {
            return None;
        }
        let n_outputs = self.path.coordinates.n_cols() as f64;
        let of_direction = |(row, inverse): (&[f64], &f64)| {
            let square = row.iter().map(|c| c * c).sum::<f64>() * inverse;
            square + n_outputs * (TAU.ln() - inverse.ln())
        };
        Some(-0.5 * self.path.coordinates.rows().zip(&self.inverses).map(of_direction).sum::<f64>())
    }

    /// a = Y^T (K + lambda I)^-1 Y / (N O), the amplitude at which a (K + lambda I) makes the targets most likely; `None` where that is 0 or
    /// directions were dropped.
    #[must_use]
    pub fn amplitude(&self) -> Option<f64> {
        let rows = self.path.coordinates.rows().zip(&self.inverses);
        let quadratic: f64 = rows.map(|(row, inverse)| row.iter().map(|c| c * c).sum::<f64>() * inverse).sum();
        (quadratic > 0.0 && !self.drops()).then(|| quadratic / self.n_targets() as f64)
    }

    /// log N(Y; 0, a (K + lambda I)) at that amplitude, summed over outputs.
    #[must_use]
    pub fn profile_log_likelihood(&self) -> Option<f64> {
        let (amplitude, n_targets) = (self.amplitude()?, self.n_targets() as f64);
        let log_determinant: f64 = self.inverses.iter().map(|inverse| -inverse.ln()).sum();
        let n_outputs = self.path.coordinates.n_cols() as f64;
        Some(-0.5 * (n_targets * (1.0 + TAU.ln() + amplitude.ln()) + n_outputs * log_determinant))
    }

    /// How well K + lambda I can be inverted, and how many directions are not.
    #[must_use]
    pub fn condition(&self) -> Condition {
        Condition {
            largest: self.path.eigenvalues()[0].max(0.0) + self.ridge,
            smallest: self.inverses.last().map_or(0.0, |inverse| inverse.recip()),
            n_dropped: self.path.n() - self.inverses.len(),
            epsilon: self.path.relative_cutoff / self.path.n() as f64,
        }
    }

    /// The contradictions that this fit averages over; with a ridge there are none.
    #[must_use]
    pub fn contradictions(&self) -> &'a [Contradiction] {
        if self.ridge > 0.0 { &[] } else { self.path.contradictions() }
    }

    /// Refuses contradictions, for callers that want to know rather than to average.
    ///
    /// # Errors
    /// [`Error::Contradiction`] with the first pair of rows.
    pub fn require_consistent(&self) -> Result<()> {
        match self.contradictions() {
            [] => Ok(()),
            all @ [first, ..] => {
                Err(Error::Contradiction { n: all.len(), first: first.first, second: first.second, gap: first.gap })
            }
        }
    }

    /// N O.
    pub(super) fn n_targets(&self) -> usize {
        self.path.coordinates.values().len()
    }

    /// Whether there are directions that count as zero.
    pub(super) fn drops(&self) -> bool {
        self.inverses.len() < self.path.n()
    }

    /// 1 / (s + lambda); 0 of a dropped direction.
    fn inverse(&self, j: usize) -> f64 {
        self.inverses.get(j).copied().unwrap_or(0.0)
    }

    /// s / (s + lambda); 0 of a dropped direction.
    fn learned(&self, j: usize) -> f64 {
        self.path.eigenvalues()[j].max(0.0) * self.inverse(j)
    }

    /// lambda / (s + lambda); 1 of a dropped direction.
    fn left(&self, j: usize) -> f64 {
        self.inverses.get(j).map_or(1.0, |inverse| self.ridge * inverse)
    }

    fn along_eigenvectors(&self, factor: impl Fn(usize) -> f64) -> Matrix {
        self.path.spectrum.eigenvectors().matmul(&self.scaled(factor))
    }

    fn scaled(&self, factor: impl Fn(usize) -> f64) -> Matrix {
        let coordinates = &self.path.coordinates;
        Matrix::from_fn(coordinates.n_rows(), coordinates.n_cols(), |j, o| factor(j) * coordinates[(j, o)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Cholesky, GramMatrix};
    use crate::regress::{Ridge, kernel_ridge, mean_squared_error, posterior_marginals};

    const N: usize = 25;

    fn kernel(a: f64, b: f64) -> f64 {
        (-(a - b).abs()).exp() + 0.2 * a * b
    }

    fn input(i: usize) -> f64 {
        (i as f64 * 1.7).sin() * 2.0
    }

    fn gram() -> GramMatrix {
        GramMatrix::from_lower(N, |i, j| kernel(input(i), input(j)))
    }

    fn targets() -> Matrix {
        Matrix::from_fn(N, 2, |i, j| (3.0 * input(i) + j as f64).cos() + 0.1 * (i as f64).sin())
    }

    fn path(gram: &GramMatrix) -> RidgePath {
        RidgePath::new(gram, &targets(), N as f64 * f64::EPSILON).unwrap()
    }

    fn gap(a: &Matrix, b: &Matrix) -> f64 {
        (a - b).values().iter().fold(0.0, |m, v| m.max(v.abs()))
    }

    #[test]
    fn at_every_ridge_the_path_is_the_factorization() {
        let (k, y) = (gram(), targets());
        let k_test_train = Matrix::from_fn(4, N, |i, j| kernel(i as f64 - 1.3, input(j)));
        let diagonal: Vec<f64> = (0..4).map(|i| kernel(i as f64 - 1.3, i as f64 - 1.3)).collect();
        let path = path(&k);
        let projection = path.project(&k_test_train).unwrap();
        for ridge in [0.0, 1e-4, 0.1, 10.0] {
            let fit = path.at(Ridge::Absolute(ridge)).unwrap();
            let factor = Cholesky::of(&k, ridge).unwrap();
            assert!(gap(&fit.coefficients(), &factor.solve(&y)) < 1e-9, "ridge {ridge}");
            assert!(gap(&fit.predict(&projection), &kernel_ridge(&k, &k_test_train, &y, ridge).unwrap()) < 1e-11);
            let fitted = kernel_ridge(&k, k.as_matrix(), &y, ridge).unwrap();
            assert!(gap(&fit.fitted(), &fitted) < 1e-11);
            assert!(gap(&(&fit.fitted() + &fit.residuals()), &y) < 1e-12);
            assert!((fit.training_error() - mean_squared_error(&fitted, &y)).abs() < 1e-12);
            let marginals = posterior_marginals(&k, &k_test_train, &diagonal, &y, ridge).unwrap();
            let variance = fit.marginals(&projection, &diagonal).unwrap().variance;
            assert!(variance.iter().zip(&marginals.variance).all(|(a, b)| (a - b).abs() < 1e-11));
            let hat = factor.solve(k.as_matrix());
            let trace: f64 = (0..N).map(|i| hat[(i, i)]).sum();
            assert!((fit.degrees_of_freedom() - trace).abs() < 1e-10);
            let likelihood = fit.log_marginal_likelihood().unwrap();
            assert!((likelihood / factor.log_density(&y) - 1.0).abs() < 1e-12, "ridge {ridge}: {likelihood}");
        }
    }

    #[test]
    fn the_profile_likelihood_is_that_of_the_scaled_kernel_and_no_other_amplitude_has_more() {
        let (k, y) = (gram(), targets());
        let path = path(&k);
        let fit = path.at(Ridge::Absolute(0.1)).unwrap();
        let (amplitude, most) = (fit.amplitude().unwrap(), fit.profile_log_likelihood().unwrap());
        let at = |a: f64| {
            let scaled = GramMatrix::from_lower(N, |i, j| a * (k[(i, j)] + if i == j { 0.1 } else { 0.0 }));
            Cholesky::of(&scaled, 0.0).unwrap().log_density(&y)
        };
        assert!((at(amplitude) / most - 1.0).abs() < 1e-12);
        assert!(at(1.05 * amplitude) < most && at(0.95 * amplitude) < most);
    }

    #[test]
    fn degrees_of_freedom_fall_from_the_rank_to_zero() {
        let k = gram();
        let path = path(&k);
        let at = |ridge| path.at(Ridge::RelativeToTrace(ridge)).unwrap().degrees_of_freedom();
        assert!((at(0.0) - N as f64).abs() < 1e-12 && at(1e12) < 1e-10);
        let grid: Vec<f64> = (-8..8).map(|e| at(10.0_f64.powi(e))).collect();
        assert!(grid.windows(2).all(|pair| pair[1] < pair[0]));
    }

    #[test]
    fn generalized_cross_validation_is_its_definition_and_its_limit_without_a_ridge() {
        let k = gram();
        let path = path(&k);
        let at = |ridge| path.at(Ridge::Absolute(ridge)).unwrap();
        for ridge in [1e-2, 1.0] {
            let fit = at(ridge);
            let left = 1.0 - fit.degrees_of_freedom() / N as f64;
            let expected = fit.training_error() / left.powi(2);
            assert!((fit.generalized_cross_validation() / expected - 1.0).abs() < 1e-11);
        }
        let (limit, near) = (at(0.0).generalized_cross_validation(), at(1e-9).generalized_cross_validation());
        assert!((near / limit - 1.0).abs() < 1e-5, "{near} against {limit}");
    }

    #[test]
    fn a_repeated_input_is_the_limit_of_a_vanishing_ridge_with_its_dropped_direction_counted() {
        let twin = |i: usize| input(if i == 20 { 3 } else { i });
        let k = GramMatrix::from_lower(N, |i, j| kernel(twin(i), twin(j)));
        let path = path(&k);
        let (limit, near) = (path.at(Ridge::Absolute(0.0)).unwrap(), path.at(Ridge::Absolute(1e-8)).unwrap());
        assert_eq!((limit.condition().n_dropped, near.condition().n_dropped), (1, 0));
        assert!(gap(&limit.fitted(), &near.fitted()) < 1e-5);
        assert!((limit.degrees_of_freedom() - near.degrees_of_freedom()).abs() < 1e-5);
        let cross_validation = [&limit, &near].map(RidgeFit::generalized_cross_validation);
        assert!((cross_validation[0] / cross_validation[1] - 1.0).abs() < 1e-5, "{cross_validation:?}");
        assert_eq!(limit.log_marginal_likelihood(), None);
        let error = limit.require_consistent().unwrap_err().to_string();
        assert!(error.contains("rows 3 and 20"), "{error}");
        assert!(near.require_consistent().is_ok());
    }

    #[test]
    fn a_ridge_improves_the_condition_as_its_formula_says() {
        let k = GramMatrix::from_lower(N, |i, j| if i == j { 10.0_f64.powi(-(i as i32) / 3) } else { 0.0 });
        let path = path(&k);
        let condition = |ridge| path.at(Ridge::Absolute(ridge)).unwrap().condition();
        assert!((condition(0.0).number() / 1e8 - 1.0).abs() < 1e-12);
        assert!((condition(1.0).number() - 2.0 / (1.0 + 1e-8)).abs() < 1e-12);
        assert!((condition(0.0).trusted_digits() + (1e8 * f64::EPSILON).log10()).abs() < 1e-10);
    }
}
