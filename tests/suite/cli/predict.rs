//! `ntk predict`: predictions in the units of the data.

use ntk::dynamics::{Flow, Horizon, Outputs, cross_entropy_slope};
use ntk::error::Blame;
use ntk::kernel::Kernel;
use ntk::kernel::analytic::AnalyticKernel;
use ntk::linalg::{GramMatrix, Matrix};
use ntk::record::npy;
use ntk::regress::posterior_marginals;
use ntk::study::{self, Changes, Config, Plan, PredictWith};
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

/// `desk` with `settings` after those of `[train]`, and its plan; the inputs that networks see of the training rows are in `train.npy`, of
/// the test rows in `test.npy`.
fn planned(settings: &str) -> (Desk, Plan) {
    let desk = desk();
    desk.write("own.toml", &desk.text("own.toml").replace("n_steps = 5", &format!("n_steps = 5\n{settings}")));
    plan_of(desk)
}

/// As `planned`, with data that are used as they are, so that `test.npy` are inputs of `ntk predict`.
fn planned_raw(settings: &str) -> (Desk, Plan) {
    let (desk, _) = planned(settings);
    desk.write("own.toml", &desk.text("own.toml").replace("[data]\n", "[data]\nstandardize = false\n"));
    plan_of(desk)
}

fn plan_of(desk: Desk) -> (Desk, Plan) {
    let plan = Plan::new(Config::load(&desk.path("own.toml"), &Changes::default()).unwrap(), &desk.path(".")).unwrap();
    npy::write(&desk.path("train.npy"), &plan.split.x_train).unwrap();
    npy::write(&desk.path("test.npy"), &plan.split.x_test).unwrap();
    (desk, plan)
}

/// Predictions for `inputs`, as columns.
fn predict(desk: &Desk, inputs: &str, more: &[&str]) -> Vec<Vec<f64>> {
    let rows = numbers(&desk.ntk(&[&["predict", "own.toml", "--inputs", inputs, "-q"], more].concat()));
    (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column]).collect()).collect()
}

fn largest_gap(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |largest, (a, b)| largest.max((a - b).abs()))
}

fn numbers(text: &str) -> Vec<Vec<f64>> {
    text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect()
}

#[test]
fn kernels_predict_one_number_per_line_under_the_target_s_name() {
    let desk = desk();
    for (with, names) in [("ntk", "y"), ("nngp", "y,y sd"), ("ntkgp", "y,y sd"), ("deep-ensemble", "y,y sd")] {
        let text = desk.ntk(&["predict", "own.toml", "--inputs", "inputs.csv", "--with", with, "-q"]);
        assert_eq!(text.lines().next(), Some(names));
        let predicted = numbers(&text);
        assert_eq!(predicted.len(), 24);
        assert!(predicted.iter().flatten().all(|value| value.is_finite()), "{with}");
    }
}

#[test]
fn deviations_of_the_nngp_are_those_of_the_kernels_that_are_written_in_the_units_of_the_data() {
    let (desk, plan) = planned("ridge = { relative-to-trace = 0.05 }");
    npy::write(&desk.path("all.npy"), &plan.split.scaling.inputs(&plan.dataset.inputs).unwrap()).unwrap();
    let kernel = |arguments: &[&str]| {
        desk.ntk(&[&["kernel", "own.toml", "-q", "--out", "k"], arguments].concat());
    };
    let read = |name: &str| npy::read(&desk.path(&format!("k/{name}.npy"))).unwrap();
    kernel(&["--x1", "train.npy", "--get", "nngp"]);
    let k_train_train = GramMatrix::from_symmetric(read("nngp"), 0.0).unwrap();
    kernel(&["--x1", "all.npy", "--x2", "train.npy", "--get", "nngp"]);
    let k_test_train = read("nngp");
    kernel(&["--x1", "all.npy", "--get", "nngp-diagonal"]);
    let diagonal = read("nngp_diagonal").column(0);
    let ridge = 0.05 * k_train_train.mean_diagonal();
    let y_train = &plan.split.y_train;
    let expected = posterior_marginals(&k_train_train, &k_test_train, &diagonal, y_train, ridge).unwrap();
    let unit = plan.split.scaling.target_units()[0];
    assert!((unit - 1.0).abs() > 0.01, "the test needs a unit");
    let found = predict(&desk, "inputs.csv", &["--with", "nngp"]);
    let deviations: Vec<f64> = expected.variance.iter().map(|variance| unit * variance.sqrt()).collect();
    assert!(largest_gap(&found[1], &deviations) < 1e-12);
    assert!(largest_gap(&found[0], plan.split.scaling.targets_back(&expected.mean).values()) < 1e-12);
}

