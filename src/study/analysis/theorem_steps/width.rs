//! The steps whose rate is one in width, at every depth.

use super::super::evidence::mishaps;
use super::{Rate, Theory, at_every_depth, bands, distinct, networks};
use crate::record::Row;
use crate::study::analysis::Evidence;
use crate::study::findings::{Axis, Cell, Chart, Findings, Guide, Panel, Scale, Series, Table};
use crate::study::verdict::Decision;

/// A quantity and its rate in width.
struct Law {
    /// In tables and above panels.
    name: &'static str,
    /// Before the rate in a claim.
    claim: &'static str,
    value: fn(&Row) -> Option<f64>,
    theory: Theory,
    /// Whether it is there before training, so that networks which diverge have it too.
    is_at_start: bool,
}

const FIRST_ORDER: Theory = Theory::AtMost { bound: -0.5, sharp: -1.0 };
const SECOND_ORDER: Theory = Theory::AtMost { bound: -1.0, sharp: -2.0 };

const KERNEL_ERROR: Law = Law {
    name: "kernel error",
    claim: "The empirical kernel at initialization approaches the analytic one",
    value: |row| Some(row.kernel_error),
    theory: Theory::Is(-0.5),
    is_at_start: true,
};
const DRIFT: Law = Law {
    name: "kernel drift",
    claim: "The drift of the kernel in training, relative to its size, vanishes",
    value: |row| row.kernel_drift,
    theory: FIRST_ORDER,
    is_at_start: false,
};
const ABSOLUTE_DRIFT: Law = Law {
    name: "kernel drift, absolute",
    claim: "The absolute drift of the kernel in training vanishes",
    value: |row| Some(row.kernel_drift? * row.kernel_scale),
    theory: FIRST_ORDER,
    is_at_start: false,
};
const MISALIGNMENT: Law = Law {
    name: "misalignment",
    claim: "The misalignment of the kernel with its start, 1 - alignment, vanishes",
    value: |row| Some(1.0 - row.kernel_alignment?),
    theory: SECOND_ORDER,
    is_at_start: false,
};
const NONLINEARITY: Law = Law {
    name: "nonlinearity",
    claim: "The network's distance from its linearization vanishes",
    value: |row| row.gap_nonlinearity,
    theory: FIRST_ORDER,
    is_at_start: false,
};
const FINITE_WIDTH: Law = Law {
    name: "finite width",
    claim: "What the empirical kernel predicts at equal time approaches what the analytic one does",
    value: |row| row.gap_finite_width,
    theory: Theory::Is(-0.5),
    is_at_start: false,
};
const INITIAL_FUNCTION: Law = Law {
    name: "initial function",
    claim: "What is left of the initial function stays",
    value: |row| row.gap_initial_function,
    theory: Theory::Is(0.0),
    is_at_start: false,
};

const LAWS: [&Law; 7] =
    [&KERNEL_ERROR, &DRIFT, &ABSOLUTE_DRIFT, &MISALIGNMENT, &NONLINEARITY, &FINITE_WIDTH, &INITIAL_FUNCTION];

/// Laws in one chart.
struct Drawn {
    name: &'static str,
    title: &'static str,
    /// Before ", against width".
    what: &'static str,
    y: &'static str,
    laws: [&'static Law; 3],
}

const DRAWN: [Drawn; 2] = [
    Drawn {
        name: "kernel-against-width",
        title: "The kernel, against width",
        what: "Distance of the empirical kernel on the training inputs from the analytic one before training, and from its own start after it",
        y: "relative to the kernel",
        laws: [&KERNEL_ERROR, &DRIFT, &MISALIGNMENT],
    },
    Drawn {
        name: "function-against-width",
        title: "The function, against width",
        what: "Parts of the gap between network and kernel, RMS over test points in target deviations",
        y: "RMS / target deviation",
        laws: [&NONLINEARITY, &FINITE_WIDTH, &INITIAL_FUNCTION],
    },
];

impl Law {
    fn of(&self, row: &Row) -> Option<f64> {
        if self.is_at_start || row.is_trained() { (self.value)(row) } else { None }
    }

    /// Width and value of every network of this depth that has one, from width `least` on.
    fn points(&self, rows: &[&Row], depth: usize, least: usize) -> Vec<(f64, f64)> {
        let here = rows.iter().filter(|row| row.depth == depth && row.width >= least);
        here.filter_map(|row| Some((row.width as f64, self.of(row)?))).filter(|(_, value)| *value > 0.0).collect()
    }

    fn rate(&self, evidence: &Evidence<'_>, rows: &[&Row], depth: usize) -> Rate {
        let points = self.points(rows, depth, 0);
        Rate::of(depth, evidence.slope(&points), points.len())
    }

    /// Whether it is 0 everywhere, as the initial function is of networks that start at zero.
    fn is_absent(&self, rows: &[&Row]) -> bool {
        let mut values = rows.iter().filter_map(|row| self.of(row)).peekable();
        values.peek().is_some() && values.all(|value| value == 0.0)
    }

