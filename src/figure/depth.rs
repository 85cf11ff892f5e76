//! Test error against depth: the trained network beside regression with its two infinite-width kernels.

use super::annotation::CROSS_ROOM;
use super::axis::{Axis, Scale};
use super::caption;
use super::layout::Layout;
use super::legend::Legend;
use super::mean::{Mean, Quantity, extent, mean_table};
use super::panel::Panel;
use super::scene::Scene;
use super::sweep::Sweep;
use super::theme::{Color, Dash, Look, MARKER, Marker, NETWORK, NNGP, NTK};
use super::{Drawing, sentence_for};
use crate::record::{Manifest, Point};

/// Looks of the narrowest, the middle and the widest network, tints of one colour.
const NETWORKS: [Look; 3] = [
    Look::new(Color(0x8f, 0xc4, 0xe3), Dash::Dotted, Marker::Up),
    Look::new(Color(0x3f, 0x98, 0xcc), Dash::Dashed, Marker::Square),
    Look::new(NETWORK, Dash::Solid, Marker::Circle),
];

const TRAINED: &str = "network";

const KERNELS: [(&str, Quantity, Look); 2] = [
    ("NTK regression", |row| Some(row.mse_ntk), Look::new(NTK, Dash::Dashed, Marker::Diamond)),
    ("NNGP regression", |row| Some(row.mse_nngp), Look::new(NNGP, Dash::Chain, Marker::Down)),
];

/// How far apart, in units of depth, series are drawn so that their error bars do not hide each other.
const APART: f64 = 0.05;

pub(super) fn draw(manifest: &Manifest, points: &[Point]) -> Drawing {
    let sweep = Sweep::new(points);
    let widths = ends_and_middle(&sweep.widths);
    let means = compute(&sweep, &widths, manifest.confidence);
    let caption = [
        format!(
            "Mean squared test error, in units of the target's variance, against the number of hidden layers: trained \
             networks of width {}, and regression with the analytic NTK and with the NNGP kernel.",
            caption::list(&widths)
        ),
        caption::setting(manifest, &sweep),
        caption::interval(manifest, &sweep, "bars", "the networks' error"),
        "Series are set a little apart along the axis, so that none hides another.".to_owned(),
        caption::divergence(&sweep, caption::CROSSES),
    ];
    Drawing {
        name: "depth",
        title: "Test error against depth",
        caption: caption::join(&caption),
        scene: scene(&sweep, &widths, &means),
        numbers: mean_table(&means),
    }
}

/// The narrowest, the middle and the widest, as far as they differ.
fn ends_and_middle(widths: &[usize]) -> Vec<usize> {
    match widths {
        [first, .., last] if widths.len() > 2 => vec![*first, widths[widths.len() / 2], *last],
        _ => widths.to_vec(),
    }
}

fn compute(sweep: &Sweep<'_>, widths: &[usize], confidence: f64) -> Vec<Mean> {
    let mut means = Vec::new();
    for &width in widths {
        for &depth in &sweep.depths {
            let rows = sweep.cell(depth, width);
            means.push(Mean::over(&rows, (TRAINED, |row| row.mse_network), (depth, Some(width)), confidence));
        }
    }
    for (name, quantity, _) in KERNELS {
        for &depth in &sweep.depths {
            // In the NTK parametrization every width has the same regression; in the standard one this is the widest network's.
            let widest: Vec<_> = sweep.at_depth(depth).into_iter().max_by_key(|row| row.width).into_iter().collect();
            means.push(Mean { n_diverged: 0, ..Mean::over(&widest, (name, quantity), (depth, None), confidence) });
        }
    }
    means
}

fn scene(sweep: &Sweep<'_>, widths: &[usize], means: &[Mean]) -> Scene {
    let of = |series: &str, width: Option<usize>| -> Vec<&Mean> {
        means.iter().filter(|m| m.series == series && m.width == width).collect()
    };
    let mut legend = Legend::default();
    let mut series = Vec::new();
    for (&width, &look) in widths.iter().zip(&NETWORKS[NETWORKS.len() - widths.len()..]) {
        legend.series(format!("network, width {width}"), look);
        series.push((of(TRAINED, Some(width)), look));
    }
    for (name, _, look) in KERNELS {
        legend.series(name, look);
        series.push((of(name, None), look));
    }

    let headroom = if means.iter().any(|m| m.n_diverged > 0) { CROSS_ROOM } else { 0.0 };
    let layout = Layout { n_panels: 1, share_y: true, height: Some(240.0), headroom };
    let (mut scene, frames) = layout.sheet(&legend);
    let errors = means.iter().filter_map(|m| m.value).map(|v| v.mean);
    let (least, most) = errors.fold((f64::INFINITY, 0.0_f64), |(least, most), v| (least.min(v), most.max(v)));
    let scale = if most > 10.0 * least { Scale::Log10 } else { Scale::Linear };
    let x = Axis::over(Scale::Integer, "depth (hidden layers)", sweep.depths.iter().map(|&depth| depth as f64));
    let y = Axis::over(scale, "mean squared test error", extent(means, scale));

    for frame in frames {
        let panel = Panel { frame, headroom, x: x.clone(), y: y.clone() };
        panel.draw_frame(&mut scene, "", true);
        if means.iter().all(|m| m.value.is_none()) {
            panel.sentence(&mut scene, &[sentence_for(sweep)]);
        }
        let n_series = series.len();
        for (i, (means, look)) in series.iter().enumerate() {
            let aside = APART * (i as f64 - 0.5 * (n_series as f64 - 1.0));
            let at = |mean: &Mean| mean.depth as f64 + aside;
            let line: Vec<_> = means.iter().map(|m| (at(m), m.value.map(|v| v.mean))).collect();
            panel.line(&mut scene, &line, look.stroke());
            for mean in means {
                if let Some(value) = mean.value {
                    panel.error_bar(&mut scene, at(mean), value, look.color);
                    panel.marker(&mut scene, (at(mean), Some(value.mean)), look.marker, look.color, MARKER);
                }
            }
            let missed = means.iter().filter(|m| m.width.is_some_and(|width| sweep.misses(m.depth, width)));
            panel.daggers(&mut scene, missed.filter_map(|m| Some((at(m), m.value?.mean))));
        }
        let count = |depth: usize| {
            let networks = || means.iter().filter(|m| m.depth == depth && m.series == TRAINED);
            (depth as f64, networks().map(|m| m.n_diverged).sum(), networks().map(|m| m.n_points).sum())
        };
        panel.crosses(&mut scene, &sweep.depths.iter().copied().map(count).collect::<Vec<_>>());
    }
    scene
}
