//! The answer, read from the rows: does the equivalence hold at each depth, and if not, which step fails by how much?
//!
//! The criterion is stated in the config before the run: network and kernel predict alike where the RMS gap over test points, in
//! units of the target's standard deviation, lies below the margin. It holds if the whole confidence interval over seeds does, fails
//! if none of it does, and is undecided otherwise.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::record::{Manifest, Row};
use crate::stats::{Interval, Slope, log_log_slope, mean_interval};

/// The decision about one depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The gap lies below the margin.
    Holds,
    /// The gap lies above the margin.
    Fails,
    /// The interval contains the margin.
    Undecided,
    /// One seed has no interval, so nothing can be decided.
    NoInterval,
    /// No network finished training.
    Diverged,
}

/// A step of the theorem, as a term of the gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Term {
    /// f_T - f_GD, where the optimizer is not full-batch gradient descent.
    Optimizer,
    /// f_GD - flin_T.
    Nonlinearity,
    /// flin_T - A_T^emp Y.
    InitialFunction,
    /// A_T^emp Y - A_T^ntk Y.
    FiniteWidth,
    /// A_T^ntk Y - A_inf^ntk Y.
    FiniteTime,
}

impl Term {
    /// All terms, in the order of the identity.
    pub const ALL: [Self; 5] =
        [Self::Optimizer, Self::Nonlinearity, Self::InitialFunction, Self::FiniteWidth, Self::FiniteTime];

    /// The term's name in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Optimizer => "optimizer",
            Self::Nonlinearity => "nonlinearity",
            Self::InitialFunction => "initial function",
            Self::FiniteWidth => "finite width",
            Self::FiniteTime => "finite time",
        }
    }

    /// What it means when this term is large.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Optimizer => "the optimizer led to another function than gradient descent from the same start",
            Self::Nonlinearity => "the network left its linearization",
            Self::InitialFunction => "the random function the network started from is still in its predictions",
            Self::FiniteWidth => "the network's kernel at initialization is not yet the infinite-width one",
            Self::FiniteTime => "training stopped before the kernel's slow directions were learned",
        }
    }

    /// The row's value of this term.
    #[must_use]
    pub fn of(self, row: &Row) -> Option<f64> {
        match self {
            Self::Optimizer => row.gap_optimizer,
            Self::Nonlinearity => row.gap_nonlinearity,
            Self::InitialFunction => row.gap_initial_function,
            Self::FiniteWidth => row.gap_finite_width,
            Self::FiniteTime => row.gap_finite_time,
        }
    }
}

/// One term of the gap at one depth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TermVerdict {
    /// Which.
    pub term: Term,
    /// Its RMS at the greatest width, over seeds.
    pub rms: Option<Interval>,
    /// Its exponent in the width.
    pub slope: Option<Slope>,
}

/// What the rows say about one depth, at the greatest width that was computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DepthVerdict {
    /// Hidden layers.
    pub depth: usize,
    /// The greatest width.
    pub width: usize,
    /// Networks at this depth and width.
    pub n_networks: usize,
    /// Of them, those that diverged.
    pub n_diverged: usize,
    /// Of the trained ones, those that took all their steps without meeting the rule to stop.
    pub n_missed: usize,
    /// Whether every trained network's step size lay below its stability bound; above it the linearized network diverges, and the parts
    /// of the gap measure nothing else.
    pub is_stable: bool,
    /// The answer.
    pub decision: Decision,
    /// RMS of the whole gap.
    pub total: Option<Interval>,
    /// The gap's parts: four, and the optimizer's where a network has one.
    pub terms: Vec<TermVerdict>,
    /// The largest of them.
    pub dominant: Option<Term>,
    /// Mean squared test error of the network.
    pub mse_network: Option<Interval>,
    /// Of kernel regression with the NTK.
    pub mse_ntk: f64,
    /// Of the NNGP posterior mean.
    pub mse_nngp: f64,
    /// Distance of the empirical kernel at initialization from the analytic one, against width.
    pub kernel_error_slope: Option<Slope>,
    /// Drift of the kernel in training, against width.
    pub kernel_drift_slope: Option<Slope>,
    /// How many seeds an undecided answer would need, at the spread seen.
    pub n_seeds_needed: Option<usize>,
}

/// The answer at every depth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The largest gap that counts as alike.
    pub margin: f64,
    /// Confidence level of every interval.
    pub confidence: f64,
    /// One per depth, shallow to deep.
    pub depths: Vec<DepthVerdict>,
}

