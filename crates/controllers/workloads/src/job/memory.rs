//! What the controller remembers of its Jobs between turns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use mainstay_control::Key;

use super::backoff::Failures;

/// The memory of all Jobs.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<BTreeMap<Key, OfJob>>);

#[derive(Debug, Default)]
struct OfJob {
    /// The uids of pods whose finalizer was taken off, which the cache does not show yet.
    released: BTreeSet<String>,
    failures: Failures,
}

impl Memory {
    /// The finalizers of these pods are about to be taken off.
    pub(super) fn releases<'a>(&self, job: &Key, pods: impl IntoIterator<Item = &'a str>) {
        let pods = pods.into_iter().map(str::to_owned);
        self.lock().entry(job.clone()).or_default().released.extend(pods);
    }

    /// A finalizer is seen to be gone, or will not go.
    pub(super) fn saw_released(&self, job: &Key, pod: &str) {
        if let Some(of) = self.lock().get_mut(job) {
            of.released.remove(pod);
        }
    }

    /// The finalizers that were taken off and are still shown.
    pub(super) fn released(&self, job: &Key) -> BTreeSet<String> {
        self.lock().get(job).map(|of| of.released.clone()).unwrap_or_default()
    }

    /// The failures since the last success.
    pub(super) fn failures(&self, job: &Key) -> Failures {
        self.lock().get(job).map(|of| of.failures).unwrap_or_default()
    }

    /// The failures are in the status now.
    pub(super) fn remember(&self, job: &Key, failures: Failures) {
        self.lock().entry(job.clone()).or_default().failures = failures;
    }

    /// The Job ended or is gone.
    pub(super) fn forget(&self, job: &Key) {
        self.lock().remove(job);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, OfJob>> {
        self.0.lock().expect("invariant: no panic under this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Upstream's `TestUIDTrackingExpectations`.
    #[test]
    fn each_jobs_finalizers_are_expected_to_go_once() {
        let (memory, jobs) = (Memory::default(), ["a", "b", "c"].map(|name| Key::new("default", name)));
        let uids =
            |job: &Key, from: usize| (from..3).map(|pod| format!("{}-{pod}", job.name)).collect::<Vec<_>>();
        for job in &jobs {
            assert!(memory.released(job).is_empty());
            memory.releases(job, uids(job, 0).iter().map(String::as_str));
            assert!(memory.released(job).iter().eq(&uids(job, 0)));
        }
        for (seen, job) in jobs.iter().enumerate() {
            (0..seen).for_each(|pod| memory.saw_released(job, &format!("{}-{pod}", job.name)));
            memory.saw_released(job, "unknown");
            assert!(memory.released(job).iter().eq(&uids(job, seen)));
            memory.forget(job);
            assert!(memory.released(job).is_empty());
        }
    }
}
