//! The panels of a chart: of networks by their depth, or of a quantity against the width.

use super::super::Evidence;
use super::super::evidence::mishaps;
use super::super::label::{in_words, title};
use super::ensemble::Ensemble;
use crate::stats::Interval;
use crate::study::findings::{Guide, Mishap, Panel, Series};

/// A panel per depth and setting, of the networks of all widths.
pub(super) fn by_depth<'e, 'a>(
    ensembles: &'e [Ensemble<'a>],
    panel: impl Fn(String, &[&'e Ensemble<'a>]) -> Panel,
) -> Vec<Panel> {
    let mut kinds: Vec<(usize, &str)> = Vec::new();
    for one in ensembles {
        if !kinds.contains(&(one.depth, &one.setting)) {
            kinds.push((one.depth, &one.setting));
        }
    }
    let of_kind = |(depth, setting): (usize, &str)| {
        let alike: Vec<&Ensemble<'a>> =
            ensembles.iter().filter(|one| (one.depth, one.setting.as_str()) == (depth, setting)).collect();
        panel(title(depth, setting), &alike)
    };
    kinds.into_iter().map(of_kind).collect()
}

/// A panel per setting, a curve per depth against the width, and a guide at each height.
pub(super) fn along_width(
    evidence: &Evidence<'_>,
    ensembles: &[Ensemble<'_>],
    guides: &[(f64, &str)],
    value: impl Fn(&Ensemble<'_>) -> Option<Interval>,
) -> Vec<Panel> {
    let mut panels: Vec<Panel> = Vec::new();
    for one in ensembles {
        let heading = in_words(&one.setting);
        let position = panels.iter().position(|panel| panel.title == heading).unwrap_or_else(|| {
            panels.push(Panel { title: heading, ..Panel::default() });
            panels.len() - 1
        });
        let label = format!("depth {}", one.depth);
        let series = &mut panels[position].series;
        let place = series.iter().position(|series| series.label == label).unwrap_or_else(|| {
            series.push(Series { label, points: Vec::new() });
            series.len() - 1
        });
        series[place].points.push((one.width as f64, value(one)));
    }
    for panel in &mut panels {
        let alike: Vec<&Ensemble<'_>> = ensembles.iter().filter(|one| in_words(&one.setting) == panel.title).collect();
        panel.guides = guides.iter().map(|&(height, label)| level(widths(&alike), height, label)).collect();
        panel.mishaps = by_width(evidence, &alike);
    }
    panels
}

/// The networks that came to no good.
pub(super) fn by_width(evidence: &Evidence<'_>, ensembles: &[&Ensemble<'_>]) -> Vec<Mishap> {
    mishaps(ensembles.iter().flat_map(|one| evidence.networks(&one.groups).map(|row| (one.width as f64, row))))
}

/// A dotted line at one height, between two places.
pub(super) fn level((from, to): (f64, f64), height: f64, label: impl Into<String>) -> Guide {
    Guide { label: label.into(), points: vec![(from, height), (to, height)] }
}

/// The least and the greatest width.
pub(super) fn widths(ensembles: &[&Ensemble<'_>]) -> (f64, f64) {
    let widths = || ensembles.iter().map(|one| one.width as f64);
    (widths().fold(f64::INFINITY, f64::min), widths().fold(0.0, f64::max))
}
