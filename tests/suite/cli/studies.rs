//! The studies under configs/: each at its smallest scale from the config to the report, by the shapes of what it leaves; and what is kept of
//! each at the laptop's scale, whose report must say what the rows beside it give.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Desk;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn configs() -> Vec<PathBuf> {
    let entries = root().join("configs").read_dir().unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "a study is missing: {paths:?}");
    paths
}

/// What every table and chart of an analysis must be.
fn assert_shapes(findings: &Value, name: &str) {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_else(|| panic!("{name}: no {key}"));
    assert!(!list(findings, "statements").is_empty(), "{name} answers nothing");
    assert!(!list(findings, "tables").is_empty(), "{name} has no table");
    assert!(!list(findings, "charts").is_empty() || !list(findings, "maps").is_empty(), "{name} has no figure");
    for table in list(findings, "tables") {
        let n_columns = list(&table, "header").len();
        for row in list(&table, "rows") {
            assert_eq!(row.as_array().unwrap().len(), n_columns, "{name}: {}", table["title"]);
        }
    }
    for chart in list(findings, "charts") {
        let is_drawn = |panel: &Value| panel["series"].as_array().is_none_or(|series| !series.is_empty());
        assert!(
            chart["panels"].as_array().is_none_or(|panels| panels.iter().all(is_drawn)),
            "{name}: {}",
            chart["name"]
        );
        assert!(chart["caption"].as_str().unwrap().ends_with('.'), "{name}: {}", chart["name"]);
    }
}

#[test]
fn every_study_runs_at_its_smallest_scale_and_its_report_says_what_its_rows_give() {
    for path in configs() {
        let desk = Desk::new();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let config = path.to_string_lossy();
        // A study of networks may say what `ntk regress` makes of it too.
        let is_of_networks = text.contains("\nanalysis =") || !text.contains("\n[regress]");
        let command = if is_of_networks { "run" } else { "regress" };
        let document = desk.ntk(&[command, &config, "--scale", "smoke", "--out", "r", "--json", "-q"]);
        assert!(!desk.rows("r").is_empty(), "{name}");
        assert!(desk.path("r/report.html").exists(), "{name}");
        if text.contains("\nanalysis =") {
            let document: Value = serde_json::from_str(&document).unwrap();
            assert_shapes(&document["findings"], &name);
        }
        desk.ntk(&["report", "r", "--check"]);
        assert!(text.starts_with("# Question"), "{name} does not say what it asks");
    }
}

#[test]
fn every_kept_report_says_what_the_rows_beside_it_give() {
    let entries = root().join("figures").read_dir().unwrap();
    let folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    let desk = Desk::new();
    let mut n_checked = 0;
    for folder in folders.iter().filter(|folder| folder.join("report.md").exists()) {
        desk.ntk(&["report", &folder.to_string_lossy(), "--check"]);
        n_checked += 1;
    }
    assert!(n_checked >= 2, "only {n_checked} of {} folders have a report", folders.len());
}

#[test]
fn a_report_that_was_changed_is_refused_with_both_lines() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q", "--out", "r"]);
    let report = desk.text("r/report.md");
    let line = report.lines().find(|line| line.starts_with("| 1 |")).unwrap();
    let changed = line.replacen("0.", "1.", 1);
    desk.write("r/report.md", &report.replace(line, &changed));
    desk.refused(2, &["report", "r", "--check"], &[&changed, line, "1 lines are not what the 4 rows give"]);
    std::fs::remove_file(desk.path("r/rows.csv")).unwrap();
    desk.refused(2, &["report", "r", "--check"], &["no rows.csv"]);
}

