//! NumPy's .npy files: `numpy.load` opens what is written here, and what `numpy.save` writes is read.
//!
//! The format is one line of text before the numbers; the crates that read it bring a parser generator for that line, so it is
//! read here. Written: version 1.0, little-endian f32 or f64, row-major. Read: little-endian f32 and f64, one or two dimensions, row- or
//! column-major.

use std::io::ErrorKind;
use std::path::Path;

use super::file::Pending;
use crate::error::{Error, Result};
use crate::linalg::Matrix;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The number type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 4 bytes.
    F32,
    /// 8 bytes.
    #[default]
    F64,
}

/// Writes `matrix` as a two-dimensional f64 array.
///
/// # Errors
/// When the file cannot be written; an existing file is then left as it was.
pub fn write(path: &Path, matrix: &Matrix) -> Result<()> {
    let mut writer = Writer::create(path, &[matrix.n_rows(), matrix.n_cols()], Precision::F64)?;
    writer.append(matrix.values())?;
    writer.finish()
}

/// An array that is written part by part, in order, and need never be in memory; the file appears when it is whole.
#[derive(Debug)]
pub struct Writer {
    file: Pending,
    precision: Precision,
    n_missing: usize,
}

impl Writer {
    /// Begins an array of this shape.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create(path: &Path, shape: &[usize], precision: Precision) -> Result<Self> {
        let descr = match precision {
            Precision::F32 => "<f4",
            Precision::F64 => "<f8",
        };
        // A tuple of one number ends with a comma; a longer one may.
        let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
        let dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", sizes.trim_end());
        // Magic, version and length take 10 bytes; the header ends with a newline on a multiple of 64.
        let padded = (10 + dictionary.len() + 1).div_ceil(64) * 64 - 10;
        let mut file = Pending::begin(path)?;
        file.write(MAGIC)?;
        file.write(&[1, 0])?;
        file.write(&(padded as u16).to_le_bytes())?;
        file.write(format!("{dictionary:<width$}\n", width = padded - 1).as_bytes())?;
        Ok(Self { file, precision, n_missing: shape.iter().product() })
    }

    /// The next numbers, row after row.
    ///
    /// # Errors
    /// When the disk cannot take them, or there are more than the shape holds.
    pub fn append(&mut self, values: &[f64]) -> Result<()> {
        let Some(n_missing) = self.n_missing.checked_sub(values.len()) else {
            return Err(Error::shape("numbers left to write", self.n_missing, values.len()));
        };
        if self.precision == Precision::F32 {
            self.ensure_f32(values)?;
        }
        self.n_missing = n_missing;
        // A part at a time, so that no second copy of a large block is made.
        for values in values.chunks(1 << 14) {
            let bytes = match self.precision {
                Precision::F32 => to_bytes(values, |value| (value as f32).to_le_bytes()),
                Precision::F64 => to_bytes(values, f64::to_le_bytes),
            };
            self.file.write(&bytes)?;
        }
        Ok(())
    }

    /// Refuses finite numbers that f32 would turn into infinity, into 0, or into a number of fewer digits.
    fn ensure_f32(&self, values: &[f64]) -> Result<()> {
        let (least, most) = (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX));
        // Rounding to the nearest number: a little more than the largest one still becomes that.
        let is_lost = |value: &&f64| {
            value.is_finite() && **value != 0.0 && !((**value as f32).is_finite() && value.abs() >= least)
        };
        let Some(value) = values.iter().find(is_lost) else { return Ok(()) };
        let problem = match value.abs() > 1.0 {
            true => format!("it holds {value:e}, and the largest number of f32 is {most:.2e}"),
            false => {
                format!("it holds {value:e}, and the smallest number of f32 above 0 with all digits is {least:.2e}")
            }
        };
        Err(Error::input(self.file.path().display().to_string(), problem, "store it with `--store f64`"))
    }

    /// Puts the file at its place.
    ///
    /// # Errors
    /// When numbers are missing, or the disk fails.
    pub fn finish(self) -> Result<()> {
        if self.n_missing > 0 {
            return Err(Error::shape("numbers left to write", 0, self.n_missing));
        }
        self.file.finish()
    }
}

fn to_bytes<const N: usize>(values: &[f64], encode: impl Fn(f64) -> [u8; N]) -> Vec<u8> {
    let mut bytes = vec![0; N * values.len()];
    for (bytes, value) in bytes.chunks_exact_mut(N).zip(values) {
        bytes.copy_from_slice(&encode(*value));
    }
    bytes
}

