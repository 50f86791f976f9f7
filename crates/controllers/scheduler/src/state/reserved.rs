//! Pods that have a node and wait there for their volumes.
//!
//! **Invariants:** such a pod is assumed on its node, and in hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mainstay_control::Key;
use tokio::time::Instant;

use crate::queue::Waiting;
use crate::storage::{Step, Storage};

/// How long a pod waits for its volumes.
const LONGEST: Duration = Duration::from_mins(10);

/// A pod that waits for its volumes.
#[derive(Debug)]
pub(super) struct Reserve {
    pub(super) waiting: Arc<Waiting>,
    pub(super) node: Arc<str>,
    pub(super) steps: Vec<Step>,
    until: Instant,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    pods: BTreeMap<Key, Reserve>,
    /// Whether something became of claims since they were last looked at.
    is_stirred: bool,
}

impl Reserved {
    /// A pod waits from now on.
    pub(super) fn put(&mut self, waiting: Arc<Waiting>, node: Arc<str>, steps: Vec<Step>, now: Instant) {
        let reserve = Reserve { node, steps, until: now + LONGEST, waiting };
        self.pods.insert(reserve.waiting.pod.key.clone(), reserve);
    }

    /// A pod waits no more.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Reserve> {
        self.pods.remove(key)
    }

    /// Something became of claims.
    pub(super) fn stir(&mut self) {
        self.is_stirred = !self.pods.is_empty();
    }

    /// When the first has waited too long.
    pub(super) fn due(&self) -> Option<Instant> {
        self.pods.values().map(|reserve| reserve.until).min()
    }

    /// A pod whose waiting is over, and whether it has its volumes.
    pub(super) fn next(&mut self, storage: &Storage, now: Instant) -> Option<(Reserve, bool)> {
        if !self.is_stirred && self.due().is_none_or(|due| due > now) {
            return None;
        }
        let is_over = |(key, it): (&Key, &Reserve)| match storage.are_bound(&it.waiting.pod, &it.node) {
            Some(true) => Some((key.clone(), true)),
            Some(false) if it.until > now => None,
            _ => Some((key.clone(), false)),
        };
        let Some((key, has_all)) = self.pods.iter().find_map(is_over) else {
            self.is_stirred = false;
            return None;
        };
        self.pods.remove(&key).map(|reserve| (reserve, has_all))
    }
}
