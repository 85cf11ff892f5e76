//! The records of a run without its points: the manifest, the rows, the groups, as they are kept beside a report.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;

use super::group::Group;
use super::store::{Recorded, read_manifest};
use crate::error::{Error, Result};

/// What is kept of a run.
#[derive(Debug, Clone)]
pub struct Kept<P: Recorded> {
    /// What was run.
    pub manifest: P::Manifest,
    /// The flat lines, in the order in which they are kept.
    pub rows: Vec<P::Row>,
    /// The networks of all seeds together; of a run of networks.
    pub groups: Vec<Group>,
}

impl<P: Recorded> Kept<P>
where
    P::Row: DeserializeOwned,
{
    /// Reads `manifest.json`, `rows.csv` and, where it is there, `groups.jsonl` in `folder`; the last two may be compressed, as `.gz`.
    ///
    /// # Errors
    /// When a file is missing, damaged or of another schema.
    pub fn read(folder: &Path) -> Result<Self> {
        let manifest = read_manifest::<P::Manifest>(folder)?;
        let damaged = |name: &str, reason: String| Error::Store {
            path: folder.join(name),
            problem: format!("the file is damaged: {reason}"),
            remedy: "write it again with `ntk report`".to_owned(),
        };
        let rows = text(folder, "rows.csv")?.ok_or_else(|| Error::Store {
            path: folder.to_path_buf(),
            problem: "there is no rows.csv and no rows.csv.gz here".to_owned(),
            remedy: "give the folder of a run, or of its kept results".to_owned(),
        })?;
        let rows = csv::Reader::from_reader(rows.as_bytes()).into_deserialize();
        let rows = rows.collect::<std::result::Result<_, csv::Error>>();
        let groups = text(folder, "groups.jsonl")?.unwrap_or_default();
        let groups = groups.lines().map(serde_json::from_str).collect::<serde_json::Result<_>>();
        Ok(Self {
            manifest,
            rows: rows.map_err(|reason| damaged("rows.csv", reason.to_string()))?,
            groups: groups.map_err(|reason| damaged("groups.jsonl", reason.to_string()))?,
        })
    }
}

/// The text of a file, or of its compressed form; `None` where neither is there.
fn text(folder: &Path, name: &str) -> Result<Option<String>> {
    let plain = folder.join(name);
    if plain.exists() {
        return std::fs::read_to_string(&plain).map(Some).map_err(Error::io("read", &plain));
    }
    let path = folder.join(format!("{name}.gz"));
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
    let mut text = String::new();
    GzDecoder::new(&bytes[..]).read_to_string(&mut text).map_err(Error::io("read", &path))?;
    Ok(Some(text))
}
