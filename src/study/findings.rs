//! What an analysis found, as plain values: statements with their decision, tables, charts. A report writes them and a figure draws them
//! without knowing what they are about, so that an analysis is one file.

use serde::Serialize;

use super::verdict::{Decision, decide, needed};
use crate::stats::{self, Bootstrap, Interval, Slope, equivalence_test};

/// All that an analysis found.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Findings {
    /// The answer, sentence by sentence, by the criterion that was stated before the run.
    pub statements: Vec<Statement>,
    /// The numbers behind it.
    pub tables: Vec<Table>,
    /// The same to look at.
    pub charts: Vec<Chart>,
    /// Maps over settings, drawn after the charts.
    pub maps: Vec<TileMap>,
}

/// A claim and what the rows say of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// A sentence that holds or fails, without a full stop.
    pub claim: String,
    /// Which of the two.
    pub decision: Decision,
    /// The numbers, as words.
    pub evidence: String,
    /// How many values (of what, in words) an undecided statement would take in all, at the spread seen.
    pub needed: Option<(usize, String)>,
}

impl Statement {
    /// That the quantity of `interval` lies below `margin`; `of` names what it is an interval over, in the plural ("seeds").
    #[must_use]
    pub fn below(
        claim: impl Into<String>,
        interval: Option<Interval>,
        margin: f64,
        evidence: impl Into<String>,
        of: &str,
    ) -> Self {
        let decision = decide(interval, margin);
        let needed = interval.filter(|_| decision == Decision::Undecided).and_then(|interval| needed(interval, margin));
        Self { claim: claim.into(), decision, evidence: evidence.into(), needed: needed.map(|n| (n, of.to_owned())) }
    }

    /// That the mean of `differences` lies within `margin` of 0, by two one-sided tests at the level that goes with `confidence`.
    #[must_use]
    pub fn alike(
        claim: impl Into<String>,
        differences: &[f64],
        margin: f64,
        confidence: f64,
        evidence: impl Into<String>,
        of: &str,
    ) -> Self {
        let test = equivalence_test(differences, margin, 1.0 - confidence);
        let (decision, more) = match test.map(|test| test.decision) {
            Some(stats::Decision::Equivalent) => (Decision::Holds, None),
            Some(stats::Decision::Different) => (Decision::Fails, None),
            Some(stats::Decision::Undecided { n_more_pairs }) => (Decision::Undecided, n_more_pairs),
            None if differences.is_empty() => (Decision::Diverged, None),
            None => (Decision::NoInterval, None),
        };
        let needed = more.map(|more| (differences.len() + more, of.to_owned()));
        Self { claim: claim.into(), decision, evidence: evidence.into(), needed }
    }

    /// That the quantity of `interval`, which can have either sign, lies between -`margin` and `margin`.
    #[must_use]
    pub fn within(
        claim: impl Into<String>,
        interval: Option<Interval>,
        margin: f64,
        evidence: impl Into<String>,
        of: &str,
    ) -> Self {
        let turned = |i: Interval| Interval { mean: -i.mean, low: -i.high, high: -i.low, n: i.n };
        // The end that is farther from 0 decides, so the interval may be turned around 0.
        let upward = interval.map(|i| if i.mean < 0.0 { turned(i) } else { i });
        let below = Self::below(claim, upward, margin, evidence, of);
        // Below the margin on one side and beyond it on the other is undecided.
        match upward {
            Some(i) if below.decision == Decision::Holds && i.low < -margin => {
                let needed = needed(turned(i), margin).map(|n| (n, of.to_owned()));
                Self { decision: Decision::Undecided, needed, ..below }
            }
            _ => below,
        }
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// What the numbers are, their units and what their intervals are over.
    pub note: String,
    /// Column heads.
    pub header: Vec<String>,
    /// As many cells each.
    pub rows: Vec<Vec<Cell>>,
}

/// An entry of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A count.
    Count(usize),
    /// A number that has no interval, such as an error of a kernel, which knows no seed.
    Number(f64),
    /// A mean with its interval; absent where nothing was trained.
    Interval(Option<Interval>),
    /// An exponent with its interval; absent where there are too few values.
    Exponent(Option<Slope>),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<Interval>> for Cell {
    fn from(interval: Option<Interval>) -> Self {
        Self::Interval(interval)
    }
}

impl From<Option<Slope>> for Cell {
    fn from(slope: Option<Slope>) -> Self {
        Self::Exponent(slope)
    }
}

/// A bootstrap interval of a mean over `n` values.
#[must_use]
pub fn interval_of(bootstrap: Bootstrap, n: usize) -> Interval {
    Interval { mean: bootstrap.estimate, low: bootstrap.low, high: bootstrap.high, n }
}

/// A figure: panels with the same axes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    /// Names its files.
    pub name: &'static str,
    /// A heading.
    pub title: &'static str,
    /// Full sentences: what is drawn; what the bands are; the widths, seeds and data it is about.
    pub caption: String,
    /// Across.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// Side by side, at most six.
    pub panels: Vec<Panel>,
}

