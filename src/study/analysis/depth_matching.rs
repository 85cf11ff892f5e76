//! Does adding a layer change the errors of network and kernel alike (claim C1)? If not, what has to be taken away until it does: the
//! function that the network happened to start from, the time that kernel regression is ahead, or the network's finite width?

use super::Evidence;
use super::mismatch::drawn::{
    MAX_PANELS, at_depths, error_panel, guides, intervals, range, sample, samples, step_guides, step_series,
};
use super::mismatch::{self, Beside, Change, Problem, Side, Variant, all_hold, problems};
use crate::error::Result;
use crate::number::plural;
use crate::stats::Interval;
use crate::study::Decision;
use crate::study::findings::{Axis, Cell, Chart, Findings, Panel, Scale, Series, Statement, Table};
use crate::study::settings::Study;

pub(super) fn ensure_possible(study: &Study) -> Result<()> {
    mismatch::ensure_possible(study)
}

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let problems = problems(evidence);
    Findings {
        statements: problems.iter().flat_map(|problem| statements(evidence, problem)).collect(),
        tables: problems.iter().flat_map(|problem| tables(evidence, problem)).collect(),
        charts: vec![
            error_chart(evidence, &problems),
            mismatch_chart(evidence, &problems),
            width_chart(evidence, &problems),
        ],
        ..Findings::default()
    }
}

/// First what is measured, then what remains of it where the theorem says that nothing should, then every variant by itself.
fn statements(evidence: &Evidence<'_>, problem: &Problem<'_>) -> Vec<Statement> {
    let variants: Vec<Variant> = Variant::all().filter(|variant| problem.has(*variant)).collect();
    let each: Vec<(Variant, Statement)> = variants
        .into_iter()
        .map(|variant| {
            let claim = if variant == Variant::AS_MEASURED {
                "As both are measured, adding a layer changes the errors of network and kernel alike".to_owned()
            } else {
                format!("Adding a layer changes both errors alike: {}", variant.name())
            };
            (variant, problem.statement(evidence, variant, &claim))
        })
        .collect();
    let matched = each.iter().filter(|(variant, _)| variant.must_match());
    let named = |decision: Decision| {
        let names: Vec<String> = each
            .iter()
            .filter(|(variant, statement)| variant.must_match() && statement.decision == decision)
            .map(|(variant, _)| variant.name())
            .collect();
        if names.is_empty() { "none".to_owned() } else { names.join("; ") }
    };
    let headline = Statement {
        claim: problem
            .titled("The mismatch disappears wherever the theorem says that it must, in every way to get there"),
        decision: all_hold(matched.map(|(_, statement)| statement.decision)),
        evidence: format!(
            "Disappears: {}. Remains: {}. Undecided: {}",
            named(Decision::Holds),
            named(Decision::Fails),
            named(Decision::Undecided)
        ),
        needed: None,
    };
    let (measured, others): (Vec<_>, Vec<_>) =
        each.into_iter().partition(|(variant, _)| *variant == Variant::AS_MEASURED);
    let statements = |all: Vec<(Variant, Statement)>| all.into_iter().map(|(_, statement)| statement);
    statements(measured).chain([headline]).chain(statements(others)).collect()
}

fn tables(evidence: &Evidence<'_>, problem: &Problem<'_>) -> Vec<Table> {
    vec![
        mismatch_table(evidence, problem),
        change_table(evidence, problem),
        error_table(evidence, problem),
        width_table(evidence, problem),
    ]
}

fn of_step(change: &Change) -> String {
    format!("{} to {}", change.step.0, change.step.1)
}

