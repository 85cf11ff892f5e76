//! The report's text.

use std::fmt::Write;

use super::number::{exponent, with_interval};
use super::plain::plain;
use super::{findings, protocol, references, words};
use crate::figure::Figure;
use crate::number::{percent, short};
use crate::record::{Manifest, Row};
use crate::stats::mean_interval;
use crate::study::findings::Findings;
use crate::study::{Decision, DepthVerdict, Evidence, Term, TermVerdict, Verdict, verdict};

/// The whole report as Markdown; figures are linked by their file names in `figures/`.
///
/// `findings` are what the analysis of the run found; without any it is about the equivalence at each depth.
pub(super) fn compose(evidence: &Evidence<'_>, findings: Option<&Findings>, figures: &[Figure]) -> String {
    let Evidence { manifest, rows, .. } = *evidence;
    let found = match findings {
        Some(findings) => of_findings(manifest, rows, findings),
        None => of_verdict(manifest, rows, &verdict(manifest, rows)),
    };
    let rest = [
        figure_section(figures),
        protocol::protocol(manifest, rows),
        protocol::limits(manifest, rows),
        protocol::provenance(manifest),
        reference_section(manifest, rows),
    ];
    let sections = found.into_iter().chain(rest).filter(|section| !section.is_empty());
    sections.fold(String::new(), |text, section| text + &section + "\n")
}

fn of_verdict(manifest: &Manifest, rows: &[&Row], verdict: &Verdict) -> Vec<String> {
    let headline = format!("{}\n\n", words::headline(verdict));
    vec![
        answer(manifest, rows, &headline, &words::sentences(verdict)),
        gap_table(verdict),
        error_table(manifest, rows, verdict),
        accuracy_table(manifest, rows, verdict),
        rate_table(rows, verdict),
    ]
}

fn of_findings(manifest: &Manifest, rows: &[&Row], found: &Findings) -> Vec<String> {
    let answer = answer(manifest, rows, "", &findings::statements(found));
    std::iter::once(answer).chain(found.tables.iter().map(findings::table)).collect()
}

fn answer(manifest: &Manifest, rows: &[&Row], headline: &str, sentences: &[String]) -> String {
    let mut text =
        format!("# {}\n\n> {}\n\n## Verdict\n\n{headline}", plain(&manifest.study), plain(&manifest.question));
    for sentence in sentences {
        let _ = writeln!(text, "- {sentence}");
    }
    text.push_str(&words::unfinished(&manifest.points, rows.len()));
    let missed = rows.iter().filter(|row| row.misses_target()).count();
    if missed > 0 {
        let _ = writeln!(
            text,
            "\n**{missed} of {} networks took all their steps without meeting the rule to stop**; they are counted as they are, and a \
             dagger (\u{2020}) marks what they enter.",
            rows.len()
        );
    }
    let diverged = rows.iter().filter(|row| !row.is_trained()).count();
    if diverged > 0 {
        let _ = writeln!(
            text,
            "\n**{diverged} of {} networks diverged**; they are marked in the figures and enter no average.",
            rows.len()
        );
    }
    text
}

/// The depth, with a dagger where some of its networks missed their target.
fn marked(depth: &DepthVerdict, n_missed: usize) -> String {
    format!("{}{}", depth.depth, if n_missed > 0 { " \u{2020}" } else { "" })
}

fn gap_table(verdict: &Verdict) -> String {
    let terms: Vec<&TermVerdict> = verdict.depths.iter().flat_map(|depth| &depth.terms).collect();
    let names: Vec<&str> =
        Term::ALL.into_iter().filter(|wanted| terms.iter().any(|term| term.term == *wanted)).map(Term::name).collect();
    let mut text = format!(
        "## The gap, taken apart\n\nRMS over test points at the greatest width, in units of the target's standard deviation, with {} \
         intervals over seeds. The {} parts add up to the gap at every test point (their RMS values do not add up, because parts can \
         cancel).\n\n| depth | width | gap | {} | equivalence |\n|---|---|---|{}---|\n",
        percent(verdict.confidence),
        if names.len() == Term::ALL.len() { "five" } else { "four" },
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for depth in &verdict.depths {
        let cell = |name: &&str| {
            let term = depth.terms.iter().find(|term| term.term.name() == *name);
            with_interval(term.and_then(|term| term.rms))
        };
        let terms: Vec<String> = names.iter().map(cell).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            marked(depth, depth.n_missed),
            depth.width,
            with_interval(depth.total),
            terms.join(" | "),
            match depth.decision {
                Decision::Holds => "holds",
                Decision::Fails => "fails",
                Decision::Undecided | Decision::NoInterval => "undecided",
                Decision::Diverged => "diverged",
            }
        );
    }
    text
}

