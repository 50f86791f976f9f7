//! The store's file: opening it, and telling whose it is.
//!
//! SQLite in WAL mode with `synchronous=FULL`, behind our own VFS, with exclusive locking: one
//! connection, no shared memory, and no lock but the one taken on [`LOCK_FILE`].
//!
//! **Not here:** reading it (`load`), writing it (`log`).

use std::io;
use std::sync::Arc;

use mainstay_base::disk::{Lock, SharedDisk};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::OpenError;
use crate::live::Live;
use crate::ring::Bounds;
use crate::store::Index;
use crate::vfs::{Counters, Vfs};

mod load;
mod log;

pub(crate) use log::{Log, Refused};

/// The file.
pub(crate) const FILE: &str = "store.db";
/// Locked while the file is open.
pub(crate) const LOCK_FILE: &str = "store.lock";
/// "MNST": what makes a SQLite file a store of ours.
const APPLICATION: i64 = 0x4D4E_5354;
/// The layout of the tables.
pub(crate) const FORMAT: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE revisions (
        revision INTEGER PRIMARY KEY,
        resource TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        created INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        value BLOB NOT NULL
    ) STRICT;
    CREATE TABLE floors (resource TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// The log is folded by the committer, between answers, not inside a commit.
const SETTINGS: &str = "
    PRAGMA journal_mode=WAL;
    PRAGMA synchronous=FULL;
    PRAGMA wal_autocheckpoint=0;
    PRAGMA journal_size_limit=16777216;
    PRAGMA temp_store=MEMORY;
";

/// The open file. Its fields close in this order.
pub(crate) struct Database {
    connection: Connection,
    vfs: Vfs,
    _lock: Lock,
}

impl Database {
    /// Opens the file on `disk`, making it where there is none.
    pub(crate) fn open(disk: SharedDisk) -> Result<Self, OpenError> {
        let lock = disk.lock(LOCK_FILE).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::Locked,
            _ => OpenError::Disk(error.to_string()),
        })?;
        let vfs = Vfs::register(disk).map_err(OpenError::Disk)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags_and_vfs(FILE, flags, vfs.name());
        let connection = opened.map_err(|error| Trouble::from(error).explain(&vfs))?;
        let database = Self { connection, vfs, _lock: lock };
        database.prepare().map_err(|trouble| trouble.explain(&database.vfs))?;
        Ok(database)
    }

    /// What the disk was asked so far.
    pub(crate) fn counters(&self) -> Arc<Counters> {
        self.vfs.counters()
    }

    /// Reads everything: the live objects with their rings, and the rows nothing refers to.
    pub(crate) fn load(&self, index: Index, bounds: Bounds) -> Result<(Live, Vec<u64>), OpenError> {
        load::load(&self.connection, index, bounds).map_err(|error| Trouble::from(error).explain(&self.vfs))
    }

    /// The writing half.
    pub(crate) fn log(&self) -> rusqlite::Result<Log<'_>> {
        Log::new(&self.connection, &self.vfs)
    }

    /// Folds the log into the file and closes it; what was committed is durable either way.
    pub(crate) fn close(self) {
        let Self { connection, vfs, _lock } = self;
        if let Err((connection, error)) = connection.close() {
            tracing::warn!(%error, "the store did not close cleanly");
            drop(connection);
        }
        drop(vfs);
    }

    /// Makes sure that the file is a store of this format, and sets how it is written.
    fn prepare(&self) -> Result<(), Trouble> {
        self.connection.execute_batch("PRAGMA locking_mode=EXCLUSIVE;")?;
        let is_new = self.is_new()?;
        self.connection.execute_batch(SETTINGS)?;
        if is_new {
            let marks = format!("PRAGMA application_id={APPLICATION}; PRAGMA user_version={FORMAT};");
            return Ok(self
                .connection
                .execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} {marks} COMMIT;"))?);
        }
        match self.text("PRAGMA quick_check(1)")?.as_str() {
            "ok" => Ok(()),
            finding => Err(Trouble::Refused(OpenError::Damaged(finding.to_owned()))),
        }
    }

    /// Whether nothing was ever written to the file; an error when it is not ours.
    fn is_new(&self) -> Result<bool, Trouble> {
        let tables = self.number("SELECT count(*) FROM sqlite_schema")?;
        let application = self.number("PRAGMA application_id")?;
        let found = self.number("PRAGMA user_version")?;
        match (application, found) {
            (0, 0) if tables == 0 => Ok(true),
            (APPLICATION, FORMAT) => Ok(false),
            (APPLICATION, _) => Err(Trouble::Refused(OpenError::Format { found, supported: FORMAT })),
            _ => Err(Trouble::Refused(OpenError::Foreign(FILE))),
        }
    }

    fn number(&self, query: &str) -> rusqlite::Result<i64> {
        self.connection.query_row(query, [], |row| row.get(0))
    }

    fn text(&self, query: &str) -> rusqlite::Result<String> {
        self.connection.query_row(query, [], |row| row.get(0))
    }
}

/// Why the file could not be opened, before it has words.
enum Trouble {
    Refused(OpenError),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Trouble {
    fn explain(self, vfs: &Vfs) -> OpenError {
        let error = match self {
            Self::Refused(refusal) => return refusal,
            Self::Sqlite(error) => error,
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => OpenError::Foreign(FILE),
            Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged(error.to_string()),
            _ => OpenError::Disk(vfs.explain(&error)),
        }
    }
}
