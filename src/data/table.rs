//! CSV text as a table of cells that remember their lines, so that every complaint can name the place.

use std::io::{self, Read};
use std::path::Path;

use ::csv::{ReaderBuilder, StringRecord, Trim};
use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// A rectangular table of text cells: at least one row, and a name for every column.
#[derive(Debug)]
pub(super) struct Table {
    /// The file, for errors.
    pub(super) place: String,
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// One line of the file.
#[derive(Debug)]
pub(super) struct Row {
    /// Counted from 1, with the header and blank lines, as an editor counts.
    pub(super) line: u64,
    cells: StringRecord,
}

impl Table {
    /// Reads the file at `path`, plain or compressed with gzip.
    pub(super) fn read(path: &Path, header: bool) -> Result<Self> {
        Self::parse(&path.display().to_string(), &read_text(path)?, header)
    }

    /// Reads `text`, which errors call `place`; without a header the columns are named `column 1` and so on.
    pub(super) fn parse(place: &str, text: &str, header: bool) -> Result<Self> {
        let mut rows = records(place, text)?;
        let Some(first) = rows.first() else {
            return Err(Error::input(place, "the file is empty", "write one row per line, cells separated by commas"));
        };
        let (n_columns, first_line) = (first.cells.len(), first.line);
        if let Some(ragged) = rows.iter().find(|row| row.cells.len() != n_columns) {
            return Err(Error::input(
                format!("{place}, line {}", ragged.line),
                format!("{} cells, but line {first_line} has {n_columns}", ragged.cells.len()),
                "give every line the same number of cells, separated by commas; quote a cell that holds a comma",
            ));
        }
        let names = if header {
            column_names(place, &rows.remove(0))?
        } else {
            (1..=n_columns).map(|column| format!("column {column}")).collect()
        };
        if rows.is_empty() {
            return Err(Error::input(
                place,
                "a header, but no rows below it",
                "add rows of numbers below the column names",
            ));
        }
        Ok(Self { place: place.into(), names, rows })
    }

    /// The text of a cell, which must not be missing.
    pub(super) fn cell<'a>(&self, row: &'a Row, column: usize) -> Result<&'a str> {
        let cell = &row.cells[column];
        if cell.is_empty() || ["?", "na", "n/a", "null"].contains(&cell.to_lowercase().as_str()) {
            let problem =
                if cell.is_empty() { "the cell is empty".into() } else { format!("the cell is missing (`{cell}`)") };
            return Err(Error::input(self.place_of(row, column), problem, "fill in the value, or remove the row"));
        }
        Ok(cell)
    }

    /// The finite number in a cell; `remedy_for_text` is what to do where it holds something else.
    pub(super) fn number(&self, row: &Row, column: usize, remedy_for_text: &str) -> Result<f64> {
        let cell = self.cell(row, column)?;
        match cell.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            Ok(_) => Err(Error::input(
                self.place_of(row, column),
                format!("`{}` is not a finite number", abridged(cell)),
                "write a finite number, or remove the row",
            )),
            Err(_) => Err(Error::input(
                self.place_of(row, column),
                format!("`{}` is not a number", abridged(cell)),
                remedy_for_text,
            )),
        }
    }

    /// Whether no cell of the first row is a number: in a file without a header, a sign that it has one.
    pub(super) fn begins_with_text(&self) -> bool {
        self.rows[0].cells.iter().all(|cell| cell.parse::<f64>().is_err())
    }

    fn place_of(&self, row: &Row, column: usize) -> String {
        let (place, line, name) = (&self.place, row.line, &self.names[column]);
        let position = format!("column {}", column + 1);
        if *name == position {
            return format!("{place}, line {line}, {position}");
        }
        format!("{place}, line {line}, {position} (`{name}`)")
    }
}

/// The bytes that a gzip file holds.
pub(super) fn gunzip(compressed: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(compressed).read_to_end(&mut plain)?;
    Ok(plain)
}

