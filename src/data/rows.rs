//! Text cut into rows of cells that remember their lines.

use ::csv::{ReaderBuilder, StringRecord, Trim};

use super::dialect::Delimiter;
use super::text::n_newlines;
use crate::error::{Error, Result};

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Counted from 1, with the header and blank lines, as an editor counts.
    pub(super) line: u64,
    /// The cells, without the blanks around them.
    pub(super) cells: Vec<String>,
}

/// The rows of `text`; blank lines are passed over.
pub(super) fn split(place: &str, text: &str, delimiter: Delimiter, quote: u8) -> Result<Vec<Row>> {
    let delimiter = match delimiter {
        Delimiter::Comma => b',',
        Delimiter::Semicolon => b';',
        Delimiter::Tab => b'\t',
        Delimiter::Bar => b'|',
        Delimiter::Spaces => return Ok(split_at_spaces(text)),
    };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter)
        .quote(quote)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            Error::input(place, error.to_string(), "write one row per line, cells separated by commas")
        })?;
        // A line of blanks alone.
        if record.len() == 1 && record[0].is_empty() {
            continue;
        }
        rows.push(Row { line: line_of(&record, text), cells: record.iter().map(String::from).collect() });
    }
    Ok(rows)
}

fn split_at_spaces(text: &str) -> Vec<Row> {
    let cells = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    let rows = text.lines().zip(1..).map(|(line, number)| Row { line: number, cells: cells(line) });
    rows.filter(|row| !row.cells.is_empty()).collect()
}

/// The reader notes where it began to look for a record; blank lines before the record are skipped here.
fn line_of(record: &StringRecord, text: &str) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(begin..).unwrap_or_default();
    let n_blank = rest.iter().take_while(|byte| b"\r\n".contains(byte)).count();
    position.line() + n_newlines(&rest[..n_blank])
}

/// The text with its comments, lines that begin with `#` or `%`, left blank, and how many there are.
///
/// Below the first row, such a line with as many cells as that row is a row: `#N/A,1,2` is one.
pub(super) fn without_comments(text: &str) -> (String, usize) {
    const MARKS: [char; 5] = [',', ';', '\t', '|', ' '];
    let shape = |line: &str| MARKS.map(|mark| line.trim().matches(mark).count());
    let (mut kept, mut n_comments, mut in_quotes) = (String::with_capacity(text.len()), 0, false);
    let mut of_rows: Option<[usize; 5]> = None;
    for line in text.split_inclusive('\n') {
        let is_like_a_row = || {
            of_rows.is_some_and(|row| shape(line).iter().zip(row).take(4).any(|(n, in_row)| in_row > 0 && *n == in_row))
        };
        if !in_quotes && line.trim_start().starts_with(['#', '%']) && !is_like_a_row() {
            n_comments += 1;
            kept.extend(line.chars().filter(|c| "\r\n".contains(*c)));
            continue;
        }
        if !in_quotes && of_rows.is_none() && !line.trim().is_empty() {
            of_rows = Some(shape(line));
        }
        in_quotes ^= line.matches('"').count() % 2 == 1;
        kept.push_str(line);
    }
    (kept, n_comments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let rows = split("t", "a,b\n\n1,2\r\n\r\n\r\n3,4\n5,6", Delimiter::Comma, b'"').unwrap();
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 3, 6, 7]);
        let rows = split("t", "1  2\n\n 3 4 ", Delimiter::Spaces, b'"').unwrap();
        assert_eq!((rows[1].line, rows[1].cells.join("+").as_str()), (3, "3+4"));
    }

    #[test]
    fn comments_are_left_blank_and_counted_and_a_row_that_begins_with_a_missing_value_stays() {
        let (text, n_comments) = without_comments("# spring\n% 1998\na,b\n1,2\n#N/A,3\n# end\n");
        assert_eq!((text.as_str(), n_comments), ("\n\na,b\n1,2\n#N/A,3\n\n", 3));
    }
}
