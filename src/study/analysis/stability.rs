//! How network and kernel respond to noise and to what is left out, how they learn from more data, and whether stopping early does for one
//! what a ridge does for the other.
//!
//! Three questions with an answer each ([`response`], [`learning_curve`], [`regularization`]); a config asks those for which it varies
//! something.

mod learning_curve;
mod regularization;
mod response;

use super::Evidence;
use super::label::without;
use crate::error::{Error, Result};
use crate::study::findings::Findings;
use crate::study::plan::Plan;
use crate::study::settings::Study;

/// What perturbs the training data.
const PERTURBATIONS: [&str; 3] = ["data.input_noise", "data.label_noise", "data.n_train"];

/// Panels of a chart.
const MOST_PANELS: usize = 6;

pub(super) fn ensure_possible(study: &Study) -> Result<()> {
    let unperturbed = |plan: &Plan| without(&plan.varied, &PERTURBATIONS);
    let mut pairs = study.plans.iter().enumerate().flat_map(|(i, plan)| {
        study.plans[..i].iter().filter(|other| unperturbed(other) == unperturbed(plan)).map(move |other| (plan, other))
    });
    let Some((plan, other)) = pairs.next() else {
        return Err(Error::config(
            "vary",
            "no two settings differ in the noise or the number of their training rows alone",
            "vary `data.label_noise`, `data.input_noise` or `data.n_train`, or use another `study.analysis`",
        ));
    };
    let n_test = |plan: &Plan| plan.split.x_test.n_rows();
    let unlike = std::iter::once((plan, other)).chain(pairs).find(|(plan, other)| n_test(plan) != n_test(other));
    match unlike {
        None => Ok(()),
        Some((plan, other)) => Err(Error::config(
            "data.n_test",
            format!(
                "with other numbers of training rows there are {} and {} test rows, and only predictions of the same rows can be compared",
                n_test(other),
                n_test(plan)
            ),
            "set it, so that the test part stays when `data.n_train` changes",
        )),
    }
}

pub(super) fn findings(evidence: &Evidence<'_>) -> Findings {
    let parts = [response::findings(evidence), learning_curve::findings(evidence), regularization::findings(evidence)];
    parts.into_iter().fold(Findings::default(), |mut all, part| {
        all.statements.extend(part.statements);
        all.tables.extend(part.tables);
        all.charts.extend(part.charts);
        all
    })
}
