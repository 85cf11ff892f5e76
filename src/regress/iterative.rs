//! Regression with a kernel matrix that is never factored: conjugate gradients for (K + lambda I) W = Y, refined in f64.
//!
//! The iteration may run on a rounded copy of the matrix, whose products are cheap. Then what it solves is another system, and its
//! residual is taken anew with a product of full precision; while that is above the tolerance, the next round solves for what is
//! missing (iterative refinement, Wilkinson 1963). The residual that is reported is always the exact one.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::linalg::{
    Ending, Entries, Iterate, Matrix, Operator, PartialCholesky, Tolerance, conjugate_gradients, largest,
    relative_norms,
};
use crate::record::arrays;
use crate::seed::Stream;

/// How a system is solved by iteration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Iteration {
    /// ||(K + lambda I) W - Y|| / ||Y||, of every output.
    pub tolerance: f64,
    /// Columns of K that precondition it.
    pub rank: usize,
    /// Products with K, at most.
    pub max_iterations: usize,
}

impl Default for Iteration {
    fn default() -> Self {
        Self { tolerance: 1e-6, rank: 500, max_iterations: 5000 }
    }
}

impl Iteration {
    /// Refuses what cannot be reached; `key` is the dotted path of the table.
    ///
    /// # Errors
    /// [`Error::Config`] with the value.
    pub fn validate(&self, key: &str) -> Result<()> {
        if !(self.tolerance >= 1e-14 && self.tolerance < 1.0) {
            return Err(Error::config(
                format!("{key}.tolerance"),
                format!("a relative residual of {} cannot be asked for", self.tolerance),
                "give a number between 1e-14, which rounding reaches, and 1",
            ));
        }
        if self.max_iterations == 0 {
            return Err(Error::config(format!("{key}.max_iterations"), "0 is too few", "give at least 1"));
        }
        Ok(())
    }
}

/// The weights of the training inputs, and how they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// W `[n, O]`, with which predictions are K(x*, X) W.
    pub weights: Matrix,
    /// Y - (K + lambda I) W, exactly, `[n, O]`.
    pub missing: Matrix,
    /// Its norm, relative to that of Y: the largest over outputs.
    pub residual: f64,
    /// Products of the iteration.
    pub n_iterations: usize,
    /// Rounds of refinement.
    pub n_rounds: usize,
    /// Columns of the preconditioner.
    pub rank: usize,
    /// The share of the kernel's trace that the preconditioner leaves out.
    pub trace_left: f64,
    /// How it ended; the weights are what was found by then.
    pub ending: Ending,
}

/// What a watcher sees after every iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Products so far.
    pub n_iterations: usize,
    /// The relative residual of the recurrence, which rounding may part from the exact one.
    pub residual: f64,
}

impl Seen {
    /// How many more iterations `tolerance` will take, if the residual goes on falling as it did on average.
    #[must_use]
    pub fn n_left(&self, tolerance: f64) -> Option<usize> {
        let so_far = -self.residual.ln();
        let left = (self.residual / tolerance).ln().max(0.0);
        (so_far > 0.0 && self.n_iterations > 0).then(|| (left / so_far * self.n_iterations as f64).ceil() as usize)
    }
}

/// A system, and where its iteration is kept.
pub struct System<'a> {
    /// K.
    pub exact: &'a dyn Entries,
    /// The same matrix rounded, where its products are cheaper.
    pub rounded: Option<&'a dyn Operator>,
    /// lambda, positive.
    pub ridge: f64,
    /// Y `[n, O]`.
    pub y: &'a Matrix,
    /// A file to go on from and to keep the iterate in, once a minute and when it is interrupted.
    pub kept_at: Option<PathBuf>,
    /// Names the system in that file, so that another one's iterate is not taken for it.
    pub name: String,
}

/// How much of an iteration an interruption can lose.
const SAVED_EVERY: Duration = Duration::from_secs(60);

/// Rounds of refinement, at most: each gains what the rounding of the copy allows, six digits or so.
const MAX_ROUNDS: usize = 8;

