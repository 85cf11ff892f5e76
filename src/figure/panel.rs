//! A panel: a frame with two axes, and the ways to draw into it.

use super::axis::Axis;
use super::font::text_width;
use super::scene::{Anchor, Place, Scene};
use super::theme::{AXIS, BAND, Color, Dash, GRID, INK, LABEL, Look, MARKER, Marker, PAPER, Stroke, TICK};
use crate::stats::Interval;

/// A rectangle on the sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A frame with axes. The strip `headroom` below its top edge holds no data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Panel {
    pub(super) frame: Frame,
    pub(super) headroom: f64,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Panel {
    /// Grid, ticks, labels and title; the labels of the vertical axis only where `with_y_labels`.
    pub(super) fn draw_frame(&self, scene: &mut Scene, title: &str, with_y_labels: bool) {
        let Frame { left, top, width, height } = self.frame;
        let (right, bottom) = (left + width, top + height);
        let grid = Stroke::new(GRID, 0.8, Dash::Solid);
        let edge = Stroke::new(AXIS, 0.8, Dash::Solid);

        for tick in self.x.ticks((width / 32.0) as usize) {
            let Some(x) = self.x.share(tick.value).map(|share| left + share * width) else { continue };
            if let Some(label) = &tick.label {
                scene.path(&[(x, top), (x, bottom)], grid);
                scene.text((x, bottom + 6.0 + TICK), label, TICK, INK, Anchor::Middle);
            }
            let length = if tick.label.is_some() { 4.0 } else { 2.0 };
            scene.path(&[(x, bottom), (x, bottom + length)], edge);
        }
        let mut widest = 0.0_f64;
        for tick in self.y.ticks(((height - self.headroom) / 32.0) as usize) {
            let Some(y) = self.y.share(tick.value).map(|share| self.height_at(share)) else { continue };
            if let Some(label) = &tick.label {
                scene.path(&[(left, y), (right, y)], grid);
                if with_y_labels {
                    widest = widest.max(text_width(label, TICK));
                    scene.text((left - 6.0, y + 0.36 * TICK), label, TICK, INK, Anchor::End);
                }
            }
            let length = if tick.label.is_some() { 4.0 } else { 2.0 };
            scene.path(&[(left - length, y), (left, y)], edge);
        }
        scene.path(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], edge);

        scene.text((left + 0.5 * width, bottom + 9.0 + TICK + LABEL), &self.x.label, LABEL, INK, Anchor::Middle);
        if with_y_labels {
            let aside = (14.0 + widest).clamp(34.0, 52.0);
            scene.text_upwards((left - aside, top + 0.5 * height), &self.y.label, LABEL, INK);
        }
        scene.text((left + 0.5 * width, top - 5.0), title, LABEL, INK, Anchor::Middle);
    }

    /// A line through the points that exist, interrupted where one does not, cut off at the frame.
    pub(super) fn line(&self, scene: &mut Scene, points: &[(f64, Option<f64>)], stroke: Stroke) {
        let places: Vec<Option<Place>> = points.iter().map(|&(x, y)| self.place(x, y?)).collect();
        let mut run: Vec<Place> = Vec::new();
        for pair in places.windows(2) {
            let inside = match (pair[0], pair[1]) {
                (Some(from), Some(to)) => self.inside(from, to),
                _ => None,
            };
            let Some((from, to)) = inside else {
                draw_run(scene, &mut run, stroke);
                continue;
            };
            if run.last() != Some(&from) {
                draw_run(scene, &mut run, stroke);
                run.push(from);
            }
            run.push(to);
        }
        draw_run(scene, &mut run, stroke);
    }

    /// The interval of each mean: a band, or a bar where a point stands alone.
    pub(super) fn spread(&self, scene: &mut Scene, points: &[(f64, Option<Interval>)], color: Color) {
        for run in points.split(|(_, interval)| interval.is_none()) {
            let ends: Vec<_> = run.iter().filter_map(|&(x, interval)| Some((x, interval?))).collect();
            match ends[..] {
                [] => {}
                [(x, only)] => self.error_bar(scene, x, only, color),
                _ => self.band(scene, &ends, color),
            }
        }
    }

    /// Means as markers on a line.
    pub(super) fn curve(&self, scene: &mut Scene, points: &[(f64, Option<Interval>)], look: Look) {
        let means: Vec<_> = points.iter().map(|&(x, interval)| (x, interval.map(|i| i.mean))).collect();
        self.line(scene, &means, look.stroke());
        for (x, mean) in means {
            self.marker(scene, (x, mean), look.marker, look.color, MARKER);
        }
    }

    /// A bar from the lower to the upper end of an interval; none where there is one value only.
    pub(super) fn error_bar(&self, scene: &mut Scene, x: f64, interval: Interval, color: Color) {
        let Some((at, _)) = self.place(x, interval.mean) else { return };
        if interval.n < 2 {
            return;
        }
        let (low, high) = (self.held_inside(interval.low), self.held_inside(interval.high));
        let stroke = Stroke::new(color, 1.2, Dash::Solid);
        scene.path(&[(at, low), (at, high)], stroke);
        for end in [low, high] {
            scene.path(&[(at - 2.5, end), (at + 2.5, end)], stroke);
        }
    }

    /// One marker with a thin rim of paper, where the point exists and lies inside.
    pub(super) fn marker(
        &self,
        scene: &mut Scene,
        (x, y): (f64, Option<f64>),
        marker: Marker,
        color: Color,
        radius: f64,
    ) {
        let Some(place) = y.and_then(|y| self.place(x, y)).filter(|&place| self.contains(place)) else { return };
        scene.marker(place, marker, PAPER, radius + 0.7, 1.0);
        scene.marker(place, marker, color, radius, 1.0);
    }

    /// One small translucent dot of a cloud.
    pub(super) fn dot(&self, scene: &mut Scene, (x, y): (f64, f64), look: Look, radius: f64) {
        if let Some(place) = self.place(x, y).filter(|&place| self.contains(place)) {
            scene.marker(place, look.marker, look.color, radius, 0.6);
        }
    }

    /// A translucent rectangle between two corners, as far as it lies inside.
    pub(super) fn shade(&self, scene: &mut Scene, from: (f64, f64), to: (f64, f64), color: Color) {
        let across = |x: f64| self.frame.left + self.x.share(x).unwrap_or(0.0).clamp(0.0, 1.0) * self.frame.width;
        let (left, right) = (across(from.0), across(to.0));
        let (lower, upper) = (self.held_inside(from.1), self.held_inside(to.1));
        scene.area(vec![(left, lower), (right, lower), (right, upper), (left, upper)], color, BAND);
    }

    /// A bar along the horizontal axis from the lower to the upper end of an interval; none where there is one value only.
    pub(super) fn bar_across(&self, scene: &mut Scene, interval: Interval, y: f64, color: Color) {
        if interval.n < 2 {
            return;
        }
        let (low, high) = (interval.low.max(self.x.value(0.0)), interval.high.min(self.x.value(1.0)));
        self.line(scene, &[(low, Some(y)), (high, Some(y))], Stroke::new(color, 1.4, Dash::Solid));
    }

    fn band(&self, scene: &mut Scene, ends: &[(f64, Interval)], color: Color) {
        if ends.iter().all(|(_, interval)| interval.low == interval.high) {
            return;
        }
        let edge = |end: fn(&Interval) -> f64| {
            move |(x, interval): &(f64, Interval)| {
                let (at, _) = self.place(*x, interval.mean)?;
                Some((at, self.held_inside(end(interval))))
            }
        };
        let upper = ends.iter().filter_map(edge(|i| i.high));
        let lower = ends.iter().rev().filter_map(edge(|i| i.low));
        scene.area(upper.chain(lower).collect(), color, BAND);
    }

    pub(super) fn place(&self, x: f64, y: f64) -> Option<Place> {
        Some((self.frame.left + self.x.share(x)? * self.frame.width, self.height_at(self.y.share(y)?)))
    }

    fn height_at(&self, share: f64) -> f64 {
        self.frame.top + self.headroom + (1.0 - share) * (self.frame.height - self.headroom)
    }

    /// The height of `y`, held inside the frame; what has no place on the axis, such as a negative end of an interval on a
    /// logarithmic one, lies at the bottom.
    fn held_inside(&self, y: f64) -> f64 {
        self.height_at(self.y.share(y).unwrap_or(0.0).clamp(0.0, 1.0))
    }

    pub(super) fn contains(&self, (x, y): Place) -> bool {
        let Frame { left, top, width, height } = self.frame;
        (left..=left + width).contains(&x) && (top + self.headroom..=top + height).contains(&y)
    }

    /// The part of a segment inside the frame (Liang and Barsky 1984).
    fn inside(&self, from: Place, to: Place) -> Option<(Place, Place)> {
        let Frame { left, top, width, height } = self.frame;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let walls = [
            (-dx, from.0 - left),
            (dx, left + width - from.0),
            (-dy, from.1 - top - self.headroom),
            (dy, top + height - from.1),
        ];
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for (outwards, distance) in walls {
            if outwards == 0.0 && distance < 0.0 {
                return None;
            }
            if outwards < 0.0 {
                enter = enter.max(distance / outwards);
            }
            if outwards > 0.0 {
                leave = leave.min(distance / outwards);
            }
        }
        let at = |share: f64| if share == 1.0 { to } else { (from.0 + share * dx, from.1 + share * dy) };
        (enter <= leave).then(|| (at(enter), at(leave)))
    }
}

