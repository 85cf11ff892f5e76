//! The report of a comparison of kernels.

mod answer;
mod comparisons;
mod errors;
mod predictor;
mod protocol;
mod ranks;
mod references;
mod solvers;

pub use answer::sentences;

use super::protocol::computations;
use crate::figure::Figure;
use crate::record::{KernelManifest, KernelRow};
use crate::study::findings::Table;
use crate::study::regression::{Settings, compare_kernels, rank_kernels};

/// The whole report as Markdown; figures are linked by their file names in `figures/`.
pub(super) fn compose(manifest: &KernelManifest, rows: &[&KernelRow], figures: &[Figure]) -> String {
    let settings = Settings::of(rows);
    let comparisons = compare_kernels(manifest, &settings);
    let ranking = rank_kernels(manifest, rows);
    let written = |table: Option<Table>| table.map_or(String::new(), |table| super::findings::table(&table));
    let sections = [
        answer::section(manifest, rows, &settings, &comparisons, ranking.as_ref()),
        written(ranking.as_ref().map(|ranking| ranks::table(manifest, ranking))),
        written(errors::table(manifest, rows, &settings)),
        comparisons::section(manifest, &settings, &comparisons),
        written(solvers::iterations(rows)),
        written(solvers::approximations(rows)),
        super::markdown::figure_section(figures),
        protocol::protocol(manifest, rows),
        computations(manifest.root_seed, &manifest.computed_by, &manifest.config),
        references::references(manifest, rows, ranking.is_some()),
    ];
    sections.iter().filter(|section| !section.is_empty()).map(|section| format!("{section}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::regression::made_up::{manifest, row};

    /// Six splits of each of `n_sets` data sets, on all of which the RBF kernel's errors are twice the NTK's, and the NNGP's a little more.
    fn rows(n_sets: usize) -> Vec<KernelRow> {
        let mut rows = Vec::new();
        for set in 0..n_sets {
            for split in 0..6 {
                let error = 0.1 * (1.0 + 0.1 * (set * 6 + split) as f64);
                for (kernel, depth, factor) in [("ntk", Some(2), 1.0), ("nngp", Some(2), 1.01), ("rbf", None, 2.0)] {
                    let row = row(kernel, depth, split as u64, factor * error);
                    rows.push(KernelRow { dataset: format!("set {set}"), ..row });
                }
            }
        }
        rows
    }

    fn text(rows: &[KernelRow], missing: usize) -> String {
        compose(&manifest(rows), &rows[missing..].iter().collect::<Vec<_>>(), &[])
    }

    #[test]
    fn the_answer_says_who_is_alike_who_differs_and_who_is_best() {
        let text = text(&rows(8), 0);
        assert!(
            text.contains("| nngp | 8 | 8 | 0 | 0 | 0 |") && text.contains("| rbf | 8 | 0 | 0 | 8 | 0 |"),
            "{text}"
        );
        let best = "Over 8 data sets **ntk, depth 2** has the least mean rank of 3 predictors, 1.00 (95 % interval over data sets)";
        assert!(text.contains(best) && text.contains("every other is told apart from it"), "{text}");
        assert!(text.contains("| rbf | 3.00 | 0 | 0.00 [0.00, 0.32] | 2.00"), "{text}");
    }

    #[test]
    fn few_comparisons_are_sentences_and_many_are_folded() {
        let one = text(&rows(1), 0);
        assert!(one.contains("- set 0, NTK of depth 2 and rbf: the NTK is **better** by more than 10 %"), "{one}");
        assert!(!one.contains("<details><summary>All") && !one.contains("## Ranks"), "{one}");
        assert!(text(&rows(31), 0).contains("<details><summary>All 62 comparisons</summary>\n\n| data set | other |"));
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(text(&rows(2), 3).contains("3 of 36 points are missing"));
        let none = compose(&manifest(&rows(2)), &[], &[]);
        assert!(none.contains("No point is finished yet") && !none.contains("NaN"), "{none}");
    }
}