#[test]
fn a_scale_changes_the_file_s_settings_and_its_results_have_a_folder_of_their_own() {
    let desk = Desk::new();
    desk.write(
        "scaled.toml",
        &format!("{}\n[scale.smoke]\n\"arch.width\" = [2]\n[scale.wrong]\n\"arch.widht\" = 3\n", super::TINY),
    );
    desk.ntk(&["run", "scaled.toml", "--scale", "smoke", "-q"]);
    let rows = desk.rows("runs/tiny-smoke");
    assert_eq!(rows.iter().map(|row| row["width"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 2]);
    // What the command line sets comes after the scale.
    desk.ntk(&["run", "scaled.toml", "--scale", "smoke", "--set", "arch.width=3", "--out", "r", "-q"]);
    assert_eq!(desk.rows("r")[0]["width"], 3);
    desk.ntk(&["run", "scaled.toml", "--scale", "laptop", "--out", "l", "-q"]);
    assert_eq!(desk.rows("l").len(), 4);
    desk.refused(
        2,
        &["run", "scaled.toml", "--scale", "full"],
        &["no scale `full`", "laptop, smoke, wrong", "[scale.full]"],
    );
    desk.refused(2, &["run", "scaled.toml", "--scale", "wrong"], &["--scale wrong", "widht"]);
}

#[test]
fn settings_that_vary_are_settings_of_their_own_and_a_run_of_them_resumes() {
    let desk = Desk::new();
    let vary = "\n[vary]\n\"data.split_seed\" = [0, 1]\n\"train.initial_function\" = ['plain', 'centred']\n";
    desk.write("varied.toml", &format!("{}{vary}", super::TINY));
    let document: Value =
        serde_json::from_str(&desk.ntk(&["run", "varied.toml", "--out", "r", "--json", "-q"])).unwrap();
    assert_shapes(&document["findings"], "a map");
    let rows = desk.rows("r");
    assert_eq!(rows.len(), 16);
    assert_eq!(rows[0]["varied"], "data.split_seed=0 train.initial_function=plain");
    assert_eq!(rows[15]["varied"], "data.split_seed=1 train.initial_function=centred");
    // The first setting is the config without what varies.
    desk.ntk(&["run", "tiny.toml", "--out", "alone", "-q"]);
    let numbers = |row: &Value| (row["id"].clone(), row["mse_network"].clone(), row["gap_total"].clone());
    assert_eq!(
        rows[..4].iter().map(numbers).collect::<Vec<_>>(),
        desk.rows("alone").iter().map(numbers).collect::<Vec<_>>()
    );
    // A lost point comes back, and nothing else changes.
    let before = desk.files("r");
    let id = rows[9]["id"].as_str().unwrap();
    std::fs::remove_file(desk.path(&format!("r/points/{id}.json"))).unwrap();
    desk.ntk(&["run", "varied.toml", "--out", "r", "-q"]);
    let after = desk.files("r");
    for name in ["rows.csv", "groups.jsonl", "report.md"] {
        let path = desk.path("r").join(name);
        assert!(before[&path] == after[&path], "{name}");
    }
}

#[test]
fn what_cannot_be_compared_over_settings_is_refused_by_its_key() {
    let desk = Desk::new();
    let with = |vary: &str, analysis: &str| {
        let named = super::TINY.replace("name = \"tiny\"", &format!("name = \"tiny\"\nanalysis = \"{analysis}\""));
        desk.write("varied.toml", &format!("{named}\n[vary]\n{vary}\n"));
    };
    let refused = |parts: &[&str]| desk.refused(2, &["run", "varied.toml"], parts);
    with("\"data.split_seed\" = [0, 1]", "equivalence");
    refused(&["`study.analysis`", "is read at one setting", "equivalence-map"]);
    with("\"data.split_seed\" = [0, 0]", "equivalence-map");
    refused(&["vary: data.split_seed=0", "is there twice"]);
    with("\"study.question\" = ['a', 'b']", "equivalence-map");
    refused(&["vary: study.question=b", "is there twice"]);
    with("\"data.n_train\" = [4, 5000]", "equivalence-map");
    refused(&["5000 training rows asked for"]);
    with("\"data.split_seed\" = [0, 1]", "equivalence-mop");
    desk.refused(2, &["run", "varied.toml"], &["varied.toml", "equivalence-mop", "equivalence-map"]);
}

#[test]
fn a_study_of_one_s_own_takes_ten_lines() {
    let desk = Desk::new();
    let path = root().join("examples/own-study/study.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.lines().filter(|line| !line.starts_with('#')).count() <= 10);
    let config = path.to_string_lossy();
    let document = desk.ntk(&["run", &config, "--out", "r", "--json", "-q", "--set", "train.n_steps=20"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_shapes(&document["findings"], "own");
    assert_eq!(desk.rows("r").len(), 96);
}