fn mismatch_table(evidence: &Evidence<'_>, problem: &Problem<'_>) -> Table {
    let width = problem.widest();
    let of_variant = |variant: Variant| {
        let changes = problem.changes(evidence, variant, width);
        let whole = problem.change(evidence, variant, width, problem.whole(), 1);
        let start = [Cell::from(variant.side.name()), Cell::from(variant.beside.name())];
        let cells = changes.iter().chain([&whole]).map(|change| Cell::from(change.mismatch));
        start.into_iter().chain(cells).collect()
    };
    let steps = problem.steps();
    let whole = problem.whole();
    let heads = steps.iter().map(|step| format!("{} to {}", step.0, step.1));
    Table {
        title: problem.titled("What adding a layer changes differently"),
        note: format!(
            "The change of the network's mean squared test error less that of the kernel's, in units of the target variance, at width \
             {width}, from one number of hidden layers to the next and from the fewest to the most. {} {}; those of single steps hold for \
             all steps together (Bonferroni). The last row compares the network as it was trained with all that the theorem expects of it. \
             From the mean over seeds, variance / number of networks is taken off, by which few networks exceed many.",
            sample(problem),
            intervals(evidence)
        ),
        header: ["network", "beside"]
            .map(str::to_owned)
            .into_iter()
            .chain(heads)
            .chain([format!("{} to {}", whole.0, whole.1)])
            .collect(),
        rows: Variant::all().filter(|variant| problem.has(*variant)).map(of_variant).collect(),
    }
}

