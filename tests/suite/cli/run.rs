//! `ntk run` from a config to a verdict, and the folder it leaves.

use serde_json::Value;

use super::Desk;

const FIGURES: [&str; 5] = ["gap", "depth", "kernel_convergence", "prediction", "modes"];

#[test]
fn a_run_leaves_every_record_figure_and_report_and_prints_the_report_s_path_alone() {
    let desk = Desk::new();
    assert_eq!(desk.ntk(&["run", "tiny.toml"]), "runs/tiny/report.html\n");
    let rows = desk.rows("runs/tiny");
    assert_eq!(rows.len(), 4);
    assert_eq!(desk.text("runs/tiny/rows.csv").lines().count(), 5);
    assert_eq!(desk.files("runs/tiny/points").len(), 4);
    for row in &rows {
        assert!(desk.path(&format!("runs/tiny/points/{}.json", row["id"].as_str().unwrap())).exists());
        assert_eq!(row["outcome"], "completed");
        assert!(row["gap_total"].is_f64(), "{row}");
    }
    for figure in FIGURES {
        let text = |ending| desk.text(&format!("runs/tiny/figures/{figure}.{ending}"));
        assert!(text("svg").contains("<svg"), "{figure}");
        assert!(text("csv").lines().count() > 1, "{figure}");
        let picture = std::fs::read(desk.path(&format!("runs/tiny/figures/{figure}.png"))).unwrap();
        assert!(picture.starts_with(b"\x89PNG"), "{figure}");
    }
    assert_eq!(desk.files("runs/tiny/figures").len(), 3 * FIGURES.len());
    assert!(desk.text("runs/tiny/report.md").starts_with("# tiny\n"));
}

#[test]
fn the_page_holds_its_figures_and_loads_nothing() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "--quiet"]);
    let page = desk.text("runs/tiny/report.html");
    assert_eq!(page.matches("<svg").count(), FIGURES.len());
    for loading in ["src=", "<link", "<script", "@import", "url(http"] {
        let found = page.find(loading).map(|at| page[at..].chars().take(60).collect::<String>());
        assert_eq!(found, None);
    }
}

#[test]
fn the_manifest_says_what_was_run_by_which_program_where() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "--quiet"]);
    let manifest = desk.json("runs/tiny/manifest.json");
    let text = |key: &str| manifest[key].as_str().unwrap().to_owned();
    assert!(text("config").contains("n_train = 16") && text("config").contains("margin = 0.1"));
    let computation = &manifest["computed_by"][0];
    assert!(!computation["commit"].as_str().unwrap().is_empty());
    assert!(computation["program"].as_str().unwrap().starts_with("ntk "));
    assert!(
        computation["libraries"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().starts_with("burn "))
    );
    assert_eq!((text("backend"), text("dtype")), ("flex".to_owned(), "f32".to_owned()));
    assert_eq!((&computation["n_threads"], &manifest["n_seeds"]), (&Value::from(1), &Value::from(2)));
    assert_eq!(manifest["root_seed"], 0);
    assert!(computation["machine"]["platform"].is_string() && computation["machine"]["n_cpus"].as_u64().unwrap() > 0);
    assert_eq!(manifest["points"].as_array().unwrap().len(), 4);
}

#[test]
fn backend_dtype_threads_and_settings_of_the_command_line_reach_the_manifest() {
    let desk = Desk::new();
    // The one that is not the default, where it is there.
    let backend = if cfg!(feature = "ndarray") { "ndarray" } else { "flex" };
    let run = ["run", "tiny.toml", "-q", "--backend", backend, "--dtype", "f64", "--threads", "2"];
    desk.ntk(&[&run[..], &["--set", "seeds.root=7", "--set", "arch.width=4"]].concat());
    let manifest = desk.json("runs/tiny/manifest.json");
    assert_eq!((&manifest["backend"], &manifest["dtype"]), (&backend.into(), &"f64".into()));
    assert_eq!((&manifest["computed_by"][0]["n_threads"], &manifest["root_seed"]), (&Value::from(2), &Value::from(7)));
    assert_eq!(manifest["points"].as_array().unwrap().len(), 2);
}

#[test]
fn json_holds_the_verdict_and_nothing_else_is_on_stdout() {
    let desk = Desk::new();
    let summary: Value = serde_json::from_str(&desk.ntk(&["run", "tiny.toml", "--json", "--out", "here"])).unwrap();
    assert_eq!((&summary["folder"], &summary["report"]), (&"here".into(), &"here/report.html".into()));
    assert_eq!(summary["verdict"]["margin"], 0.1);
    let depth = &summary["verdict"]["depths"][0];
    assert!(["holds", "fails", "undecided"].contains(&depth["decision"].as_str().unwrap()), "{depth}");
    assert_eq!((&depth["width"], &depth["n_networks"]), (&Value::from(8), &Value::from(2)));
    assert_eq!(depth["terms"].as_array().unwrap().len(), 4);
}

