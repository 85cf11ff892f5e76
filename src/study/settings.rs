//! The study as meant: one plan for every combination of the settings that vary.

use std::collections::HashSet;
use std::path::Path;

use super::analysis::Analysis;
use super::config::Config;
use super::plan::{Plan, computed_here, data_facts, distinct_notes, ensure_folder_name};
use super::vary::combinations;
use crate::data::Loader;
use crate::error::{Error, Result};
use crate::net::Backend;
use crate::record::{Manifest, SCHEMA_VERSION};

/// A checked study.
#[derive(Debug, Clone)]
pub struct Study {
    /// As written, with overrides applied.
    pub config: Config,
    /// What reads the answer from its rows.
    pub analysis: Analysis,
    /// The settings, in the order in which they are computed; at least one.
    pub plans: Vec<Plan>,
}

impl Study {
    /// Checks `config`, loads the data of every setting and lays out its points. Relative paths start at `base`, the config file's folder.
    ///
    /// # Errors
    /// As [`Plan::new`]; points that are there twice; what the analysis cannot do without.
    pub fn new(config: Config, base: &Path) -> Result<Self> {
        ensure_folder_name(&config.study.name)?;
        let analysis = config.study.analysis.unwrap_or(match config.vary.is_empty() {
            true => Analysis::Equivalence,
            false => Analysis::EquivalenceMap,
        });
        let mut loader = Loader::new(base);
        let plans = combinations(&config, &config.vary)?
            .into_iter()
            .map(|varied| Plan::labelled(varied.label, varied.config, &mut loader))
            .collect::<Result<Vec<_>>>()?;
        let study = Self { config, analysis, plans };
        study.ensure_distinct()?;
        analysis.ensure_possible(&study)?;
        Ok(study)
    }

    /// How many networks there are.
    #[must_use]
    pub fn n_points(&self) -> usize {
        self.plans.iter().map(|plan| plan.points.len()).sum()
    }

    /// What was found in the data and done about it, each once.
    #[must_use]
    pub fn notes(&self) -> Vec<&str> {
        distinct_notes(self.plans.iter().map(|plan| &*plan.split))
    }

    /// What is written before the first point.
    ///
    /// # Errors
    /// When the config cannot be encoded.
    pub fn manifest(&self) -> Result<Manifest> {
        let config = &self.config;
        let backend = self.plans.first().map(|plan| plan.backend);
        let lacks_f64 = backend.is_some_and(Backend::lacks_f64);
        Ok(Manifest {
            schema: SCHEMA_VERSION,
            study: config.study.name.clone(),
            question: config.study.question.clone(),
            config: config.to_toml()?,
            backend: backend.map_or_else(String::new, |backend| backend.to_string()),
            dtype: config.compute.dtype.to_string(),
            kernel_sums: lacks_f64.then(|| "in f64, on the host".to_owned()),
            root_seed: config.seeds.root,
            n_seeds: config.seeds.n_seeds,
            analysis: self.analysis.to_string(),
            data: data_facts(self.plans.iter().map(|plan| (&*plan.dataset, &*plan.split))),
            margin: config.verdict.margin,
            confidence: config.verdict.confidence,
            earlier_criteria: Vec::new(),
            points: self.plans.iter().flat_map(|plan| &plan.points).map(|point| point.id.clone()).collect(),
            computed_by: vec![computed_here(self.plans.first().map_or(1, |plan| plan.n_threads))],
        })
    }

    /// A point that is there twice would count as two.
    fn ensure_distinct(&self) -> Result<()> {
        let mut seen = HashSet::new();
        for plan in &self.plans {
            if let Some(point) = plan.points.iter().find(|point| !seen.insert(&point.id)) {
                return Err(Error::config(
                    format!("vary: {}", plan.varied),
                    format!(
                        "the network `{}`, seed {}, is there twice with the same settings",
                        point.architecture.describe(),
                        point.seed
                    ),
                    "vary settings that change the network, its data or its training, and name every value once",
                ));
            }
        }
        Ok(())
    }
}
