//! A chart of an analysis: panels of curves with bands, and dotted guides. What the curves are about it does not know.

use super::Drawing;
use super::annotation::CROSS_ROOM;
use super::axis::{self, Axis};
use super::font::fitted;
use super::layout::Layout;
use super::legend::Legend;
use super::numbers::{Numbers, cell};
use super::panel::Panel;
use super::scene::Scene;
use super::theme::{GUIDE, Look};
use crate::study::findings::{self, Chart, Mishap, Scale};

pub(super) fn draw(chart: &Chart) -> Drawing {
    Drawing {
        name: chart.name,
        title: chart.title,
        caption: caption(chart),
        numbers: table(chart),
        scene: scene(chart),
    }
}

/// With a sentence on the marks that there are.
fn caption(chart: &Chart) -> String {
    let mut caption = chart.caption.clone();
    if any(chart, |one| one.n_diverged > 0) {
        caption
            .push_str(" A cross at the top edge marks where networks diverged, with their number where there is room.");
    }
    if any(chart, |one| one.n_missed > 0) {
        caption.push_str(" A dagger there marks where networks took all their steps without meeting the rule to stop.");
    }
    caption
}

/// Whether there are such mishaps in any panel.
fn any(chart: &Chart, is_such: fn(&Mishap) -> bool) -> bool {
    chart.panels.iter().flat_map(|panel| &panel.mishaps).any(is_such)
}

fn table(chart: &Chart) -> Numbers {
    let mut numbers = Numbers::new(["panel", "series", "x", "n", "mean", "low", "high"]);
    for panel in &chart.panels {
        for series in &panel.series {
            for (x, value) in &series.points {
                let n = value.map_or(0, |value| value.n).to_string();
                let ends = [value.map(|v| v.mean), value.map(|v| v.low), value.map(|v| v.high)].map(cell);
                let start = [panel.title.clone(), series.label.clone(), cell(*x), n];
                numbers.push(start.into_iter().chain(ends).collect());
            }
        }
    }
    numbers
}

fn scene(chart: &Chart) -> Scene {
    let labels = labels(chart);
    let look = |label: &str| Look::ordered(labels.iter().position(|other| *other == label).unwrap_or(0), labels.len());
    let mut legend = Legend::default();
    labels.iter().for_each(|label| legend.series(*label, look(label)));
    let mut guides: Vec<&str> = Vec::new();
    for guide in chart.panels.iter().flat_map(|panel| &panel.guides) {
        if !guides.contains(&guide.label.as_str()) {
            guides.push(&guide.label);
            legend.line(guide.label.clone(), GUIDE);
        }
    }
    let (any_diverged, any_missed) = (any(chart, |one| one.n_diverged > 0), any(chart, |one| one.n_missed > 0));
    let headroom = CROSS_ROOM * (usize::from(any_diverged) + usize::from(any_missed)) as f64;
    let layout = Layout { n_panels: chart.panels.len().max(1), share_y: true, height: Some(220.0), headroom };
    let (mut scene, frames) = layout.sheet(&legend);
    let x = along(&chart.x, chart.panels.iter().flat_map(xs));
    for (i, (frame, of_panel)) in frames.into_iter().zip(&chart.panels).enumerate() {
        // The panels of a row share their vertical axis.
        let row = i / layout.n_columns();
        let in_row = chart.panels.iter().enumerate().filter(|(k, _)| k / layout.n_columns() == row);
        let y = along(&chart.y, in_row.flat_map(|(_, panel)| ys(panel, chart.y.scale)));
        let panel = Panel { frame, headroom, x: x.clone(), y };
        panel.draw_frame(&mut scene, &fitted(&of_panel.title, frame.width), layout.leads_row(i));
        if of_panel.series.iter().all(|series| series.points.iter().all(|(_, value)| value.is_none())) {
            panel.sentence(&mut scene, &["No finite value to draw."]);
        }
        for guide in &of_panel.guides {
            let points: Vec<_> = guide.points.iter().map(|&(x, y)| (x, Some(y))).collect();
            panel.line(&mut scene, &points, GUIDE);
        }
        for series in &of_panel.series {
            panel.spread(&mut scene, &series.points, look(&series.label).color);
        }
        for series in &of_panel.series {
            panel.curve(&mut scene, &series.points, look(&series.label));
        }
        let counts = |of: fn(&Mishap) -> usize| -> Vec<(f64, usize, usize)> {
            of_panel.mishaps.iter().map(|one| (one.x, of(one), one.n_networks)).collect()
        };
        panel.crosses(&mut scene, &counts(|one| one.n_diverged));
        panel.daggers_at_top(&mut scene, usize::from(any_diverged), &counts(|one| one.n_missed));
    }
    scene
}

