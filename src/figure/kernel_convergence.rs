//! The network's kernel against its limit: ||K_0 - K|| / ||K|| ~ n^-1/2 at initialization, and its drift in training,
//! ||K_T - K_0|| / ||K_0|| ~ n^-1.

use super::annotation::CROSS_ROOM;
use super::axis::{Axis, Scale};
use super::caption;
use super::layout::Layout;
use super::legend::Legend;
use super::mean::{MEAN_HEADER, Mean, Quantity, extent, mean_cells};
use super::numbers::{Numbers, cell};
use super::panel::Panel;
use super::scene::Scene;
use super::sweep::Sweep;
use super::theme::{GUIDE, Look};
use super::ticks::fixed;
use super::{Drawing, sentence_for};
use crate::record::{Manifest, Point};
use crate::stats::{Slope, log_log_slope};

/// One panel: a quantity and the exponent that theory expects of it.
struct Rate {
    series: &'static str,
    title: &'static str,
    label: &'static str,
    quantity: Quantity,
    expected: f64,
    guide: &'static str,
    /// Whether a network that diverges in training has none.
    needs_training: bool,
}

const RATES: [Rate; 2] = [
    Rate {
        series: "kernel error at initialization",
        title: "at initialization, from the analytic NTK",
        label: "relative Frobenius distance",
        quantity: |row| Some(row.kernel_error),
        expected: -0.5,
        guide: "\u{221d} 1/\u{221a}n",
        needs_training: false,
    },
    Rate {
        series: "kernel drift in training",
        title: "after training, from initialization",
        label: "relative Frobenius distance",
        quantity: |row| row.kernel_drift,
        expected: -1.0,
        guide: "\u{221d} 1/n",
        needs_training: true,
    },
];

/// A quantity at one depth: its means over the widths, and the exponent fitted to all seeds.
struct Line {
    rate: usize,
    depth: usize,
    means: Vec<Mean>,
    slope: Option<Slope>,
}

pub(super) fn draw(manifest: &Manifest, points: &[Point]) -> Drawing {
    let sweep = Sweep::new(points);
    let lines = compute(&sweep, manifest.confidence);
    let caption = [
        "Relative Frobenius distance, on the training inputs, of the network's kernel at initialization from the analytic NTK \
         (left), and of its kernel after training from that at initialization (right), against hidden width."
            .to_owned(),
        caption::setting(manifest, &sweep),
        caption::interval(manifest, &sweep, "bands", "each distance"),
        if lines.iter().any(|line| line.slope.is_some()) {
            format!(
                "Exponents are fitted by least squares in logarithms to all seeds, with their {} confidence intervals; dots \
                 show the rates that theory expects, 1/\u{221a}n and 1/n.",
                caption::percent(manifest.confidence)
            )
        } else {
            "No exponent is fitted: that takes three values at two widths.".to_owned()
        },
        caption::divergence(&sweep, caption::CROSSES),
    ];
    Drawing {
        name: "kernel_convergence",
        title: "Convergence of the kernel with width",
        caption: caption::join(&caption),
        scene: scene(&sweep, &lines),
        numbers: table(&lines),
    }
}

fn compute(sweep: &Sweep<'_>, confidence: f64) -> Vec<Line> {
    let mut lines = Vec::new();
    for (rate, Rate { series, quantity, .. }) in RATES.iter().enumerate() {
        for &depth in &sweep.depths {
            let rows = sweep.at_depth(depth);
            let values: Vec<_> = rows.iter().filter_map(|row| Some((row.width as f64, quantity(row)?))).collect();
            let over = |&width: &usize| {
                Mean::over(&sweep.cell(depth, width), (*series, *quantity), (depth, Some(width)), confidence)
            };
            let means = sweep.widths.iter().map(over).collect();
            lines.push(Line { rate, depth, means, slope: log_log_slope(&values, confidence) });
        }
    }
    lines
}

fn table(lines: &[Line]) -> Numbers {
    const EXPONENT: [&str; 3] = ["exponent", "exponent_low", "exponent_high"];
    let mut numbers = Numbers::new(MEAN_HEADER.into_iter().chain(EXPONENT));
    for Line { means, slope, .. } in lines {
        let exponent = [slope.map(|s| s.exponent), slope.map(|s| s.low), slope.map(|s| s.high)].map(cell);
        for mean in means {
            numbers.push(mean_cells(mean).into_iter().chain(exponent.clone()).collect());
        }
    }
    numbers
}

