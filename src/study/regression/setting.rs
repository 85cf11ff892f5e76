//! The settings of a comparison of kernels, told apart by what differs between them and by nothing else.
//!
//! A setting is one data set, one number of training rows and one value of everything else that varies, over all splits. Its [`Factor`]s are
//! what a title or a column has to say: what all settings share is none, and neither is what follows from factors before it, such as the
//! training rows where each data set has its own.

use std::collections::HashMap;

use crate::record::KernelRow;

/// The name of the factor that the data sets are.
const DATA_SET: &str = "data set";

/// The name of the factor that the numbers of training rows are.
const TRAINING_ROWS: &str = "training rows";

/// Something that differs between settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// In words.
    pub name: String,
    /// Its values, in the order of the rows.
    pub values: Vec<String>,
}

/// The rows of one setting, of all splits and kernels.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting<'a> {
    /// Which value of each factor it has.
    pub levels: Vec<usize>,
    /// In the order in which they were given; never empty.
    pub rows: Vec<&'a KernelRow>,
}

/// All settings of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings<'a> {
    /// What tells them apart: the data set first, the training rows last.
    pub factors: Vec<Factor>,
    /// What differs too, at every setting, and follows from the factors: each has a value for every value of those.
    pub bound: Vec<Factor>,
    /// What is varied or named with the data and has one value alone, at every setting.
    pub shared: Vec<Factor>,
    /// Ordered by their levels.
    pub all: Vec<Setting<'a>>,
}

impl Factor {
    /// The value at `level` in words that need no heading: "concrete", "4 inputs", "label noise 0.3".
    #[must_use]
    pub fn say(&self, level: usize) -> String {
        let value = &self.values[level];
        match self.name.as_str() {
            DATA_SET => value.clone(),
            "inputs" if value == "1" => "1 input".to_owned(),
            "inputs" | TRAINING_ROWS => format!("{value} {}", self.name),
            name => format!("{name} {value}"),
        }
    }

    /// Whether it is the number of training rows.
    #[must_use]
    pub fn is_training_rows(&self) -> bool {
        self.name == TRAINING_ROWS
    }
}

impl<'a> Settings<'a> {
    /// The settings of these rows.
    #[must_use]
    pub fn of(rows: &[&'a KernelRow]) -> Self {
        let mut settings: Vec<(Vec<(String, String)>, Setting<'a>)> = Vec::new();
        let mut places: HashMap<Vec<&str>, usize> = HashMap::new();
        for &row in rows {
            let place = *places.entry(identity(row)).or_insert_with(|| {
                settings.push((said(row), Setting { levels: Vec::new(), rows: Vec::new() }));
                settings.len() - 1
            });
            settings[place].1.rows.push(row);
        }
        let (said, mut all): (Vec<_>, Vec<_>) = settings.into_iter().unzip();
        let (mut factors, mut bound, mut shared) = (Vec::new(), Vec::new(), Vec::new());
        for name in names(&said) {
            let values: Vec<&str> = said.iter().map(|one| value(one, &name)).collect();
            let mut distinct: Vec<String> = Vec::new();
            for value in &values {
                if !distinct.iter().any(|seen| seen == value) {
                    distinct.push((*value).to_owned());
                }
            }
            if distinct.len() < 2 {
                if name != DATA_SET && name != TRAINING_ROWS {
                    shared.push(Factor { name, values: distinct });
                }
                continue;
            }
            let levels = values.iter().map(|value| distinct.iter().position(|seen| seen == value).unwrap_or(0));
            let levels: Vec<usize> = levels.collect();
            let factor = Factor { name, values: distinct };
            if follows(&levels, &all) {
                if values.iter().all(|value| *value != ABSENT) {
                    bound.push(factor);
                }
                continue;
            }
            all.iter_mut().zip(levels).for_each(|(setting, level)| setting.levels.push(level));
            factors.push(factor);
        }
        all.sort_by(|a, b| a.levels.cmp(&b.levels));
        Self { factors, bound, shared, all }
    }

    /// What a setting has of the factors, in words, but of the one at `without`; empty where nothing differs.
    #[must_use]
    pub fn label(&self, setting: &Setting<'_>, without: Option<usize>) -> String {
        let others = (0..self.factors.len()).filter(|factor| Some(*factor) != without);
        others.map(|factor| self.factors[factor].say(setting.levels[factor])).collect::<Vec<_>>().join(", ")
    }

    /// The settings that differ in the factor at `along` alone, together, by their places in `all`; each alone without one.
    #[must_use]
    pub fn families(&self, along: Option<usize>) -> Vec<Vec<usize>> {
        let rest = |setting: &Setting<'_>| -> Vec<usize> {
            (0..self.factors.len()).filter(|factor| Some(*factor) != along).map(|f| setting.levels[f]).collect()
        };
        let mut families: Vec<Vec<usize>> = Vec::new();
        for (i, setting) in self.all.iter().enumerate() {
            match families.iter_mut().find(|family| rest(&self.all[family[0]]) == rest(setting)) {
                Some(family) => family.push(i),
                None => families.push(vec![i]),
            }
        }
        families
    }

    /// What follows from the factors and what all settings share, in sentences; the training rows are told with the data.
    #[must_use]
    pub fn beside(&self) -> Vec<String> {
        let others = self.bound.iter().filter(|factor| !factor.is_training_rows());
        let words = |Factor { name, values }: &Factor| {
            format!("The {name} changes along with these settings: {}.", values.join(", "))
        };
        let shared: Vec<String> = self.shared.iter().map(|factor| factor.say(0)).collect();
        let all = (!shared.is_empty()).then(|| format!("All have {}.", shared.join(", ")));
        others.map(words).chain(all).collect()
    }

    /// The place of the training rows among the factors, where their number differs within a data set.
    #[must_use]
    pub fn training_rows(&self) -> Option<usize> {
        self.factors.iter().position(Factor::is_training_rows)
    }

    /// The factor of the most values beside the data set, the last of those with as many: what a map has its columns for.
    #[must_use]
    pub fn widest(&self) -> Option<usize> {
        let others = (0..self.factors.len()).filter(|factor| self.factors[*factor].name != DATA_SET);
        others.max_by_key(|factor| self.factors[*factor].values.len())
    }
}

impl Setting<'_> {
    /// Its training rows.
    #[must_use]
    pub fn n_train(&self) -> usize {
        self.rows[0].n_train
    }

