//! The training residual in bands of eigenvectors of the analytic NTK, against time: measured in the network, and as the kernel
//! predicts, where the mode of eigenvalue s shrinks by |1 - eta s / (N O)| a step.

use super::axis::{Axis, Scale};
use super::caption;
use super::layout::Layout;
use super::legend::Legend;
use super::numbers::{Numbers, cell};
use super::panel::Panel;
use super::scene::Scene;
use super::sweep::Sweep;
use super::theme::{Look, MARKER};
use super::ticks::compact;
use super::{Drawing, sentence_for, shown_title};
use crate::record::{Manifest, ModeBand, Point};

/// Residuals below this share of the largest are rounding.
const FLOOR: f64 = 1e-12;

/// Time against residual, one pair per checkpoint.
type Residuals = [(f64, Option<f64>)];

/// A band of eigenvectors in the network shown for a depth.
struct Decay {
    depth: usize,
    first: usize,
    last: usize,
    eigenvalue: f64,
    measured: Box<Residuals>,
    predicted: Box<Residuals>,
}

pub(super) fn draw(manifest: &Manifest, points: &[Point]) -> Drawing {
    let sweep = Sweep::new(points);
    let decays: Vec<Decay> = sweep
        .depths
        .iter()
        .filter_map(|&depth| sweep.shown(depth))
        .flat_map(|point| point.modes.iter().map(|band| Decay::of(point, band)))
        .collect();
    let caption = [
        "Norm of the training residual in bands of eigenvectors of the analytic NTK against training time (learning rate times \
         steps), in one network per depth, the widest that was trained to the end and of those the first seed: measured \
         (markers), and predicted by the analytic NTK (lines)."
            .to_owned(),
        caption::setting(manifest, &sweep),
        "The legend gives each band's ranks, counted from the largest eigenvalue, and the geometric mean s of its eigenvalues. \
         Time zero has no place on a logarithmic axis, and residuals below 1e-12 of the largest are not drawn. The axis ends \
         just beyond the measured residuals; predicted ones go on. One network is shown, so there is no band of confidence."
            .to_owned(),
        caption::divergence(&sweep, "none of them is shown here"),
    ];
    Drawing {
        name: "modes",
        title: "Training residual by eigenvector bands",
        caption: caption::join(&caption),
        scene: scene(&sweep, &decays),
        numbers: table(&sweep),
    }
}

impl Decay {
    fn of(point: &Point, band: &ModeBand) -> Self {
        let times = || point.trajectory.iter().map(|snapshot| snapshot.time);
        Self {
            depth: point.row.depth,
            first: band.first,
            last: band.last,
            eigenvalue: band.eigenvalue,
            measured: times().zip(band.measured.iter().copied()).collect(),
            predicted: times().zip(band.predicted.iter().copied()).collect(),
        }
    }

    fn label(&self) -> String {
        let s = compact(self.eigenvalue, 2);
        match (self.first, self.last) {
            (first, last) if first == last => format!("mode {first}, s = {s}"),
            (first, last) => format!("modes {first}\u{2013}{last}, s = {s}"),
        }
    }
}

fn table(sweep: &Sweep<'_>) -> Numbers {
    let mut numbers = Numbers::new([
        "depth",
        "width",
        "seed",
        "first",
        "last",
        "eigenvalue",
        "step",
        "time",
        "measured",
        "predicted",
    ]);
    for point in sweep.depths.iter().filter_map(|&depth| sweep.shown(depth)) {
        for band in &point.modes {
            let values = band.measured.iter().zip(&band.predicted);
            for (snapshot, (measured, predicted)) in point.trajectory.iter().zip(values) {
                let row = &point.row;
                let mut cells = vec![row.depth.to_string(), row.width.to_string(), row.seed.to_string()];
                cells.extend([band.first.to_string(), band.last.to_string(), cell(band.eigenvalue)]);
                cells.extend([snapshot.step.to_string(), cell(snapshot.time), cell(*measured), cell(*predicted)]);
                numbers.push(cells);
            }
        }
    }
    numbers
}

fn scene(sweep: &Sweep<'_>, decays: &[Decay]) -> Scene {
    let of_depth = |depth: usize| decays.iter().filter(move |decay| decay.depth == depth);
    let looks = |depth: usize| {
        let n = of_depth(depth).count();
        (0..n).map(move |i| Look::ordered(i, n))
    };
    let mut legends: Vec<Legend> = Vec::new();
    for &depth in &sweep.depths {
        let mut legend = Legend::default();
        for (decay, look) in of_depth(depth).zip(looks(depth)) {
            legend.series(decay.label(), look);
        }
        legends.push(legend);
    }
    legends.resize(legends.len().max(1), Legend::default());

    let layout = Layout { n_panels: legends.len(), share_y: true, height: Some(230.0), headroom: 0.0 };
    let (mut scene, frames) = layout.sheet_with_legends(&legends);
    let (x, y) = axes(decays);

    for (i, frame) in frames.into_iter().enumerate() {
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y: y.clone() };
        let Some(&depth) = sweep.depths.get(i) else {
            panel.draw_frame(&mut scene, "", true);
            panel.sentence(&mut scene, &[sentence_for(sweep)]);
            continue;
        };
        let shown = sweep.shown(depth);
        let title = shown.map_or_else(|| format!("depth {depth}"), |point| shown_title(&point.row));
        panel.draw_frame(&mut scene, &title, layout.leads_row(i));
        if shown.is_none() {
            panel.sentence(&mut scene, &["Every network", "of this depth diverged."]);
        }
        for (decay, look) in of_depth(depth).zip(looks(depth)) {
            panel.line(&mut scene, &decay.predicted, look.stroke());
            for &point in &*decay.measured {
                panel.marker(&mut scene, point, look.marker, look.color, 0.8 * MARKER);
            }
        }
    }
    scene
}

/// Axes that show all measured residuals but rounding, and the predicted ones within three times those: past the stability bound the
/// prediction leaves every sheet.
fn axes(decays: &[Decay]) -> (Axis, Axis) {
    let drawable = |points: fn(&Decay) -> &Residuals| -> Vec<(f64, f64)> {
        let pairs = decays.iter().flat_map(points).filter_map(|&(time, value)| Some((time, value?)));
        pairs.filter(|(time, value)| *time > 0.0 && *value > 0.0 && value.is_finite()).collect()
    };
    let (measured, predicted) = (drawable(|d| &d.measured), drawable(|d| &d.predicted));
    let most = measured.iter().fold(0.0_f64, |most, (_, value)| most.max(*value));
    let least = measured.iter().map(|(_, v)| *v).filter(|v| *v > FLOOR * most).fold(f64::INFINITY, f64::min);
    let range = if least.is_finite() { (0.3 * least, 3.0 * most) } else { (0.0, f64::INFINITY) };
    let all = || measured.iter().chain(&predicted);
    let x = Axis::over(Scale::Log10, "time", all().map(|(time, _)| *time));
    let values = all().map(|(_, value)| value.clamp(range.0, range.1));
    let y = Axis::over(Scale::Log10, "norm of training residual", values);
    (x, y)
}
