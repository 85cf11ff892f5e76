//! By what a run is decided, and whether that was known before there were results.

use crate::number::percent;
use crate::record::Criterion;

/// A heading for it.
pub(super) fn heading(earlier: &[Criterion]) -> &'static str {
    if earlier.is_empty() { "Criterion, stated before the run" } else { "Criterion, changed when there were results" }
}

/// What it was before; empty where it was not changed.
pub(super) fn before(earlier: &[Criterion]) -> String {
    let each: Vec<String> =
        earlier.iter().map(|one| format!("margin {} at {}", one.margin, percent(one.confidence))).collect();
    if each.is_empty() { String::new() } else { format!(" The run began with another: {}.", each.join(", then ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told() {
        assert_eq!((heading(&[]), before(&[])), ("Criterion, stated before the run", String::new()));
        let earlier = [(0.1, 0.95), (0.2, 0.9)].map(|(margin, confidence)| Criterion { margin, confidence });
        assert_eq!(heading(&earlier), "Criterion, changed when there were results");
        assert_eq!(before(&earlier), " The run began with another: margin 0.1 at 95 %, then margin 0.2 at 90 %.");
    }
}