fn scene(sweep: &Sweep<'_>, lines: &[Line]) -> Scene {
    let look = |depth: usize| {
        let i = sweep.depths.iter().position(|&d| d == depth).unwrap_or(0);
        Look::ordered(i, sweep.depths.len())
    };
    let of_rate = |rate: usize| lines.iter().filter(move |line| line.rate == rate);
    let mut legends = vec![Legend::default(); RATES.len()];
    for (i, (legend, rate)) in legends.iter_mut().zip(&RATES).enumerate() {
        for line in of_rate(i) {
            legend.series(label(line), look(line.depth));
        }
        if guide(of_rate(i), rate.expected).is_some() {
            legend.line(rate.guide, GUIDE);
        }
    }

    let headroom = if sweep.n_diverged() > 0 { CROSS_ROOM } else { 0.0 };
    let layout = Layout { n_panels: RATES.len(), share_y: false, height: Some(230.0), headroom };
    let (mut scene, frames) = layout.sheet_with_legends(&legends);
    let x = Axis::over(Scale::Log2, "width n", sweep.widths.iter().map(|&width| width as f64));

    for (i, (frame, rate)) in frames.into_iter().zip(&RATES).enumerate() {
        let means = || of_rate(i).flat_map(|line| &line.means);
        let guide = guide(of_rate(i), rate.expected);
        let shown = extent(means(), Scale::Log10).into_iter().chain(guide.iter().flatten().map(|&(_, y)| y));
        let headroom = if rate.needs_training { headroom } else { 0.0 };
        let panel = Panel { frame, headroom, x: x.clone(), y: Axis::over(Scale::Log10, rate.label, shown) };
        panel.draw_frame(&mut scene, rate.title, true);
        if means().all(|mean| mean.value.is_none()) {
            panel.sentence(&mut scene, &[sentence_for(sweep)]);
        }
        if let Some(ends) = guide {
            panel.line(&mut scene, &ends.map(|(x, y)| (x, Some(y))), GUIDE);
        }
        let curve = |line: &Line| -> Vec<_> {
            line.means.iter().filter_map(|mean| Some((mean.width? as f64, mean.value))).collect()
        };
        for line in of_rate(i) {
            panel.spread(&mut scene, &curve(line), look(line.depth).color);
        }
        for line in of_rate(i) {
            panel.curve(&mut scene, &curve(line), look(line.depth));
        }
        if rate.needs_training {
            for line in of_rate(i) {
                let missed = line.means.iter().filter(|m| m.width.is_some_and(|width| sweep.misses(line.depth, width)));
                panel.daggers(&mut scene, missed.filter_map(|m| Some((m.width? as f64, m.value?.mean))));
            }
            let count = |width: usize| {
                let of_width = || means().filter(move |mean| mean.width == Some(width));
                (width as f64, of_width().map(|m| m.n_diverged).sum(), of_width().map(|m| m.n_points).sum())
            };
            panel.crosses(&mut scene, &sweep.widths.iter().copied().map(count).collect::<Vec<_>>());
        }
    }
    scene
}

fn label(line: &Line) -> String {
    let depth = line.depth;
    line.slope.map_or_else(
        || format!("depth {depth}"),
        |s| format!("depth {depth}: exponent {} [{}, {}]", fixed(s.exponent, 2), fixed(s.low, 2), fixed(s.high, 2)),
    )
}

/// The ends of a line of the expected slope, a little below the lowest of the measured ones.
fn guide<'a>(lines: impl Iterator<Item = &'a Line>, expected: f64) -> Option<[(f64, f64); 2]> {
    let lowest = lines
        .filter_map(|line| {
            let mut means = line.means.iter().filter_map(|mean| Some((mean.width? as f64, mean.value?.mean)));
            let (first, start) = means.next()?;
            Some((first, means.next_back()?.0, start))
        })
        .min_by(|a, b| a.2.total_cmp(&b.2))?;
    let (first, last, start) = (lowest.0, lowest.1, 0.7 * lowest.2);
    Some([(first, start), (last, start * (last / first).powf(expected))])
}
