//! Networks as files: safetensors, which Python reads, and Burn's own record.
//!
//! Parameters are named as the module's fields (`network.maps.0.weight`), kept in their own number type, and read back bit for bit.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use burn::module::Module;
use burn::store::{BurnpackStore, ModuleSnapshot, ModuleStore, SafetensorsStore};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A format for the parameters of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkFormat {
    /// `.safetensors`
    Safetensors,
    /// `.bpk`
    Burn,
}

impl NetworkFormat {
    /// The end of a file's name, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Burn => "bpk",
        }
    }

    /// By the end of the file's name.
    ///
    /// # Errors
    /// For another end.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default();
        [Self::Safetensors, Self::Burn].into_iter().find(|format| extension == format.extension()).ok_or_else(|| {
            Error::input(
                path.display().to_string(),
                "the end of this name tells no format for a network",
                "use `.safetensors`, or `.bpk` for Burn's own record",
            )
        })
    }
}

/// Writes all parameters of `module`, in the format that the end of `path` names; a reader, or a crash, sees the file that was there or the
/// new one, never a part.
///
/// # Errors
/// Another end; a disk that cannot take the file.
pub fn save<M: Module>(module: &M, path: &Path) -> Result<()> {
    let format = NetworkFormat::of(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let beside = tempfile::tempdir_in(folder).map_err(Error::io("write in", folder))?;
    let whole = beside.path().join("network").with_extension(format.extension());
    match format {
        NetworkFormat::Safetensors => write(module, &mut SafetensorsStore::from_file(&whole), path),
        NetworkFormat::Burn => write(module, &mut BurnpackStore::from_file(&whole), path),
    }?;
    std::fs::rename(&whole, path).map_err(Error::io("write", path))
}

/// `module` with the parameters of the file at `path`.
///
/// # Errors
/// A file that cannot be read, or is of another architecture or number type: with the parameter and both shapes or types.
pub fn load<M: Module>(module: M, path: &Path) -> Result<M> {
    if !path.exists() {
        return Err(Error::input(path.display().to_string(), "no such file", "give a file that this program wrote"));
    }
    match NetworkFormat::of(path)? {
        NetworkFormat::Safetensors => read(module, &mut SafetensorsStore::from_file(path), path),
        NetworkFormat::Burn => read(module, &mut BurnpackStore::from_file(path), path),
    }
}

fn write<S: ModuleStore>(module: &impl Module, store: &mut S, path: &Path) -> Result<()> {
    module.valid().save_into(store).map_err(|reason| {
        let reason = std::io::Error::other(reason.to_string());
        Error::io("write the network to", path)(reason)
    })
}

fn read<M: Module, S: ModuleStore>(module: M, store: &mut S, path: &Path) -> Result<M> {
    let broken = |reason: &dyn fmt::Display| {
        Error::input(
            path.display().to_string(),
            format!("this is no network: {reason}"),
            "give a file that this program wrote",
        )
    };
    let mut loaded = module.valid();
    let facts = |name: &str, dtype: &dyn fmt::Debug, shape: &[usize]| (name.to_owned(), format!("{dtype:?} {shape:?}"));
    let expected: BTreeMap<String, String> = loaded
        .collect(None, None, false)
        .iter()
        .map(|tensor| facts(&tensor.name, &tensor.dtype, &tensor.shape.to_vec()))
        .collect();
    let found: BTreeMap<String, String> = store
        .get_all_tensors()
        .map_err(|reason| broken(&reason))?
        .iter()
        .map(|(name, tensor)| facts(name, &tensor.dtype, &tensor.shape.to_vec()))
        .collect();
    if let Some(name) = expected.keys().chain(found.keys()).find(|name| expected.get(*name) != found.get(*name)) {
        let absent = "absent".to_owned();
        return Err(Error::input(
            path.display().to_string(),
            format!(
                "this is another network: `{name}` is {} there and {} here",
                found.get(name).unwrap_or(&absent),
                expected.get(name).unwrap_or(&absent)
            ),
            "build the network with the architecture, initial function and number type that the file was written with",
        ));
    }
    loaded.load_from(store).map_err(|reason| broken(&reason))?;
    Ok(loaded.train())
}
