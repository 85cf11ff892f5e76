//! The answer in words: the NTK beside each other kernel.

use std::fmt::Write;

use super::super::number::with_interval;
use super::super::plain::plain;
use super::super::words;
use super::predictor;
use crate::number::{percent, short};
use crate::record::{KernelManifest, KernelRow};
use crate::stats::Decision;
use crate::study::findings::interval_of;
use crate::study::regression::{KernelComparison, Ranked, Ranking, Settings, compare_kernels, rank_kernels};

/// A sentence for each comparison, one for all where none can be tested, or where they are so many that a table says it better; and one on
/// which predictor is best over data sets.
#[must_use]
pub fn sentences(manifest: &KernelManifest, rows: &[&KernelRow]) -> Vec<String> {
    let settings = Settings::of(rows);
    let mut sentences = of_comparisons(manifest, &settings, &compare_kernels(manifest, &settings));
    sentences.extend(rank_kernels(manifest, rows).and_then(|ranking| of_ranking(manifest, &ranking)));
    sentences
}

/// Which predictor is best over data sets, and which others are not told apart from it.
fn of_ranking(manifest: &KernelManifest, ranking: &Ranking) -> Option<String> {
    const FEW: usize = 3;
    let (first, others) = ranking.predictors.split_first()?;
    let name = |one: &Ranked| predictor::name(&one.kernel, one.depth);
    let level = 1.0 - manifest.confidence;
    let alike: Vec<String> = others.iter().filter(|one| one.p.is_none_or(|p| p >= level)).map(name).collect();
    let alike = match alike.len() {
        0 => "every other is told apart from it".to_owned(),
        n if n == others.len() => "no other is told apart from it".to_owned(),
        n if n > FEW => format!("{n} of the {} others are not told apart from it", others.len()),
        _ => format!("of the others only {} cannot be told apart from it", alike.join(" and ")),
    };
    Some(format!(
        "Over {} data sets **{}** has the least mean rank of {} predictors, {} ({} interval over data sets); {alike} (signed-rank tests at level {}, \
         corrected by Holm).",
        ranking.n_sets,
        name(first),
        ranking.predictors.len(),
        with_interval(first.rank),
        percent(manifest.confidence),
        percent(level)
    ))
}

fn of_comparisons(manifest: &KernelManifest, settings: &Settings<'_>, comparisons: &[KernelComparison]) -> Vec<String> {
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
    comparisons.iter().map(|comparison| sentence(manifest, settings, comparison)).collect()
}

fn sentence(manifest: &KernelManifest, settings: &Settings<'_>, comparison: &KernelComparison) -> String {
    let KernelComparison { setting, depth, other, n_pairs, ratio, interval, equivalence, .. } = comparison;
    let ratio_in_words = interval.map_or_else(|| short(*ratio), |interval| interval_of(interval, *n_pairs).to_string());
    let label = settings.label(&settings.all[*setting], None);
    let label = if label.is_empty() { settings.all[*setting].rows[0].dataset.clone() } else { label };
    let place = format!("{}, NTK of depth {depth} and {other}", plain(&label));
    let margin = short(100.0 * manifest.margin);
    let splits = if *n_pairs == 1 { "one split".to_owned() } else { format!("{n_pairs} splits") };
    let measured = format!("the ratio of their test errors is {ratio_in_words} over {splits}");
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

/// The head of the report: question, answer, and what stands in its way.
pub(super) fn section(
    manifest: &KernelManifest,
    rows: &[&KernelRow],
    settings: &Settings<'_>,
    comparisons: &[KernelComparison],
    ranking: Option<&Ranking>,
) -> String {
    let mut text = format!("# {}\n\n> {}\n\n## Answer\n\n", plain(&manifest.study), plain(&manifest.question));
    if comparisons.is_empty() {
        let best = rows.iter().min_by(|a, b| a.mse_test.total_cmp(&b.mse_test));
        let _ = match best {
            Some(row) => {
                writeln!(text, "The least test error is {} ({}).", short(row.mse_test), predictor::of_row(row))
            }
            None => writeln!(text, "No point is finished yet, so there is no answer."),
        };
    } else {
        let sentences = of_comparisons(manifest, settings, comparisons);
        for sentence in &sentences {
            let _ = writeln!(text, "- {sentence}");
        }
        if let Some(sentence) = ranking.and_then(|ranking| of_ranking(manifest, ranking)) {
            let _ = writeln!(text, "- {sentence}");
        }
        if sentences.len() < comparisons.len() && comparisons.iter().any(|comparison| comparison.n_pairs > 1) {
            let _ = write!(text, "\n{}", counted(manifest, comparisons));
        }
    }
    text.push_str(&words::unfinished(&manifest.points, rows.len()));
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
    let mut others: Vec<&str> = Vec::new();
    for comparison in comparisons {
        if !others.contains(&comparison.other.as_str()) {
            others.push(&comparison.other);
        }
    }
    let is_of_depths = comparisons.iter().any(|comparison| comparison.depth != comparisons[0].depth);
    let mut text = format!(
        "At how many {} the NTK's test error is that of another kernel within {} %, and the least, the median and the greatest ratio of the \
         two:\n\n| NTK and | compared | alike | NTK worse | NTK better | undecided | least | median | greatest \
         |\n|---|---|---|---|---|---|---|---|---|\n",
        if is_of_depths { "settings and depths" } else { "settings" },
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
            "| {other} | {n} | {} | {} | {} | {} | {} | {} | {} |",
            count(&|c| decision(c) == Some(Decision::Equivalent)),
            count(&|c| decision(c) == Some(Decision::Different) && c.ratio > 1.0),
            count(&|c| decision(c) == Some(Decision::Different) && c.ratio < 1.0),
            count(&|c| !matches!(decision(c), Some(Decision::Equivalent | Decision::Different))),
            short(ratios[0]),
            short(median),
            short(ratios[last]),
        );
    }
    text
}