    /// Everything that makes a setting this one, whatever the other settings of the run are.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{} {}", identity(self.rows[0]).join(" "), self.n_train())
    }
}

/// What stands for a value that a row has none of.
const ABSENT: &str = "-";

/// Data set and varied values, without the split.
fn identity(row: &KernelRow) -> Vec<&str> {
    let varied = row.varied.split(' ').filter(|part| !part.is_empty() && !part.starts_with("data.split_seed="));
    std::iter::once(row.dataset.as_str()).chain(varied).collect()
}

/// Whether every setting's level follows from the levels that it has already.
fn follows(levels: &[usize], all: &[Setting<'_>]) -> bool {
    let mut seen: HashMap<&[usize], usize> = HashMap::new();
    all.iter().zip(levels).all(|(setting, level)| seen.entry(&setting.levels).or_insert(*level) == level)
}

/// The names of everything that is said of any setting, in order; the training rows last.
fn names(said: &[Vec<(String, String)>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in said.iter().flatten() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names.sort_by_key(|name| name == TRAINING_ROWS);
    names
}

fn value<'b>(said: &'b [(String, String)], name: &str) -> &'b str {
    said.iter().find(|(other, _)| other == name).map_or(ABSENT, |(_, value)| value)
}

/// Everything that can be said of a row's setting: names and values, the data set and what is said of its source first.
fn said(row: &KernelRow) -> Vec<(String, String)> {
    /// Of a source or a table of data: the name says it, or another factor, or it is the split.
    const SAID: [&str; 4] = ["kind", "n_train", "n_test", "split_seed"];
    // What stands behind the name only tells sources of one name apart, which their own settings do better.
    let name = row.dataset.split_once(" (").map_or(row.dataset.as_str(), |(name, _)| name);
    let (mut of_data, mut others) = (vec![(DATA_SET.to_owned(), name.to_owned())], Vec::new());
    for part in row.varied.split(' ').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ABSENT));
        match key {
            "data.split_seed" | "data.n_train" => {}
            "data" | "data.source" => {
                let entries = value.split(',').map(|entry| entry.strip_prefix("source:").unwrap_or(entry));
                let named = entries.filter_map(|entry| entry.split_once(':')).filter(|(key, _)| !SAID.contains(key));
                of_data.extend(named.map(|(key, value)| in_words(key, value)));
            }
            _ => others.push(in_words(key, value)),
        }
    }
    others.push((TRAINING_ROWS.to_owned(), row.n_train.to_string()));
    of_data.into_iter().chain(others).collect()
}

