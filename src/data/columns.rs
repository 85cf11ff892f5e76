//! Which columns of a table are inputs and which are targets, by their names.

use serde::{Deserialize, Serialize};

use super::nearest::did_you_mean;
use crate::error::{Error, Result};

/// One name, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ColumnNames {
    /// `"y"`
    One(String),
    /// `["y1", "y2"]`
    Several(Vec<String>),
}

impl ColumnNames {
    /// The names as a list.
    #[must_use]
    pub fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Several(names) => names.clone(),
        }
    }
}

/// What was asked for; what is absent follows from the rest.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    pub(super) targets: Option<Vec<String>>,
    pub(super) inputs: Option<Vec<String>>,
    pub(super) ignored: Option<Vec<String>>,
}

/// Columns counted from 0, and a sentence on those that are not used.
pub(super) struct Chosen {
    pub(super) inputs: Vec<usize>,
    pub(super) targets: Vec<usize>,
    pub(super) note: Option<String>,
}

impl Choice {
    /// The columns among `names`, of the table that errors call `place`.
    pub(super) fn find(&self, place: &str, names: &[String]) -> Result<Chosen> {
        let ignored = find_all(place, names, "ignore", self.ignored.as_deref().unwrap_or_default())?;
        let targets = match &self.targets {
            Some(targets) => find_all(place, names, "target", targets)?,
            None => (0..names.len()).rev().find(|column| !ignored.contains(column)).into_iter().collect(),
        };
        let inputs = match &self.inputs {
            Some(_) => self.find_inputs(place, names)?,
            None => (0..names.len()).filter(|column| !targets.contains(column) && !ignored.contains(column)).collect(),
        };
        let clash = |what: &str, column: &usize| {
            Error::input(
                place,
                format!("`{}` is both {what}", names[*column]),
                "name each column in one of `inputs`, `target` and `ignore` only",
            )
        };
        if let Some(column) = inputs.iter().find(|column| targets.contains(column)) {
            return Err(clash("an input and a target", column));
        }
        if let Some(column) = inputs.iter().find(|column| ignored.contains(column)) {
            return Err(clash("an input and ignored", column));
        }
        if let Some(column) = targets.iter().find(|column| ignored.contains(column)) {
            return Err(clash("a target and ignored", column));
        }
        if inputs.is_empty() || targets.is_empty() {
            return Err(Error::input(
                place,
                format!("{} input and {} target columns are left", inputs.len(), targets.len()),
                "name at least one of each",
            ));
        }
        let unused: Vec<&str> = (0..names.len())
            .filter(|column| !inputs.contains(column) && !targets.contains(column))
            .map(|column| names[column].as_str())
            .collect();
        let note = (!unused.is_empty()).then(|| format!("These columns are not used: {}.", unused.join(", ")));
        Ok(Chosen { inputs, targets, note })
    }

    /// The columns of `inputs`, in its order.
    pub(super) fn find_inputs(&self, place: &str, names: &[String]) -> Result<Vec<usize>> {
        find_all(place, names, "inputs", self.inputs.as_deref().unwrap_or_default())
    }
}

fn find_all(place: &str, names: &[String], key: &str, wanted: &[String]) -> Result<Vec<usize>> {
    let mut columns = Vec::with_capacity(wanted.len());
    for name in wanted {
        let Some(column) = names.iter().position(|other| other == name) else {
            let suggestion = did_you_mean(name, names.iter().map(String::as_str));
            return Err(Error::input(
                place,
                format!("no column is named `{name}`{suggestion}"),
                format!("set `{key}` to one of: {}", names.join(", ")),
            ));
        };
        if columns.contains(&column) {
            return Err(Error::input(place, format!("`{key}` names `{name}` twice"), "name it once"));
        }
        columns.push(column);
    }
    Ok(columns)
}
