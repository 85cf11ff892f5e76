//! Configs and data that cannot be used: exit code 2 (the machine's faults: 1), one message with place, value and remedy, and
//! nothing written.

use super::{Desk, OWN, TINY};

#[track_caller]
fn refused_file(config: &str, parts: &[&str]) {
    let desk = Desk::new();
    desk.write("bad.toml", config);
    desk.refused(2, &["run", "bad.toml"], &[&["bad.toml"], parts].concat());
    desk.refused(2, &["config", "check", "bad.toml"], parts);
}

#[test]
fn a_file_that_is_no_config_is_refused_with_line_and_column() {
    refused_file("this is not TOML\n", &["line 1", "expected"]);
    refused_file(&TINY.replace("n_steps", "n_stesp"), &["n_stesp = 5", "line 15", "unknown field `n_stesp`, expected"]);
    refused_file(&TINY.replace("n_steps = 5", "n_steps = \"five\""), &["line 15", "\"five\"", "expected usize"]);
    refused_file(&TINY.replace("[4, 8]", "[4, -8]"), &["line 10", "-8", "expected usize"]);
    refused_file(&TINY.replace("\"relu\"", "\"rleu\""), &["line 11", "unknown variant `rleu`", "`relu`"]);
    refused_file(&TINY.replace("[train]", "[trian]"), &["line 14", "unknown field `trian`"]);
    refused_file(&TINY.replace("n_steps = 5\n", ""), &["missing field `n_steps`"]);
}

#[test]
fn an_absent_config_and_a_folder_in_its_place_are_refused() {
    let desk = Desk::new();
    let remedy = "`ntk config init` prints a config to begin from";
    desk.refused(2, &["run", "absent.toml"], &["absent.toml: no such file", remedy]);
    desk.refused(2, &["kernel", "absent.toml", "--x1", "x.csv", "--out", "k"], &["absent.toml: no such file", remedy]);
    desk.refused(2, &["run", "."], &["cannot read .", "directory"]);
    std::fs::write(desk.path("bytes.toml"), [0x93, 0xff, 0x00]).unwrap();
    desk.refused(2, &["run", "bytes.toml"], &["bytes.toml: the text is not UTF-8", "TOML"]);
}

#[test]
fn an_impossible_value_is_refused_by_its_key_with_the_remedy() {
    let desk = Desk::new();
    for (setting, parts) in [
        ("arch.width=0", &["`arch.width`", "width 0", "at least one unit"][..]),
        ("arch.width=[]", &["`arch.width`", "empty", "at least one value"]),
        ("arch.width=[4,4]", &["`arch`", "depth 1, width 4 is there twice", "once"]),
        ("arch.depth=0", &["`arch`", "is there twice", "at depth 0 there is no width to vary"]),
        ("arch.width=100000000000000000", &["`arch.width`", "100000000000000000", "4294967296 parameters", "lower it"]),
        ("arch.w_std=-1", &["`arch.w_std`", "-1", "1.4142135623730951"]),
        ("arch.w_std=1e200", &["not finite", "step 1, affine map to 4", "lower `arch.w_std`"]),
        ("arch.b_std=-0.5", &["`arch.b_std`", "-0.5", "use 0"]),
        ("arch.d_out=3", &["`arch.d_out`", "3 outputs, but the data have 1", "leave it out"]),
        ("arch.layers=[{dense=4}]", &["`arch.layers`", "twice", "keep one"]),
        ("train.ridge={absolute=-0.1}", &["`train.ridge.absolute`", "-0.1", "not negative"]),
        ("train.ridge={relative-to-trace=nan}", &["`train.ridge.relative-to-trace`", "NaN", "finite"]),
        ("train.step={absolute=100.0}", &["`train.step.absolute`", "100", "stability bound 2.0", "lower it"]),
        ("train.step={absolute=0.0}", &["`train.step.absolute`", "0 is not a positive number"]),
        ("train.step={fraction-of-bound=1.5}", &["`train.step.fraction-of-bound`", "1.5", "allow_unstable"]),
        ("train.step={function-space=-1}", &["`train.step.function-space`", "-1 is not a positive number"]),
        ("train.step={function-space=50.0}", &["`train.step.function-space`", "50", "stability bound", "lower it"]),
        ("train.optimizer={momentum=1.5}", &["`train.optimizer.momentum`", "1.5", "0.9 is usual"]),
        ("train.optimizer={adam={}}", &["`train.step.fraction-of-bound`", "Adam has no stability bound", "absolute"]),
        ("train.batches={shuffled=17}", &["`train.batches`", "17 rows", "16 for training"]),
        ("train.batches={drawn=0}", &["`train.batches`", "0 rows"]),
        ("train.schedule={stairs={every=0,factor=0.5}}", &["`train.schedule.stairs.every`", "at least 1"]),
        ("train.stop={training-loss=0.0}", &["`train.stop.training-loss`", "0 is not a positive number"]),
        (
            "train.stop={validation={every=1,patience=1}}",
            &["`train.stop.validation`", "no validation rows", "n_validation"],
        ),
        ("train.loss=cross-entropy", &["`train.loss`", "these data are numbers", "squared"]),
        ("train.weight_decay=-1", &["`train.weight_decay`", "-1", "from 0 up"]),
        ("arch.laziness=0", &["`arch.laziness`", "0 is not a positive number"]),
        ("data.label_noise=-1", &["`data.label_noise`", "-1 is no standard deviation"]),
        ("data.n_validation=400", &["`data.n_validation`", "400 validation rows", "at most 291"]),
        ("train.n_steps=0", &["`train.n_steps`", "0 is too few", "at least one step"]),
        ("train.n_checkpoints=1", &["`train.n_checkpoints`", "1 is too few", "at least 2"]),
        ("train.n_checkpoints=10000000000", &["`train.n_checkpoints`", "10000000000", "some tens"]),
        ("seeds.n_seeds=0", &["`seeds.n_seeds`", "0 is too few", "at least one seed"]),
        ("seeds.n_seeds=10000000000", &["`seeds.n_seeds`", "10000000000 seeds of 2", "lower it"]),
        ("compute.threads=0", &["`compute.threads`", "0 is too few", "leave it out"]),
        ("compute.threads=1000000", &["`compute.threads`", "1000000", "leave it out"]),
        ("verdict.margin=0.0", &["`verdict.margin`", "0 is not a positive number", "RMS gap"]),
        ("verdict.confidence=95", &["`verdict.confidence`", "95 is not between 0 and 1", "0.95"]),
        ("verdict.confidence=0.9999999999999999", &["`verdict.confidence`", "0.9999999999999999", "0.95"]),
        ("study.name=", &["`study.name`", "``", "--out"]),
        ("study.name=../up", &["`study.name`", "`../up` cannot name a folder", "--out"]),
        ("data.n_test=1000", &["`data.n_test`", "1000 test rows", "308 rows", "at most 292"]),
        ("data.n_train=400", &["`data.n_train`", "400", "at most 307"]),
        ("data.source={vendored=\"yatch\"}", &["`yatch`", "did you mean `yacht`?", "ntk data list"]),
        ("arch.wdith=4", &["arch.wdith=4", "unknown field `wdith`", "ntk config show"]),
        ("seeds.n_seeds=two", &["seeds.n_seeds=two", "\"two\"", "expected usize"]),
        ("arch.width", &["`arch.width`", "not an assignment", "--set key=value"]),
        ("=4", &["`=4`", "not an assignment", "--set key=value"]),
        ("arch..width=4", &["`arch..width=4`", "not an assignment"]),
    ] {
        desk.refused(2, &["run", "tiny.toml", "--set", setting], parts);
    }
    desk.write("tiny.toml", &TINY.replace("w_std = 1.4142135623730951\n", ""));
    desk.refused(2, &["run", "tiny.toml"], &["`arch.w_std`", "is not given", "1.4142135623730951"]);
    assert!(!desk.path("runs").exists());
}

