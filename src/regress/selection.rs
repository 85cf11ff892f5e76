//! Choosing a kernel and a ridge by the training rows alone, with one protocol for every kernel.
//!
//! Every score is an error to be made small, in the unit of a squared target but for the likelihood's:
//!
//! ```text
//! leave-one-out, k-fold           the mean squared error of the rows left out
//! generalized cross-validation    (1/(N O)) |Y - K alpha|^2 / (tr(I - K G) / N)^2
//! marginal likelihood             -(1/(N O)) log N(Y; 0, a (K + lambda I)) at the best amplitude a, in nats per target
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fit::RidgeFit;
use super::folds::Folds;
use super::path::RidgePath;
use super::ridge::Ridge;
use crate::dynamics::Flow;
use crate::error::{Error, Result};
use crate::linalg::{GramMatrix, Matrix};

/// What a kernel and a ridge are chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// The error of each row for the regression on all others.
    #[default]
    LeaveOneOut,
    /// The error of each of so many parts for the regression on the others.
    KFold(usize),
    /// Leaving one out, with every row's leverage replaced by the mean.
    GeneralizedCrossValidation,
    /// The density of the targets under the Gaussian process, whose amplitude is the best for each kernel and ridge: kernels of different
    /// scales are then compared by their shapes.
    MarginalLikelihood,
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeaveOneOut => f.write_str("leave-one-out"),
            Self::KFold(n_folds) => write!(f, "{n_folds}-fold"),
            Self::GeneralizedCrossValidation => f.write_str("generalized-cross-validation"),
            Self::MarginalLikelihood => f.write_str("marginal-likelihood"),
        }
    }
}

/// How kernels are compared: the same for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    /// By what.
    pub criterion: Criterion,
    /// At which ridges; relative ones treat kernels of different scales alike.
    pub ridges: Vec<Ridge>,
    /// The seed of the folds.
    pub root_seed: u64,
}

/// A kernel to choose from.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its name in the scores.
    pub name: &'a str,
    /// `[N, N]`.
    pub k_train_train: &'a GramMatrix,
    /// `[n_test, N]`.
    pub k_test_train: &'a Matrix,
    /// The machine epsilon of the number type it was computed in.
    pub epsilon: f64,
}

/// One kernel at one ridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The kernel's name.
    pub kernel: String,
    /// The ridge as it was asked for.
    pub ridge: Ridge,
    /// lambda.
    pub lambda: f64,
    /// The smaller, the better; `None` where the criterion has no value, as the likelihood of a singular kernel without a ridge.
    pub value: Option<f64>,
}

/// An end of the grid of ridges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// A smaller ridge might be better.
    Smallest,
    /// A larger ridge might be better.
    Largest,
}

impl Edge {
    /// Where `chosen` stands among `ridges`; none below a ridge of 0.
    #[must_use]
    pub fn of(chosen: f64, ridges: &[f64]) -> Option<Self> {
        match (ridges.iter().any(|ridge| *ridge < chosen), ridges.iter().any(|ridge| *ridge > chosen)) {
            (true, false) => Some(Self::Largest),
            (false, true) if chosen > 0.0 => Some(Self::Smallest),
            _ => None,
        }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smallest => "smallest",
            Self::Largest => "largest",
        })
    }
}

/// All scores, and the best.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Kernel after kernel, the ridges of each in the protocol's order.
    pub scores: Vec<Score>,
    /// The position of the smallest score, the first of equal ones.
    pub chosen: usize,
    /// The other scores that are as small but for rounding.
    pub ties: Vec<usize>,
    /// Where the chosen ridge is the last of several; none below a ridge of 0.
    pub edge: Option<Edge>,
    /// What the chosen kernel predicts with the chosen ridge, `[n_test, O]`.
    pub prediction: Matrix,
}

/// Scores closer than this, relative to the best, differ by rounding.
const TIE: f64 = 1e-10;