/// `data.label_noise` and `0.0` as "label noise" and "0"; a list of one, `regress.ridges` and `[0.01]`, as that one, "ridge" and "0.01".
fn in_words(key: &str, value: &str) -> (String, String) {
    let name = match key.rsplit('.').next().unwrap_or(key) {
        "d_in" => "inputs".to_owned(),
        last => last.replace('_', " "),
    };
    let only = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|only| !only.contains(','));
    match only {
        Some(only) => (name.strip_suffix('s').unwrap_or(&name).to_owned(), number(only)),
        None => (name, number(value)),
    }
}

/// A number without digits that it does not need; what is none as words.
fn number(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(number) if number == 0.0 || (1e-4..1e6).contains(&number.abs()) => number.to_string(),
        Ok(number) => format!("{number:e}"),
        Err(_) => value.replace(':', " ").replace(',', ", "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::row;
    use super::*;

    /// A row of a data set, of these varied values and so many training rows.
    fn one(dataset: &str, varied: &str, n_train: usize) -> KernelRow {
        KernelRow { dataset: dataset.into(), varied: varied.into(), n_train, ..row("ntk", Some(2), 0, 0.1) }
    }

    fn labels(rows: &[KernelRow]) -> Vec<String> {
        let rows: Vec<&KernelRow> = rows.iter().collect();
        let settings = Settings::of(&rows);
        settings.all.iter().map(|setting| settings.label(setting, None)).collect()
    }

    #[test]
    fn a_label_has_what_differs_and_a_split_is_no_setting() {
        let of = |noise: &str, ridge: &str, split: usize| {
            one("concrete", &format!("data.label_noise={noise} data.split_seed={split} regress.ridges=[{ridge}]"), 32)
        };
        let rows = [of("0.3", "0.0000000001", 0), of("0.0", "0.0000000001", 0), of("0.0", "0.0000000001", 1)];
        assert_eq!(labels(&rows), ["label noise 0.3", "label noise 0"]);
        let rows = [of("0.0", "0.01", 0), of("0.0", "1.0", 0), of("0.0", "1e-10", 0)];
        assert_eq!(labels(&rows), ["ridge 0.01", "ridge 1", "ridge 1e-10"]);
        assert_eq!(labels(&rows[..1]), [""]);
    }

    #[test]
    fn sources_of_one_name_differ_by_their_own_settings_of_which_the_first_that_tells_them_apart_is_said() {
        let of = |d_in: usize, length: f64, n: usize| {
            let source = format!("d_in:{d_in},kind:gaussian-process,length_scale:{length:.1},n_rows:600");
            one(&format!("gaussian-process ({source})"), &format!("data.n_train={n} data.source={source}"), n)
        };
        let rows = [of(1, 1.0, 128), of(1, 1.0, 32), of(4, 2.0, 128), of(4, 2.0, 32)];
        let expected = [
            "1 input, 128 training rows",
            "1 input, 32 training rows",
            "4 inputs, 128 training rows",
            "4 inputs, 32 training rows",
        ];
        assert_eq!(labels(&rows), expected);
        let rows: Vec<&KernelRow> = rows.iter().collect();
        let settings = Settings::of(&rows);
        let bound = Factor { name: "length scale".into(), values: vec!["1".into(), "2".into()] };
        assert_eq!(settings.bound, [bound]);
        assert_eq!(
            settings.beside(),
            ["The length scale changes along with these settings: 1, 2.", "All have n rows 600."]
        );
        assert_eq!(settings.families(settings.training_rows()), [[0, 1], [2, 3]]);
        assert_eq!(settings.label(&settings.all[3], settings.training_rows()), "4 inputs");
    }

    #[test]
    fn rows_that_each_data_set_has_its_own_number_of_are_no_factor() {
        let of = |name: &str, n: usize| one(name, &format!("data=n_test:9,n_train:{n},source:{name}"), n);
        let rows = [of("yacht", 184), of("iris", 90), of("wine", 90)];
        assert_eq!(labels(&rows), ["yacht", "iris", "wine"]);
        let rows: Vec<&KernelRow> = rows.iter().collect();
        assert_eq!(Settings::of(&rows).widest(), None);
    }

    #[test]
    fn a_value_that_only_some_settings_have_tells_them_apart() {
        let rows = [one("a", "arch=narrow", 9), one("a", "arch=depth:6,width:64", 9), one("a", "", 9)];
        assert_eq!(labels(&rows), ["arch narrow", "arch depth 6, width 64", "arch -"]);
    }
}
