//! The equivalence gap, taken apart, against width:
//! f_T - A_inf^ntk Y = nonlinearity + initial function + finite width + finite time, and the optimizer's part where it has one.

use super::annotation::CROSS_ROOM;
use super::axis::{Axis, Scale};
use super::caption;
use super::layout::Layout;
use super::legend::Legend;
use super::mean::{Mean, Quantity, extent, mean_table};
use super::panel::Panel;
use super::scene::Scene;
use super::sweep::Sweep;
use super::theme::{BLACK, BLUE, Dash, GREY, GUIDE, Look, Marker, ORANGE, PURPLE, REFERENCE, SKY};
use super::{Drawing, sentence_for};
use crate::record::{Manifest, Point, Row};

const TOTAL: &str = "total";
const FINITE_WIDTH: &str = "finite width";
const OPTIMIZER: &str = "optimizer";

/// The total and its parts, in the order of the identity.
const PARTS: [(&str, Quantity, Look); 6] = [
    (TOTAL, |row| row.gap_total, Look::new(BLACK, Dash::Solid, Marker::Circle)),
    (OPTIMIZER, |row| part(row, row.gap_optimizer), Look::new(BLUE, Dash::Long, Marker::Square)),
    ("nonlinearity", |row| part(row, row.gap_nonlinearity), Look::new(ORANGE, Dash::Dashed, Marker::Square)),
    ("initial function", |row| part(row, row.gap_initial_function), Look::new(PURPLE, Dash::Chain, Marker::Up)),
    (FINITE_WIDTH, |row| part(row, row.gap_finite_width), Look::new(SKY, Dash::Solid, Marker::Diamond)),
    ("finite time", |row| part(row, row.gap_finite_time), Look::new(GREY, Dash::Dotted, Marker::Down)),
];

/// A part of the gap, where it means something: the parts of a diverged network belong to no total, and above the stability bound they
/// measure how far the linearized network has diverged.
fn part(row: &Row, value: Option<f64>) -> Option<f64> {
    value.filter(|_| row.is_trained() && row.is_stable())
}

/// Means below this share of the largest one are zero but for rounding, and would squeeze the others together.
const NEGLIGIBLE: f64 = 1e-6;

pub(super) fn draw(manifest: &Manifest, points: &[Point]) -> Drawing {
    let sweep = Sweep::new(points);
    let has_optimizer = points.iter().any(|point| point.row.gap_optimizer.is_some());
    let means = compute(&sweep, manifest.confidence, has_optimizer);
    let largest = means.iter().filter_map(|m| m.value).fold(0.0_f64, |largest, v| largest.max(v.mean));
    let is_shown = |mean: &Mean| mean.value.is_some_and(|v| v.mean > NEGLIGIBLE * largest);
    let hidden: Vec<&str> = PARTS
        .iter()
        .map(|(name, ..)| *name)
        .filter(|name| {
            *name == OPTIMIZER && !has_optimizer
                || largest > 0.0 && !means.iter().any(|m| m.series == *name && is_shown(m))
        })
        .collect();
    let drawn: Vec<Mean> = means.iter().map(|m| Mean { value: m.value.filter(|_| is_shown(m)), ..m.clone() }).collect();

    let caption = [
        format!(
            "Root mean square over test points, in units of the target's standard deviation, of the difference between the \
             trained network and regression with the analytic NTK, and of the {} differences that add up to it at every test \
             point, against hidden width.",
            if has_optimizer { "five" } else { "four" }
        ),
        caption::setting(manifest, &sweep),
        caption::interval(manifest, &sweep, "bands", "each root mean square"),
        format!("The dashed line is the margin of equivalence, {}.", manifest.margin),
        match sweep.widths.len() {
            0 | 1 => String::new(),
            _ => "Dots show the rate 1/\u{221a}n.".to_owned(),
        },
        match hidden.iter().copied().filter(|name| *name != OPTIMIZER || has_optimizer).collect::<Vec<_>>()[..] {
            [] => String::new(),
            ref hidden => {
                format!("Too small to draw, below a millionth of the largest mean everywhere: {}.", hidden.join(", "))
            }
        },
        caption::instability(&sweep, "the parts"),
        caption::divergence(&sweep, caption::CROSSES),
    ];
    Drawing {
        name: "gap",
        title: "The equivalence gap, taken apart",
        caption: caption::join(&caption),
        scene: scene(manifest, &sweep, &drawn, &hidden),
        numbers: mean_table(&means),
    }
}