#[test]
fn processes_are_ordered_by_what_they_leave_open_and_the_ensemble_has_the_mean_of_the_ntk() {
    let desk = desk();
    desk.write("new.csv", "0.3,-0.2\n4,4\n-0.9,0.5\n");
    let of = |with: &str| predict(&desk, "new.csv", &["--with", with]);
    let (ntk, nngp, ensemble, ntkgp) = (of("ntk"), of("nngp"), of("deep-ensemble"), of("ntkgp"));
    assert!(largest_gap(&ntk[0], &ensemble[0]) == 0.0 && largest_gap(&ntk[0], &ntkgp[0]) == 0.0);
    assert!(largest_gap(&ntk[0], &nngp[0]) > 1e-3);
    for i in 0..3 {
        assert!(0.0 < nngp[1][i] && nngp[1][i] < ensemble[1][i] && ensemble[1][i] < ntkgp[1][i]);
    }
}

#[test]
fn a_repeated_row_without_a_ridge_is_no_obstacle_to_deviations() {
    let desk = desk();
    let mut rows = own_rows(12);
    rows.extend_from_within(..);
    desk.write("my.csv", &format!("a,b,y\n{}", csv(&rows, 3)));
    // Of 12 pairs 20 rows are trained on, so that 8 pairs at least are whole.
    for with in ["nngp", "ntkgp", "deep-ensemble"] {
        let found = predict(&desk, "inputs.csv", &["--with", with, "--set", "data.repeated_inputs='keep'"]);
        assert!(found.iter().flatten().all(|value| value.is_finite() && value.abs() < 1e3), "{with}");
    }
}

#[test]
fn covariances_have_the_squared_deviations_on_their_diagonal() {
    let desk = desk();
    for with in ["nngp", "ntkgp", "deep-ensemble"] {
        let asked = ["--with", with, "--covariance", "c.npy"];
        let found = predict(&desk, "inputs.csv", &asked);
        let alone = predict(&desk, "inputs.csv", &asked[..2]);
        let covariance = npy::read(&desk.path("c.npy")).unwrap();
        assert_eq!((covariance.shape(), covariance.transpose()), ((24, 24), covariance.clone()));
        for i in 0..24 {
            assert!((covariance[(i, i)] - found[1][i].powi(2)).abs() < 1e-13, "{with}");
        }
        assert!(largest_gap(&found[1], &alone[1]) < 1e-6 && found[0] == alone[0], "{with}");
    }
}

