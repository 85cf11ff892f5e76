//! `ntk spectrum`: the eigenvalues of a kernel on the training rows, as tables, as JSON and in files.

use serde_json::Value;

use super::Desk;

fn found(desk: &Desk, more: &[&str]) -> Value {
    let text = desk.ntk(&[&["spectrum", "tiny.toml", "-q", "--json"], more].concat());
    serde_json::from_str(&text).unwrap()
}

fn column(found: &Value, name: &str) -> Vec<f64> {
    found["modes"].as_array().unwrap().iter().map(|mode| mode[name].as_f64().unwrap()).collect()
}

#[test]
fn json_tables_and_files_say_the_same() {
    let desk = Desk::new();
    let document = found(&desk, &[]);
    let eigenvalues = column(&document, "eigenvalue");
    assert_eq!((eigenvalues.len(), document["n_rows"].as_u64()), (16, Some(16)));
    assert!(eigenvalues.windows(2).all(|pair| pair[0] >= pair[1]), "{eigenvalues:?}");
    let mean = eigenvalues.iter().sum::<f64>() / 16.0;
    assert!((mean / document["mean_diagonal"].as_f64().unwrap() - 1.0).abs() < 1e-12);

    let text = desk.ntk(&["spectrum", "tiny.toml", "-q"]);
    for part in ["condition number", "digits to trust", "decay exponent", "Largest stable steps", "momentum", "Modes"] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    assert!(text.contains(&ntk::number::short(eigenvalues[0])) && text.contains("Stopping early beside a ridge"));
    assert!(!text.contains('\\'), "marked up: {text}");

    let files = desk.ntk(&["spectrum", "tiny.toml", "-q", "--out", "s"]);
    let names: Vec<&str> = files.lines().collect();
    assert_eq!(
        names,
        [
            "s/spectrum.json",
            "s/modes.csv",
            "s/steps.csv",
            "s/early_stopping.csv",
            "s/spectrum.svg",
            "s/spectrum.png",
            "s/distance_to_ridge.svg",
            "s/distance_to_ridge.png"
        ]
    );
    assert!(names.iter().all(|name| desk.path(name).exists()));
    assert_eq!(desk.json("s/spectrum.json"), document);
    let csv = desk.text("s/modes.csv");
    assert!(csv.starts_with("number,eigenvalue,residual,cumulated_trace,power,cumulated_power,time,steps\n"), "{csv}");
    let written: Vec<f64> = csv.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(written, eigenvalues);
}

#[test]
fn every_kernel_has_a_spectrum_and_its_leading_part_from_products() {
    let desk = Desk::new();
    for of in ["ntk", "nngp", "empirical", "laplace", "matern", "rbf", "linear"] {
        let one = ["--of", of, "--set", "arch.width=8", "--dtype", "f64"];
        let (whole, some) = (found(&desk, &one), found(&desk, &[&one[..], &["--leading", "3"]].concat()));
        let (whole, leading) = (column(&whole, "eigenvalue"), column(&some, "eigenvalue"));
        assert_eq!((leading.len(), &some["condition"], &some["is_converged"]), (3, &Value::Null, &Value::Bool(true)));
        for (a, b) in leading.iter().zip(&whole) {
            assert!((a / b - 1.0).abs() < 1e-8, "{of}: {a} and {b}");
        }
    }
}

#[test]
fn a_config_needs_no_training_and_its_own_is_what_steps_are_counted_by() {
    let desk = Desk::new();
    let text = desk.text("tiny.toml");
    let (before, after) = text.split_once("[train]").unwrap();
    desk.write("bare.toml", &format!("{before}{}", &after[after.find("[seeds]").unwrap()..]));
    let bare: Value = serde_json::from_str(&desk.ntk(&["spectrum", "bare.toml", "-q", "--json"])).unwrap();
    assert_eq!((&bare["training"], &bare["steps"][0]["step"]), (&Value::Null, &found(&desk, &[])["steps"][0]["step"]));
    let adam = ["--set", "train.optimizer={adam={}}", "--set", "train.step={absolute=0.001}"];
    let adam = found(&desk, &adam);
    assert_eq!((&adam["modes"][0]["steps"], &adam["training"]), (&Value::Null, &Value::Null), "Adam keeps no time");
    let momentum = found(&desk, &["--set", "train.optimizer={momentum=0.5}", "--set", "train.step={absolute=0.01}"]);
    let steps = &momentum["steps"];
    assert_eq!((&steps[0]["step"], steps[1]["step"].as_f64()), (&Value::Null, Some(0.01)));
    let ratio = steps[1]["largest"].as_f64().unwrap() / steps[0]["largest"].as_f64().unwrap();
    assert!((ratio - 1.5).abs() < 1e-12, "{ratio}");
    assert!((momentum["training"]["time"].as_f64().unwrap() - 5.0 * 0.01 / 0.5).abs() < 1e-12);
}

#[test]
fn what_has_no_spectrum_is_refused() {
    let desk = Desk::new();
    let refused = |more: &[&str], parts: &[&str]| {
        desk.refused(2, &[&["spectrum", "tiny.toml"], more].concat(), parts);
    };
    refused(
        &["--leading", "17"],
        &["--leading: 17 eigenvalues of a matrix that has 16", "from 1 to 16", "data.n_train"],
    );
    refused(&["--leading", "0"], &["--leading", "from 1 to 16"]);
    refused(&["--leading", "some"], &["'some'", "--leading"]);
    refused(&["--of", "svm"], &["svm", "ntk, nngp, empirical"]);
    refused(&["--of", "empirical"], &["`arch`", "2 architectures where one is needed", "--set arch.width"]);
    refused(&["--set", "arch.depth=[1,2]"], &["`arch`", "2 kernels where one is needed", "--set arch.depth"]);
    let set = |setting: &str, parts: &[&str]| refused(&["--set", setting], parts);
    set("train.step={absolute=100.0}", &["`train.step.absolute`", "100", "stability bound", "lower it"]);
    set("train.optimizer={momentum=1.5}", &["`train.optimizer.momentum`", "1.5 is not from 0 up to below 1", "0.9"]);
    set("train.loss=cross-entropy", &["`train.loss`", "these data are numbers"]);
    set("arch.w_std=1e200", &["not finite", "lower `arch.w_std`"]);
    desk.write("bare.toml", "[data]\nsource = { vendored = 'yacht' }\nn_train = 16\n");
    desk.refused(2, &["spectrum", "bare.toml"], &["`arch`", "the ntk is a kernel of a network", "--of rbf"]);
    assert!(desk.ntk(&["spectrum", "bare.toml", "--of", "rbf"]).starts_with("rbf (length scale "));
    desk.refused(2, &["spectrum", "absent.toml"], &["absent.toml: no such file"]);
}