fn compute(sweep: &Sweep<'_>, confidence: f64, has_optimizer: bool) -> Vec<Mean> {
    let mut means = Vec::new();
    for &depth in &sweep.depths {
        for (name, quantity, _) in PARTS.into_iter().filter(|(name, ..)| *name != OPTIMIZER || has_optimizer) {
            for &width in &sweep.widths {
                let rows = sweep.cell(depth, width);
                means.push(Mean::over(&rows, (name, quantity), (depth, Some(width)), confidence));
            }
        }
    }
    means
}

fn scene(manifest: &Manifest, sweep: &Sweep<'_>, means: &[Mean], hidden: &[&str]) -> Scene {
    let guides: Vec<_> = sweep.depths.iter().map(|&depth| guide(means, depth)).collect();
    let mut legend = Legend::default();
    for (name, _, look) in PARTS.into_iter().filter(|(name, ..)| !hidden.contains(name)) {
        legend.series(name, look);
    }
    legend.line(format!("margin {}", manifest.margin), REFERENCE);
    if guides.iter().any(Option::is_some) {
        legend.line("\u{221d} 1/\u{221a}n", GUIDE);
    }

    let headroom = if sweep.n_diverged() > 0 { CROSS_ROOM } else { 0.0 };
    let n_panels = sweep.depths.len().max(1);
    let layout = Layout { n_panels, share_y: true, height: Some(230.0), headroom };
    let (mut scene, frames) = layout.sheet(&legend);
    let widths = || sweep.widths.iter().map(|&width| width as f64);
    let shown =
        extent(means, Scale::Log10).into_iter().chain([manifest.margin]).chain(guides.iter().flatten().map(|g| g[1].1));
    let x = Axis::over(Scale::Log2, "width n", widths());
    let y = Axis::over(Scale::Log10, "RMS over test points (target std.)", shown);

    for (i, frame) in frames.into_iter().enumerate() {
        let panel = Panel { frame, headroom, x: x.clone(), y: y.clone() };
        let Some(&depth) = sweep.depths.get(i) else {
            panel.draw_frame(&mut scene, "", true);
            panel.sentence(&mut scene, &[sentence_for(sweep)]);
            continue;
        };
        panel.draw_frame(&mut scene, &format!("depth {depth}"), layout.leads_row(i));
        let of_part =
            |name: &str| -> Vec<&Mean> { means.iter().filter(|m| m.depth == depth && m.series == name).collect() };
        let crosses =
            of_part(FINITE_WIDTH).into_iter().filter_map(|m| Some((m.width? as f64, m.n_diverged, m.n_points)));
        panel.crosses(&mut scene, &crosses.collect::<Vec<_>>());
        if !means.iter().any(|m| m.depth == depth && m.value.is_some()) {
            panel.sentence(&mut scene, &[sentence_for(sweep)]);
            continue;
        }
        let margin = [0.0, 1.0].map(|end| (x.value(end), Some(manifest.margin)));
        panel.line(&mut scene, &margin, REFERENCE);
        if let Some(ends) = guides[i] {
            panel.line(&mut scene, &ends.map(|(x, y)| (x, Some(y))), GUIDE);
        }
        let curves = PARTS.map(|(name, _, look)| {
            let points = of_part(name).into_iter().filter_map(|m| Some((m.width? as f64, m.value)));
            (points.collect::<Vec<_>>(), look)
        });
        for (points, look) in &curves {
            panel.spread(&mut scene, points, look.color);
        }
        // The total comes first and lies lowest, because a part that makes up most of it would vanish below.
        for (points, look) in &curves {
            panel.curve(&mut scene, points, *look);
        }
        let missed = of_part(TOTAL).into_iter().filter(|m| m.width.is_some_and(|width| sweep.misses(depth, width)));
        panel.daggers(&mut scene, missed.filter_map(|m| Some((m.width? as f64, m.value?.mean))));
    }
    scene
}

/// The ends of a line of slope -1/2, a little below the part that theory expects to follow it.
fn guide(means: &[Mean], depth: usize) -> Option<[(f64, f64); 2]> {
    let mut follows = means
        .iter()
        .filter(|m| m.depth == depth && m.series == FINITE_WIDTH)
        .filter_map(|m| Some((m.width? as f64, m.value?.mean)));
    let (first, mean) = follows.next()?;
    let (last, _) = follows.next_back()?;
    let start = 0.6 * mean;
    Some([(first, start), (last, start * (first / last).sqrt())])
}
