//! Does adding a layer match in residual, normalized and convolutional networks as it does in fully connected ones?

use super::Evidence;
use super::mismatch::drawn::{
    MAX_PANELS, at_depths, error_panel, intervals, sample, samples, step_guides, step_series,
};
use super::mismatch::{self, Problem, Side, Variant, all_hold, problems};
use crate::error::Result;
use crate::study::Decision;
use crate::study::findings::{Axis, Cell, Chart, Findings, Panel, Scale, Statement, Table};
use crate::study::settings::Study;

pub(super) fn ensure_possible(study: &Study) -> Result<()> {
    mismatch::ensure_possible(study)
}

/// What is asked of every architecture, with a short name for legends.
const ASKED: [(Variant, &str); 3] = [
    (Variant::AS_MEASURED, "as measured"),
    (Variant::MATCHED, "initial function and time taken away"),
    (Variant::EXPECTED, "beside what the theorem expects"),
];

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let problems = problems(evidence);
    Findings {
        statements: statements(evidence, &problems),
        tables: vec![summary(evidence, &problems), step_table(evidence, &problems), width_table(evidence, &problems)],
        charts: vec![error_chart(evidence, &problems), mismatch_chart(evidence, &problems)],
        ..Findings::default()
    }
}

/// For each thing asked: of all architectures together, then one by one.
fn statements(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> Vec<Statement> {
    let claims = [
        "as both are measured",
        "initial function and difference in time taken away",
        "beside all that the theorem expects of the network",
    ];
    ASKED
        .into_iter()
        .zip(claims)
        .flat_map(|((variant, _), claim)| {
            let of_problem = |problem: &Problem<'_>| {
                let claim = format!("Adding a layer changes the errors of network and kernel alike, {claim}");
                (problem.label.clone(), problem.statement(evidence, variant, &claim))
            };
            let each: Vec<(String, Statement)> = problems.iter().map(of_problem).collect();
            let named = |decision: Decision| {
                let names: Vec<&str> = each
                    .iter()
                    .filter(|(_, statement)| statement.decision == decision)
                    .map(|(name, _)| name.as_str())
                    .collect();
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            };
            let all = Statement {
                claim: format!("In every architecture adding a layer changes both errors alike, {claim}"),
                decision: all_hold(each.iter().map(|(_, statement)| statement.decision)),
                evidence: format!(
                    "Alike: {}. Not alike: {}. Undecided: {}",
                    named(Decision::Holds),
                    named(Decision::Fails),
                    named(Decision::Undecided)
                ),
                needed: None,
            };
            std::iter::once(all).chain(each.into_iter().map(|(_, statement)| statement)).collect::<Vec<_>>()
        })
        .collect()
}

fn summary(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> Table {
    let row = |problem: &Problem<'_>| {
        let (width, (first, last)) = (problem.widest(), problem.whole());
        let change = |variant| problem.change(evidence, variant, width, (first, last), 1);
        let measured = change(Variant::AS_MEASURED);
        let start = [Cell::from(problem.label.as_str()), width.into(), format!("{first} to {last}").into()];
        let cells = [measured.network, measured.kernel].into_iter();
        let mismatches = ASKED.into_iter().map(|(variant, _)| change(variant).mismatch);
        start.into_iter().chain(cells.chain(mismatches).map(Cell::from)).collect()
    };
    let each: Vec<String> = problems.iter().map(|problem| problem.titled(&sample(problem))).collect();
    Table {
        title: "From the fewest layers to the most".to_owned(),
        note: format!(
            "How the mean squared test errors of network and kernel regression change, in units of the target variance, and the mismatch: the \
             change of the network's less that of the kernel's, as both are measured; with what is left of the initial function taken from \
             the network, beside the kernel at the network's time; and with the variance that theory gives the initial function added to the \
             kernel at that time. {} {}.",
            each.join(" "),
            intervals(evidence)
        ),
        header: ["architecture", "width", "layers", "change of the network's error", "of the kernel's"]
            .into_iter()
            .map(str::to_owned)
            .chain(ASKED.map(|(_, name)| format!("mismatch, {name}")))
            .collect(),
        rows: problems.iter().map(row).collect(),
    }
}

