//! A cell of the map: the networks of one depth and width at one setting.

use std::collections::BTreeMap;

use crate::number::percent;
use crate::record::Row;
use crate::stats::Interval;
use crate::study::analysis::Evidence;
use crate::study::analysis::label::{REPLICATES, in_words, replicate, without};
use crate::study::verdict::{Decision, Term, decide};

/// What has an axis of its own on the map, or is averaged over.
pub(super) const ASIDE: [&str; 4] = ["arch.width", "arch.depth", REPLICATES[0], REPLICATES[1]];

/// The classes' upper ends, in target deviations.
pub(super) const BOUNDS: [f64; 4] = [0.01, 0.05, 0.1, 0.2];

/// In words; none where a class cannot be told.
pub(super) fn class_name(class: Option<usize>) -> String {
    match class.map(|class| BOUNDS.get(class)) {
        Some(Some(bound)) => format!("within {}", percent(*bound)),
        Some(None) => "not within 20 %".to_owned(),
        None => "-".to_owned(),
    }
}

/// The two comparisons of network and kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// To gradient descent under the kernel for the same time.
    AtTime,
    /// To kernel regression.
    Total,
}

impl Gap {
    pub(super) const ALL: [Self; 2] = [Self::AtTime, Self::Total];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AtTime => "equal time",
            Self::Total => "infinite time",
        }
    }

    /// After "kernel regression".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::AtTime => "at equal time",
            Self::Total => "after infinite time",
        }
    }

    fn of(self, row: &Row) -> Option<f64> {
        match self {
            Self::AtTime => row.gap_at_time,
            Self::Total => row.gap_total,
        }
    }

    /// The parts that add up to it.
    pub(super) fn terms(self) -> impl Iterator<Item = Term> {
        Term::ALL.into_iter().filter(move |term| self == Self::Total || *term != Term::FiniteTime)
    }
}

/// The networks of one depth and width at one setting.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// As in [`Row::varied`], without what has an axis of its own.
    pub(super) setting: String,
    pub(super) depth: usize,
    pub(super) width: usize,
    pub(super) n_networks: usize,
    pub(super) n_diverged: usize,
    /// Trained above the stability bound, where the kernel at a finite time measures nothing.
    pub(super) n_unstable: usize,
    /// One value per seed or data replicate, for each of [`Gap::ALL`].
    values: [Vec<f64>; 2],
    intervals: [Option<Interval>; 2],
    largest: [Option<Term>; 2],
}

impl Cell {
    /// Every one, setting by setting in the order of the rows, shallow and narrow first.
    pub(super) fn all(evidence: &Evidence<'_>) -> Vec<Self> {
        let mut order: Vec<String> = Vec::new();
        let mut members: BTreeMap<(usize, usize, usize), Vec<&Row>> = BTreeMap::new();
        for &row in evidence.rows {
            let setting = without(&row.varied, &ASIDE);
            let position = order.iter().position(|other| *other == setting).unwrap_or_else(|| {
                order.push(setting);
                order.len() - 1
            });
            members.entry((position, row.depth, row.width)).or_default().push(row);
        }
        let cell =
            |((position, ..), rows): (&(usize, usize, usize), &Vec<&Row>)| Self::of(evidence, &order[*position], rows);
        members.iter().map(cell).collect()
    }

    fn of(evidence: &Evidence<'_>, setting: &str, rows: &[&Row]) -> Self {
        let trained: Vec<&Row> = rows.iter().copied().filter(|row| row.is_trained()).collect();
        let values = Gap::ALL.map(|gap| values(&trained, &|row| gap.of(row), is_over_replicates(evidence.rows)));
        let largest = Gap::ALL.map(|gap| {
            let mean = |term: Term| {
                let parts: Vec<f64> = trained.iter().filter_map(|row| term.of(row)).collect();
                (!parts.is_empty()).then(|| (term, parts.iter().sum::<f64>() / parts.len() as f64))
            };
            gap.terms()
                .filter_map(mean)
                .filter(|(_, mean)| *mean > 0.0)
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(term, _)| term)
        });
        Self {
            setting: setting.to_owned(),
            depth: rows[0].depth,
            width: rows[0].width,
            n_networks: rows.len(),
            n_diverged: rows.len() - trained.len(),
            n_unstable: trained.iter().filter(|row| !row.is_stable()).count(),
            intervals: [0, 1].map(|i| evidence.mean(values[i].iter().copied())),
            values,
            largest,
        }
    }

    /// What intervals are over, in words.
    pub(super) fn units(evidence: &Evidence<'_>) -> &'static str {
        if is_over_replicates(evidence.rows) { "data replicates, each with the mean over its seeds" } else { "seeds" }
    }

    pub(super) fn values(&self, gap: Gap) -> &[f64] {
        &self.values[gap as usize]
    }

    pub(super) fn interval(&self, gap: Gap) -> Option<Interval> {
        self.intervals[gap as usize]
    }

    /// Not a number where nothing was trained.
    pub(super) fn mean(&self, gap: Gap) -> f64 {
        self.interval(gap).map_or(f64::NAN, |interval| interval.mean)
    }

    pub(super) fn largest(&self, gap: Gap) -> Option<Term> {
        self.largest[gap as usize]
    }

    /// The first bound below which the whole interval lies, or that none is; none where a network diverged or there is no interval.
    pub(super) fn class(&self, gap: Gap) -> Option<usize> {
        let interval = self.interval(gap).filter(|interval| interval.n > 1 && self.n_diverged == 0)?;
        Some(BOUNDS.iter().position(|bound| interval.high < *bound).unwrap_or(BOUNDS.len()))
    }

    pub(super) fn decide(&self, gap: Gap, margin: f64) -> Decision {
        if self.n_diverged > 0 { Decision::Diverged } else { decide(self.interval(gap), margin) }
    }

    /// Where it lies, in words.
    pub(super) fn words(&self) -> String {
        let place = format!("depth {}, width {}", self.depth, self.width);
        if self.setting.is_empty() { place } else { format!("{}, {place}", in_words(&self.setting)) }
    }
}

/// Whether settings are repeated with other data.
pub(super) fn is_over_replicates(rows: &[&Row]) -> bool {
    rows.iter().any(|row| replicate(&row.varied) != replicate(&rows[0].varied))
}

/// One value per network, or per data replicate.
fn values(rows: &[&Row], value: &dyn Fn(&Row) -> Option<f64>, is_over_replicates: bool) -> Vec<f64> {
    if !is_over_replicates {
        return rows.iter().filter_map(|row| value(row)).collect();
    }
    let mut replicates: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in rows {
        replicates.entry(replicate(&row.varied)).or_default().extend(value(row));
    }
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    replicates.values().filter(|values| !values.is_empty()).map(mean).collect()
}