/// Scores every candidate at every ridge, and predicts with the best.
///
/// # Shapes
/// `y_train` `[N, O]`.
///
/// # Errors
/// [`Error::Config`] without candidates or ridges, with an impossible ridge or number of folds, or when no score has a value; otherwise as
/// [`RidgePath::new`].
pub fn select(candidates: &[Candidate<'_>], y_train: &Matrix, protocol: &Protocol) -> Result<Selection> {
    let n = y_train.n_rows();
    let scorer = Scorer::new(protocol.criterion, n, protocol.root_seed)?;
    let mut scores: Vec<Score> = Vec::with_capacity(candidates.len() * protocol.ridges.len());
    let mut best: Option<(usize, f64, Matrix)> = None;
    for candidate in candidates {
        let cutoff = Flow::rounding_cutoff(n, candidate.epsilon);
        let path = RidgePath::new(candidate.k_train_train, y_train, cutoff)?;
        let first = scores.len();
        for ridge in &protocol.ridges {
            let fit = path.at(*ridge)?;
            let value = scorer.score(&fit)?.filter(|value| value.is_finite());
            scores.push(Score { kernel: candidate.name.to_owned(), ridge: *ridge, lambda: fit.ridge(), value });
        }
        let Some((position, value)) = smallest(&scores[first..]) else { continue };
        // Only where this kernel leads are its predictions needed, and only one decomposition is held at a time.
        if best.as_ref().is_none_or(|(_, least, _)| value < *least) {
            let fit = path.at(scores[first + position].ridge)?;
            best = Some((first + position, value, fit.predict(&path.project(candidate.k_test_train)?)));
        }
    }
    let Some((chosen, least, prediction)) = best else {
        let problem = format!("none of {} scores has a value", scores.len());
        return Err(Error::config("criterion", problem, "give a candidate, and a ridge above 0"));
    };
    let is_tie = |(i, score): (usize, &Score)| {
        let is_equal = score.value.is_some_and(|value| value - least <= TIE * least.abs());
        (i != chosen && is_equal).then_some(i)
    };
    let ties = scores.iter().enumerate().filter_map(is_tie).collect();
    let start = chosen - chosen % protocol.ridges.len();
    let lambdas: Vec<f64> = scores[start..start + protocol.ridges.len()].iter().map(|score| score.lambda).collect();
    let edge = Edge::of(scores[chosen].lambda, &lambdas);
    Ok(Selection { scores, chosen, ties, edge, prediction })
}

/// The position and value of the smallest score, the first of equal ones.
fn smallest(scores: &[Score]) -> Option<(usize, f64)> {
    let values = scores.iter().enumerate().filter_map(|(i, score)| Some((i, score.value?)));
    values.min_by(|(_, a), (_, b)| a.total_cmp(b))
}

/// A criterion with what it needs to know of the rows.
#[derive(Debug, Clone)]
pub struct Scorer {
    criterion: Criterion,
    /// Of those that leave rows out.
    folds: Option<Folds>,
}

impl Scorer {
    /// Of `n` training rows; folds are drawn from `root_seed`.
    ///
    /// # Errors
    /// [`Error::Config`] when there are too few rows for as many folds.
    pub fn new(criterion: Criterion, n: usize, root_seed: u64) -> Result<Self> {
        let folds = match criterion {
            Criterion::LeaveOneOut => Some(Folds::of_one_row(n)?),
            Criterion::KFold(n_folds) => Some(Folds::drawn(n, n_folds, root_seed)?),
            Criterion::GeneralizedCrossValidation | Criterion::MarginalLikelihood => None,
        };
        Ok(Self { criterion, folds })
    }

    /// The smaller, the better; `None` where the criterion has no value.
    ///
    /// # Errors
    /// [`Error::Shape`] of a fit to another number of rows.
    pub fn score(&self, fit: &RidgeFit<'_>) -> Result<Option<f64>> {
        Ok(match (self.criterion, &self.folds) {
            (_, Some(folds)) => fit.leave_out(folds)?.mean_squared_error(),
            (Criterion::MarginalLikelihood, _) => fit.profile_log_likelihood().map(|log| -log / fit.n_targets() as f64),
            _ => Some(fit.generalized_cross_validation()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regress::{kernel_ridge, log_marginal_likelihood};
    use crate::seed::{standard_normals, stream};

    const N: usize = 60;

    const CRITERIA: [Criterion; 4] = [
        Criterion::LeaveOneOut,
        Criterion::KFold(6),
        Criterion::GeneralizedCrossValidation,
        Criterion::MarginalLikelihood,
    ];

    fn input(i: usize) -> f64 {
        i as f64 / 10.0
    }

    /// A sine with noise of deviation 0.3.
    fn targets() -> Matrix {
        let noise = standard_normals(&mut stream(2, "selection"), N);
        Matrix::from_fn(N, 1, |i, _| input(i).sin() + 0.3 * noise[i])
    }

    fn kernel(length: f64) -> (GramMatrix, Matrix) {
        let value = |a: f64, b: f64| (-0.5 * ((a - b) / length).powi(2)).exp();
        (
            GramMatrix::from_lower(N, |i, j| value(input(i), input(j))),
            Matrix::from_fn(4, N, |i, j| value(1.03 * i as f64, input(j))),
        )
    }

    fn candidate<'a>(name: &'a str, (train, cross): &'a (GramMatrix, Matrix)) -> Candidate<'a> {
        Candidate { name, k_train_train: train, k_test_train: cross, epsilon: f64::EPSILON }
    }

    fn protocol(criterion: Criterion, ridges: &[f64]) -> Protocol {
        let ridges = ridges.iter().map(|r| Ridge::RelativeToTrace(*r)).collect();
        Protocol { criterion, ridges, root_seed: 1 }
    }

    #[test]
    fn every_criterion_finds_the_length_scale_and_the_order_of_the_noise() {
        let (short, right, long) = (kernel(0.05), kernel(1.5), kernel(50.0));
        let candidates = [candidate("short", &short), candidate("right", &right), candidate("long", &long)];
        for criterion in CRITERIA {
            let found = select(&candidates, &targets(), &protocol(criterion, &[1e-4, 1e-2, 0.1, 1.0, 100.0])).unwrap();
            let chosen = &found.scores[found.chosen];
            // The variance of this noise is 0.09, on a kernel of variance 1.
            assert_eq!((chosen.kernel.as_str(), chosen.lambda), ("right", 0.1), "{criterion:?}");
            assert_eq!((found.edge, found.ties.len()), (None, 0));
            let expected = kernel_ridge(&right.0, &right.1, &targets(), chosen.lambda).unwrap();
            assert!((&found.prediction - &expected).rms() < 1e-9);
            assert_eq!(found.scores.len(), 15);
        }
    }

    #[test]
    fn the_likelihood_is_scored_per_target_and_does_not_depend_on_the_scale_of_the_kernel() {
        let right = kernel(1.5);
        let protocol = protocol(Criterion::MarginalLikelihood, &[0.1]);
        let value = |kernel: &(GramMatrix, Matrix)| {
            select(&[candidate("kernel", kernel)], &targets(), &protocol).unwrap().scores[0].value.unwrap()
        };
        let amplitude =
            RidgePath::new(&right.0, &targets(), 1e-14).unwrap().at(Ridge::Absolute(0.1)).unwrap().amplitude();
        let scaled =
            |factor: f64| (GramMatrix::from_lower(N, |i, j| factor * right.0[(i, j)]), right.1.map(|v| factor * v));
        let best = scaled(amplitude.unwrap());
        let expected = -log_marginal_likelihood(&best.0, &targets(), 0.1 * amplitude.unwrap()).unwrap() / N as f64;
        assert!((value(&right) - expected).abs() < 1e-12);
        assert!((value(&scaled(7.0)) - expected).abs() < 1e-12);
    }

    #[test]
    fn a_choice_at_the_end_of_the_grid_is_reported() {
        let right = kernel(1.5);
        let edge = |ridges: &[f64]| {
            let protocol = protocol(Criterion::LeaveOneOut, ridges);
            select(&[candidate("right", &right)], &targets(), &protocol).unwrap().edge
        };
        assert_eq!(edge(&[1e-6, 1e-5, 1e-4]), Some(Edge::Largest));
        assert_eq!(edge(&[1e3, 10.0, 100.0]), Some(Edge::Smallest));
        // The rounding of a kernel this smooth leaves no value at 0.
        assert_eq!(edge(&[0.0, 1e-1, 10.0]), None);
        let rough = (GramMatrix::from_lower(N, |i, j| (-(i.abs_diff(j) as f64)).exp()), Matrix::zeros(1, N));
        let smooth_targets = Matrix::from_fn(N, 1, |i, _| (0.5 * i as f64).sin());
        let protocol = protocol(Criterion::LeaveOneOut, &[0.0, 100.0, 1000.0]);
        let found = select(&[candidate("rough", &rough)], &smooth_targets, &protocol).unwrap();
        assert_eq!((found.chosen, found.edge), (0, None));
    }

    #[test]
    fn the_same_kernel_twice_is_a_tie_that_the_first_wins() {
        let right = kernel(1.5);
        let twice = (right.0.clone().scaled(2.0), right.1.map(|v| 2.0 * v));
        let candidates = [candidate("once", &right), candidate("twice", &twice)];
        let found = select(&candidates, &targets(), &protocol(Criterion::KFold(5), &[1e-3, 0.1, 10.0])).unwrap();
        // Relative ridges give both the same predictions.
        assert_eq!((found.chosen, found.ties.as_slice()), (1, &[4_usize][..]));
    }

    #[test]
    fn nothing_to_choose_from_is_refused() {
        let right = kernel(1.5);
        let all = [candidate("right", &right)];
        assert!(select(&[], &targets(), &protocol(Criterion::LeaveOneOut, &[0.1])).is_err());
        assert!(select(&all, &targets(), &protocol(Criterion::LeaveOneOut, &[])).is_err());
        assert!(select(&all, &targets(), &protocol(Criterion::LeaveOneOut, &[-1.0])).is_err());
        assert!(select(&all, &targets(), &protocol(Criterion::KFold(1), &[0.1])).is_err());
        // A kernel that fades into rounding has no likelihood without a ridge.
        let error = select(&all, &targets(), &protocol(Criterion::MarginalLikelihood, &[0.0])).unwrap_err();
        assert!(error.to_string().contains("none of 1 scores"), "{error}");
    }

    #[test]
    fn criteria_are_written_in_small_letters() {
        let read = |text| serde_json::from_str::<Criterion>(text).unwrap();
        assert_eq!(read(r#""leave-one-out""#), Criterion::LeaveOneOut);
        assert_eq!(read(r#"{ "k-fold": 10 }"#), Criterion::KFold(10));
        assert_eq!(read(r#""generalized-cross-validation""#), Criterion::GeneralizedCrossValidation);
    }
}
