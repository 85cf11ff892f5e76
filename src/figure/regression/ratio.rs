//! The map of a claim: the NTK's test error over that of each other kernel, MSE(NTK) / MSE(other), within the margin or beyond it.

use super::super::Drawing;
use super::super::axis::{Axis, Scale};
use super::super::caption;
use super::super::font::fitted;
use super::super::layout::Layout;
use super::super::legend::Legend;
use super::super::numbers::{Numbers, cell};
use super::super::panel::Panel;
use super::super::scene::Scene;
use super::super::theme::{GREY, MARKER, REFERENCE};
use super::member::{look, name};
use super::setting::{SET_APART, Setting, data, distinct, left_out};
use super::{MOST_PANELS, apart, rows};
use crate::record::{KernelManifest, KernelPoint};
use crate::stats::Interval;
use crate::study::regression::{compare_kernels, setting};

const LABEL: &str = "NTK's test error / other's";

/// One comparison, placed.
struct Ratio {
    setting: usize,
    n_train: usize,
    depth: usize,
    other: String,
    value: Interval,
    has_interval: bool,
}

pub(super) fn draw(manifest: &KernelManifest, points: &[KernelPoint]) -> Option<Drawing> {
    let rows = rows(points);
    let settings = Setting::all(&rows);
    let ratios = compute(manifest, &settings);
    if ratios.is_empty() {
        return None;
    }
    let is_curve = settings.iter().any(|setting| setting.sizes().len() > 1);
    let depths = distinct(ratios.iter().map(|ratio| ratio.depth));
    let panels: Vec<(Option<usize>, usize)> = if is_curve {
        (0..settings.len()).flat_map(|i| depths.iter().map(move |&depth| (Some(i), depth))).collect()
    } else {
        depths.iter().map(|&depth| (None, depth)).collect()
    };
    let caption = [
        format!(
            "Ratio of the NTK's mean squared test error to that of each other kernel, split by split, and its geometric mean over splits{}; \
             below 1 the NTK is better.",
            if is_curve { ", against the number of training rows" } else { "" }
        ),
        data(manifest, &rows, points.len()),
        intervals(manifest, &ratios),
        format!(
            "The grey band is the margin within which two kernels are called alike, a factor of {}.",
            1.0 + manifest.margin
        ),
        if !is_curve && settings.len() > 1 {
            format!(
                "A row has one marker for each of {} settings, from top to bottom as in the table of numbers.",
                settings.len()
            )
        } else {
            String::new()
        },
        match depths[..] {
            [depth] => format!("The NNGP is that of the same network, of depth {depth}."),
            _ => "The NNGP is that of the same network.".to_owned(),
        },
        if is_curve { SET_APART.to_owned() } else { String::new() },
        left_out(panels.len(), "panels"),
    ];
    let panels = &panels[..panels.len().min(MOST_PANELS)];
    Some(Drawing {
        name: "ratio",
        title: "The NTK's test error over that of other kernels",
        caption: caption::join(&caption),
        numbers: table(&settings, &ratios),
        scene: if is_curve {
            curves(manifest, &settings, panels, &ratios)
        } else {
            dots(manifest, settings.len(), panels, &ratios)
        },
    })
}

