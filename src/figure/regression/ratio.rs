//! The map of a claim: the NTK's test error over that of each other kernel, MSE(NTK) / MSE(other), within the margin or beyond it.

use super::super::Drawing;
use super::super::axis::{Axis, Scale};
use super::super::caption;
use super::super::layout::Layout;
use super::super::legend::Legend;
use super::super::numbers::{Numbers, cell};
use super::super::panel::Panel;
use super::super::scene::Scene;
use super::super::theme::{GREY, MARKER, REFERENCE};
use super::super::tiles::{self, Palette};
use super::map::{Grid, either_side, short};
use super::member::{look, name};
use super::sentences::{SET_APART, data, distinct, settings_beside};
use super::{apart, have_room};
use crate::record::{KernelManifest, KernelRow};
use crate::stats::{Decision, Interval};
use crate::study::findings::{Tile, TileMap, TilePanel};
use crate::study::regression::{KernelComparison, Settings, compare_kernels};

const LABEL: &str = "NTK's test error / other's";

/// Beyond this factor a map has a colour of its own.
const FAR: f64 = 2.0;

/// One comparison, placed.
struct Ratio {
    setting: usize,
    n_train: usize,
    depth: usize,
    other: String,
    value: Interval,
    has_interval: bool,
    decision: Option<Decision>,
}

/// How the ratios are drawn.
enum Shape<'a> {
    /// Against the training rows, a panel for each family of settings that differ in nothing else and each depth, and their titles.
    Curves(Vec<(Vec<usize>, usize)>, Vec<String>),
    /// Kernel by kernel, of one setting.
    Dots,
    Map(Grid<'a>),
}

pub(super) fn draw(manifest: &KernelManifest, rows: &[&KernelRow]) -> Option<Drawing> {
    let settings = Settings::of(rows);
    let ratios = compute(manifest, &settings);
    if ratios.is_empty() {
        return None;
    }
    let depths = distinct(ratios.iter().map(|ratio| ratio.depth));
    let shape = Shape::of(&settings, &depths);
    let caption = [
        format!(
            "Ratio of the NTK's mean squared test error to that of each other kernel, split by split, and its geometric mean over splits{}; \
             below 1 the NTK is better.",
            match shape {
                Shape::Curves(..) => ", against the number of training rows",
                Shape::Dots => "",
                Shape::Map(_) => ", as a number and as a colour",
            }
        ),
        data(manifest, rows, rows.len()),
        settings_beside(&settings),
        match &shape {
            Shape::Map(_) => of_map(manifest, &ratios),
            _ => format!(
                "{} The grey band is the margin within which two kernels are called alike, a factor of {}.",
                intervals(manifest, &ratios),
                1.0 + manifest.margin
            ),
        },
        match depths[..] {
            [depth] => format!("The NNGP is that of the same network, of depth {depth}."),
            _ => "The NNGP is that of the same network.".to_owned(),
        },
        match &shape {
            Shape::Curves(..) => SET_APART.to_owned(),
            Shape::Dots => String::new(),
            Shape::Map(grid) => grid.left_out(),
        },
    ];
    Some(Drawing {
        name: "ratio",
        title: "The NTK's test error over that of other kernels",
        caption: caption::join(&caption),
        numbers: table(&settings, &ratios),
        scene: match &shape {
            Shape::Curves(panels, titles) => curves(manifest, panels, titles, &ratios),
            Shape::Dots => dots(manifest, &depths, &ratios),
            Shape::Map(grid) => map(manifest, grid, &depths, &ratios),
        },
    })
}

impl<'a> Shape<'a> {
    fn of(settings: &'a Settings<'a>, depths: &[usize]) -> Self {
        if settings.all.len() == 1 {
            return Self::Dots;
        }
        let Some(sizes) = settings.training_rows() else { return Self::Map(Grid::of(settings)) };
        let families = settings.families(Some(sizes));
        let panels: Vec<_> =
            families.iter().flat_map(|f| depths.iter().map(move |&depth| (f.clone(), depth))).collect();
        let title = |(family, depth): &(Vec<usize>, usize)| {
            let label = settings.label(&settings.all[family[0]], Some(sizes));
            match (label.as_str(), depths.len()) {
                // Of one depth the caption speaks.
                (_, 1) => label,
                ("", _) => format!("depth {depth}"),
                _ => format!("{label}, depth {depth}"),
            }
        };
        let titles: Vec<String> = panels.iter().map(title).collect();
        if have_room(&titles) { Self::Curves(panels, titles) } else { Self::Map(Grid::of(settings)) }
    }
}

