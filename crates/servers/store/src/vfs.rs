//! SQLite's way to its files: a VFS over [`mainstay_base::disk`].
//!
//! One registration per open store, under a name of its own. The methods are SQLite's first
//! version: no shared memory, so WAL mode needs exclusive locking; and no file locks, because the
//! store's lock keeps other processes out before SQLite opens anything.
//!
//! SPEC: <https://www.sqlite.org/c3ref/vfs.html>, <https://www.sqlite.org/c3ref/io_methods.html>.

use std::ffi::{CStr, CString, c_int};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use mainstay_base::disk::SharedDisk;
use rusqlite::ffi;

mod entry;
mod file;

/// What the disk was asked, for the store's figures.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Syncs of files.
    pub(crate) syncs: AtomicU64,
    /// Bytes written.
    pub(crate) written_bytes: AtomicU64,
}

/// What SQLite's calls find behind the VFS's pointer.
#[derive(Debug)]
struct State {
    disk: SharedDisk,
    counters: Arc<Counters>,
    /// Where the last write to the write-ahead log ended: it is written from front to back.
    log_end: AtomicU64,
    /// SQLite's codes do not say what the disk said.
    last_failure: Mutex<Option<String>>,
}

impl State {
    /// SQLite's code for `failure`, which is noted for the error's text.
    fn code(&self, failure: &io::Error, otherwise: c_int) -> c_int {
        self.note(failure);
        match failure.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ffi::SQLITE_FULL,
            _ => otherwise,
        }
    }

    /// SQLite's code for an outcome.
    fn done(&self, outcome: io::Result<()>, otherwise: c_int) -> c_int {
        outcome.map_or_else(|failure| self.code(&failure, otherwise), |()| ffi::SQLITE_OK)
    }

    fn note(&self, failure: &io::Error) {
        *self.last_failure.lock().expect("invariant: no panic under this lock") = Some(failure.to_string());
    }
}

/// A registered VFS; unregistered when dropped, which must be after its last connection.
#[derive(Debug)]
pub(crate) struct Vfs {
    name: CString,
    state: Arc<State>,
    /// Dropped, never read.
    _registration: entry::Registration,
}

impl Vfs {
    /// Registers a VFS for the files of `disk`.
    pub(crate) fn register(disk: SharedDisk) -> Result<Self, String> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("mainstay-{number}")).expect("invariant: no NUL in a number");
        let state = Arc::new(State {
            disk,
            counters: Arc::default(),
            log_end: AtomicU64::new(0),
            last_failure: Mutex::new(None),
        });
        let registration = entry::Registration::new(name.clone(), Arc::clone(&state))?;
        Ok(Self { name, state, _registration: registration })
    }

    /// The name SQLite knows it by.
    pub(crate) fn name(&self) -> &CStr {
        &self.name
    }

    /// What the disk was asked so far.
    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.state.counters)
    }

    /// How long the write-ahead log is.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.state.log_end.load(Ordering::Relaxed)
    }

    /// An error of SQLite's, with what the disk said where it was the disk's.
    pub(crate) fn explain(&self, error: &rusqlite::Error) -> String {
        let failure = self.state.last_failure.lock().expect("invariant: no panic under this lock").take();
        match failure {
            Some(failure) => format!("{error}: {failure}"),
            None => error.to_string(),
        }
    }
}
