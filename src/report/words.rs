//! The verdict in words.

use super::number::with_interval;
use crate::number::percent;
use crate::study::{Decision, DepthVerdict, Verdict};

/// One paragraph per depth: the answer, its numbers, and the step that fails or comes closest to failing.
#[must_use]
pub fn sentences(verdict: &Verdict) -> Vec<String> {
    verdict.depths.iter().map(|depth| sentence(depth, verdict)).collect()
}

/// The whole study in one line.
pub(super) fn headline(verdict: &Verdict) -> String {
    let n_depths = verdict.depths.len();
    let count = |decision| verdict.depths.iter().filter(|depth| depth.decision == decision).count();
    let (holds, fails, diverged) = (count(Decision::Holds), count(Decision::Fails), count(Decision::Diverged));
    if n_depths == 0 {
        return "**No point is finished yet, so there is no answer.**".to_owned();
    }
    if holds == n_depths {
        return "**Yes.** Kernel regression with the NTK predicts like the trained network at every depth and the greatest width."
            .to_owned();
    }
    if fails == n_depths {
        return "**No.** Kernel regression with the NTK does not predict like the trained network, even at the greatest width."
            .to_owned();
    }
    if diverged == n_depths {
        return "**No answer:** every network diverged.".to_owned();
    }
    let undecided = n_depths - holds - fails - diverged;
    let parts: Vec<String> = [
        ("holds", holds),
        ("fails", fails),
        ("is undecided", undecided),
        ("has no answer, because all diverged,", diverged),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .map(|(what, n)| format!("{what} at {n} of {n_depths} depths"))
    .collect();
    format!("**The equivalence {}.**", parts.join(", "))
}

fn sentence(depth: &DepthVerdict, verdict: &Verdict) -> String {
    let margin = verdict.margin;
    let percent = percent(verdict.confidence);
    let gap = with_interval(depth.total);
    let place = format!("Depth {}, width {}", depth.depth, depth.width);
    let answer = match depth.decision {
        Decision::Holds => format!(
            "{place}: the equivalence **holds** within the margin {margin}. The RMS gap between the trained network and kernel \
             regression with the NTK is {gap} target standard deviations ({percent} interval over {} seeds).",
            depth.n_networks - depth.n_diverged
        ),
        Decision::Fails => format!(
            "{place}: the equivalence **fails** the margin {margin}. The RMS gap between the trained network and kernel regression \
             with the NTK is {gap} target standard deviations ({percent} interval over {} seeds).",
            depth.n_networks - depth.n_diverged
        ),
        Decision::Undecided => {
            let more = depth
                .n_seeds_needed
                .map_or_else(String::new, |n| format!(" At the spread seen, about {n} seeds would decide it."));
            format!(
                "{place}: **undecided**. The RMS gap is {gap} target standard deviations, and its {percent} interval contains the \
                 margin {margin}.{more}"
            )
        }
        Decision::NoInterval => {
            format!(
                "{place}: **undecided**, because one seed has no interval. The RMS gap is {gap} target standard deviations."
            )
        }
        Decision::Diverged => {
            return format!("{place}: **no answer**, because all {} networks diverged.", depth.n_networks);
        }
    };
    let diverged = match depth.n_diverged {
        0 => String::new(),
        n => format!(" {n} of {} networks diverged and enter no average.", depth.n_networks),
    };
    let missed = match depth.n_missed {
        0 => String::new(),
        n => format!(" {n} of {} networks took all their steps without meeting the rule to stop.", depth.n_networks),
    };
    format!("{answer}{diverged}{missed}{}", steps(depth))
}

/// Which step carries the gap, and the size of the others.
fn steps(depth: &DepthVerdict) -> String {
    if !depth.is_stable {
        return " It was trained above the stability bound, where the linearized network diverges: the parts of the gap measure that \
                divergence and nothing else."
            .to_owned();
    }
    let Some(dominant) = depth.dominant else { return String::new() };
    let size = |wanted| {
        let term = depth.terms.iter().find(|term| term.term == wanted);
        with_interval(term.and_then(|term| term.rms))
    };
    let others: Vec<String> = depth
        .terms
        .iter()
        .filter(|term| term.term != dominant)
        .map(|term| format!("{} {}", term.term.name(), with_interval(term.rms)))
        .collect();
    let role = match depth.decision {
        Decision::Holds => "The largest part of what remains is the",
        Decision::Fails => "The step that fails most is the",
        _ => "The largest part is the",
    };
    format!(
        " {role} **{}** ({}): {}. The other parts: {}.",
        dominant.name(),
        size(dominant),
        dominant.meaning(),
        others.join("; ")
    )
}

/// That points are missing; empty where all are there.
pub(super) fn unfinished(points: &[String], n_rows: usize) -> String {
    match points.len().saturating_sub(n_rows) {
        0 => String::new(),
        missing => format!(
            "\n**This run is not finished: {missing} of {} points are missing**, and everything below is drawn from the rest.\n",
            points.len()
        ),
    }
}
