//! What an analysis found, as text: its statements, its tables.

use std::fmt::Write;

use super::number::{exponent, with_interval};
use super::plain::plain;
use crate::number::short;
use crate::study::Decision;
use crate::study::findings::{Cell, Findings, Statement, Table};

/// One sentence per statement: the claim, the decision, the numbers, and what more it would take.
#[must_use]
pub fn statements(findings: &Findings) -> Vec<String> {
    findings.statements.iter().map(sentence).collect()
}

/// A table's entries as a reader wants them, row by row.
#[must_use]
pub fn cells(table: &Table) -> Vec<Vec<String>> {
    table.rows.iter().map(|row| row.iter().map(cell).collect()).collect()
}

fn sentence(statement: &Statement) -> String {
    let Statement { claim, decision, evidence, needed } = statement;
    let decision = match decision {
        Decision::Holds => "holds",
        Decision::Fails => "fails",
        Decision::Undecided => "undecided",
        Decision::NoInterval => "undecided, because one value has no interval",
        Decision::Diverged => "not decided, because there is no value",
    };
    let needed = match needed {
        Some((n, of)) => format!(" About {n} {of} in all would decide it at this spread."),
        None => String::new(),
    };
    format!("{claim}: **{decision}**. {}.{needed}", capitalized(evidence))
}

fn capitalized(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

pub(super) fn table(table: &Table) -> String {
    let mut text = format!("## {}\n\n{}\n\n| {} |\n|", table.title, table.note, table.header.join(" | "));
    text.push_str(&"---|".repeat(table.header.len()));
    text.push('\n');
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(marked_down).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn marked_down(entry: &Cell) -> String {
    match entry {
        Cell::Text(text) => plain(text),
        _ => cell(entry),
    }
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Count(count) => count.to_string(),
        Cell::Number(number) => short(*number),
        Cell::Interval(interval) => with_interval(*interval),
        Cell::Exponent(slope) => exponent(*slope),
    }
}
