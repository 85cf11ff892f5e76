//! The manifest: what was run, by which program, on which machine. Written before the first point.

use serde::{Deserialize, Serialize};

/// Facts about the data that the report states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    /// The data set's name.
    pub name: String,
    /// Where it comes from and under which licence, where known.
    pub citation: String,
    /// Rows before the split.
    pub n_rows: usize,
    /// Training rows.
    pub n_train: usize,
    /// Test rows.
    pub n_test: usize,
    /// Inputs.
    pub d_in: usize,
    /// Outputs.
    pub d_out: usize,
    /// What was found and what was done about it: constant columns, repeated rows.
    pub notes: Vec<String>,
}

/// How many notes are shown; all of them stand in the manifest.
pub const MAX_SHOWN_NOTES: usize = 20;

/// The first [`MAX_SHOWN_NOTES`] of `notes`, and a sentence that counts the others and says `place` where they are.
#[must_use]
pub fn shown_notes<T: AsRef<str>>(notes: &[T], place: &str) -> Vec<String> {
    let mut shown: Vec<String> = notes.iter().take(MAX_SHOWN_NOTES).map(|note| note.as_ref().to_owned()).collect();
    match notes.len().saturating_sub(MAX_SHOWN_NOTES) {
        0 => {}
        1 => shown.push(format!("1 more note is {place}.")),
        n => shown.push(format!("{n} more notes are {place}.")),
    }
    shown
}

/// The computer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system and architecture.
    pub platform: String,
    /// Processor name, where the system tells.
    pub processor: String,
    /// Logical processors.
    pub n_cpus: usize,
}

impl Machine {
    /// The computer this runs on.
    #[must_use]
    pub fn here() -> Self {
        let processor = std::fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| {
                let line = text.lines().find(|line| line.starts_with("model name"))?;
                Some(line.split_once(':')?.1.trim().to_owned())
            })
            .unwrap_or_else(|| "unknown".to_owned());
        Self {
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            processor,
            n_cpus: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// One stretch of computing: which program, where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Computation {
    /// When it began, in seconds since 1970-01-01.
    pub started: u64,
    /// Program name and version.
    pub program: String,
    /// The commit the program was built from, `-dirty` where the sources differed from it, or `unknown`.
    pub commit: String,
    /// Versions of the libraries whose numbers enter the result.
    pub libraries: Vec<String>,
    /// Threads.
    pub n_threads: usize,
    /// The computer.
    pub machine: Machine,
}

impl Computation {
    /// Whether both are the same program on the same computer.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        Self { started: other.started, ..self.clone() } == *other
    }
}

/// What a verdict is decided by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// As in [`Manifest::margin`].
    pub margin: f64,
    /// As in [`Manifest::confidence`].
    pub confidence: f64,
}

/// What a run folder holds and how it came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA_VERSION`](super::SCHEMA_VERSION) at the time of writing.
    pub schema: u32,
    /// The study's name.
    pub study: String,
    /// The question the study asks, in the config's words.
    pub question: String,
    /// The resolved config, as TOML.
    pub config: String,
    /// Burn backend.
    pub backend: String,
    /// Number type of the networks.
    pub dtype: String,
    /// How the shares of a network's affine maps add up in its kernel, where that is not in `dtype`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_sums: Option<String>,
    /// Root of every random stream.
    pub root_seed: u64,
    /// Networks per width and depth.
    pub n_seeds: usize,
    /// What reads the answer from the rows.
    pub analysis: String,
    /// The data sets, in the order in which they occur.
    pub data: Vec<DataFacts>,
    /// The gap, in units of the target's standard deviation, below which kernel and network are called equivalent.
    pub margin: f64,
    /// Confidence level of every interval.
    pub confidence: f64,
    /// By what it was to be decided before, the first first, where that was changed when results were there already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_criteria: Vec<Criterion>,
    /// Points the study consists of, by id, in order.
    pub points: Vec<String>,
    /// By what the points were computed: one entry, and one more each time a run resumed on something else.
    pub computed_by: Vec<Computation>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_of_notes_is_shown_and_the_others_are_counted() {
        let notes: Vec<String> = (0..23).map(|number| format!("note {number}")).collect();
        let shown = shown_notes(&notes, "in manifest.json");
        assert_eq!((shown.len(), shown[19].as_str()), (21, "note 19"));
        assert_eq!(shown[20], "3 more notes are in manifest.json.");
        assert_eq!(shown_notes(&notes[..20], "in manifest.json"), notes[..20]);
    }
}