    /// What is claimed, with the theory it is judged by.
    fn claims(&self) -> Vec<(String, Theory)> {
        match self.theory {
            Theory::Is(exponent) => vec![(format!("{} as width^{exponent}", self.claim), self.theory)],
            Theory::AtMost { bound, sharp } => vec![
                (format!("{} at least as fast as width^{bound}", self.claim), self.theory),
                (format!("{} as width^{sharp}, the sharp rate", self.claim), Theory::Is(sharp)),
            ],
        }
    }
}

pub(super) fn findings(evidence: &Evidence<'_>, rows: &[&Row], place: &str) -> Findings {
    let laws: Vec<&Law> = LAWS.into_iter().filter(|law| !law.is_absent(rows)).collect();
    let depths = distinct(rows, |row| row.depth);
    let margin = evidence.manifest.margin;
    let statements = laws.iter().flat_map(|law| {
        let rates: Vec<Rate> = depths.iter().map(|depth| law.rate(evidence, rows, *depth)).collect();
        let judge = move |(claim, theory)| {
            at_every_depth(format!("{place}{claim}"), theory, &rates, margin, "networks at each depth")
        };
        law.claims().into_iter().map(judge)
    });
    Findings {
        statements: statements.collect(),
        tables: vec![table(evidence, rows, place, &laws)],
        charts: DRAWN.iter().map(|drawn| chart(evidence, rows, drawn)).collect(),
        ..Findings::default()
    }
}

fn table(evidence: &Evidence<'_>, rows: &[&Row], place: &str, laws: &[&Law]) -> Table {
    let widths = distinct(rows, |row| row.width);
    let middle = widths.get(widths.len() / 2).copied().unwrap_or(0);
    let widest = widths.last().copied().unwrap_or(0);
    let entry = |law: &Law, depth: usize| {
        let wider = law.points(rows, depth, middle);
        let at_widest = law.points(rows, depth, widest).into_iter().map(|(_, value)| value);
        let rate = law.rate(evidence, rows, depth);
        let slope = evidence.slope(&law.points(rows, depth, 0));
        let sharp = match law.theory {
            Theory::Is(_) => "-",
            Theory::AtMost { sharp, .. } => word(Theory::Is(sharp).judge(rate, evidence.manifest.margin, "").decision),
        };
        let judged = word(law.theory.judge(rate, evidence.manifest.margin, "").decision);
        vec![
            Cell::from(law.name),
            depth.into(),
            evidence.mean(at_widest).into(),
            slope.into(),
            evidence.slope(&wider).into(),
            law.theory.words().into(),
            judged.into(),
            sharp.into(),
        ]
    };
    let depths = distinct(rows, |row| row.depth);
    let absent = match laws.len() {
        n if n < LAWS.len() => " A quantity that is 0 in every network has no rate and is left out.",
        _ => "",
    };
    Table {
        title: format!("{place}Rates in width"),
        note: format!(
            "Exponents of width from least squares in logarithms over all networks of a depth, each counted once, with their {} \
             intervals; all networks of one depth are compared at equal time. The second exponent is of widths {middle} and more alone: \
             where both differ, the power law is not reached yet. Kernel quantities are relative to the kernel's size (but for the \
             absolute drift), those of functions are RMS over test points in target deviations.{absent}",
            evidence.level()
        ),
        header: [
            "step".to_owned(),
            "depth".to_owned(),
            format!("value at width {widest}"),
            "exponent".to_owned(),
            format!("from width {middle} on"),
            "theory".to_owned(),
            "theory holds".to_owned(),
            "sharp rate holds".to_owned(),
        ]
        .to_vec(),
        rows: laws.iter().flat_map(|law| depths.iter().map(|depth| entry(law, *depth))).collect(),
    }
}

/// The decision in a cell.
fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Holds => "holds",
        Decision::Fails => "fails",
        Decision::Undecided => "undecided",
        Decision::NoInterval => "no interval",
        Decision::Diverged => "no value",
    }
}

fn chart(evidence: &Evidence<'_>, rows: &[&Row], drawn: &Drawn) -> Chart {
    let depths = distinct(rows, |row| row.depth);
    let widths = distinct(rows, |row| row.width);
    let panel = |law: &Law| {
        let series: Vec<Series> = depths
            .iter()
            .map(|depth| {
                let here = |width: usize| rows.iter().filter(move |row| row.depth == *depth && row.width == width);
                let mean = |width: &usize| {
                    let values = here(*width).filter_map(|row| law.of(row)).filter(|value| *value > 0.0);
                    (*width as f64, evidence.mean(values))
                };
                Series { label: format!("depth {depth}"), points: widths.iter().map(mean).collect() }
            })
            .collect();
        let guides =
            law.theory.exponents().into_iter().filter_map(|exponent| guide(&series, &widths, exponent)).collect();
        Panel {
            title: format!("{}: {}", law.name, law.theory.in_short()),
            series,
            guides,
            mishaps: mishaps(rows.iter().map(|row| (row.width as f64, *row))),
        }
    };
    Chart {
        name: drawn.name,
        title: drawn.title,
        caption: format!(
            "{}, against width, for each depth at equal time. Dotted lines fall with the exponents of width that theory expects and the \
             titles name; where there are two, the upper line is the bound and the lower one the sharp rate. {} {}",
            drawn.what,
            bands(evidence),
            networks(evidence, rows)
        ),
        x: Axis::new("width", Scale::Log2),
        y: Axis::new(drawn.y, Scale::Log10),
        panels: drawn.laws.into_iter().map(panel).collect(),
    }
}

/// A line of this exponent a little above the highest curve's start.
fn guide(series: &[Series], widths: &[usize], exponent: f64) -> Option<Guide> {
    let (first, last) = (*widths.first()? as f64, *widths.last()? as f64);
    let starts = series.iter().filter_map(|series| Some(series.points.first()?.1?.mean));
    let start = 1.6 * starts.reduce(f64::max)?;
    let at = |width: f64| (width, start * (width / first).powf(exponent));
    Some(Guide { label: "slopes that theory expects".to_owned(), points: vec![at(first), at(last)] })
}
