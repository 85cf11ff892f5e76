//! The run folder.
//!
//! ```text
//! manifest.json      written first
//! points/ID.json     one per finished point, whole or absent: the source of truth
//! rows.jsonl, rows.csv   the points' flat lines, rewritten as points finish, in the manifest's order
//! groups.jsonl       the networks of all seeds together, written when the run is finished
//! kernels/ID/*.npy   on request
//! figures/, report.md, report.html
//! ```
//!
//! A finished point is never computed again, so an interrupted run resumes where it stopped and ends with the same rows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::file;
use super::group::Group;
use super::manifest::{Computation, Criterion, Manifest};
use super::row::{Point, Row, SCHEMA_VERSION};
use crate::error::{Error, Result};

/// A finished point of a kind of run.
pub trait Recorded: Serialize + DeserializeOwned {
    /// Its flat line.
    type Row: Serialize + Clone;
    /// What its run folder begins with.
    type Manifest: RunManifest;

    /// The flat line.
    fn row(&self) -> &Self::Row;

    /// Hash of the point's fully resolved settings.
    fn id(&self) -> &str;
}

/// What a run folder begins with.
pub trait RunManifest: Serialize + DeserializeOwned {
    /// The version of the records' types.
    const SCHEMA: u32;
    /// What kind of run it is.
    const KIND: RunKind;

    /// Points the run consists of, by id, in order.
    fn points(&self) -> &[String];

    /// By what they were computed.
    fn computed_by(&mut self) -> &mut Vec<Computation>;

    /// By what the run is decided.
    fn criterion(&self) -> Criterion;

    /// By what it was to be decided before.
    fn earlier_criteria(&mut self) -> &mut Vec<Criterion>;
}

/// What a run compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// Networks with their kernels: `ntk run`.
    #[default]
    Equivalence,
    /// Kernels with each other: `ntk regress`.
    Regression,
}

impl RunKind {
    /// The kind of the run in `folder`.
    ///
    /// # Errors
    /// When the folder holds no run.
    pub fn of(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        if !path.exists() {
            return Err(Error::Store {
                path: folder.to_path_buf(),
                problem: "there is no run here (no manifest.json)".to_owned(),
                remedy: "give the folder that `ntk run` or `ntk regress` wrote".to_owned(),
            });
        }
        let manifest: serde_json::Value = read_json(&path, ANOTHER_FOLDER)?;
        let kind = manifest.get("kind").cloned();
        kind.map_or(Ok(Self::default()), serde_json::from_value)
            .map_err(|reason| damaged(&path, &reason, ANOTHER_FOLDER))
    }

    /// The command that makes such a run.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Equivalence => "ntk run",
            Self::Regression => "ntk regress",
        }
    }
}

impl Recorded for Point {
    type Row = Row;
    type Manifest = Manifest;

    fn row(&self) -> &Row {
        &self.row
    }

    fn id(&self) -> &str {
        &self.row.id
    }
}

impl RunManifest for Manifest {
    const SCHEMA: u32 = SCHEMA_VERSION;
    const KIND: RunKind = RunKind::Equivalence;

    fn points(&self) -> &[String] {
        &self.points
    }

    fn computed_by(&mut self) -> &mut Vec<Computation> {
        &mut self.computed_by
    }

    fn criterion(&self) -> Criterion {
        Criterion { margin: self.margin, confidence: self.confidence }
    }

    fn earlier_criteria(&mut self) -> &mut Vec<Criterion> {
        &mut self.earlier_criteria
    }
}

const MANIFEST: &str = "manifest.json";

/// A run folder that belongs to one manifest.
#[derive(Debug)]
pub struct Store<P: Recorded = Point> {
    folder: PathBuf,
    manifest: P::Manifest,
    rows: HashMap<String, P::Row>,
    /// When this store last wrote the rows.
    written: Option<Instant>,
    /// Whether there is a point that they lack.
    is_behind: bool,
}

/// Rows are rewritten whole, so with thousands of quick points not after each of them.
const ROWS_EVERY: Duration = Duration::from_secs(1);

impl<P: Recorded> Drop for Store<P> {
    fn drop(&mut self) {
        // An interrupted run ends here; the points are the source of truth, and the next run writes the rows again.
        let _ = self.flush();
    }
}

