//! Tables as people have them: whatever separates the cells, the same numbers give the same result, and what cannot be meant is refused.

use serde_json::Value;

use super::{Desk, OWN, csv, own_rows};

/// The NTK's regression on a file with this content.
fn regressed(desk: &Desk, name: &str, content: &[u8], settings: &[&str]) -> (Value, String) {
    std::fs::write(desk.path(name), content).unwrap();
    desk.write("own.toml", OWN);
    let path = format!("data.source.csv.path={name}");
    let call = ["regress", "own.toml", "--out", name.split('.').next().unwrap(), "--set", &path];
    let more = ["--set", "regress.kernels=[\"ntk\"]"];
    let set: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let ended = desk.call(&[&call[..], &more, &set].concat());
    assert_eq!(ended.code, 0, "{name}: {}", ended.stderr);
    (desk.rows(name.split('.').next().unwrap())[0].clone(), ended.stderr)
}

#[test]
fn a_table_means_the_same_whatever_separates_its_cells() {
    let desk = Desk::new();
    let plain = format!("a,b,y\n{}", csv(&own_rows(30), 3));
    let (expected, _) = regressed(&desk, "plain.csv", plain.as_bytes(), &[]);
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(plain.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let rows = csv(&own_rows(30), 3);
    let arff = format!("@relation r\n@attribute a numeric\n@attribute b numeric\n@attribute y numeric\n@data\n{rows}");
    for (name, content, said) in [
        ("semicolon.csv", plain.replace(',', ";").into_bytes(), "semicolons"),
        ("tab.csv", plain.replace(',', "\t").into_bytes(), "tabs"),
        ("comma.csv", plain.replace(',', ";").replace('.', ",").into_bytes(), "The decimal mark is a comma"),
        ("comment.csv", format!("# made by a sensor\n{plain}").into_bytes(), "comments: 1"),
        ("trailing.csv", plain.replace('\n', ",\n").into_bytes(), "ends in a delimiter"),
        ("bom.csv", format!("\u{feff}{plain}").into_bytes(), "column names"),
        ("wide.csv", utf16, "column names"),
        ("table.arff", arff.into_bytes(), "ARFF"),
    ] {
        let (row, stderr) = regressed(&desk, name, &content, &[]);
        for key in ["mse_test", "mse_train", "ridge", "n_train", "d_in"] {
            assert_eq!(row[key], expected[key], "{name}: {key}");
        }
        assert!(stderr.contains(said), "{name}: {stderr}");
    }
}

#[test]
fn columns_are_chosen_by_name_and_missing_cells_are_counted() {
    let desk = Desk::new();
    let rows = own_rows(30);
    let (expected, _) = regressed(&desk, "plain.csv", format!("a,b,y\n{}", csv(&rows, 3)).as_bytes(), &[]);
    let dated = |row: &[f64; 3]| format!("x,{},{},{}\n", row[2], row[0], row[1]);
    let table = format!("when,y,a,b\n{}", rows.iter().map(dated).collect::<String>());
    let target = "data.source.csv.target=y";
    for choice in ["data.source.csv.ignore=[\"when\"]", "data.source.csv.inputs=[\"a\",\"b\"]"] {
        let (row, _) = regressed(&desk, "dated.csv", table.as_bytes(), &[target, choice]);
        assert_eq!(row["mse_test"], expected["mse_test"], "{choice}");
        std::fs::remove_dir_all(desk.path("dated")).unwrap();
    }
    let holes = format!("a,b,y\n1,NA,3\n-200,2,3\n{}", csv(&rows, 3));
    let drop = ["data.source.csv.missing=\"drop-rows\"", "data.source.csv.missing_values=[\"-200\"]"];
    let (row, stderr) = regressed(&desk, "holes.csv", holes.as_bytes(), &drop);
    assert_eq!(row["mse_test"], expected["mse_test"]);
    assert!(stderr.contains("note: 2 of 32 rows have a missing cell and were left out."), "{stderr}");
}

#[test]
fn labels_that_are_missing_are_refused_and_a_first_row_of_data_is_no_header() {
    let desk = Desk::new();
    desk.write("own.toml", OWN);
    let classify = ["regress", "own.toml", "--set", "data.source.csv.task=classification"];
    for missing in ["nan", "None", "-", "#N/A", "NA", "?", ""] {
        desk.write("my.csv", &format!("a,b,kind\n1,2,u\n3,4,{missing}\n5,6,v\n"));
        desk.refused(2, &classify, &["my.csv, line 3, column 3 (`kind`)", "missing = \"drop-rows\""]);
    }
    // Every row has a label of text, the first too.
    let labelled = |(i, row): (usize, &[f64; 3])| format!("{},{},{}\n", row[0], row[1], ["u", "v"][i % 2]);
    let table: String = own_rows(40).iter().enumerate().map(labelled).collect();
    let (row, stderr) = regressed(&desk, "bare.csv", table.as_bytes(), &["data.source.csv.task=classification"]);
    assert_eq!(row["n_train"].as_u64().unwrap() + row["n_test"].as_u64().unwrap(), 40);
    assert!(stderr.contains("note: The file has no header"), "{stderr}");
}

#[test]
fn merged_labels_are_shares_in_the_cross_entropy_and_in_the_accuracy() {
    let desk = Desk::new();
    let table: String = (0..30).map(|u| format!("{u},a\n{u},{}\n{u},b\n", ["a", "b"][u / 15])).collect();
    let classification = "data.source.csv.task=classification";
    let (row, stderr) = regressed(&desk, "my.csv", format!("u,kind\n{table}").as_bytes(), &[classification]);
    // Two of three labels are the best that one prediction for each input can get.
    assert!(row["accuracy"].as_f64().unwrap() <= 2.0 / 3.0 + 1e-12, "{row}");
    assert!(stderr.contains("note: 60 of 90 rows repeat the inputs of an earlier row"), "{stderr}");

    desk.write("few.csv", "u,kind\n0,a\n0,a\n0,b\n2,a\n2,b\n2,b\n5,a\n5,b\n9,a\n9,b\n");
    desk.write("new.csv", "0\n2\n");
    let settings = ["data.source.csv.path=few.csv", classification, "train.loss=cross-entropy", "data.n_train=3"];
    let set: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let call = ["predict", "own.toml", "--inputs", "new.csv", "--at", "1000000steps"];
    let predicted = desk.ntk(&[&call[..], &set].concat());
    let shares: Vec<Vec<f64>> =
        predicted.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    assert_eq!(shares.len(), 2);
    for row in &shares {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
        // Rounded to one-hot targets, as they once were, the limit would be 0 or 1.
        assert!(row.iter().all(|share| (0.2..0.8).contains(share)), "{shares:?}");
    }
}

#[test]
fn new_inputs_are_matched_by_their_names_and_a_line_that_counts_columns_is_refused() {
    let desk = Desk::new();
    desk.write("own.toml", OWN);
    desk.write("my.csv", &format!("a,b,y\n{}", csv(&own_rows(30), 3)));
    let predict = |text: &str| {
        desk.write("new.csv", text);
        desk.ntk(&["predict", "own.toml", "--inputs", "new.csv"])
    };
    let expected = predict("0.1,0.2\n0.3,0.4\n");
    for text in ["a,b\n0.1,0.2\n0.3,0.4\n", "b,a\n0.2,0.1\n0.4,0.3\n", "y,b,a\n7,0.2,0.1\n7,0.4,0.3\n"] {
        assert_eq!(predict(text), expected, "{text}");
    }
    desk.write("new.csv", "a,c\n0.1,0.2\n");
    desk.refused(2, &["predict", "own.toml", "--inputs", "new.csv"], &["new.csv", "`b`"]);
    desk.write("new.csv", "0,1\n0.1,0.2\n0.3,0.4\n");
    desk.refused(2, &["predict", "own.toml", "--inputs", "new.csv"], &["new.csv, line 1", "only counts the columns"]);
}
