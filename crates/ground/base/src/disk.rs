//! Durable files: real, in memory, or faulty.
//!
//! Synchronous on purpose: the one user is the store's committer, which has a thread of its own in
//! the real world and commits inline in the virtual one. Paths are relative to the disk's folder.
//!
//! **Invariants:** what `File::sync` acknowledged survives a power cut; what it did not may be
//! lost, torn or reordered, and the faulty disk does all three.

use std::io;
use std::sync::Arc;

mod faulty;
mod memory;
mod real;

pub use faulty::{Faults, FaultyDisk};
pub use memory::MemoryDisk;
pub use real::RealDisk;

/// A folder of durable files, shared between its users.
pub type SharedDisk = Arc<dyn Disk>;

/// A folder of durable files.
pub trait Disk: Send + Sync + std::fmt::Debug {
    /// Opens `path` for reading and writing, making it (mode 0600) where `create` says so.
    fn open(&self, path: &str, create: bool) -> io::Result<Box<dyn File>>;
    /// Removes `path`; `NotFound` when there is none.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Whether `path` exists.
    fn exists(&self, path: &str) -> io::Result<bool>;
    /// Makes created, renamed and removed names durable.
    fn sync_folder(&self) -> io::Result<()>;
    /// Keeps every other process from locking `path` until the answer is dropped; `WouldBlock`
    /// when another one has it. A disk that no second process can reach has nothing to keep.
    fn lock(&self, _path: &str) -> io::Result<Lock> {
        Ok(Box::new(()))
    }
}

/// Held as long as the lock is wanted.
pub type Lock = Box<dyn Send>;

/// An open file; each call says where, so there is no cursor to share.
pub trait File: Send {
    /// Reads at `offset`; fewer bytes than asked only at the end of the file.
    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts or extends the file.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
    /// The file's length in bytes.
    fn len(&mut self) -> io::Result<u64>;
    /// Whether the file has no bytes.
    fn is_empty(&mut self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Returns when all that was written is durable.
    fn sync(&mut self) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
