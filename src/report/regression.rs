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
        answer::section(manifest, rows, &settings, &comparisons),
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