impl System<'_> {
    /// Solves; `watch` may end it with an error, and what was found until then is kept.
    ///
    /// # Errors
    /// A ridge that is not positive: a singular system has no solution to iterate to. Targets that are not finite. What products
    /// fail of. A file of another system.
    pub fn solve(
        &self,
        how: &Iteration,
        random: &mut Stream,
        watch: &mut dyn FnMut(Seen) -> Result<()>,
    ) -> Result<Solution> {
        how.validate("iteration")?;
        self.check()?;
        let partial = PartialCholesky::of(self.exact, how.rank, random)?;
        let (rank, trace_left) = (partial.pivots().len(), partial.relative_trace_left());
        let preconditioner = partial.preconditioner(self.ridge)?;
        let (mut cheap, mut is_exact) = (self.rounded.unwrap_or(self.exact), false);

        let mut round = self
            .kept_at
            .as_deref()
            .filter(|path| path.exists())
            .map_or_else(|| Ok(Round::first(self.y)), |path| Round::read(path, &self.name))?;
        loop {
            let begun = relative(&round.missing, self.y);
            let tolerance = Tolerance {
                // A margin, because the exact residual is a little more than the recurrence says.
                residual: (0.7 * how.tolerance / begun).clamp(f64::EPSILON, 0.5),
                max_iterations: how.max_iterations.saturating_sub(round.n_iterations_before),
            };
            let (start, right) = (round.iterate.clone(), round.missing.clone());
            let mut last_kept = Instant::now();
            let mut seen = |iterate: &Iterate| {
                let residual = begun * iterate.relative_residual(&right);
                let seen = Seen { n_iterations: round.n_iterations_before + iterate.n_iterations, residual };
                let watched = watch(seen);
                if let Some(path) = &self.kept_at
                    && (watched.is_err() || last_kept.elapsed() >= SAVED_EVERY)
                {
                    round.write(path, &self.name, iterate)?;
                    last_kept = Instant::now();
                }
                watched
            };
            let solved = conjugate_gradients(cheap, self.ridge, &preconditioner, &right, start, tolerance, &mut seen);
            let (iterate, ending) = match solved {
                // Rounding has taken the copy what positive definiteness it had; the matrix itself may have more.
                Err(Error::Indefinite { .. }) if self.rounded.is_some() && !is_exact => {
                    (cheap, is_exact) = (self.exact, true);
                    round.iterate = Iterate::start(&round.missing);
                    continue;
                }
                solved => solved?,
            };
            round = self.next(round, &iterate)?;
            let residual = relative(&round.missing, self.y);
            let ending = match ending {
                _ if residual <= how.tolerance => Ending::Converged,
                // Another round gains nothing where this one did not.
                Ending::Converged if residual > 0.5 * begun || round.number > MAX_ROUNDS => Ending::Stalled,
                Ending::Converged => continue,
                ending => ending,
            };
            return Ok(Solution {
                weights: round.weights,
                missing: round.missing,
                residual,
                n_iterations: round.n_iterations_before,
                n_rounds: round.number - 1,
                rank,
                trace_left,
                ending,
            });
        }
    }

    fn check(&self) -> Result<()> {
        if !(self.ridge > 0.0 && self.ridge.is_finite()) {
            return Err(Error::config(
                "ridge",
                format!("conjugate gradients need a positive ridge, not {}", self.ridge),
                "give one, as in `ridge = { relative-to-trace = 1e-6 }`, or factor the matrix",
            ));
        }
        if let Some((row, column, value)) = self.y.first_non_finite() {
            return Err(Error::NotFinite {
                what: "the training targets".to_owned(),
                value,
                place: format!("row {row}, output {column}"),
                remedy: "remove the row, or mend its target".to_owned(),
            });
        }
        Ok(())
    }

    /// Adds what a round found, and takes the residual anew.
    fn next(&self, round: Round, iterate: &Iterate) -> Result<Round> {
        let weights = &round.weights + &iterate.x;
        let product = &self.exact.times(&weights)? + &weights.map(|w| self.ridge * w);
        let missing = self.y - &product;
        Ok(Round {
            number: round.number + 1,
            n_iterations_before: round.n_iterations_before + iterate.n_iterations,
            weights,
            iterate: Iterate::start(&missing),
            missing,
        })
    }
}

