//! A user's CSV file: one row per line, numeric inputs, one target column.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::dataset::{Dataset, Task};
use super::labels::one_hot;
use super::nearest::did_you_mean;
use super::table::Table;
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// Which file, and which of its columns is to be predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvSource {
    /// The file, plain or gzip; a relative path starts at the config file's folder.
    pub path: PathBuf,
    /// Name of the target column (`column 3`, say, without a header); absent: the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whether the first line holds column names.
    #[serde(default = "yes")]
    pub header: bool,
    /// Whether the target is a number or a label.
    #[serde(default)]
    pub task: Task,
}

fn yes() -> bool {
    true
}

impl CsvSource {
    /// Reads the file; a relative path starts at `base`.
    ///
    /// # Errors
    /// When the file is absent or is not a rectangular table of finite numbers with the target in it; the error names
    /// the line, the column and the remedy.
    pub fn load(&self, base: &Path) -> Result<Dataset> {
        let path = base.join(&self.path);
        let table = Table::read(&path, self.header)?;
        if !self.header && table.begins_with_text() {
            return Err(Error::input(
                format!("{}, line {}", table.place, table.rows[0].line),
                "no cell is a number: it looks like a header",
                "set `header = true`",
            ));
        }
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = file_name.trim_end_matches(".gz").trim_end_matches(".csv");
        read_dataset(&table, self.target.as_deref(), self.task, name, &format!("{file_name} (the user's own file)"))
    }
}

/// The data set in a table: the target column (the last one unless named) and all others as inputs.
pub(super) fn read_dataset(
    table: &Table,
    target: Option<&str>,
    task: Task,
    name: &str,
    citation: &str,
) -> Result<Dataset> {
    let n_columns = table.names.len();
    if n_columns == 1 {
        return Err(Error::input(
            &table.place,
            format!("one column (`{}`); inputs and a target make at least two", table.names[0]),
            "separate the cells by commas (not by semicolons, tabs or spaces)",
        ));
    }
    let target = target.map_or(Ok(n_columns - 1), |target| find_column(table, target))?;
    let input_columns: Vec<usize> = (0..n_columns).filter(|&column| column != target).collect();
    let inputs = read_numbers(
        table,
        &input_columns,
        "inputs are numbers with a decimal point: code categories as columns of 0 and 1, or remove the column",
    )?;
    let (target_names, targets) = match task {
        Task::Regression => {
            let remedy = "write a number with a decimal point, or set `task = \"classification\"` to predict labels";
            (vec![table.names[target].clone()], read_numbers(table, &[target], remedy)?)
        }
        Task::Classification => read_classes(table, target)?,
    };
    let input_names = input_columns.iter().map(|&column| table.names[column].clone()).collect();
    Dataset::new(name, citation, task, (input_names, inputs), (target_names, targets))
}

/// Reads a file of inputs alone: numbers only, without a header, one row per line.
///
/// # Shapes
/// `[n, d_in]`.
///
/// # Errors
/// When the file is absent, or is not a rectangular table of finite numbers; the error names the line and the column.
pub fn read_inputs(path: &Path) -> Result<Matrix> {
    let table = Table::read(path, false)?;
    if table.begins_with_text() {
        return Err(Error::input(
            format!("{}, line {}", table.place, table.rows[0].line),
            "no cell is a number: it looks like a header",
            "remove this line; the file must hold numbers only",
        ));
    }
    let columns: Vec<usize> = (0..table.names.len()).collect();
    read_numbers(&table, &columns, "the file must hold numbers only, with a decimal point and commas between cells")
}

fn find_column(table: &Table, target: &str) -> Result<usize> {
    table.names.iter().position(|name| name == target).ok_or_else(|| {
        let suggestion = did_you_mean(target, table.names.iter().map(String::as_str));
        Error::input(
            &table.place,
            format!("no column is named `{target}`{suggestion}"),
            format!("set `target` to one of: {}", table.names.join(", ")),
        )
    })
}

fn read_numbers(table: &Table, columns: &[usize], remedy_for_text: &str) -> Result<Matrix> {
    let mut values = Vec::with_capacity(table.rows.len() * columns.len());
    for row in &table.rows {
        for &column in columns {
            values.push(table.number(row, column, remedy_for_text)?);
        }
    }
    Matrix::from_vec(table.rows.len(), columns.len(), values)
}

fn read_classes(table: &Table, target: usize) -> Result<(Vec<String>, Matrix)> {
    let labels = table.rows.iter().map(|row| table.cell(row, target)).collect::<Result<Vec<_>>>()?;
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
        assert_refused("a;b\n1;2\n", "", &["my.csv: one column (`a;b`)", "commas (not by semicolons"]);
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
        assert_refused("age,y\nnan,2\n", "", &["line 2, column 1 (`age`): `nan` is not a finite number"]);
        assert_refused("age,y\n1,inf\n", "", &["line 2, column 2 (`y`): `inf` is not a finite number"]);
        assert_refused("age,y\n1e999,2\n", "", &["`1e999` is not a finite number"]);
        assert_refused("age,y\n1,yes\n", "", &["column 2 (`y`): `yes` is not a number", "task = \"classification\""]);
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
    fn inputs_are_read_without_a_header_and_a_header_is_recognized() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("points.csv");
        std::fs::write(&path, "1,2\n3,-4e1\n").unwrap();
        assert_eq!(read_inputs(&path).unwrap(), Matrix::from_vec(2, 2, vec![1., 2., 3., -40.]).unwrap());
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        let message = read_inputs(&path).unwrap_err().to_string();
        assert!(message.contains("line 1: no cell is a number: it looks like a header"), "{message}");
        assert!(message.contains("remove this line"), "{message}");
        std::fs::write(&path, "1,2\n3,x\n").unwrap();
        let message = read_inputs(&path).unwrap_err().to_string();
        assert!(message.contains("points.csv, line 2, column 2: `x` is not a number"), "{message}");
    }
}
