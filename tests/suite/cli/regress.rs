//! Kernels beside each other: `ntk regress`.

use serde_json::Value;

use super::Desk;

/// Three splits of two sample sizes.
const MAP: &str = r#"
[study]
name = "map"
[data]
source = { vendored = "yacht" }
n_test = 40
[arch]
depth = [1, 2]
width = 8
activation = "relu"
w_std = 1.4142135623730951
b_std = 0.1
[regress]
ridges = [1e-4, 1e-2, 1.0]
length_scales = [0.5, 1.0, 2.0]
[vary]
"data.n_train" = [20, 40]
"data.split_seed" = [0, 1, 2]
"#;

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} of {row}"))
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("map.toml", MAP);
    desk
}

#[test]
fn every_kernel_is_there_at_every_variation_and_the_ntk_is_compared_with_each() {
    let desk = desk();
    desk.ntk(&["regress", "map.toml", "-q"]);
    let rows = desk.rows("runs/map-kernels");
    // Two depths of two kernels and four others, in two sizes of three splits.
    assert_eq!(rows.len(), 8 * 6);
    for row in &rows {
        assert!(number(row, "mse_test") > 0.0 && number(row, "mse_test").is_finite());
        assert!(number(row, "coverage_95") > 0.3 && number(row, "crps") > 0.0);
        assert_eq!(row["length_scale"].is_number(), row["depth"].is_null() && row["kernel"] != "linear");
    }
    let report = desk.text("runs/map-kernels/report.md");
    for words in
        ["nngp", "laplace", "linear", "## The NTK beside each kernel", "BCa", "Nothing was added to any diagonal"]
    {
        assert!(report.contains(words), "{words}");
    }
    assert!(desk.path("runs/map-kernels/figures").is_dir());
}

#[test]
fn a_lost_point_is_computed_again_with_the_same_rows_and_threads_change_nothing() {
    let desk = desk();
    desk.ntk(&["regress", "map.toml", "-q", "--threads", "1"]);
    let lines = desk.text("runs/map-kernels/rows.jsonl");
    let lost = desk.files("runs/map-kernels/points").into_keys().nth(5).unwrap();
    std::fs::remove_file(&lost).unwrap();
    desk.ntk(&["regress", "map.toml", "-q", "--threads", "2"]);
    assert!(lost.exists());
    assert_eq!(desk.text("runs/map-kernels/rows.jsonl"), lines);
}

/// Once the stationary kernels, which have no depth, counted as one point at all depths, and their splits several times.
#[test]
fn a_varied_depth_has_every_kernel_beside_it_once() {
    let desk = desk();
    desk.ntk(&["regress", "map.toml", "-q", "--set", "vary={\"arch.depth\"=[1,2],\"data.split_seed\"=[0,1]}"]);
    let rows = desk.rows("runs/map-kernels");
    let of = |kernel: &str, label: &str| {
        rows.iter().filter(|row| row["kernel"] == kernel && row["varied"].as_str().unwrap().contains(label)).count()
    };
    for kernel in ["ntk", "rbf", "linear"] {
        assert_eq!((of(kernel, "arch.depth=1"), of(kernel, "arch.depth=2")), (2, 2), "{kernel}");
    }
    assert!(desk.text("runs/map-kernels/report.md").contains("| rbf | 2 |"));
}

#[test]
fn sources_that_call_their_data_alike_are_different_settings() {
    let desk = desk();
    let sine = |frequency: u32| format!("{{synthetic={{kind=\"sine\",n_rows=90,frequency={frequency}.0}}}}");
    let vary = format!("vary={{\"data.source\"=[{},{}]}}", sine(1), sine(4));
    desk.ntk(&[
        "regress",
        "map.toml",
        "-q",
        "--set",
        &vary,
        "--set",
        "data.n_train=30",
        "--set",
        "regress.kernels=[\"rbf\"]",
    ]);
    let rows = desk.rows("runs/map-kernels");
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["dataset"], &rows[1]["dataset"]),
        (&"sine (frequency 1.0)".into(), &"sine (frequency 4.0)".into())
    );
}

#[test]
fn a_comparison_is_checked_and_shown_too_and_quotes_make_a_key_with_dots() {
    let desk = desk();
    desk.ntk(&["config", "check", "map.toml"]);
    let shown = desk.ntk(&["config", "show", "map.toml", "--set", "vary.\"data.split_seed\"=[7]"]);
    assert!(shown.contains("\"data.split_seed\" = [7]") && shown.contains("\"data.n_train\" = [20, 40]"), "{shown}");
}

