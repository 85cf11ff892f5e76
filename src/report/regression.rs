//! The report of a comparison of kernels.

use std::fmt::Write;

use super::number::with_interval;
use super::plain::plain;
use super::protocol::computations;
use crate::figure::Figure;
use crate::linalg::Matrix;
use crate::number::{percent, short};
use crate::record::{KernelManifest, KernelRow};
use crate::stats::{Decision, Interval, friedman_test, holm, mean_interval, signed_rank_test};
use crate::study::regression::{KernelComparison, compare_kernels};

/// The answer in sentences: the NTK beside each other kernel.
#[must_use]
pub fn sentences(manifest: &KernelManifest, rows: &[&KernelRow]) -> Vec<String> {
    answer(manifest, &compare_kernels(manifest, rows))
}

/// A sentence for each comparison; one for all where none can be tested, or where they are so many that a table says it better.
fn answer(manifest: &KernelManifest, comparisons: &[KernelComparison]) -> Vec<String> {
    const MOST: usize = 12;
    if !comparisons.is_empty() && comparisons.iter().all(|comparison| comparison.n_pairs == 1) {
        return vec![
            "One split is too few to test whether kernels predict alike: vary it, as in `[vary] \"data.split_seed\" = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]`."
                .to_owned(),
        ];
    }
    if comparisons.len() > MOST {
        let count = |wanted: fn(&Decision) -> bool| {
            let decisions = comparisons.iter().filter_map(|comparison| comparison.equivalence);
            decisions.filter(|equivalence| wanted(&equivalence.decision)).count()
        };
        return vec![format!(
            "Of {} comparisons of the NTK with another kernel, {} come out alike within {} %, {} different, and the others undecided.",
            comparisons.len(),
            count(|decision| *decision == Decision::Equivalent),
            short(100.0 * manifest.margin),
            count(|decision| *decision == Decision::Different),
        )];
    }
    comparisons.iter().map(|comparison| sentence(comparison, manifest)).collect()
}

/// The whole report as Markdown; figures are linked by their file names in `figures/`.
pub(super) fn compose(manifest: &KernelManifest, rows: &[&KernelRow], figures: &[Figure]) -> String {
    let comparisons = compare_kernels(manifest, rows);
    let sections = [
        head(manifest, rows, &comparisons),
        error_table(manifest, rows),
        comparison_table(manifest, &comparisons),
        rank_table(rows),
        iteration_table(rows),
        approximation_table(rows),
        super::markdown::figure_section(figures),
        protocol(manifest, rows),
        computations(manifest.root_seed, &manifest.computed_by, &manifest.config),
        references(manifest, rows),
    ];
    sections.iter().filter(|section| !section.is_empty()).map(|section| format!("{section}\n")).collect()
}

fn head(manifest: &KernelManifest, rows: &[&KernelRow], comparisons: &[KernelComparison]) -> String {
    let mut text = format!("# {}\n\n> {}\n\n## Answer\n\n", plain(&manifest.study), plain(&manifest.question));
    if comparisons.is_empty() {
        let best = rows.iter().min_by(|a, b| a.mse_test.total_cmp(&b.mse_test));
        let _ = match best {
            Some(row) => writeln!(text, "The least test error is {} ({}).", short(row.mse_test), name(row)),
            None => writeln!(text, "No point is finished yet, so there is no answer."),
        };
    } else {
        let sentences = answer(manifest, comparisons);
        for sentence in &sentences {
            let _ = writeln!(text, "- {sentence}");
        }
        if sentences.len() < comparisons.len() && comparisons.iter().any(|comparison| comparison.n_pairs > 1) {
            let _ = write!(text, "\n{}", counted(manifest, comparisons));
        }
    }
    let missing = manifest.points.len() - rows.len();
    if missing > 0 {
        let _ = writeln!(
            text,
            "\n**This run is not finished: {missing} of {} points are missing**, and everything below is drawn from the rest.",
            manifest.points.len()
        );
    }
    let n_edges = rows.iter().filter(|row| row.edge.is_some()).count();
    if n_edges > 0 {
        let _ = writeln!(
            text,
            "\n**{n_edges} of {} chosen ridges lie at an end of their grid** (marked \u{2021}): a better one may lie beyond; widen \
             `regress.ridges`.",
            rows.len()
        );
    }
    let unfinished = rows.iter().filter(|row| row.ending.as_ref().is_some_and(|ending| ending != "converged")).count();
    if unfinished > 0 {
        let _ = writeln!(text, "\n**{unfinished} iterations ended above their tolerance**; their rows say how far.");
    }
    text
}

