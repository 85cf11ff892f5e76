//! A user's words inside Markdown and HTML.

/// A user's words as one line that means nothing to Markdown or HTML.
pub(super) fn plain(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::with_capacity(line.len());
    for letter in line.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '*' | '_' | '`' | '[' | ']' | '#' | '|' | '\\' => escaped.extend(['\\', letter]),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_question_cannot_become_markup() {
        assert_eq!(plain("is a_b <b>1</b>\n| 2?"), "is a\\_b &lt;b&gt;1&lt;/b&gt; \\| 2?");
    }
}
