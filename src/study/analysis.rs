//! What is asked of a study's rows. Each analysis is a file of this module: from the rows, and the networks of all seeds together, to
//! [`Findings`], by the criterion that the config states before the run. It reads records and nothing else, so that it can be repeated from
//! the rows that were kept.

mod architectures;
mod depth_matching;
mod ensembles;
mod equivalence_map;
mod evidence;
mod feature_learning;
mod label;
#[cfg(test)]
mod made_up;
mod mismatch;
mod replicates;
mod setting;
mod stability;
mod theorem_steps;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::evidence::Evidence;
use super::findings::Findings;
use super::settings::Study;
use crate::error::{Error, Result};

/// What reads the answer from the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Analysis {
    /// At each depth: does the network predict like its kernel, and which part of the gap is largest?
    Equivalence,
    /// Does adding a layer change the errors of network and kernel alike (claim C1)?
    DepthMatching,
    /// Each step of the theorem by itself, with its rate.
    TheoremSteps,
    /// Where among the settings does the kernel predict the network, and which part of the gap is largest where?
    EquivalenceMap,
    /// Are trained networks distributed over seeds as theory says?
    Ensembles,
    /// How network and kernel respond to noise and to what is left out.
    Stability,
    /// Does adding a layer match in residual, normalized and convolutional networks?
    Architectures,
    /// What the kernel at initialization misses where networks learn features.
    FeatureLearning,
}

impl Analysis {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Equivalence,
        Self::DepthMatching,
        Self::TheoremSteps,
        Self::EquivalenceMap,
        Self::Ensembles,
        Self::Stability,
        Self::Architectures,
        Self::FeatureLearning,
    ];

    /// Whether it reads the covariance of networks between test inputs, which is computed for no other.
    pub(super) fn reads_covariance(self) -> bool {
        self == Self::Ensembles
    }

    /// Refuses a study whose rows could not answer.
    ///
    /// # Errors
    /// With the key that is missing.
    pub(super) fn ensure_possible(self, study: &Study) -> Result<()> {
        match self {
            Self::Equivalence if !study.config.vary.is_empty() => Err(Error::config(
                "study.analysis",
                "the equivalence at each depth is read at one setting, and this config varies some",
                "use `analysis = \"equivalence-map\"`, or take `[vary]` out",
            )),
            Self::Equivalence => Ok(()),
            Self::DepthMatching => depth_matching::ensure_possible(study),
            Self::TheoremSteps => theorem_steps::ensure_possible(study),
            Self::EquivalenceMap => equivalence_map::ensure_possible(study),
            Self::Ensembles => ensembles::ensure_possible(study),
            Self::Stability => stability::ensure_possible(study),
            Self::Architectures => architectures::ensure_possible(study),
            Self::FeatureLearning => feature_learning::ensure_possible(study),
        }
    }
}

impl fmt::Display for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equivalence => "equivalence",
            Self::DepthMatching => "depth-matching",
            Self::TheoremSteps => "theorem-steps",
            Self::EquivalenceMap => "equivalence-map",
            Self::Ensembles => "ensembles",
            Self::Stability => "stability",
            Self::Architectures => "architectures",
            Self::FeatureLearning => "feature-learning",
        })
    }
}

/// What the analysis that the manifest names finds; none of the equivalence at each depth, which is a [`Verdict`](super::Verdict).
#[must_use]
pub fn analyse(evidence: &Evidence<'_>) -> Option<Findings> {
    let analysis = Analysis::ALL.into_iter().find(|analysis| analysis.to_string() == evidence.manifest.analysis)?;
    let mut findings = match analysis {
        Analysis::Equivalence => return None,
        Analysis::DepthMatching => depth_matching::findings(evidence),
        Analysis::TheoremSteps => theorem_steps::findings(evidence),
        Analysis::EquivalenceMap => equivalence_map::findings(evidence),
        Analysis::Ensembles => ensembles::findings(evidence),
        Analysis::Stability => stability::findings(evidence),
        Analysis::Architectures => architectures::findings(evidence),
        Analysis::FeatureLearning => feature_learning::findings(evidence),
    };
    let n_missed = evidence.rows.iter().filter(|row| row.misses_target()).count();
    if n_missed > 0 {
        for table in &mut findings.tables {
            table.note.push_str(&format!(
                " \u{2020} {n_missed} of {} networks took all their steps without meeting the rule to stop, and enter as they are.",
                evidence.rows.len()
            ));
        }
    }
    Some(findings)
}
