//! Text as a table of cells that remember their lines, so that every complaint can name the place.

use std::path::Path;

use super::arff::{self, is_arff};
use super::dialect::{Decimal, Delimiter};
use super::missing::is_missing;
use super::rows::{Row, split, without_comments};
use super::{header, text};
use crate::error::{Error, Result};

/// How a table is written; what is absent is inferred, and said in a note.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    pub(super) header: Option<bool>,
    pub(super) delimiter: Option<Delimiter>,
    pub(super) decimal: Option<Decimal>,
    /// Texts and numbers that stand for a missing value, beside the usual ones.
    pub(super) missing_values: Vec<String>,
    /// Names of which each is in the first line if that is a header.
    pub(super) known_names: Vec<String>,
}

impl Reading {
    /// A header, commas and decimal points.
    pub(super) fn plain() -> Self {
        Self { header: Some(true), delimiter: Some(Delimiter::Comma), decimal: Some(Decimal::Point), ..Self::default() }
    }
}

/// A rectangular table of text cells: at least one row, and a name for every column.
#[derive(Debug)]
pub(super) struct Table {
    /// The file, for errors.
    pub(super) place: String,
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Whether the file names its columns.
    pub(super) has_header: bool,
    /// What was inferred and left out, in sentences.
    pub(super) notes: Vec<String>,
    decimal: Decimal,
    missing_values: Vec<String>,
}

impl Table {
    /// Reads the file at `path`, plain or compressed with gzip.
    pub(super) fn read(path: &Path, reading: &Reading) -> Result<Self> {
        Self::parse(&path.display().to_string(), &text::read(path)?, reading)
    }

    /// Reads `text`, which errors call `place`; without a header the columns are named `column 1` and so on.
    pub(super) fn parse(place: &str, text: &str, reading: &Reading) -> Result<Self> {
        let mut notes = Vec::new();
        let (text, n_comments) = without_comments(text);
        if n_comments > 0 {
            notes.push(format!("Lines that begin with `#` or `%` were left out as comments: {n_comments}."));
        }
        if is_arff(&text) {
            return Self::parse_arff(place, &text, reading, notes);
        }
        let delimiter = reading.delimiter.unwrap_or_else(|| Delimiter::infer(&text));
        let mut rows = split(place, &text, delimiter, b'"')?;
        notes.extend(drop_trailing(&mut rows));
        check_rectangle(place, &rows, delimiter)?;
        let decimal = reading.decimal.map_or_else(|| Decimal::infer(place, &rows), Ok)?;
        if reading.delimiter.is_none() && delimiter != Delimiter::Comma {
            notes.push(format!("The cells are separated by {}.", delimiter.in_words()));
        }
        if reading.decimal.is_none() && decimal == Decimal::Comma {
            notes.push("The decimal mark is a comma.".into());
        }
        let known = |name: &String| rows[0].cells.contains(name);
        let has_header = match reading.header {
            Some(header) => header,
            None if !reading.known_names.is_empty() && reading.known_names.iter().all(known) => true,
            None => header::infer(place, &rows, decimal)?,
        };
        let n_columns = rows[0].cells.len();
        let names = if has_header {
            column_names(place, &rows.remove(0), reading.header.is_some())?
        } else {
            refuse_names_as_row(place, &rows, decimal)?;
            (1..=n_columns).map(|column| format!("column {column}")).collect()
        };
        if reading.header.is_none() {
            notes.push(match has_header {
                true => "The first line was read as column names.".into(),
                false => "The file has no header: its first line was read as a row.".into(),
            });
        }
        if rows.is_empty() {
            return Err(Error::input(
                place,
                "a header, but no rows below it",
                "add rows of numbers below the column names",
            ));
        }
        let missing_values = reading.missing_values.clone();
        Ok(Self { place: place.into(), names, rows, has_header, notes, decimal, missing_values })
    }

    fn parse_arff(place: &str, text: &str, reading: &Reading, mut notes: Vec<String>) -> Result<Self> {
        let arff = arff::read(place, text)?;
        let rows = split(place, &arff.text, Delimiter::Comma, arff.quote)?;
        let n_columns = arff.names.len();
        check_rectangle(place, &rows, Delimiter::Comma)?;
        if rows[0].cells.len() != n_columns {
            return Err(Error::input(
                format!("{place}, line {}", rows[0].line),
                format!("{} cells, but the file declares {n_columns} attributes", rows[0].cells.len()),
                "give every row one cell per attribute, separated by commas",
            ));
        }
        notes.push(format!("The file is ARFF; its {n_columns} attributes name the columns."));
        let missing_values = reading.missing_values.clone();
        let names = arff.names;
        let table =
            Self { place: place.into(), names, rows, has_header: true, notes, decimal: Decimal::Point, missing_values };
        for row in &table.rows {
            for (column, levels) in arff.levels.iter().enumerate() {
                let cell = &row.cells[column];
                if levels.as_ref().is_some_and(|levels| !levels.contains(cell)) && !table.is_missing(row, column) {
                    let problem = format!("`{}` is none of the categories that the attribute declares", abridged(cell));
                    return Err(Error::input(table.place_of(row, column), problem, "mend the cell or the attribute"));
                }
            }
        }
        Ok(table)
    }