/// What runs along the side of a panel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Axis {
    /// With the unit.
    pub label: String,
    /// How it is laid out.
    pub scale: Scale,
}

impl Axis {
    /// An axis of this label.
    #[must_use]
    pub fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self { label: label.into(), scale }
    }
}

/// How a quantity is laid out along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// Whole numbers.
    Integer,
    /// Powers of two.
    Log2,
    /// Powers of ten; what is not positive has no place.
    Log10,
}

/// One frame of a chart.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Panel {
    /// Above the frame.
    pub title: String,
    /// Curves with a marker at every mean and a band of its intervals.
    pub series: Vec<Series>,
    /// Dotted lines: what theory expects, or a margin.
    pub guides: Vec<Guide>,
    /// Where networks came to no good, marked at the top edge.
    pub mishaps: Vec<Mishap>,
}

/// Networks at one place along a panel of which some diverged, so that they enter nothing, or took all their steps without meeting the rule
/// to stop, so that they enter as they are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mishap {
    /// Where.
    pub x: f64,
    /// How many diverged.
    pub n_diverged: usize,
    /// How many missed their target.
    pub n_missed: usize,
    /// Of how many.
    pub n_networks: usize,
}

/// A curve of means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// In the legend; the same label has the same look in every panel.
    pub label: String,
    /// Smallest x first.
    pub points: Vec<(f64, Option<Interval>)>,
}

/// A line that is not measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Guide {
    /// In the legend.
    pub label: String,
    /// Its corners.
    pub points: Vec<(f64, f64)>,
}

/// A map: panels with the same rows and columns, a tile at each crossing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TileMap {
    /// Names its files.
    pub name: &'static str,
    /// A heading.
    pub title: &'static str,
    /// Full sentences: what a tile is, by what it has its colour, what the marks on tiles are.
    pub caption: String,
    /// What the columns are.
    pub x: String,
    /// Their names, from the left.
    pub columns: Vec<String>,
    /// What the rows are.
    pub y: String,
    /// Their names, from the top.
    pub rows: Vec<String>,
    /// What the colours mean, best first.
    pub classes: Vec<String>,
    /// What the letters on tiles mean: letter, meaning.
    pub marks: Vec<(String, String)>,
    /// Side by side, at most six.
    pub panels: Vec<TilePanel>,
}

/// One frame of a map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TilePanel {
    /// Above the frame.
    pub title: String,
    /// Row by row, as many as there are columns; absent where nothing was computed.
    pub tiles: Vec<Vec<Option<Tile>>>,
}

/// One crossing of a map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tile {
    /// Which of the map's classes; none where it cannot be told, which is drawn without colour.
    pub class: Option<usize>,
    /// A letter.
    pub mark: String,
    /// The quantity that was classed.
    pub value: Option<Interval>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undecided_claim_takes_more_values_than_there_are() {
        let needed = |mean, low, high| {
            let statement = Statement::within("a", Some(Interval { mean, low, high, n: 20 }), 0.25, "b", "seeds");
            assert_eq!(statement.decision, Decision::Undecided, "{statement:?}");
            statement.needed.map(|(n, _)| n)
        };
        // The half that reaches over the margin counts, twice the distance from it, also where the other half is short.
        assert_eq!(needed(0.125, 0.0, 0.375), Some(80));
        assert_eq!(needed(-0.125, -0.375, 0.0), Some(80));
        // Beyond the other margin alone: 5/8 against a distance of 3/8.
        assert_eq!(needed(0.125, -0.5, 0.2), Some(56));
        assert_eq!(needed(0.125, 0.0, 0.25), Some(21));
    }

    #[test]
    fn alike_is_decided_by_both_sides_of_the_margin() {
        let decided = |differences: &[f64]| Statement::alike("a", differences, 0.1, 0.95, "b", "splits");
        assert_eq!(decided(&[0.01, -0.02, 0.0, 0.01]).decision, Decision::Holds);
        assert_eq!(decided(&[0.2, 0.21, 0.19, 0.2]).decision, Decision::Fails);
        assert_eq!(decided(&[-0.2, -0.21, -0.19, -0.2]).decision, Decision::Fails);
        let undecided = decided(&[0.05, 0.15, -0.05, 0.1]);
        assert!(undecided.needed.as_ref().is_some_and(|(n, of)| *n > 4 && of == "splits"), "{undecided:?}");
        assert_eq!((decided(&[0.0]).decision, decided(&[]).decision), (Decision::NoInterval, Decision::Diverged));
    }
}
