//! The report's text.

use std::fmt::Write;

use super::number::{exponent, percent, short, with_interval};
use super::{references, words};
use crate::figure::Figure;
use crate::record::{Manifest, Outcome, Row};
use crate::stats::mean_interval;
use crate::study::{Decision, Term, Verdict};

/// The whole report as Markdown; figures are linked by their file names in `figures/`.
pub(super) fn compose(manifest: &Manifest, rows: &[&Row], verdict: &Verdict, figures: &[Figure]) -> String {
    let mut text = String::new();
    for section in [
        answer(manifest, rows, verdict),
        gap_table(verdict),
        error_table(manifest, rows, verdict),
        rate_table(verdict),
        figure_section(figures),
        protocol(manifest, rows),
        limits(manifest, rows),
        provenance(manifest),
        reference_section(manifest, rows),
    ] {
        text.push_str(&section);
        text.push('\n');
    }
    text
}

fn answer(manifest: &Manifest, rows: &[&Row], verdict: &Verdict) -> String {
    let mut text = format!("# {}\n\n> {}\n\n## Verdict\n\n", plain(&manifest.study), plain(&manifest.question));
    let _ = writeln!(text, "{}\n", words::headline(verdict));
    for sentence in words::sentences(verdict) {
        let _ = writeln!(text, "- {sentence}");
    }
    let missing = manifest.points.len() - rows.len();
    if missing > 0 {
        let _ = writeln!(
            text,
            "\n**This run is not finished: {missing} of {} points are missing**, and everything below is drawn from the rest.",
            manifest.points.len()
        );
    }
    let diverged = rows.iter().filter(|row| row.outcome == Outcome::Diverged).count();
    if diverged > 0 {
        let _ = writeln!(
            text,
            "\n**{diverged} of {} networks diverged**; they are marked in the figures and enter no average.",
            rows.len()
        );
    }
    let unstable = rows.iter().filter(|row| row.learning_rate >= row.stability_bound).count();
    if unstable > 0 {
        let _ = writeln!(
            text,
            "\n**{unstable} of {} networks were trained above their stability bound**, where the linearized network diverges: the parts \
             of their gap measure that divergence.",
            rows.len()
        );
    }
    text
}

fn gap_table(verdict: &Verdict) -> String {
    let mut text = format!(
        "## The gap, taken apart\n\nRMS over test points at the greatest width, in units of the target's standard deviation, with {} \
         intervals over seeds. The four parts add up to the gap at every test point (their RMS values do not add up, because parts can \
         cancel).\n\n\
         | depth | width | gap | nonlinearity | initial function | finite width | finite time | equivalence |\n\
         |---|---|---|---|---|---|---|---|\n",
        percent(verdict.confidence)
    );
    for depth in &verdict.depths {
        let terms: Vec<String> = depth.terms.iter().map(|term| with_interval(term.rms)).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            depth.depth,
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
            let trained = at.iter().filter(|row| row.outcome == Outcome::Completed);
            let values: Vec<f64> = trained.filter_map(|row| value(row)).collect();
            with_interval(mean_interval(&values, manifest.confidence))
        };
        // Kernels do not depend on the seed: one value, no interval.
        let fixed = |value: &dyn Fn(&Row) -> f64| at.first().map_or("-".to_owned(), |row| short(value(row)));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            depth.depth,
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

fn rate_table(verdict: &Verdict) -> String {
    let mut text = "## Rates in the width\n\nFitted exponents p of width^p over all widths and seeds, at equal training time. Theory: the \
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
            depth.depth,
            exponent(depth.kernel_error_slope),
            exponent(depth.kernel_drift_slope),
            term(Term::Nonlinearity),
            term(Term::InitialFunction),
            term(Term::FiniteWidth),
        );
    }
    text
}

fn figure_section(figures: &[Figure]) -> String {
    let mut text = "## Figures\n".to_owned();
    for figure in figures {
        let _ = write!(
            text,
            "\n### {}\n\n![{}](figures/{}.svg)\n\n{} ([numbers](figures/{}.csv))\n",
            figure.title, figure.title, figure.name, figure.caption, figure.name
        );
    }
    text
}

