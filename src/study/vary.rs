//! The `[vary]` table: settings that run through lists, every combination of them a config of its own.
//!
//! ```toml
//! [vary]
//! "data.n_train" = [64, 128, 256]
//! "data.split_seed" = [0, 1, 2]
//! arch = [{ name = "narrow", width = 64 }, { name = "deep", depth = 6 }]
//! ```
//!
//! The last is a section of the config: its tables change the keys that they hold. The value of any other key takes the place of the one
//! that was there.
//! A name of one's own, which is no table of the config, holds tables of settings that go together, so that one list takes one step in several
//! directions:
//!
//! ```toml
//! [vary]
//! "data.split_seed" = [0, 1, 2]
//! perturbation = [{}, { "data.label_noise" = 0.1 }, { "data.n_train" = 32 }]
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reading::put;
use crate::error::{Error, Result};

/// The values each dotted key runs through, in the order in which they are written.
pub(crate) type Vary = toml::Table;

/// Combinations beyond this are a slip of the keyboard.
const MAX_COMBINATIONS: usize = 100_000;

/// One combination.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Varied<T> {
    /// `key=value` with spaces between.
    pub(super) label: String,
    /// The config with these values.
    pub(super) config: T,
}

/// Every combination of the values of `vary`, the last key fastest; one without a label where nothing varies. `config` is the config as it
/// is written, `vary` the table in it.
///
/// # Errors
/// A key without a list, an empty list, a key or a value that the config does not take.
pub(super) fn combinations<T: Serialize + DeserializeOwned>(config: &T, vary: &Vary) -> Result<Vec<Varied<T>>> {
    let base = toml::Table::try_from(config)
        .map_err(|reason| Error::Check(format!("the config cannot be written as TOML: {reason}")))?;
    let mut settings: Vec<Vec<Setting<'_>>> = vec![Vec::new()];
    for (key, values) in vary {
        let Some(values) = values.as_array().filter(|values| !values.is_empty()) else {
            return Err(Error::config(
                format!("vary.\"{key}\""),
                format!("{values} is no list of values"),
                "give a list, as in `\"data.split_seed\" = [0, 1, 2]`",
            ));
        };
        if settings.len().saturating_mul(values.len()) > MAX_COMBINATIONS {
            return Err(Error::config(
                format!("vary.\"{key}\""),
                format!("the lists have more than {MAX_COMBINATIONS} combinations"),
                "shorten one",
            ));
        }
        let steps: Vec<Vec<Setting<'_>>> = values.iter().map(|value| together(&base, key, value)).collect();
        let with = |setting: &[_], step: &[_]| [setting, step].concat();
        settings = settings.iter().flat_map(|setting| steps.iter().map(move |step| with(setting, step))).collect();
    }
    settings.iter().map(|setting| combination(&base, setting)).collect()
}

/// A dotted key and its value.
type Setting<'a> = (&'a str, &'a toml::Value);

/// What one value of a list sets: its key, or, under a name that is neither dotted nor a table of the config, all keys of the table it is.
fn together<'a>(base: &toml::Table, key: &'a str, value: &'a toml::Value) -> Vec<Setting<'a>> {
    match value.as_table() {
        Some(settings) if !key.contains('.') && !base.contains_key(key) => {
            settings.iter().map(|(key, value)| (key.as_str(), value)).collect()
        }
        _ => vec![(key, value)],
    }
}

