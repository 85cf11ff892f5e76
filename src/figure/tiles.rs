//! A map of an analysis: panels of coloured tiles, a letter on each. What the rows and columns are about it does not know.

use super::Drawing;
use super::font::{fitted, text_width};
use super::numbers::{Numbers, cell};
use super::scene::{Anchor, Scene};
use super::theme::{AXIS, Color, Dash, INK, LABEL, PAPER, Stroke, TICK, fill, ink_on};
use crate::study::findings::{Tile, TileMap};

const SHEET: f64 = 680.0;
const TILE: f64 = 17.0;
/// A tile no wider than this still looks like one.
const WIDEST: f64 = 62.0;
const TITLE: f64 = 24.0;
/// Below the tiles beside the columns' names: what they are.
const FOOT: f64 = 15.0 + LABEL;
const BETWEEN: f64 = 16.0;
const MARGIN: f64 = 12.0;
/// Row names take no more room than this.
const LONGEST: f64 = 230.0;
const SWATCH: f64 = 11.0;
const LINE: f64 = 17.0;

/// How classes look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    /// The fill of class `i` of `n`.
    pub(super) fill: fn(usize, usize) -> Color,
    /// What a tile without a class says; without words, no tile is.
    pub(super) blank: &'static str,
}

const ORDERED: Palette = Palette { fill, blank: "no interval, or diverged" };

pub(super) fn draw(map: &TileMap) -> Drawing {
    let (caption, numbers) = (map.caption.clone(), table(map));
    Drawing { name: map.name, title: map.title, caption, numbers, scene: scene(map, ORDERED) }
}

fn table(map: &TileMap) -> Numbers {
    let mut numbers = Numbers::new(["panel", "row", "column", "class", "mark", "n", "mean", "low", "high"]);
    for panel in &map.panels {
        for (row, tiles) in map.rows.iter().zip(&panel.tiles) {
            for (column, tile) in map.columns.iter().zip(tiles) {
                let Some(Tile { class, mark, value }) = tile else { continue };
                let class = class.and_then(|class| map.classes.get(class)).cloned().unwrap_or_default();
                let n = value.map_or(0, |value| value.n).to_string();
                let ends = [value.map(|v| v.mean), value.map(|v| v.low), value.map(|v| v.high)].map(cell);
                let start = [panel.title.clone(), row.clone(), column.clone(), class, mark.clone(), n];
                numbers.push(start.into_iter().chain(ends).collect());
            }
        }
    }
    numbers
}

/// The map as it is drawn.
pub(super) fn scene(map: &TileMap, palette: Palette) -> Scene {
    let names: Vec<String> = map.rows.iter().map(|row| fitted(row, LONGEST)).collect();
    let longest = names.iter().map(|name| text_width(name, TICK)).fold(0.0, f64::max);
    let left = MARGIN + 1.6 * LABEL + longest + 8.0;
    let n_across = match map.panels.len() {
        4 => 2,
        n => n.clamp(1, if longest > 150.0 { 2 } else { 3 }),
    };
    let n_columns = map.columns.len().max(1) as f64;
    let free = SHEET - left - MARGIN - (n_across as f64 - 1.0) * BETWEEN;
    let tile = (free / n_across as f64 / n_columns).min(WIDEST);
    let (width, height) = (tile * n_columns, TILE * map.rows.len().max(1) as f64);
    // Names that have no room side by side read upwards.
    let widest = map.columns.iter().map(|column| text_width(column, TICK)).fold(0.0, f64::max);
    let is_upwards = widest > tile - 2.0;
    let foot = if is_upwards { widest } else { TICK };

    let mut scene = Scene::new(SHEET, 0.0);
    for panels in map.panels.chunks(n_across) {
        let top = scene.height + TITLE;
        for (i, name) in names.iter().enumerate() {
            let baseline = top + TILE * (i as f64 + 0.5) + 0.36 * TICK;
            scene.text((left - 8.0, baseline), name, TICK, INK, Anchor::End);
        }
        scene.text_upwards((MARGIN + 0.8 * LABEL, top + 0.5 * height), &fitted(&map.y, height.max(90.0)), LABEL, INK);
        for (i, panel) in panels.iter().enumerate() {
            let at = (left + i as f64 * (width + BETWEEN), top);
            tiles(&mut scene, &panel.tiles, |class| (palette.fill)(class, map.classes.len()), at, tile);
            let middle = at.0 + 0.5 * width;
            scene.text((middle, top - 6.0), &fitted(&panel.title, width.max(160.0)), LABEL, INK, Anchor::Middle);
            for (k, column) in map.columns.iter().enumerate() {
                let x = at.0 + tile * (k as f64 + 0.5);
                if is_upwards {
                    let middle = top + height + 6.0 + 0.5 * text_width(column, TICK);
                    scene.text_upwards((x + 0.36 * TICK, middle), column, TICK, INK);
                } else {
                    scene.text((x, top + height + 4.0 + TICK), column, TICK, INK, Anchor::Middle);
                }
            }
            scene.text((middle, top + height + 8.0 + foot + LABEL), &map.x, LABEL, INK, Anchor::Middle);
        }
        scene.height = top + height + foot + FOOT;
    }
    legend(&mut scene, map, palette, left);
    scene.height += 6.0;
    scene
}

