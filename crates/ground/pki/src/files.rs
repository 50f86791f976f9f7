//! Small secret files on a disk.

use std::io;

use mainstay_base::disk::Disk;

use crate::PkiError;

/// No key, certificate or token is larger.
const LARGEST_BYTES: u64 = 64 * 1024;

/// The text of `path`, or `None` when there is no such file.
pub(crate) fn read(disk: &dyn Disk, path: &str) -> Result<Option<String>, PkiError> {
    let bytes = read_bytes(disk, path).map_err(|source| PkiError::File { file: path.to_owned(), source })?;
    bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| damaged(path, "it is not text"))).transpose()
}

fn read_bytes(disk: &dyn Disk, path: &str) -> io::Result<Option<Vec<u8>>> {
    if !disk.exists(path)? {
        return Ok(None);
    }
    let mut file = disk.open(path, false)?;
    let length = file.len()?.min(LARGEST_BYTES);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let count = file.read_at(&mut bytes, 0)?;
    bytes.truncate(count);
    Ok(Some(bytes))
}

/// Writes `path` durably (mode 0600), in place of what was there.
pub(crate) fn write(disk: &dyn Disk, path: &str, text: &str) -> Result<(), PkiError> {
    let write = || -> io::Result<()> {
        if disk.exists(path)? {
            // Or a power cut could leave a mixture of what was there and what comes.
            disk.remove(path)?;
            disk.sync_folder()?;
        }
        let mut file = disk.open(path, true)?;
        file.write_at(text.as_bytes(), 0)?;
        file.sync()?;
        disk.sync_folder()
    };
    write().map_err(|source| PkiError::File { file: path.to_owned(), source })
}

pub(crate) fn damaged(file: &str, what: &str) -> PkiError {
    PkiError::Damaged { file: file.to_owned(), what: what.to_owned() }
}
