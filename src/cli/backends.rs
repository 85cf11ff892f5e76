//! `ntk backends`: what this program can compute on.

use ntk::error::Result;
use ntk::net::{Backend, Compute, Dtype};
use serde::Serialize;

use super::output::Output;

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    hardware: &'static str,
    compiled: bool,
    default: bool,
    f32: Option<bool>,
    f64: Option<bool>,
    note: String,
}

pub(super) fn run(output: &Output) -> Result<()> {
    let entries: Vec<Entry> = Backend::ALL.into_iter().map(entry).collect();
    if output.json {
        return output.document(&entries);
    }
    let word = |supported: Option<bool>| {
        match supported {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        }
        .to_owned()
    };
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                entry.name.to_owned(),
                entry.hardware.to_owned(),
                word(Some(entry.compiled)),
                word(entry.f32),
                word(entry.f64),
                entry.note.clone(),
            ]
        })
        .collect();
    output.table(&["backend", "hardware", "compiled in", "f32", "f64", "note"], &rows)
}

fn entry(backend: Backend) -> Entry {
    let (name, hardware) = (backend.name(), backend.hardware());
    let default = backend == Backend::preferred();
    if !backend.is_compiled() {
        let note = format!("build with --features {backend}");
        return Entry { name, hardware, compiled: false, default: false, f32: None, f64: None, note };
    }
    let Ok(compute) = Compute::open(backend, Dtype::F32) else {
        let note = "no such device on this machine".to_owned();
        return Entry { name, hardware, compiled: true, default, f32: None, f64: None, note };
    };
    let words = default.then(|| "default".to_owned()).into_iter().chain(compute.device_name());
    let note = words.collect::<Vec<_>>().join(", ");
    Entry { name, hardware, compiled: true, default, f32: Some(true), f64: Some(compute.has_f64()), note }
}
