//! The run folder.
//!
//! ```text
//! manifest.json      written first
//! points/ID.json     one per finished point, whole or absent: the source of truth
//! rows.jsonl, rows.csv   the points' flat lines, rewritten after each point, in the manifest's order
//! kernels/ID/*.npy   on request
//! figures/, report.md, report.html
//! ```
//!
//! A finished point is never computed again, so an interrupted run resumes where it stopped and ends with the same rows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::file;
use super::manifest::{Computation, Manifest};
use super::row::{Point, Row, SCHEMA_VERSION};
use crate::error::{Error, Result};

/// A run folder that belongs to one manifest.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    manifest: Manifest,
    rows: HashMap<String, Row>,
}

impl Store {
    /// Starts a run in `folder`, or resumes the one that is there.
    ///
    /// # Errors
    /// When the folder holds something else, or the results of other settings or of another schema version: nothing is
    /// overwritten. A run that never finished a point has no results, and gives way.
    pub fn start(folder: &Path, manifest: Manifest) -> Result<Self> {
        let path = folder.join("manifest.json");
        let mut manifest = manifest;
        if path.exists() {
            let earlier = read_manifest(&path)?;
            let is_point = |id: &String| point_path(folder, id).exists();
            if earlier.points == manifest.points {
                let present = std::mem::replace(&mut manifest.computed_by, earlier.computed_by);
                let is_new = |now: &Computation| !manifest.computed_by.iter().any(|then| now.is_alike(then));
                let added: Vec<Computation> = present.into_iter().filter(is_new).collect();
                manifest.computed_by.extend(added);
            } else if earlier.points.iter().any(is_point) {
                let kept = earlier.points.iter().filter(|id| manifest.points.contains(id)).count();
                return Err(Error::Store {
                    path: folder.to_path_buf(),
                    problem: format!(
                        "this folder holds a run of other settings: {} points, of which {kept} are among the {} asked for",
                        earlier.points.len(),
                        manifest.points.len()
                    ),
                    remedy: "choose another folder with `--out`, or move this one away".to_owned(),
                });
            }
        } else if folder.is_dir() && folder.read_dir().map_err(Error::io("list", folder))?.next().is_some() {
            return Err(Error::Store {
                path: folder.to_path_buf(),
                problem: "this folder is not empty and holds no run".to_owned(),
                remedy: "choose another folder with `--out`".to_owned(),
            });
        }
        write_json(&path, &manifest)?;
        let store = Self::with_rows(folder, manifest)?;
        // A run that was killed between a point and its row left the rows behind.
        if !store.rows.is_empty() {
            store.write_rows()?;
        }
        Ok(store)
    }

    /// Opens an existing run, to draw or report it.
    ///
    /// # Errors
    /// When the folder holds no run, or one of another schema version.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("manifest.json");
        if !path.exists() {
            return Err(Error::Store {
                path: folder.to_path_buf(),
                problem: "there is no run here (no manifest.json)".to_owned(),
                remedy: "give the folder that `ntk run` wrote".to_owned(),
            });
        }
        Self::with_rows(folder, read_manifest(&path)?)
    }

    /// The run folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the run consists of.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether the point is finished.
    #[must_use]
    pub fn is_finished(&self, id: &str) -> bool {
        self.rows.contains_key(id)
    }

    /// The finished points, in the manifest's order.
    ///
    /// # Errors
    /// When a point's file cannot be read.
    pub fn points(&self) -> Result<Vec<Point>> {
        let finished = self.manifest.points.iter().filter(|id| self.is_finished(id));
        finished.map(|id| read_point(&point_path(&self.folder, id), id)).collect()
    }

    /// Stores a finished point and rewrites the rows.
    ///
    /// # Errors
    /// When the disk cannot take it; the points stored before are untouched.
    pub fn finish(&mut self, point: &Point) -> Result<()> {
        write_json(&point_path(&self.folder, &point.row.id), point)?;
        self.rows.insert(point.row.id.clone(), point.row.clone());
        self.write_rows()
    }

    fn with_rows(folder: &Path, manifest: Manifest) -> Result<Self> {
        let mut store = Self { folder: folder.to_path_buf(), manifest, rows: HashMap::new() };
        for id in &store.manifest.points {
            let path = point_path(folder, id);
            if path.exists() {
                store.rows.insert(id.clone(), read_point(&path, id)?.row);
            }
        }
        Ok(store)
    }

    fn write_rows(&self) -> Result<()> {
        let rows = self.manifest.points.iter().filter_map(|id| self.rows.get(id));
        let mut lines = Vec::new();
        let mut table = csv::Writer::from_writer(Vec::new());
        for row in rows {
            lines.extend(to_json(row)?);
            lines.push(b'\n');
            table.serialize(row).map_err(|reason| Error::Check(format!("a row cannot be written as CSV: {reason}")))?;
        }
        let table = table.into_inner().map_err(|reason| Error::Check(format!("rows cannot be written: {reason}")))?;
        file::replace(&self.folder.join("rows.jsonl"), &lines)?;
        file::replace(&self.folder.join("rows.csv"), &table)
    }
}

/// Points without their manifest are no run.
const ANOTHER_FOLDER: &str = "move this folder away, or choose another with `--out`";

fn read_manifest(path: &Path) -> Result<Manifest> {
    let manifest: serde_json::Value = read_json(path, ANOTHER_FOLDER)?;
    let schema = manifest.get("schema").and_then(serde_json::Value::as_u64);
    if schema != Some(u64::from(SCHEMA_VERSION)) {
        let found = schema.map_or("no version".to_owned(), |version| format!("version {version}"));
        return Err(Error::Store {
            path: path.to_path_buf(),
            problem: format!("its schema is {found}; this program reads and writes version {SCHEMA_VERSION}"),
            remedy: "use the program version named in the manifest, or start a new run with `--out`".to_owned(),
        });
    }
    serde_json::from_value(manifest).map_err(|reason| damaged(path, &reason, ANOTHER_FOLDER))
}

fn point_path(folder: &Path, id: &str) -> PathBuf {
    folder.join("points").join(format!("{id}.json"))
}

fn read_point(path: &Path, id: &str) -> Result<Point> {
    let point: Point = read_json(path, "delete it; the next run computes it again")?;
    if point.row.id == id {
        return Ok(point);
    }
    Err(Error::Store {
        path: path.to_path_buf(),
        problem: format!("the file holds another point, {}", point.row.id),
        remedy: "delete it; the next run computes it again".to_owned(),
    })
}

fn read_json<T: DeserializeOwned>(path: &Path, remedy: &str) -> Result<T> {
    let text = std::fs::read(path).map_err(Error::io("read", path))?;
    serde_json::from_slice(&text).map_err(|reason| damaged(path, &reason, remedy))
}

fn damaged(path: &Path, reason: &serde_json::Error, remedy: &str) -> Error {
    let problem = format!("the file is damaged: {reason}");
    Error::Store { path: path.to_path_buf(), problem, remedy: remedy.to_owned() }
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    file::replace(path, &to_json(value)?)
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|reason| Error::Check(format!("a record cannot be written as JSON: {reason}")))
}
