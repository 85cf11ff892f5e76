//! Calibration: how much more often than promised test targets lie within the central interval that a Gaussian process gives a probability.

use super::super::Drawing;
use super::super::axis::{Axis, Scale};
use super::super::caption;
use super::super::layout::Layout;
use super::super::legend::Legend;
use super::super::numbers::{Numbers, cell};
use super::super::panel::Panel;
use super::super::scene::Scene;
use super::super::theme::{Look, REFERENCE};
use super::member::{Member, look, name};
use super::sentences::{data, distinct, left_out};
use super::{MOST_PANELS, rows};
use crate::record::{KernelManifest, KernelPoint};
use crate::stats::Interval;
use crate::study::regression::mean_over_splits;

/// One kernel: the mean coverage at each level, over all settings and splits.
struct Line {
    member: Member,
    means: Vec<(f64, Interval)>,
}

pub(super) fn draw(manifest: &KernelManifest, points: &[KernelPoint]) -> Option<Drawing> {
    let covered: Vec<&KernelPoint> = points.iter().filter(|point| !point.coverage.is_empty()).collect();
    let lines = compute(points, &covered, manifest.confidence);
    let n = lines.iter().flat_map(|line| &line.means).map(|(_, mean)| mean.n).max()?;
    let depths = distinct(lines.iter().filter_map(|line| line.member.depth));
    let of_covered: Vec<_> = covered.iter().map(|point| &point.row).collect();
    let caption = [
        "Share of test targets within the central interval of the Gaussian process, less the probability of that interval, against that probability; \
         the process has the chosen ridge and the amplitude that makes the training targets most likely."
            .to_owned(),
        data(manifest, &of_covered, points.len()),
        if n == 1 {
            "There is one split, so no line has a band.".to_owned()
        } else {
            format!(
                "Lines are means over all settings and {n} splits; bands are Student's {} confidence intervals over the splits.",
                caption::percent(manifest.confidence)
            )
        },
        "At 0 intervals hold what they promise; above it they are too wide, below it too narrow.".to_owned(),
        match depths[..] {
            [] => String::new(),
            [depth] => format!("Kernels of networks are of depth {depth}."),
            _ => "Each panel has the kernels of networks of one depth beside those without.".to_owned(),
        },
        left_out(depths.len(), "depths"),
    ];
    Some(Drawing {
        name: "calibration",
        title: "Coverage of central intervals",
        caption: caption::join(&caption),
        numbers: table(&lines),
        scene: scene(&lines),
    })
}

fn compute(points: &[KernelPoint], covered: &[&KernelPoint], confidence: f64) -> Vec<Line> {
    let line = |member: Member| {
        let of_member = || {
            let of_points = covered.iter().filter(|point| member.is_of(&point.row));
            of_points.flat_map(|point| point.coverage.iter().map(|covered| (point.row.split_seed, covered)))
        };
        let mut levels: Vec<f64> = of_member().map(|(_, covered)| covered.level).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        let mean = |level: f64| {
            let at_level = of_member().filter(|(_, covered)| covered.level == level && covered.fraction.is_finite());
            Some((level, mean_over_splits(at_level.map(|(split, covered)| (split, covered.fraction)), confidence)?))
        };
        let means = levels.into_iter().filter_map(mean).collect();
        Line { member, means }
    };
    let lines = Member::all(&rows(points)).into_iter().map(line);
    lines.filter(|line| !line.means.is_empty()).collect()
}

fn table(lines: &[Line]) -> Numbers {
    let mut numbers = Numbers::new(["kernel", "depth", "level", "n_splits", "mean", "low", "high"]);
    for Line { member, means } in lines {
        for (level, mean) in means {
            let [kernel, depth] = member.cells();
            let values = [mean.mean, mean.low, mean.high].map(cell);
            numbers.push([kernel, depth, cell(*level), mean.n.to_string()].into_iter().chain(values).collect());
        }
    }
    numbers
}

fn scene(lines: &[Line]) -> Scene {
    let depths = distinct(lines.iter().filter_map(|line| line.member.depth));
    let mut kernels: Vec<&str> = Vec::new();
    let mut legend = Legend::default();
    for Line { member, .. } in lines {
        if !kernels.contains(&member.kernel.as_str()) {
            kernels.push(&member.kernel);
            legend.series(name(&member.kernel), look(&member.kernel));
        }
    }
    legend.line("as promised", REFERENCE);

    let n_panels = depths.len().clamp(1, MOST_PANELS);
    let layout = Layout { n_panels, share_y: true, height: Some(220.0), headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&legend);
    let x = Axis::over(Scale::Linear, "probability of the interval", [0.0, 1.0]);
    let ends =
        lines.iter().flat_map(|line| &line.means).flat_map(|(level, mean)| [mean.low - level, mean.high - level]);
    let y = Axis::over(Scale::Linear, "share of targets within \u{2212} probability", ends.chain([0.0]));
    for (i, frame) in frames.into_iter().enumerate() {
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y: y.clone() };
        let depth = depths.get(i).copied();
        let title = depth.filter(|_| depths.len() > 1).map_or_else(String::new, |depth| format!("depth {depth}"));
        panel.draw_frame(&mut scene, &title, layout.leads_row(i));
        panel.line(&mut scene, &[(0.0, Some(0.0)), (1.0, Some(0.0))], REFERENCE);
        let is_here = |line: &&Line| line.member.depth.is_none() || line.member.depth == depth;
        let curves: Vec<(Vec<_>, Look)> = lines
            .iter()
            .filter(is_here)
            .map(|line| {
                let excess = |&(level, Interval { mean, low, high, n }): &(f64, Interval)| {
                    (level, Some(Interval { mean: mean - level, low: low - level, high: high - level, n }))
                };
                (line.means.iter().map(excess).collect(), look(&line.member.kernel))
            })
            .collect();
        for (curve, look) in &curves {
            panel.spread(&mut scene, curve, look.color);
        }
        for (curve, look) in &curves {
            panel.curve(&mut scene, curve, *look);
        }
    }
    scene
}
