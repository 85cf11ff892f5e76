//! Records the commit that the program is built from, for the manifests it will write.

use std::path::Path;
use std::process::Command;

const SOURCES: [&str; 4] = ["src", "Cargo.toml", "Cargo.lock", "build.rs"];

fn main() {
    // In a working tree beside the first one they lie in the first one's folder.
    let heads = ["HEAD", "refs/heads"].into_iter().filter_map(|name| git(&["rev-parse", "--git-path", name]));
    // A path that is absent, as in a packaged crate, would make Cargo rebuild every time.
    for path in SOURCES.into_iter().map(str::to_owned).chain(heads).filter(|path| Path::new(path).exists()) {
        println!("cargo:rerun-if-changed={path}");
    }
    let commit = match git(&["rev-parse", "HEAD"]) {
        None => "unknown".to_owned(),
        Some(commit) => {
            let status = git(&[&["status", "--porcelain", "--"], &SOURCES[..]].concat());
            if status.is_some_and(|changes| !changes.is_empty()) { commit + "-dirty" } else { commit }
        }
    };
    println!("cargo:rustc-env=NTK_COMMIT={commit}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
