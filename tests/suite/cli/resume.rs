//! Running again, resuming, and drawing again from the records.

use super::Desk;

#[test]
fn a_second_run_computes_nothing_anew() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q"]);
    // Every point's file holds the seconds it took, so equal bytes mean that it was not computed again.
    let first = desk.files("runs");
    desk.ntk(&["run", "tiny.toml", "-q"]);
    assert!(desk.files("runs") == first);
}

#[test]
fn a_point_that_was_lost_is_computed_again_with_the_same_rows() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q"]);
    let (lines, table) = (desk.text("runs/tiny/rows.jsonl"), desk.text("runs/tiny/rows.csv"));
    let lost = desk.files("runs/tiny/points").into_keys().nth(1).unwrap();
    std::fs::remove_file(&lost).unwrap();
    desk.ntk(&["run", "tiny.toml", "-q"]);
    assert!(lost.exists());
    assert_eq!((desk.text("runs/tiny/rows.jsonl"), desk.text("runs/tiny/rows.csv")), (lines, table));
}

/// Once the rows stayed without their last line, because only a newly computed point rewrote them.
#[test]
fn a_run_that_was_killed_before_it_wrote_its_rows_has_them_after_the_next() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q"]);
    let complete = desk.files("runs");
    let lines = desk.text("runs/tiny/rows.jsonl");
    desk.write("runs/tiny/rows.jsonl", lines.lines().next().unwrap());
    std::fs::remove_file(desk.path("runs/tiny/rows.csv")).unwrap();
    desk.ntk(&["run", "tiny.toml", "-q"]);
    assert!(desk.files("runs") == complete);
}

#[test]
fn kernels_asked_for_after_a_run_are_written_and_the_rows_stay() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q"]);
    let lines = desk.text("runs/tiny/rows.jsonl");
    desk.ntk(&["run", "tiny.toml", "-q", "--set", "output.kernels=true"]);
    assert_eq!(desk.files("runs/tiny/kernels").len(), 16);
    assert_eq!(desk.text("runs/tiny/rows.jsonl"), lines);
}

#[test]
fn another_margin_judges_the_same_points_again() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q"]);
    let points = desk.files("runs/tiny/points");
    desk.ntk(&["run", "tiny.toml", "-q", "--set", "verdict.margin=100"]);
    assert!(desk.files("runs/tiny/points") == points);
    let report = desk.text("runs/tiny/report.md");
    assert!(report.contains("margin 100"), "{report}");
    // What it was when the results came is not forgotten, however often it changes.
    assert!(report.contains("changed when there were results") && report.contains("margin 0.1 at 95 %"), "{report}");
    desk.ntk(&["run", "tiny.toml", "-q", "--set", "verdict.margin=50"]);
    assert!(desk.text("runs/tiny/report.md").contains("margin 0.1 at 95 %, then margin 100 at 95 %"));
}

#[test]
fn figures_and_report_are_redrawn_from_the_records_byte_by_byte() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q"]);
    let complete = desk.files("runs");
    let (figures, report) = (desk.path("runs/tiny/figures"), desk.path("runs/tiny/report.md"));

    std::fs::remove_dir_all(&figures).unwrap();
    let printed = desk.ntk(&["figure", "runs/tiny", "-q"]);
    assert_eq!(printed.lines().count(), 5);
    assert!(printed.lines().all(|line| line.starts_with("runs/tiny/figures/") && line.ends_with(".svg")), "{printed}");
    assert!(desk.files("runs") == complete);

    std::fs::remove_dir_all(&figures).unwrap();
    std::fs::remove_file(&report).unwrap();
    std::fs::remove_file(report.with_extension("html")).unwrap();
    assert_eq!(desk.ntk(&["report", "runs/tiny"]), "runs/tiny/report.md\nruns/tiny/report.html\n");
    assert!(desk.files("runs") == complete);

    let listed = desk.ntk(&["report", "runs/tiny", "--json"]);
    assert_eq!(serde_json::from_str::<Vec<String>>(&listed).unwrap().len(), 2);
    desk.ntk(&["figure", "runs/tiny", "-q", "--out", "elsewhere"]);
    let names = |folder: &str| -> Vec<_> {
        desk.files(folder).into_iter().map(|(path, bytes)| (path.file_name().unwrap().to_owned(), bytes)).collect()
    };
    assert!(names("elsewhere") == names("runs/tiny/figures"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_its_points_and_resumes_to_the_rows_of_an_uninterrupted_one() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let desk = Desk::new();
    let longer = ["tiny.toml", "--set", "train.n_steps=400", "--set", "seeds.n_seeds=10", "--out"];
    let mut running = Command::new(super::PROGRAM)
        .current_dir(desk.path("."))
        .arg("run")
        .args(longer)
        .arg("cut")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while desk.files("cut/points").is_empty() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    assert_eq!(running.wait().unwrap().code(), Some(130));
    let message = std::io::read_to_string(running.stderr.take().unwrap()).unwrap();
    assert!(message.contains("error: interrupted; what was finished is stored\nhint: run the same command again"));
    assert_eq!(std::io::read_to_string(running.stdout.take().unwrap()).unwrap(), "");

    let stored = desk.files("cut/points");
    assert!((1..20).contains(&stored.len()), "{} points", stored.len());
    assert_eq!(desk.rows("cut").len(), stored.len());
    // What is there can be looked at, and says that it is not all.
    desk.ntk(&["report", "cut", "-q"]);
    let missing = format!("{} of 20 points are missing", 20 - stored.len());
    assert!(desk.text("cut/report.md").contains(&missing));

    desk.ntk(&[&["run", "-q"], &longer[..], &["cut"]].concat());
    desk.ntk(&[&["run", "-q"], &longer[..], &["whole"]].concat());
    let finished = desk.files("cut/points");
    assert!(stored.iter().all(|(path, bytes)| finished.get(path) == Some(bytes)));
    assert_eq!(desk.text("cut/rows.jsonl"), desk.text("whole/rows.jsonl"));
    assert_eq!(desk.text("cut/rows.csv"), desk.text("whole/rows.csv"));
}
