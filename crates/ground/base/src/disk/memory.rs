//! Files in memory, for virtual Worlds and tests: durable as long as the disk is held.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Disk, File};

/// A folder of files in memory; clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    files: Arc<Mutex<BTreeMap<String, Contents>>>,
}

type Contents = Arc<Mutex<Vec<u8>>>;

impl MemoryDisk {
    /// A disk without files.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Disk for MemoryDisk {
    fn open(&self, path: &str, create: bool) -> io::Result<Box<dyn File>> {
        let mut files = lock(&self.files);
        let contents = match files.get(path) {
            Some(contents) => Arc::clone(contents),
            None if create => Arc::clone(files.entry(path.to_owned()).or_default()),
            None => return Err(no_such_file(path)),
        };
        Ok(Box::new(MemoryFile(contents)))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        lock(&self.files).remove(path).map(drop).ok_or_else(|| no_such_file(path))
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        Ok(lock(&self.files).contains_key(path))
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }
}

struct MemoryFile(Contents);

impl File for MemoryFile {
    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(read(&lock(&self.0), buffer, offset))
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        write(&mut lock(&self.0), bytes, offset)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        lock(&self.0).resize(index(length)?, 0);
        Ok(())
    }

    fn len(&mut self) -> io::Result<u64> {
        Ok(lock(&self.0).len() as u64)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies what `contents` holds at `offset`; fewer bytes than asked only at its end.
pub(super) fn read(contents: &[u8], buffer: &mut [u8], offset: u64) -> usize {
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(contents.len());
    let count = buffer.len().min(contents.len() - from);
    buffer[..count].copy_from_slice(&contents[from..from + count]);
    count
}

/// Puts `bytes` at `offset`, with zeros in the hole before it.
pub(super) fn write(contents: &mut Vec<u8>, bytes: &[u8], offset: u64) -> io::Result<()> {
    let from = index(offset)?;
    let end = from.checked_add(bytes.len()).ok_or_else(too_large)?;
    if contents.len() < end {
        contents.resize(end, 0);
    }
    contents[from..end].copy_from_slice(bytes);
    Ok(())
}

/// A file position as an index.
pub(super) fn index(position: u64) -> io::Result<usize> {
    usize::try_from(position).map_err(|_| too_large())
}

pub(super) fn no_such_file(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no file '{path}' on this disk"))
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than memory can hold")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("invariant: no panic under this lock")
}
