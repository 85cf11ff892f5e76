//! Panels on a sheet: at most three in a row, legends in strips of their own below.

use super::legend::Legend;
use super::panel::Frame;
use super::scene::Scene;
use super::theme::{LABEL, TICK};

const TITLE: f64 = 22.0;
/// Below a plot: ticks, their labels and the axis label.
const FOOT: f64 = 17.0 + TICK + LABEL;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 12.0;
const BETWEEN_SHARED: f64 = 14.0;
const BETWEEN_OWN: f64 = 62.0;

/// How panels share a sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    pub(super) n_panels: usize,
    /// Whether the panels of a row share the labels of the vertical axis.
    pub(super) share_y: bool,
    /// Plot height; a square plot where `None`.
    pub(super) height: Option<f64>,
    /// Strip above the data inside each plot, on top of that height.
    pub(super) headroom: f64,
}

impl Layout {
    /// The sheet with the legend of the whole figure drawn, and the frames of the panels.
    pub(super) fn sheet(&self, legend: &Legend) -> (Scene, Vec<Frame>) {
        let legends = vec![Legend::default(); self.n_panels];
        let (mut scene, frames) = self.sheet_with_legends(&legends);
        let width = scene.width - LEFT - RIGHT;
        let top = scene.height;
        legend.draw(&mut scene, LEFT, top, width);
        scene.height += legend.height(width);
        (scene, frames)
    }

    /// The sheet with a legend drawn below each panel, and the frames of the panels.
    pub(super) fn sheet_with_legends(&self, legends: &[Legend]) -> (Scene, Vec<Frame>) {
        let n_columns = self.n_columns();
        let (width, between) = (self.frame_width(), self.between());
        let height = self.height.unwrap_or(width) + self.headroom;

        let mut scene = Scene::new(self.sheet_width(), 0.0);
        let mut frames = Vec::with_capacity(self.n_panels);
        for row in legends.chunks(n_columns) {
            let top = scene.height + TITLE;
            let foot = top + height + FOOT;
            let mut tallest = 0.0_f64;
            for (column, legend) in row.iter().enumerate() {
                let left = LEFT + column as f64 * (width + between);
                frames.push(Frame { left, top, width, height });
                legend.draw(&mut scene, left, foot, width);
                tallest = tallest.max(legend.height(width));
            }
            scene.height = foot + tallest;
        }
        scene.height += 4.0;
        (scene, frames)
    }

    /// How wide each frame is.
    pub(super) fn frame_width(&self) -> f64 {
        let n = self.n_columns() as f64;
        (self.sheet_width() - LEFT - RIGHT - (n - 1.0) * self.between()) / n
    }

    fn sheet_width(&self) -> f64 {
        if self.n_columns() == 1 { 420.0 } else { 680.0 }
    }

    fn between(&self) -> f64 {
        if self.share_y { BETWEEN_SHARED } else { BETWEEN_OWN }
    }

    /// Whether panel `i` stands first in its row.
    pub(super) fn leads_row(&self, i: usize) -> bool {
        i.is_multiple_of(self.n_columns())
    }

    /// Panels in a row.
    pub(super) fn n_columns(&self) -> usize {
        match self.n_panels {
            0 | 1 => 1,
            2 | 4 => 2,
            _ => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_lie_on_the_sheet_and_apart() {
        for n_panels in 1..8 {
            let layout = Layout { n_panels, share_y: n_panels % 2 == 0, height: None, headroom: 10.0 };
            let (scene, frames) = layout.sheet(&Legend::default());
            assert_eq!(frames.len(), n_panels);
            for (i, a) in frames.iter().enumerate() {
                assert!(a.left > 0.0 && a.left + a.width < scene.width && a.top + a.height < scene.height);
                for b in &frames[..i] {
                    assert!(b.left + b.width < a.left || b.top + b.height < a.top);
                }
            }
        }
    }
}
