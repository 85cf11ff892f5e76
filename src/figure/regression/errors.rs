//! Test error of every kernel: against training rows where their number varies, else kernel by kernel; of many settings as a map.

use super::super::Drawing;
use super::super::axis::{Axis, Scale};
use super::super::caption;
use super::super::layout::Layout;
use super::super::legend::Legend;
use super::super::numbers::{Numbers, cell};
use super::super::panel::Panel;
use super::super::scene::Scene;
use super::super::theme::{MARKER, fill};
use super::super::tiles::{self, Palette};
use super::map::{Grid, short};
use super::member::Member;
use super::sentences::{SET_APART, data, interval, settings_beside};
use super::{apart, have_room};
use crate::record::{KernelManifest, KernelRow};
use crate::stats::{Interval, mean_interval};
use crate::study::findings::{Tile, TileMap, TilePanel};
use crate::study::regression::Settings;

/// One kernel at one setting, over its splits.
struct Error {
    setting: usize,
    member: usize,
    mean: Interval,
    /// Its geometric mean over that of the best kernel there.
    over_least: f64,
}

/// What is drawn: the settings of each panel, and its title.
struct Panels {
    settings: Vec<Vec<usize>>,
    titles: Vec<String>,
}

/// Upper ends of the classes that a map has of errors over the least one.
const CLASSES: [(f64, &str); 4] =
    [(1.05, "within 5 % of the least"), (1.1, "within 10 %"), (1.25, "within 25 %"), (2.0, "within a factor of 2")];

pub(super) fn draw(manifest: &KernelManifest, rows: &[&KernelRow]) -> Option<Drawing> {
    let members = Member::all(rows);
    let settings = Settings::of(rows);
    let errors = compute(&settings, &members, manifest.confidence);
    // One error alone is a number, not a figure.
    if errors.len() < 2 {
        return None;
    }
    let sizes = settings.training_rows();
    let of_panels = settings.families(sizes);
    let titles = of_panels.iter().map(|panel| settings.label(&settings.all[panel[0]], sizes)).collect();
    let panels = Panels { settings: of_panels, titles };
    let grid = (!have_room(&panels.titles)).then(|| Grid::of(&settings));
    let quantity = match &grid {
        Some(_) => {
            "Mean squared test error over the least one at the same setting (geometric means over splits), as a number and as a colour, each \
             kernel with the hyperparameters that its training rows chose."
        }
        None if sizes.is_some() => {
            "Mean squared test error, in units of the training targets' variance, against the number of training rows, each kernel with the \
             hyperparameters that its training rows chose."
        }
        None => {
            "Mean squared test error, in units of the training targets' variance, of each kernel with the hyperparameters that its training rows \
             chose."
        }
    };
    let caption = [
        quantity.to_owned(),
        data(manifest, rows, rows.len()),
        settings_beside(&settings),
        match &grid {
            Some(_) => "The errors themselves, with intervals over splits, are in the table of numbers.".to_owned(),
            None => interval(manifest, errors.iter().map(|error| error.mean.n)),
        },
        match &grid {
            Some(grid) => grid.left_out(),
            None if sizes.is_some() => SET_APART.to_owned(),
            None => String::new(),
        },
        if grid.is_some() || sizes.is_none() { Member::of_depth(&members) } else { String::new() },
    ];
    Some(Drawing {
        name: "errors",
        title: "Test error by kernel",
        caption: caption::join(&caption),
        numbers: table(&settings, &members, &errors),
        scene: match grid {
            Some(grid) => map(&grid, &members, &errors),
            None if sizes.is_some() => curves(&settings, &panels, &members, &errors),
            None => dots(&panels, &members, &errors),
        },
    })
}

fn compute(settings: &Settings<'_>, members: &[Member], confidence: f64) -> Vec<Error> {
    let mut errors = Vec::new();
    for (i, setting) in settings.all.iter().enumerate() {
        let first = errors.len();
        for (k, member) in members.iter().enumerate() {
            let of_member = setting.rows.iter().filter(|row| member.is_of(row));
            let values: Vec<f64> = of_member.map(|row| row.mse_test).filter(|error| error.is_finite()).collect();
            let Some(mean) = mean_interval(&values, confidence) else { continue };
            let geometric = (values.iter().map(|error| error.ln()).sum::<f64>() / values.len() as f64).exp();
            errors.push(Error { setting: i, member: k, mean, over_least: geometric });
        }
        let least = errors[first..].iter().map(|error| error.over_least).fold(f64::INFINITY, f64::min);
        errors[first..].iter_mut().for_each(|error| error.over_least /= least);
    }
    errors
}

fn table(settings: &Settings<'_>, members: &[Member], errors: &[Error]) -> Numbers {
    let mut numbers =
        Numbers::new(["setting", "n_train", "kernel", "depth", "n_splits", "mean", "low", "high", "over_least"]);
    for Error { setting, member, mean, over_least } in errors {
        let [kernel, depth] = members[*member].cells();
        let setting = &settings.all[*setting];
        let label = settings.label(setting, settings.training_rows());
        let start = [label, setting.n_train().to_string(), kernel, depth, mean.n.to_string()];
        numbers.push(start.into_iter().chain([mean.mean, mean.low, mean.high, *over_least].map(cell)).collect());
    }
    numbers
}

