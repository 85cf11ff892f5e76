//! The ratios as curves, as dots and as a map.

use super::super::super::axis::{Axis, Scale};
use super::super::super::layout::Layout;
use super::super::super::legend::Legend;
use super::super::super::panel::Panel;
use super::super::super::scene::Scene;
use super::super::super::theme::{GREY, MARKER, REFERENCE};
use super::super::super::tiles::{self, Palette};
use super::super::apart;
use super::super::map::{Grid, either_side, short};
use super::super::member::{look, name};
use super::{FAR, Ratio};
use crate::record::KernelManifest;
use crate::study::findings::{Tile, TileMap, TilePanel};

const LABEL: &str = "NTK's test error / other's";

pub(super) fn curves(
    manifest: &KernelManifest,
    panels: &[(Vec<usize>, usize)],
    titles: &[String],
    ratios: &[Ratio],
) -> Scene {
    let others = others(ratios);
    let mut legend = Legend::default();
    for other in &others {
        legend.series(name(other), look(other));
    }
    legend.line("alike", REFERENCE);
    let layout = Layout { n_panels: panels.len(), share_y: true, height: Some(220.0), headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&legend);
    let aside = |k: usize| apart(k, others.len());
    let ends = [0, others.len() - 1];
    let x = Axis::over(
        Scale::Log2,
        "training rows",
        ratios.iter().flat_map(|ratio| ends.map(|end| aside(end) * ratio.n_train as f64)),
    );
    let is_in =
        |ratio: &Ratio, (family, depth): &(Vec<usize>, usize)| ratio.depth == *depth && family.contains(&ratio.setting);
    for (i, (frame, here)) in frames.into_iter().zip(panels).enumerate() {
        // A row of panels has its own range.
        let row = i / layout.n_columns() * layout.n_columns();
        let in_row = panels[row..].iter().take(layout.n_columns());
        let of_row = in_row.flat_map(|panel| ratios.iter().filter(move |ratio| is_in(ratio, panel)));
        let y = Axis::over(Scale::Log10, LABEL, extent(manifest, of_row));
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y };
        panel.draw_frame(&mut scene, &titles[i], layout.leads_row(i));
        let [low, high] = band(manifest);
        panel.shade(&mut scene, (x.value(0.0), low), (x.value(1.0), high), GREY);
        panel.line(&mut scene, &[0.0, 1.0].map(|end| (x.value(end), Some(1.0))), REFERENCE);
        for (k, other) in others.iter().enumerate() {
            let of_other = |ratio: &&Ratio| is_in(ratio, here) && ratio.other == *other;
            let mut line: Vec<_> =
                ratios.iter().filter(of_other).map(|ratio| (aside(k) * ratio.n_train as f64, ratio)).collect();
            line.sort_by_key(|(_, ratio)| ratio.n_train);
            for (at, ratio) in line.iter().filter(|(_, ratio)| ratio.has_interval) {
                panel.error_bar(&mut scene, *at, ratio.value, look(other).color);
            }
            let means: Vec<_> = line.iter().map(|(at, ratio)| (*at, Some(ratio.value))).collect();
            panel.curve(&mut scene, &means, look(other));
        }
    }
    scene
}

pub(super) fn dots(manifest: &KernelManifest, depths: &[usize], ratios: &[Ratio]) -> Scene {
    /// Between two kernels.
    const ROW: f64 = 18.0;
    let others = others(ratios);
    let height = Some(ROW * others.len() as f64);
    let layout = Layout { n_panels: depths.len(), share_y: true, height, headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&Legend::default());
    let x = Axis::over(Scale::Log10, LABEL, extent(manifest, ratios));
    // The first kernel at the top.
    let y = Axis::of_names(others.iter().rev().map(|other| name(other).to_owned()).collect());
    for (i, (frame, depth)) in frames.into_iter().zip(depths).enumerate() {
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y: y.clone() };
        // Of one depth the caption speaks.
        let title = if depths.len() == 1 { String::new() } else { format!("depth {depth}") };
        panel.draw_frame(&mut scene, &title, layout.leads_row(i));
        let [low, high] = band(manifest);
        panel.shade(&mut scene, (low, y.value(0.0)), (high, y.value(1.0)), GREY);
        panel.line(&mut scene, &[0.0, 1.0].map(|end| (1.0, Some(y.value(end)))), REFERENCE);
        for (k, other) in others.iter().enumerate() {
            let Some(ratio) = ratios.iter().find(|ratio| ratio.depth == *depth && ratio.other == *other) else {
                continue;
            };
            let (at, look) = ((others.len() - 1 - k) as f64, look(other));
            if ratio.has_interval {
                panel.bar_across(&mut scene, ratio.value, at, look.color);
            }
            panel.marker(&mut scene, (ratio.value.mean, Some(at)), look.marker, look.color, MARKER);
        }
    }
    scene
}

