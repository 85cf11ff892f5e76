//! What adding a layer changes in the error of a network, and what in that of its kernel. Paired by data replicate and seed, at one width:
//!
//! ```text
//! delta_nn  = MSE_nn(more layers)  - MSE_nn(fewer layers)
//! delta_ntk = MSE_ntk(more layers) - MSE_ntk(fewer layers)          mismatch = delta_nn - delta_ntk
//! ```
//!
//! The theorem does not say that the mismatch is 0. Over seeds, an infinitely wide network at time T has the expected error
//! MSE(A_T Y) + V, with V the variance of f_0(x) - A_T f_0(X), and both V and the way from A_T to A_inf depend on the depth. So the mismatch is
//! looked at with either of them taken away, or put in: a [`Variant`] says what of the network stands beside what of the kernel.
//!
//! A replicate is a root seed, which draws the rows and the networks anew. Under another `data.split_seed` alone the same networks would meet
//! other rows, and replicates that share their networks are not independent.

pub(super) mod drawn;
mod problem;
mod variant;

use std::collections::BTreeSet;

use self::problem::Step;
pub(super) use self::problem::{Change, Problem, problems};
pub(super) use self::variant::{Beside, Side, Variant};
use super::Evidence;
use crate::error::{Error, Result};
use crate::number::plural;
use crate::stats::Interval;
use crate::study::Decision;
use crate::study::findings::Statement;
use crate::study::settings::Study;

/// Refuses a study without replicates of the data or without a layer to add.
///
/// # Errors
/// With the key that is missing.
pub(super) fn ensure_possible(study: &Study) -> Result<()> {
    let roots: BTreeSet<u64> = study.plans.iter().map(|plan| plan.config.seeds.root).collect();
    if roots.len() < 2 {
        return Err(Error::config(
            "vary.\"seeds.root\"",
            format!(
                "{}, and the intervals are over data replicates, each with its root",
                plural(roots.len(), "root seed")
            ),
            "give several, as in `\"seeds.root\" = [1, 2, 3, 4, 5]`",
        ));
    }
    for plan in &study.plans {
        let depths: BTreeSet<usize> = plan.points.iter().map(|point| point.architecture.depth()).collect();
        if depths.len() < 2 {
            return Err(Error::config(
                "arch.depth",
                format!("{}, and a layer is to be added", plural(depths.len(), "depth")),
                "give a list, as in `depth = [1, 2, 3]`",
            ));
        }
    }
    Ok(())
}

impl Problem<'_> {
    /// That every step changes both errors alike at the greatest width, and so do all of them together: small mismatches in one direction
    /// add up.
    pub(super) fn statement(&self, evidence: &Evidence<'_>, variant: Variant, claim: &str) -> Statement {
        let (width, margin) = (self.widest(), evidence.manifest.margin);
        let mut contrasts = self.steps();
        if contrasts.len() > 1 {
            contrasts.push(self.whole());
        }
        let change = |step: &Step| self.change(evidence, variant, width, *step, contrasts.len());
        let changes: Vec<Change> = contrasts.iter().map(change).collect();
        let within = |change: &Change| Statement::within("", change.mismatch, margin, "", "data replicates");
        let each: Vec<Statement> = changes.iter().map(within).collect();
        let largest = changes
            .iter()
            .filter_map(|change| Some((change, change.mismatch?)))
            .max_by(|(_, a), (_, b)| a.mean.abs().total_cmp(&b.mean.abs()));
        let words = match largest {
            None => format!("No pair of networks of width {width} was trained"),
            Some((change, _)) => {
                let whole = match changes.last().filter(|last| last.step != change.step) {
                    None => String::new(),
                    Some(whole) => {
                        format!(". From {} to {} layers it is {}", whole.step.0, whole.step.1, in_full(whole.mismatch))
                    }
                };
                format!(
                    "The largest mismatch at width {width} is that from {} to {} layers: {} of the target variance beside a margin of \
                     {margin}; the network's error changes by {}, the kernel's by {}{whole}",
                    change.step.0,
                    change.step.1,
                    in_full(change.mismatch),
                    signed(change.network),
                    signed(change.kernel),
                )
            }
        };
        let decision = all_hold(each.iter().map(|one| one.decision));
        let needed = each.into_iter().filter_map(|one| one.needed).max_by_key(|(n, _)| *n);
        Statement {
            claim: self.titled(claim),
            decision,
            evidence: words,
            needed: needed.filter(|_| decision == Decision::Undecided),
        }
    }
}

/// The decision about all of several claims.
pub(super) fn all_hold(decisions: impl IntoIterator<Item = Decision>) -> Decision {
    let decisions: Vec<Decision> = decisions.into_iter().collect();
    [Decision::Fails, Decision::Undecided, Decision::NoInterval, Decision::Diverged]
        .into_iter()
        .find(|decision| decisions.contains(decision))
        .unwrap_or(if decisions.is_empty() { Decision::Diverged } else { Decision::Holds })
}