fn relative(missing: &Matrix, y: &Matrix) -> f64 {
    largest(&relative_norms(missing, y))
}

/// One round of refinement.
struct Round {
    number: usize,
    n_iterations_before: usize,
    /// The sum of the rounds before.
    weights: Matrix,
    /// The exact residual they leave: this round's right-hand side.
    missing: Matrix,
    iterate: Iterate,
}

/// What is no matrix.
#[derive(Serialize, Deserialize)]
struct Header {
    name: String,
    number: usize,
    n_iterations_before: usize,
    n_iterations: usize,
    energy: Vec<f64>,
    halved: (f64, usize),
}

impl Round {
    fn first(y: &Matrix) -> Self {
        Self {
            number: 1,
            n_iterations_before: 0,
            weights: Matrix::zeros(y.n_rows(), y.n_cols()),
            missing: y.clone(),
            iterate: Iterate::start(y),
        }
    }

    fn write(&self, path: &Path, name: &str, iterate: &Iterate) -> Result<()> {
        let header = Header {
            name: name.to_owned(),
            number: self.number,
            n_iterations_before: self.n_iterations_before,
            n_iterations: iterate.n_iterations,
            energy: iterate.energy.clone(),
            halved: iterate.halved,
        };
        let header = serde_json::to_string(&header)
            .map_err(|reason| Error::Check(format!("an iterate cannot be written as JSON: {reason}")))?;
        let matrices = [
            ("weights", &self.weights),
            ("missing", &self.missing),
            ("x", &iterate.x),
            ("residual", &iterate.residual),
            ("direction", &iterate.direction),
        ];
        arrays::write(path, &header, &matrices)
    }

    fn read(path: &Path, name: &str) -> Result<Self> {
        let (header, mut matrices) = arrays::read(path)?;
        let other = |problem: String| Error::Store {
            path: path.to_path_buf(),
            problem,
            remedy: "remove the file; the iteration then starts anew".to_owned(),
        };
        let header: Header = serde_json::from_str(&header)
            .map_err(|reason| other(format!("this unfinished iteration cannot be read: {reason}")))?;
        if header.name != name {
            return Err(other(format!("it is an unfinished iteration of another system: {}", header.name)));
        }
        let mut take = |name: &str| {
            matrices.remove(name).ok_or_else(|| other(format!("this unfinished iteration lacks its `{name}`")))
        };
        Ok(Self {
            number: header.number,
            n_iterations_before: header.n_iterations_before,
            weights: take("weights")?,
            missing: take("missing")?,
            iterate: Iterate {
                x: take("x")?,
                residual: take("residual")?,
                direction: take("direction")?,
                energy: header.energy,
                n_iterations: header.n_iterations,
                halved: header.halved,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Cholesky, GramMatrix};
    use crate::seed::stream;

    fn gram(n: usize) -> GramMatrix {
        GramMatrix::from_lower(n, |i, j| (-(i.abs_diff(j) as f64) / 40.0).exp())
    }

    fn rounded(k: &GramMatrix) -> GramMatrix {
        GramMatrix::from_lower(k.n(), |i, j| f64::from(k[(i, j)] as f32))
    }

    fn targets(n: usize) -> Matrix {
        Matrix::from_fn(n, 2, |i, j| ((i * (j + 1)) as f64 * 0.21).sin())
    }

    fn system<'a>(k: &'a GramMatrix, copy: Option<&'a GramMatrix>, y: &'a Matrix) -> System<'a> {
        let rounded = copy.map(|copy| copy as &dyn Operator);
        System { exact: k, rounded, ridge: 1e-6, y, kept_at: None, name: "test".to_owned() }
    }

    fn size(matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |most, v| most.max(v.abs()))
    }