impl<P: Recorded> Store<P> {
    /// Starts a run in `folder`, or resumes the one that is there.
    ///
    /// # Errors
    /// When the folder holds something else, or the results of other settings or of another schema version: nothing is
    /// overwritten. A run that never finished a point has no results, and gives way.
    pub fn start(folder: &Path, manifest: P::Manifest) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let mut manifest = manifest;
        if path.exists() {
            let mut earlier: P::Manifest = read_manifest(folder)?;
            let is_point = |id: &String| point_path(folder, id).exists();
            if earlier.points() == manifest.points() {
                let computed_by = manifest.computed_by();
                let present = std::mem::replace(computed_by, std::mem::take(earlier.computed_by()));
                let is_new = |now: &Computation| !computed_by.iter().any(|then| now.is_alike(then));
                let added: Vec<Computation> = present.into_iter().filter(is_new).collect();
                computed_by.extend(added);
                let (then, has_results) = (earlier.criterion(), earlier.points().iter().any(is_point));
                let earlier_criteria = std::mem::take(earlier.earlier_criteria());
                let is_changed = has_results && then != manifest.criterion();
                manifest.earlier_criteria().extend(earlier_criteria.into_iter().chain(is_changed.then_some(then)));
            } else if earlier.points().iter().any(is_point) {
                let kept = earlier.points().iter().filter(|id| manifest.points().contains(id)).count();
                return Err(Error::Store {
                    path: folder.to_path_buf(),
                    problem: format!(
                        "this folder holds a run of other settings: {} points, of which {kept} are among the {} asked for",
                        earlier.points().len(),
                        manifest.points().len()
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
        Self::with_rows(folder, read_manifest(folder)?)
    }

    /// The run folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the run consists of.
    #[must_use]
    pub fn manifest(&self) -> &P::Manifest {
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
    pub fn points(&self) -> Result<Vec<P>> {
        let finished = self.manifest.points().iter().filter(|id| self.is_finished(id));
        finished.map(|id| read_point(&point_path(&self.folder, id), id)).collect()
    }

    /// Stores a finished point, and rewrites the rows unless that was done within the last second.
    ///
    /// # Errors
    /// When the disk cannot take it; the points stored before are untouched.
    pub fn finish(&mut self, point: &P) -> Result<()> {
        write_json(&point_path(&self.folder, point.id()), point)?;
        self.rows.insert(point.id().to_owned(), point.row().clone());
        self.is_behind = true;
        if self.written.is_some_and(|written| written.elapsed() < ROWS_EVERY) { Ok(()) } else { self.flush() }
    }

    /// Writes the rows of the points that they lack.
    ///
    /// # Errors
    /// When the disk cannot take them.
    pub fn flush(&mut self) -> Result<()> {
        if !self.is_behind {
            return Ok(());
        }
        self.write_rows()?;
        (self.written, self.is_behind) = (Some(Instant::now()), false);
        Ok(())
    }

    fn with_rows(folder: &Path, manifest: P::Manifest) -> Result<Self> {
        let mut store =
            Self { folder: folder.to_path_buf(), manifest, rows: HashMap::new(), written: None, is_behind: false };
        for id in store.manifest.points() {
            let path = point_path(folder, id);
            if path.exists() {
                store.rows.insert(id.clone(), read_point::<P>(&path, id)?.row().clone());
            }
        }
        Ok(store)
    }

    fn write_rows(&self) -> Result<()> {
        let rows = self.manifest.points().iter().filter_map(|id| self.rows.get(id));
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

impl Store {
    /// Writes the networks of all seeds together, a line each.
    ///
    /// # Errors
    /// When the disk cannot take them.
    pub fn write_groups(&self, groups: &[Group]) -> Result<()> {
        let mut lines = Vec::new();
        for group in groups {
            lines.extend(to_json(group)?);
            lines.push(b'\n');
        }
        file::replace(&self.folder.join("groups.jsonl"), &lines)
    }
}

/// Points without their manifest are no run.
const ANOTHER_FOLDER: &str = "move this folder away, or choose another with `--out`";

pub(super) fn read_manifest<M: RunManifest>(folder: &Path) -> Result<M> {
    let kind = RunKind::of(folder)?;
    let path = &folder.join(MANIFEST);
    if kind != M::KIND {
        return Err(Error::Store {
            path: folder.to_path_buf(),
            problem: format!("this folder holds a run of `{}`, not of `{}`", kind.command(), M::KIND.command()),
            remedy: ANOTHER_FOLDER.to_owned(),
        });
    }
    let manifest: serde_json::Value = read_json(path, ANOTHER_FOLDER)?;
    let schema = manifest.get("schema").and_then(serde_json::Value::as_u64);
    if schema != Some(u64::from(M::SCHEMA)) {
        let found = schema.map_or("no version".to_owned(), |version| format!("version {version}"));
        return Err(Error::Store {
            path: path.to_path_buf(),
            problem: format!("its schema is {found}; this program reads and writes version {}", M::SCHEMA),
            remedy: "use the program version named in the manifest, or start a new run with `--out`".to_owned(),
        });
    }
    serde_json::from_value(manifest).map_err(|reason| damaged(path, &reason, ANOTHER_FOLDER))
}

fn point_path(folder: &Path, id: &str) -> PathBuf {
    folder.join("points").join(format!("{id}.json"))
}

fn read_point<P: Recorded>(path: &Path, id: &str) -> Result<P> {
    let point: P = read_json(path, "delete it; the next run computes it again")?;
    if point.id() == id {
        return Ok(point);
    }
    Err(Error::Store {
        path: path.to_path_buf(),
        problem: format!("the file holds another point, {}", point.id()),
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