fn error_table(manifest: &Manifest, rows: &[&Row], verdict: &Verdict) -> String {
    let mut text = "## Test errors\n\nMean squared error on the test part, in units of the target's variance. Networks: the greatest width.\n\n\
         | depth | network | linearized | NTK | NTK, same time | NNGP | RBF | Laplace | Matern-5/2 |\n\
         |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for depth in &verdict.depths {
        let at: Vec<&Row> =
            rows.iter().copied().filter(|row| row.depth == depth.depth && row.width == depth.width).collect();
        let cell = |value: &dyn Fn(&Row) -> Option<f64>| {
            let trained = at.iter().filter(|row| row.is_trained());
            let values: Vec<f64> = trained.filter_map(|row| value(row)).collect();
            with_interval(mean_interval(&values, manifest.confidence))
        };
        // Kernels do not depend on the seed: one value, no interval.
        let fixed = |value: &dyn Fn(&Row) -> f64| at.first().map_or("-".to_owned(), |row| short(value(row)));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            marked(depth, depth.n_missed),
            cell(&|row| row.mse_network),
            cell(&|row| row.mse_linearized),
            fixed(&|row| row.mse_ntk),
            cell(&|row| row.mse_ntk_at_time),
            fixed(&|row| row.mse_nngp),
            fixed(&|row| row.mse_rbf),
            fixed(&|row| row.mse_laplace),
            fixed(&|row| row.mse_matern),
        );
    }
    text
}

/// Of classification only.
fn accuracy_table(manifest: &Manifest, rows: &[&Row], verdict: &Verdict) -> String {
    if rows.iter().all(|row| row.accuracy_ntk.is_none()) {
        return String::new();
    }
    let mut text = "## Accuracy\n\nShare of the test rows whose class has the largest prediction, of regression on one-hot classes. Networks: \
         the greatest width.\n\n\
         | depth | network | NTK | NNGP |\n\
         |---|---|---|---|\n"
        .to_owned();
    for depth in &verdict.depths {
        let at = || rows.iter().filter(|row| row.depth == depth.depth && row.width == depth.width);
        let values: Vec<f64> = at().filter_map(|row| row.accuracy_network).collect();
        let fixed = |value: fn(&Row) -> Option<f64>| at().find_map(|row| value(row)).map_or("-".to_owned(), short);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            marked(depth, depth.n_missed),
            with_interval(mean_interval(&values, manifest.confidence)),
            fixed(|row| row.accuracy_ntk),
            fixed(|row| row.accuracy_nngp),
        );
    }
    text
}

fn rate_table(rows: &[&Row], verdict: &Verdict) -> String {
    let mut text = "## Rates in the width\n\nFitted exponents p of width^p over all widths and seeds. Theory, in the NTK parametrization: the \
         empirical kernel at initialization approaches the analytic one as width^-0.5; its drift in training and the nonlinearity are \
         bounded by width^-0.5 and fall as width^-1 where that bound is not sharp; the initial function does not shrink.\n\n\
         | depth | kernel at initialization | kernel drift | nonlinearity | initial function | finite width |\n\
         |---|---|---|---|---|---|\n"
        .to_owned();
    for depth in &verdict.depths {
        let term =
            |wanted: Term| exponent(depth.terms.iter().find(|term| term.term == wanted).and_then(|term| term.slope));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            marked(depth, rows.iter().filter(|row| row.depth == depth.depth && row.misses_target()).count()),
            exponent(depth.kernel_error_slope),
            exponent(depth.kernel_drift_slope),
            term(Term::Nonlinearity),
            term(Term::InitialFunction),
            term(Term::FiniteWidth),
        );
    }
    text
}

/// As the section of figures begins.
pub(super) const FIGURES: &str = "## Figures";

pub(super) fn figure_section(figures: &[Figure]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let mut text = format!("{FIGURES}\n");
    for figure in figures {
        let _ = write!(
            text,
            "\n### {}\n\n![{}](figures/{}.svg)\n\n{} ([numbers](figures/{}.csv))\n",
            figure.title, figure.title, figure.name, figure.caption, figure.name
        );
    }
    text
}

fn reference_section(manifest: &Manifest, rows: &[&Row]) -> String {
    let mut text = "## References of the methods used\n\n".to_owned();
    for reference in references::of_run(rows) {
        let _ = writeln!(text, "- {reference}");
    }
    for data in &manifest.data {
        let _ = writeln!(text, "- Data: {}", plain(&data.citation));
    }
    text
}
