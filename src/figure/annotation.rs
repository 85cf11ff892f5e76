//! What a panel says beside its data: crosses where networks diverged, daggers where they missed their target, notes, and a sentence where there is nothing to draw.

use super::font::text_width;
use super::panel::{Frame, Panel};
use super::scene::{Anchor, Scene};
use super::theme::{AXIS, Color, DIVERGED, Dash, NOTE, PAPER, Stroke, TICK};

/// Room at the top of a panel for the crosses that mark divergence.
pub(super) const CROSS_ROOM: f64 = 17.0;

/// Half the width of a mark.
const ARM: f64 = 3.2;

/// Marks what networks enter that missed their target.
pub(super) const DAGGER: &str = "\u{2020}";

impl Panel {
    /// Crosses at the top edge, where of some networks (third) some diverged (second); with both numbers where there is room.
    pub(super) fn crosses(&self, scene: &mut Scene, counts: &[(f64, usize, usize)]) {
        let stroke = Stroke::new(DIVERGED, 1.6, Dash::Solid);
        self.counted(scene, 0, counts, |scene, (x, y)| {
            scene.path(&[(x - ARM, y - ARM), (x + ARM, y + ARM)], stroke);
            scene.path(&[(x - ARM, y + ARM), (x + ARM, y - ARM)], stroke);
        });
    }

    /// Daggers below them, where of some networks some missed their target.
    pub(super) fn daggers_at_top(&self, scene: &mut Scene, line: usize, counts: &[(f64, usize, usize)]) {
        self.counted(scene, line, counts, |scene, (x, y)| {
            scene.text((x, y + 0.36 * TICK), DAGGER, TICK, DIVERGED, Anchor::Middle);
        });
    }

    /// A mark and the counts on a line of the strip at the top edge.
    fn counted(
        &self,
        scene: &mut Scene,
        line: usize,
        counts: &[(f64, usize, usize)],
        mark: impl Fn(&mut Scene, (f64, f64)),
    ) {
        let gap = 2.5;
        let y = self.frame.top + (line as f64 + 0.5) * CROSS_ROOM;
        let right = self.frame.left + self.frame.width;
        let marks: Vec<(f64, String)> = counts
            .iter()
            .filter(|(_, n_marked, _)| *n_marked > 0)
            .filter_map(|(x, n_marked, n)| {
                Some((self.frame.left + self.x.share(*x)? * self.frame.width, format!("{n_marked}/{n}")))
            })
            .collect();
        let widest = marks.iter().map(|(_, label)| text_width(label, NOTE)).fold(0.0, f64::max);
        let room = 2.0 * (ARM + gap) + widest;
        // The last label may have to stand left of its mark, where the one before it would stand too.
        let with_labels = marks.windows(2).all(|pair| pair[1].0 - pair[0].0 > room + widest);
        for (x, label) in marks {
            mark(scene, (x, y));
            let baseline = y + 0.36 * NOTE;
            if with_labels && x + room < right {
                scene.text((x + ARM + gap, baseline), &label, NOTE, DIVERGED, Anchor::Start);
            } else if with_labels {
                scene.text((x - ARM - gap, baseline), &label, NOTE, DIVERGED, Anchor::End);
            }
        }
    }

    /// Daggers beside the markers at which some networks missed their target.
    pub(super) fn daggers(&self, scene: &mut Scene, points: impl IntoIterator<Item = (f64, f64)>) {
        for (x, y) in points.into_iter().filter_map(|(x, y)| self.place(x, y)).filter(|&place| self.contains(place)) {
            scene.text((x + 4.0, y - 4.0), DAGGER, TICK, DIVERGED, Anchor::Start);
        }
    }

    /// A short text in the strip above the data, on line `i` from the top.
    pub(super) fn note(&self, scene: &mut Scene, i: usize, text: &str, color: Color) {
        let at = (self.frame.left + 6.0, self.frame.top + 3.0 + (NOTE + 4.0) * (i as f64 + 0.9));
        scene.text(at, text, NOTE, color, Anchor::Start);
    }

    /// Sentences in the middle of a panel that has nothing else to show.
    pub(super) fn sentence(&self, scene: &mut Scene, lines: &[&str]) {
        let Frame { left, top, width, height } = self.frame;
        for (i, line) in lines.iter().enumerate() {
            let y = top + 0.5 * height + (i as f64 - 0.5 * (lines.len() as f64 - 1.0)) * 1.4 * TICK;
            let (centre, half) = (left + 0.5 * width, 0.5 * text_width(line, TICK) + 4.0);
            let (upper, lower) = (y - TICK, y + 0.4 * TICK);
            let (start, end) = (centre - half, centre + half);
            scene.area(vec![(start, upper), (end, upper), (end, lower), (start, lower)], PAPER, 1.0);
            scene.text((centre, y), line, TICK, AXIS, Anchor::Middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::{Axis, Scale};
    use super::super::scene::Mark;
    use super::*;

    #[test]
    fn crosses_are_counted_only_where_the_counts_have_room() {
        let frame = Frame { left: 10.0, top: 10.0, width: 100.0, height: 100.0 };
        let x = Axis::over(Scale::Linear, "x", [0.0, 1.0]);
        let panel = Panel { frame, headroom: CROSS_ROOM, y: x.clone(), x };
        let n_texts = |counts: &[(f64, usize, usize)]| {
            let mut scene = Scene::new(120.0, 120.0);
            panel.crosses(&mut scene, counts);
            scene.marks.iter().filter(|mark| matches!(mark, Mark::Text(_))).count()
        };
        assert_eq!(n_texts(&[(0.0, 1, 5), (0.5, 0, 5), (1.0, 2, 5)]), 2);
        assert_eq!(n_texts(&[(0.0, 1, 5), (0.1, 1, 5), (1.0, 2, 5)]), 0);
    }
}
