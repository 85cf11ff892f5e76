//! The rows that share what is varied, apart from what an analysis has an axis of its own for.

use super::label::without;
use crate::record::Row;

/// The rows of one setting, of all depths, widths and seeds.
#[derive(Debug, Clone)]
pub(super) struct Setting<'a> {
    /// As in [`Row::varied`], without the keys that were set aside; empty where nothing else varies.
    pub(super) label: String,
    pub(super) rows: Vec<&'a Row>,
}

impl<'a> Setting<'a> {
    /// Every one, in the order of the rows; `aside` are the keys that tell no settings apart.
    pub(super) fn all(rows: impl IntoIterator<Item = &'a Row>, aside: &[&str]) -> Vec<Self> {
        let mut settings: Vec<Self> = Vec::new();
        for row in rows {
            let label = without(&row.varied, aside);
            match settings.iter_mut().find(|setting| setting.label == label) {
                Some(setting) => setting.rows.push(row),
                None => settings.push(Self { label, rows: vec![row] }),
            }
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up;
    use super::*;

    #[test]
    fn what_is_set_aside_tells_no_settings_apart() {
        let varied =
            ["data.n_train=8 train.step=0.1", "data.n_train=8 train.step=0.2", "data.n_train=16 train.step=0.1"];
        let rows: Vec<Row> = varied.map(|varied| Row { varied: varied.into(), ..made_up::row(1, 32, 0) }).to_vec();
        let settings = Setting::all(&rows, &["train.step"]);
        assert_eq!(
            settings.iter().map(|s| (s.label.as_str(), s.rows.len())).collect::<Vec<_>>(),
            [("data.n_train=8", 2), ("data.n_train=16", 1)]
        );
    }
}
