//! Files that are whole or absent: written beside their place, then moved into it.

use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// Puts `bytes` at `path`, creating its folder; a reader, or a crash, sees the old file or the new one, never a part.
///
/// # Errors
/// When the folder cannot be created or the disk cannot take the file; what was at `path` is then left as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(Error::io("write in", folder))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.as_file().sync_all().map_err(Error::io("write", path))?;
    set_default_permissions(&file).map_err(Error::io("write", path))?;
    file.persist(path).map_err(|reason| Error::io("write", path)(reason.error))?;
    Ok(())
}

/// Temporary files are private to their owner; results are meant to be shared.
#[cfg(unix)]
fn set_default_permissions(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_default_permissions(_: &tempfile::NamedTempFile) -> std::io::Result<()> {
    Ok(())
}
