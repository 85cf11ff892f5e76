//! The covariance of a group's networks between test inputs, beside that of theory.
//!
//! Along the eigenvectors of theory's covariance S, theory is a list of variances s_r and a network a list of coordinates c_r. The sample
//! covariance of n networks has rank n - 1, and its distance from S is mostly noise, so each part of
//!
//! ```text
//! ||C - S||_F^2 = tr C^2 - 2 tr C S + tr S^2
//! ```
//!
//! is estimated by itself, C being the covariance of infinitely many networks: tr C S by sum_r s_r Var(c_r), and tr C^2 by the mean of
//! ((c_i - c_j) . (c_k - c_l) / 2)^2 over all networks i, j, k, l that differ (Chen, Zhang, Zhong 2010). Both are unbiased whatever the networks'
//! distribution and its mean are, and so is their sum, which as often as not comes out below zero where C is S.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::row::Point;

/// A network along an eigenvector of the covariance that theory gives networks between test inputs, in units of the training targets'
/// standard deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Direction {
    /// Which output; theory gives all of them the same covariance, and none between them.
    pub output: usize,
    /// s_r, the eigenvalue: the variance over seeds that theory gives the coordinate (Lee et al. 2019).
    pub variance: f64,
    /// q_r . (f_T - A_T^ntk Y), with mean 0 over seeds in theory.
    pub network: Option<f64>,
}

/// How the covariance C of a group's networks between test inputs compares with that of theory, S.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Covariance {
    /// ||C - S||_F^2 / ||S||_F^2, without bias.
    pub squared_distance: f64,
    /// The networks' correlation between test inputs in units of theory's, 1 at any spread if C is S times a number: tr C S / tr S^2 over the
    /// entries off the diagonal, divided by the same over the diagonal.
    pub correlation: Option<f64>,
    /// The leading directions of theory: those that hold 90 % of its trace together.
    pub leading: Band,
    /// All directions whose variance is more than rounding: the first, the second, the next two, four, eight and so on.
    pub bands: Vec<Band>,
}

/// Directions that are next to each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Rank of the largest variance, counted from 1.
    pub first: usize,
    /// Rank of the smallest variance.
    pub last: usize,
    /// Their share of theory's trace: sum s_r / tr S.
    pub share: f64,
    /// The mean of Var(c_r) / s_r, with the unbiased variance over seeds: each direction counts the same, whatever its share.
    pub variance: f64,
}

/// The share of theory's trace that the leading directions hold.
const LEADING: f64 = 0.9;

/// Networks without which there are no two pairs.
const MIN_NETWORKS: usize = 4;

impl Covariance {
    /// Of networks that were trained to the end; none of fewer than four, and of points that have no directions.
    pub(super) fn of(trained: &[&Point]) -> Option<Self> {
        let first = trained.first()?;
        let theory: Vec<f64> = first.directions.iter().map(|direction| direction.variance).collect();
        let coordinates = |point: &&Point| -> Option<Vec<f64>> {
            let all: Option<Vec<f64>> = point.directions.iter().map(|direction| direction.network).collect();
            all.filter(|all| all.len() == theory.len())
        };
        let networks: Vec<Vec<f64>> = trained.iter().map(coordinates).collect::<Option<_>>()?;
        let (trace, square) = (theory.iter().sum::<f64>(), dot(&theory, &theory));
        if networks.len() < MIN_NETWORKS || trace <= 0.0 {
            return None;
        }
        let measured: Vec<f64> =
            (0..theory.len()).map(|r| variance(networks.iter().map(|network| network[r]))).collect();
        let across = dot(&measured, &theory);
        let band = |ranks: Range<usize>| Band {
            first: ranks.start + 1,
            last: ranks.end,
            share: theory[ranks.clone()].iter().sum::<f64>() / trace,
            variance: ranks.clone().map(|r| measured[r] / theory[r]).sum::<f64>() / ranks.len() as f64,
        };
        let found = Self {
            squared_distance: (trace_of_square(&networks) - 2.0 * across + square) / square,
            correlation: correlation(trained, across, square),
            leading: band(0..n_leading(&theory, trace)),
            bands: doubling(n_resolved(&theory)).map(band).collect(),
        };
        // Predictions that are finite can have fourth powers that are not.
        found.squared_distance.is_finite().then_some(found)
    }
}

/// How many of the variances, which descend, it takes to hold most of their sum.
fn n_leading(theory: &[f64], trace: f64) -> usize {
    let held_before = (0..theory.len()).map(|r| theory[..r].iter().sum::<f64>());
    held_before.take_while(|held| *held < LEADING * trace).count()
}

/// How many of them are larger than what rounding leaves of zero.
fn n_resolved(theory: &[f64]) -> usize {
    let rounding = theory.len() as f64 * f64::EPSILON * theory[0];
    theory.iter().take_while(|variance| **variance > rounding).count()
}