fn compute(manifest: &KernelManifest, settings: &[Setting<'_>]) -> Vec<Ratio> {
    let all: Vec<_> = settings.iter().flat_map(|setting| setting.rows.iter().copied()).collect();
    let placed = compare_kernels(manifest, &all).into_iter().filter_map(|comparison| {
        let (i, n_train) = settings.iter().enumerate().find_map(|(i, place)| {
            let row = place.rows.iter().find(|row| setting(row) == comparison.setting)?;
            Some((i, row.n_train))
        })?;
        let (low, high) = comparison.interval.map_or((comparison.ratio, comparison.ratio), |v| (v.low, v.high));
        let value = Interval { mean: comparison.ratio, low, high, n: comparison.n_pairs };
        let is_drawable = [value.mean, low, high].iter().all(|v| v.is_finite() && *v > 0.0);
        is_drawable.then(|| Ratio {
            setting: i,
            n_train,
            depth: comparison.depth,
            other: comparison.other.clone(),
            value,
            has_interval: comparison.interval.is_some(),
        })
    });
    placed.collect()
}

fn intervals(manifest: &KernelManifest, ratios: &[Ratio]) -> String {
    let counts = distinct(ratios.iter().map(|ratio| ratio.value.n));
    let n = match counts[..] {
        [1] => return "There is one split, so a ratio has no interval.".to_owned(),
        [n] => n.to_string(),
        _ => format!("{} to {}", counts[0], counts[counts.len() - 1]),
    };
    let bars = if ratios.iter().any(|ratio| ratio.has_interval) {
        format!("bars are {} intervals by the bootstrap over splits", caption::percent(manifest.confidence))
    } else {
        "these are too few for an interval by the bootstrap".to_owned()
    };
    format!("Markers are over {n} splits each; {bars}.")
}

fn table(settings: &[Setting<'_>], ratios: &[Ratio]) -> Numbers {
    let mut numbers = Numbers::new(["setting", "n_train", "depth", "other", "n_pairs", "ratio", "low", "high"]);
    for Ratio { setting, n_train, depth, other, value, has_interval } in ratios {
        let start = [settings[*setting].label.clone(), n_train.to_string(), depth.to_string(), other.clone()];
        let ends = [value.low, value.high].map(|end| cell(has_interval.then_some(end)));
        numbers.push(start.into_iter().chain([value.n.to_string(), cell(value.mean)]).chain(ends).collect());
    }
    numbers
}

fn curves(
    manifest: &KernelManifest,
    settings: &[Setting<'_>],
    panels: &[(Option<usize>, usize)],
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
    let sizes = ratios.iter().flat_map(|ratio| ends.map(|end| aside(end) * ratio.n_train as f64));
    let x = Axis::over(Scale::Log2, "training rows", sizes);
    // A row of panels has its own range: data sets differ by orders of magnitude.
    let in_row = |i: usize| {
        let row = panels.chunks(layout.n_columns()).nth(i / layout.n_columns()).unwrap_or_default();
        ratios.iter().filter(|ratio| row.contains(&(Some(ratio.setting), ratio.depth)))
    };
    for (i, (frame, (setting, depth))) in frames.into_iter().zip(panels).enumerate() {
        let y = Axis::over(Scale::Log10, LABEL, extent(manifest, in_row(i)));
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y };
        let label = setting.map_or("", |setting| settings[setting].label.as_str());
        let title = match (label, panels.iter().all(|(_, other)| other == depth)) {
            ("", _) => format!("depth {depth}"),
            // Of one depth the caption speaks.
            (label, true) => label.to_owned(),
            (label, false) => format!("{label}, depth {depth}"),
        };
        panel.draw_frame(&mut scene, &fitted(&title, frame.width), layout.leads_row(i));
        let [low, high] = band(manifest);
        panel.shade(&mut scene, (x.value(0.0), low), (x.value(1.0), high), GREY);
        panel.line(&mut scene, &[0.0, 1.0].map(|end| (x.value(end), Some(1.0))), REFERENCE);
        for (k, other) in others.iter().enumerate() {
            let of_other =
                |ratio: &&Ratio| Some(ratio.setting) == *setting && ratio.depth == *depth && ratio.other == *other;
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

fn dots(manifest: &KernelManifest, n_settings: usize, panels: &[(Option<usize>, usize)], ratios: &[Ratio]) -> Scene {
    let others = others(ratios);
    let row = (10.0 + 8.0 * n_settings as f64).clamp(18.0, 120.0);
    let height = Some(row * others.len() as f64);
    let layout = Layout { n_panels: panels.len(), share_y: true, height, headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&Legend::default());
    let x = Axis::over(Scale::Log10, LABEL, extent(manifest, ratios));
    // The first kernel at the top.
    let y = Axis::of_names(others.iter().rev().map(|other| name(other).to_owned()).collect());
    for (i, (frame, (_, depth))) in frames.into_iter().zip(panels).enumerate() {
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y: y.clone() };
        panel.draw_frame(&mut scene, &format!("depth {depth}"), layout.leads_row(i));
        let [low, high] = band(manifest);
        panel.shade(&mut scene, (low, y.value(0.0)), (high, y.value(1.0)), GREY);
        panel.line(&mut scene, &[0.0, 1.0].map(|end| (1.0, Some(y.value(end)))), REFERENCE);
        for ratio in ratios.iter().filter(|ratio| ratio.depth == *depth) {
            let Some(position) = others.iter().position(|other| *other == ratio.other) else { continue };
            let aside = 0.8 * (ratio.setting as f64 - 0.5 * (n_settings as f64 - 1.0)) / n_settings as f64;
            let at = (others.len() - 1 - position) as f64 - aside;
            let look = look(&ratio.other);
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