fn signed(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "-".to_owned(), |interval| format!("{:+.3}", interval.mean))
}

fn in_full(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "-".to_owned(), |interval| format!("{interval:+}"))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{row, with_evidence};
    use super::*;
    use crate::record::{Group, Row};

    /// Replicates whose kernels gain `kernel` a layer and whose networks `network`, give or take what differs from seed to seed; `f_0` is what
    /// the initial function adds a layer, and what is left of it is subtracted again.
    fn rows(kernel: f64, network: f64, f_0: f64) -> Vec<Row> {
        let mut rows = Vec::new();
        for root in 0..12_u64 {
            for depth in 1..=3_usize {
                for seed in 0..3 {
                    let hardness = 0.3 + 0.02 * root as f64;
                    let wiggle = 0.002 * ((root * 9 + seed * 3 + depth as u64) as f64 * 2.4).sin();
                    let error = |a_layer: f64| hardness + a_layer * depth as f64;
                    rows.push(Row {
                        varied: format!("seeds.root={root} train.initial_function=plain"),
                        mse_ntk: error(kernel),
                        mse_ntk_at_time: Some(error(kernel)),
                        mse_network: Some(error(network + f_0) + wiggle),
                        mse_subtracted: Some(error(network) + wiggle),
                        ..row(depth, 64, seed)
                    });
                }
            }
        }
        rows
    }

    fn decided(rows: &[Row], groups: &[Group], variant: Variant) -> Decision {
        with_evidence(rows, groups, |evidence| {
            let problems = problems(evidence);
            assert_eq!(problems.len(), 1);
            problems[0].statement(evidence, variant, "alike").decision
        })
    }

    #[test]
    fn a_mismatch_is_what_the_network_gains_beyond_the_kernel() {
        // The margin of made-up evidence is 0.1.
        let all = rows(0.05, 0.05, 0.2);
        let change = with_evidence(&all, &[], |evidence| {
            problems(evidence)[0].change(evidence, Variant::AS_MEASURED, 64, (1, 2), 2)
        });
        let mean = |interval: Option<Interval>| interval.unwrap().mean;
        assert!((mean(change.kernel) - 0.05).abs() < 1e-12 && (mean(change.mismatch) - 0.2).abs() < 2e-3, "{change:?}");
        assert_eq!(change.mismatch.unwrap().n, 12);
        assert_eq!(decided(&all, &[], Variant::AS_MEASURED), Decision::Fails);
        assert_eq!(decided(&all, &[], Variant::MATCHED), Decision::Holds);
        assert_eq!(decided(&rows(0.25, 0.05, 0.0), &[], Variant::MATCHED), Decision::Fails);
    }

    #[test]
    fn the_mean_over_seeds_is_cleared_of_what_few_networks_add() {
        let all = rows(0.05, 0.05, 0.2);
        let of_row = |row: &Row| -> Group {
            // As if the mean of three networks had no error but the kernel's and a third of a variance that grows with depth.
            let variance = 0.4 * row.depth as f64;
            serde_json::from_value(serde_json::json!({
                "varied": row.varied, "dataset": row.dataset, "n_train": row.n_train, "split_seed": row.split_seed,
                "depth": row.depth, "width": row.width, "initial_function": "plain", "n_networks": 3, "n_diverged": 0,
                "mse_mean": row.mse_ntk + variance / 3.0, "variance": variance, "variance_predicted": 0.2 * row.depth as f64,
                "gaps_of_means": [], "coverage": null, "normality_p": [], "responses": [], "response_ntk": null,
                "response_ntk_at_time": null, "response_nngp": null,
            }))
            .unwrap()
        };
        let groups: Vec<Group> = all.iter().filter(|row| row.seed == 0).map(of_row).collect();
        assert_eq!(decided(&all, &groups, Variant { side: Side::Mean, beside: Beside::AtTime }), Decision::Holds);
        // Theory's variance of the initial function is all that the network has beyond its kernel.
        assert_eq!(decided(&all, &groups, Variant::EXPECTED), Decision::Holds);
    }

    #[test]
    fn what_diverged_takes_no_part_and_without_pairs_nothing_is_decided() {
        let mut all = rows(0.05, 0.05, 0.0);
        let lost = |row: &mut Row| {
            row.outcome = crate::record::Outcome::Diverged;
            row.mse_network = None;
        };
        all.iter_mut().filter(|row| row.depth == 3 && row.seed == 0).for_each(lost);
        assert_eq!(decided(&all, &[], Variant::AS_MEASURED), Decision::Holds);
        all.iter_mut().filter(|row| row.depth == 3).for_each(lost);
        assert_eq!(decided(&all, &[], Variant::AS_MEASURED), Decision::Diverged);
    }
}
