//! The object store: every state of every object under one revision counter (MVCC).
//!
//! A read looks at memory only. A write is a [`Write`] with what it expects to find; the one
//! committer checks it, gives it the next revision, makes it durable together with whatever else
//! waits, makes it visible, and then answers. A list says at which revision it is true, a
//! [`Watch`] goes on from there, and both know how far back they can see ([`Compacted`]).
//!
//! **Invariants:** nothing is visible before it is durable. Revisions only grow, also across a
//! restart. An event is forgotten only when its resource's ring is full: however far the revision
//! moves elsewhere, the watch of a quiet resource stays valid.
//!
//! **Not here:** what the objects mean (`apiserver`), files and faults (`base::disk`).

mod committer;
mod database;
mod error;
mod list;
mod live;
mod plan;
mod record;
mod ring;
mod shared;
mod stats;
mod store;
#[cfg(test)]
mod tests;
mod tuning;
mod vfs;
mod watch;

pub use error::{CommitError, Compacted, OpenError};
pub use list::{Page, Query};
pub use record::{Change, Draft, Event, EventKind, Expect, Key, Record, Tags, Unchanged, Write};
pub use stats::Stats;
pub use store::{Index, Observer, Store};
pub use watch::{Batch, Watch};