/// The tiles of a panel whose upper left corner is at `left`, `top`.
fn tiles(
    scene: &mut Scene,
    rows: &[Vec<Option<Tile>>],
    fill: impl Fn(usize) -> Color,
    (left, top): (f64, f64),
    width: f64,
) {
    for (i, row) in rows.iter().enumerate() {
        for (k, found) in row.iter().enumerate() {
            let (x, y) = (left + width * k as f64, top + TILE * i as f64);
            let color = found.as_ref().and_then(|tile| tile.class).map(&fill);
            square(scene, (x, y), (width, TILE), color);
            let mark = found.as_ref().map_or("", |tile| tile.mark.as_str());
            let ink = color.map_or(INK, ink_on);
            scene.text((x + 0.5 * width, y + 0.5 * TILE + 0.36 * TICK), mark, TICK, ink, Anchor::Middle);
        }
    }
}

/// A filled rectangle with a rim of paper; without a colour, an outline.
fn square(scene: &mut Scene, (x, y): (f64, f64), (width, height): (f64, f64), color: Option<Color>) {
    let rim = 0.7;
    let (left, right, top, bottom) = (x + rim, x + width - rim, y + rim, y + height - rim);
    match color {
        Some(color) => scene.area(vec![(left, top), (right, top), (right, bottom), (left, bottom)], color, 1.0),
        None => {
            let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
            scene.area(corners.to_vec(), PAPER, 1.0);
            scene.path(&corners, Stroke::new(AXIS, 0.6, Dash::Solid));
        }
    }
}

/// One line of colours, one of letters, each going on below where it is too long.
fn legend(scene: &mut Scene, map: &TileMap, palette: Palette, left: f64) {
    let classes: Vec<(String, Option<Color>)> = (map.classes.iter().enumerate())
        .map(|(i, class)| (class.clone(), Some((palette.fill)(i, map.classes.len()))))
        .chain((!palette.blank.is_empty()).then(|| (palette.blank.to_owned(), None)))
        .collect();
    let mut at = (left, scene.height + 6.0);
    for (label, color) in classes {
        at = entry_place(at, SWATCH + 6.0 + text_width(&label, TICK), left);
        square(scene, at, (SWATCH, SWATCH), color);
        let baseline = at.1 + 0.5 * SWATCH + 0.36 * TICK;
        scene.text((at.0 + SWATCH + 6.0, baseline), &label, TICK, INK, Anchor::Start);
        at.0 += SWATCH + 24.0 + text_width(&label, TICK);
    }
    if !map.marks.is_empty() {
        at = (left, at.1 + LINE);
    }
    for (mark, meaning) in &map.marks {
        let label = format!("{mark}: {meaning}");
        at = entry_place(at, text_width(&label, TICK), left);
        scene.text((at.0, at.1 + 0.5 * SWATCH + 0.36 * TICK), &label, TICK, INK, Anchor::Start);
        at.0 += 18.0 + text_width(&label, TICK);
    }
    scene.height = at.1 + LINE;
}

/// Where an entry of this width goes: here, or at the start of the next line.
fn entry_place(at: (f64, f64), width: f64, left: f64) -> (f64, f64) {
    if at.0 > left && at.0 + width > SHEET - MARGIN { (left, at.1 + LINE) } else { at }
}

#[cfg(test)]
mod tests {
    use super::super::scene::Mark;
    use super::*;
    use crate::study::findings::TilePanel;

    fn map(n_panels: usize, n_rows: usize) -> TileMap {
        let row = |i: usize| {
            let tile = |class| Tile { class, mark: "N".into(), value: None };
            vec![Some(tile(Some(i % 2))), Some(tile(None)), None]
        };
        let panel = TilePanel { title: "depth 1".into(), tiles: (0..n_rows).map(row).collect() };
        TileMap {
            name: "map",
            title: "A map",
            caption: String::new(),
            x: "width".into(),
            columns: ["32", "64", "128"].map(String::from).to_vec(),
            y: "laziness".into(),
            rows: (0..n_rows).map(|i| format!("row {i}")).collect(),
            classes: vec!["good".into(), "bad".into()],
            marks: vec![("N".into(), "nonlinearity".into())],
            panels: vec![panel; n_panels],
        }
    }

    #[test]
    fn everything_lies_on_the_sheet() {
        for n_panels in 0..=6 {
            for n_rows in [0, 1, 30] {
                let scene = scene(&map(n_panels, n_rows), ORDERED);
                for mark in &scene.marks {
                    let places = match mark {
                        Mark::Area { points, .. } | Mark::Path { points, .. } => points.clone(),
                        Mark::Text(text) => vec![text.at],
                        Mark::Disc { centre, .. } => vec![*centre],
                    };
                    let is_on =
                        |(x, y): (f64, f64)| (0.0..=scene.width).contains(&x) && (0.0..=scene.height).contains(&y);
                    assert!(places.into_iter().all(is_on), "{n_panels} panels, {n_rows} rows: {mark:?}");
                }
            }
        }
    }

    #[test]
    fn colours_keep_their_order_in_grey() {
        let grey = |Color(r, g, b): Color| 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
        let greys: Vec<f64> = (0..4).map(|i| grey(fill(i, 4))).collect();
        assert!(greys.windows(2).all(|pair| pair[0] > pair[1] + 20.0), "{greys:?}");
    }

    #[test]
    fn what_was_not_computed_is_not_in_the_table() {
        let csv = String::from_utf8(table(&map(1, 2)).to_csv().unwrap()).unwrap();
        assert_eq!(csv.lines().count(), 1 + 4, "{csv}");
    }
}