pub(super) fn map(manifest: &KernelManifest, grid: &Grid<'_>, depths: &[usize], ratios: &[Ratio]) -> Scene {
    let tile = |setting: Option<usize>, depth: usize, other: &str| {
        let is_it = |ratio: &&Ratio| Some(ratio.setting) == setting && ratio.depth == depth && ratio.other == other;
        let ratio = ratios.iter().find(is_it)?;
        Some(Tile { class: ratio.class(), mark: short(ratio.value.mean), value: None })
    };
    let others = others(ratios);
    // A column for each value of the widest factor and each kernel a panel, or for each depth where there is no such factor.
    let (x, columns, panels) = match grid.factor() {
        Some(factor) => {
            let panel = |depth: usize, other: &str| TilePanel {
                title: if depths.len() == 1 {
                    name(other).to_owned()
                } else {
                    format!("{}, depth {depth}", name(other))
                },
                tiles: transposed(
                    (0..factor.values.len())
                        .map(|level| grid.at(level).map(|setting| tile(setting, depth, other)).collect()),
                ),
            };
            let panels = others.iter().flat_map(|other| depths.iter().map(move |depth| panel(*depth, other)));
            (factor.name.clone(), factor.values.clone(), panels.collect())
        }
        None => {
            let panel = |other: &&str| TilePanel {
                title: name(other).to_owned(),
                tiles: transposed(
                    depths.iter().map(|depth| grid.at(0).map(|setting| tile(setting, *depth, other)).collect()),
                ),
            };
            let columns = depths.iter().map(usize::to_string).collect();
            ("depth".to_owned(), columns, others.iter().map(panel).collect::<Vec<_>>())
        }
    };
    let map = TileMap {
        name: "ratio",
        title: "",
        caption: String::new(),
        x,
        columns,
        y: grid.y(),
        rows: grid.rows(),
        classes: vec![
            format!("NTK over {FAR}\u{d7} better"),
            "NTK better".to_owned(),
            format!("alike within {} %", (1e4 * manifest.margin).round() / 100.0),
            "NTK worse".to_owned(),
            format!("NTK over {FAR}\u{d7} worse"),
        ],
        marks: Vec::new(),
        panels,
    };
    tiles::scene(&map, Palette { fill: either_side, blank: "undecided" })
}

/// Columns of tiles as rows.
fn transposed(columns: impl Iterator<Item = Vec<Option<Tile>>>) -> Vec<Vec<Option<Tile>>> {
    let mut rows: Vec<Vec<Option<Tile>>> = Vec::new();
    for column in columns {
        rows.resize(column.len(), Vec::new());
        rows.iter_mut().zip(column).for_each(|(row, tile)| row.push(tile));
    }
    rows
}

/// The other kernels, in the order of the comparisons.
fn others(ratios: &[Ratio]) -> Vec<&str> {
    let mut others: Vec<&str> = Vec::new();
    for ratio in ratios {
        if !others.contains(&ratio.other.as_str()) {
            others.push(&ratio.other);
        }
    }
    others
}

/// The ratios that are called alike.
fn band(manifest: &KernelManifest) -> [f64; 2] {
    [1.0 / (1.0 + manifest.margin), 1.0 + manifest.margin]
}

/// What an axis must show: the band and the intervals, of a wide one only the part near its mean.
fn extent<'a>(manifest: &KernelManifest, ratios: impl IntoIterator<Item = &'a Ratio>) -> Vec<f64> {
    const NEAR: f64 = 3.0;
    let ends =
        ratios.into_iter().map(|ratio| ratio.value).flat_map(|v| [v.low.max(v.mean / NEAR), v.high.min(v.mean * NEAR)]);
    ends.chain(band(manifest)).collect()
}
