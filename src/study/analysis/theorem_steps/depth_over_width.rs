//! Depth over width, L/n: what the kernel's scatter at initialization is a function of. Of a diagonal entry of a ReLU network's kernel the
//! relative variance is 3/n at one hidden layer exactly, and about 3.1 to 3.3 L/n at more (Hanin and Nica 2020), as a trend: it grows with
//! L/n and has heavy tails. The whole kernel has other constants and the same trend.

use super::{Rate, Theory, at_every_depth, bands, distinct, networks};
use crate::record::Row;
use crate::study::analysis::Evidence;
use crate::study::findings::{Axis, Cell, Chart, Findings, Guide, Panel, Scale, Series, Table};

/// Relative variance of a diagonal entry over L/n, the middle of what is seen.
const OF_A_DIAGONAL_ENTRY: f64 = 3.2;

pub(super) fn findings(evidence: &Evidence<'_>, rows: &[&Row], place: &str) -> Findings {
    let depths = distinct(rows, |row| row.depth);
    if depths.len() < 2 {
        return Findings::default();
    }
    // Times the root of the width, the error of all widths is one function of depth.
    let points: Vec<(f64, f64)> =
        rows.iter().map(|row| (row.depth as f64, row.kernel_error * (row.width as f64).sqrt())).collect();
    let rate = Rate::of(0, evidence.slope(&points), points.len());
    let mut statement = at_every_depth(
        format!(
            "{place}At equal width the kernel error at initialization grows as depth^0.5, so that depth over width decides"
        ),
        Theory::Is(0.5),
        &[rate],
        evidence.manifest.margin,
        "networks",
    );
    if let Some(e) = rate.exponent {
        statement.evidence = format!("Exponent of depth: {e}, over {} networks", e.n);
    }
    Findings {
        statements: vec![statement],
        tables: vec![table(evidence, rows, place, &depths)],
        charts: vec![chart(evidence, rows, &depths)],
        ..Findings::default()
    }
}

fn table(evidence: &Evidence<'_>, rows: &[&Row], place: &str, depths: &[usize]) -> Table {
    let over_shape = |row: &&&Row| row.kernel_error.powi(2) * row.width as f64 / row.depth as f64;
    let entry = |depth: &usize| {
        let here: Vec<&&Row> = rows.iter().filter(|row| row.depth == *depth).collect();
        let values: Vec<f64> = here.iter().map(over_shape).collect();
        vec![Cell::from(*depth), values.len().into(), evidence.resampled(&values, "depth-over-width").into()]
    };
    Table {
        title: format!("{place}Kernel error over depth / width"),
        note: format!(
            "The squared relative Frobenius error of the empirical kernel at initialization, divided by depth / width, mean over the networks \
             of all widths and seeds with its {} interval. Were depth over width all that matters, the numbers would be equal; for one \
             diagonal entry of a ReLU network theory has 3 at depth 1 and 3.1 to 3.3 beyond, with a trend upwards.",
            evidence.level()
        ),
        header: ["depth", "networks", "squared error x width / depth"].map(String::from).to_vec(),
        rows: depths.iter().map(entry).collect(),
    }
}

fn chart(evidence: &Evidence<'_>, rows: &[&Row], depths: &[usize]) -> Chart {
    // Smallest ratio first, which is the greatest width.
    let widths: Vec<usize> = distinct(rows, |row| row.width).into_iter().rev().collect();
    let series = |depth: &usize| {
        let mean = |width: &usize| {
            let here = rows.iter().filter(|row| row.depth == *depth && row.width == *width);
            (*depth as f64 / *width as f64, evidence.mean(here.map(|row| row.kernel_error)))
        };
        Series { label: format!("depth {depth}"), points: widths.iter().map(mean).collect() }
    };
    let ratios = rows.iter().map(|row| row.depth as f64 / row.width as f64);
    let (low, high) = ratios.fold((f64::INFINITY, 0.0_f64), |(low, high), ratio| (low.min(ratio), high.max(ratio)));
    let at = |ratio: f64| (ratio, (OF_A_DIAGONAL_ENTRY * ratio).sqrt());
    let guide = Guide {
        label: format!("scatter of one diagonal entry, root of {OF_A_DIAGONAL_ENTRY} depth / width"),
        points: vec![at(low), at(high)],
    };
    Chart {
        name: "depth-over-width",
        title: "The kernel at initialization, against depth over width",
        caption: format!(
            "Relative Frobenius distance of the empirical kernel at initialization from the analytic one on the training inputs, against \
             depth over width: networks of all depths lie on one curve as far as this ratio is all that matters. The dotted line is what \
             theory gives for the scatter of a single diagonal entry of a ReLU network; the whole kernel has another constant. {} {}",
            bands(evidence),
            networks(evidence, rows)
        ),
        x: Axis::new("depth / width", Scale::Log10),
        y: Axis::new("kernel error at initialization", Scale::Log10),
        panels: vec![Panel { series: depths.iter().map(series).collect(), guides: vec![guide], ..Panel::default() }],
    }
}
