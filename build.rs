//! Records the commit that the program is built from, for the manifests it will write.

use std::path::Path;
use std::process::Command;

fn main() {
    // A path that is absent, as in a packaged crate, would make Cargo rebuild every time.
    for path in ["build.rs", ".git/HEAD", ".git/refs/heads"] {
        if Path::new(path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().ok().filter(|output| output.status.success());
    let commit = output.map_or_else(String::new, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    println!("cargo:rustc-env=NTK_COMMIT={}", if commit.is_empty() { "unknown" } else { &commit });
}