/// The labels of all series, each once.
fn labels(chart: &Chart) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for series in chart.panels.iter().flat_map(|panel| &panel.series) {
        if !labels.contains(&series.label.as_str()) {
            labels.push(&series.label);
        }
    }
    labels
}

fn along(side: &findings::Axis, values: impl IntoIterator<Item = f64>) -> Axis {
    let scale = match side.scale {
        Scale::Linear => axis::Scale::Linear,
        Scale::Integer => axis::Scale::Integer,
        Scale::Log2 => axis::Scale::Log2,
        Scale::Log10 => axis::Scale::Log10,
    };
    Axis::over(scale, &side.label, values)
}

fn xs(panel: &findings::Panel) -> impl Iterator<Item = f64> + '_ {
    panel.series.iter().flat_map(|series| series.points.iter().map(|(x, _)| *x))
}

/// What the vertical axis must show: the intervals and the guides; on a logarithmic one, of a lower end far below its mean only the way there.
fn ys(panel: &findings::Panel, scale: Scale) -> impl Iterator<Item = f64> + '_ {
    let least = if scale == Scale::Log10 { 0.4 } else { f64::NEG_INFINITY };
    let values = panel.series.iter().flat_map(|series| series.points.iter().filter_map(|(_, value)| *value));
    let guides = panel.guides.iter().flat_map(|guide| guide.points.iter().map(|(_, y)| *y));
    values.flat_map(move |v| [v.low.max(least * v.mean), v.mean, v.high]).chain(guides)
}

#[cfg(test)]
mod tests {
    use super::super::annotation::DAGGER;
    use super::super::scene::Mark;
    use super::*;
    use crate::study::findings::{Axis, Panel, Series};

    #[test]
    fn what_diverged_or_missed_its_target_is_marked_and_the_caption_says_so() {
        let drawn = |mishaps: Vec<Mishap>| {
            let series = vec![Series { label: "networks".into(), points: vec![(1.0, None), (2.0, None)] }];
            let panels = vec![Panel { series, mishaps, ..Panel::default() }];
            let (x, y) = (Axis::new("x", Scale::Linear), Axis::new("y", Scale::Linear));
            draw(&Chart { name: "chart", title: "Chart", caption: "About.".into(), x, y, panels })
        };
        let texts = |drawing: &Drawing| -> Vec<String> {
            let text = |mark: &Mark| if let Mark::Text(text) = mark { Some(text.text.clone()) } else { None };
            drawing.scene.marks.iter().filter_map(text).collect()
        };
        let whole = drawn(Vec::new());
        assert_eq!(whole.caption, "About.");
        let marked = drawn(vec![Mishap { x: 1.0, n_diverged: 2, n_missed: 1, n_networks: 5 }]);
        assert!(marked.caption.contains("cross") && marked.caption.contains("dagger"), "{}", marked.caption);
        for text in ["2/5", "1/5", DAGGER] {
            assert!(texts(&marked).iter().any(|other| other == text), "{text} in {:?}", texts(&marked));
            assert!(texts(&whole).iter().all(|other| other != text));
        }
        let missed = drawn(vec![Mishap { x: 1.0, n_diverged: 0, n_missed: 1, n_networks: 5 }]);
        assert!(!missed.caption.contains("cross"), "{}", missed.caption);
    }
}
