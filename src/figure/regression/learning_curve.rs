//! Test error against training rows, beside what the kernel's spectrum predicts of it. Only where a prediction was asked for.

use super::super::Drawing;
use super::super::axis::{Axis, Scale};
use super::super::caption;
use super::super::font::fitted;
use super::super::layout::Layout;
use super::super::legend::Legend;
use super::super::numbers::{Numbers, cell};
use super::super::panel::Panel;
use super::super::scene::Scene;
use super::super::theme::{Dash, GUIDE, Stroke};
use super::member::Member;
use super::sentences::{SET_APART, data, interval, left_out, settings_beside};
use super::{MOST_PANELS, apart};
use crate::record::{KernelManifest, KernelRow};
use crate::stats::{Interval, mean_interval};
use crate::study::regression::Settings;

/// One kernel at one size, over the splits that have a prediction.
struct Pair {
    setting: usize,
    member: usize,
    measured: Interval,
    predicted: Interval,
}

pub(super) fn draw(manifest: &KernelManifest, rows: &[&KernelRow]) -> Option<Drawing> {
    let members = Member::all(rows);
    let settings = Settings::of(rows);
    let sizes = settings.training_rows()?;
    let pairs = pairs(&settings, &members, manifest.confidence);
    if pairs.is_empty() {
        return None;
    }
    let families = settings.families(Some(sizes));
    let caption = [
        "Mean squared test error, in units of the training targets' variance, against the number of training rows: measured (markers), and as \
         the spectrum of each kernel predicts it on average over training sets (dotted; Canatar, Bordelon and Pehlevan 2021), at the ridge that \
         the training rows chose. The spectrum is that of the kernel matrix of a pool of rows: a training set that is a good part of the pool \
         learns all of its directions, and is predicted too small an error."
            .to_owned(),
        data(manifest, rows, rows.len()),
        settings_beside(&settings),
        interval(manifest, pairs.iter().map(|pair| pair.measured.n)),
        SET_APART.to_owned(),
        left_out(families.len(), "settings"),
    ];
    Some(Drawing {
        name: "learning_curve",
        title: "Test error and what the spectrum predicts",
        caption: caption::join(&caption),
        numbers: table(&settings, &members, &pairs),
        scene: scene(&settings, &families[..families.len().min(MOST_PANELS)], &members, &pairs),
    })
}

fn pairs(settings: &Settings<'_>, members: &[Member], confidence: f64) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (i, setting) in settings.all.iter().enumerate() {
        for (k, member) in members.iter().enumerate() {
            let is_pair =
                |row: &&KernelRow| member.is_of(row) && row.mse_test.is_finite() && row.mse_predicted.is_some();
            let here: Vec<&KernelRow> = setting.rows.iter().copied().filter(is_pair).collect();
            let mean = |value: fn(&KernelRow) -> Option<f64>| {
                mean_interval(&here.iter().filter_map(|row| value(row)).collect::<Vec<_>>(), confidence)
            };
            if let (Some(measured), Some(predicted)) = (mean(|row| Some(row.mse_test)), mean(|row| row.mse_predicted)) {
                pairs.push(Pair { setting: i, member: k, measured, predicted });
            }
        }
    }
    pairs
}

fn table(settings: &Settings<'_>, members: &[Member], pairs: &[Pair]) -> Numbers {
    let mut numbers = Numbers::new([
        "setting",
        "n_train",
        "kernel",
        "depth",
        "n_splits",
        "measured",
        "low",
        "high",
        "predicted",
        "predicted_low",
        "predicted_high",
    ]);
    for Pair { setting, member, measured, predicted } in pairs {
        let [kernel, depth] = members[*member].cells();
        let setting = &settings.all[*setting];
        let label = settings.label(setting, settings.training_rows());
        let start = [label, setting.n_train().to_string(), kernel, depth, measured.n.to_string()];
        let ends = [measured, predicted].into_iter().flat_map(|value| [value.mean, value.low, value.high].map(cell));
        numbers.push(start.into_iter().chain(ends).collect());
    }
    numbers
}

fn scene(settings: &Settings<'_>, families: &[Vec<usize>], members: &[Member], pairs: &[Pair]) -> Scene {
    let mut legend = Legend::default();
    for member in members {
        legend.series(member.name(), member.look);
    }
    legend.line("predicted, in the colour of its kernel".to_owned(), GUIDE);
    let layout = Layout { n_panels: families.len(), share_y: true, height: Some(220.0), headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&legend);
    let n_train = |pair: &Pair| settings.all[pair.setting].n_train() as f64;
    let aside = |k: usize| apart(k, members.len());
    let ends = [0, members.len() - 1];
    let x = Axis::over(
        Scale::Log2,
        "training rows",
        pairs.iter().flat_map(|pair| ends.map(|end| aside(end) * n_train(pair))),
    );
    for (i, (frame, family)) in frames.into_iter().zip(families).enumerate() {
        let row = i / layout.n_columns() * layout.n_columns();
        let in_row: Vec<usize> = families[row..].iter().take(layout.n_columns()).flatten().copied().collect();
        let of_row = pairs.iter().filter(|pair| in_row.contains(&pair.setting));
        let y = Axis::over(Scale::Log10, "mean squared test error", of_row.flat_map(extent));
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y };
        let title = settings.label(&settings.all[family[0]], settings.training_rows());
        panel.draw_frame(&mut scene, &fitted(&title, frame.width), layout.leads_row(i));
        for (k, member) in members.iter().enumerate() {
            let is_here = |pair: &&Pair| pair.member == k && family.contains(&pair.setting);
            let mut of_member: Vec<&Pair> = pairs.iter().filter(is_here).collect();
            of_member.sort_by(|a, b| n_train(a).total_cmp(&n_train(b)));
            let at = |pair: &&Pair| aside(k) * n_train(pair);
            let predicted: Vec<_> = of_member.iter().map(|pair| (at(pair), Some(pair.predicted.mean))).collect();
            panel.line(&mut scene, &predicted, Stroke::new(member.look.color, 1.2, Dash::Dotted));
            for pair in &of_member {
                panel.error_bar(&mut scene, at(pair), pair.measured, member.look.color);
            }
            let measured: Vec<_> = of_member.iter().map(|pair| (at(pair), Some(pair.measured))).collect();
            panel.curve(&mut scene, &measured, member.look);
        }
    }
    scene
}

/// What the vertical axis must show; of a lower end far below its mean only the way there.
fn extent(pair: &Pair) -> [f64; 4] {
    let Interval { mean, low, high, .. } = pair.measured;
    [low.max(0.4 * mean), mean, high, pair.predicted.mean]
}
