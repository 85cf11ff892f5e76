//! What is written where a value is missing: in every column, labels too.

use serde::{Deserialize, Serialize};

/// What becomes of rows with a missing cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// The file is refused, with the place of the cell.
    #[default]
    Refuse,
    /// The row is left out and counted in a note.
    DropRows,
}

impl Missing {
    /// Whether this is the default, which a config does not write out.
    pub(super) fn is_refuse(&self) -> bool {
        *self == Self::Refuse
    }
}

const WORDS: [&str; 9] = ["", "?", "na", "n/a", "#n/a", "nan", "null", "none", "-"];

/// Whether `cell` stands for a missing value; of `sentinels`, numbers are compared as numbers and texts as texts.
pub(super) fn is_missing(cell: &str, sentinels: &[String]) -> bool {
    WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
        || sentinels.iter().any(|sentinel| {
            let sentinel = sentinel.trim();
            cell == sentinel
                || matches!((cell.parse::<f64>(), sentinel.parse::<f64>()), (Ok(value), Ok(other)) if value == other)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_missing_values_are_known_in_every_case_of_letters() {
        for cell in ["", "?", "NA", "N/A", "#N/A", "nan", "NaN", "NULL", "None", "-"] {
            assert!(is_missing(cell, &[]), "{cell}");
        }
        for cell in ["0", "-1", "inf", "no", "n"] {
            assert!(!is_missing(cell, &[]), "{cell}");
        }
    }

    #[test]
    fn a_sentinel_is_compared_as_a_number_where_both_are() {
        let sentinels = ["-200".to_owned(), "absent".to_owned()];
        assert!(is_missing("-200.0", &sentinels) && is_missing("absent", &sentinels));
        assert!(!is_missing("200", &sentinels) && !is_missing("Absent", &sentinels));
    }
}
