//! What a row is of: a kernel, or networks; those of networks with their depth.

use crate::record::KernelRow;

/// In words.
pub(super) fn name(kernel: &str, depth: Option<usize>) -> String {
    depth.map_or(kernel.to_owned(), |depth| format!("{kernel}, depth {depth}"))
}

pub(super) fn of_row(row: &KernelRow) -> String {
    name(&row.kernel, row.depth)
}

/// Every one, in the order of the rows.
pub(super) fn all(rows: &[&KernelRow]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        let name = of_row(row);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
