//! Error against the ridge: what the protocol saw when it chose, and what it would have cost or won to choose otherwise.

use super::super::Drawing;
use super::super::axis::{Axis, Scale};
use super::super::caption;
use super::super::layout::Layout;
use super::super::legend::Legend;
use super::super::numbers::{Numbers, cell};
use super::super::panel::Panel;
use super::super::scene::Scene;
use super::super::theme::{AXIS, BLACK, Dash, GREY, Look, MARKER, Marker, REFERENCE};
use super::member::Member;
use super::sentences::left_out;
use super::{MOST_PANELS, rows};
use crate::record::{KernelManifest, KernelPoint, RidgePoint};

type Quantity = fn(&RidgePoint) -> Option<f64>;

/// What a panel is of.
type Panelled<'a> = (&'a KernelPoint, &'a Member);

const ERRORS: [(&str, Quantity, Look); 3] = [
    ("test error", |at| Some(at.mse_test), Look::new(BLACK, Dash::Solid, Marker::Circle)),
    (
        "leave-one-out error, of training rows alone",
        |at| at.mse_left_out,
        Look::new(GREY, Dash::Dashed, Marker::Square),
    ),
    ("training error", |at| Some(at.mse_train), Look::new(AXIS, Dash::Dotted, Marker::Down)),
];

/// Without a ridge nothing is left of the training error; below this share of the least other error it is not followed.
const FOLLOWED: f64 = 0.1;

pub(super) fn draw(_: &KernelManifest, points: &[KernelPoint]) -> Option<Drawing> {
    let first = &points.iter().find(|point| is_curve(point))?.row;
    let is_shown = |point: &&KernelPoint| {
        is_curve(point) && (&point.row.dataset, &point.row.varied) == (&first.dataset, &first.varied)
    };
    let shown: Vec<&KernelPoint> = points.iter().filter(is_shown).collect();
    let members = Member::all(&rows(points));
    let of = |point: &KernelPoint| members.iter().find(|member| member.is_of(&point.row));
    let panels: Vec<Panelled<'_>> = shown.iter().filter_map(|&point| Some((point, of(point)?))).collect();
    // Curves of different depths are alike, so one depth stands for all.
    let depth = panels.iter().find_map(|(_, member)| member.depth);
    let is_drawn = |(_, member): &&Panelled<'_>| member.depth.is_none() || member.depth == depth;
    let drawn: Vec<Panelled<'_>> = panels.iter().filter(is_drawn).copied().collect();
    let is_without = panels.iter().any(|(point, _)| point.path.iter().any(|at| at.relative_ridge == 0.0));
    let is_none_chosen = drawn.iter().any(|(point, _)| point.row.relative_ridge == 0.0);
    let caption = [
        "Mean squared errors, in units of the training targets' variance, against the ridge over the mean diagonal of the kernel matrix, \
         at the length scale that was chosen."
            .to_owned(),
        format!(
            "One training set, the first of the run: data set {} ({} training and {} test inputs{}, split {}).",
            first.dataset,
            first.n_train,
            first.n_test,
            if first.label_noise == 0.0 { String::new() } else { format!(", label noise {}", first.label_noise) },
            first.split_seed
        ),
        format!(
            "The dashed vertical line is the ridge that {} chose, from training rows alone{}.",
            first.criterion,
            if is_none_chosen { "; a panel without one chose to do without a ridge" } else { "" }
        ),
        "The training error is not followed below a tenth of the least other error.".to_owned(),
        if is_without {
            "Regression without a ridge has no place on the axis; it is in the table of numbers.".to_owned()
        } else {
            String::new()
        },
        if drawn.len() < panels.len() {
            "Of networks the least depth is drawn; the table of numbers has all.".to_owned()
        } else {
            String::new()
        },
        left_out(drawn.len(), "kernels"),
    ];
    Some(Drawing {
        name: "ridge",
        title: "Error against the ridge",
        caption: caption::join(&caption),
        numbers: table(&panels),
        scene: scene(&drawn[..drawn.len().min(MOST_PANELS)]),
    })
}

/// Whether several ridges were tried, so that there is something to see.
fn is_curve(point: &KernelPoint) -> bool {
    point.path.iter().filter(|at| at.relative_ridge > 0.0).count() > 1
}

fn table(panels: &[Panelled<'_>]) -> Numbers {
    let header = ["kernel", "depth", "relative_ridge", "is_chosen", "score", "mse_left_out", "mse_test", "mse_train"];
    let mut numbers = Numbers::new(header);
    for (point, member) in panels {
        for at in &point.path {
            let [kernel, depth] = member.cells();
            let is_chosen = at.relative_ridge == point.row.relative_ridge;
            let errors = [at.score, at.mse_left_out, Some(at.mse_test), Some(at.mse_train)].map(cell);
            let start = [kernel, depth, cell(at.relative_ridge), is_chosen.to_string()];
            numbers.push(start.into_iter().chain(errors).collect());
        }
    }
    numbers
}

fn scene(panels: &[Panelled<'_>]) -> Scene {
    let mut legend = Legend::default();
    for (label, _, look) in ERRORS {
        legend.series(label, look);
    }
    legend.line("chosen ridge", REFERENCE);

    let layout = Layout { n_panels: panels.len(), share_y: true, height: Some(180.0), headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&legend);
    let path = || panels.iter().flat_map(|(point, _)| &point.path).filter(|at| at.relative_ridge > 0.0);
    let x = Axis::over(Scale::Log10, "ridge / mean diagonal", path().map(|at| at.relative_ridge));
    let positive = |value: &f64| value.is_finite() && *value > 0.0;
    let followed: Vec<f64> =
        path().flat_map(|at| [Some(at.mse_test), at.mse_left_out]).flatten().filter(positive).collect();
    let least = followed.iter().copied().fold(f64::INFINITY, f64::min);
    let training = path().map(|at| at.mse_train).filter(|error| *error > FOLLOWED * least);
    let y = Axis::over(Scale::Log10, "mean squared error", followed.iter().copied().chain(training));

    for (i, (frame, (point, member))) in frames.into_iter().zip(panels).enumerate() {
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y: y.clone() };
        panel.draw_frame(&mut scene, &member.name(), layout.leads_row(i));
        let chosen = [0.0, 1.0].map(|end| (point.row.relative_ridge, Some(y.value(end))));
        panel.line(&mut scene, &chosen, REFERENCE);
        for (_, quantity, look) in ERRORS.into_iter().rev() {
            let mut line: Vec<_> = point.path.iter().map(|at| (at.relative_ridge, quantity(at))).collect();
            line.retain(|(ridge, _)| *ridge > 0.0);
            line.sort_by(|a, b| a.0.total_cmp(&b.0));
            panel.line(&mut scene, &line, look.stroke());
            for at in line {
                panel.marker(&mut scene, at, look.marker, look.color, 0.8 * MARKER);
            }
        }
    }
    scene
}
