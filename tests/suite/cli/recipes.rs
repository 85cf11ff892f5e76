//! Recipes other than the theorem's: what is trained, recorded and told.

use super::Desk;

fn number(row: &serde_json::Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} of {row}"))
}

#[test]
fn every_recipe_trains_and_its_row_says_which_it_was() {
    for (settings, optimizer) in [
        (&["train.optimizer={momentum=0.9}"][..], "momentum"),
        (&["train.optimizer={adam={}}", "train.step={absolute=0.01}"], "adam"),
        (&["train.batches={shuffled=5}"], "gradient-descent, batches of 5, shuffled"),
        (
            &["train.batches={drawn=5}", "train.schedule=cosine"],
            "gradient-descent, batches of 5, drawn, schedule cosine",
        ),
        (
            &["train.weight_decay=0.001", "train.schedule={warmup=3}"],
            "gradient-descent, schedule warmup, weight decay 0.001",
        ),
        (
            &["train.stop={validation={every=2,patience=1}}", "data.n_validation=6", "data.label_noise=0.3"],
            "gradient-descent",
        ),
        (
            &["arch.parametrization=mup", "train.initial_function=antisymmetric", "arch.laziness=2.0"],
            "gradient-descent",
        ),
    ] {
        let desk = Desk::new();
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        desk.ntk(&["run", "tiny.toml", "-q"].into_iter().chain(settings).collect::<Vec<_>>());
        for row in desk.rows("runs/tiny") {
            assert_eq!(row["optimizer"], optimizer);
            assert_eq!(row["outcome"], "completed");
            assert!(number(&row, "identity_residual") < 1e-10);
            // Adam keeps no time for gradient descent to train as long as; a decay alone leaves gradient descent what it is.
            let is_split = optimizer.contains("batches") || optimizer.contains("schedule") || optimizer == "momentum";
            assert_eq!(row["gap_optimizer"].is_number(), is_split, "{optimizer}");
        }
        let report = desk.text("runs/tiny/report.md");
        assert_eq!(report.contains("f_GD"), optimizer != "gradient-descent" && optimizer != "adam", "{optimizer}");
        assert_eq!(report.contains("keeps no time"), optimizer == "adam", "{optimizer}");
    }
}

#[test]
fn momentum_leads_elsewhere_than_gradient_descent_and_its_part_of_the_gap_shrinks_with_its_steps() {
    // The same time in ever smaller steps: momentum then follows the same flow.
    let part = |n_steps: usize, step: f64| -> f64 {
        let desk = Desk::new();
        let settings = [
            "train.optimizer={momentum=0.5}".to_owned(),
            format!("train.n_steps={n_steps}"),
            format!("train.step={{fraction-of-bound={step}}}"),
            "compute.dtype=f64".to_owned(),
        ];
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        desk.ntk(&["run", "tiny.toml", "-q"].into_iter().chain(settings).collect::<Vec<_>>());
        desk.rows("runs/tiny").iter().map(|row| number(row, "gap_optimizer")).sum()
    };
    let (coarse, fine) = (part(10, 0.4), part(160, 0.025));
    assert!(coarse > 0.0 && fine < 0.5 * coarse, "{coarse} {fine}");
}

#[test]
fn one_step_size_in_function_space_serves_every_parametrization() {
    let rates = |settings: &[&str]| -> Vec<f64> {
        let desk = Desk::new();
        let all = ["train.step={function-space=0.3}"].iter().chain(settings).flat_map(|setting| ["--set", setting]);
        desk.ntk(&["run", "tiny.toml", "-q"].into_iter().chain(all).collect::<Vec<_>>());
        desk.rows("runs/tiny").iter().map(|row| number(row, "learning_rate")).collect()
    };
    assert!(rates(&[]).iter().all(|rate| *rate == 0.3));
    // Widths 4 and 8, two seeds each: mup's kernel is that much smaller, a lazy one's alpha^2 larger.
    for (rate, expected) in rates(&["arch.parametrization=mup"]).iter().zip([1.2, 1.2, 2.4, 2.4]) {
        assert!((rate - expected).abs() < 1e-12, "{rate}");
    }
    assert!(rates(&["arch.laziness=3.0"]).iter().all(|rate| (rate - 0.3 / 9.0).abs() < 1e-14));
    // The readout's gradient is not divided by the width, the first layer's not by the input dimension.
    assert!(rates(&["arch.parametrization=standard"]).iter().all(|rate| *rate < 0.3));
}

