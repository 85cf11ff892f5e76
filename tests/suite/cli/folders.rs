//! Run folders that are not what they ought to be, and places that cannot be written to.

use ntk::record::SCHEMA_VERSION;

use super::Desk;

fn finished() -> Desk {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q", "--out", "r"]);
    desk
}

#[track_caller]
fn refused_by_all(desk: &Desk, parts: &[&str]) {
    desk.refused(2, &["run", "tiny.toml", "--out", "r"], parts);
    desk.refused(2, &["figure", "r"], parts);
    desk.refused(2, &["report", "r"], parts);
}

#[test]
fn a_run_of_another_config_is_left_alone() {
    let desk = finished();
    let parts = ["r: this folder holds a run of other settings: 4 points, of which 0", "--out"];
    desk.refused(2, &["run", "tiny.toml", "--out", "r", "--set", "train.n_steps=6"], &parts);
    desk.refused(2, &["run", "tiny.toml", "--out", "r", "--dtype", "f64"], &parts);
    desk.refused(
        2,
        &["run", "tiny.toml", "--out", "r", "--set", "seeds.n_seeds=3"],
        &["4 points, of which 4", "--out"],
    );
}

/// Once a step size that only the first network found too large left a folder that no other step size could use.
#[test]
fn a_run_that_finished_no_point_gives_way_to_other_settings() {
    let desk = Desk::new();
    assert_eq!(desk.call(&["run", "tiny.toml", "--out", "r", "--set", "train.step={absolute=1.9}"]).code, 2);
    assert!(desk.path("r/manifest.json").exists() && desk.files("r/points").is_empty());
    desk.ntk(&["run", "tiny.toml", "--out", "r", "-q"]);
    assert!(desk.text("r/manifest.json").contains("fraction-of-bound"));
    assert_eq!(desk.rows("r").len(), 4);
}

#[test]
fn a_run_of_another_schema_is_left_alone() {
    let desk = finished();
    desk.write(
        "r/manifest.json",
        &desk.text("r/manifest.json").replace(&format!("\"schema\":{SCHEMA_VERSION}"), "\"schema\":99"),
    );
    refused_by_all(
        &desk,
        &["r/manifest.json", "version 99", &format!("version {SCHEMA_VERSION}"), "start a new run with `--out`"],
    );
}

#[test]
fn a_folder_that_is_no_run_is_left_alone() {
    let desk = Desk::new();
    desk.refused(2, &["run", "tiny.toml", "--out", "."], &["not empty and holds no run", "--out"]);
    for command in ["figure", "report"] {
        desk.refused(
            2,
            &[command, "."],
            &["there is no run here (no manifest.json)", "`ntk run` or `ntk regress` wrote"],
        );
        desk.refused(2, &[command, "absent"], &["absent: there is no run here"]);
    }
}

/// Once the advice was to delete the manifest, after which the folder held no run.
#[test]
fn a_damaged_manifest_is_refused_with_advice_that_helps() {
    let desk = finished();
    desk.write("r/manifest.json", "{");
    refused_by_all(&desk, &["r/manifest.json: the file is damaged", "choose another with `--out`"]);
    desk.ntk(&["run", "tiny.toml", "-q", "--out", "other"]);
}

#[test]
fn a_damaged_point_is_refused_by_name_and_computed_again_once_deleted() {
    let desk = finished();
    let rows = desk.text("r/rows.jsonl");
    let point = desk.files("r/points").into_keys().next().unwrap();
    let whole = std::fs::read(&point).unwrap();
    std::fs::write(&point, &whole[..whole.len() / 2]).unwrap();
    let name = point.file_name().unwrap().to_str().unwrap();
    refused_by_all(&desk, &[name, "the file is damaged", "delete it; the next run computes it again"]);
    std::fs::remove_file(&point).unwrap();
    desk.ntk(&["run", "tiny.toml", "-q", "--out", "r"]);
    assert_eq!(desk.text("r/rows.jsonl"), rows);
}

/// Once a point copied over another was counted twice.
#[test]
fn a_point_in_the_place_of_another_is_refused() {
    let desk = finished();
    let points: Vec<_> = desk.files("r/points").into_keys().collect();
    std::fs::copy(&points[0], &points[1]).unwrap();
    let name = points[1].file_name().unwrap().to_str().unwrap();
    refused_by_all(&desk, &[name, "holds another point", "delete it"]);
}

#[test]
fn a_place_that_cannot_be_written_to_is_the_machine_s_fault() {
    let desk = finished();
    desk.write("file", "in the way\n");
    desk.refused(1, &["run", "tiny.toml", "--out", "file"], &["cannot create file"]);
    desk.refused(1, &["run", "tiny.toml", "--out", "file/r"], &["cannot create file/r"]);
    desk.refused(1, &["figure", "r", "--out", "file/f"], &["cannot create file/f"]);
    desk.write("x.csv", "1,2\n");
    let kernel = ["kernel", "tiny.toml", "--set", "arch.width=4", "--x1", "x.csv", "--out", "file/k"];
    desk.refused(1, &kernel, &["cannot create file/k"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_system_folder_that_takes_no_files_is_refused_without_a_panic() {
    let desk = Desk::new();
    let ended = desk.call(&["run", "tiny.toml", "--out", "/proc/ntk"]);
    assert!([1, 2].contains(&ended.code) && ended.stderr.contains("cannot create /proc/ntk"), "{}", ended.stderr);
}