    #[test]
    fn a_rounded_copy_gives_the_exact_solution_after_refinement() {
        let (k, y) = (gram(200), targets(200));
        let exact = Cholesky::of(&k, 1e-6).unwrap().solve(&y);
        let how = Iteration { tolerance: 1e-11, rank: 50, max_iterations: 3000 };
        for copy in [None, Some(rounded(&k))] {
            let solution =
                system(&k, copy.as_ref(), &y).solve(&how, &mut stream(1, "pivots"), &mut |_| Ok(())).unwrap();
            assert_eq!(solution.ending, Ending::Converged);
            assert_eq!(solution.n_rounds > 1, copy.is_some(), "{} rounds", solution.n_rounds);
            assert!(size(&(&solution.weights - &exact)) < 1e-8 * size(&exact));
        }
    }

    #[test]
    fn an_interrupted_iteration_goes_on_from_its_file_to_the_same_weights() {
        let (k, y) = (gram(200), targets(200));
        let how = Iteration { tolerance: 1e-10, rank: 20, max_iterations: 3000 };
        let folder = tempfile::tempdir().unwrap();
        let kept = System { kept_at: Some(folder.path().join("iterate.safetensors")), ..system(&k, None, &y) };
        let mut stop = |seen: Seen| if seen.n_iterations == 11 { Err(Error::Interrupted) } else { Ok(()) };
        assert!(matches!(kept.solve(&how, &mut stream(1, "pivots"), &mut stop), Err(Error::Interrupted)));
        let resumed = kept.solve(&how, &mut stream(1, "pivots"), &mut |_| Ok(())).unwrap();
        let whole = system(&k, None, &y).solve(&how, &mut stream(1, "pivots"), &mut |_| Ok(())).unwrap();
        assert_eq!(resumed, whole);
        let other = System { name: "another".to_owned(), ..kept };
        assert!(other.solve(&how, &mut stream(1, "pivots"), &mut |_| Ok(())).unwrap_err().to_string().contains("test"));
    }

    #[test]
    fn a_copy_that_rounding_made_indefinite_gives_way_to_the_matrix() {
        let (k, y) = (gram(60), targets(60));
        // What rounding could do, and more: an eigenvalue far below zero.
        let broken = GramMatrix::from_lower(60, |i, j| k[(i, j)] - if i == j { 0.9 } else { 0.0 });
        let how = Iteration { tolerance: 1e-9, rank: 20, max_iterations: 3000 };
        let solve = |copy| system(&k, copy, &y).solve(&how, &mut stream(1, "pivots"), &mut |_| Ok(())).unwrap();
        assert_eq!(solve(Some(&broken)).ending, Ending::Converged);
    }

    #[test]
    fn too_few_iterations_end_with_what_was_found_and_its_exact_residual() {
        let (k, y) = (gram(200), targets(200));
        let how = Iteration { tolerance: 1e-12, rank: 0, max_iterations: 5 };
        let solution = system(&k, None, &y).solve(&how, &mut stream(1, "pivots"), &mut |_| Ok(())).unwrap();
        assert_eq!((solution.ending, solution.n_iterations), (Ending::Exhausted, 5));
        let product = &k.as_matrix().matmul(&solution.weights) + &solution.weights.map(|w| 1e-6 * w);
        assert!((relative(&(&y - &product), &y) - solution.residual).abs() < 1e-12);
    }

    #[test]
    fn no_ridge_and_targets_that_are_no_numbers_are_refused() {
        let (k, mut y) = (gram(20), targets(20));
        let how = Iteration::default();
        let refuse = |system: System<'_>| system.solve(&how, &mut stream(1, "pivots"), &mut |_| Ok(())).unwrap_err();
        assert!(refuse(System { ridge: 0.0, ..system(&k, None, &y) }).to_string().contains("positive ridge"));
        y[(7, 1)] = f64::NAN;
        assert!(refuse(system(&k, None, &y)).to_string().contains("row 7, output 1"));
    }
}
