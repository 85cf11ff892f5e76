//! A picture as plain values: what to draw, in units of 1/96 inch, before any file format.
//!
//! The same scene becomes the SVG and the PNG, so the two cannot differ in what they show.

use super::theme::{Color, Marker, Stroke};

/// A position, or an offset: x to the right, y downwards.
pub(super) type Place = (f64, f64);

/// Where a text's anchor sits along it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text; `at` lies on its baseline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) at: Place,
    pub(super) text: String,
    pub(super) size: f64,
    pub(super) color: Color,
    pub(super) anchor: Anchor,
    /// Whether the text reads upwards, as the label of a vertical axis does.
    pub(super) upwards: bool,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    Path { points: Vec<Place>, color: Color, width: f64 },
    Area { points: Vec<Place>, color: Color, opacity: f64 },
    Disc { centre: Place, radius: f64, color: Color, opacity: f64 },
    Text(Text),
}

/// A sheet and what is on it, first mark lowest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) marks: Vec<Mark>,
}

impl Scene {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, marks: Vec::new() }
    }

    /// An open line; a dashed one becomes one mark per dash, because the drawing library knows only solid lines.
    pub(super) fn path(&mut self, points: &[Place], stroke: Stroke) {
        let Stroke { color, width, dash } = stroke;
        let pieces = match dash.pattern() {
            [] => vec![points.to_vec()],
            pattern => dashes(points, pattern),
        };
        self.marks.extend(pieces.into_iter().map(|points| Mark::Path { points, color, width }));
    }

    pub(super) fn area(&mut self, points: Vec<Place>, color: Color, opacity: f64) {
        self.marks.push(Mark::Area { points, color, opacity });
    }

    pub(super) fn marker(&mut self, (x, y): Place, marker: Marker, color: Color, radius: f64, opacity: f64) {
        match marker.corners() {
            [] => self.marks.push(Mark::Disc { centre: (x, y), radius, color, opacity }),
            corners => {
                let points = corners.iter().map(|(dx, dy)| (x + radius * dx, y + radius * dy)).collect();
                self.area(points, color, opacity);
            }
        }
    }

    /// A horizontal line of text.
    pub(super) fn text(&mut self, at: Place, text: &str, size: f64, color: Color, anchor: Anchor) {
        self.marks.push(Mark::Text(Text { at, text: text.to_owned(), size, color, anchor, upwards: false }));
    }

    /// A line of text that reads upwards, centred at `at`.
    pub(super) fn text_upwards(&mut self, at: Place, text: &str, size: f64, color: Color) {
        let anchor = Anchor::Middle;
        self.marks.push(Mark::Text(Text { at, text: text.to_owned(), size, color, anchor, upwards: true }));
    }
}

/// Cuts a line into dashes: `pattern` holds lengths on, off, on, off, ...
fn dashes(points: &[Place], pattern: &[f64]) -> Vec<Vec<Place>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Place> = points.first().copied().into_iter().collect();
    let (mut phase, mut left) = (0, pattern[0]);
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut walked = 0.0;
        while length - walked > left {
            walked += left;
            let share = walked / length;
            let cut = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
            if phase % 2 == 0 {
                piece.push(cut);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![cut];
            }
            phase = (phase + 1) % pattern.len();
            left = pattern[phase];
        }
        left -= length - walked;
        if phase % 2 == 0 {
            piece.push(to);
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_their_share_of_a_bent_line() {
        let pieces = dashes(&[(0.0, 0.0), (7.0, 0.0), (7.0, 13.0)], &[3.0, 2.0]);
        let length: f64 = pieces
            .iter()
            .flat_map(|piece| piece.windows(2))
            .map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1))
            .sum();
        assert_eq!(pieces.len(), 4);
        assert!((length - 12.0).abs() < 1e-12, "{pieces:?}");
    }
}
