//! The steps about training alone: from gradient descent to gradient flow, and from a finite time to the end.

use super::{Rate, Schedule, Theory, at_every_depth, distinct, is_same, networks, schedule};
use crate::record::Row;
use crate::stats::{Interval, log_log_slope};
use crate::study::analysis::Evidence;
use crate::study::findings::{Axis, Cell, Chart, Findings, Guide, Panel, Scale, Series, Table};

pub(super) fn findings(evidence: &Evidence<'_>, rows: &[&Row], place: &str) -> Findings {
    let rows: Vec<&Row> = rows.iter().copied().filter(|row| row.is_trained() && row.is_stable()).collect();
    let mut found = step_size(evidence, &rows, place);
    let time = finite_time(evidence, &rows, place);
    found.tables.extend(time.tables);
    found.charts.extend(time.charts);
    found
}

/// Rows of one depth that share their time.
fn by_time<'a>(rows: &[&'a Row], depth: usize) -> Vec<Vec<&'a Row>> {
    let mut classes: Vec<Vec<&Row>> = Vec::new();
    for row in rows.iter().copied().filter(|row| row.depth == depth) {
        match classes.iter_mut().find(|class| is_same(class[0].time, row.time)) {
            Some(class) => class.push(row),
            None => classes.push(vec![row]),
        }
    }
    classes.sort_by(|a, b| a[0].time.total_cmp(&b[0].time));
    classes
}

/// The schedules in a class of equal time, largest step first.
fn steps<'a>(class: &[&'a Row]) -> Vec<Schedule<'a>> {
    let mut steps: Vec<(Schedule<'_>, f64)> = Vec::new();
    for row in class {
        if steps.iter().all(|(other, _)| *other != schedule(row)) {
            steps.push((schedule(row), row.learning_rate));
        }
    }
    steps.sort_by(|a, b| b.1.total_cmp(&a.1));
    steps.into_iter().map(|(schedule, _)| schedule).collect()
}

/// The rows of the time at which most step sizes are there, the longest of several.
fn ladder<'a>(rows: &[&'a Row], depth: usize) -> Option<Vec<&'a Row>> {
    by_time(rows, depth).into_iter().max_by_key(|class| steps(class).len()).filter(|class| steps(class).len() >= 3)
}

/// Discretization over the step size at equal time: the exponent of each network by itself, because networks differ in size by more
/// than they do in rate.
fn step_size(evidence: &Evidence<'_>, rows: &[&Row], place: &str) -> Findings {
    let depths = distinct(rows, |row| row.depth);
    let ladders: Vec<(usize, Vec<&Row>)> =
        depths.iter().filter_map(|depth| Some((*depth, ladder(rows, *depth)?))).collect();
    if ladders.is_empty() {
        return Findings::default();
    }
    let exponents = |class: &[&Row]| -> Vec<f64> {
        let mut networks: Vec<(usize, u64)> = class.iter().map(|row| (row.width, row.seed)).collect();
        networks.sort_unstable();
        networks.dedup();
        let of = |(width, seed)| {
            let steps = class.iter().filter(|row| (row.width, row.seed) == (width, seed));
            let points: Vec<(f64, f64)> =
                steps.filter_map(|row| Some((row.learning_rate, row.gap_discretization?))).collect();
            Some(log_log_slope(&points, evidence.manifest.confidence)?.exponent)
        };
        networks.into_iter().filter_map(of).collect()
    };
    let rates: Vec<Rate> = ladders
        .iter()
        .map(|(depth, class)| Rate { depth: *depth, exponent: evidence.mean(exponents(class)) })
        .collect();
    let statement = at_every_depth(
        format!("{place}Gradient descent approaches gradient flow for the same time as (step size)^1"),
        Theory::Is(1.0),
        &rates,
        evidence.manifest.margin,
        "networks at each depth",
    );
    let entry = |((depth, class), rate): (&(usize, Vec<&Row>), &Rate)| {
        let steps = steps(class);
        let gap = |step: Option<&Schedule<'_>>| {
            let of_step = class.iter().filter(|row| Some(&schedule(row)) == step);
            Cell::from(evidence.mean(of_step.filter_map(|row| row.gap_discretization)))
        };
        vec![Cell::from(*depth), steps.len().into(), rate.exponent.into(), gap(steps.first()), gap(steps.last())]
    };
    Findings {
        statements: vec![statement],
        tables: vec![Table {
            title: format!("{place}Gradient descent against gradient flow, by step size"),
            note: format!(
                "What the steps of the linearized network differ by from gradient flow for the same time, RMS over test points in target \
                 deviations. The exponent of the step size is fitted to each network by itself; means over networks of all widths and \
                 seeds with Student's {} intervals.",
                evidence.level()
            ),
            header: ["depth", "step sizes", "exponent", "gap at the largest step", "at the smallest"]
                .map(String::from)
                .to_vec(),
            rows: ladders.iter().zip(&rates).map(entry).collect(),
        }],
        charts: vec![step_chart(evidence, &ladders)],
        ..Findings::default()
    }
}

