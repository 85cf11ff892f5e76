//! Ranks over data sets.

use super::predictor;
use crate::number::{percent, short};
use crate::record::KernelManifest;
use crate::study::findings::{Cell, Table};
use crate::study::regression::{Ranked, Ranking};

pub(super) fn table(manifest: &KernelManifest, ranking: &Ranking) -> Table {
    let with_accuracy = ranking.n_class_sets > 0;
    let mut header: Vec<String> =
        ["predictor", "mean rank", "least error on", "share of the sets", "error over the least", "p beside the first"]
            .map(str::to_owned)
            .to_vec();
    if with_accuracy {
        header.push("share of the best accuracy".to_owned());
    }
    let row = |one: &Ranked| {
        let p = match one.p {
            Some(p) => Cell::from(p),
            None => Cell::from("-"),
        };
        let name = predictor::name(&one.kernel, one.depth);
        let mut row: Vec<Cell> =
            vec![name.into(), one.rank.into(), one.n_least.into(), one.least.into(), one.over_least.into(), p];
        if with_accuracy {
            row.push(one.accuracy_share.into());
        }
        row
    };
    Table {
        title: "Ranks over data sets".to_owned(),
        note: format!(
            "Of {} data sets, by the geometric mean of the test error over all settings and splits of each; rank 1 has the least. Friedman's test that all \
             are alike (Iman and Davenport's F): p = {}. Intervals are {} intervals over data sets: by the BCa bootstrap of the mean rank, of the \
             geometric mean of the error over the least one of the set{}; Wilson's of the share of the sets on which an error is the least. p \
             beside the first: the signed-rank test of the logarithms of the errors over data sets, corrected by Holm.",
            ranking.n_sets,
            short(ranking.p),
            percent(manifest.confidence),
            if with_accuracy {
                format!(
                    ", and of the mean of the accuracy over the best one, over {} sets of classes (Arora et al. 2020)",
                    ranking.n_class_sets
                )
            } else {
                String::new()
            }
        ),
        header,
        rows: ranking.predictors.iter().map(row).collect(),
    }
}