fn change_table(evidence: &Evidence<'_>, problem: &Problem<'_>) -> Table {
    let variants = [Variant::AS_MEASURED, Variant::MATCHED, Variant::EXPECTED];
    let rows = variants.into_iter().filter(|variant| problem.has(*variant)).flat_map(|variant| {
        let changes = problem.changes(evidence, variant, problem.widest());
        changes.into_iter().map(move |change| {
            let cells = [change.network, change.kernel, change.mismatch].map(Cell::from);
            [Cell::from(variant.name()), of_step(&change).into()].into_iter().chain(cells).collect()
        })
    });
    Table {
        title: problem.titled("Direction and size of what a layer changes"),
        note: "The same with the change of either error by itself: above 0, the error grows with the layer. The last set puts the variance that \
               theory gives the initial function on the kernel's side."
            .to_owned(),
        header: ["pair", "layers", "change of the network's error", "of the kernel's", "mismatch"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
    }
}

fn error_table(evidence: &Evidence<'_>, problem: &Problem<'_>) -> Table {
    let (width, depths) = (problem.widest(), problem.depths());
    let sides = Side::ALL.into_iter().map(|side| (side.name(), Variant { side, beside: Beside::Regression }, true));
    let kernels = Beside::ALL.into_iter().map(|beside| (beside.name(), Variant { side: Side::Plain, beside }, false));
    let row = |(name, variant, is_network): (&str, Variant, bool)| {
        let cells = depths.iter().map(|depth| {
            let (network, kernel) = problem.error(evidence, variant, width, *depth);
            Cell::from(if is_network { network } else { kernel })
        });
        std::iter::once(Cell::from(name)).chain(cells).collect()
    };
    Table {
        title: problem.titled("Errors by depth"),
        note: format!(
            "Mean squared test errors in units of the target variance at width {width}, by hidden layers. Intervals are wider \
             than those of the changes, because replicates differ in how hard they are, which pairs take out."
        ),
        header: std::iter::once("predictor".to_owned())
            .chain(depths.iter().map(|depth| plural(*depth, "layer")))
            .collect(),
        rows: sides.chain(kernels).filter(|(_, variant, _)| problem.has(*variant)).map(row).collect(),
    }
}

/// The pairs that are followed over widths.
fn followed(problem: &Problem<'_>) -> Vec<Variant> {
    let mean = Variant { side: Side::Mean, beside: Beside::AtTime };
    [Variant::AS_MEASURED, Variant::MATCHED, mean, Variant::EXPECTED]
        .into_iter()
        .filter(|variant| problem.has(*variant))
        .collect()
}

fn width_table(evidence: &Evidence<'_>, problem: &Problem<'_>) -> Table {
    let (first, last) = problem.whole();
    let variants = followed(problem);
    let row = |width: usize| {
        let (networks, diverged) = problem.counts(width);
        let start = [Cell::from(width), Cell::from(networks), Cell::from(diverged)];
        let cells = variants
            .iter()
            .map(|variant| Cell::from(problem.change(evidence, *variant, width, problem.whole(), 1).mismatch));
        start.into_iter().chain(cells).collect()
    };
    Table {
        title: problem.titled("The mismatch by width"),
        note: format!(
            "From {first} to {last} hidden layers, in units of the target variance. What is left at the greatest width where the theorem says \
             that nothing should be, is what finite width still does."
        ),
        header: ["width", "networks", "diverged"]
            .map(str::to_owned)
            .into_iter()
            .chain(variants.iter().map(|variant| variant.name()))
            .collect(),
        rows: problem.widths().into_iter().map(row).collect(),
    }
}

fn error_chart(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> Chart {
    let n_sides = (MAX_PANELS / problems.len().max(1)).max(1);
    let panel = |problem: &Problem<'_>, side: Side| {
        error_panel(evidence, problem, problem.titled(side.name()), &[(side, "network")])
    };
    let panels = problems.iter().flat_map(|problem| {
        let is_there = |side: &Side| problem.has(Variant { side: *side, beside: Beside::Regression });
        Side::ALL.into_iter().filter(is_there).take(n_sides).map(move |side| panel(problem, side))
    });
    Chart {
        name: "depth-error",
        title: "Error against depth",
        caption: format!(
            "Mean squared test error at the greatest width against the number of hidden layers; each panel looks at the network in another \
             way. Bands are {} intervals over data replicates and seeds, most of whose width is how hard replicates are, which network \
             and kernel share. {}",
            evidence.level(),
            samples(evidence, problems)
        ),
        x: Axis::new("hidden layers", Scale::Integer),
        y: Axis::new("test error / target variance", Scale::Linear),
        panels: panels.take(MAX_PANELS).collect(),
    }
}

fn mismatch_chart(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> Chart {
    let panel = |problem: &Problem<'_>, beside: Beside| {
        let there = Variant::all().filter(|variant| variant.beside == beside && problem.has(*variant));
        Panel {
            title: problem.titled(beside.name()),
            series: there.map(|variant| step_series(evidence, problem, variant, variant.side.name())).collect(),
            guides: step_guides(evidence, problem),
            mishaps: at_depths(problem),
        }
    };
    let panels = problems.iter().flat_map(|problem| Beside::ALL.into_iter().map(move |beside| panel(problem, beside)));
    Chart {
        name: "depth-mismatch",
        title: "What adding a layer changes differently in network and kernel",
        caption: format!(
            "The change of the network's test error less that of the kernel's, at the greatest width, drawn at the number of layers that the \
             step leads to; each panel puts something else beside the network. Bands are {} intervals over data replicates and seeds that \
             hold for all steps together. Dotted lines are 0 and the margin on either side. {}",
            evidence.level(),
            samples(evidence, problems)
        ),
        x: Axis::new("hidden layers after the step", Scale::Integer),
        y: Axis::new("mismatch / target variance", Scale::Linear),
        panels: panels.take(MAX_PANELS).collect(),
    }
}

fn width_chart(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> Chart {
    let panel = |problem: &Problem<'_>| {
        let widths = problem.widths();
        let curve = |variant: Variant| {
            let at = |width: &usize| -> (f64, Option<Interval>) {
                (*width as f64, problem.change(evidence, variant, *width, problem.whole(), 1).mismatch)
            };
            Series { label: variant.name(), points: widths.iter().map(at).collect() }
        };
        let (first, last) = range(&widths);
        let (fewest, most) = problem.whole();
        Panel {
            title: problem.titled(&format!("{fewest} to {most} layers")),
            series: followed(problem).into_iter().map(curve).collect(),
            guides: guides(evidence, first, last),
            mishaps: problem.mishaps(|row| row.depth == fewest || row.depth == most, |row| row.width as f64),
        }
    };
    Chart {
        name: "depth-mismatch-width",
        title: "The mismatch against width",
        caption: format!(
            "The mismatch from the fewest to the most hidden layers against the width. As measured it stays, because the initial function does; \
             the others vanish where the theorem holds. Bands are {} intervals over data replicates and seeds. {}",
            evidence.level(),
            samples(evidence, problems)
        ),
        x: Axis::new("width", Scale::Log2),
        y: Axis::new("mismatch / target variance", Scale::Linear),
        panels: problems.iter().take(MAX_PANELS).map(panel).collect(),
    }
}