#[test]
fn covariances_of_several_outputs_are_one_matrix_each_in_the_units_of_each() {
    let desk = desk();
    let rows = own_rows(24);
    let class = |i: usize| if i.is_multiple_of(4) { "b" } else { "a" };
    let lines: String =
        rows.iter().enumerate().map(|(i, row)| format!("{},{},{}\n", row[0], row[1], class(i))).collect();
    desk.write("my.csv", &format!("a,b,y\n{lines}"));
    desk.write("own.toml", &desk.text("own.toml").replace("my.csv\"", "my.csv\", task = \"classification\""));
    let found = predict(&desk, "inputs.csv", &["--with", "nngp", "--covariance", "c.npy"]);
    assert_eq!(found.len(), 4, "two classes, two deviations");
    let bytes = std::fs::read(desk.path("c.npy")).unwrap();
    assert!(String::from_utf8_lossy(&bytes[..128]).contains("(2, 24, 24,"));
    let numbers: Vec<f64> =
        bytes[128..].chunks_exact(8).map(|number| f64::from_le_bytes(number.try_into().unwrap())).collect();
    for output in 0..2 {
        for i in 0..24 {
            let variance = numbers[output * 576 + i * 25];
            assert!((variance - found[2 + output][i].powi(2)).abs() < 1e-13);
        }
    }
}

#[test]
fn the_kernel_at_a_time_begins_at_zero_and_ends_where_regression_does() {
    let (desk, _) = planned_raw("ridge = { relative-to-trace = 0.01 }\nstep = { absolute = 0.05 }");
    let at = |with: &str, time: &str| predict(&desk, "test.npy", &["--with", with, "--at", time]);
    for with in ["ntk", "deep-ensemble"] {
        let end = predict(&desk, "test.npy", &["--with", with]);
        for (column, late) in end.iter().zip(at(with, "1e9")) {
            assert!(largest_gap(column, &late) < 1e-12, "{with}");
        }
        assert!(at(with, "0")[0].iter().all(|value| *value == 0.0));
        assert!(largest_gap(&at(with, "1")[0], &end[0]) > 1e-3, "{with}");
        assert_eq!(at(with, "training"), at(with, "5steps"));
        // Euler's error of 0.05 in five steps.
        assert!(largest_gap(&at(with, "training")[0], &at(with, "0.25")[0]) < 0.02);
    }
    desk.ntk(&["kernel", "own.toml", "--x1", "test.npy", "--get", "nngp-diagonal", "--out", "k", "-q"]);
    let prior = npy::read(&desk.path("k/nngp_diagonal.npy")).unwrap().map(f64::sqrt).column(0);
    assert!(largest_gap(&at("deep-ensemble", "0")[1], &prior) < 1e-12);
}

/// The NTK of the plan's one network: on the training inputs, and of the test inputs with them.
fn ntk_of(plan: &Plan) -> (GramMatrix, Matrix) {
    let kernel = AnalyticKernel::new(plan.points[0].architecture.clone());
    let kernel = kernel.of_kind(ntk::kernel::KernelKind::Ntk);
    let (x_train, _, x_test, _) = plan.parts();
    (kernel.gram(x_train).unwrap(), kernel.cross_gram(x_test, x_train).unwrap())
}

#[test]
fn steps_are_those_of_the_config_s_optimizer_with_momentum_too_and_the_bound_is_said() {
    let (desk, plan) = planned_raw("optimizer = { momentum = 0.8 }\nstep = { absolute = 0.05 }");
    let (gram, cross) = ntk_of(&plan);
    let flow = Flow::new(&gram, Outputs::Independent(1), 0.0, 1e-14).unwrap();
    let expected = |horizon| flow.predict(&cross, horizon, &plan.split.y_train).unwrap();
    let momentum = |n_steps| expected(Horizon::Momentum { learning_rate: 0.05, momentum: 0.8, n_steps });
    for (at, n_steps) in [("training", 5), ("37steps", 37)] {
        let found = predict(&desk, "test.npy", &["--at", at]);
        assert!(largest_gap(&found[0], momentum(n_steps).values()) < 1e-12, "{at}");
    }
    let plain = ["--at", "37steps", "--set", "train.optimizer=gradient-descent"];
    let descent = expected(Horizon::Steps { learning_rate: 0.05, n_steps: 37 });
    assert!(largest_gap(&predict(&desk, "test.npy", &plain)[0], descent.values()) < 1e-12);
    assert!(largest_gap(descent.values(), momentum(37).values()) > 1e-2, "the test needs an effect of momentum");

    let bound = ntk::number::short(flow.maximal_learning_rate(0.8, 0.0));
    let said = |at: &str| {
        let stderr = desk.call(&["predict", "own.toml", "--inputs", "test.npy", "--at", at]).stderr;
        stderr.strip_prefix("note: The first line was read as column names.\n").unwrap().to_owned()
    };
    assert_eq!(said("5steps"), format!("steps of 0.0500 by momentum; from {bound} on they diverge\n"));
    assert_eq!(said("2.5"), format!("gradient flow; steps by momentum diverge from {bound} on\n"));
    let above =
        ["predict", "own.toml", "--inputs", "test.npy", "--at", "5steps", "--set", "train.step={absolute=50.0}"];
    desk.refused(2, &above, &["`train.step.absolute`", "50 is at or above the stability bound", "lower it"]);
}

