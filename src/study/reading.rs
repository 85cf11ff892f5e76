//! From the text of a config file and `key=value` overrides to typed settings, with errors that name the line or the key.

use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

pub(super) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|reason| match reason.kind() {
        ErrorKind::NotFound => {
            let remedy = "check the path; `ntk config init` prints a config to begin from";
            Error::input(path.display().to_string(), "no such file", remedy)
        }
        ErrorKind::InvalidData => {
            Error::input(path.display().to_string(), "the text is not UTF-8", "give a config in TOML")
        }
        _ => Error::io("read", path)(reason),
    })
}

pub(super) fn parse<T: DeserializeOwned>(text: &str, path: &Path, overrides: &[String]) -> Result<T> {
    let syntax = |reason: toml::de::Error| {
        let problem = reason.to_string().trim_end().to_owned();
        Error::Syntax { path: path.to_path_buf(), problem }
    };
    // The file by itself first: its errors then name the line the user wrote.
    let config: T = toml::from_str(text).map_err(syntax)?;
    if overrides.is_empty() {
        return Ok(config);
    }
    let mut table: toml::Table = toml::from_str(text).map_err(syntax)?;
    for assignment in overrides {
        set(&mut table, assignment)?;
    }
    table.try_into().map_err(|reason: toml::de::Error| {
        Error::config(
            overrides.join(" "),
            reason.to_string().trim().replace('\n', " "),
            "`ntk config show CONFIG` prints the keys and their values",
        )
    })
}

/// Puts `key.path=value` into the table; the value is read as TOML, and as a plain string if it is none.
fn set(table: &mut toml::Table, assignment: &str) -> Result<()> {
    let malformed = || {
        Error::config(assignment, "this is not an assignment", "write `--set key=value`, as in `--set arch.width=256`")
    };
    let (path, text) = assignment.split_once('=').ok_or_else(malformed)?;
    let value = toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()));
    put(table, path.trim(), value).ok_or_else(malformed)
}

/// Puts a value at a dotted path, over whatever is there; keys with dots of their own stand in quotes. `None` when the path is none.
pub(super) fn put(table: &mut toml::Table, path: &str, value: toml::Value) -> Option<()> {
    let mut keys = keys(path)?;
    let last = keys.pop()?;
    let mut place = table;
    for key in keys {
        let next = place.entry(key).or_insert_with(|| toml::Table::new().into());
        if !next.is_table() {
            *next = toml::Table::new().into();
        }
        place = next.as_table_mut()?;
    }
    place.insert(last, value);
    Some(())
}

/// The keys of a dotted path, as TOML reads it.
fn keys(path: &str) -> Option<Vec<String>> {
    let mut rest: toml::Table = toml::from_str(&format!("{path} = 0")).ok()?;
    let mut keys = Vec::new();
    loop {
        let (key, value) = std::mem::take(&mut rest).into_iter().next()?;
        keys.push(key);
        match value {
            toml::Value::Table(inner) => rest = inner,
            _ => return Some(keys),
        }
    }
}
