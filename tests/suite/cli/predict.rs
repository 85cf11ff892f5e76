//! `ntk predict`: predictions in the units of the data.

use serde_json::Value;

use super::{Desk, OWN, csv, own_rows};

const N_TRAIN: usize = 20;

/// `my.csv` with 24 rows, and their inputs alone in `inputs.csv`.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("own.toml", &OWN.replace("[arch]", &format!("n_train = {N_TRAIN}\n[arch]")));
    let rows = own_rows(24);
    desk.write("my.csv", &format!("a,b,y\n{}", csv(&rows, 3)));
    desk.write("inputs.csv", &csv(&rows, 2));
    desk
}

fn numbers(text: &str) -> Vec<Vec<f64>> {
    text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect()
}

#[test]
fn kernels_predict_one_number_per_line_under_the_target_s_name() {
    let desk = desk();
    for with in ["ntk", "nngp"] {
        let text = desk.ntk(&["predict", "own.toml", "--inputs", "inputs.csv", "--with", with, "-q"]);
        assert_eq!(text.lines().next(), Some("y"));
        let predicted = numbers(&text);
        assert_eq!(predicted.len(), 24);
        assert!(predicted.iter().all(|row| row.len() == 1 && row[0].is_finite()));
    }
}

#[test]
fn networks_predict_a_mean_and_a_deviation() {
    let desk = desk();
    let text = desk.ntk(&["predict", "own.toml", "--inputs", "inputs.csv", "--with", "network", "-q"]);
    assert_eq!(text.lines().next(), Some("y,y sd"));
    let predicted = numbers(&text);
    assert_eq!(predicted.len(), 24);
    assert!(predicted.iter().flatten().all(|value| value.is_finite()));
    assert!(predicted.iter().any(|row| row[1] > 0.0), "two seeds differ");
}

#[test]
fn ridgeless_regression_returns_the_targets_of_the_training_rows() {
    let desk = desk();
    let predicted = numbers(&desk.ntk(&["predict", "own.toml", "--inputs", "inputs.csv", "-q"]));
    let returned = own_rows(24).iter().zip(&predicted).filter(|(row, value)| (row[2] - value[0]).abs() < 1e-8).count();
    // The targets have no pattern, so the rows that were left for testing are not met by chance.
    assert_eq!(returned, N_TRAIN);
}

#[test]
fn json_and_csv_say_the_same_on_stdout_and_in_a_file() {
    let desk = desk();
    let call = ["predict", "own.toml", "--inputs", "inputs.csv", "-q"];
    let table = desk.ntk(&call);
    assert_eq!(desk.ntk(&[&call[..], &["--out", "p.csv"]].concat()), "p.csv\n");
    assert_eq!(desk.text("p.csv"), table);
    let document = desk.ntk(&[&call[..], &["--json"]].concat());
    desk.ntk(&[&call[..], &["--json", "--out", "p.json"]].concat());
    assert_eq!(desk.text("p.json"), document);
    let predicted: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(predicted["outputs"], serde_json::json!(["y"]));
    let mean: Vec<Vec<f64>> = serde_json::from_value(predicted["mean"].clone()).unwrap();
    assert_eq!(mean, numbers(&table));
}

#[test]
fn what_cannot_be_predicted_is_refused() {
    let desk = desk();
    desk.write("wide.csv", "1,2,3\n");
    let refused = |arguments: &[&str], parts: &[&str]| desk.refused(2, &[&["predict"], arguments].concat(), parts);
    refused(
        &["own.toml", "--inputs", "wide.csv"],
        &["wide.csv: 3 columns, but the study's data have 2 inputs", "without the target: a, b"],
    );
    refused(&["own.toml", "--inputs", "absent.csv"], &["absent.csv: no such file"]);
    refused(&["own.toml", "--inputs", "my.csv"], &["my.csv, line 1: no cell is a number", "remove this line"]);
    refused(&["own.toml", "--inputs", "inputs.csv", "--with", "svm"], &["svm", "ntk, nngp, network"]);
    desk.write("yacht.csv", "-2.3,0.568,4.78,3.99,3.17,0.125\n");
    refused(&["tiny.toml", "--inputs", "yacht.csv"], &["2 architectures where one is needed", "--set arch.width="]);
    let unstable = ["train.step={fraction-of-bound=3.0}", "train.allow_unstable=true", "train.n_steps=400"];
    let set: Vec<&str> = unstable.iter().flat_map(|setting| ["--set", setting]).collect();
    let networks = ["own.toml", "--inputs", "inputs.csv", "--with", "network"];
    refused(&[&networks[..], &set[..]].concat(), &["`train.step`", "seed 0 diverged", "lower the step size"]);
}