#[test]
fn the_huber_loss_is_the_squared_one_as_long_as_no_residual_is_large() {
    let (desk, _) = planned_raw("step = { absolute = 0.05 }");
    let under = |loss: &str, more: &[&str]| {
        predict(&desk, "test.npy", &[&["--set", &format!("train.loss={loss}")], more].concat())[0].clone()
    };
    for more in [&["--at", "20steps"][..], &["--at", "1.5"], &["--with", "network"]] {
        let squared = under("squared", more);
        assert!(largest_gap(&under("{huber=100.0}", more), &squared) < 1e-8, "{more:?}");
        assert!(largest_gap(&under("{huber=0.1}", more), &squared) > 1e-3, "{more:?}");
    }
}

/// `my.csv` with the class of each row by the sign of its first number.
fn classified() -> (Desk, Plan) {
    let desk = desk();
    let class = |row: &[f64; 3]| if row[0] > 0.0 { "a" } else { "b" };
    let lines: String = own_rows(24).iter().map(|row| format!("{},{},{}\n", row[0], row[1], class(row))).collect();
    desk.write("my.csv", &format!("a,b,y\n{lines}"));
    let config = desk.text("own.toml").replace("my.csv\"", "my.csv\", task = \"classification\"");
    let config = config.replace("[data]\n", "[data]\nstandardize = false\n");
    desk.write(
        "own.toml",
        &config.replace("n_steps = 5", "n_steps = 5\nloss = \"cross-entropy\"\nstep = { absolute = 0.2 }"),
    );
    plan_of(desk)
}

#[test]
fn under_the_cross_entropy_the_kernel_takes_the_steps_of_a_linear_classifier() {
    let (desk, plan) = classified();
    let (gram, cross) = ntk_of(&plan);
    let y = plan.training_targets();
    // f = K c, step by step.
    let (eta, n_steps) = (0.2, 30);
    let c = (0..n_steps).fold(Matrix::zeros(N_TRAIN, 2), |c, _| {
        &c - &cross_entropy_slope(&gram.as_matrix().matmul(&c), &y).map(|slope| eta * slope)
    });
    let f = cross.matmul(&c);
    let found = predict(&desk, "test.npy", &["--at", "30steps"]);
    for i in 0..f.n_rows() {
        let odds = (f[(i, 1)] - f[(i, 0)]).exp();
        assert!((found[0][i] - 1.0 / (1.0 + odds)).abs() < 1e-12 && (found[0][i] + found[1][i] - 1.0).abs() < 1e-12);
    }
    let flow = predict(&desk, "test.npy", &["--at", "6"]);
    let gap = largest_gap(&flow[0], &found[0]);
    assert!(gap > 1e-6 && gap < 0.05, "Euler's error of steps of 0.2: {gap}");
    assert!(predict(&desk, "test.npy", &["--at", "0"])[0].iter().all(|share| *share == 0.5));
}

