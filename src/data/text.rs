//! The text in a file: unpacked, decoded, and refused by name where it is no table of text.

use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// The most bytes that a compressed file may expand to.
const MOST_BYTES: u64 = 4 << 30;

/// The bytes that a gzip file holds.
///
/// # Errors
/// When the file is damaged, or holds more than `most` bytes; then reading ends there.
pub(super) fn gunzip(compressed: &[u8], most: u64) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(compressed).take(most.saturating_add(1)).read_to_end(&mut plain)?;
    if plain.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it expands beyond the limit"));
    }
    Ok(plain)
}

/// The text of the file at `path`, plain or compressed with gzip, in UTF-8 or in UTF-16 with a byte order mark.
pub(super) fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::input(
            path.display().to_string(),
            "no such file",
            "check the path; a relative path in a config file starts at that file's folder",
        ),
        _ => Error::io("read", path)(error),
    })?;
    decode(&path.display().to_string(), bytes, MOST_BYTES)
}

fn decode(place: &str, mut bytes: Vec<u8>, most: u64) -> Result<String> {
    // Told by its content, because a name says less: browsers unpack a download and keep the ending `.gz`.
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let n_compressed = bytes.len();
        bytes = gunzip(&bytes, most).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Error::input(
                place,
                format!("a gzip file of {n_compressed} bytes that expands to more than {most} bytes"),
                "give a file with fewer rows or columns",
            ),
            _ => Error::input(
                place,
                format!("a damaged gzip file ({error})"),
                "compress the file again, or give the plain CSV",
            ),
        })?;
    }
    if let Some(format) = format_of(&bytes) {
        return Err(Error::input(place, format!("this is {format}, not a table of text"), "save the table as CSV"));
    }
    let text = match &bytes[..] {
        [0xff, 0xfe, rest @ ..] => from_utf16(place, rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => from_utf16(place, rest, u16::from_be_bytes)?,
        _ => from_utf8(place, bytes)?,
    };
    if let Some(at) = text.find('\0') {
        return Err(Error::input(
            format!("{place}, line {}", 1 + n_newlines(&text.as_bytes()[..at])),
            "the text holds a zero byte, as UTF-16 without a byte order mark and binary files do",
            "save the table as CSV in UTF-8",
        ));
    }
    let text = text.trim_start_matches('\u{feff}');
    let markup = markup_of(text.trim_start());
    if let Some(markup) = markup {
        return Err(Error::input(place, format!("this is {markup}, not a table of text"), "save the table as CSV"));
    }
    Ok(text.into())
}

fn from_utf8(place: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Error::input(
            format!("{place}, line {}", 1 + n_newlines(valid)),
            "the text is not UTF-8",
            "save the file as CSV in UTF-8 (a spreadsheet itself cannot be read)",
        )
    })
}

fn from_utf16(place: &str, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String> {
    let damaged = || Error::input(place, "the text is damaged UTF-16", "save the table as CSV in UTF-8");
    if !bytes.len().is_multiple_of(2) {
        return Err(damaged());
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map_err(|_| damaged())
}

/// The name of a binary format, by its first bytes.
fn format_of(bytes: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 11] = [
        (b"PK\x03\x04", "a spreadsheet (xlsx, ods) or another zip file"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet (xls)"),
        (b"PAR1", "a Parquet file"),
        (b"ARROW1", "an Arrow file"),
        (b"\x93NUMPY", "a NumPy array (name it .npy as `--inputs`)"),
        (b"\x89HDF", "an HDF5 file"),
        (b"SQLite format 3", "an SQLite database"),
        (b"%PDF", "a PDF document"),
        (b"BZh", "a bzip2 file"),
        (b"\xfd7zXZ", "an xz file"),
        (b"\x28\xb5\x2f\xfd", "a zstd file"),
    ];
    FORMATS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name)
}

/// The name of a markup language, by its first characters; a header cell may be `<b>` or `[kg]`.
fn markup_of(text: &str) -> Option<&'static str> {
    let begin: String = text.chars().take(9).collect::<String>().to_ascii_lowercase();
    if ["<!doctype", "<html", "<table", "<?xml"].iter().any(|tag| begin.starts_with(tag)) {
        return Some("HTML or XML");
    }
    let mut rest = begin.chars().filter(|c| !c.is_whitespace());
    match (rest.next(), rest.next()) {
        (Some('{'), Some('"')) | (Some('['), Some('{' | '[' | '"' | '-' | '0'..='9')) => Some("JSON"),
        _ => None,
    }
}

/// How many lines end in `bytes`.
pub(super) fn n_newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_and_encodings_with_a_byte_order_mark_do_not_change_the_text() {
        let text = "a,b\n1,2\n";
        let little = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let big = [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
        for bytes in [text.into(), format!("\u{feff}{text}").into(), gzip(text), little, big] {
            assert_eq!(decode("t", bytes, 100).unwrap(), text);
        }
    }

    #[test]
    fn a_file_that_expands_beyond_the_limit_is_refused_with_both_sizes() {
        let bytes = gzip(&"0".repeat(1000));
        let n_compressed = bytes.len();
        let message = decode("t", bytes, 100).unwrap_err().to_string();
        assert!(message.contains(&format!("{n_compressed} bytes that expands to more than 100 bytes")), "{message}");
        assert!(decode("t", vec![0x1f, 0x8b, 1, 2], 100).unwrap_err().to_string().contains("damaged gzip"));
    }

    #[test]
    fn another_format_is_refused_by_its_name() {
        for (bytes, name) in [
            (&b"PK\x03\x04.."[..], "spreadsheet"),
            (b"PAR1..", "Parquet"),
            (b"<!DOCTYPE html>", "HTML"),
            (b" [{\"a\": 1}]", "JSON"),
            (b"1\0,\0", "zero byte"),
            (b"a,b\n1,\xe9\n", "t, line 2: the text is not UTF-8"),
        ] {
            let message = decode("t", bytes.to_vec(), 100).unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}