fn protocol(manifest: &Manifest, rows: &[&Row]) -> String {
    let data = &manifest.data;
    let mut text = "## Protocol\n\n".to_owned();
    let mut item = |name: &str, words: String| {
        let _ = writeln!(text, "- **{name}.** {words}");
    };
    item(
        "Data",
        format!(
            "{}: {} rows, {} inputs, {} output(s); {} training and {} test rows after a seeded shuffle, standardized with the training \
             part's statistics where the config says so. {}",
            plain(&data.name),
            data.n_rows,
            data.d_in,
            data.d_out,
            data.n_train,
            data.n_test,
            plain(&data.notes.join(" "))
        ),
    );
    if let Some(row) = rows.first() {
        item(
            "Networks",
            format!(
                "{} activation, {} parametrization, W_std {}, b_std {}, {} initial function, {} seeds per depth and width, {} on the {} \
                 backend.",
                row.activation,
                row.parametrization,
                short(row.w_std),
                short(row.b_std),
                row.initial_function,
                manifest.n_seeds,
                row.dtype,
                row.backend
            ),
        );
        item(
            "Training",
            format!(
                "full-batch gradient descent on half the mean squared error{}; {} steps of size {}, which is time {}, the same for every \
                 width and seed of a depth.",
                if row.ridge > 0.0 { " plus the pull to the initialization" } else { "" },
                range(rows, |row| row.n_steps as f64),
                range(rows, |row| row.learning_rate),
                range(rows, |row| row.time)
            ),
        );
        item(
            "Kernels",
            format!(
                "analytic NNGP and NTK in f64; {}; the stationary kernels' length scale is the median distance between training inputs.",
                regression_in_words(rows)
            ),
        );
    }
    item(
        "The gap",
        "f_T - A_inf Y = (f_T - flin_T) + (flin_T - A_T^emp Y) + (A_T^emp Y - A_T^ntk Y) + (A_T^ntk Y - A_inf^ntk Y): nonlinearity, \
         initial function, finite width, finite time, in this order. A_T maps targets to the predictions of gradient descent after T \
         steps from zero under a kernel; flin_T is the linearized network after the same steps."
            .to_owned(),
    );
    item(
        "Criterion, stated before the run",
        format!(
            "equivalent where the RMS gap lies below {} target standard deviations with its whole {} interval over seeds (Student's t).",
            short(manifest.margin),
            percent(manifest.confidence)
        ),
    );
    let residual = largest(rows, |row| row.identity_residual.unwrap_or(0.0));
    item(
        "Check",
        format!("the four parts miss the gap by at most {} at any test point of any network.", short(residual)),
    );
    text
}

fn regression_in_words(rows: &[&Row]) -> String {
    if rows.iter().any(|row| row.ridge > 0.0) {
        return format!(
            "ridge {} on the NTK and on the networks alike, and the same fraction of its mean diagonal on every other kernel",
            range(rows, |row| row.ridge)
        );
    }
    format!(
        "regression by the pseudo-inverse, which drops what rounding leaves of zero eigenvalues (of the NTK: below {}, {} directions)",
        range(rows, |row| row.eigenvalue_cutoff),
        range(rows, |row| row.n_dropped as f64)
    )
}

fn limits(manifest: &Manifest, rows: &[&Row]) -> String {
    let widest = rows.iter().map(|row| row.width).max().unwrap_or(0);
    format!(
        "## Limits of the evidence\n\nOne data set, one split, {} training points, widths up to {widest}; the intervals cover the random \
         initialization, not the choice of data. Nothing here reproduces the numbers of the paper whose question it asks: its settings are \
         not public.\n",
        manifest.data.n_train
    )
}

fn provenance(manifest: &Manifest) -> String {
    let mut text = format!("## Provenance\n\nRoot seed {}. Computed by\n\n", manifest.root_seed);
    for session in &manifest.sessions {
        let _ = writeln!(
            text,
            "- {} (commit {}), {}; {} thread(s) on {} ({}, {} logical processors)",
            session.program,
            session.commit,
            session.libraries.join(", "),
            session.n_threads,
            plain(&session.machine.processor),
            session.machine.platform,
            session.machine.n_cpus
        );
    }
    let _ = write!(
        text,
        "\n<details><summary>The resolved config</summary>\n\n```toml\n{}```\n\n</details>\n",
        manifest.config
    );
    text
}

fn reference_section(manifest: &Manifest, rows: &[&Row]) -> String {
    let mut text = "## References of the methods used\n\n".to_owned();
    for reference in references::of_run(rows) {
        let _ = writeln!(text, "- {reference}");
    }
    let _ = writeln!(text, "- Data: {}", plain(&manifest.data.citation));
    text
}

/// A user's words as one line that means nothing to Markdown or HTML.
fn plain(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::with_capacity(line.len());
    for letter in line.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '*' | '_' | '`' | '[' | ']' | '#' | '|' | '\\' => escaped.extend(['\\', letter]),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The one value all rows have, or the smallest and the largest.
fn range(rows: &[&Row], value: impl Fn(&Row) -> f64) -> String {
    let (least, most) = rows
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), row| (least.min(value(row)), most.max(value(row))));
    let (least, most) = (short(least), short(most));
    if least == most { least } else { format!("{least} to {most}") }
}

fn largest(rows: &[&Row], value: impl Fn(&Row) -> f64) -> f64 {
    rows.iter().map(|row| value(row)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_question_cannot_become_markup() {
        assert_eq!(plain("is a_b <b>1</b>\n| 2?"), "is a\\_b &lt;b&gt;1&lt;/b&gt; \\| 2?");
    }
}