#[test]
fn what_a_loss_other_than_the_squared_one_does_not_have_is_refused() {
    let (desk, _) = classified();
    let refused = |more: &[&str], parts: &[&str]| {
        desk.refused(2, &[&["predict", "own.toml", "--inputs", "test.npy"], more].concat(), parts);
    };
    refused(&[], &["`train.loss`", "the end of training", "--at training"]);
    refused(&["--with", "deep-ensemble", "--at", "1"], &["`train.loss`", "closed form", "--with network"]);
    refused(&["--set", "train.loss=hinge"], &["unknown variant `hinge`", "`squared`", "`huber`", "`cross-entropy`"]);
    refused(&["--set", "train.loss={huber=0.0}"], &["`train.loss.huber`", "0 is not a positive number", "1 is usual"]);
    refused(&["--set", "train.optimizer={momentum=1.0}"], &["`train.optimizer.momentum`", "1 is not from 0", "0.9"]);
    refused(&["--at", "1e12", "--set", "train.ridge={absolute=1.0}"], &["integration reached time", "shorter time"]);
}

/// The predictions of a run, as `pick` finds them in the point of each seed, in the units of the data.
fn of_points(desk: &Desk, plan: &Plan, pick: &str) -> Vec<Vec<f64>> {
    let of = |row: &Value| {
        let point = desk.json(&format!("runs/own/points/{}.json", row["id"].as_str().unwrap()));
        let predictions = point["predictions"].as_array().unwrap();
        predictions.iter().map(|one| plan.target_deviation() * one[pick].as_f64().unwrap()).collect()
    };
    desk.rows("runs/own").iter().map(of).collect()
}

const NAMED: &str = "step = { absolute = 0.05 }\n[study]\nname = \"own\"\n[output]\nnetworks = \"safetensors\"";

#[test]
fn the_kernel_at_the_config_s_time_is_the_one_in_the_rows_of_a_run() {
    let (desk, plan) = planned_raw(NAMED);
    desk.ntk(&["run", "own.toml", "-q"]);
    let found = predict(&desk, "test.npy", &["--at", "training"]);
    assert!(largest_gap(&found[0], &of_points(&desk, &plan, "ntk_at_time")[0]) < 1e-13);
    assert!(largest_gap(&predict(&desk, "test.npy", &[])[0], &of_points(&desk, &plan, "ntk")[0]) < 1e-13);
}

#[test]
fn saved_networks_predict_what_they_did_in_their_run_and_what_training_anew_does() {
    let (desk, plan) = planned_raw(NAMED);
    desk.ntk(&["run", "own.toml", "-q"]);
    let rows = desk.rows("runs/own");
    let file = |row: &Value| format!("runs/own/networks/{}.safetensors", row["id"].as_str().unwrap());
    let files: Vec<String> = rows.iter().map(file).collect();
    let network = ["--with", "network"];
    for (file, expected) in files.iter().zip(of_points(&desk, &plan, "network")) {
        let found = predict(&desk, "test.npy", &[&network[..], &["--network", file]].concat());
        assert_eq!(found.len(), 1, "one network has no deviation");
        assert!(largest_gap(&found[0], &expected) < 1e-14);
    }
    let both = [&network[..], &["--network", &files[0], "--network", &files[1]]].concat();
    assert_eq!(predict(&desk, "test.npy", &both), predict(&desk, "test.npy", &network));
    let call = [&["predict", "own.toml", "--inputs", "test.npy"], &both[..]].concat();
    desk.refused(
        2,
        &[&call[..], &["--set", "arch.width=9"]].concat(),
        &[&files[0], "another network", "[8] there and", "[9] here"],
    );
    desk.refused(2, &[&call[..], &["--dtype", "f64"]].concat(), &["another network", "F32", "F64"]);
    desk.refused(2, &[&call[..], &["--set", "arch.width=[8,9]"]].concat(), &["2 architectures where one is needed"]);
}

