//! The layers of the crate doc, read from the imports themselves, so that text and code cannot drift apart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Module and layer; an import goes to the same layer or down.
const LAYERS: [(&str, u8); 17] = [
    ("main", 6),
    ("cli", 6),
    ("report", 5),
    ("figure", 5),
    ("study", 4),
    ("train", 3),
    ("dynamics", 3),
    ("regress", 3),
    ("kernel", 2),
    ("net", 2),
    ("arch", 1),
    ("data", 1),
    ("record", 1),
    ("linalg", 0),
    ("stats", 0),
    ("seed", 0),
    ("number", 0),
];

/// Where Burn may be named.
const BURN: [&str; 3] = ["net", "train", "kernel/empirical"];

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("below src").with_extension("");
                let text = std::fs::read_to_string(&path).expect("readable");
                files.push((name.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    files
}

/// The code without its unit tests and comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let body = text.split("#[cfg(test)]").next().unwrap_or(text);
    body.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn imports_go_down_the_layers() {
    let layers: BTreeMap<&str, u8> = LAYERS.into_iter().collect();
    let mut n_imports = 0;
    for (name, text) in sources() {
        let module = name.split('/').next().unwrap_or(&name);
        let Some(from) = layers.get(module) else {
            assert!(
                ["lib", "error"].contains(&module),
                "src/{name}.rs has no layer: add it to the table and the crate doc"
            );
            continue;
        };
        for line in code(&text) {
            for imported in line.split("crate::").skip(1).chain(line.split("use ntk::").skip(1)) {
                let target = imported.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                let Some(to) = layers.get(target) else { continue };
                n_imports += 1;
                assert!(to <= from, "src/{name}.rs (layer {from}) imports {target} (layer {to}): {line}");
            }
        }
    }
    assert!(n_imports > 100, "only {n_imports} imports found: the test no longer reads them");
}

#[test]
fn burn_faer_plotters_and_clap_are_named_in_their_own_rooms_only() {
    for (name, text) in sources() {
        for line in code(&text) {
            let names =
                |library: &str| line.contains(&format!("{library}::")) || line.contains(&format!("use {library}"));
            let inside = |rooms: &[&str]| rooms.iter().any(|room| name.starts_with(room));
            assert!(!names("burn") || inside(&BURN), "src/{name}.rs names Burn: {line}");
            assert!(!names("faer") || inside(&["linalg"]), "src/{name}.rs names faer: {line}");
            assert!(!names("plotters") || inside(&["figure"]), "src/{name}.rs names plotters: {line}");
            assert!(!names("clap") || inside(&["cli"]), "src/{name}.rs names clap: {line}");
        }
    }
}
