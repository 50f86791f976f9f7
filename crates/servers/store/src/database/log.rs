//! Writing the file: appending committed events, forgetting old ones, folding the log.

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, Statement, params};

use crate::record::{Event, EventKind};
use crate::vfs::Vfs;

/// Why a transaction did not happen.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Refused {
    /// There is no room on the disk.
    pub(crate) is_full: bool,
    /// What failed.
    pub(crate) text: String,
}

/// The writing half of the open file.
pub(crate) struct Log<'d> {
    connection: &'d Connection,
    vfs: &'d Vfs,
    begin: Statement<'d>,
    commit: Statement<'d>,
    insert: Statement<'d>,
}

impl<'d> Log<'d> {
    /// The writing half of `connection`.
    pub(crate) fn new(connection: &'d Connection, vfs: &'d Vfs) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            vfs,
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            insert: connection.prepare(
                "INSERT INTO revisions (revision, resource, namespace, name, created, deleted, value)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
        })
    }

    /// Makes `events` durable, all or none.
    pub(crate) fn append(&mut self, events: &[Arc<Event>]) -> Result<(), Refused> {
        self.transact(|log| events.iter().try_for_each(|event| log.insert(event)))
    }

    /// Removes the rows of `revisions`, and notes from where on the rest is complete.
    pub(crate) fn forget(
        &mut self,
        revisions: &[u64],
        floors: &[(Arc<str>, u64)],
        last: u64,
    ) -> Result<(), Refused> {
        self.transact(|log| {
            let mut delete = log.connection.prepare("DELETE FROM revisions WHERE revision = ?1")?;
            for revision in revisions {
                delete.execute([integer(*revision)])?;
            }
            let mut floor = log.connection.prepare("INSERT OR REPLACE INTO floors VALUES (?1, ?2)")?;
            for (resource, revision) in floors {
                floor.execute(params![resource, integer(*revision)])?;
            }
            // The last revision's row may be among those removed.
            log.connection.execute("INSERT OR REPLACE INTO meta VALUES ('revision', ?1)", [integer(last)])?;
            Ok(())
        })
    }

    /// Moves the log's pages into the file when it has `bytes` or more, so that it can start over.
    pub(crate) fn fold_when_longer(&mut self, bytes: u64) -> Result<(), Refused> {
        if self.vfs.log_bytes() < bytes {
            return Ok(());
        }
        let folded = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        folded.map_err(|error| self.refused(&error))
    }

    fn transact(&mut self, body: impl FnOnce(&mut Self) -> rusqlite::Result<()>) -> Result<(), Refused> {
        let begun = self.begin.execute([]);
        let done = begun.and_then(|_| body(self)).and_then(|()| self.commit.execute([]));
        done.map(|_| ()).map_err(|error| {
            self.roll_back();
            self.refused(&error)
        })
    }

    /// Ends a transaction that SQLite did not end itself when it failed.
    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "a refused transaction could not be rolled back");
        }
    }

    fn refused(&self, error: &rusqlite::Error) -> Refused {
        let is_full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        Refused { is_full, text: self.vfs.explain(error) }
    }

    fn insert(&mut self, event: &Event) -> rusqlite::Result<()> {
        let record = &event.record;
        self.insert.execute(params![
            integer(record.revision),
            record.key.resource,
            record.key.namespace,
            record.key.name,
            integer(record.created),
            event.kind == EventKind::Deleted,
            &record.value[..],
        ])?;
        Ok(())
    }
}

/// A revision as SQLite keeps it.
fn integer(revision: u64) -> i64 {
    i64::try_from(revision).expect("invariant: no store lives for 2^63 revisions")
}
