//! Whether a report says what the rows beside it say.

use serde::Serialize;

use super::markdown::FIGURES;

/// A line on which a report and what its rows give differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Counted from 1, without empty lines.
    pub line: usize,
    /// What the report says.
    pub kept: String,
    /// What the rows give.
    pub computed: String,
}

/// The lines in which the report `kept` differs from the one `computed` anew; the section of figures counts where both have one. Whether
/// figures lie beside the report or in a folder makes no difference.
#[must_use]
pub fn differences(kept: &str, computed: &str) -> Vec<Difference> {
    let with_figures = computed.lines().any(|line| line == FIGURES);
    let (kept, computed) = (lines(kept, with_figures), lines(computed, with_figures));
    let n_lines = kept.len().max(computed.len());
    let line = |lines: &[String], i: usize| lines.get(i).cloned().unwrap_or_default();
    let pairs = (0..n_lines).map(|i| Difference { line: i + 1, kept: line(&kept, i), computed: line(&computed, i) });
    pairs.filter(|pair| pair.kept != pair.computed).collect()
}

/// The lines that are not empty, with or without the section of figures.
fn lines(text: &str, with_figures: bool) -> Vec<String> {
    let mut is_left_out = false;
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with("## ") {
            is_left_out = line == FIGURES && !with_figures;
        }
        if !is_left_out {
            lines.push(line.replace("](figures/", "]("));
        }
    }
    lines
}

/// Whether two tables in CSV say the same: cell by cell the same words, and numbers that differ by rounding at most, as they do between a program
/// that was built to be fast and one that was not.
#[must_use]
pub fn same_numbers(kept: &str, computed: &str) -> bool {
    const ROUNDING: f64 = 1e-9;
    let cells =
        |text: &str| text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect::<Vec<Vec<_>>>();
    let is_same = |a: &String, b: &String| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= ROUNDING * (1e-3 + a.abs().max(b.abs())),
        _ => a == b,
    };
    let (kept, computed) = (cells(kept), cells(computed));
    kept.len() == computed.len()
        && kept.iter().zip(&computed).all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_differ_by_rounding_and_by_nothing_else() {
        assert!(same_numbers("a,b\nx,0.20292089108683695\n", "a,b\nx,0.20292089108683692\n"));
        assert!(same_numbers("a,\n", "a,\n"));
        for other in ["a,b\nx,0.2029209\n", "a,b\ny,0.20292089108683695\n", "a,b\n", "a,b\nx\n", "a,b\nx,\n"] {
            assert!(!same_numbers("a,b\nx,0.20292089108683695\n", other), "{other}");
        }
    }

    #[test]
    fn a_changed_number_is_found_and_figures_are_left_out() {
        let kept = "# a\n\n0.12\n## Figures\nanything 9\n## Protocol\nx\n";
        assert!(differences(kept, "# a\n0.12\n## Protocol\nx\n").is_empty());
        let found = differences(kept, "# a\n0.13\n## Protocol\nx\n");
        assert_eq!(found, [Difference { line: 2, kept: "0.12".into(), computed: "0.13".into() }]);
    }
}