#[test]
fn quiet_says_nothing_and_otherwise_the_verdict_is_on_stderr() {
    let desk = Desk::new();
    assert_eq!(desk.call(&["run", "tiny.toml", "--quiet"]).stderr, "");
    let words = desk.call(&["run", "tiny.toml"]).stderr;
    assert!(words.contains("Depth 1, width 8: "), "{words}");
}

#[test]
fn a_dry_run_tells_the_cost_and_writes_nothing() {
    let desk = Desk::new();
    let before = desk.files(".");
    let table = desk.ntk(&["run", "tiny.toml", "--dry-run"]);
    assert_eq!(table.lines().count(), 3);
    assert!(table.starts_with("depth  width  points  parameters  seconds  memory MB"), "{table}");
    let estimates: Value = serde_json::from_str(&desk.ntk(&["run", "tiny.toml", "--dry-run", "--json"])).unwrap();
    assert_eq!((&estimates[1]["width"], &estimates[1]["n_points"]), (&Value::from(8), &Value::from(2)));
    assert_eq!(estimates[1]["n_parameters"], 7 * 8 + 9);
    assert!(desk.files(".") == before && !desk.path("runs").exists());
}

#[test]
fn kernels_are_kept_on_request() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q", "--set", "output.kernels=true"]);
    let kernels = desk.files("runs/tiny/kernels");
    assert_eq!(kernels.len(), 4 * 4);
    for path in kernels.keys() {
        let matrix = ntk::record::npy::read(path).unwrap();
        let n_rows = if path.file_stem().unwrap().to_str().unwrap().ends_with("test_train") { 8 } else { 16 };
        assert_eq!(matrix.shape(), (n_rows, 16), "{}", path.display());
    }
}

#[test]
fn a_diverging_run_is_a_result_with_empty_cells_and_no_number_that_is_not_one() {
    let desk = Desk::new();
    let unstable = ["train.step={fraction-of-bound=3.0}", "train.allow_unstable=true", "train.n_steps=400"];
    let set: Vec<&str> = unstable.iter().flat_map(|setting| ["--set", setting]).collect();
    desk.ntk(&[&["run", "tiny.toml"], &set[..]].concat());

    for row in desk.rows("runs/tiny") {
        assert_eq!(row["outcome"], "diverged");
        assert!(row["gap_total"].is_null() && row["mse_network"].is_null() && row["loss_train"].is_null(), "{row}");
        assert!(row["mse_ntk"].is_f64() && row["diverged_at"].is_u64(), "{row}");
    }
    let table = desk.text("runs/tiny/rows.csv");
    let column = table.lines().next().unwrap().split(',').position(|name| name == "gap_total").unwrap();
    for line in table.lines().skip(1) {
        assert_eq!(line.split(',').nth(column), Some(""));
    }
    let report = desk.text("runs/tiny/report.md");
    assert!(report.contains("**no answer**, because all 2 networks diverged"), "{report}");
    assert!(report.contains("**4 of 4 networks diverged**"), "{report}");
    // What the kernels of diverged networks would have predicted enters no average.
    assert!(report.contains("| 1 | 8 | - | - | - | - | - | diverged |"), "{report}");
    assert_no_number_is_missing(&desk);
}

#[test]
fn all_networks_of_a_depth_are_compared_at_the_same_time() {
    let desk = Desk::new();
    desk.ntk(&["run", "tiny.toml", "-q", "--set", "arch.width=[2, 64]", "--set", "seeds.n_seeds=4"]);
    let rows = desk.rows("runs/tiny");
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap();
    let time = number(&rows[0], "time");
    for row in &rows {
        assert!((number(row, "time") / time - 1.0).abs() < 1e-12, "{row}");
        assert!(number(row, "learning_rate") <= 0.5 * number(row, "stability_bound") * (1.0 + 1e-12), "{row}");
    }
    assert!(rows.iter().any(|row| row["n_steps"] != rows[0]["n_steps"]), "every network took as many steps");
}

/// A pure change of the target's unit must change no error and no gap.
#[test]
fn gaps_and_errors_are_in_units_of_the_targets_deviation_whatever_the_targets_unit() {
    let desk = Desk::new();
    let table = |scale: f64| {
        let line = |i: i32| format!("{},{}\n", f64::from(i) / 10.0, scale * (f64::from(i) / 7.0).sin());
        format!("x,y\n{}", (0..30).map(line).collect::<String>())
    };
    let mut found = Vec::new();
    for (name, scale) in [("one", 1.0), ("thousand", 1000.0)] {
        desk.write(&format!("{name}.csv"), &table(scale));
        let source = format!("data.source={{ csv = {{ path = '{name}.csv' }} }}");
        let set = ["--set", &source, "--set", "data.standardize=false", "--set", "train.initial_function='centred'"];
        let out = ["--out", name, "--dtype", "f64", "--set", "arch.activation='identity'"];
        desk.ntk(&[&["run", "tiny.toml", "-q"], &set[..], &out[..]].concat());
        let row = desk.rows(name).remove(0);
        found
            .push(["mse_ntk", "mse_nngp", "gap_finite_width", "gap_finite_time"].map(|key| row[key].as_f64().unwrap()));
    }
    for (one, thousand) in found[0].iter().zip(&found[1]) {
        assert!((one - thousand).abs() <= 1e-9 * one.abs(), "{found:?}");
    }
}

