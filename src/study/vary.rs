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
    let mut settings: Vec<Vec<(&str, &toml::Value)>> = vec![Vec::new()];
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
        let with = |setting: &[_], value| [setting, &[(key.as_str(), value)]].concat();
        settings = settings.iter().flat_map(|setting| values.iter().map(move |value| with(setting, value))).collect();
    }
    settings.iter().map(|setting| combination(&base, setting)).collect()
}

fn combination<T: DeserializeOwned>(base: &toml::Table, setting: &[(&str, &toml::Value)]) -> Result<Varied<T>> {
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
    let label = setting.iter().map(|(key, value)| format!("{key}={}", short(value))).collect::<Vec<_>>().join(" ");
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
