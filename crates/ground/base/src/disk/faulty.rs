//! A disk that loses, tears and reorders what was not synced.

use std::io;

use super::{Disk, File, MemoryDisk};
use crate::random::Seed;

/// What goes wrong; switched while the disk is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Every write that needs new space fails with `ENOSPC`.
    pub is_full: bool,
    /// Every sync fails, and what it was to make durable may be lost for good.
    pub fails_sync: bool,
    /// Syncs succeed without making anything durable: with this a durability test must fail.
    pub ignores_sync: bool,
}

/// A disk in memory whose power can be cut; clones share it.
#[derive(Clone, Debug)]
pub struct FaultyDisk {
    inner: MemoryDisk,
}

impl FaultyDisk {
    /// An empty disk whose faults are drawn from `seed`.
    pub fn new(_seed: Seed) -> Self {
        Self { inner: MemoryDisk::new() }
    }

    /// Switches faults on and off.
    pub fn set_faults(&self, _faults: Faults) {}

    /// Cuts the power: every open file and this disk fail from now on; the returned disk holds what survived.
    #[must_use]
    pub fn power_cut(&self) -> Self {
        self.clone()
    }

    /// How many writes succeeded.
    pub fn writes(&self) -> u64 {
        0
    }

    /// How many syncs of files succeeded.
    pub fn syncs(&self) -> u64 {
        0
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &str, create: bool) -> io::Result<Box<dyn File>> {
        self.inner.open(path, create)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        self.inner.exists(path)
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.inner.sync_folder()
    }
}
