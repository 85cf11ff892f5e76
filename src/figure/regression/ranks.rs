//! Which predictor is best over data sets: mean ranks, errors over the least one, and accuracies over the best one.

use super::super::Drawing;
use super::super::axis::{Axis, Scale};
use super::super::caption;
use super::super::layout::Layout;
use super::super::legend::Legend;
use super::super::numbers::{Numbers, cell};
use super::super::panel::Panel;
use super::super::scene::Scene;
use super::super::theme::MARKER;
use super::member::Member;
use crate::record::{KernelManifest, KernelRow};
use crate::stats::Interval;
use crate::study::regression::{Ranked, Ranking, rank_kernels};

/// A panel: what it is of, as an axis and as a column of numbers.
type Quantity = (&'static str, &'static str, Value);

type Value = fn(&Ranked) -> Option<Interval>;

const QUANTITIES: [Quantity; 3] = [
    ("mean rank of the test error", "rank", |one| one.rank),
    ("test error / least one", "over_least", |one| one.over_least),
    ("accuracy / best one", "accuracy_share", |one| one.accuracy_share),
];

pub(super) fn draw(manifest: &KernelManifest, rows: &[&KernelRow]) -> Option<Drawing> {
    let ranking = rank_kernels(manifest, rows)?;
    let members = Member::all(rows);
    let caption = [
        format!(
            "Predictors over {} data sets, the best at the top: the mean rank of their test errors, 1 for the least; the geometric mean of the error \
             over the least one of the set{}. An error is the geometric mean over all settings and splits of its set.",
            ranking.n_sets,
            match ranking.n_class_sets {
                0 => String::new(),
                n => format!("; and the mean of the accuracy over the best one, over {n} sets of classes"),
            }
        ),
        format!("Bars are {} intervals over data sets, by the BCa bootstrap.", caption::percent(manifest.confidence)),
        Member::of_depth(&members),
    ];
    Some(Drawing {
        name: "ranks",
        title: "Ranks over data sets",
        caption: caption::join(&caption),
        numbers: table(&ranking),
        scene: scene(&ranking, &members),
    })
}

fn table(ranking: &Ranking) -> Numbers {
    let mut numbers = Numbers::new(["kernel", "depth", "quantity", "n_sets", "mean", "low", "high"]);
    for one in &ranking.predictors {
        for (_, name, value) in QUANTITIES {
            let Some(Interval { mean, low, high, n }) = value(one) else { continue };
            let depth = one.depth.map_or(String::new(), |depth| depth.to_string());
            let start = [one.kernel.clone(), depth, name.to_owned(), n.to_string()];
            numbers.push(start.into_iter().chain([mean, low, high].map(cell)).collect());
        }
    }
    numbers
}

fn scene(ranking: &Ranking, members: &[Member]) -> Scene {
    /// Between two predictors.
    const ROW: f64 = 18.0;
    let ranked: Vec<(&Ranked, &Member)> = (ranking.predictors.iter())
        .filter_map(|one| {
            let is_it = |member: &&Member| (&member.kernel, member.depth) == (&one.kernel, one.depth);
            Some((one, members.iter().find(is_it)?))
        })
        .collect();
    let quantities: Vec<Quantity> =
        QUANTITIES.into_iter().filter(|(.., value)| ranked.iter().any(|(one, _)| value(one).is_some())).collect();
    let height = Some(ROW * ranked.len() as f64);
    let layout = Layout { n_panels: quantities.len(), share_y: true, height, headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&Legend::default());
    let in_order: Vec<Member> = ranked.iter().map(|(_, member)| (*member).clone()).collect();
    let names = Member::short_names(&in_order);
    let y = Axis::of_names(names.into_iter().rev().collect());
    for (i, (frame, (label, name, value))) in frames.into_iter().zip(quantities).enumerate() {
        let ends = ranked.iter().filter_map(|(one, _)| value(one)).flat_map(|v| [v.low, v.high]);
        let (least, most) = ends.clone().fold((f64::INFINITY, 0.0_f64), |(least, most), v| (least.min(v), most.max(v)));
        let is_wide = name == "over_least" && most > 10.0 * least;
        let x = Axis::over(if is_wide { Scale::Log10 } else { Scale::Linear }, label, ends);
        let panel = Panel { frame, headroom: 0.0, x, y: y.clone() };
        panel.draw_frame(&mut scene, "", layout.leads_row(i));
        for (place, (one, member)) in ranked.iter().rev().enumerate() {
            let Some(interval) = value(one) else { continue };
            panel.bar_across(&mut scene, interval, place as f64, member.look.color);
            panel.marker(
                &mut scene,
                (interval.mean, Some(place as f64)),
                member.look.marker,
                member.look.color,
                MARKER,
            );
        }
    }
    scene
}
