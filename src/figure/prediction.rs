//! What the trained network predicts, f_T, against what NTK regression predicts, A_inf^ntk Y, at each test point; and beside
//! it A_T^ntk Y, the same kernel after the network's time, whose distance from the diagonal is finite time alone.

use super::axis::{Axis, Scale};
use super::caption;
use super::layout::Layout;
use super::legend::Legend;
use super::numbers::{Numbers, cell};
use super::panel::Panel;
use super::scene::Scene;
use super::sweep::Sweep;
use super::theme::{Dash, Look, Marker, NETWORK, NTK, REFERENCE};
use super::ticks::{compact, fixed};
use super::{Drawing, sentence_for, shown_title};
use crate::record::{Manifest, Point};

const F_T: Look = Look::new(NETWORK, Dash::Solid, Marker::Circle);
const A_T: Look = Look::new(NTK, Dash::Dashed, Marker::Diamond);

/// Room above the data for two lines of text.
const NOTE_ROOM: f64 = 32.0;
/// More dots than this in one panel cannot be told apart; they are thinned evenly.
const MOST_DOTS: usize = 1500;

/// A panel: one network and its predictions, those of NTK regression first.
struct Cloud<'a> {
    depth: usize,
    point: Option<&'a Point>,
    /// (A_inf^ntk Y, f_T)
    network: Vec<(f64, f64)>,
    /// (A_inf^ntk Y, A_T^ntk Y)
    at_time: Vec<(f64, f64)>,
}

pub(super) fn draw(manifest: &Manifest, points: &[Point]) -> Drawing {
    let sweep = Sweep::new(points);
    let clouds: Vec<Cloud<'_>> = sweep.depths.iter().map(|&depth| Cloud::at(&sweep, depth)).collect();
    let most = clouds.iter().map(|cloud| cloud.network.len()).max().unwrap_or(0);
    let caption = [
        "Predictions of one trained network per depth, the widest that was trained to the end and of those the first seed, \
         against the predictions of regression with the analytic NTK at the same test points; and what the analytic NTK \
         predicts after the network's training time, whose distance from the diagonal is the effect of finite time alone."
            .to_owned(),
        caption::setting(manifest, &sweep),
        "Each panel gives the root mean square of the distance from the diagonal, in units of the target's standard \
         deviation, and the correlation r, over all test points of that one network; there is no band."
            .to_owned(),
        match most {
            0..=MOST_DOTS => String::new(),
            _ => format!("Of {most} predictions {MOST_DOTS} at most are drawn per panel, evenly chosen."),
        },
        caption::instability(&sweep, "the kernel's predictions after the same time"),
        caption::divergence(&sweep, "none of them is shown here"),
    ];
    Drawing {
        name: "prediction",
        title: "Predictions of the network and of its kernel",
        caption: caption::join(&caption),
        scene: scene(&sweep, &clouds),
        numbers: table(&clouds),
    }
}

impl<'a> Cloud<'a> {
    fn at(sweep: &Sweep<'a>, depth: usize) -> Self {
        let point = sweep.shown(depth);
        let predictions = point.map_or(&[][..], |point| &point.predictions);
        let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let network = predictions.iter().filter_map(|p| Some((p.ntk, p.network?))).filter(finite).collect();
        let stable = if point.is_some_and(|point| point.row.is_stable()) { predictions } else { &[] };
        let at_time = stable.iter().filter_map(|p| Some((p.ntk, p.ntk_at_time?))).filter(finite).collect();
        Self { depth, point, network, at_time }
    }
}

fn table(clouds: &[Cloud<'_>]) -> Numbers {
    let mut numbers =
        Numbers::new(["depth", "width", "seed", "test_point", "output", "target", "ntk", "network", "ntk_at_time"]);
    for point in clouds.iter().filter_map(|cloud| cloud.point) {
        for p in &point.predictions {
            let row = &point.row;
            let mut cells: Vec<String> = [row.depth, row.width].iter().map(usize::to_string).collect();
            cells.extend([row.seed.to_string(), p.test_point.to_string(), p.output.to_string()]);
            cells.extend([cell(p.target), cell(p.ntk), cell(p.network), cell(p.ntk_at_time)]);
            numbers.push(cells);
        }
    }
    numbers
}

fn scene(sweep: &Sweep<'_>, clouds: &[Cloud<'_>]) -> Scene {
    let mut legend = Legend::default();
    legend.markers("trained network", F_T);
    legend.markers("NTK regression after the same time", A_T);
    legend.line("equal to NTK regression", REFERENCE);

    let layout = Layout { n_panels: clouds.len().max(1), share_y: true, height: None, headroom: NOTE_ROOM };
    let (mut scene, frames) = layout.sheet(&legend);
    let all = clouds.iter().flat_map(|c| c.network.iter().chain(&c.at_time)).flat_map(|&(x, y)| [x, y]);
    // The same stretch for both axes and all panels, so that the diagonal is the diagonal.
    let x = Axis::over(Scale::Linear, "NTK regression", all);
    let y = x.clone().with_label("prediction (target std.)");

    for (i, frame) in frames.into_iter().enumerate() {
        let panel = Panel { frame, headroom: NOTE_ROOM, x: x.clone(), y: y.clone() };
        let Some(cloud) = clouds.get(i) else {
            panel.draw_frame(&mut scene, "", true);
            panel.sentence(&mut scene, &[sentence_for(sweep)]);
            continue;
        };
        let Some(row) = cloud.point.map(|point| &point.row) else {
            panel.draw_frame(&mut scene, &format!("depth {}", cloud.depth), layout.leads_row(i));
            panel.sentence(&mut scene, &["Every network", "of this depth diverged."]);
            continue;
        };
        panel.draw_frame(&mut scene, &shown_title(row), layout.leads_row(i));
        let ends = [x.value(0.0), x.value(1.0)];
        panel.line(&mut scene, &ends.map(|end| (end, Some(end))), REFERENCE);
        for (line, name, cloud, look, radius) in
            [(0, "network", &cloud.network, F_T, 2.2), (1, "NTK, same time", &cloud.at_time, A_T, 1.5)]
        {
            for &dot in cloud.iter().step_by(cloud.len().div_ceil(MOST_DOTS).max(1)) {
                panel.dot(&mut scene, dot, look, radius);
            }
            if let Some(distance) = rms(cloud) {
                let r = correlation(cloud).map_or_else(|| "undefined".to_owned(), |r| fixed(r, 3));
                let text = format!("{name}: RMS {}, r = {r}", compact(distance, 2));
                panel.note(&mut scene, line, &text, look.color);
            }
        }
    }
    scene
}

/// The root mean squared distance of y from x.
fn rms(cloud: &[(f64, f64)]) -> Option<f64> {
    let mean = cloud.iter().map(|(x, y)| (y - x).powi(2)).sum::<f64>() / cloud.len() as f64;
    (!cloud.is_empty()).then(|| mean.sqrt())
}

/// Pearson's correlation; `None` where x or y does not vary.
fn correlation(cloud: &[(f64, f64)]) -> Option<f64> {
    let n = cloud.len() as f64;
    let mean_x = cloud.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = cloud.iter().map(|(_, y)| y).sum::<f64>() / n;
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in cloud {
        xx += (x - mean_x).powi(2);
        yy += (y - mean_y).powi(2);
        xy += (x - mean_x) * (y - mean_y);
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_and_correlation_are_those_of_the_textbook() {
        let cloud = [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)];
        assert!((rms(&cloud).expect("points") - (14.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert!((correlation(&cloud).expect("it varies") - 1.0).abs() < 1e-15);
        assert_eq!(correlation(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(rms(&[]), None);
    }
}
