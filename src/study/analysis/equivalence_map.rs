//! The map: at which settings, depths and widths does the kernel predict the network, within 1, 5, 10 or 20 % of the targets' deviation, and
//! which part of the gap is largest where? It reads whatever varies, so it is what a config with a `[vary]` table gets by default.
//!
//! The criterion: a gap lies within a bound where its whole interval does. Networks of several seeds are what an interval is over; where
//! settings are repeated with other data, each replicate counts once, with the mean over its seeds, because seeds on one replicate share their data. A cell of
//! which a network diverged lies within nothing.

mod cell;
mod map;
mod sample_size;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use self::cell::{BOUNDS, Cell, Gap, class_name};
use super::Evidence;
use super::label::{in_words, parts, phrase};
use crate::error::Result;
use crate::stats::mean_interval;
use crate::study::findings::{self, Findings, Statement, Table};
use crate::study::settings::Study;
use crate::study::verdict::{Decision, decide};

/// Whatever varies can be mapped.
pub(super) fn ensure_possible(_: &Study) -> Result<()> {
    Ok(())
}

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let cells = Cell::all(evidence);
    if cells.is_empty() {
        return Findings::default();
    }
    let mut found = Findings {
        statements: Gap::ALL.map(|gap| everywhere(evidence, &cells, gap)).to_vec(),
        tables: vec![counts(&cells), table(evidence, &cells)],
        maps: Gap::ALL.map(|gap| map::of(evidence, &cells, gap)).to_vec(),
        ..Findings::default()
    };
    let sizes = sample_size::findings(evidence);
    found.statements.extend(sizes.statements);
    found.tables.extend(sizes.tables);
    found.charts.extend(sizes.charts);
    found
}

/// Whether the gap lies below the margin in every cell. That it does not in some is read from many intervals together, so these are wider:
/// of K cells, at an error of one K-th each (Bonferroni).
fn everywhere(evidence: &Evidence<'_>, cells: &[Cell], gap: Gap) -> Statement {
    let (margin, confidence) = (evidence.manifest.margin, evidence.manifest.confidence);
    let together = 1.0 - (1.0 - confidence) / cells.len() as f64;
    let decisions: Vec<Decision> = cells.iter().map(|cell| cell.decide(gap, margin)).collect();
    let count = |wanted: Decision| decisions.iter().filter(|decision| **decision == wanted).count();
    let beyond: Vec<&Cell> = cells
        .iter()
        .filter(|cell| decide(mean_interval(cell.values(gap), together), margin) == Decision::Fails)
        .collect();
    let n_holds = count(Decision::Holds);
    let decision = match (n_holds == cells.len(), beyond.is_empty()) {
        (true, _) => Decision::Holds,
        (_, false) => Decision::Fails,
        _ if count(Decision::NoInterval) == cells.len() => Decision::NoInterval,
        _ if count(Decision::Diverged) == cells.len() => Decision::Diverged,
        _ => Decision::Undecided,
    };
    let largest = tally(beyond.iter().filter_map(|cell| cell.largest(gap)).map(|term| term.name().to_owned()));
    let largest = if largest.is_empty() { String::new() } else { format!("; the largest part there: {largest}") };
    let by_mean = |a: &&Cell, b: &&Cell| a.mean(gap).total_cmp(&b.mean(gap));
    let range = match (cells.iter().min_by(by_mean), cells.iter().max_by(by_mean)) {
        (Some(least), Some(most)) if least.mean(gap).is_finite() && most.mean(gap).is_finite() => format!(
            "; mean gaps run from {:.3} ({}) to {:.3} ({})",
            least.mean(gap),
            least.words(),
            most.mean(gap),
            most.words()
        ),
        _ => String::new(),
    };
    Statement {
        claim: format!(
            "Everywhere on the map kernel regression {} predicts the network within {margin} target deviations",
            gap.words()
        ),
        decision,
        evidence: format!(
            "Of {} cells it does in {n_holds}, does not in {}, and cannot be told in {}; {} lie beyond the margin when all are read \
             together{largest}{range}",
            cells.len(),
            count(Decision::Fails),
            cells.len() - n_holds - count(Decision::Fails),
            beyond.len(),
        ),
        needed: None,
    }
}

