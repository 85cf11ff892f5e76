//! The numbers behind a figure, as a table that is written beside it.

/// A table: a header and rows of as many cells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Numbers {
    pub(super) fn new(header: impl IntoIterator<Item = &'static str>) -> Self {
        Self { header: header.into_iter().collect(), rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The table as CSV.
    pub(super) fn to_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.header)?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        writer.into_inner().map_err(|e| e.into_error().into())
    }
}

/// A number to all its digits; an empty cell for one that does not exist.
pub(super) fn cell(value: impl Into<Option<f64>>) -> String {
    value.into().filter(|v| v.is_finite()).map_or_else(String::new, |v| v.to_string())
}