/// Judges the finished rows by the manifest's criterion.
#[must_use]
pub fn verdict(manifest: &Manifest, rows: &[&Row]) -> Verdict {
    let depths: BTreeSet<usize> = rows.iter().map(|row| row.depth).collect();
    Verdict {
        margin: manifest.margin,
        confidence: manifest.confidence,
        depths: depths
            .into_iter()
            .filter_map(|depth| {
                let rows: Vec<&Row> = rows.iter().copied().filter(|row| row.depth == depth).collect();
                depth_verdict(&rows, manifest)
            })
            .collect(),
    }
}

fn depth_verdict(rows: &[&Row], manifest: &Manifest) -> Option<DepthVerdict> {
    let confidence = manifest.confidence;
    let widest = *rows.iter().max_by_key(|row| row.width)?;
    let n_networks = rows.iter().filter(|row| row.width == widest.width).count();
    // The kernel at initialization is there before anything can diverge; all else is of networks that were trained.
    let kernel_errors: Vec<_> = rows.iter().map(|row| (row.width as f64, row.kernel_error)).collect();
    let rows: Vec<&Row> = rows.iter().copied().filter(|row| row.is_trained()).collect();
    let at_widest: Vec<&Row> = rows.iter().copied().filter(|row| row.width == widest.width).collect();
    let interval = |value: &dyn Fn(&Row) -> Option<f64>| {
        mean_interval(&at_widest.iter().filter_map(|row| value(row)).collect::<Vec<_>>(), confidence)
    };
    let slope = |value: &dyn Fn(&Row) -> Option<f64>| {
        let points: Vec<_> = rows.iter().filter_map(|row| Some((row.width as f64, value(row)?))).collect();
        log_log_slope(&points, confidence)
    };
    let terms: Vec<TermVerdict> = Term::ALL
        .into_iter()
        .filter(|term| *term != Term::Optimizer || rows.iter().any(|row| row.gap_optimizer.is_some()))
        .map(|term| TermVerdict { term, rms: interval(&|row| term.of(row)), slope: slope(&|row| term.of(row)) })
        .collect();
    let dominant = terms
        .iter()
        .filter_map(|term| Some((term.term, term.rms?.mean)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(term, _)| term);
    let total = interval(&|row| row.gap_total);
    let decision = decide(total, manifest.margin);
    Some(DepthVerdict {
        depth: widest.depth,
        width: widest.width,
        n_networks,
        n_diverged: n_networks - at_widest.len(),
        n_missed: at_widest.iter().filter(|row| row.misses_target()).count(),
        is_stable: at_widest.iter().all(|row| row.is_stable()),
        decision,
        total,
        terms,
        dominant,
        mse_network: interval(&|row| row.mse_network),
        mse_ntk: widest.mse_ntk,
        mse_nngp: widest.mse_nngp,
        kernel_error_slope: log_log_slope(&kernel_errors, confidence),
        kernel_drift_slope: slope(&|row| row.kernel_drift),
        n_seeds_needed: total
            .filter(|_| decision == Decision::Undecided)
            .and_then(|total| needed(total, manifest.margin)),
    })
}

/// How many values an undecided interval would take in all, at the spread seen: its half on the side of the margin shrinks as the root of their
/// number, and has to shrink to the distance from the margin.
pub(super) fn needed(interval: Interval, margin: f64) -> Option<usize> {
    let Interval { mean, low, high, n } = interval;
    let half = if mean < margin { high - mean } else { mean - low };
    let needed = n as f64 * (half / (mean - margin)).powi(2);
    needed.is_finite().then(|| (needed.ceil() as usize).max(n + 1))
}

/// Whether the whole interval lies below the margin, above it, or around it.
pub(super) fn decide(total: Option<Interval>, margin: f64) -> Decision {
    match total {
        None => Decision::Diverged,
        Some(total) if total.n < 2 => Decision::NoInterval,
        Some(total) if total.high < margin => Decision::Holds,
        Some(total) if total.low > margin => Decision::Fails,
        Some(_) => Decision::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(mean: f64, half: f64, n: usize) -> Option<Interval> {
        Some(Interval { mean, low: mean - half, high: mean + half, n })
    }

    #[test]
    fn the_whole_interval_decides() {
        assert_eq!(decide(interval(0.05, 0.02, 5), 0.1), Decision::Holds);
        assert_eq!(decide(interval(0.2, 0.05, 5), 0.1), Decision::Fails);
        assert_eq!(decide(interval(0.09, 0.02, 5), 0.1), Decision::Undecided);
        assert_eq!(decide(interval(0.01, 0.0, 1), 0.1), Decision::NoInterval);
        assert_eq!(decide(None, 0.1), Decision::Diverged);
    }
}
