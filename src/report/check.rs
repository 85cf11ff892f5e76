//! Whether a report says what the rows beside it say.

use super::markdown::FIGURES;

/// A line on which a report and what its rows give differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Counted from 1 in the report, its figures left out.
    pub line: usize,
    /// What the report says.
    pub kept: String,
    /// What the rows give.
    pub computed: String,
}

/// The lines in which the report `kept` differs from the one `computed` anew without figures, whose captions it leaves out.
#[must_use]
pub fn differences(kept: &str, computed: &str) -> Vec<Difference> {
    let (kept, computed) = (without_figures(kept), without_figures(computed));
    let n_lines = kept.len().max(computed.len());
    let line = |lines: &[&str], i: usize| lines.get(i).copied().unwrap_or_default().to_owned();
    let pairs = (0..n_lines).map(|i| Difference { line: i + 1, kept: line(&kept, i), computed: line(&computed, i) });
    pairs.filter(|pair| pair.kept != pair.computed).collect()
}

/// The lines that are not empty and not of the section of figures.
fn without_figures(text: &str) -> Vec<&str> {
    let mut is_inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("## ") {
            is_inside = line.starts_with(FIGURES);
        }
        if !is_inside && !line.trim().is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_number_is_found_and_figures_are_left_out() {
        let kept = "# a\n\n0.12\n## Figures\nanything 9\n## Protocol\nx\n";
        assert!(differences(kept, "# a\n0.12\n## Protocol\nx\n").is_empty());
        let found = differences(kept, "# a\n0.13\n## Protocol\nx\n");
        assert_eq!(found, [Difference { line: 2, kept: "0.12".into(), computed: "0.13".into() }]);
    }
}
