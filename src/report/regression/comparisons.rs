//! The NTK beside each kernel at each setting: ratios of errors, decisions, p-values.

use super::super::findings;
use crate::number::{percent, short};
use crate::record::KernelManifest;
use crate::stats::Decision;
use crate::study::findings::{Cell, Table, interval_of};
use crate::study::regression::{Factor, KernelComparison, Settings};

/// A longer table is folded, because nobody reads it from top to bottom.
const MOST: usize = 60;

/// The table as Markdown; empty where nothing can be tested.
pub(super) fn section(manifest: &KernelManifest, settings: &Settings<'_>, comparisons: &[KernelComparison]) -> String {
    if comparisons.iter().all(|comparison| comparison.equivalence.is_none()) {
        return String::new();
    }
    let text = findings::table(&table(manifest, settings, comparisons));
    match text.split_once("\n| ").filter(|_| comparisons.len() > MOST) {
        None => text,
        Some((head, lines)) => format!(
            "{head}\n<details><summary>All {} comparisons</summary>\n\n| {lines}\n</details>\n",
            comparisons.len()
        ),
    }
}

fn table(manifest: &KernelManifest, settings: &Settings<'_>, comparisons: &[KernelComparison]) -> Table {
    let depths: Vec<usize> = comparisons.iter().map(|comparison| comparison.depth).collect();
    let is_of_depths = depths.iter().any(|depth| *depth != depths[0]);
    let mut header: Vec<String> = settings.factors.iter().map(|factor| factor.name.clone()).collect();
    if is_of_depths {
        header.push("depth".to_owned());
    }
    header.extend(["other", "splits", "ratio", "decision", "p"].map(str::to_owned));
    let row = |comparison: &KernelComparison| {
        let levels = &settings.all[comparison.setting].levels;
        let value = |(factor, level): (&Factor, &usize)| Cell::from(factor.values[*level].as_str());
        let mut row: Vec<Cell> = settings.factors.iter().zip(levels).map(value).collect();
        if is_of_depths {
            row.push(comparison.depth.into());
        }
        let ratio = match comparison.interval {
            Some(interval) => Some(interval_of(interval, comparison.n_pairs)).into(),
            None => Cell::from(comparison.ratio),
        };
        let p = comparison.p_value.map_or(Cell::from("-"), Cell::from);
        row.extend([
            comparison.other.as_str().into(),
            comparison.n_pairs.into(),
            ratio,
            decision(comparison).into(),
            p,
        ]);
        row
    };
    Table {
        title: "The NTK beside each kernel".to_owned(),
        note: format!(
            "Geometric means of MSE(NTK) / MSE(other) over splits{}, with {} intervals over splits (BCa bootstrap). Alike: both one-sided tests \
             reject a ratio beyond {} or its inverse, at level {}; each decision stands at that level by itself. p: the sign-flip test of no difference, corrected by Holm for all {} \
             lines.{}",
            if is_of_depths { String::new() } else { format!(", of networks of depth {}", depths[0]) },
            percent(manifest.confidence),
            short(1.0 + manifest.margin),
            percent(1.0 - manifest.confidence),
            comparisons.len(),
            settings.beside().iter().map(|sentence| format!(" {sentence}")).collect::<String>()
        ),
        header,
        rows: comparisons.iter().map(row).collect(),
    }
}

fn decision(comparison: &KernelComparison) -> String {
    /// More splits than this nobody draws.
    const MOST: usize = 1000;
    match comparison.equivalence.map(|equivalence| equivalence.decision) {
        None => "too few splits".to_owned(),
        Some(Decision::Equivalent) => "alike".to_owned(),
        Some(Decision::Different) if comparison.ratio > 1.0 => "NTK worse".to_owned(),
        Some(Decision::Different) => "NTK better".to_owned(),
        Some(Decision::Undecided { n_more_pairs: Some(n) }) if n > MOST => {
            format!("undecided, over {MOST} more splits")
        }
        Some(Decision::Undecided { n_more_pairs: Some(n) }) => format!("undecided, {n} more splits"),
        Some(Decision::Undecided { n_more_pairs: None }) => "undecided".to_owned(),
    }
}