/// How many comparisons came out which way, kernel by kernel.
fn counted(manifest: &KernelManifest, comparisons: &[KernelComparison]) -> String {
    let mut others: Vec<&str> = comparisons.iter().map(|comparison| comparison.other.as_str()).collect();
    others.sort_unstable();
    others.dedup();
    let mut text = format!(
        "At how many settings the NTK's test error is that of another kernel within {} %:\n\n| NTK and | settings | alike | NTK worse | NTK \
         better | undecided | median ratio | from | to |\n|---|---|---|---|---|---|---|---|---|\n",
        short(100.0 * manifest.margin)
    );
    for other in others {
        let of_other = || comparisons.iter().filter(|comparison| comparison.other == other);
        let count = |wanted: &dyn Fn(&KernelComparison) -> bool| of_other().filter(|c| wanted(c)).count();
        let decision = |c: &KernelComparison| c.equivalence.map(|equivalence| equivalence.decision);
        let mut ratios: Vec<f64> = of_other().map(|comparison| comparison.ratio).collect();
        ratios.sort_by(f64::total_cmp);
        let (n, last) = (ratios.len(), ratios.len().saturating_sub(1));
        let median = 0.5 * (ratios[n / 2] + ratios[last / 2]);
        let _ = writeln!(
            text,
            "| {other} | {} | {} | {} | {} | {} | {} | {} | {} |",
            of_other().count(),
            count(&|c| decision(c) == Some(Decision::Equivalent)),
            count(&|c| decision(c) == Some(Decision::Different) && c.ratio > 1.0),
            count(&|c| decision(c) == Some(Decision::Different) && c.ratio < 1.0),
            count(&|c| !matches!(decision(c), Some(Decision::Equivalent | Decision::Different))),
            short(median),
            short(ratios[0]),
            short(ratios[last]),
        );
    }
    text
}

fn sentence(comparison: &KernelComparison, manifest: &KernelManifest) -> String {
    let KernelComparison { setting, depth, other, n_pairs, ratio, interval, equivalence, .. } = comparison;
    let interval = interval.map_or(String::new(), |i| format!(" [{}, {}]", short(i.low), short(i.high)));
    let place = format!("{}, NTK of depth {depth} and {other}", plain(setting));
    let margin = short(100.0 * manifest.margin);
    let splits = if *n_pairs == 1 { "one split".to_owned() } else { format!("{n_pairs} splits") };
    let measured = format!("the ratio of their test errors is {}{interval} over {splits}", short(*ratio));
    match equivalence.map(|equivalence| equivalence.decision) {
        None => format!("{place}: {measured}, too few for a test."),
        Some(Decision::Equivalent) => format!("{place}: **alike** within {margin} %; {measured}."),
        Some(Decision::Different) => {
            let word = if *ratio > 1.0 { "worse" } else { "better" };
            format!("{place}: the NTK is **{word}** by more than {margin} %; {measured}.")
        }
        Some(Decision::Undecided { n_more_pairs }) => {
            let more = n_more_pairs.map_or("no number of splits would decide it at this spread".to_owned(), |n| {
                format!("about {n} more splits would decide it")
            });
            format!("{place}: **undecided** at {margin} %; {measured}; {more}.")
        }
    }
}

/// The kernel with its depth.
fn name(row: &KernelRow) -> String {
    row.depth.map_or(row.kernel.clone(), |depth| format!("{}, depth {depth}", row.kernel))
}

