//! Test error of every kernel: against training rows where their number varies, else kernel by kernel.

use super::super::Drawing;
use super::super::axis::{Axis, Scale};
use super::super::caption;
use super::super::font::fitted;
use super::super::layout::Layout;
use super::super::legend::Legend;
use super::super::numbers::{Numbers, cell};
use super::super::panel::Panel;
use super::super::scene::Scene;
use super::super::theme::MARKER;
use super::member::Member;
use super::setting::{SET_APART, Setting, data, interval, left_out};
use super::{MOST_PANELS, apart, rows};
use crate::record::{KernelManifest, KernelPoint};
use crate::stats::{Interval, mean_interval};

/// The mean over the splits of one kernel at one size.
struct Mean {
    setting: usize,
    member: usize,
    n_train: usize,
    value: Interval,
}

pub(super) fn draw(manifest: &KernelManifest, points: &[KernelPoint]) -> Option<Drawing> {
    let rows = rows(points);
    let members = Member::all(&rows);
    let settings = Setting::all(&rows);
    let means = compute(&settings, &members, manifest.confidence);
    if means.is_empty() {
        return None;
    }
    let is_curve = settings.iter().any(|setting| setting.sizes().len() > 1);
    let caption = [
        format!(
            "Mean squared test error, in units of the training targets' variance, {}, each with the hyperparameters that its training rows \
             chose.",
            if is_curve { "against the number of training rows" } else { "of each kernel" }
        ),
        data(manifest, &rows, points.len()),
        interval(manifest, means.iter().map(|mean| mean.value.n)),
        if is_curve { SET_APART.to_owned() } else { String::new() },
        if !is_curve && rows.iter().any(|row| row.depth.is_some()) {
            "A number behind a kernel is the depth of its network.".to_owned()
        } else {
            String::new()
        },
        left_out(settings.len(), "settings"),
    ];
    let drawn = &settings[..settings.len().min(MOST_PANELS)];
    Some(Drawing {
        name: "errors",
        title: "Test error by kernel",
        caption: caption::join(&caption),
        numbers: table(&settings, &members, &means),
        scene: if is_curve { curves(drawn, &members, &means) } else { dots(drawn, &members, &means) },
    })
}

fn compute(settings: &[Setting<'_>], members: &[Member], confidence: f64) -> Vec<Mean> {
    let mut means = Vec::new();
    for (i, setting) in settings.iter().enumerate() {
        for (k, member) in members.iter().enumerate() {
            for n_train in setting.sizes() {
                let of_member = setting.rows.iter().filter(|row| row.n_train == n_train && member.is_of(row));
                let values: Vec<f64> = of_member.map(|row| row.mse_test).filter(|error| error.is_finite()).collect();
                if let Some(value) = mean_interval(&values, confidence) {
                    means.push(Mean { setting: i, member: k, n_train, value });
                }
            }
        }
    }
    means
}

fn table(settings: &[Setting<'_>], members: &[Member], means: &[Mean]) -> Numbers {
    let mut numbers = Numbers::new(["setting", "n_train", "kernel", "depth", "n_splits", "mean", "low", "high"]);
    for Mean { setting, member, n_train, value } in means {
        let [kernel, depth] = members[*member].cells();
        let start = [settings[*setting].label.clone(), n_train.to_string(), kernel, depth, value.n.to_string()];
        numbers.push(start.into_iter().chain([value.mean, value.low, value.high].map(cell)).collect());
    }
    numbers
}

fn curves(settings: &[Setting<'_>], members: &[Member], means: &[Mean]) -> Scene {
    let mut legend = Legend::default();
    for member in members {
        legend.series(member.name(), member.look);
    }
    let layout = Layout { n_panels: settings.len(), share_y: true, height: Some(220.0), headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&legend);
    let drawn = || means.iter().filter(|mean| mean.setting < settings.len());
    let aside = |k: usize| apart(k, members.len());
    let ends = [0, members.len() - 1];
    let sizes = drawn().flat_map(|mean| ends.map(|end| aside(end) * mean.n_train as f64));
    let x = Axis::over(Scale::Log2, "training rows", sizes);
    // A row of panels has its own range: data sets differ by orders of magnitude.
    let in_row = |i: usize| {
        let row = i / layout.n_columns();
        drawn().filter(move |mean| mean.setting / layout.n_columns() == row)
    };
    for (i, (frame, setting)) in frames.into_iter().zip(settings).enumerate() {
        let y = Axis::over(Scale::Log10, "mean squared test error", extent(in_row(i), Scale::Log10));
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y };
        panel.draw_frame(&mut scene, &fitted(&setting.label, frame.width), layout.leads_row(i));
        for (k, member) in members.iter().enumerate() {
            let of_member = means.iter().filter(|mean| mean.setting == i && mean.member == k);
            let line: Vec<_> = of_member.map(|mean| (aside(k) * mean.n_train as f64, mean.value)).collect();
            for &(at, value) in &line {
                panel.error_bar(&mut scene, at, value, member.look.color);
            }
            let means: Vec<_> = line.into_iter().map(|(at, value)| (at, Some(value))).collect();
            panel.curve(&mut scene, &means, member.look);
        }
    }
    scene
}

fn dots(settings: &[Setting<'_>], members: &[Member], means: &[Mean]) -> Scene {
    /// Between two kernels.
    const ROW: f64 = 18.0;
    let height = Some(ROW * members.len() as f64);
    let layout = Layout { n_panels: settings.len(), share_y: true, height, headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&Legend::default());
    let drawn = || means.iter().filter(|mean| mean.setting < settings.len());
    let of_means = drawn().map(|mean| mean.value.mean);
    let (least, most) = of_means.fold((f64::INFINITY, 0.0_f64), |(least, most), v| (least.min(v), most.max(v)));
    let scale = if most > 10.0 * least { Scale::Log10 } else { Scale::Linear };
    let x = Axis::over(scale, "mean squared test error", extent(drawn(), scale));
    // The first kernel at the top.
    let y = Axis::of_names(members.iter().rev().map(Member::short_name).collect());
    for (i, (frame, setting)) in frames.into_iter().zip(settings).enumerate() {
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y: y.clone() };
        panel.draw_frame(&mut scene, &fitted(&setting.label, frame.width), layout.leads_row(i));
        for mean in means.iter().filter(|mean| mean.setting == i) {
            let (look, row) = (members[mean.member].look, (members.len() - 1 - mean.member) as f64);
            panel.bar_across(&mut scene, mean.value, row, look.color);
            panel.marker(&mut scene, (mean.value.mean, Some(row)), look.marker, look.color, MARKER);
        }
    }
    scene
}

/// What an axis must show: the intervals; on a logarithmic one, of a lower end far below its mean only the way there.
fn extent<'a>(means: impl Iterator<Item = &'a Mean>, scale: Scale) -> Vec<f64> {
    let least = if scale == Scale::Log10 { 0.4 } else { f64::NEG_INFINITY };
    means.flat_map(|Mean { value: v, .. }| [v.low.max(least * v.mean), v.mean, v.high]).collect()
}