#[test]
fn networks_side_by_side_predict_what_each_alone_does_on_many_inputs_too() {
    let desk = desk();
    desk.write("inputs.csv", &csv(&own_rows(4100), 2));
    let of = |threads: &str| {
        predict(&desk, "inputs.csv", &["--with", "network", "--set", "seeds.n_seeds=5", "--threads", threads])
    };
    assert_eq!(of("1"), of("3"));
}

#[test]
fn an_interruption_ends_the_training_of_all_networks() {
    let (_desk, plan) = planned("");
    let asked = || Err(ntk::error::Error::Interrupted);
    let inputs = Matrix::zeros(1, 2);
    let error = study::predict(&plan, PredictWith::Networks, &inputs, &asked).unwrap_err();
    assert_eq!(error.blame(), Blame::Interrupt);
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
    let both = ["--with", "nngp", "--covariance", "c.npy", "--out", "p.csv"];
    assert_eq!(desk.ntk(&[&call[..], &both].concat()), "p.csv\nc.npy\n");
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
    desk.write("renamed.csv", "a,c\n1,2\n");
    refused(&["own.toml", "--inputs", "renamed.csv"], &["renamed.csv: no column is named `b`", "one of: a, c"]);
    refused(
        &["own.toml", "--inputs", "inputs.csv", "--with", "svm"],
        &["svm", "ntk, nngp, ntkgp, deep-ensemble, network"],
    );
    let asked = |with: &str, more: &[&str], parts: &[&str]| {
        refused(&[&["own.toml", "--inputs", "inputs.csv", "--with", with], more].concat(), parts);
    };
    for with in ["ntk", "network"] {
        asked(with, &["--covariance", "c.npy"], &["--covariance", &format!("{with} has no covariance"), "--with nngp"]);
    }
    asked("nngp", &["--at", "1"], &["--at", "nngp is a posterior", "--with deep-ensemble"]);
    asked("network", &["--at", "1"], &["--at", "as long as the config says"]);
    asked("ntk", &["--network", "n.safetensors"], &["--network", "in no file", "--with network"]);
    asked("network", &["--network", "n.safetensors"], &["n.safetensors: no such file"]);
    for wrong in ["-1", "inf", "soon", "1.5steps"] {
        asked("ntk", &[&format!("--at={wrong}")], &[wrong, "as 2.5"]);
    }
    let training = ["--at", "training", "--set"];
    for (setting, parts) in [
        ("train.stop={training-loss=0.1}", &["`train.stop`", "training-loss", "number of steps"][..]),
        ("train.optimizer={adam={}}", &["`train.optimizer`", "Adam"]),
    ] {
        asked("ntk", &[&training[..], &[setting, "--set", "train.step={absolute=1e-3}"]].concat(), parts);
    }
    npy::write(&desk.path("many.npy"), &Matrix::zeros(1_000_000, 2)).unwrap();
    refused(
        &["own.toml", "--inputs", "many.npy", "--with", "nngp", "--covariance", "c.npy"],
        &["the covariance of 1000000 inputs given 20 training inputs takes 160", "leave out `--covariance`"],
    );
    let centred = ["--set", "train.initial_function=centred"];
    asked("deep-ensemble", &centred, &["`train.initial_function`", "their deviation is 0"]);
    desk.write("yacht.csv", "-2.3,0.568,4.78,3.99,3.17,0.125\n");
    refused(&["tiny.toml", "--inputs", "yacht.csv"], &["2 architectures where one is needed", "--set arch.width="]);
    let unstable = ["train.step={fraction-of-bound=3.0}", "train.allow_unstable=true", "train.n_steps=400"];
    let set: Vec<&str> = unstable.iter().flat_map(|setting| ["--set", setting]).collect();
    let networks = ["own.toml", "--inputs", "inputs.csv", "--with", "network"];
    refused(&[&networks[..], &set[..]].concat(), &["`train.step`", "seed 0 diverged", "lower the step size"]);
}