/// "nonlinearity 3, finite width 1".
fn tally(names: impl IntoIterator<Item = String>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| Reverse(*n));
    counts.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
}

/// How many cells lie within each bound, value by value of everything that varies.
fn counts(cells: &[Cell]) -> Table {
    let mut slices: Vec<(&str, String, Vec<&Cell>)> = Vec::new();
    for cell in cells {
        let axes = [
            ("", "all".to_owned()),
            ("arch.depth", format!("depth {}", cell.depth)),
            ("arch.width", format!("width {}", cell.width)),
        ];
        let varied = parts(&cell.setting).map(|(key, value)| (key, phrase(key, value)));
        for (key, label) in axes.into_iter().chain(varied) {
            match slices.iter_mut().find(|(_, other, _)| *other == label) {
                Some((.., cells)) => cells.push(cell),
                None => slices.push((key, label, vec![cell])),
            }
        }
    }
    // What varies together, key by key; the sort keeps the order in which values came.
    let mut keys: Vec<&str> = Vec::new();
    for (key, ..) in &slices {
        if !keys.contains(key) {
            keys.push(key);
        }
    }
    slices.sort_by_key(|(key, ..)| keys.iter().position(|other| other == key));
    let entry = |(_, label, cells): &(&str, String, Vec<&Cell>)| {
        let within =
            |class: usize, gap| cells.iter().filter(|cell| cell.class(gap).is_some_and(|c| c <= class)).count();
        let numbers =
            Gap::ALL.into_iter().flat_map(|gap| (0..BOUNDS.len()).map(move |class| within(class, gap).into()));
        let largest =
            tally(cells.iter().filter_map(|cell| cell.largest(Gap::AtTime)).map(|term| term.name().to_owned()));
        let start = [findings::Cell::from(label.clone()), cells.len().into()];
        start.into_iter().chain(numbers).chain([largest.into()]).collect()
    };
    let heads =
        Gap::ALL.into_iter().flat_map(|gap| BOUNDS.map(|bound| format!("{}: within {} %", gap.name(), 100.0 * bound)));
    Table {
        title: "How many cells lie within 1, 5, 10 and 20 %".to_owned(),
        note: "A cell is one depth and width at one setting. It lies within a bound where the whole interval of its gap does, RMS over test \
               points in target deviations: to kernel regression with the NTK at the time of the network, or after infinite time. The largest \
               part is that of the gap at equal time, counted over the cells."
            .to_owned(),
        header: ["setting".to_owned(), "cells".to_owned()]
            .into_iter()
            .chain(heads)
            .chain(["largest part".to_owned()])
            .collect(),
        rows: slices.iter().map(entry).collect(),
    }
}

