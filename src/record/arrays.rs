//! Named matrices and a line of text in one file, to go on with later: safetensors of f64.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::file;
use crate::error::{Error, Result};
use crate::linalg::Matrix;

/// The key of the text.
const HEADER: &str = "ntk";

/// Writes `text` and the matrices; an existing file is replaced when the new one is whole.
///
/// # Errors
/// When the disk does not take them.
pub fn write(path: &Path, text: &str, matrices: &[(&str, &Matrix)]) -> Result<()> {
    let bytes: Vec<Vec<u8>> =
        matrices.iter().map(|(_, matrix)| matrix.values().iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let unwritable = |reason| Error::Check(format!("{} cannot be written: {reason}", path.display()));
    let views = matrices.iter().zip(&bytes).map(|((name, matrix), bytes)| {
        TensorView::new(Dtype::F64, vec![matrix.n_rows(), matrix.n_cols()], bytes).map(|view| (*name, view))
    });
    let views: Vec<_> = views.collect::<std::result::Result<_, _>>().map_err(unwritable)?;
    let metadata = HashMap::from([(HEADER.to_owned(), text.to_owned())]);
    file::replace(path, &safetensors::serialize(views, Some(metadata)).map_err(unwritable)?)
}

/// The text and the matrices of a file that [`write()`] made.
///
/// # Errors
/// When the file cannot be read, or is another's.
pub fn read(path: &Path) -> Result<(String, HashMap<String, Matrix>)> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let broken = |problem: String| Error::Store {
        path: path.to_path_buf(),
        problem: format!("this file cannot be gone on from: {problem}"),
        remedy: "remove it; the computation then starts anew".to_owned(),
    };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|reason| broken(reason.to_string()))?;
    let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get(HEADER)).cloned();
    let text = text.ok_or_else(|| broken("it has no header of this program".to_owned()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|reason| broken(reason.to_string()))?;
    let mut matrices = HashMap::new();
    for (name, view) in file.iter() {
        let (Dtype::F64, [n_rows, n_cols]) = (view.dtype(), view.shape()) else {
            return Err(broken(format!("`{name}` is no matrix of f64")));
        };
        let values = view.data().chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap_or_default()));
        matrices.insert(name.to_owned(), Matrix::from_vec(*n_rows, *n_cols, values.collect())?);
    }
    Ok((text, matrices))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_bit_by_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        let (a, b) = (Matrix::from_fn(3, 2, |i, j| (i as f64 - 0.3) / (j as f64 + 0.7)), Matrix::zeros(1, 4));
        write(&path, "round 2", &[("a", &a), ("b", &b)]).unwrap();
        let (text, matrices) = read(&path).unwrap();
        assert_eq!((text.as_str(), &matrices["a"], &matrices["b"]), ("round 2", &a, &b));
        std::fs::write(&path, b"something else").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("remove it"));
    }
}
