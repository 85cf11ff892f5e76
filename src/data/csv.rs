//! A user's CSV file: one row per line, numeric inputs, one target column.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::columns::{Choice, Chosen, ColumnNames};
use super::dataset::{Dataset, Task};
use super::dialect::{Decimal, Delimiter};
use super::labels::one_hot;
use super::missing::Missing;
use super::rows::Row;
use super::table::{Reading, Table};
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// Which file, how it is written, and which of its columns are to be predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvSource {
    /// The file, plain or gzip; a relative path starts at the config file's folder.
    pub path: PathBuf,
    /// Names of the target columns (`column 3`, say, without a header); absent: the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<ColumnNames>,
    /// Whether the first line holds column names; absent: inferred, and said in a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// Whether the target is a number or a label.
    #[serde(default)]
    pub task: Task,
    /// Names of the input columns; absent: all but the targets and those of `ignore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<ColumnNames>,
    /// Names of columns that are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<ColumnNames>,
    /// What separates cells; absent: inferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// What precedes the decimals of a number; absent: inferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// What becomes of rows with a missing cell in a column that is used.
    #[serde(default, skip_serializing_if = "Missing::is_refuse")]
    pub missing: Missing,
    /// Cells that stand for a missing value, as -200, besides empty ones, `?`, `NA` and their like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_values: Vec<String>,
}

impl CsvSource {
    /// Reads the file; a relative path starts at `base`.
    ///
    /// # Errors
    /// When the file is absent or is not a rectangular table of finite numbers with the target in it; the error names
    /// the line, the column and the remedy.
    pub fn load(&self, base: &Path) -> Result<Dataset> {
        let path = base.join(&self.path);
        let names = |names: &Option<ColumnNames>| names.as_ref().map(ColumnNames::to_vec);
        let choice = Choice { targets: names(&self.target), inputs: names(&self.inputs), ignored: names(&self.ignore) };
        let reading = Reading {
            header: self.header,
            delimiter: self.delimiter,
            decimal: self.decimal,
            missing_values: self.missing_values.clone(),
            known_names: Vec::new(),
        };
        let table = Table::read(&path, &reading)?;
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = file_name.trim_end_matches(".gz").trim_end_matches(".csv");
        let citation = format!("{file_name} (the user's own file)");
        read_dataset(&table, &choice, self.missing, self.task, name, &citation)
    }
}

/// The data set in a table: the targets (the last column unless named) and all others as inputs, unless they are named.
pub(super) fn read_dataset(
    table: &Table,
    choice: &Choice,
    missing: Missing,
    task: Task,
    name: &str,
    citation: &str,
) -> Result<Dataset> {
    if table.names.len() == 1 {
        return Err(Error::input(
            &table.place,
            format!("one column (`{}`); inputs and a target make at least two", table.names[0]),
            "separate the cells by commas, semicolons, tabs or spaces, or set `delimiter`",
        ));
    }
    let Chosen { inputs: input_columns, targets: target_columns, note } = choice.find(&table.place, &table.names)?;
    let mut notes = table.notes.clone();
    notes.extend(note);
    let used: Vec<usize> = input_columns.iter().chain(&target_columns).copied().collect();
    let (rows, n_dropped) = rows_to_use(table, missing, &used)?;
    if n_dropped > 0 {
        notes.push(format!("{n_dropped} of {} rows have a missing cell and were left out.", table.rows.len()));
    }
    let inputs = read_numbers(
        table,
        &rows,
        &input_columns,
        "inputs are numbers: code categories as columns of 0 and 1, or leave the column out with `ignore`; a number has a decimal point, \
         or else set `decimal`",
    )?;
    let names_of = |columns: &[usize]| columns.iter().map(|&column| table.names[column].clone()).collect::<Vec<_>>();
    let (target_names, targets) = match (task, &target_columns[..]) {
        (Task::Regression, _) => {
            let remedy = "write a number with a decimal point, or set `task = \"classification\"` to predict labels";
            (names_of(&target_columns), read_numbers(table, &rows, &target_columns, remedy)?)
        }
        (Task::Classification, &[target]) => read_classes(table, &rows, target)?,
        (Task::Classification, _) => {
            return Err(Error::config(
                "data.source.csv.target",
                format!("{} columns of labels", target_columns.len()),
                "name one column, or set `task = \"regression\"`",
            ));
        }
    };
    let mut dataset = Dataset::new(name, citation, task, (names_of(&input_columns), inputs), (target_names, targets))?;
    dataset.notes = notes;
    Ok(dataset)
}