fn table(evidence: &Evidence<'_>, cells: &[Cell]) -> Table {
    let entry = |cell: &Cell| {
        let trained = cell.n_networks - cell.n_diverged;
        let networks = match (cell.n_diverged, cell.n_unstable) {
            (0, 0) => trained.to_string(),
            (0, n) => format!("{trained} ({n} above the stability bound)"),
            (n, _) => format!("{trained} ({n} more diverged)"),
        };
        let gap = |gap: Gap| -> [findings::Cell; 3] {
            let largest = cell.largest(gap).map_or("-", |term| term.name());
            [cell.interval(gap).into(), class_name(cell.class(gap)).into(), largest.into()]
        };
        let start = [in_words(&cell.setting).into(), cell.depth.into(), cell.width.into(), networks.into()];
        start.into_iter().chain(Gap::ALL.into_iter().flat_map(gap)).collect()
    };
    let heads = Gap::ALL
        .into_iter()
        .flat_map(|gap| [format!("gap {}", gap.words()), "bound".to_owned(), "largest part".to_owned()]);
    Table {
        title: "The map in numbers".to_owned(),
        note: format!(
            "RMS over test points in target deviations, with Student's {} intervals over {}. The largest part is the one whose mean RMS is \
             largest; parts can cancel.",
            evidence.level(),
            Cell::units(evidence)
        ),
        header: ["setting", "depth", "width", "networks"].map(String::from).into_iter().chain(heads).collect(),
        rows: cells.iter().map(entry).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up;
    use super::*;
    use crate::record::{Outcome, Row};

    /// Five seeds at two settings, two depths and three widths; at laziness 10 the gap is half the margin, at 1 it is twice as large as it.
    fn rows() -> Vec<Row> {
        let mut rows = Vec::new();
        for (laziness, gap) in [(10, 0.045), (1, 0.2)] {
            for (depth, width, seed) in
                (1..=2).flat_map(|d| [32, 64, 128].into_iter().flat_map(move |w| (0..5).map(move |s| (d, w, s))))
            {
                let wiggle = 1.0 + 0.02 * (2.4 * seed as f64).sin();
                rows.push(Row {
                    varied: format!("arch.laziness={laziness}"),
                    gap_total: Some(1.5 * gap * wiggle),
                    gap_at_time: Some(gap * wiggle),
                    gap_nonlinearity: Some(0.9 * gap * wiggle),
                    gap_finite_width: Some(0.3 * gap),
                    gap_finite_time: Some(1.2 * gap),
                    ..made_up::row(depth, width, seed)
                });
            }
        }
        rows
    }

    #[test]
    fn each_cell_gets_its_class_and_its_largest_part() {
        let found = made_up::with_evidence(&rows(), &[], findings);
        let [at_time, total] = &found.maps[..] else { panic!("{:?}", found.maps) };
        let tile = |map: &findings::TileMap, row: usize| map.panels[0].tiles[row][0].clone().unwrap();
        assert_eq!((tile(at_time, 0).class, tile(at_time, 0).mark.as_str()), (Some(1), "N"));
        assert_eq!((tile(at_time, 1).class, tile(at_time, 1).mark.as_str()), (Some(4), "N"));
        assert_eq!((tile(total, 0).class, tile(total, 0).mark.as_str()), (Some(2), "T"));
        assert_eq!(at_time.panels.len(), 2);
        assert_eq!(at_time.rows, ["10", "1"]);
    }

    #[test]
    fn one_kind_of_cell_beyond_the_margin_fails_the_whole() {
        let found = made_up::with_evidence(&rows(), &[], findings);
        assert_eq!(found.statements[0].decision, Decision::Fails, "{:?}", found.statements[0]);
        assert!(found.statements[0].evidence.contains("does in 6, does not in 6"), "{:?}", found.statements[0]);
        let lazy: Vec<Row> = rows().into_iter().filter(|row| row.varied.ends_with("10")).collect();
        let found = made_up::with_evidence(&lazy, &[], findings);
        assert_eq!(found.statements.iter().map(|s| s.decision).collect::<Vec<_>>(), [Decision::Holds; 2]);
        // One setting: its rows are the depths.
        assert_eq!((found.maps[0].y.as_str(), found.maps[0].rows.len()), ("depth", 2));
    }

    #[test]
    fn a_cell_with_a_diverged_network_lies_within_nothing() {
        let mut rows = rows();
        rows[0].outcome = Outcome::Diverged;
        let found = made_up::with_evidence(&rows, &[], findings);
        let tile = found.maps[0].panels[0].tiles[0][0].clone().unwrap();
        assert_eq!(tile.class, None, "{tile:?}");
        let alone: Vec<Row> = rows[..1].to_vec();
        made_up::with_evidence(&alone, &[], findings);
        assert_eq!(made_up::with_evidence(&[], &[], findings), Findings::default());
    }

    #[test]
    fn seeds_on_one_split_count_once() {
        let mut rows = rows();
        for row in &mut rows {
            row.split_seed = row.seed / 2;
            row.varied = format!("{} data.split_seed={}", row.varied, row.split_seed);
        }
        made_up::with_evidence(&rows, &[], |evidence| {
            let cells = Cell::all(evidence);
            assert_eq!(cells.len(), 12);
            assert_eq!(cells[0].values(Gap::AtTime).len(), 3);
        });
    }
}