#[test]
fn conjugate_gradients_end_with_the_predictions_of_the_factorization() {
    let desk = desk();
    let settings = ["--set", "vary={}", "--set", "regress.ridges=[1e-2]", "--set", "regress.kernels=[\"ntk\",\"rbf\"]"];
    let regress = |out: &str, more: &[&str]| {
        let all: Vec<&str> =
            ["regress", "map.toml", "-q", "--out", out].iter().chain(&settings).chain(more).copied().collect();
        desk.ntk(&all);
        desk.rows(out)
    };
    let exact = regress("exact", &[]);
    let solver = "regress.solver={conjugate-gradients={tolerance=1e-10,rank=20}}";
    let iterated = regress("iterated", &["--set", solver]);
    assert_eq!(exact.len(), iterated.len());
    for (exact, iterated) in exact.iter().zip(&iterated) {
        assert_eq!(iterated["ending"], "converged");
        assert!(number(iterated, "residual") <= 1e-10);
        // What 20 columns leave out for the iteration to find.
        assert!(
            number(iterated, "trace_left") > 0.0
                && number(iterated, "trace_left") < 1.0
                && exact["trace_left"].is_null()
        );
        for key in ["mse_test", "mse_train"] {
            assert!((number(exact, key) / number(iterated, key) - 1.0).abs() < 1e-7, "{key} of {iterated}");
        }
    }
}

#[test]
fn approximations_come_near_and_say_what_they_leave_out() {
    let desk = desk();
    let settings = ["--set", "vary={}", "--set", "regress.ridges=[1e-1]", "--set", "regress.kernels=[\"rbf\"]"];
    let row = |solver: &str| {
        let setting = format!("regress.solver={solver}");
        let all = [&["regress", "map.toml", "-q", "--out", solver, "--set", &setting][..], &settings].concat();
        desk.ntk(&all);
        desk.rows(solver).remove(0)
    };
    let exact = row("exact");
    for (solver, method, left, other) in [
        ("{nystrom={rank=200}}", "nystrom", "trace_left", "gram_error"),
        ("{random-features={rank=8000}}", "random-features", "gram_error", "trace_left"),
    ] {
        let row = row(solver);
        assert_eq!(row["solver"], method);
        // 8000 features miss a kernel by some 1 %, 200 of the 246 columns by less.
        assert!(number(&row, left) > 0.0 && number(&row, left) < 0.05 && row[other].is_null(), "{row}");
        assert!((number(&row, "mse_test") / number(&exact, "mse_test") - 1.0).abs() < 0.1, "{row}");
        assert!(desk.text(&format!("{solver}/report.md")).contains("## Approximations"));
    }
    let setting = "regress.solver={random-features={rank=10}}";
    desk.refused(2, &["regress", "map.toml", "--set", setting], &["`ntk` is not stationary", "nystrom"]);
    let setting = "regress.solver={random-features={rank=1000000000000}}";
    let stationary = ["--set", "regress.kernels=[\"rbf\"]"];
    desk.refused(
        2,
        &[&["regress", "map.toml", "--out", "large", "--set", setting][..], &stationary].concat(),
        &["by `random-features`", "GB", "`rank` of `regress.solver`"],
    );
}

#[test]
fn a_study_of_networks_serves_as_it_is() {
    let desk = Desk::new();
    desk.ntk(&["regress", "tiny.toml", "-q"]);
    assert_eq!(desk.rows("runs/tiny-kernels").len(), 6);
    desk.ntk(&["run", "tiny.toml", "-q"]);
    // Both kinds are drawn and reported again by one command, and neither is taken for the other.
    desk.ntk(&["report", "runs/tiny-kernels", "-q"]);
    desk.refused(2, &["regress", "tiny.toml", "-q", "--out", "runs/tiny"], &["`ntk run`", "`ntk regress`"]);
}

#[test]
fn what_cannot_be_compared_is_refused_by_its_key() {
    let desk = desk();
    for (setting, words) in [
        ("regress.ridges=[-1.0]", &["`regress.ridges`", "-1"][..]),
        ("regress.kernels=[]", &["`regress.kernels`", "empty"]),
        ("regress.length_scales=[0.0]", &["`regress.length_scales`", "positive"]),
        ("regress.select={k-fold=100}", &["100"]),
        ("regress.solver={conjugate-gradients={tolerance=0.0}}", &["`regress.solver.conjugate-gradients.tolerance`"]),
        ("vary={\"data.n_trian\"=[1]}", &["data.n_trian=1", "n_train"]),
        ("vary={\"data.n_train\"=5}", &["no list"]),
        ("vary={\"verdict.margin\"=[0.1,0.2]}", &["verdict.margin", "cannot vary"]),
        ("vary={\"data.split_seed\"=[0,0]}", &["data.split_seed=0", "there twice"]),
        ("regress.kernels=[\"rbf\",\"rbf\"]", &["`rbf` is there twice"]),
        ("verdict.confidence=2.0", &["`verdict.confidence`", "between 0 and 1"]),
    ] {
        desk.refused(2, &["regress", "map.toml", "--set", setting], words);
    }
    desk.write("none.toml", "[data]\nsource = { vendored = 'yacht' }\n");
    desk.refused(2, &["regress", "none.toml"], &["`arch`", "leave `ntk`"]);
}
