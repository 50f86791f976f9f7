//! The store's figures, for `/metrics` and the benchmarks.

use std::sync::atomic::Ordering;

use crate::shared::Shared;
use crate::vfs::Counters;

/// The store's figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Live objects.
    pub objects: usize,
    /// Their bytes.
    pub bytes: usize,
    /// The revision of the last commit.
    pub revision: u64,
    /// Writes committed since the store was opened.
    pub commits: u64,
    /// Transactions that committed them.
    pub batches: u64,
    /// Transactions the disk refused.
    pub failures: u64,
    /// Syncs of files; none in memory.
    pub fsyncs: u64,
    /// Bytes written to files; none in memory.
    pub written_bytes: u64,
}

impl Stats {
    /// The figures now.
    pub(crate) fn read(shared: &Shared, counters: Option<&Counters>) -> Self {
        let (revision, (objects, bytes)) = {
            let live = shared.read();
            (live.revision(), live.size())
        };
        Self {
            objects,
            bytes,
            revision,
            commits: shared.commits.load(Ordering::Relaxed),
            batches: shared.batches.load(Ordering::Relaxed),
            failures: shared.failures.load(Ordering::Relaxed),
            fsyncs: counters.map_or(0, |counters| counters.syncs.load(Ordering::Relaxed)),
            written_bytes: counters.map_or(0, |counters| counters.written_bytes.load(Ordering::Relaxed)),
        }
    }
}
