//! From the text of a config file and what the command line changes in it to typed settings, with errors that name the line or the key.

use std::collections::BTreeMap;
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

/// What the command line changes in a config.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes<'a> {
    /// The `[scale.NAME]` table whose settings replace those of the file.
    pub scale: Option<&'a str>,
    /// Settings of one's own after that, as `key=value`.
    pub settings: &'a [String],
}

/// `[scale.NAME]` tables: dotted keys and their values in a smaller or a larger version of the study.
///
/// ```toml
/// [scale.smoke]
/// "arch.width" = [16, 32]
/// ```
pub(super) type Scales = BTreeMap<String, toml::Table>;

pub(super) fn parse<T: DeserializeOwned>(text: &str, path: &Path, changes: &Changes<'_>) -> Result<T> {
    let syntax = |reason: toml::de::Error| {
        let problem = reason.to_string().trim_end().to_owned();
        Error::Syntax { path: path.to_path_buf(), problem }
    };
    // The file by itself first: its errors then name the line the user wrote.
    let config: T = toml::from_str(text).map_err(syntax)?;
    if changes.scale.is_none() && changes.settings.is_empty() {
        return Ok(config);
    }
    let mut table: toml::Table = toml::from_str(text).map_err(syntax)?;
    if let Some(scale) = changes.scale {
        rescale(&mut table, scale)?;
    }
    for assignment in changes.settings {
        set(&mut table, assignment)?;
    }
    table.try_into().map_err(|reason: toml::de::Error| {
        let scale = changes.scale.map(|scale| format!("--scale {scale}"));
        Error::config(
            scale.into_iter().chain(changes.settings.iter().cloned()).collect::<Vec<_>>().join(" "),
            reason.to_string().trim().replace('\n', " "),
            "`ntk config show CONFIG` prints the keys and their values",
        )
    })
}

/// The scale at which a file is written.
const AS_WRITTEN: &str = "laptop";

/// Puts the settings of a scale over those of the file, and the scale into the study's name, so that its results get a folder of their own.
fn rescale(table: &mut toml::Table, scale: &str) -> Result<()> {
    let scales = table.get("scale").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let Some(settings) = scales.get(scale).and_then(toml::Value::as_table) else {
        if scale == AS_WRITTEN {
            return Ok(());
        }
        let names: Vec<&str> = std::iter::once(AS_WRITTEN).chain(scales.keys().map(String::as_str)).collect();
        return Err(Error::config(
            "--scale",
            format!("this config has no scale `{scale}`"),
            format!(
                "it has {}; a table `[scale.{scale}]` with lines like `\"arch.width\" = [16, 32]` adds it",
                names.join(", ")
            ),
        ));
    };
    for (key, value) in settings {
        put(table, key, value.clone()).ok_or_else(|| {
            Error::config(
                format!("scale.{scale}.\"{key}\""),
                "this is no key",
                "write it as after `--set`, in quotes, as in `\"arch.width\" = [16, 32]`",
            )
        })?;
    }
    let name = table.get("study").and_then(|study| study.get("name")).and_then(toml::Value::as_str).unwrap_or("study");
    put(table, "study.name", format!("{name}-{scale}").into());
    Ok(())
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
