//! The program as a user meets it: what it writes, what it says, and how it ends.

mod controls;
mod folders;
mod kernel;
mod listing;
mod predict;
mod recipes;
mod refusals;
mod regress;
mod resume;
mod run;
mod spectrum;
mod studies;
mod tables;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ntk");

/// Four networks that are trained in no time.
const TINY: &str = r#"
[study]
name = "tiny"
[data]
source = { vendored = "yacht" }
n_train = 16
n_test = 8
[arch]
depth = 1
width = [4, 8]
activation = "relu"
w_std = 1.4142135623730951
b_std = 0.1
[train]
n_steps = 5
n_checkpoints = 3
[seeds]
n_seeds = 2
[compute]
threads = 1
"#;

/// The same on the user's own `my.csv`.
const OWN: &str = r#"
[data]
source = { csv = { path = "my.csv" } }
[arch]
depth = 1
width = 8
activation = "relu"
w_std = 1.4142135623730951
b_std = 0.5
[train]
n_steps = 5
[seeds]
n_seeds = 2
"#;

/// A folder of the user's, in which the program is called.
struct Desk(tempfile::TempDir);

/// How a call ended.
struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Desk {
    /// With `tiny.toml` on it.
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("tiny.toml", TINY);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|reason| panic!("{name}: {reason}"))
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    fn rows(&self, run: &str) -> Vec<Value> {
        self.text(&format!("{run}/rows.jsonl")).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Every file under `folder` with its bytes.
    fn files(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(folder), &mut files);
        files
    }

    /// Calls the program; no call may end in a panic.
    #[track_caller]
    fn call(&self, arguments: &[&str]) -> Ended {
        let [mut stdout, mut stderr] = [(); 2].map(|()| tempfile::tempfile().unwrap());
        let mut command = Command::new(PROGRAM);
        command.current_dir(&self.0).args(arguments).stdin(Stdio::null());
        command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
        let status = end_of(&mut command.spawn().unwrap());
        let text = |file: &mut File| {
            let mut text = String::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_string(&mut text).unwrap();
            text
        };
        let code = status.and_then(|status| status.code()).unwrap_or(-1);
        let ended = Ended { code, stdout: text(&mut stdout), stderr: text(&mut stderr) };
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        ended
    }

    /// A call that succeeds; its stdout.
    #[track_caller]
    fn ntk(&self, arguments: &[&str]) -> String {
        let ended = self.call(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        ended.stdout
    }

    /// A call that ends with `code` and one message, which holds all `parts`, and changes no file.
    #[track_caller]
    fn refused(&self, code: i32, arguments: &[&str], parts: &[&str]) {
        let before = self.files(".");
        let Ended { code: found, stdout, stderr } = self.call(arguments);
        assert_eq!(found, code, "{arguments:?}: {stderr}");
        assert_eq!(stdout, "", "{arguments:?}");
        let notes: Vec<&str> = stderr.lines().take_while(|line| line.starts_with("note: ")).collect();
        let message = stderr.lines().skip(notes.len()).collect::<Vec<_>>().join("\n");
        assert!(message.starts_with("error: ") && message.matches("error: ").count() == 1, "{arguments:?}: {stderr}");
        for part in parts {
            assert!(message.contains(part), "{arguments:?}: `{part}` is not in: {message}");
        }
        assert!(self.files(".") == before, "{arguments:?} changed a file");
    }
}

/// How the program ended, if it did within two minutes.
fn end_of(child: &mut Child) -> Option<ExitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(120) {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

fn collect(path: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    if path.is_dir() {
        for entry in path.read_dir().unwrap() {
            collect(&entry.unwrap().path(), files);
        }
    } else if path.exists() {
        files.insert(path.to_path_buf(), std::fs::read(path).unwrap());
    }
}

/// Three columns of numbers without pattern, the same at every call.
fn own_rows(n: usize) -> Vec<[f64; 3]> {
    let number = |i: usize| (1.0 + i as f64 * 12.9898).sin() * 43758.5453 % 1.0;
    (0..n).map(|i| [number(3 * i), number(3 * i + 1), number(3 * i + 2)]).collect()
}

/// CSV text of some columns of the rows.
fn csv(rows: &[[f64; 3]], n_columns: usize) -> String {
    let line = |row: &[f64; 3]| row[..n_columns].iter().map(f64::to_string).collect::<Vec<_>>().join(",") + "\n";
    rows.iter().map(line).collect()
}
