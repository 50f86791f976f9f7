//! The limits a store works with; tests make them small.

use std::time::Duration;

use mainstay_base::limits;

use crate::ring::Bounds;

/// How much is kept, and how often it is tidied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    /// The bounds of every resource's ring.
    pub(crate) ring: Bounds,
    /// How long writes are gathered while several are under way at once.
    pub(crate) gather: Duration,
    /// Rows that are forgotten together.
    pub(crate) forget_batch: usize,
    /// The length of the write-ahead log at which it is folded.
    pub(crate) log_bytes: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            ring: Bounds { events: limits::HISTORY_EVENTS, bytes: limits::HISTORY_BYTES },
            gather: limits::COMMIT_GATHER,
            forget_batch: limits::FORGET_BATCH,
            log_bytes: limits::LOG_BYTES,
        }
    }
}