/// The rows that `missing` leaves, and how many it does not.
fn rows_to_use<'a>(table: &'a Table, missing: Missing, columns: &[usize]) -> Result<(Vec<&'a Row>, usize)> {
    let is_whole = |row: &Row| !columns.iter().any(|&column| table.is_missing(row, column));
    let rows: Vec<&Row> = match missing {
        Missing::Refuse => table.rows.iter().collect(),
        Missing::DropRows => table.rows.iter().filter(|row| is_whole(row)).collect(),
    };
    if rows.is_empty() {
        return Err(Error::input(
            &table.place,
            format!("each of the {} rows has a missing cell", table.rows.len()),
            "leave the column that is mostly missing out with `ignore`",
        ));
    }
    let n_dropped = table.rows.len() - rows.len();
    Ok((rows, n_dropped))
}

/// Inputs of the user's own, for a model that was trained on other rows.
#[derive(Debug, Clone, PartialEq)]
pub struct NewInputs {
    /// `[n, d_in]`, with the columns of the training inputs in their order.
    pub values: Matrix,
    /// What was found in the file and done about it, in sentences.
    pub notes: Vec<String>,
}

/// Reads a file of inputs, one row per line. Under a header, the columns of `names` are taken by their names; without
/// one, or without `names`, all columns are taken as they stand.
///
/// # Shapes
/// `[n, d_in]`.
///
/// # Errors
/// When the file is absent, lacks a column, or is not a rectangular table of finite numbers; the error names the line and the column.
pub fn read_inputs(path: &Path, names: Option<&[String]>) -> Result<NewInputs> {
    let reading = Reading { known_names: names.unwrap_or_default().to_vec(), ..Reading::default() };
    let table = Table::read(path, &reading)?;
    let mut notes = table.notes.clone();
    let columns: Vec<usize> = match names {
        Some(names) if table.has_header => {
            let choice = Choice { targets: None, inputs: Some(names.to_vec()), ignored: None };
            let columns = choice.find_inputs(&table.place, &table.names)?;
            let others: Vec<&str> =
                (0..table.names.len()).filter(|j| !columns.contains(j)).map(|j| table.names[j].as_str()).collect();
            if !others.is_empty() {
                notes.push(format!("These columns are not inputs and were ignored: {}.", others.join(", ")));
            }
            columns
        }
        _ => (0..table.names.len()).collect(),
    };
    let rows: Vec<&Row> = table.rows.iter().collect();
    let values = read_numbers(&table, &rows, &columns, "the file must hold numbers only, with a decimal point")?;
    Ok(NewInputs { values, notes })
}

fn read_numbers(table: &Table, rows: &[&Row], columns: &[usize], remedy_for_text: &str) -> Result<Matrix> {
    let mut values = Vec::with_capacity(rows.len() * columns.len());
    for row in rows {
        for &column in columns {
            values.push(table.number(row, column, remedy_for_text)?);
        }
    }
    Matrix::from_vec(rows.len(), columns.len(), values)
}