fn combination<T: DeserializeOwned>(base: &toml::Table, setting: &[Setting<'_>]) -> Result<Varied<T>> {
    let mut table = base.clone();
    table.remove("vary");
    for (key, value) in setting {
        if let (Some(toml::Value::Table(section)), toml::Value::Table(changes)) = (table.get_mut(*key), value) {
            section.extend(changes.clone());
            continue;
        }
        put(&mut table, key, (*value).clone()).ok_or_else(|| {
            Error::config(
                format!("vary.\"{key}\""),
                "this is no key",
                "write it as after `--set`, in quotes, as in `\"data.n_train\" = [64, 256]`",
            )
        })?;
    }
    // What is set twice is what it was set to last.
    let is_last = |i: usize, key: &str| setting[i + 1..].iter().all(|(other, _)| *other != key);
    let parts = setting.iter().enumerate().filter(|(i, (key, _))| is_last(*i, key));
    let label = parts.map(|(_, (key, value))| format!("{key}={}", short(value))).collect::<Vec<_>>().join(" ");
    let config = table.try_into().map_err(|reason: toml::de::Error| {
        Error::config(
            format!("vary: {label}"),
            reason.to_string().trim().replace('\n', " "),
            "`ntk config init` lists the keys",
        )
    })?;
    Ok(Varied { label, config })
}

/// A value on a line, without spaces: of a table its name, if it has one; of a table with one entry, such as a data source, what it holds.
fn short(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(table) if table.get("name").is_some_and(toml::Value::is_str) => short(&table["name"]),
        toml::Value::Table(table) if table.len() == 1 => table.values().map(short).collect(),
        toml::Value::Table(table) => {
            table.iter().map(|(key, value)| format!("{key}:{}", short(value))).collect::<Vec<_>>().join(",")
        }
        toml::Value::String(text) => text.replace(' ', "_"),
        other => other.to_string().replace(' ', ""),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        n: usize,
        name: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        inner: Inner,
        #[serde(default)]
        vary: Vary,
    }

    fn outer(vary: &str) -> Outer {
        toml::from_str(&format!("[inner]\nn = 1\nname = 'a'\n[vary]\n{vary}")).unwrap()
    }

    #[test]
    fn every_combination_is_a_config_with_the_last_key_fastest() {
        let config = outer("\"inner.name\" = ['a', 'b']\n\"inner.n\" = [3, 4]");
        let all = combinations(&config, &config.vary).unwrap();
        let seen: Vec<_> = all.iter().map(|one| (one.label.as_str(), one.config.inner.n)).collect();
        let labels =
            ["inner.n=3 inner.name=a", "inner.n=3 inner.name=b", "inner.n=4 inner.name=a", "inner.n=4 inner.name=b"];
        // TOML tables come sorted by key.
        assert_eq!(seen, labels.iter().zip([3, 3, 4, 4]).map(|(label, n)| (*label, n)).collect::<Vec<_>>());
        let config = outer("");
        assert_eq!(combinations(&config, &config.vary).unwrap().len(), 1);
    }

    #[test]
    fn the_tables_of_a_section_change_the_keys_they_hold_and_are_called_by_their_name() {
        let config = outer("inner = [{ name = 'a b' }, { name = 'c', n = 5 }]");
        let all = combinations(&config, &config.vary).unwrap();
        let seen: Vec<_> = all.iter().map(|one| (one.label.as_str(), one.config.inner.n)).collect();
        assert_eq!(seen, [("inner=a_b", 1), ("inner=c", 5)]);
    }

    #[test]
    fn settings_that_go_together_take_one_step_in_each_direction() {
        let config =
            outer("steps = [{}, { 'inner.n' = 7 }, { 'inner.n' = 8, 'inner.name' = 'b' }]\n\"inner.name\" = ['a']");
        let all = combinations(&config, &config.vary).unwrap();
        let seen: Vec<_> = all.iter().map(|one| (one.label.as_str(), one.config.inner.n)).collect();
        // What is set last stands, and is what the label says.
        assert_eq!(
            seen,
            [("inner.name=a", 1), ("inner.name=a inner.n=7", 7), ("inner.n=8 inner.name=b", 8)],
            "{seen:?}"
        );
        // A table of the config is a value, as it was.
        let config = outer("inner = [{ n = 5, name = 'c' }]");
        assert_eq!(combinations(&config, &config.vary).unwrap()[0].config.inner, Inner { n: 5, name: "c".into() });
    }

    #[test]
    fn what_is_no_list_or_no_key_is_refused_with_the_key() {
        for (vary, word) in
            [("\"inner.n\" = 3", "no list"), ("\"inner.m\" = [3]", "inner.m=3"), ("\"inner.n\" = ['x']", "n=x")]
        {
            let config = outer(vary);
            let error = combinations(&config, &config.vary).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