fn read_text(path: &Path) -> Result<String> {
    let place = path.display().to_string();
    let mut bytes = std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::input(
            &place,
            "no such file",
            "check the path; a relative path in a config file starts at that file's folder",
        ),
        _ => Error::io("read", path)(error),
    })?;
    // Told by its content, because a name says less: browsers unpack a download and keep the ending `.gz`.
    if bytes.starts_with(&[0x1f, 0x8b]) {
        bytes = gunzip(&bytes).map_err(|error| {
            Error::input(
                &place,
                format!("a damaged gzip file ({error})"),
                "compress the file again, or give the plain CSV",
            )
        })?;
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Error::input(
            format!("{place}, line {}", 1 + n_newlines(valid)),
            "the text is not UTF-8",
            "save the file as CSV in UTF-8 (a spreadsheet itself cannot be read)",
        )
    })?;
    Ok(text.trim_start_matches('\u{feff}').into())
}

fn records(place: &str, text: &str) -> Result<Vec<Row>> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text.as_bytes());
    reader
        .records()
        .map(|record| {
            let cells = record.map_err(|error| {
                Error::input(place, error.to_string(), "write one row per line, cells separated by commas")
            })?;
            Ok(Row { line: line_of(&cells, text), cells })
        })
        .collect()
}

/// The reader notes where it began to look for a record; blank lines before the record are skipped here.
fn line_of(record: &StringRecord, text: &str) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(begin..).unwrap_or_default();
    let n_blank = rest.iter().take_while(|byte| b"\r\n".contains(byte)).count();
    position.line() + n_newlines(&rest[..n_blank])
}

fn n_newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

fn column_names(place: &str, header: &Row) -> Result<Vec<String>> {
    let place = format!("{place}, line {}", header.line);
    if header.cells.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err(Error::input(
            place,
            "the column names are all numbers, as if the line were a row of data",
            "set `header = false` where the file has no header, or else rename the columns",
        ));
    }
    let names: Vec<String> = header.cells.iter().map(String::from).collect();
    for (column, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(Error::input(
                format!("{place}, column {}", column + 1),
                "the column has no name (often it holds row numbers, which must not become an input)",
                "name the column, or remove it",
            ));
        }
        if let Some(earlier) = names[..column].iter().position(|other| other == name) {
            return Err(Error::input(
                format!("{place}, column {}", column + 1),
                format!("`{name}` is also the name of column {}", earlier + 1),
                "give every column a name of its own",
            ));
        }
    }
    Ok(names)
}

/// A cell short enough for a message: an unclosed quote turns the rest of a file into one cell.
fn abridged(cell: &str) -> String {
    if cell.chars().count() <= 40 {
        return cell.into();
    }
    cell.chars().take(37).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let table = Table::parse("t", "a,b\n\n1,2\r\n\r\n\r\n3,4\n5,6", true).unwrap();
        assert_eq!(table.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 6, 7]);
    }

    #[test]
    fn gzip_and_a_byte_order_mark_do_not_change_the_table() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all("\u{feff}a,b\n1,2\n".as_bytes()).unwrap();
        std::fs::write(&path, encoder.finish().unwrap()).unwrap();
        assert_eq!(Table::read(&path, true).unwrap().names, ["a", "b"]);

        std::fs::write(&path, [0x1f, 0x8b, 1, 2, 3]).unwrap();
        assert!(Table::read(&path, true).unwrap_err().to_string().contains("damaged gzip"));
    }

    #[test]
    fn a_file_in_another_encoding_is_refused_with_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latin.csv");
        std::fs::write(&path, b"a,b\n1,\xe9\n").unwrap();
        let message = Table::read(&path, true).unwrap_err().to_string();
        assert!(message.contains("latin.csv, line 2: the text is not UTF-8"), "{message}");
    }

    #[test]
    fn a_header_that_would_be_misread_is_refused() {
        let message = |text| Table::parse("t", text, true).unwrap_err().to_string();
        assert!(message("1,2\n3,4\n").contains("header = false"));
        assert!(message(",b\n3,4\n").contains("line 1, column 1: the column has no name"));
        assert!(message("a,a\n3,4\n").contains("`a` is also the name of column 1"));
    }
}