/// Kernels in the order of the rows.
fn names(rows: &[&KernelRow]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        let name = name(row);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn error_table(manifest: &KernelManifest, rows: &[&KernelRow]) -> String {
    let is_classification = rows.iter().any(|row| row.accuracy.is_some());
    let is_predicted = rows.iter().any(|row| row.mse_predicted.is_some());
    let mut text = format!(
        "## Errors and calibration\n\nMean squared errors in units of the training targets' variance, means over all settings and splits{}. \
         The Gaussian process has the amplitude that makes the training targets most likely.{}\n\n| kernel | n | test error | {}{}training \
         error | ridge / mean diagonal | -log density | CRPS | within 95 % |\n|---|---|---|{}{}---|---|---|---|---|\n",
        if rows.len() > names(rows).len() {
            format!(" with {} intervals", percent(manifest.confidence))
        } else {
            String::new()
        },
        if is_predicted {
            " Predicted: by the kernel's spectrum and the targets' components in it, on average over training sets."
        } else {
            ""
        },
        if is_predicted { "predicted | " } else { "" },
        if is_classification { "accuracy | " } else { "" },
        if is_predicted { "---|" } else { "" },
        if is_classification { "---|" } else { "" },
    );
    for kernel in names(rows) {
        let of_kernel: Vec<&&KernelRow> = rows.iter().filter(|row| name(row) == kernel).collect();
        let mean = |value: fn(&KernelRow) -> Option<f64>| -> Option<Interval> {
            mean_interval(&of_kernel.iter().filter_map(|row| value(row)).collect::<Vec<_>>(), manifest.confidence)
        };
        let ridges = of_kernel.iter().map(|row| row.relative_ridge);
        let (least, most) = ridges.fold((f64::INFINITY, 0.0_f64), |(least, most), r| (least.min(r), most.max(r)));
        let edge = if of_kernel.iter().any(|row| row.edge.is_some()) { " \u{2021}" } else { "" };
        let ridges = if least == most { short(least) } else { format!("{} to {}", short(least), short(most)) };
        let predicted =
            if is_predicted { format!("{} | ", with_interval(mean(|row| row.mse_predicted))) } else { String::new() };
        let accuracy =
            if is_classification { format!("{} | ", with_interval(mean(|row| row.accuracy))) } else { String::new() };
        let _ = writeln!(
            text,
            "| {kernel} | {} | {} | {predicted}{accuracy}{} | {ridges}{edge} | {} | {} | {} |",
            of_kernel.len(),
            with_interval(mean(|row| Some(row.mse_test))),
            with_interval(mean(|row| Some(row.mse_train))),
            with_interval(mean(|row| row.negative_log_density)),
            with_interval(mean(|row| row.crps)),
            with_interval(mean(|row| row.coverage_95)),
        );
    }
    text
}

fn comparison_table(manifest: &KernelManifest, comparisons: &[KernelComparison]) -> String {
    if comparisons.iter().all(|comparison| comparison.equivalence.is_none()) {
        return String::new();
    }
    let mut text = format!(
        "## The NTK beside each kernel\n\nGeometric means of MSE(NTK) / MSE(other) over splits, with {} intervals (BCa bootstrap). Alike: both \
         one-sided tests reject a ratio beyond {} or its inverse, at level {}. p: the sign-flip test of no difference, corrected by Holm \
         for all lines.\n\n| setting | depth | other | splits | ratio | decision | p |\n|---|---|---|---|---|---|---|\n",
        percent(manifest.confidence),
        short(1.0 + manifest.margin),
        short(1.0 - manifest.confidence),
    );
    for comparison in comparisons {
        let interval = comparison.interval.map_or(String::new(), |i| format!(" [{}, {}]", short(i.low), short(i.high)));
        let decision = match comparison.equivalence.map(|equivalence| equivalence.decision) {
            None => "too few splits".to_owned(),
            Some(Decision::Equivalent) => "alike".to_owned(),
            Some(Decision::Different) if comparison.ratio > 1.0 => "NTK worse".to_owned(),
            Some(Decision::Different) => "NTK better".to_owned(),
            Some(Decision::Undecided { n_more_pairs: Some(n) }) => format!("undecided, {n} more splits"),
            Some(Decision::Undecided { n_more_pairs: None }) => "undecided".to_owned(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {}{interval} | {decision} | {} |",
            plain(&comparison.setting),
            comparison.depth,
            comparison.other,
            comparison.n_pairs,
            short(comparison.ratio),
            comparison.p_value.map_or("-".to_owned(), short),
        );
    }
    text
}

/// Of several data sets: the mean rank of each kernel.
fn rank_table(rows: &[&KernelRow]) -> String {
    let mut sets: Vec<&str> = rows.iter().map(|row| row.dataset.as_str()).collect();
    sets.sort_unstable();
    sets.dedup();
    let kernels = names(rows);
    if sets.len() < 3 || kernels.len() < 2 {
        return String::new();
    }
    let of = |set: &str, kernel: &str| {
        rows.iter().filter(move |row| row.dataset == set && name(row) == kernel).collect::<Vec<_>>()
    };
    let mean_log = |set: &str, kernel: &str| mean(of(set, kernel).iter().map(|row| row.mse_test.ln()));
    let table: Vec<Vec<f64>> =
        sets.iter().filter_map(|set| kernels.iter().map(|kernel| mean_log(set, kernel)).collect()).collect();
    let Ok(matrix) = Matrix::from_vec(table.len(), kernels.len(), table.concat()) else { return String::new() };
    let Some(friedman) = friedman_test(&matrix) else { return String::new() };
    let mut order: Vec<usize> = (0..kernels.len()).collect();
    order.sort_by(|&a, &b| friedman.mean_ranks[a].total_cmp(&friedman.mean_ranks[b]));
    let beside_first = beside(&table, &order);
    let accuracy = |set: &str, kernel: &str| mean(of(set, kernel).iter().filter_map(|row| row.accuracy));
    // Of every set of classes, each kernel's accuracy over the best one's.
    let shares: Vec<Vec<f64>> = sets
        .iter()
        .filter_map(|set| kernels.iter().map(|kernel| accuracy(set, kernel)).collect::<Option<Vec<f64>>>())
        .map(|of_set| {
            let best = of_set.iter().copied().fold(0.0, f64::max);
            of_set.iter().map(|accuracy| accuracy / best).collect()
        })
        .collect();
    let (accuracy_head, accuracy_line) =
        if shares.is_empty() { ("", "") } else { (" share of the best accuracy |", "---|") };
    let mut text = format!(
        "## Ranks over data sets\n\nMean rank of the test error over {} data sets, 1 for the least. Friedman's test that all are alike (Iman and \
         Davenport's F): p = {}. Beside the first: the signed-rank test of the logarithms of the mean errors over data sets, corrected by Holm.{}\n\n\
         | predictor | mean rank | least error on | p beside the first | error over the least, median |{accuracy_head}\n|---|---|---|---|---|{accuracy_line}\n",
        table.len(),
        short(friedman.p_f),
        if shares.is_empty() {
            String::new()
        } else {
            format!(
                " The share of the best accuracy is a mean over {} sets of classes (Arora et al. 2020).",
                shares.len()
            )
        },
    );
    for (position, &k) in order.iter().enumerate() {
        let least = |row: &[f64]| row.iter().copied().fold(f64::INFINITY, f64::min);
        let wins = table.iter().filter(|row| row[k] <= least(row)).count();
        let mut ratios: Vec<f64> = table.iter().map(|row| (row[k] - least(row)).exp()).collect();
        ratios.sort_by(f64::total_cmp);
        let p = beside_first.get(position).copied().flatten().map_or("-".to_owned(), short);
        let share =
            mean(shares.iter().map(|of_set| of_set[k])).map_or(String::new(), |share| format!(" {} |", short(share)));
        let _ = writeln!(
            text,
            "| {} | {} | {wins} | {p} | {} |{share}",
            kernels[k],
            short(friedman.mean_ranks[k]),
            short(ratios[ratios.len() / 2])
        );
    }
    text
}

/// The p-values, in this order, of each column beside the first of the order.
fn beside(table: &[Vec<f64>], order: &[usize]) -> Vec<Option<f64>> {
    let p = |&k: &usize| {
        let differences: Vec<f64> = table.iter().map(|row| row[k] - row[order[0]]).collect();
        (k != order[0]).then(|| signed_rank_test(&differences)).flatten().map(|test| test.p)
    };
    let p_values: Vec<Option<f64>> = order.iter().map(p).collect();
    let mut corrected = holm(&p_values.iter().copied().flatten().collect::<Vec<_>>()).into_iter();
    p_values.iter().map(|p| p.and_then(|_| corrected.next())).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Of regressions with an approximate kernel.
fn approximation_table(rows: &[&KernelRow]) -> String {
    let mut text = "## Approximations\n\nWhat the features leave out: of Nystrom's columns the share of the kernel's trace, of random features the \
                    relative Frobenius distance on some of the training inputs.\n\n| data | kernel | training rows | method | features | left \
                    out |\n|---|---|---|---|---|---|\n"
        .to_owned();
    let mut is_any = false;
    for row in rows {
        let Some(error) = row.kernel_error else { continue };
        is_any = true;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            plain(&row.dataset),
            name(row),
            row.n_train,
            row.solver,
            row.rank.unwrap_or(0),
            short(error)
        );
    }
    if is_any { text } else { String::new() }
}

/// Of regressions that were solved by iteration.
fn iteration_table(rows: &[&KernelRow]) -> String {
    let mut text = "## Iterations\n\nThe relative residual is that of the exact kernel in f64, computed anew at the end.\n\n| data | kernel | \
                    training rows | chosen by | products | preconditioner | residual | ended |\n|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let mut is_any = false;
    for row in rows {
        let (Some(residual), Some(ending)) = (row.residual, &row.ending) else { continue };
        is_any = true;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} rows | {} | {} columns | {} | {ending} |",
            plain(&row.dataset),
            name(row),
            row.n_train,
            row.n_selection,
            row.n_iterations.unwrap_or(0),
            row.rank.unwrap_or(0),
            short(residual)
        );
    }
    if is_any { text } else { String::new() }
}

