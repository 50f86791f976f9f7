//! How long the failed pods of a node are left alone: a second, doubling to a quarter of an hour.
//!
//! **Spec:** upstream's `failedPodsBackoff`; a failure long after the last one starts over.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(15);

/// Of which pods: those of a set, as of one of its generations, on a node.
type Place = (String, i64, String);

/// The delays of one controller.
#[derive(Debug, Default)]
pub(super) struct Backoff(Mutex<BTreeMap<Place, (Duration, Instant)>>);

impl Backoff {
    /// How long the pods of a place are to be left alone, if they are. It is the whole delay, from
    /// whenever it began.
    pub(super) fn delay(&self, set: &str, generation: i64, node: &str) -> Option<Duration> {
        let places = self.lock();
        let (delay, since) = places.get(&(set.to_owned(), generation, node.to_owned()))?;
        (since.elapsed() < *delay).then_some(*delay)
    }

    /// The pods of a place failed, and are replaced.
    pub(super) fn fail(&self, set: &str, generation: i64, node: &str) {
        let mut places = self.lock();
        places.retain(|_, (_, since)| since.elapsed() <= 2 * LONGEST);
        let place = (set.to_owned(), generation, node.to_owned());
        let delay = places.get(&place).map_or(FIRST, |(delay, _)| (2 * *delay).min(LONGEST));
        places.insert(place, (delay, Instant::now()));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, (Duration, Instant)>> {
        self.0.lock().expect("invariant: no panic under this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_delay_doubles_per_place_and_starts_over_after_half_an_hour() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay("a", 1, "n"), None);
        for expected in [1, 2, 4] {
            backoff.fail("a", 1, "n");
            assert_eq!(backoff.delay("a", 1, "n"), Some(Duration::from_secs(expected)));
            assert_eq!(backoff.delay("a", 2, "n"), None, "another generation has its own");
            tokio::time::advance(Duration::from_secs(expected)).await;
            assert_eq!(backoff.delay("a", 1, "n"), None);
        }
        (0..20).for_each(|_| backoff.fail("a", 1, "n"));
        assert_eq!(backoff.delay("a", 1, "n"), Some(LONGEST));
        tokio::time::advance(2 * LONGEST + FIRST).await;
        backoff.fail("a", 1, "n");
        assert_eq!(backoff.delay("a", 1, "n"), Some(FIRST));
    }
}
