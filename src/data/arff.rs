//! The head of an ARFF file (Weka's): attributes name the columns, and the categories of nominal ones.

use crate::error::{Error, Result};

/// What stands above `@data`, and the rows.
pub(super) struct Arff {
    pub(super) names: Vec<String>,
    /// Per column, the categories that it declares; `None` for numbers and text.
    pub(super) levels: Vec<Option<Vec<String>>>,
    /// The text with blank lines in the place of the head, so that lines keep their numbers.
    pub(super) text: String,
    /// What quotes cells.
    pub(super) quote: u8,
}

/// Whether `text`, without comments, begins as an ARFF file does.
pub(super) fn is_arff(text: &str) -> bool {
    let begin: String = text.trim_start().chars().take(10).collect::<String>().to_ascii_lowercase();
    begin.starts_with("@relation") || begin == "@attribute"
}

/// Reads the head of `text`, without comments.
pub(super) fn read(place: &str, text: &str) -> Result<Arff> {
    let (mut names, mut levels, mut rows, mut in_data) = (Vec::new(), Vec::new(), String::new(), false);
    for (line, number) in text.split_inclusive('\n').zip(1_u64..) {
        let refused = |problem: String, remedy: &str| Error::input(format!("{place}, line {number}"), problem, remedy);
        let said = line.trim();
        if in_data {
            if said.starts_with('{') {
                return Err(refused("a sparse ARFF row".into(), "save the file with dense rows, or as CSV"));
            }
            rows.push_str(line);
            continue;
        }
        rows.push('\n');
        let (keyword, rest) = said.split_once(char::is_whitespace).unwrap_or((said, ""));
        match keyword.to_ascii_lowercase().as_str() {
            "" | "@relation" => {}
            "@data" => in_data = true,
            "@attribute" => {
                let attribute = attribute(rest.trim());
                let (name, kind) = attribute
                    .ok_or_else(|| refused(format!("`{said}` names no attribute"), "write `@attribute NAME TYPE`"))?;
                names.push(name);
                levels.push(nominal(&kind));
            }
            _ => return Err(refused(format!("`{said}` is not understood in the head of an ARFF file"), "remove it")),
        }
    }
    if !in_data || names.is_empty() {
        return Err(Error::input(place, "an ARFF file without attributes or without `@data`", "save the file as CSV"));
    }
    let quote = if rows.contains('\'') { b'\'' } else { b'"' };
    Ok(Arff { names, levels, text: rows, quote })
}

fn attribute(text: &str) -> Option<(String, String)> {
    let quote = text.chars().next().filter(|c| "'\"".contains(*c));
    let (name, kind) = match quote {
        Some(quote) => text[1..].split_once(quote)?,
        None => {
            text.split_once(|c: char| c.is_whitespace() || c == '{').map(|(name, _)| (name, &text[name.len()..]))?
        }
    };
    let (name, kind) = (name.trim(), kind.trim());
    (!name.is_empty() && !kind.is_empty()).then(|| (name.to_owned(), kind.to_owned()))
}

fn nominal(kind: &str) -> Option<Vec<String>> {
    let inner = kind.strip_prefix('{')?.strip_suffix('}')?;
    Some(inner.split(',').map(|level| level.trim().trim_matches(['\'', '"']).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_name_the_columns_and_rows_keep_their_lines() {
        let text = "@RELATION r\n@attribute 'u v' NUMERIC\n@attribute kind {a, 'b'}\n@data\n1,a\n";
        assert!(is_arff(text));
        let arff = read("t", text).unwrap();
        assert_eq!(arff.names, ["u v", "kind"]);
        assert_eq!(arff.levels, [None, Some(vec!["a".into(), "b".into()])]);
        assert_eq!(arff.text, "\n\n\n\n1,a\n");
    }

    #[test]
    fn sparse_rows_are_refused_with_the_line() {
        let message = read("t", "@relation r\n@attribute u numeric\n@data\n{0 1}\n").err().unwrap().to_string();
        assert!(message.contains("t, line 4: a sparse ARFF row"), "{message}");
    }
}