fn protocol(manifest: &KernelManifest, rows: &[&KernelRow]) -> String {
    let mut text = "## Protocol\n\n".to_owned();
    for facts in &manifest.data {
        let _ = writeln!(
            text,
            "- **{}.** {} rows, {} inputs, {} output(s). {}",
            plain(&facts.name),
            facts.n_rows,
            facts.d_in,
            facts.d_out,
            plain(&facts.notes.join(" "))
        );
    }
    if !rows.is_empty() {
        let mut criteria: Vec<&str> = rows.iter().map(|row| row.criterion.as_str()).collect();
        criteria.sort_unstable();
        criteria.dedup();
        let _ = writeln!(
            text,
            "- **Selection.** Ridges, each over the mean diagonal of the kernel matrix, and the length scales of stationary kernels, by {} on \
             the training rows alone; the same grid and criterion for every kernel. Test rows take no part in it.",
            criteria.join(" or ")
        );
        text.push_str(
            "- **Splits.** Random splits of one data set share rows, so that their differences are not quite independent, and intervals and \
             p-values over them are somewhat too sure (Nadeau and Bengio 2003). They cover the choice of rows, not that of data sets.\n",
        );
    }
    let digits = rows.iter().filter_map(|row| row.digits).fold(f64::INFINITY, f64::min);
    if digits.is_finite() {
        let dropped = rows.iter().filter_map(|row| row.n_dropped).max().unwrap_or(0);
        let _ = writeln!(
            text,
            "- **Precision.** f64. The worst condition number leaves {} trusted digits; at most {dropped} directions were dropped as \
             rounding. Nothing was added to any diagonal but the ridge.",
            short((10.0 * digits).round() / 10.0)
        );
    }
    text
}