#[test]
fn a_target_that_was_not_reached_is_marked_wherever_it_enters() {
    let desk = Desk::new();
    let ended = desk.call(&["run", "tiny.toml", "--set", "train.stop={training-loss=1e-9}"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("without meeting its rule to stop"), "{}", ended.stderr);
    assert!(desk.rows("runs/tiny").iter().all(|row| row["is_reached"] == false && row["stop"] == "training-loss"));
    let report = desk.text("runs/tiny/report.md");
    assert!(report.contains("**4 of 4 networks took all their steps without meeting the rule to stop**"), "{report}");
    assert_eq!(report.matches("| 1 \u{2020} |").count(), 3, "{report}");
    assert_eq!(report.matches("networks took all their steps without meeting their rule").count(), 5, "{report}");
    desk.ntk(&["run", "tiny.toml", "-q", "--out", "easy", "--set", "train.stop={training-loss=10.0}"]);
    assert!(desk.rows("easy").iter().all(|row| row["is_reached"] == true && number(row, "n_steps") == 0.0));
    assert!(!desk.text("easy/report.md").contains('\u{2020}'));
}

#[test]
fn classes_have_their_accuracy_and_the_cross_entropy_predicts_probabilities() {
    let desk = Desk::new();
    let classes = ["--set", "data.source={vendored='wine'}", "--set", "data.n_train=60", "--set", "data.n_test=40"];
    let with = |more: &[&'static str]| classes.iter().chain(more).copied().collect::<Vec<_>>();
    desk.ntk(&[&["run", "tiny.toml", "-q"][..], &with(&["--set", "train.n_steps=100"])].concat());
    for row in desk.rows("runs/tiny") {
        // Three classes: a guess is right once in three.
        assert!(number(&row, "accuracy_network") > 0.6 && number(&row, "accuracy_ntk") > 0.8, "{row}");
    }
    assert!(desk.text("runs/tiny/report.md").contains("## Accuracy"));
    let entropy = with(&["--set", "train.loss=cross-entropy", "--set", "arch.width=8", "--set", "train.n_steps=50"]);
    desk.refused(
        2,
        &[&["run", "tiny.toml", "--out", "r"][..], &entropy].concat(),
        &["`train.loss`", "predict --with network"],
    );
    desk.write("new.csv", &format!("{}\n", ["0.5"; 13].join(",")));
    let predicted =
        desk.ntk(&[&["predict", "tiny.toml", "--inputs", "new.csv", "--with", "network"][..], &entropy].concat());
    let line = predicted.lines().last().unwrap();
    let numbers: Vec<f64> = line.split(',').filter_map(|cell| cell.parse().ok()).collect();
    assert!(
        (numbers[..3].iter().sum::<f64>() - 1.0).abs() < 1e-6 && numbers[..3].iter().all(|p| (0.0..=1.0).contains(p)),
        "{predicted}"
    );
}

#[test]
fn networks_are_kept_on_request_in_either_format() {
    for (format, extension) in [("safetensors", "safetensors"), ("burn", "bpk")] {
        let desk = Desk::new();
        desk.ntk(&["run", "tiny.toml", "-q"]);
        let rows = desk.text("runs/tiny/rows.jsonl");
        desk.ntk(&["run", "tiny.toml", "-q", "--set", &format!("output.networks={format}")]);
        let files = desk.files("runs/tiny/networks");
        assert_eq!(files.len(), 4);
        assert!(files.iter().all(|(path, bytes)| path.extension().is_some_and(|end| end == extension)
            && String::from_utf8_lossy(bytes).contains("network.maps.0.weight")));
        assert_eq!(desk.text("runs/tiny/rows.jsonl"), rows);
        assert!(!desk.path("runs/tiny/unfinished").exists());
    }
}
