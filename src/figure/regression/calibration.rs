//! Coverage against level: how often test targets lie within the central interval that a Gaussian process gives a probability.

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
use super::setting::{data, distinct, left_out};
use super::{MOST_PANELS, rows};
use crate::record::{KernelManifest, KernelPoint};
use crate::stats::{Interval, mean_interval};

/// One kernel: the mean coverage at each level, over all its points.
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
        "Share of test targets within the central interval of the Gaussian process, against the probability of that interval; the process \
         has the chosen ridge and the amplitude that makes the training targets most likely."
            .to_owned(),
        data(manifest, &of_covered, points.len()),
        if n == 1 {
            "There is one point of each kernel, so no line has a band.".to_owned()
        } else {
            format!(
                "Lines are means over all settings and splits, up to {n} points of a kernel; bands are Student's {} confidence intervals of \
                 the mean over these points.",
                caption::percent(manifest.confidence)
            )
        },
        "On the dashed diagonal intervals hold what they promise; above it they are too wide, below it too narrow.".to_owned(),
        if depths.is_empty() {
            String::new()
        } else {
            "Each panel has the kernels of networks of one depth beside those without.".to_owned()
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
        let of_member = || covered.iter().filter(|point| member.is_of(&point.row)).flat_map(|point| &point.coverage);
        let mut levels: Vec<f64> = of_member().map(|c| c.level).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        let mean = |level: f64| {
            let at_level = of_member().filter(|c| c.level == level && c.fraction.is_finite());
            Some((level, mean_interval(&at_level.map(|c| c.fraction).collect::<Vec<_>>(), confidence)?))
        };
        let means = levels.into_iter().filter_map(mean).collect();
        Line { member, means }
    };
    let lines = Member::all(&rows(points)).into_iter().map(line);
    lines.filter(|line| !line.means.is_empty()).collect()
}

fn table(lines: &[Line]) -> Numbers {
    let mut numbers = Numbers::new(["kernel", "depth", "level", "n_points", "mean", "low", "high"]);
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
    let layout = Layout { n_panels, share_y: true, height: None, headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&legend);
    let x = Axis::over(Scale::Linear, "probability of the interval", [0.0, 1.0]);
    let y = Axis::over(Scale::Linear, "share of test targets within it", [0.0, 1.0]);
    for (i, frame) in frames.into_iter().enumerate() {
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y: y.clone() };
        let depth = depths.get(i).copied();
        let title = depth.map_or_else(String::new, |depth| format!("depth {depth}"));
        panel.draw_frame(&mut scene, &title, layout.leads_row(i));
        panel.line(&mut scene, &[(0.0, Some(0.0)), (1.0, Some(1.0))], REFERENCE);
        let is_here = |line: &&Line| line.member.depth.is_none() || line.member.depth == depth;
        let curves: Vec<(Vec<_>, Look)> = lines
            .iter()
            .filter(is_here)
            .map(|line| {
                (line.means.iter().map(|&(level, mean)| (level, Some(mean))).collect(), look(&line.member.kernel))
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