fn step_table(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> Table {
    let rows = problems.iter().flat_map(|problem| {
        let of = |variant| problem.changes(evidence, variant, problem.widest());
        let each = ASKED.map(|(variant, _)| of(variant));
        problem.steps().into_iter().enumerate().map(move |(i, step)| {
            let start = [Cell::from(problem.label.as_str()), format!("{} to {}", step.0, step.1).into()];
            start.into_iter().chain(each.iter().map(|changes| Cell::from(changes[i].mismatch))).collect()
        })
    });
    Table {
        title: "Layer by layer".to_owned(),
        note: "The mismatches of single steps at the greatest width, with intervals that hold for all steps of an architecture together \
               (Bonferroni)."
            .to_owned(),
        header: ["architecture", "layers"]
            .into_iter()
            .map(str::to_owned)
            .chain(ASKED.map(|(_, name)| name.to_owned()))
            .collect(),
        rows: rows.collect(),
    }
}

fn width_table(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> Table {
    let rows = problems.iter().flat_map(|problem| {
        problem.widths().into_iter().map(move |width| {
            let (networks, diverged) = problem.counts(width);
            let start = [Cell::from(problem.label.as_str()), width.into(), networks.into(), diverged.into()];
            let change = |(variant, _)| problem.change(evidence, variant, width, problem.whole(), 1).mismatch;
            start.into_iter().chain(ASKED.map(change).map(Cell::from)).collect()
        })
    });
    Table {
        title: "The mismatch by width".to_owned(),
        note: "From the fewest layers to the most. Widths are units of dense and channels of convolutional networks."
            .to_owned(),
        header: ["architecture", "width", "networks", "diverged"]
            .into_iter()
            .map(str::to_owned)
            .chain(ASKED.map(|(_, name)| name.to_owned()))
            .collect(),
        rows: rows.collect(),
    }
}

fn error_chart(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> Chart {
    let sides = [(Side::Plain, "network"), (Side::Subtracted, "network, initial function subtracted")];
    let panel = |problem: &Problem<'_>| error_panel(evidence, problem, problem.label.clone(), &sides);
    Chart {
        name: "architectures-error",
        title: "Error against depth, by architecture",
        caption: format!(
            "Mean squared test error at the greatest width of each architecture against the number of hidden layers. Bands are {} intervals \
             over data replicates and seeds. {}",
            evidence.level(),
            samples(evidence, problems)
        ),
        x: Axis::new("hidden layers", Scale::Integer),
        y: Axis::new("test error / target variance", Scale::Linear),
        panels: problems.iter().take(MAX_PANELS).map(panel).collect(),
    }
}

fn mismatch_chart(evidence: &Evidence<'_>, problems: &[Problem<'_>]) -> Chart {
    let panel = |problem: &Problem<'_>| Panel {
        title: problem.label.clone(),
        series: ASKED.map(|(variant, name)| step_series(evidence, problem, variant, name)).to_vec(),
        guides: step_guides(evidence, problem),
        mishaps: at_depths(problem),
    };
    Chart {
        name: "architectures-mismatch",
        title: "What adding a layer changes differently in network and kernel, by architecture",
        caption: format!(
            "The change of the network's test error less that of the kernel's, drawn at the number of layers that the step leads to: as \
             measured; with what is left of the initial function taken from the network, beside the kernel at the network's time; and with \
             the variance that theory gives the initial function added to the kernel at that time. Bands are {} intervals over data \
             replicates and seeds that hold for all steps of an architecture together. Dotted lines are 0 and the margin on either side. {}",
            evidence.level(),
            samples(evidence, problems)
        ),
        x: Axis::new("hidden layers after the step", Scale::Integer),
        y: Axis::new("mismatch / target variance", Scale::Linear),
        panels: problems.iter().take(MAX_PANELS).map(panel).collect(),
    }
}