fn step_chart(evidence: &Evidence<'_>, ladders: &[(usize, Vec<&Row>)]) -> Chart {
    let series = |(depth, class): &(usize, Vec<&Row>)| {
        let mut points: Vec<(f64, Option<Interval>)> = steps(class)
            .into_iter()
            .map(|step| {
                let here: Vec<&&Row> = class.iter().filter(|row| schedule(row) == step).collect();
                // Networks of a lower bound take smaller steps: the mean step is that of the setting.
                let step = here.iter().map(|row| row.learning_rate / row.stability_bound.unwrap_or(1.0)).sum::<f64>();
                (step / here.len() as f64, evidence.mean(here.iter().filter_map(|row| row.gap_discretization)))
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Series { label: format!("depth {depth}"), points }
    };
    let series: Vec<Series> = ladders.iter().map(series).collect();
    let all = || series.iter().flat_map(|series| &series.points);
    let (first, last) = all().fold((f64::INFINITY, 0.0_f64), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
    let top = all().filter_map(|(_, value)| Some(value.as_ref()?.mean)).fold(0.0_f64, f64::max);
    let at = |x: f64| (x, 1.6 * top * x / last);
    let guides = (top > 0.0).then(|| Guide { label: "(step size)^1".to_owned(), points: vec![at(first), at(last)] });
    let rows: Vec<&Row> = ladders.iter().flat_map(|(_, class)| class.iter().copied()).collect();
    Chart {
        name: "step-size",
        title: "Gradient descent against gradient flow",
        caption: format!(
            "What gradient descent of the linearized network differs by from gradient flow for the same time, RMS over test points in target \
             deviations, against the step size as a fraction of each network's stability bound. Means over all widths and seeds; bands are \
             Student's {} intervals of the mean over these networks. {}",
            evidence.level(),
            networks(evidence, &rows)
        ),
        x: Axis::new("step size / stability bound", Scale::Log2),
        y: Axis::new("discretization / target deviation", Scale::Log10),
        panels: vec![Panel { series, guides: guides.into_iter().collect(), ..Panel::default() }],
    }
}

/// What the analytic kernel has not learned yet at a time, which no seed enters.
fn finite_time(evidence: &Evidence<'_>, rows: &[&Row], place: &str) -> Findings {
    let depths = distinct(rows, |row| row.depth);
    let curve = |depth: usize| -> Vec<(f64, f64)> {
        let point = |class: Vec<&Row>| {
            // Of one time, that of the smallest steps, which is nearest to gradient flow.
            let row = class.iter().min_by(|a, b| a.learning_rate.total_cmp(&b.learning_rate))?;
            Some((row.time, row.gap_finite_time?))
        };
        by_time(rows, depth).into_iter().filter_map(point).collect()
    };
    let curves: Vec<(usize, Vec<(f64, f64)>)> =
        depths.iter().map(|depth| (*depth, curve(*depth))).filter(|(_, curve)| curve.len() >= 3).collect();
    if curves.is_empty() {
        return Findings::default();
    }
    let gap = |end: Option<&(f64, f64)>| end.map_or(Cell::from("-"), |(_, gap)| (*gap).into());
    let entry = |(depth, curve): &(usize, Vec<(f64, f64)>)| {
        let factor = curve.first().zip(curve.last()).map_or(1.0, |(first, last)| last.0 / first.0);
        vec![Cell::from(*depth), gap(curve.first()), gap(curve.last()), factor.into(), evidence.slope(curve).into()]
    };
    let series = |(depth, curve): &(usize, Vec<(f64, f64)>)| {
        let point = |(time, gap): &(f64, f64)| (*time, Some(Interval { mean: *gap, low: *gap, high: *gap, n: 1 }));
        Series { label: format!("depth {depth}"), points: curve.iter().map(point).collect() }
    };
    let panel = Panel { series: curves.iter().map(series).collect(), ..Panel::default() };
    Findings {
        tables: vec![Table {
            title: format!("{place}Finite time"),
            note: "What gradient descent under the analytic kernel has not learned by the time training ends, RMS over test points in target \
                   deviations. Theory has no exponent: each direction decays exponentially at its own rate, so the kernel's spectrum and the \
                   targets decide. The slope over the times of this run only describes them; its interval is that of the fit, because no seed \
                   enters."
                .to_owned(),
            header: ["depth", "gap at the shortest time", "at the longest", "which is so many times longer", "slope in time"]
                .map(String::from)
                .to_vec(),
            rows: curves.iter().map(entry).collect(),
        }],
        charts: vec![Chart {
            name: "finite-time",
            title: "The analytic kernel, against time",
            caption: format!(
                "What gradient descent under the analytic kernel has not learned yet, RMS over test points in target deviations, against time \
                 (learning rate times steps). No seed enters, so there is no band; theory has no exponent. {}",
                networks(evidence, rows)
            ),
            x: Axis::new("time", Scale::Log10),
            y: Axis::new("finite time / target deviation", Scale::Log10),
            panels: vec![panel],
        }],
        ..Findings::default()
    }
}