fn curves(settings: &Settings<'_>, panels: &Panels, members: &[Member], errors: &[Error]) -> Scene {
    let mut legend = Legend::default();
    for member in members {
        legend.series(member.name(), member.look);
    }
    let layout = Layout { n_panels: panels.titles.len(), share_y: true, height: Some(220.0), headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&legend);
    let n_train = |error: &Error| settings.all[error.setting].n_train() as f64;
    let aside = |k: usize| apart(k, members.len());
    let ends = [0, members.len() - 1];
    let x = Axis::over(
        Scale::Log2,
        "training rows",
        errors.iter().flat_map(|error| ends.map(|end| aside(end) * n_train(error))),
    );
    for (i, (frame, title)) in frames.into_iter().zip(&panels.titles).enumerate() {
        // A row of panels has its own range: data sets differ by orders of magnitude.
        let row = i / layout.n_columns() * layout.n_columns();
        let in_row: Vec<usize> = panels.settings[row..].iter().take(layout.n_columns()).flatten().copied().collect();
        let of_row = errors.iter().filter(|error| in_row.contains(&error.setting));
        let y = Axis::over(Scale::Log10, "mean squared test error", extent(of_row, Scale::Log10));
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y };
        panel.draw_frame(&mut scene, title, layout.leads_row(i));
        for (k, member) in members.iter().enumerate() {
            let is_here = |error: &&Error| error.member == k && panels.settings[i].contains(&error.setting);
            let mut line: Vec<_> =
                errors.iter().filter(is_here).map(|error| (aside(k) * n_train(error), error.mean)).collect();
            line.sort_by(|a, b| a.0.total_cmp(&b.0));
            for &(at, value) in &line {
                panel.error_bar(&mut scene, at, value, member.look.color);
            }
            let means: Vec<_> = line.into_iter().map(|(at, value)| (at, Some(value))).collect();
            panel.curve(&mut scene, &means, member.look);
        }
    }
    scene
}

fn dots(panels: &Panels, members: &[Member], errors: &[Error]) -> Scene {
    /// Between two kernels.
    const ROW: f64 = 18.0;
    let height = Some(ROW * members.len() as f64);
    let layout = Layout { n_panels: panels.titles.len(), share_y: true, height, headroom: 0.0 };
    let (mut scene, frames) = layout.sheet(&Legend::default());
    let means = errors.iter().map(|error| error.mean.mean);
    let (least, most) = means.fold((f64::INFINITY, 0.0_f64), |(least, most), v| (least.min(v), most.max(v)));
    let scale = if most > 10.0 * least { Scale::Log10 } else { Scale::Linear };
    let x = Axis::over(scale, "mean squared test error", extent(errors.iter(), scale));
    // The first kernel at the top.
    let y = Axis::of_names(Member::short_names(members).into_iter().rev().collect());
    for (i, (frame, title)) in frames.into_iter().zip(&panels.titles).enumerate() {
        let panel = Panel { frame, headroom: 0.0, x: x.clone(), y: y.clone() };
        panel.draw_frame(&mut scene, title, layout.leads_row(i));
        for error in errors.iter().filter(|error| panels.settings[i].contains(&error.setting)) {
            let (look, row) = (members[error.member].look, (members.len() - 1 - error.member) as f64);
            panel.bar_across(&mut scene, error.mean, row, look.color);
            panel.marker(&mut scene, (error.mean.mean, Some(row)), look.marker, look.color, MARKER);
        }
    }
    scene
}

fn map(grid: &Grid<'_>, members: &[Member], errors: &[Error]) -> Scene {
    let tile = |setting: Option<usize>, member: usize| {
        let error = errors.iter().find(|error| Some(error.setting) == setting && error.member == member)?;
        let class = CLASSES.iter().position(|(end, _)| error.over_least <= *end).unwrap_or(CLASSES.len());
        Some(Tile { class: Some(class), mark: short(error.over_least), value: None })
    };
    let panel = |level: usize| TilePanel {
        title: grid.factor().map_or(String::new(), |factor| factor.say(level)),
        tiles: grid.at(level).map(|setting| (0..members.len()).map(|member| tile(setting, member)).collect()).collect(),
    };
    let n_panels = grid.factor().map_or(1, |factor| factor.values.len());
    let map = TileMap {
        name: "errors",
        title: "",
        caption: String::new(),
        x: "predictor".to_owned(),
        columns: Member::short_names(members),
        y: grid.y(),
        rows: grid.rows(),
        classes: CLASSES.iter().map(|(_, words)| *words).chain(["more"]).map(str::to_owned).collect(),
        marks: Vec::new(),
        panels: (0..n_panels).map(panel).collect(),
    };
    tiles::scene(&map, Palette { fill, blank: "" })
}

/// What an axis must show: the intervals; on a logarithmic one, of a lower end far below its mean only the way there.
fn extent<'a>(errors: impl Iterator<Item = &'a Error>, scale: Scale) -> Vec<f64> {
    let least = if scale == Scale::Log10 { 0.4 } else { f64::NEG_INFINITY };
    errors.flat_map(|Error { mean: v, .. }| [v.low.max(least * v.mean), v.mean, v.high]).collect()
}
