//! The data sets that come with the program, embedded in the binary so that it works from any folder.
//!
//! `data/MANIFEST.md` tells where each came from; this list holds what a user needs to choose one.

mod catalogue;

use super::columns::Choice;
use super::csv::read_dataset;
use super::dataset::{Dataset, Task};
use super::missing::Missing;
use super::nearest::did_you_mean;
use super::table::{Reading, Table};
use super::text::gunzip;
use crate::error::{Error, Result};

/// One data set of the list.
#[derive(Clone, Copy)]
pub struct VendoredSet {
    /// The name to write in a config.
    pub name: &'static str,
    /// What is predicted, with its unit where it has one.
    pub target: &'static str,
    /// Number of rows.
    pub n_rows: usize,
    /// Number of input columns.
    pub d_in: usize,
    /// Whether the target is a number or a class.
    pub task: Task,
    /// The licence of the data.
    pub licence: &'static str,
    /// The authors' publication.
    pub citation: &'static str,
    /// The data set's DOI, where it has one.
    pub doi: Option<&'static str>,
    csv_gz: &'static [u8],
}

/// All vendored data sets: regression first, then classification.
#[must_use]
pub fn list() -> &'static [VendoredSet] {
    catalogue::SETS
}

/// The data set called `name`.
///
/// # Errors
/// When no set has that name; the error suggests the nearest.
pub fn load(name: &str) -> Result<Dataset> {
    let set = list().iter().find(|set| set.name == name).ok_or_else(|| {
        Error::config(
            "data.source.vendored",
            format!("no data set is named `{name}`{}", did_you_mean(name, list().iter().map(|set| set.name))),
            "choose a name from the list that `ntk data list` prints",
        )
    })?;
    set.load()
}

impl VendoredSet {
    fn load(&self) -> Result<Dataset> {
        let table = Table::parse(self.name, &self.csv()?, &Reading::plain())?;
        let citation = self.doi.map_or_else(|| self.citation.into(), |doi| format!("{}, doi:{doi}", self.citation));
        let mut dataset = read_dataset(&table, &Choice::default(), Missing::Refuse, self.task, self.name, &citation)?;
        if self.task == Task::Regression {
            dataset.target_names = vec![self.target.into()];
        }
        Ok(dataset)
    }

    fn csv(&self) -> Result<String> {
        let damaged = |problem: String| Error::Check(format!("the embedded data set `{}`: {problem}", self.name));
        let bytes = gunzip(self.csv_gz, u64::MAX).map_err(|error| damaged(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_the_rows_and_columns_of_its_entry() {
        for set in list() {
            let dataset = load(set.name).unwrap();
            assert_eq!(dataset.inputs.shape(), (set.n_rows, set.d_in), "{}", set.name);
            assert_eq!(dataset.targets.n_rows(), set.n_rows, "{}", set.name);
            assert_eq!(dataset.targets.n_cols() == 1, set.task == Task::Regression, "{}", set.name);
            let n_ones: f64 = dataset.targets.values().iter().sum();
            assert!(set.task == Task::Regression || n_ones == set.n_rows as f64, "{}", set.name);
        }
    }

    #[test]
    fn every_set_is_the_one_that_the_manifest_describes() {
        let manifest = include_str!("../../data/MANIFEST.md");
        for set in list() {
            let section = manifest.split("\n### ").find(|section| section.starts_with(&format!("{}\n", set.name)));
            let section = section.unwrap_or_else(|| panic!("{} is not in the manifest", set.name));
            let blake3 = blake3::hash(set.csv().unwrap().as_bytes()).to_hex();
            for line in [
                format!("- Licence: {}\n", set.licence),
                format!("- Citation: {}", set.citation),
                set.doi.map_or(String::new(), |doi| format!(", doi {doi}\n")),
                format!("- Target: {}\n", set.target),
                format!("- Rows x columns: {} x {}\n", set.n_rows, set.d_in + 1),
                format!("- blake3: {blake3}\n"),
            ] {
                assert!(section.contains(&line), "`{line}` is not in the manifest of {}", set.name);
            }
        }
        assert_eq!(manifest.matches("\n### ").count(), list().len());
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_the_list() {
        let message = load("concrte").unwrap_err().to_string();
        assert!(message.contains("`concrte`; did you mean `concrete`?"), "{message}");
        assert!(message.contains("ntk data list"), "{message}");
    }
}
