//! A disk that loses, tears and reorders what was not synced, fills up, and fails to sync.
//!
//! Writes land in a page cache that all readers see. A power cut keeps what was synced; of the rest
//! every 512-byte sector survives in any of the versions it went through, so writes are dropped,
//! torn and reordered. Names (created, removed) are durable after [`Disk::sync_folder`] only.
//!
//! **Invariants:** the seed and the order of calls decide everything.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::memory::no_such_file;
use super::{Disk, File};
use crate::random::{Random, Seed};

mod cache;

use cache::{Cached, Change};

/// `ENOSPC`.
const NO_SPACE: i32 = 28;
/// `EIO`.
const INPUT_OUTPUT: i32 = 5;

/// What goes wrong; switched while the disk is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Whatever needs new space fails with `ENOSPC`, after filling the space there is.
    pub is_full: bool,
    /// Every sync fails with `EIO`; some of what it was to make durable is lost for good, even if
    /// a later sync succeeds (as Linux marks pages clean that it could not write).
    pub fails_sync: bool,
    /// Syncs succeed without making anything durable: with this a durability test must fail.
    pub ignores_sync: bool,
}

/// A disk in memory whose power can be cut; clones share it.
#[derive(Clone, Debug)]
pub struct FaultyDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: Random,
    faults: Faults,
    is_cut: bool,
    /// Changes until the power is cut.
    changes_left: Option<u64>,
    files: BTreeMap<u64, Cached>,
    next_file: u64,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    /// What happened to names since the last folder sync, in order.
    pending_names: Vec<(String, Option<u64>)>,
    writes: u64,
    syncs: u64,
}

impl FaultyDisk {
    /// An empty disk whose faults are drawn from `seed`.
    pub fn new(seed: Seed) -> Self {
        Self::with(Random::named(seed, "disk/faults"), BTreeMap::new(), BTreeMap::new())
    }

    fn with(random: Random, files: BTreeMap<u64, Cached>, names: BTreeMap<String, u64>) -> Self {
        Self(Arc::new(Mutex::new(State {
            random,
            faults: Faults::default(),
            is_cut: false,
            changes_left: None,
            next_file: files.keys().next_back().map_or(0, |last| last + 1),
            files,
            durable_names: names.clone(),
            names,
            pending_names: Vec::new(),
            writes: 0,
            syncs: 0,
        })))
    }

    /// Switches faults on and off.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// Cuts the power in the middle of the change (write, cut, sync, name) after the next `changes`.
    pub fn cut_power_after(&self, changes: u64) {
        self.state().changes_left = Some(changes);
    }

    /// Whether the power is cut, so that everything fails.
    pub fn is_cut(&self) -> bool {
        self.state().is_cut
    }

    /// Cuts the power where that has not happened yet: this disk and its open files fail from now
    /// on; the returned disk, without faults, holds what survived.
    #[must_use]
    pub fn power_cut(&self) -> Self {
        let mut state = self.state();
        state.is_cut = true;
        let mut random = state.random.clone();
        let names = state.surviving_names(&mut random);
        let mut files = BTreeMap::new();
        for file in names.values() {
            if let Some(cached) = state.files.get(file) {
                files.insert(*file, Cached::durable(cached.surviving(&mut random)));
            }
        }
        Self::with(random, files, names)
    }

    /// How many writes succeeded.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// How many syncs of files succeeded.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("invariant: no panic under this lock")
    }
}

impl State {
    fn require_power(&self) -> io::Result<()> {
        if self.is_cut { Err(power_is_cut()) } else { Ok(()) }
    }