fn compute(manifest: &KernelManifest, settings: &Settings<'_>) -> Vec<Ratio> {
    let placed = |comparison: KernelComparison| {
        let (low, high) = comparison.interval.map_or((comparison.ratio, comparison.ratio), |v| (v.low, v.high));
        let value = Interval { mean: comparison.ratio, low, high, n: comparison.n_pairs };
        let is_drawable = [value.mean, low, high].iter().all(|v| v.is_finite() && *v > 0.0);
        is_drawable.then(|| Ratio {
            setting: comparison.setting,
            n_train: settings.all[comparison.setting].n_train(),
            depth: comparison.depth,
            has_interval: comparison.interval.is_some(),
            decision: comparison.equivalence.map(|equivalence| equivalence.decision),
            other: comparison.other,
            value,
        })
    };
    compare_kernels(manifest, settings).into_iter().filter_map(placed).collect()
}

fn intervals(manifest: &KernelManifest, ratios: &[Ratio]) -> String {
    let bars = if ratios.iter().any(|ratio| ratio.has_interval) {
        format!("bars are {} intervals by the bootstrap over splits", caption::percent(manifest.confidence))
    } else {
        "these are too few for an interval by the bootstrap".to_owned()
    };
    match splits(ratios) {
        None => "There is one split, so a ratio has no interval.".to_owned(),
        Some(n) => format!("Markers are over {n} splits each; {bars}."),
    }
}

/// How many splits ratios are over, where there are several.
fn splits(ratios: &[Ratio]) -> Option<String> {
    match distinct(ratios.iter().map(|ratio| ratio.value.n))[..] {
        [1] => None,
        [n] => Some(n.to_string()),
        [least, .., most] => Some(format!("{least} to {most}")),
        [] => None,
    }
}

fn of_map(manifest: &KernelManifest, ratios: &[Ratio]) -> String {
    let Some(n) = splits(ratios) else {
        return "There is one split, so nothing is decided and no tile has a colour.".to_owned();
    };
    format!(
        "Grey: alike within a factor of {}, by two one-sided tests over {n} splits; a colour: beyond it, by a one-sided test; each at level {} by \
         itself; without a colour: undecided. The table of numbers has {} intervals by the bootstrap over splits.",
        1.0 + manifest.margin,
        (1e4 * (1.0 - manifest.confidence)).round() / 1e4,
        caption::percent(manifest.confidence)
    )
}

fn table(settings: &Settings<'_>, ratios: &[Ratio]) -> Numbers {
    let header = ["setting", "n_train", "depth", "other", "n_pairs", "ratio", "low", "high", "decision"];
    let mut numbers = Numbers::new(header);
    for ratio in ratios {
        let Ratio { setting, n_train, depth, other, value, has_interval, .. } = ratio;
        let label = settings.label(&settings.all[*setting], settings.training_rows());
        let start = [label, n_train.to_string(), depth.to_string(), other.clone(), value.n.to_string()];
        let ends = [value.low, value.high].map(|end| cell(has_interval.then_some(end)));
        let decision = match ratio.class() {
            None => "undecided",
            Some(0 | 1) => "NTK better",
            Some(2) => "alike",
            Some(_) => "NTK worse",
        };
        let numeric = std::iter::once(cell(value.mean)).chain(ends);
        numbers.push(start.into_iter().chain(numeric).chain([decision.to_owned()]).collect());
    }
    numbers
}

impl Ratio {
    /// Its place among the colours of a map, from the NTK far better to far worse; none where it is undecided.
    fn class(&self) -> Option<usize> {
        match self.decision? {
            Decision::Equivalent => Some(2),
            Decision::Different if self.value.mean < 1.0 => Some(usize::from(self.value.mean > 1.0 / FAR)),
            Decision::Different => Some(3 + usize::from(self.value.mean > FAR)),
            Decision::Undecided { .. } => None,
        }
    }
}

fn map(manifest: &KernelManifest, grid: &Grid<'_>, depths: &[usize], ratios: &[Ratio]) -> Scene {
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

fn curves(manifest: &KernelManifest, panels: &[(Vec<usize>, usize)], titles: &[String], ratios: &[Ratio]) -> Scene {
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

fn dots(manifest: &KernelManifest, depths: &[usize], ratios: &[Ratio]) -> Scene {
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
