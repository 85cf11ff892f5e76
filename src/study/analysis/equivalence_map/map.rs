//! The map to look at: a panel for each depth, a row for each setting, a column for each width.

use super::cell::{BOUNDS, Cell, Gap, class_name};
use crate::study::analysis::Evidence;
use crate::study::analysis::label::{names, values};
use crate::study::findings::{Tile, TileMap, TilePanel};
use crate::study::verdict::Term;

const MOST_PANELS: usize = 6;
const MOST_ROWS: usize = 48;

/// The letter of a part.
fn letter(term: Term) -> &'static str {
    match term {
        Term::Optimizer => "O",
        Term::Nonlinearity => "N",
        Term::InitialFunction => "I",
        Term::FiniteWidth => "W",
        Term::FiniteTime => "T",
    }
}

pub(super) fn of(evidence: &Evidence<'_>, cells: &[Cell], gap: Gap) -> TileMap {
    let mut settings: Vec<&str> = Vec::new();
    for cell in cells {
        if !settings.contains(&cell.setting.as_str()) {
            settings.push(&cell.setting);
        }
    }
    let distinct = |value: fn(&Cell) -> usize| {
        let mut values: Vec<usize> = cells.iter().map(value).collect();
        values.sort_unstable();
        values.dedup();
        values
    };
    let (depths, widths) = (distinct(|cell| cell.depth), distinct(|cell| cell.width));
    let tile = |setting: &str, depth: usize, width: usize| {
        let cell =
            cells.iter().find(|cell| (cell.setting.as_str(), cell.depth, cell.width) == (setting, depth, width))?;
        let mark = cell.largest(gap).map_or("", letter).to_owned();
        Some(Tile { class: cell.class(gap), mark, value: cell.interval(gap) })
    };
    let line = |setting: &str, depth: usize| widths.iter().map(|width| tile(setting, depth, *width)).collect();
    // With one setting alone the depths are its rows.
    let (y, mut rows, mut panels) = if let [only] = settings[..] {
        let tiles = depths.iter().map(|depth| line(only, *depth)).collect();
        let names = depths.iter().map(usize::to_string).collect::<Vec<_>>();
        ("depth".to_owned(), names, vec![TilePanel { title: only.to_owned(), tiles }])
    } else {
        let panel = |depth: &usize| TilePanel {
            title: format!("depth {depth}"),
            tiles: settings.iter().map(|setting| line(setting, *depth)).collect(),
        };
        (
            settings.first().map_or_else(String::new, |first| names(first)),
            settings.iter().map(|setting| values(setting)).collect(),
            depths.iter().map(panel).collect(),
        )
    };
    let left_out = [left_out(panels.len(), MOST_PANELS, "depths"), left_out(rows.len(), MOST_ROWS, "rows")];
    panels.truncate(MOST_PANELS);
    rows.truncate(MOST_ROWS);
    panels.iter_mut().for_each(|panel| panel.tiles.truncate(MOST_ROWS));

    let seen = |term: &Term| cells.iter().any(|cell| cell.largest(gap) == Some(*term));
    let marks = gap.terms().filter(seen).map(|term| (letter(term).to_owned(), term.name().to_owned())).collect();
    let (name, title) = match gap {
        Gap::AtTime => ("map-at-equal-time", "Where the kernel predicts the network at equal time"),
        Gap::Total => ("map-after-infinite-time", "Where kernel regression predicts the network"),
    };
    TileMap {
        name,
        title,
        caption: format!(
            "Each tile is the networks of one setting, depth and width. Its colour is the bound below which the whole {} interval over {} \
             of the RMS gap to kernel regression {} lies, in target deviations; its letter is the part of the gap that is largest. {}{}{}",
            evidence.level(),
            Cell::units(evidence),
            gap.words(),
            networks(evidence, cells),
            left_out[0],
            left_out[1],
        ),
        x: "width".to_owned(),
        columns: widths.iter().map(usize::to_string).collect(),
        y,
        rows,
        classes: (0..=BOUNDS.len()).map(|class| class_name(Some(class))).collect(),
        marks,
        panels,
    }
}

fn left_out(n: usize, most: usize, what: &str) -> String {
    if n > most {
        format!(" Of {n} {what} the first {most} are drawn; the report's table has all.")
    } else {
        String::new()
    }
}

/// Of which networks, on which data, how precise; what diverged and what is missing.
fn networks(evidence: &Evidence<'_>, cells: &[Cell]) -> String {
    let manifest = evidence.manifest;
    let mut sets: Vec<&str> = Vec::new();
    let mut starts: Vec<&str> = Vec::new();
    for row in evidence.rows {
        if !sets.contains(&row.dataset.as_str()) {
            sets.push(&row.dataset);
        }
        if !starts.contains(&row.initial_function.as_str()) {
            starts.push(&row.initial_function);
        }
    }
    let sum = |value: fn(&Cell) -> usize| cells.iter().map(value).sum::<usize>();
    let n_networks = sum(|cell| cell.n_networks);
    let mut text = format!(
        "Data {}; networks that start {}, in {}; {n_networks} networks in {} cells.",
        sets.join(", "),
        starts.join(" or "),
        manifest.dtype,
        cells.len()
    );
    match sum(|cell| cell.n_diverged) {
        0 => {}
        n => text.push_str(&format!(" {n} networks diverged; their tiles have no colour.")),
    }
    match sum(|cell| cell.n_unstable) {
        0 => {}
        n => text.push_str(&format!(
            " {n} networks trained above their stability bound, where the kernel at equal time diverges."
        )),
    }
    match manifest.points.len().saturating_sub(evidence.rows.len()) {
        0 => {}
        n => text.push_str(&format!(" {n} of {} points are not finished and are missing here.", manifest.points.len())),
    }
    text
}