fn draw_run(scene: &mut Scene, run: &mut Vec<Place>, stroke: Stroke) {
    if run.len() > 1 {
        scene.path(run, stroke);
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::super::axis::Scale;
    use super::super::scene::Mark;
    use super::*;

    fn panel() -> Panel {
        let frame = Frame { left: 10.0, top: 10.0, width: 100.0, height: 100.0 };
        let x = Axis::over(Scale::Linear, "x", [0.0, 1.0]);
        Panel { frame, headroom: 0.0, y: x.clone(), x }
    }

    #[test]
    fn a_line_is_interrupted_at_a_missing_point_and_cut_at_the_frame() {
        let mut scene = Scene::new(120.0, 120.0);
        let points = [
            (0.0, Some(0.5)),
            (0.2, Some(9.0)),
            (0.4, Some(0.5)),
            (0.6, None),
            (0.8, Some(0.5)),
            (1.0, Some(f64::NAN)),
        ];
        panel().line(&mut scene, &points, Stroke::new(INK, 1.0, Dash::Solid));
        assert_eq!(scene.marks.len(), 2, "up and out, back in; nothing after the gap: {:?}", scene.marks);
        for mark in &scene.marks {
            let Mark::Path { points, .. } = mark else { panic!("a line is a path") };
            assert!(points.iter().all(|(x, y)| (10.0..=110.0).contains(x) && (9.999..=110.0).contains(y)));
        }
    }

    #[test]
    fn a_point_outside_gets_no_marker() {
        let mut scene = Scene::new(120.0, 120.0);
        panel().marker(&mut scene, (0.5, Some(7.0)), Marker::Circle, INK, 3.0);
        panel().marker(&mut scene, (0.5, Some(f64::INFINITY)), Marker::Circle, INK, 3.0);
        assert!(scene.marks.is_empty());
    }
}