/// Reads a one- or two-dimensional array; one dimension becomes a single column.
///
/// # Errors
/// When the file is absent, not an .npy file, of another number type, or shorter than its header says.
pub fn read(path: &Path) -> Result<Matrix> {
    let bytes = std::fs::read(path).map_err(|reason| match reason.kind() {
        ErrorKind::NotFound => Error::input(path.display().to_string(), "no such file", "check the path"),
        _ => Error::io("read", path)(reason),
    })?;
    let refuse = |problem: &str| {
        Error::input(
            path.display().to_string(),
            problem,
            "save it with `numpy.save(path, array.astype('float64'))`, one row per input",
        )
    };
    let (header, body) = split(&bytes).ok_or_else(|| refuse("this is not a .npy file"))?;
    let width = match field(header, "descr") {
        Some("'<f8'") => 8,
        Some("'<f4'") => 4,
        other => return Err(refuse(&format!("number type {} is not supported", other.unwrap_or("(none)")))),
    };
    let shape = shape(header).ok_or_else(|| refuse("its shape cannot be read"))?;
    let (n_rows, n_cols) = match shape[..] {
        [n] => (n, 1),
        [n_rows, n_cols] => (n_rows, n_cols),
        _ => return Err(refuse(&format!("an array of {} dimensions is not a list of inputs", shape.len()))),
    };
    let n_bytes = n_rows.checked_mul(n_cols).and_then(|n| n.checked_mul(width));
    if n_bytes != Some(body.len()) {
        return Err(refuse(&format!(
            "it holds {} bytes, not the {n_rows} x {n_cols} numbers it announces",
            body.len()
        )));
    }
    let values: Vec<f64> = body
        .chunks_exact(width)
        .map(|chunk| match *chunk {
            [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => f64::NAN,
        })
        .collect();
    match field(header, "fortran_order") {
        Some("True") => Ok(Matrix::from_vec(n_cols, n_rows, values)?.transpose()),
        _ => Matrix::from_vec(n_rows, n_cols, values),
    }
}

fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (version, rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        _ => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
    };
    let (header, body) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, body))
}

/// The text of a simple value in the header's dictionary.
fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let after = header.split_once(&format!("'{name}':"))?.1;
    after.split([',', '}']).next().map(str::trim)
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let after = header.split_once("'shape':")?.1;
    let inside = after.split_once('(')?.1.split_once(')')?.0;
    inside.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_exactly() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("k.npy");
        let matrix = Matrix::from_fn(3, 5, |i, j| (i as f64 - 0.1) / (j as f64 + 0.7));
        write(&path, &matrix).expect("writable");
        assert_eq!(read(&path).expect("readable"), matrix);
        let bytes = std::fs::read(&path).expect("there");
        // NumPy maps the numbers into memory, which needs them aligned.
        assert_eq!((bytes.len() - 8 * 15) % 64, 0);
    }

    #[test]
    fn numpy_column_major_f32_is_read() {
        // numpy.save of numpy.asfortranarray([[1, 2, 3], [4, 5, 6]], dtype='<f4').
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("f.npy");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }").into_bytes());
        for value in [1.0_f32, 4.0, 2.0, 5.0, 3.0, 6.0] {
            bytes.extend(value.to_le_bytes());
        }
        std::fs::write(&path, bytes).expect("writable");
        assert_eq!(read(&path).expect("readable"), Matrix::from_fn(2, 3, |i, j| (3 * i + j + 1) as f64));
    }

    #[test]
    fn an_array_written_in_parts_is_whole_or_absent() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("parts.npy");
        let mut writer = Writer::create(&path, &[2, 2], Precision::F32).expect("writable");
        writer.append(&[1.0, 2.5]).expect("writable");
        assert!(writer.append(&[0.0; 3]).is_err() && !path.exists());
        writer.append(&[-3.0, 4.0]).expect("writable");
        writer.finish().expect("whole");
        assert_eq!(read(&path).expect("readable").values(), [1.0, 2.5, -3.0, 4.0]);
        let short = Writer::create(&path, &[3], Precision::F64).expect("writable");
        assert!(short.finish().is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn numbers_beyond_f32_are_refused_with_the_limit_and_the_remedy() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("k.npy");
        for (value, limit) in [(-3.5e38, "3.40e38"), (2e300, "3.40e38"), (1e-39, "1.18e-38"), (1e-300, "1.18e-38")] {
            let mut writer = Writer::create(&path, &[2], Precision::F32).expect("writable");
            let message = writer.append(&[1.0, value]).expect_err("beyond f32").to_string();
            assert!(message.contains(&format!("{value:e}")) && message.contains(limit), "{message}");
            assert!(message.contains("--store f64"), "{message}");
        }
        let mut writer = Writer::create(&path, &[4], Precision::F32).expect("writable");
        writer.append(&[0.0, -0.0, f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE)]).expect("within f32");
        writer.finish().expect("whole");
    }

    #[test]
    fn a_truncated_file_and_a_foreign_file_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("k.npy");
        write(&path, &Matrix::zeros(2, 2)).expect("writable");
        let bytes = std::fs::read(&path).expect("there");
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("writable");
        assert!(read(&path).expect_err("short").to_string().contains("2 x 2"));
        std::fs::write(&path, "1,2\n").expect("writable");
        assert!(read(&path).expect_err("csv").to_string().contains("not a .npy file"));
    }
}