/// 0..1, 1..2, 2..4, 4..8 and so on up to `n`.
fn doubling(n: usize) -> impl Iterator<Item = Range<usize>> {
    let starts = std::iter::once(0).chain((0..usize::BITS).map(|power| 1 << power));
    starts.take_while(move |start| *start < n).map(move |start| start..(2 * start).max(1).min(n))
}

/// From tr C S and tr S^2 over all entries; those of the diagonal are known at the test inputs.
fn correlation(trained: &[&Point], across: f64, square: f64) -> Option<f64> {
    let (mut across_diagonal, mut square_diagonal) = (0.0, 0.0);
    for (i, prediction) in trained.first()?.predictions.iter().enumerate() {
        let theory = prediction.deviation?.powi(2);
        let column: Option<Vec<f64>> = trained.iter().map(|point| point.predictions.get(i)?.network).collect();
        across_diagonal += theory * variance(column?.into_iter());
        square_diagonal += theory * theory;
    }
    let off_diagonal = (across - across_diagonal) / (square - square_diagonal);
    let ratio = off_diagonal / (across_diagonal / square_diagonal);
    ratio.is_finite().then_some(ratio)
}

/// tr C^2 without bias. With H the inner products of the networks and zeros on its diagonal, the mean over i, j, k, l takes the sums of
/// H_ij^2, H_ij H_jk and H_ij H_kl over networks that differ, which are polynomials in the sum of H^2 and in the sums of its rows.
fn trace_of_square(networks: &[Vec<f64>]) -> f64 {
    let n = networks.len() as f64;
    let center: Vec<f64> =
        (0..networks[0].len()).map(|r| networks.iter().map(|network| network[r]).sum::<f64>() / n).collect();
    // Any center gives the same; without one, digits cancel.
    let centered: Vec<Vec<f64>> =
        networks.iter().map(|network| network.iter().zip(&center).map(|(c, mean)| c - mean).collect()).collect();
    let (mut squares, mut row_sums) = (0.0, vec![0.0; networks.len()]);
    for (i, a) in centered.iter().enumerate() {
        for (j, b) in centered.iter().enumerate().filter(|(j, _)| *j != i) {
            let product = dot(a, b);
            squares += product * product;
            row_sums[j] += product;
        }
    }
    let sum: f64 = row_sums.iter().sum();
    let chains = dot(&row_sums, &row_sums) - squares;
    let apart = sum * sum - 4.0 * chains - 2.0 * squares;
    let pairs = n * (n - 1.0);
    (squares - 2.0 * chains / (n - 2.0) + apart / ((n - 2.0) * (n - 3.0))) / pairs
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The unbiased variance of two values or more.
fn variance(values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let n = values.len() as f64;
    let mean = values.clone().sum::<f64>() / n;
    values.map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::made_up::point;
    use super::*;
    use crate::linalg::{GramMatrix, Matrix, Spectrum};
    use crate::seed::{Stream, standard_normals, stream};

    const N_INPUTS: usize = 8;

    /// All variances 1, all covariances `between`.
    fn even(between: f64) -> Spectrum {
        Spectrum::of(&GramMatrix::from_lower(N_INPUTS, |i, j| if i == j { 1.0 } else { between })).unwrap()
    }

    /// Networks whose true covariance is `truth`, beside a theory of covariance `theory`.
    fn networks(n: usize, truth: &Spectrum, theory: &Spectrum, draws: &mut Stream) -> Vec<Point> {
        let network = |seed: usize| {
            let z = Matrix::from_vec(N_INPUTS, 1, standard_normals(draws, N_INPUTS)).unwrap();
            let roots = Matrix::from_fn(N_INPUTS, 1, |r, _| truth.eigenvalues()[r].max(0.0).sqrt() * z[(r, 0)]);
            let shift = truth.eigenvectors().matmul(&roots);
            let coordinates = theory.project(&shift);
            let direction = |r: usize| Direction {
                output: 0,
                variance: theory.eigenvalues()[r],
                network: Some(coordinates[(r, 0)]),
            };
            Point { directions: (0..N_INPUTS).map(direction).collect(), ..point("", seed as u64, shift.values()) }
        };
        (0..n).map(network).collect()
    }

    fn covariance(points: &[Point]) -> Option<Covariance> {
        Covariance::of(&points.iter().collect::<Vec<_>>())
    }

    /// Mean and standard error over 300 groups of 12 networks.
    fn over_groups(truth: &Spectrum, theory: &Spectrum, value: fn(&Covariance) -> f64) -> (f64, f64, Vec<f64>) {
        let mut draws = stream(11, "covariance");
        let values: Vec<f64> =
            (0..300).map(|_| value(&covariance(&networks(12, truth, theory, &mut draws)).unwrap())).collect();
        let n = values.len() as f64;
        (values.iter().sum::<f64>() / n, (variance(values.iter().copied()) / n).sqrt(), values)
    }

    #[test]
    fn networks_of_theory_are_at_distance_zero_on_both_sides() {
        let theory = even(0.5);
        let (mean, error, values) = over_groups(&theory, &theory, |covariance| covariance.squared_distance);
        assert!(mean.abs() < 4.0 * error, "{mean} +- {error}");
        let below = values.iter().filter(|value| **value < 0.0).count() as f64 / values.len() as f64;
        assert!((0.3..0.9).contains(&below), "{below} below zero");
        let (mean, error, _) = over_groups(&theory, &theory, |covariance| covariance.leading.variance);
        assert!((mean - 1.0).abs() < 4.0 * error && error < 0.03, "{mean} +- {error}");
    }

    #[test]
    fn another_covariance_of_the_same_marginals_is_seen_at_its_distance() {
        let (truth, theory) = (even(0.0), even(0.5));
        // Of the covariances between inputs, n (n - 1) of 1/2 each, there is none: 14 of 8 + 14.
        let (mean, error, _) = over_groups(&truth, &theory, |covariance| covariance.squared_distance);
        assert!((mean - 14.0 / 22.0).abs() < 4.0 * error && error < 0.05, "{mean} +- {error}");
        let (mean, error, _) = over_groups(&truth, &theory, |covariance| covariance.correlation.unwrap());
        assert!(mean.abs() < 4.0 * error && error < 0.05, "{mean} +- {error}");
        // Eigenvalues 4.5 and seven of 1/2 in theory, 1 in truth.
        let (mean, error, _) = over_groups(&truth, &theory, |covariance| covariance.bands[0].variance);
        assert!((mean - 1.0 / 4.5).abs() < 4.0 * error, "{mean} +- {error}");
        let (mean, error, _) = over_groups(&truth, &theory, |covariance| covariance.bands[2].variance);
        assert!((mean - 2.0).abs() < 4.0 * error, "{mean} +- {error}");
        // At every input by itself the networks are as theory says.
        let points = networks(2000, &truth, &theory, &mut stream(11, "marginals"));
        let group = &super::super::groups(&points)[0];
        assert!((group.variance.unwrap() / group.variance_predicted.unwrap() - 1.0).abs() < 0.05);
        assert!(
            group.coverage.unwrap().iter().zip([0.5, 0.9, 0.95]).all(|(found, level)| (found - level).abs() < 0.02)
        );
    }

    #[test]
    fn more_spread_in_all_directions_leaves_the_correlation_as_it_is() {
        let theory = even(0.5);
        let twice = Spectrum::of(&GramMatrix::from_lower(N_INPUTS, |i, j| if i == j { 4.0 } else { 2.0 })).unwrap();
        let found = covariance(&networks(4000, &twice, &theory, &mut stream(11, "spread"))).unwrap();
        assert!((found.correlation.unwrap() - 1.0).abs() < 0.05, "{found:?}");
        assert!((found.leading.variance - 4.0).abs() < 0.2 && (found.squared_distance - 9.0).abs() < 1.0, "{found:?}");
    }

    #[test]
    fn the_trace_of_the_square_is_the_mean_over_all_pairs_of_pairs() {
        let networks: Vec<Vec<f64>> =
            (0..6).map(|i| (0..3).map(|r| 5.0 + f64::from(i * 3 + r).sin()).collect()).collect();
        let difference = |i: usize, j: usize| -> Vec<f64> {
            networks[i].iter().zip(&networks[j]).map(|(a, b)| (a - b) / 2.0_f64.sqrt()).collect()
        };
        let (mut sum, mut n) = (0.0, 0.0);
        for (i, j, k, l) in (0..6_usize.pow(4)).map(|m| (m % 6, m / 6 % 6, m / 36 % 6, m / 216)) {
            if [i == j, i == k, i == l, j == k, j == l, k == l] == [false; 6] {
                sum += dot(&difference(i, j), &difference(k, l)).powi(2);
                n += 1.0;
            }
        }
        let found = trace_of_square(&networks);
        assert!((found - sum / n).abs() < 1e-12, "{found} and {}", sum / n);
    }

    #[test]
    fn the_leading_directions_hold_nine_tenths_and_bands_double() {
        let theory = [5.0, 3.0, 1.5, 0.3, 0.2, 0.0];
        assert_eq!(n_leading(&theory, 10.0), 3);
        assert_eq!(doubling(n_resolved(&theory)).collect::<Vec<_>>(), [0..1, 1..2, 2..4, 4..5]);
        assert!(doubling(1).eq(std::iter::once(0..1)) && doubling(0).next().is_none());
    }

    #[test]
    fn without_directions_with_three_networks_or_beyond_all_numbers_there_is_no_covariance() {
        let theory = even(0.5);
        let mut points = networks(5, &theory, &theory, &mut stream(11, "few"));
        assert!(covariance(&points).is_some());
        assert_eq!(covariance(&points[..3]), None);
        let mut vast = points[4].clone();
        points[4].directions.clear();
        assert_eq!(covariance(&points), None);
        vast.directions[0].network = Some(1e200);
        points[4] = vast;
        assert_eq!(covariance(&points), None);
        assert_eq!(covariance(&[]), None);
    }
}
