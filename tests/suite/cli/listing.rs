//! `ntk data`, `ntk backends`, `ntk config`: what the program knows, and a config to begin from.

use serde_json::Value;

use super::Desk;

#[test]
fn the_data_sets_are_listed_and_described() {
    let desk = Desk::new();
    let list = desk.ntk(&["data", "list"]);
    let yacht = list.lines().find(|line| line.starts_with("yacht ")).unwrap();
    assert!(yacht.contains("regression") && yacht.contains("308"), "{yacht}");
    let entries: Vec<Value> = serde_json::from_str(&desk.ntk(&["data", "list", "--json"])).unwrap();
    assert_eq!(entries.len(), list.lines().count() - 1);
    assert!(entries.iter().all(|entry| entry["licence"].is_string() && entry["citation"].is_string()));

    let columns: Vec<Value> = serde_json::from_str(&desk.ntk(&["data", "show", "yacht", "--json"])).unwrap();
    assert_eq!(columns.len(), 7);
    assert_eq!((&columns[6]["role"], &columns[5]["name"]), (&"target".into(), &"froude_number".into()));
    assert_eq!(desk.ntk(&["data", "show", "yacht"]).lines().count(), 8);
    desk.refused(2, &["data", "show", "yatch"], &["`yatch`", "did you mean `yacht`?", "ntk data list"]);
}

#[test]
fn every_vendored_set_can_be_shown() {
    let desk = Desk::new();
    let entries: Vec<Value> = serde_json::from_str(&desk.ntk(&["data", "list", "--json"])).unwrap();
    for entry in entries {
        let name = entry["name"].as_str().unwrap();
        let columns: Vec<Value> = serde_json::from_str(&desk.ntk(&["data", "show", name, "--json"])).unwrap();
        let n_inputs = columns.iter().filter(|column| column["role"] == "input").count();
        assert_eq!(entry["d_in"], n_inputs, "{name}");
    }
}

#[test]
fn the_backends_are_listed_with_what_is_compiled_in_and_how_to_add_the_others() {
    let desk = Desk::new();
    let entries: Vec<Value> = serde_json::from_str(&desk.ntk(&["backends", "--json"])).unwrap();
    let names: Vec<&str> = entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["flex", "ndarray", "wgpu", "vulkan", "metal", "cuda", "rocm"]);
    for (entry, is_compiled) in entries.iter().zip([cfg!(feature = "flex"), cfg!(feature = "ndarray")]) {
        assert_eq!(entry["compiled"], is_compiled, "{entry}");
        assert!(!is_compiled || (entry["f32"] == true && entry["f64"] == true), "{entry}");
    }
    for entry in entries.iter().filter(|entry| entry["compiled"] == false) {
        let remedy = format!("--features {}", entry["name"].as_str().unwrap());
        assert!(entry["note"].as_str().unwrap().contains(&remedy), "{entry}");
    }
    assert_eq!(desk.ntk(&["backends"]).lines().count(), 8);
}

#[test]
fn the_config_to_begin_from_is_valid_and_shows_as_itself() {
    let desk = Desk::new();
    desk.write("mine.toml", &desk.ntk(&["config", "init"]));
    let checked = desk.call(&["config", "check", "mine.toml"]);
    assert_eq!((checked.code, checked.stdout.as_str()), (0, ""));
    assert!(checked.stderr.contains("mine.toml is a valid study of 20 points"), "{}", checked.stderr);
    let count: Value = serde_json::from_str(&desk.ntk(&["config", "check", "mine.toml", "--json"])).unwrap();
    assert_eq!(count["n_points"], 20);

    let shown = desk.ntk(&["config", "show", "mine.toml"]);
    assert!(shown.contains("n_checkpoints = 12") && shown.contains("dtype = \"f32\""), "{shown}");
    desk.write("shown.toml", &shown);
    assert_eq!(desk.ntk(&["config", "show", "shown.toml"]), shown);
    let document: Value = serde_json::from_str(&desk.ntk(&["config", "show", "shown.toml", "--json"])).unwrap();
    assert_eq!(document["arch"]["width"], serde_json::json!([64, 256]));
}

#[test]
fn settings_of_the_command_line_are_shown() {
    let desk = Desk::new();
    let settings = [
        ("arch.width=32", "width = 32"),
        ("study.question=How wide?", "question = \"How wide?\""),
        ("train.ridge={relative-to-trace=1e-3}", "relative-to-trace = 0.001"),
        ("data.sphere=true", "sphere = true"),
    ];
    let set: Vec<&str> = settings.iter().flat_map(|(setting, _)| ["--set", setting]).collect();
    let others = ["--backend", "ndarray", "--dtype", "f64", "--threads", "3"];
    let shown = desk.ntk(&[&["config", "show", "tiny.toml"], &set[..], &others[..]].concat());
    let lines = ["backend = \"ndarray\"", "dtype = \"f64\"", "threads = 3"];
    for line in settings.iter().map(|(_, line)| *line).chain(lines) {
        assert!(shown.contains(line), "`{line}` is not in: {shown}");
    }
}

#[test]
fn help_and_version_are_printed_and_no_command_is_refused() {
    let desk = Desk::new();
    for command in ["run", "kernel", "predict", "figure", "report", "data", "backends", "config"] {
        assert!(desk.ntk(&[command, "--help"]).contains("Usage: ntk"), "{command}");
    }
    assert!(desk.ntk(&["--version"]).starts_with("ntk "));
    assert_eq!(desk.call(&[]).code, 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_stdout_is_a_failure_and_a_closed_pipe_is_not() {
    use std::fs::File;
    use std::process::{Command, Stdio};
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(super::PROGRAM).args(["data", "list"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("error: cannot write to standard output: "), "{message}");

    let mut child = Command::new(super::PROGRAM)
        .args(["data", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