#[test]
fn a_step_size_the_limit_bears_but_a_small_network_does_not_names_the_network() {
    let desk = Desk::new();
    let call = ["run", "tiny.toml", "--set", "train.step={absolute=1.9}"];
    let refused = desk.call(&call);
    assert_eq!(refused.code, 2);
    for part in ["`train.step.absolute`", "1.9", "of the network (width 4, seed 0)", "fraction-of-bound"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
}

#[test]
fn backends_that_are_absent_or_unknown_are_refused() {
    let desk = Desk::new();
    if !cfg!(feature = "cuda") {
        let parts = ["built without the `cuda` backend", "--features cuda", "compiled in: flex"];
        desk.refused(2, &["run", "tiny.toml", "--backend", "cuda"], &parts);
        desk.refused(2, &["run", "tiny.toml", "--set", "compute.backend=cuda"], &parts);
        desk.refused(2, &["config", "check", "tiny.toml", "--backend", "cuda"], &parts);
    }
    desk.refused(2, &["run", "tiny.toml", "--backend", "cudda"], &["cudda", "flex, ndarray"]);
    desk.refused(2, &["run", "tiny.toml", "--set", "compute.backend=cudda"], &["cudda", "`flex`"]);
    desk.refused(2, &["run", "tiny.toml", "--dtype", "f16"], &["f16", "it is f32 or f64"]);
    desk.refused(2, &["run", "tiny.toml", "--threads", "0"], &["'0'", "--threads", "1 to 1024"]);
}

#[test]
fn a_file_of_the_user_s_that_cannot_be_used_is_refused_with_line_and_column() {
    let desk = Desk::new();
    desk.write("own.toml", OWN);
    desk.refused(2, &["run", "own.toml"], &["my.csv: no such file", "relative path"]);
    for (text, parts) in [
        ("a,b,y\n1,2,3\n1,,3\n", &["line 3, column 2 (`b`): the cell is empty", "remove the row"][..]),
        ("a,b,y\n1,2,3\n1,2,NA\n", &["line 3, column 3 (`y`): the cell is missing (`NA`)"]),
        ("a,b,y\n1,red,3\n", &["line 2, column 2 (`b`): `red` is not a number", "columns of 0 and 1"]),
        ("a,b,y\n1,inf,3\n", &["line 2, column 2 (`b`): `inf` is not a finite number"]),
        ("a\n1\n2\n", &["one column (`a`)", "separate the cells by commas"]),
        ("a,b,y\n", &["a header, but no rows below it", "add rows"]),
        ("", &["the file is empty", "one row per line"]),
        ("a,b,y\n1,2,3\n1,2\n", &["line 3: 2 cells, but line 1 has 3", "same number of cells"]),
    ] {
        desk.write("my.csv", text);
        desk.refused(2, &["run", "own.toml"], &[&["my.csv"], parts].concat());
    }
    desk.write("my.csv", "a,b,y\n1,2,3\n3,4,5\n");
    desk.refused(2, &["run", "own.toml"], &["`data.n_train`", "1 of 2 rows", "give more rows"]);
    desk.write("my.csv", "a,b,y\n1,2,3\n3,4,3\n5,6,3\n7,8,3\n");
    desk.refused(2, &["run", "own.toml"], &["the target `y` is 3 on every training row", "choose another target"]);
}
