//! The report: the verdict in words with its numbers, the figures, the protocol, the references of the methods used.
//!
//! Written once, as Markdown, from the records and figures of a run; the HTML page is the same text with the figures inside.

mod html;
mod markdown;
mod number;
mod plain;
mod protocol;
mod references;
mod regression;
mod words;

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::figure::Figure;
use crate::record::{KernelPoint, KernelRow, Point, Row, Store, file};
use crate::study::verdict;
pub use number::short;
pub use regression::sentences as regression_sentences;
pub use words::sentences;

/// The two files of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The Markdown text, which links to the figures.
    pub markdown: PathBuf,
    /// The self-contained page.
    pub html: PathBuf,
}

/// Writes report.md and report.html into the run folder.
///
/// # Errors
/// When a figure cannot be read or the disk cannot take the files.
pub fn write(store: &Store, points: &[Point], figures: &[Figure]) -> Result<Report> {
    let rows: Vec<&Row> = points.iter().map(|point| &point.row).collect();
    let verdict = verdict(store.manifest(), &rows);
    put(
        store.folder(),
        &store.manifest().study,
        &markdown::compose(store.manifest(), &rows, &verdict, figures),
        figures,
    )
}

/// The same of a comparison of kernels.
///
/// # Errors
/// As [`write()`].
pub fn write_regression(store: &Store<KernelPoint>, points: &[KernelPoint], figures: &[Figure]) -> Result<Report> {
    let rows: Vec<&KernelRow> = points.iter().map(|point| &point.row).collect();
    put(store.folder(), &store.manifest().study, &regression::compose(store.manifest(), &rows, figures), figures)
}

fn put(folder: &Path, title: &str, text: &str, figures: &[Figure]) -> Result<Report> {
    let report = Report { markdown: folder.join("report.md"), html: folder.join("report.html") };
    file::replace(&report.markdown, text.as_bytes())?;
    file::replace(&report.html, html::page(title, text, figures)?.as_bytes())?;
    Ok(report)
}
