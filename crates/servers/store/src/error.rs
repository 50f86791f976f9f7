//! What the store refuses, and why.

use std::sync::Arc;

use crate::record::Record;

/// Why a write did not happen. Nothing of it is visible.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// The object is not as the write expected; read it again and decide anew.
    #[error("the object is not as the write expected: {}", found(current.as_ref()))]
    Conflict {
        /// The object as it is.
        current: Option<Arc<Record>>,
    },
    /// A part of the store that the write rests on has changed; look at it again and decide anew.
    #[error("what the write rests on has changed")]
    Changed,
    /// The disk has no room; the write may succeed later.
    #[error("the store's disk is full: {0}")]
    Full(String),
    /// The disk failed; the write may succeed later. Should the process end before another write
    /// succeeds, the next start may find it made after all.
    #[error("the store could not write: {0}")]
    Failed(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

fn found(current: Option<&Arc<Record>>) -> String {
    current
        .map_or_else(|| "there is none".to_owned(), |record| format!("it is at revision {}", record.revision))
}

/// The changes after `requested` are no longer all known; list again and go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {requested} ({oldest})")]
pub struct Compacted {
    /// The revision that was asked for.
    pub requested: u64,
    /// The oldest revision that can still be asked for.
    pub oldest: u64,
}

/// Why a store did not open. None of them is cured by trying again, except [`OpenError::Locked`].
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store is in use by another process")]
    Locked,
    /// Another version of the program wrote it.
    #[error("the store has format {found}; this version reads format {supported}")]
    Format {
        /// The format in the file.
        found: i64,
        /// The one this version reads.
        supported: i64,
    },
    /// The file is no store.
    #[error("the file '{0}' is not a store")]
    Foreign(&'static str),
    /// The file is a store, and broken.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The disk failed.
    #[error("the store's disk failed: {0}")]
    Disk(String),
}
