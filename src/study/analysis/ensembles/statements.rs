//! What is decided of the widest networks of each depth.

use super::super::replicates::words;
use super::ensemble::{
    Ensemble, correlation, leading_variance, log_spread, rejected, rejected_together, squared_covariance_distance,
    squared_distance,
};
use super::reading::Reading;
use super::{LEVEL, LEVELS, MOST_REJECTED};
use crate::study::findings::Statement;

impl Reading<'_> {
    pub(super) fn statements(&self, widest: &Ensemble<'_>) -> Vec<Statement> {
        let place = format!("At {} and width {}", widest.title(), widest.width);
        let mut all = vec![self.mean_statement(widest, &place)];
        if widest.groups.iter().any(|group| group.variance_predicted.is_some()) {
            all.extend([self.spread_statement(widest, &place), self.coverage_statement(widest, &place)]);
            if self.has_covariance {
                all.extend([self.covariance_statement(widest, &place), self.directions_statement(widest, &place)]);
            }
        }
        all.push(self.shape_statement(widest, &place));
        all
    }

    fn mean_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        Statement::below(
            format!("{place} the mean over networks is that of theory"),
            self.interval(widest, squared_distance),
            self.margin * self.margin,
            format!(
                "RMS distance {} of the mean of infinitely many networks, less than {} being alike; a mean of so many networks comes as near: {}",
                words(self.distance(widest)),
                self.margin,
                self.needed(widest).unwrap_or_else(|| "unknown".to_owned()),
            ),
            "replicates",
        )
    }

    fn spread_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        Statement::alike(
            format!("{place} the standard deviation over networks is that of theory"),
            &widest.values(log_spread),
            self.margin.ln_1p(),
            self.evidence.manifest.confidence,
            format!(
                "Their ratio is {}, from {:.3} to {:.3} being alike",
                words(self.spread_ratio(widest)),
                1.0 / (1.0 + self.margin),
                1.0 + self.margin,
            ),
            "replicates",
        )
    }

    fn coverage_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        let nominal = LEVELS[2];
        let (low, high) = self.covered(nominal);
        let seen: Vec<String> = (0..LEVELS.len())
            .map(|i| {
                let covered = self.interval(widest, |group| Some(group.coverage?[i]));
                format!("{} in its {} % interval", words(covered), 100.0 * LEVELS[i])
            })
            .collect();
        self.between(
            format!("{place} the 95 % interval of theory holds 95 % of the networks"),
            &widest.values(|group| Some(group.coverage?[2])),
            (low, high),
            format!("A share of {}; from {low:.3} to {high:.3} of the last being alike", seen.join(", ")),
        )
    }

    fn covariance_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        let most = self.most_covariance_distance();
        Statement::below(
            format!("{place} the covariance of the networks between test inputs is that of theory"),
            self.interval(widest, squared_covariance_distance),
            most * most,
            format!(
                "Its distance ||C - S|| / ||S|| is {}, less than {most:.2} being alike; the correlation between inputs is {} of theory's",
                words(self.covariance_distance(widest)),
                words(self.interval(widest, correlation)),
            ),
            "replicates",
        )
    }

    fn directions_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        let (low, high) = self.variances();
        self.between(
            format!("{place} the variance of the networks along theory's leading directions is that of theory"),
            &widest.values(leading_variance),
            (low, high),
            format!(
                "Their ratio, in the mean over the {} directions that hold 90 % of theory's variance, is {}, from {low:.3} to {high:.3} being \
                 alike",
                widest.n_leading(),
                words(self.interval(widest, leading_variance)),
            ),
        )
    }

    fn shape_statement(&self, widest: &Ensemble<'_>, place: &str) -> Statement {
        let rejected = self.interval(widest, rejected);
        Statement::below(
            format!("{place} the networks are normally distributed at a test input"),
            rejected,
            MOST_REJECTED,
            format!(
                "D'Agostino's test has p < {LEVEL} at a share {} of the test inputs, {LEVEL} of them being what normal networks give and less \
                 than {MOST_REJECTED} being alike; after Holm's correction {}",
                words(rejected),
                words(self.interval(widest, rejected_together)),
            ),
            "replicates",
        )
    }

    /// That the mean of `values` lies from one end to the other, by two one-sided tests.
    fn between(&self, claim: String, values: &[f64], (low, high): (f64, f64), evidence: String) -> Statement {
        let differences: Vec<f64> = values.iter().map(|value| value - 0.5 * (low + high)).collect();
        let confidence = self.evidence.manifest.confidence;
        Statement::alike(claim, &differences, 0.5 * (high - low), confidence, evidence, "replicates")
    }
}
