//! How a table of text is written: what separates its cells, and which decimal mark its numbers have.

use serde::{Deserialize, Serialize};

use super::missing::is_missing;
use super::rows::{Row, split};
use crate::error::{Error, Result};

/// What separates cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delimiter {
    /// `,`
    #[serde(rename = ",", alias = "comma")]
    Comma,
    /// `;`
    #[serde(rename = ";", alias = "semicolon")]
    Semicolon,
    /// A tab.
    #[serde(rename = "\t", alias = "tab")]
    Tab,
    /// `|`
    #[serde(rename = "|", alias = "bar")]
    Bar,
    /// Spaces, as many as there are.
    #[serde(rename = " ", alias = "spaces")]
    Spaces,
}

/// What precedes the decimals of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Decimal {
    /// `.`
    #[default]
    #[serde(rename = ".", alias = "point")]
    Point,
    /// `,`
    #[serde(rename = ",", alias = "comma")]
    Comma,
}

impl Delimiter {
    /// The name in a sentence.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Comma => "commas",
            Self::Semicolon => "semicolons",
            Self::Tab => "tabs",
            Self::Bar => "vertical bars",
            Self::Spaces => "spaces",
        }
    }

    /// The delimiter under which all lines of `text` have the same number of cells and most cells are numbers.
    pub(super) fn infer(text: &str) -> Self {
        const N_LINES: usize = 200;
        let sample: String = text.split_inclusive('\n').filter(|line| !line.trim().is_empty()).take(N_LINES).collect();
        let mut best = None;
        for delimiter in [Self::Tab, Self::Semicolon, Self::Bar, Self::Comma, Self::Spaces] {
            let Ok(rows) = split("", &sample, delimiter, b'"') else { continue };
            let Some(share) = share_of_numbers(&rows) else { continue };
            if best.is_none_or(|(_, most)| share > most) {
                best = Some((delimiter, share));
            }
        }
        if let Some((delimiter, _)) = best {
            return delimiter;
        }
        // Lines of different length: the refusal names them under the delimiter that the first line has most often.
        let first = sample.lines().next().unwrap_or_default();
        let count = |mark: char| first.matches(mark).count();
        [(Self::Comma, ','), (Self::Semicolon, ';'), (Self::Tab, '\t'), (Self::Bar, '|')]
            .into_iter()
            .rev()
            .max_by_key(|(_, mark)| count(*mark))
            .map_or(Self::Comma, |(delimiter, _)| delimiter)
    }
}

/// The share of cells below the first line that are numbers or missing; `None` where lines differ in their number of cells or have one.
fn share_of_numbers(rows: &[Row]) -> Option<f64> {
    let n_columns = rows.first()?.cells.len();
    if n_columns < 2 || rows.iter().any(|row| row.cells.len() != n_columns) {
        return None;
    }
    let below = if rows.len() > 1 { &rows[1..] } else { rows };
    let cells = below.iter().flat_map(|row| &row.cells);
    let n_numbers = cells.filter(|cell| is_missing(cell, &[]) || Mark::of(cell) != Mark::NoNumber).count();
    Some(n_numbers as f64 / (below.len() * n_columns) as f64)
}

/// What a cell says about the decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    NoNumber,
    Integer,
    Point,
    Comma,
    /// One comma before three digits, as `1,234`: decimals or thousands.
    CommaOrThousands,
}

impl Mark {
    fn of(cell: &str) -> Self {
        if cell.parse::<f64>().is_ok() {
            return if cell.contains('.') { Self::Point } else { Self::Integer };
        }
        let Some((whole, decimals)) = cell.split_once(',') else { return Self::NoNumber };
        if cell.contains('.') || format!("{whole}.{decimals}").parse::<f64>().is_err() {
            return Self::NoNumber;
        }
        let digits = whole.trim_start_matches(['+', '-']);
        let thousands = (1..=3).contains(&digits.len())
            && !digits.starts_with('0')
            && decimals.len() == 3
            && decimals.bytes().all(|byte| byte.is_ascii_digit());
        if thousands { Self::CommaOrThousands } else { Self::Comma }
    }
}

impl Decimal {
    /// The decimal mark of the cells.
    ///
    /// # Errors
    /// When every comma in a number could be a thousands separator as well.
    pub(super) fn infer(place: &str, rows: &[Row]) -> Result<Self> {
        let (mut points, mut commas, mut doubtful) = (false, false, None);
        for row in rows {
            for cell in &row.cells {
                match Mark::of(cell) {
                    Mark::Point => points = true,
                    Mark::Comma => commas = true,
                    Mark::CommaOrThousands if doubtful.is_none() => doubtful = Some((row.line, cell)),
                    Mark::CommaOrThousands | Mark::Integer | Mark::NoNumber => {}
                }
            }
        }
        match doubtful {
            // A point elsewhere, or text: the cell itself is refused where it must be a number.
            _ if points => Ok(Self::Point),
            _ if commas => Ok(Self::Comma),
            None => Ok(Self::Point),
            Some((line, cell)) => Err(Error::input(
                format!("{place}, line {line}"),
                format!("the comma in `{cell}` can be a decimal mark or a thousands separator"),
                "set `decimal = \",\"` if it is a decimal mark, or else write numbers without thousands separators",
            )),
        }
    }

    /// The number that `cell` writes.
    pub(super) fn number(self, cell: &str) -> Option<f64> {
        match self {
            Self::Point => cell.parse().ok(),
            Self::Comma if cell.contains('.') => None,
            Self::Comma => cell.replacen(',', ".", 1).parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_gives_equal_rows_of_numbers() {
        for (text, delimiter) in [
            ("u,v\n1,2\n3,4\n", Delimiter::Comma),
            ("u, v\n1, 2\n", Delimiter::Comma),
            ("u;v;y\n0,450;0,113;0,051\n", Delimiter::Semicolon),
            ("1,2;3,4\n5,6;7,8\n", Delimiter::Semicolon),
            ("u\tv\n1\t2\n", Delimiter::Tab),
            ("u|v\n1|2\n", Delimiter::Bar),
            ("  1.5   2\n 3 4\n", Delimiter::Spaces),
            ("1,5 2,5\n3,5 4,5\n", Delimiter::Spaces),
            ("red car,1\nblue car,2\n", Delimiter::Comma),
            ("a,b\n1,2\n1,2,3\n", Delimiter::Comma),
        ] {
            assert_eq!(Delimiter::infer(text), delimiter, "{text}");
        }
    }

    #[test]
    fn the_decimal_mark_is_found_and_a_doubtful_one_is_refused() {
        let infer = |text: &str| Decimal::infer("t", &split("t", text, Delimiter::Semicolon, b'"').unwrap());
        assert_eq!(infer("0,450;1,113\n").unwrap(), Decimal::Comma);
        assert_eq!(infer("0.450;1\n").unwrap(), Decimal::Point);
        let message = infer("1,234;5\n").unwrap_err().to_string();
        assert!(message.contains("`1,234`") && message.contains("decimal = \",\""), "{message}");
        assert_eq!(Decimal::Comma.number("-1,5e3"), Some(-1500.0));
        assert_eq!(Decimal::Comma.number("1.234"), None);
    }
}