fn references(manifest: &KernelManifest, rows: &[&KernelRow]) -> String {
    let mut list = vec![
        "Rasmussen, Williams 2006. Gaussian processes for machine learning. MIT Press.",
        "Gneiting, Raftery 2007. Strictly proper scoring rules, prediction, and estimation. JASA 102:359-378. (CRPS.)",
    ];
    if rows.iter().any(|row| row.kernel == "ntk") {
        list.push("Jacot, Gabriel, Hongler 2018. Neural tangent kernel: convergence and generalization in neural networks. arXiv:1806.07572.");
        list.push(
            "Liu, Tai, Crandall, Huang 2025. Issues with neural tangent kernel approach to neural networks. arXiv:2501.10929. (The question; its \
             settings and numbers are not reproduced here.)",
        );
        list.push("Schuirmann 1987. A comparison of the two one-sided tests procedure and the power approach. J. Pharmacokinet. Biopharm. 15:657-680.");
        list.push("Efron 1987. Better bootstrap confidence intervals. JASA 82:171-185. Holm 1979. A simple sequentially rejective multiple test procedure. Scand. J. Stat. 6:65-70.");
    }
    if rows.iter().any(|row| row.kernel == "nngp") {
        list.push("Lee, Bahri, Novak, Schoenholz, Pennington, Sohl-Dickstein 2018. Deep neural networks as Gaussian processes. arXiv:1711.00165.");
    }
    if rows.iter().any(|row| matches!(row.solver.as_str(), "conjugate-gradients" | "nystrom")) {
        list.push("Chen, Epperly, Tropp, Webber 2022. Randomly pivoted Cholesky: practical approximation of a kernel matrix with few entry evaluations. arXiv:2207.06503.");
    }
    if rows.iter().any(|row| row.solver == "conjugate-gradients") {
        list.push("Hestenes, Stiefel 1952. Methods of conjugate gradients for solving linear systems. J. Res. NBS 49:409-436.");
    }
    if rows.iter().any(|row| row.solver == "nystrom") {
        list.push("Williams, Seeger 2001. Using the Nystrom method to speed up kernel machines. NIPS 13.");
    }
    if rows.iter().any(|row| row.solver == "random-features") {
        list.push("Rahimi, Recht 2007. Random features for large-scale kernel machines. NIPS 20.");
    }
    if rows.iter().any(|row| row.mse_predicted.is_some()) {
        list.push(
            "Canatar, Bordelon, Pehlevan 2021. Spectral bias and task-model alignment explain generalization in kernel regression and infinitely \
             wide neural networks. Nature Communications 12:2914.",
        );
    }
    list.sort_unstable();
    let mut text = "## References of the methods used\n\n".to_owned();
    for reference in list {
        let _ = writeln!(text, "- {reference}");
    }
    for facts in &manifest.data {
        let _ = writeln!(text, "- Data: {}", plain(&facts.citation));
    }
    text
}