    /// Counts a change; an error where the power is cut, `true` where this change cuts it.
    fn begin_change(&mut self) -> io::Result<bool> {
        self.require_power()?;
        match &mut self.changes_left {
            Some(0) => self.is_cut = true,
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(self.is_cut)
    }

    fn rename(&mut self, path: &str, file: Option<u64>) -> io::Result<()> {
        let is_last = self.begin_change()?;
        match file {
            Some(file) => self.names.insert(path.to_owned(), file),
            None => self.names.remove(path),
        };
        self.pending_names.push((path.to_owned(), file));
        if is_last { Err(power_is_cut()) } else { Ok(()) }
    }

    /// The names after a power cut: each is in any of the states it went through.
    fn surviving_names(&self, random: &mut Random) -> BTreeMap<String, u64> {
        let mut states: BTreeMap<&str, Vec<Option<u64>>> = BTreeMap::new();
        for (name, file) in &self.pending_names {
            let durable = || vec![self.durable_names.get(name).copied()];
            states.entry(name).or_insert_with(durable).push(*file);
        }
        let mut names = self.durable_names.clone();
        for (name, states) in states {
            match random.pick(&states).copied().flatten() {
                Some(file) => names.insert(name.to_owned(), file),
                None => names.remove(name),
            };
        }
        names
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &str, create: bool) -> io::Result<Box<dyn File>> {
        let mut state = self.state();
        state.require_power()?;
        let file = match state.names.get(path) {
            Some(file) => *file,
            None if !create => return Err(no_such_file(path)),
            None if state.faults.is_full => return Err(io::Error::from_raw_os_error(NO_SPACE)),
            None => {
                let file = state.next_file;
                state.next_file += 1;
                state.files.insert(file, Cached::default());
                state.rename(path, Some(file))?;
                file
            }
        };
        Ok(Box::new(FaultyFile { disk: self.clone(), file }))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.state();
        state.require_power()?;
        if !state.names.contains_key(path) {
            return Err(no_such_file(path));
        }
        state.rename(path, None)
    }

    fn exists(&self, path: &str) -> io::Result<bool> {
        let state = self.state();
        state.require_power()?;
        Ok(state.names.contains_key(path))
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.begin_change()? {
            return Err(power_is_cut());
        }
        if state.faults.fails_sync {
            return Err(io::Error::from_raw_os_error(INPUT_OUTPUT));
        }
        if !state.faults.ignores_sync {
            state.durable_names = state.names.clone();
            state.pending_names.clear();
        }
        Ok(())
    }
}

/// An open file; it outlives its name.
struct FaultyFile {
    disk: FaultyDisk,
    file: u64,
}

impl FaultyFile {
    /// Does `change` to the cached file, of which a power cut may leave anything.
    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.disk.state();
        let is_last = state.begin_change()?;
        let is_full = state.faults.is_full;
        let cached = cached(&mut state, self.file)?;
        let change = if is_full { change.within(cached.length()) } else { Some(change) };
        let was_done = match change {
            Some(change) => cached.apply(change)?,
            None => false,
        };
        if is_last {
            return Err(power_is_cut());
        }
        if was_done { Ok(()) } else { Err(io::Error::from_raw_os_error(NO_SPACE)) }
    }
}

impl File for FaultyFile {
    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.require_power()?;
        Ok(cached(&mut state, self.file)?.read(buffer, offset))
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(Change::Write { offset, bytes: bytes.to_vec(), is_cut_short: false })?;
        self.disk.state().writes += 1;
        Ok(())
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.change(Change::Length(length))
    }

    fn len(&mut self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.require_power()?;
        Ok(cached(&mut state, self.file)?.length())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        if state.begin_change()? {
            return Err(power_is_cut());
        }
        let faults = state.faults;
        let mut random = state.random.clone();
        let cached = cached(&mut state, self.file)?;
        if faults.fails_sync {
            cached.lose_some(&mut random);
            state.random = random;
            return Err(io::Error::from_raw_os_error(INPUT_OUTPUT));
        }
        if !faults.ignores_sync {
            cached.sync();
        }
        state.syncs += 1;
        Ok(())
    }
}

fn cached(state: &mut State, file: u64) -> io::Result<&mut Cached> {
    state.files.get_mut(&file).ok_or_else(power_is_cut)
}

fn power_is_cut() -> io::Error {
    io::Error::other("the power is cut")
}

#[cfg(test)]
mod tests;
