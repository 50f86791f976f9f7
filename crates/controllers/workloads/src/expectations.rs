//! What a controller has asked for and not yet seen, so that a cache that lags behind does not make
//! it ask twice.
//!
//! **Invariants:** an owner is settled when everything it asked for was seen, or five minutes have
//! passed.
//!
//! **Spec:** upstream's `ControllerExpectations` with UID tracking of deletions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use mainstay_control::Key;
use tokio::time::Instant;

/// After this long an expectation is given up.
const PATIENCE: Duration = Duration::from_mins(5);

/// The expectations of one controller.
#[derive(Debug, Default)]
pub(crate) struct Expectations(Mutex<BTreeMap<Key, Expected>>);

#[derive(Debug)]
struct Expected {
    creations: usize,
    deletions: BTreeSet<Key>,
    since: Instant,
}

impl Expectations {
    /// Whether nothing more is to be seen of `owner`.
    pub(crate) fn are_met(&self, owner: &Key) -> bool {
        self.lock().get(owner).is_none_or(|expected| {
            expected.creations == 0 && expected.deletions.is_empty() || expected.since.elapsed() > PATIENCE
        })
    }

    /// `owner` is about to create so many.
    pub(crate) fn expect_creations(&self, owner: &Key, creations: usize) {
        self.expect(owner, creations, []);
    }

    /// `owner` is about to delete these.
    pub(crate) fn expect_deletions(&self, owner: &Key, deletions: impl IntoIterator<Item = Key>) {
        self.expect(owner, 0, deletions);
    }

    /// `owner` is about to create so many and to delete these.
    pub(crate) fn expect(&self, owner: &Key, creations: usize, deletions: impl IntoIterator<Item = Key>) {
        let deletions = deletions.into_iter().collect();
        let expected = Expected { creations, deletions, since: Instant::now() };
        self.lock().insert(owner.clone(), expected);
    }

    /// So many creations were seen, or will never be.
    pub(crate) fn created(&self, owner: &Key, count: usize) {
        if let Some(expected) = self.lock().get_mut(owner) {
            expected.creations = expected.creations.saturating_sub(count);
        }
    }

    /// A deletion was seen, or will never be.
    pub(crate) fn deleted(&self, owner: &Key, object: &Key) {
        if let Some(expected) = self.lock().get_mut(owner) {
            expected.deletions.remove(object);
        }
    }

    /// `owner` is gone.
    pub(crate) fn forget(&self, owner: &Key) {
        self.lock().remove(owner);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Expected>> {
        self.0.lock().expect("invariant: no panic under this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_owner_is_settled_once_everything_was_seen_or_given_up() {
        let (expectations, owner) = (Expectations::default(), Key::new("default", "web"));
        assert!(expectations.are_met(&owner));
        expectations.expect_creations(&owner, 3);
        expectations.created(&owner, 2);
        assert!(!expectations.are_met(&owner));
        expectations.created(&owner, 1);
        assert!(expectations.are_met(&owner));

        let pod = |name| Key::new("default", name);
        expectations.expect_deletions(&owner, [pod("a"), pod("b")]);
        expectations.deleted(&owner, &pod("a"));
        expectations.deleted(&owner, &pod("a"));
        assert!(!expectations.are_met(&owner), "one deletion seen twice is not two");
        tokio::time::advance(PATIENCE + Duration::from_secs(1)).await;
        assert!(expectations.are_met(&owner));
    }
}
