//! Files that are whole or absent: written beside their place, then moved into it.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Puts `bytes` at `path`, creating its folder; a reader, or a crash, sees the old file or the new one, never a part.
///
/// # Errors
/// When the folder cannot be created or the disk cannot take the file; what was at `path` is then left as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Pending::begin(path)?;
    file.write(bytes)?;
    file.finish()
}

/// A file that is written bit by bit, and appears at its place when it is whole.
#[derive(Debug)]
pub(super) struct Pending {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl Pending {
    /// Opens the file beside `path`, creating its folder.
    pub(super) fn begin(path: &Path) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let file = NamedTempFile::new_in(folder).map_err(Error::io("write in", folder))?;
        Ok(Self { path: path.to_path_buf(), file: BufWriter::new(file) })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io("write", &self.path))
    }

    /// Where the file will be.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the file to its place.
    pub(super) fn finish(self) -> Result<()> {
        let path = &self.path;
        let file = self.file.into_inner().map_err(|reason| Error::io("write", path)(reason.into_error()))?;
        file.as_file().sync_all().map_err(Error::io("write", path))?;
        set_default_permissions(&file).map_err(Error::io("write", path))?;
        file.persist(path).map_err(|reason| Error::io("write", path)(reason.error))?;
        Ok(())
    }
}

/// Temporary files are private to their owner; results are meant to be shared.
#[cfg(unix)]
fn set_default_permissions(file: &NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_default_permissions(_: &NamedTempFile) -> std::io::Result<()> {
    Ok(())
}
