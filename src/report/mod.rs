//! The report: the verdict in words with its numbers, the figures, the protocol, the references of the methods used.
//!
//! Written once, as Markdown, from the records and figures of a run; the HTML page is the same text with the figures inside.

mod check;
mod criterion;
mod findings;
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
use crate::record::{KernelManifest, KernelPoint, KernelRow, Store, file};
use crate::study::Evidence;
use crate::study::findings::Findings;
pub use check::{Difference, differences, same_numbers};
pub use findings::{cells, statements};
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

/// Writes report.md and report.html into the run folder; `findings` are what [`analyse`](crate::study::analyse) found.
///
/// # Errors
/// When a figure cannot be read or the disk cannot take the files.
pub fn write(
    folder: &Path,
    evidence: &Evidence<'_>,
    findings: Option<&Findings>,
    figures: &[Figure],
) -> Result<Report> {
    put(folder, &evidence.manifest.study, &markdown::compose(evidence, findings, figures), figures)
}

/// The same of a comparison of kernels.
///
/// # Errors
/// As [`write()`].
pub fn write_regression(store: &Store<KernelPoint>, points: &[KernelPoint], figures: &[Figure]) -> Result<Report> {
    let rows: Vec<&KernelRow> = points.iter().map(|point| &point.row).collect();
    put(store.folder(), &store.manifest().study, &regression::compose(store.manifest(), &rows, figures), figures)
}

/// The report of a run of networks as Markdown, from its rows alone: with the captions of the `figures` of its analysis, and without those
/// that are drawn from more than rows.
#[must_use]
pub fn text(evidence: &Evidence<'_>, findings: Option<&Findings>, figures: &[Figure]) -> String {
    markdown::compose(evidence, findings, figures)
}

/// The same of a comparison of kernels.
#[must_use]
pub fn regression_text(manifest: &KernelManifest, rows: &[&KernelRow]) -> String {
    regression::compose(manifest, rows, &[])
}

fn put(folder: &Path, title: &str, text: &str, figures: &[Figure]) -> Result<Report> {
    let report = Report { markdown: folder.join("report.md"), html: folder.join("report.html") };
    file::replace(&report.markdown, text.as_bytes())?;
    file::replace(&report.html, html::page(title, text, figures)?.as_bytes())?;
    Ok(report)
}
