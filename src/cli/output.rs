//! Where words and data go: data to stdout, words to stderr.

use std::io::{ErrorKind, Write};
use std::path::Path;

use ntk::error::{Error, Result};
use ntk::record::shown_notes;
use serde::Serialize;

pub(super) struct Output {
    pub(super) json: bool,
    pub(super) quiet: bool,
}

impl Output {
    pub(super) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// A line of data. A reader that has seen enough (`ntk data list | head`) is no failure; a full disk is.
    pub(super) fn data(&self, line: &str) -> Result<()> {
        match writeln!(std::io::stdout(), "{line}") {
            Err(reason) if reason.kind() != ErrorKind::BrokenPipe => {
                Err(Error::io("write to", Path::new("standard output"))(reason))
            }
            _ => Ok(()),
        }
    }

    /// One JSON document as data.
    pub(super) fn document(&self, value: &impl Serialize) -> Result<()> {
        self.data(&Self::json_text(value)?)
    }

    /// `value` as JSON for a reader.
    pub(super) fn json_text(value: &impl Serialize) -> Result<String> {
        serde_json::to_string_pretty(value)
            .map_err(|reason| Error::Check(format!("the result cannot be written as JSON: {reason}")))
    }

    /// The files that were written: a line each, or a JSON list.
    pub(super) fn paths(&self, paths: &[&Path]) -> Result<()> {
        if self.json {
            return self.document(&paths);
        }
        paths.iter().try_for_each(|path| self.data(&path.display().to_string()))
    }

    /// A line for a person.
    pub(super) fn words(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// What changed the data, for a person; of very many notes the first, and where the others are.
    pub(super) fn notes<T: AsRef<str>>(&self, notes: &[T], place: &str) {
        shown_notes(notes, place).iter().for_each(|note| self.words(&format!("note: {note}")));
    }

    pub(super) fn error(&self, error: &Error) {
        let _ = writeln!(std::io::stderr(), "error: {error}");
    }

    /// Columns aligned under their heads, as data.
    pub(super) fn table(&self, head: &[&str], rows: &[Vec<String>]) -> Result<()> {
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([head[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            padded.join("  ").trim_end().to_owned()
        };
        self.data(&line(&mut head.iter().copied()))?;
        rows.iter().try_for_each(|row| self.data(&line(&mut row.iter().map(String::as_str))))
    }
}
