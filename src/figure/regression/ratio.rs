//! The map of a claim: the NTK's test error over that of each other kernel, MSE(NTK) / MSE(other), within the margin or beyond it.

mod drawn;

use super::super::Drawing;
use super::super::caption;
use super::super::numbers::{Numbers, cell};
use super::have_room;
use super::map::Grid;
use super::sentences::{SET_APART, data, distinct, settings_beside};
use crate::record::{KernelManifest, KernelRow};
use crate::stats::{Decision, Interval};
use crate::study::regression::{KernelComparison, Settings, compare_kernels};

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
            Shape::Curves(panels, titles) => drawn::curves(manifest, panels, titles, &ratios),
            Shape::Dots => drawn::dots(manifest, &depths, &ratios),
            Shape::Map(grid) => drawn::map(manifest, grid, &depths, &ratios),
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
