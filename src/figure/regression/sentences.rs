//! What the points of a panel share, and the sentences on data that every caption needs.

use super::super::caption::{list, percent};
use super::MOST_PANELS;
use crate::record::{KernelManifest, KernelRow};

/// That kernels do not stand exactly at their training rows.
pub(super) const SET_APART: &str = "Kernels are set a little apart along the axis, so that none hides another.";

/// The rows of one data set and one choice of what is varied, of all splits and sizes.
#[derive(Debug, Clone)]
pub(super) struct Setting<'a> {
    /// Data set, where there are several, and the varied settings, in words.
    pub(super) label: String,
    pub(super) rows: Vec<&'a KernelRow>,
}

impl<'a> Setting<'a> {
    /// Every one, data set by data set, in the order of the rows.
    pub(super) fn all(rows: &[&'a KernelRow]) -> Vec<Self> {
        let with_dataset = rows.iter().any(|row| row.dataset != rows[0].dataset);
        let mut settings: Vec<Self> = Vec::new();
        let mut keys: Vec<(&str, Vec<&str>)> = Vec::new();
        for &row in rows {
            let key = (row.dataset.as_str(), varied(row));
            let position = keys.iter().position(|other| *other == key).unwrap_or_else(|| {
                let dataset = with_dataset.then(|| row.dataset.clone());
                let label: Vec<String> = dataset.into_iter().chain(key.1.iter().map(|part| in_words(part))).collect();
                settings.push(Self { label: label.join(", "), rows: Vec::new() });
                keys.push(key);
                keys.len() - 1
            });
            settings[position].rows.push(row);
        }
        let first = |setting: &Self| rows.iter().position(|row| row.dataset == setting.rows[0].dataset);
        settings.sort_by_key(first);
        settings
    }

    /// Training rows, smallest first.
    pub(super) fn sizes(&self) -> Vec<usize> {
        distinct(self.rows.iter().map(|row| row.n_train))
    }
}

/// The varied settings but the split, the size, and the source of data, which has a name.
fn varied(row: &KernelRow) -> Vec<&str> {
    const SAID: [&str; 4] = ["data.split_seed=", "data.source=", "data.n_train=", "data="];
    let parts = row.varied.split(' ').filter(|part| !part.is_empty());
    parts.filter(|part| !SAID.iter().any(|key| part.starts_with(key))).collect()
}

/// `data.label_noise=0.5` as "label noise 0.5".
fn in_words(part: &str) -> String {
    let (key, value) = part.split_once('=').unwrap_or((part, ""));
    format!("{} {value}", key.rsplit('.').next().unwrap_or(key).replace('_', " ")).trim_end().to_owned()
}

/// Different values, smallest first.
pub(super) fn distinct(values: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut values: Vec<usize> = values.into_iter().collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Data and sizes of these rows, and what of the run is not finished.
pub(super) fn data(manifest: &KernelManifest, rows: &[&KernelRow], n_finished: usize) -> String {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.dataset.as_str()) {
            names.push(&row.dataset);
        }
    }
    let sets = match names[..] {
        [one] => format!("Data set {one}"),
        _ if names.len() > 6 => format!("{} data sets", names.len()),
        _ => format!("Data sets {}", names.join(", ")),
    };
    let unfinished = match manifest.points.len().saturating_sub(n_finished) {
        0 => String::new(),
        n => format!(" {n} of {} points are not finished and are missing here.", manifest.points.len()),
    };
    format!(
        "{sets} ({} training and {} test inputs).{unfinished}",
        list(&distinct(rows.iter().map(|row| row.n_train))),
        list(&distinct(rows.iter().map(|row| row.n_test)))
    )
}

/// What the bars around means over splits are; `counts` are the splits of each mean.
pub(super) fn interval(manifest: &KernelManifest, counts: impl IntoIterator<Item = usize>) -> String {
    let counts = distinct(counts);
    let n = match counts[..] {
        [] => return String::new(),
        [1] => return "There is one split, so each value stands alone and has no bar.".to_owned(),
        [n] => n.to_string(),
        [least, .., most] => format!("{least} to {most}"),
    };
    format!(
        "Markers are means over {n} splits; bars are Student's {} confidence intervals of the mean.",
        percent(manifest.confidence)
    )
}

/// That `n` panels are more than there is room for.
pub(super) fn left_out(n: usize, what: &str) -> String {
    if n > MOST_PANELS {
        format!("Of {n} {what} the first {MOST_PANELS} are drawn; the table of numbers has all.")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_reads_as_words() {
        assert_eq!(in_words("data.label_noise=0.5"), "label noise 0.5");
        assert_eq!(in_words("alone"), "alone");
    }
}