/// Once an interval of 1e120 squared its way to `[-inf, inf]` in the report.
#[test]
fn a_linearization_that_blows_up_beside_a_network_that_survives_is_still_a_number() {
    let desk = Desk::new();
    let unstable = ["train.step={fraction-of-bound=1.5}", "train.allow_unstable=true", "train.n_steps=400"];
    let set: Vec<&str> = unstable.iter().flat_map(|setting| ["--set", setting]).collect();
    desk.ntk(&[&["run", "tiny.toml"], &set[..]].concat());
    assert!(desk.rows("runs/tiny").iter().any(|row| row["mse_linearized"].as_f64().is_some_and(|mse| mse > 1e200)));
    assert!(desk.text("runs/tiny/report.md").contains("trained above the stability bound"));
    assert_no_number_is_missing(&desk);
}

fn assert_no_number_is_missing(desk: &Desk) {
    for (path, bytes) in desk.files("runs") {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let word = text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .find(|word| ["nan", "inf", "infinity"].contains(&word.to_lowercase().as_str()));
        assert_eq!(word, None, "{}", path.display());
    }
}

#[cfg(all(feature = "flex", feature = "ndarray"))]
#[test]
fn flex_and_ndarray_give_the_same_numbers_in_f64() {
    let desk = Desk::new();
    for backend in ["flex", "ndarray"] {
        desk.ntk(&["run", "tiny.toml", "-q", "--dtype", "f64", "--backend", backend, "--out", backend]);
    }
    let (flex, ndarray) = (desk.rows("flex"), desk.rows("ndarray"));
    assert_eq!((flex.len(), ndarray.len()), (4, 4));
    for (one, other) in flex.iter().zip(&ndarray) {
        // A sum of rounding errors, and nothing else.
        for (key, value) in one.as_object().unwrap().iter().filter(|(key, _)| *key != "identity_residual") {
            if let Some(a) = value.as_f64() {
                let b = other[key].as_f64().unwrap();
                assert!((a - b).abs() <= 1e-8 * a.abs().max(b.abs()), "{key}: {a} against {b}");
            }
        }
    }
}

#[test]
fn a_kernel_in_training_is_watched_as_closely_as_asked() {
    let desk = Desk::new();
    let run = |watch: &str| -> Vec<Value> {
        let (set, out) = (format!("train.watch=\"{watch}\""), format!("runs/{watch}"));
        desk.ntk(&["run", "tiny.toml", "-q", "--out", &out, "--set", &set, "--dtype", "f64"]);
        // The same network of each run.
        let row = &desk.rows(&out)[0];
        let point = desk.json(&format!("{out}/points/{}.json", row["id"].as_str().unwrap()));
        assert_eq!(row["kernel_drift"].is_f64(), watch != "function");
        point["trajectory"].as_array().unwrap().clone()
    };
    let [function, kernel, everything] = ["function", "kernel", "everything"].map(run);
    assert!(function.iter().all(|snapshot| snapshot["kernel_drift"].is_null() && snapshot["mse_test"].is_f64()));
    for (less, more) in kernel.iter().zip(&everything) {
        let of = |snapshot: &Value, key: &str| snapshot[key].as_f64().unwrap();
        for key in ["kernel_alignment", "target_alignment", "effective_rank", "parameter_distance"] {
            assert!((of(less, key) - of(more, key)).abs() < 1e-9, "{key}: {less} {more}");
        }
        assert!(less["sign_flips"].is_null() && less["eigenvalues"].as_array().unwrap().is_empty());
        // Two affine maps, sixteen inputs; the trace is that of the effective rank.
        assert_eq!(more["map_drifts"].as_array().unwrap().len(), 2);
        let eigenvalues: Vec<f64> =
            more["eigenvalues"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
        assert!(eigenvalues.len() == 16 && eigenvalues.windows(2).all(|pair| pair[0] >= pair[1]));
        let (sum, squares) = (eigenvalues.iter().sum::<f64>(), eigenvalues.iter().map(|s| s * s).sum::<f64>());
        assert!((sum * sum / squares / of(more, "effective_rank") - 1.0).abs() < 1e-9);
        assert!((0.0..1.0).contains(&of(more, "sign_flips")));
    }
    let (first, last) = (&everything[0], everything.last().unwrap());
    assert_eq!((&first["sign_flips"], &first["map_drifts"][0]), (&Value::from(0.0), &Value::from(0.0)));
    assert!(last["map_drifts"][0].as_f64().unwrap() > 0.0);
}