fn read_classes(table: &Table, rows: &[&Row], target: usize) -> Result<(Vec<String>, Matrix)> {
    let labels = rows.iter().map(|row| table.label(row, target)).collect::<Result<Vec<_>>>()?;
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let (classes, targets) = one_hot(&labels);
    let place = || format!("{}, column {} (`{}`)", table.place, target + 1, table.names[target]);
    if classes.len() == 1 {
        return Err(Error::input(
            place(),
            format!("every row has the label `{}`", classes[0]),
            "classification takes at least two classes; set `target` to the column of labels",
        ));
    }
    if classes.len() == labels.len() && labels.len() > 2 {
        return Err(Error::input(
            place(),
            format!("each of the {} rows has a label of its own, so no class can be learned", labels.len()),
            "set `task = \"regression\"` to predict numbers, or set `target` to the column of labels",
        ));
    }
    Ok((classes, targets))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, source: &str) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("my.csv"), text).unwrap();
        let source: CsvSource = toml::from_str(&format!("path = 'my.csv'\n{source}")).unwrap();
        source.load(folder.path())
    }

    #[track_caller]
    fn assert_refused(text: &str, source: &str, parts: &[&str]) {
        let message = load(text, source).unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
    }

    #[test]
    fn the_target_is_the_last_column_or_the_one_named() {
        let text = "a,b,c\n1,2,3\n4,5,6\n";
        let last = load(text, "").unwrap();
        assert_eq!(
            (last.name.as_str(), last.input_names, last.target_names),
            ("my", vec!["a".into(), "b".into()], vec!["c".into()])
        );
        let named = load(text, "target = 'a'").unwrap();
        assert_eq!(named.inputs.values(), [2., 3., 5., 6.]);
        assert_eq!(named.targets.values(), [1., 4.]);
        let without_header = load("1,2,3\n4,5,6\n", "header = false\ntarget = 'column 2'").unwrap();
        assert_eq!(without_header.targets.values(), [2., 5.]);
    }

    #[test]
    fn labels_become_one_column_per_class() {
        let iris = load("a,kind\n1,rose\n2,lily\n3,rose\n", "task = 'classification'").unwrap();
        assert_eq!(iris.target_names, ["lily", "rose"]);
        assert_eq!(iris.targets.values(), [0., 1., 1., 0., 0., 1.]);
    }

    #[test]
    fn a_file_without_usable_rows_is_refused_with_the_remedy() {
        assert_refused("", "", &["my.csv: the file is empty", "one row per line"]);
        assert_refused("a,b\n", "", &["my.csv: a header, but no rows below it", "add rows"]);
        assert_refused("a\n1\n2\n", "", &["my.csv: one column (`a`)", "set `delimiter`"]);
        assert_refused(
            "a,b\n1,2\n\n1,2,3\n",
            "",
            &["my.csv, line 4: 3 cells, but line 1 has 2", "same number of cells"],
        );
    }

    #[test]
    fn a_cell_that_is_not_a_number_is_refused_with_its_place_and_the_remedy() {
        assert_refused(
            "age,y\n1,2\n,2\n",
            "",
            &["my.csv, line 3, column 1 (`age`): the cell is empty", "remove the row"],
        );
        assert_refused("age,y\n1,2\nNA,2\n", "", &["line 3, column 1 (`age`): the cell is missing (`NA`)"]);
        assert_refused("age,y\nold,2\n", "", &["line 2, column 1 (`age`): `old` is not a number", "0 and 1"]);
        assert_refused("age,y\nnan,2\n", "", &["line 2, column 1 (`age`): the cell is missing (`nan`)"]);
        assert_refused("age,y\n1,inf\n", "", &["line 2, column 2 (`y`): `inf` is not a finite number"]);
        assert_refused("age,y\n1e999,2\n", "", &["`1e999` is not a finite number"]);
        assert_refused(
            "age,y\n1,2\n1,yes\n2,3\n",
            "",
            &["column 2 (`y`): `yes` is not a number", "task = \"classification\""],
        );
        assert_refused("a,b\n1,2\n", "header = false", &["line 1: no cell is a number", "header = true"]);
    }

    #[test]
    fn a_target_that_cannot_be_meant_is_refused_with_the_names_to_choose_from() {
        let parts = ["no column is named `strenght`; did you mean `strength`?", "one of: age, strength"];
        assert_refused("age,strength\n1,2\n", "target = 'strenght'", &parts);
        assert_refused("a,y\n1,u\n2,u\n", "task = 'classification'", &["column 2 (`y`): every row has the label `u`"]);
        assert_refused("a,y\n1,.1\n2,.2\n3,.3\n", "task = 'classification'", &["each of the 3 rows", "regression"]);
    }

    #[test]
    fn an_absent_file_is_refused_with_the_path_that_was_tried() {
        let source: CsvSource = toml::from_str("path = 'absent.csv'").unwrap();
        let message = source.load(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(message.contains("/nowhere/absent.csv: no such file"), "{message}");
        assert!(message.contains("that file's folder"), "{message}");
    }

    #[test]
    fn inputs_are_matched_by_name_under_a_header_and_taken_in_order_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("points.csv");
        let names = ["u".to_owned(), "v".to_owned()];
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_inputs(&path, Some(&names))
        };
        for text in ["1,2\n3,-4e1\n", "u,v\n1,2\n3,-40\n", "v,u\n2,1\n-40,3\n", "y,v,u\n9,2,1\n9,-40,3\n"] {
            let expected = Matrix::from_vec(2, 2, vec![1., 2., 3., -40.]).unwrap();
            assert_eq!(read(text).unwrap().values, expected, "{text}");
        }
        let notes = read("y,v,u\n9,2,1\n").unwrap().notes.join(" ");
        assert!(notes.contains("not inputs and were ignored: y."), "{notes}");
        let message = |text: &str| read(text).unwrap_err().to_string();
        assert!(message("u,w\n1,2\n").contains("no column is named `v`"));
        assert!(message("0,1\n0.1,0.2\n").contains("pandas"));
        assert!(message("1,2\n3,x\n4,5\n6,7\n").contains("points.csv, line 2, column 2: `x` is not a number"));
    }

    #[test]
    fn columns_are_chosen_by_name_and_several_can_be_targets() {
        let text = "time,a,b,y\n1,2,3,4\n5,6,7,8\n";
        let two = load(text, "target = ['y', 'b']\nignore = 'time'").unwrap();
        assert_eq!((two.input_names.join(" ").as_str(), two.inputs.values()), ("a", &[2., 6.][..]));
        assert_eq!((two.target_names.join(" ").as_str(), two.targets.values()), ("y b", &[4., 3., 8., 7.][..]));
        let chosen = load(text, "inputs = ['b', 'a']").unwrap();
        assert_eq!(chosen.inputs.values(), [3., 2., 7., 6.]);
        assert!(chosen.notes.join(" ").contains("not used: time"), "{:?}", chosen.notes);
        assert_refused(text, "inputs = ['a', 'y']", &["`y` is both an input and a target"]);
        assert_refused(text, "ignore = 'tiem'", &["no column is named `tiem`; did you mean `time`?"]);
    }

    #[test]
    fn a_row_with_a_missing_cell_is_dropped_and_counted_on_request() {
        let text = "u,v,y\n1,-200,3\n4,5,6\n7,8,NA\n9,1,2\n";
        let left = load(text, "missing = 'drop-rows'\nmissing_values = ['-200.0']").unwrap();
        assert_eq!(left.inputs.values(), [4., 5., 9., 1.]);
        assert!(
            left.notes.contains(&"2 of 4 rows have a missing cell and were left out.".to_owned()),
            "{:?}",
            left.notes
        );
        assert_refused(text, "missing_values = ['-200']", &["line 2, column 2 (`v`)", "drop-rows"]);
    }

    #[test]
    fn missing_and_infinite_labels_are_no_classes() {
        for label in ["nan", "None", "-", "#N/A", "?", ""] {
            let text = format!("a,kind\n1,0\n2,1\n3,{label}\n4,1.0\n");
            assert_refused(&text, "task = 'classification'", &["line 4, column 2 (`kind`)", "drop-rows"]);
            let left = load(&text, "task = 'classification'\nmissing = 'drop-rows'").unwrap();
            assert_eq!((left.target_names.join(" ").as_str(), left.n_rows()), ("0 1", 3));
        }
        assert_refused("a,kind\n1,0\n2,inf\n", "task = 'classification'", &["line 3", "no label"]);
    }

    #[test]
    fn a_file_without_a_header_keeps_its_first_row_and_says_so() {
        let labelled = load("1,west\n2,east\n3,west\n", "task = 'classification'").unwrap();
        assert_eq!((labelled.n_rows(), labelled.target_names.join(" ").as_str()), (3, "east west"));
        assert!(labelled.notes.join(" ").contains("The file has no header"), "{:?}", labelled.notes);
        assert!(load("a,y\n1,2\n", "").unwrap().notes.join(" ").contains("read as column names"));
        assert!(load("a,y\n1,2\n", "header = true").unwrap().notes.is_empty());
    }

    #[test]
    fn a_config_of_old_is_written_as_before() {
        let source: CsvSource = toml::from_str("path = 'a.csv'\ntarget = 'y'\nheader = true").unwrap();
        let text = toml::to_string(&source).unwrap();
        assert_eq!(text, "path = \"a.csv\"\ntarget = \"y\"\nheader = true\ntask = \"regression\"\n");
    }
}