    /// Whether a cell stands for a missing value.
    pub(super) fn is_missing(&self, row: &Row, column: usize) -> bool {
        is_missing(&row.cells[column], &self.missing_values)
    }

    /// The text of a cell, which must not be missing.
    pub(super) fn cell<'a>(&self, row: &'a Row, column: usize) -> Result<&'a str> {
        let cell = row.cells[column].as_str();
        if self.is_missing(row, column) {
            let problem =
                if cell.is_empty() { "the cell is empty".into() } else { format!("the cell is missing (`{cell}`)") };
            return Err(Error::input(
                self.place_of(row, column),
                problem,
                "fill in the value, or remove the row; in a config, `missing = \"drop-rows\"` leaves such rows out",
            ));
        }
        Ok(cell)
    }

    /// The text of a cell that holds a label, with a decimal point where it is a number.
    pub(super) fn label(&self, row: &Row, column: usize) -> Result<String> {
        let cell = self.cell(row, column)?;
        match self.decimal.number(cell) {
            Some(number) if !number.is_finite() => Err(Error::input(
                self.place_of(row, column),
                format!("`{}` is not a finite number, and so no label", abridged(cell)),
                "write the class, or remove the row",
            )),
            Some(_) => Ok(cell.replacen(',', ".", 1)),
            None => Ok(cell.into()),
        }
    }

    /// The finite number in a cell; `remedy_for_text` is what to do where it holds something else.
    pub(super) fn number(&self, row: &Row, column: usize, remedy_for_text: &str) -> Result<f64> {
        let cell = self.cell(row, column)?;
        let refused = |problem: String, remedy: &str| Err(Error::input(self.place_of(row, column), problem, remedy));
        match self.decimal.number(cell) {
            Some(number) if number.is_finite() => Ok(number),
            Some(_) => refused(
                format!("`{}` is not a finite number", abridged(cell)),
                "write a finite number, or remove the row",
            ),
            None => match looks_like(cell) {
                Some((what, remedy)) => refused(format!("`{}` looks like {what}", abridged(cell)), remedy),
                None => refused(format!("`{}` is not a number", abridged(cell)), remedy_for_text),
            },
        }
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

/// What a cell that is no number is, and what to do.
fn looks_like(cell: &str) -> Option<(&'static str, &'static str)> {
    let parts: Vec<&str> = cell.split(['-', '/', ':', '.', 'T', ' ', 'Z']).filter(|part| !part.is_empty()).collect();
    let are_digits = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let has_marks = |mark: char| cell.trim_start_matches(['+', '-']).matches(mark).count();
    let is_day = match parts[..] {
        [day, _, year] if has_marks('.') == 2 => day.len() <= 2 && year.len() == 4,
        [_, _, _, ..] => has_marks('-') == 2 || has_marks('/') == 2,
        _ => false,
    };
    if are_digits && (is_day || has_marks(':') > 0) {
        return Some((
            "a date or a time",
            "leave the column out with `ignore`, or write it as a number, in seconds say",
        ));
    }
    let separators = [',', '.', ' ', '\'', '\u{a0}', '\u{202f}'];
    let digits = cell.trim_start_matches(['+', '-']).replace(separators, "");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match cell.matches(separators).count() {
        1 if cell.contains(',') => Some((
            "a number with a decimal comma or a thousands separator",
            "write it with a decimal point, or set `decimal = \",\"` if all numbers have a decimal comma",
        )),
        _ => Some(("a number with thousands separators", "write it without them, and check `decimal`")),
    }
}

/// Removes a last column that is empty in every line below the first, and has no name there.
fn drop_trailing(rows: &mut [Row]) -> Option<String> {
    let (first, below) = rows.split_first()?;
    let n_columns = below.first()?.cells.len();
    let is_empty = |row: &Row| row.cells.len() == n_columns && row.cells[n_columns - 1].is_empty();
    let short_header = first.cells.len() + 1 == n_columns;
    if n_columns < 2 || !below.iter().all(is_empty) || !(short_header || is_empty(first)) {
        return None;
    }
    for row in &mut rows[usize::from(short_header)..] {
        row.cells.pop();
    }
    Some("Every line ends in a delimiter; the empty column behind it was left out.".into())
}

fn check_rectangle(place: &str, rows: &[Row], delimiter: Delimiter) -> Result<()> {
    let Some(first) = rows.first() else {
        return Err(Error::input(place, "the file is empty", "write one row per line, cells separated by commas"));
    };
    let n_columns = first.cells.len();
    let Some(ragged) = rows.iter().find(|row| row.cells.len() != n_columns) else { return Ok(()) };
    let name = delimiter.in_words();
    Err(Error::input(
        format!("{place}, line {}", ragged.line),
        format!("{} cells, but line {} has {n_columns}", ragged.cells.len(), first.line),
        format!("give every line the same number of cells, separated by {name}; quote a cell that holds one of them"),
    ))
}

/// A first line in which no cell is a number, above numbers, is not a row.
fn refuse_names_as_row(place: &str, rows: &[Row], decimal: Decimal) -> Result<()> {
    let is_text = |row: &Row| row.cells.iter().all(|cell| decimal.number(cell).is_none());
    if rows.len() > 1 && is_text(&rows[0]) && !rows[1..].iter().all(is_text) {
        return Err(Error::input(
            format!("{place}, line {}", rows[0].line),
            "no cell is a number: it looks like a header",
            "set `header = true`",
        ));
    }
    Ok(())
}

fn column_names(place: &str, header: &Row, is_set: bool) -> Result<Vec<String>> {
    let place = format!("{place}, line {}", header.line);
    if is_set && header.cells.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err(Error::input(
            place,
            "the column names are all numbers, as if the line were a row of data",
            "set `header = false` where the file has no header, or else rename the columns",
        ));
    }
    let names = &header.cells;
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
    Ok(names.clone())
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

    fn table(text: &str) -> Table {
        Table::parse("t", text, &Reading::default()).unwrap()
    }

    #[test]
    fn a_delimiter_behind_every_line_comments_and_blank_lines_change_no_cell() {
        for text in ["u,y,\n1,2,\n", "u,y\n1,2,\n", "# spring\n\nu,y\n1,2\n\n", "u;y\n1;2\n", " u  y\n 1  2\n"] {
            let table = table(text);
            assert_eq!(table.names, ["u", "y"], "{text}");
            assert_eq!(table.rows[0].cells, ["1", "2"], "{text}");
        }
        assert!(
            table("u;y\n1,5;2\n").notes.join(" ").contains("separated by semicolons. The decimal mark is a comma.")
        );
    }

    #[test]
    fn a_date_and_a_thousands_separator_are_refused_with_their_names() {
        for (cell, what) in [
            ("2020-01-31", "a date"),
            ("31/01/2020", "a date"),
            ("12:30:00", "a time"),
            ("2020-01-31T12:30:00Z", "a date"),
            ("\"1,234.5\"", "thousands separators"),
            ("\"1,5\"", "decimal comma"),
            ("1 234", "thousands separators"),
        ] {
            let reading = Reading::plain();
            let table = Table::parse("t", &format!("u,y\n{cell},1\n"), &reading).unwrap();
            let message = table.number(&table.rows[0], 0, "").unwrap_err().to_string();
            assert!(message.contains("line 2, column 1 (`u`)") && message.contains(what), "{message}");
        }
    }

    #[test]
    fn an_arff_file_is_read_by_its_attributes() {
        let table = table("@relation r\n@attribute u numeric\n@attribute y {a,b}\n@data\n1,a\n?,b\n");
        assert_eq!((table.names.join(" ").as_str(), table.rows.len(), table.rows[0].line), ("u y", 2, 5));
        let text = "@relation r\n@attribute y {a,b}\n@attribute u numeric\n@data\nc,1\n";
        let message = Table::parse("t", text, &Reading::default()).unwrap_err().to_string();
        assert!(message.contains("line 5, column 1 (`y`): `c`"), "{message}");
    }

    #[test]
    fn a_header_that_would_be_misread_is_refused() {
        let message = |text| Table::parse("t", text, &Reading::plain()).unwrap_err().to_string();
        assert!(message("1,2\n3,4\n").contains("header = false"));
        assert!(message(",b\n3,4\n").contains("line 1, column 1: the column has no name"));
        assert!(message("a,a\n3,4\n").contains("`a` is also the name of column 1"));
    }
}
