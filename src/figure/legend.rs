//! What the colours, markers and lines mean, in columns as wide as the widest entry.

use super::font::text_width;
use super::scene::{Anchor, Scene};
use super::theme::{Color, INK, Look, MARKER, Marker, PAPER, Stroke, TICK};

const SAMPLE: f64 = 32.0;
const GAP: f64 = 6.0;
const BETWEEN: f64 = 18.0;
const LINE: f64 = 16.0;

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    label: String,
    stroke: Option<Stroke>,
    marker: Option<(Marker, Color)>,
}

/// A legend; empty, it takes no room.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Legend {
    entries: Vec<Entry>,
}

impl Legend {
    /// Markers on a line.
    pub(super) fn series(&mut self, label: impl Into<String>, look: Look) {
        let (stroke, marker) = (Some(look.stroke()), Some((look.marker, look.color)));
        self.entries.push(Entry { label: label.into(), stroke, marker });
    }

    /// Markers without a line.
    pub(super) fn markers(&mut self, label: impl Into<String>, look: Look) {
        self.entries.push(Entry { label: label.into(), stroke: None, marker: Some((look.marker, look.color)) });
    }

    /// A line without markers.
    pub(super) fn line(&mut self, label: impl Into<String>, stroke: Stroke) {
        self.entries.push(Entry { label: label.into(), stroke: Some(stroke), marker: None });
    }

    /// How much height the legend takes when `width` is free.
    pub(super) fn height(&self, width: f64) -> f64 {
        let n_lines = self.entries.len().div_ceil(self.n_columns(width));
        if n_lines == 0 { 0.0 } else { LINE * n_lines as f64 + 8.0 }
    }

    /// Draws the entries, column after column, into a strip whose upper left corner is given.
    pub(super) fn draw(&self, scene: &mut Scene, left: f64, top: f64, width: f64) {
        let n_columns = self.n_columns(width);
        let column = self.column_width();
        let n_lines = self.entries.len().div_ceil(n_columns);
        for (i, entry) in self.entries.iter().enumerate() {
            let x = left + (i / n_lines) as f64 * column;
            let y = top + 4.0 + LINE * ((i % n_lines) as f64 + 0.5);
            if let Some(stroke) = entry.stroke {
                scene.path(&[(x, y), (x + SAMPLE, y)], stroke);
            }
            if let Some((marker, color)) = entry.marker {
                let at = (x + 0.5 * SAMPLE, y);
                scene.marker(at, marker, PAPER, MARKER + 0.7, 1.0);
                scene.marker(at, marker, color, MARKER, 1.0);
            }
            scene.text((x + SAMPLE + GAP, y + 0.36 * TICK), &entry.label, TICK, INK, Anchor::Start);
        }
    }

    fn n_columns(&self, width: f64) -> usize {
        (((width + BETWEEN) / self.column_width()) as usize).max(1)
    }

    fn column_width(&self) -> f64 {
        let widest = self.entries.iter().map(|entry| text_width(&entry.label, TICK)).fold(0.0, f64::max);
        SAMPLE + GAP + widest + BETWEEN
    }
}

#[cfg(test)]
mod tests {
    use super::super::theme::GUIDE;
    use super::*;

    #[test]
    fn a_legend_takes_the_lines_it_needs() {
        let mut legend = Legend::default();
        assert_eq!(legend.height(100.0), 0.0);
        for _ in 0..4 {
            legend.line("entry", GUIDE);
        }
        assert_eq!(legend.height(1000.0), LINE + 8.0);
        assert_eq!(legend.height(10.0), 4.0 * LINE + 8.0);
    }
}
