//! Whether the first line of a table holds column names or a row of data.

use super::dialect::Decimal;
use super::missing::is_missing;
use super::rows::Row;
use crate::error::{Error, Result};

/// Whether the first of `rows` is a header: text above numbers is one, a number above numbers is a row.
///
/// # Errors
/// When the line is both, or counts its cells as pandas does above columns without names.
pub(super) fn infer(place: &str, rows: &[Row], decimal: Decimal) -> Result<bool> {
    let Some((first, below)) = rows.split_first() else { return Ok(false) };
    let place = || format!("{place}, line {}", first.line);
    let is_number = |cell: &str| decimal.number(cell).is_some();
    if below.is_empty() {
        return Ok(!first.cells.iter().any(|cell| is_number(cell)));
    }
    if counts_columns(first) {
        return Err(Error::input(
            place(),
            format!("`{}` only counts the columns, as pandas does above columns without names", first.cells.join(",")),
            "remove this line if it is no row (`to_csv(header=False, index=False)`); if it is a row, set `header = false`, or put \
             another row first",
        ));
    }
    let is_number_column = |column: usize| {
        let cells = || below.iter().map(|row| row.cells[column].as_str()).filter(|cell| !is_missing(cell, &[]));
        2 * cells().filter(|cell| is_number(cell)).count() > cells().count()
    };
    let above = |wanted: fn(bool) -> bool| {
        (0..first.cells.len()).find(|&column| {
            let cell = first.cells[column].as_str();
            !is_missing(cell, &[]) && wanted(is_number(cell)) && is_number_column(column)
        })
    };
    match (above(|number| !number), above(|number| number)) {
        (Some(_), None) => Ok(true),
        (None, Some(_)) => Ok(false),
        (Some(text), Some(number)) => Err(Error::input(
            place(),
            format!(
                "column {} begins with the text `{}` above numbers, as a header does, and column {} with the number `{}`, as a row does",
                text + 1,
                first.cells[text],
                number + 1,
                first.cells[number]
            ),
            "set `header = true` if the line holds column names; if it is a row, mend the text",
        )),
        // Text above text: a header says what no row says.
        (None, None) => Ok((0..first.cells.len()).all(|column| {
            below.iter().all(|row| row.cells[column] != first.cells[column] || row.cells[column].is_empty())
        })),
    }
}

/// Whether the cells are 0, 1, 2 and so on, after an empty one where pandas wrote its index.
fn counts_columns(first: &Row) -> bool {
    let cells = first.cells.strip_prefix(&[String::new()]).unwrap_or(&first.cells);
    cells.len() > 1
        && cells.iter().enumerate().all(|(count, cell)| cell.parse::<usize>().is_ok_and(|number| number == count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dialect::Delimiter;
    use crate::data::rows::split;

    fn header(text: &str) -> Result<bool> {
        infer("t", &split("t", text, Delimiter::Comma, b'"').unwrap(), Decimal::Point)
    }

    #[test]
    fn names_above_numbers_are_a_header_and_numbers_above_numbers_are_a_row() {
        for text in ["u,v\n1,2\n", "u,kind\n1,a\n", "u,y\n?,1\n", "kind,of\na,b\nc,b\n", "u,v\n"] {
            assert!(header(text).unwrap(), "{text}");
        }
        for text in ["1,2\n3,4\n", "1,west\n2,east\n3,west\n", "0.5,NA\n1,2\n", "a,b\nc,b\na,d\n", "1,2\n"] {
            assert!(!header(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn a_line_that_counts_columns_or_mixes_names_and_numbers_is_refused() {
        for text in ["0,1\n0.1,0.2\n", ",0,1\n0,0.1,0.2\n"] {
            let message = header(text).unwrap_err().to_string();
            assert!(message.contains("t, line 1") && message.contains("pandas"), "{message}");
        }
        let message = header("2019,y\n1,2\n3,4\n").unwrap_err().to_string();
        assert!(message.contains("column 2 begins with the text `y`"), "{message}");
        assert!(message.contains("column 1 with the number `2019`"), "{message}");
    }
}
