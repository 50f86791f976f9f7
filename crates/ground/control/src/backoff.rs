//! Delays after failures: exponential, bounded, without jitter.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::runtime::utils::Backoff;

/// Each item's own exponential delay, as upstream's work queues have it: 5 ms doubling to 1000 s.
#[derive(Clone, Debug)]
pub struct ItemBackoff<T> {
    first: Duration,
    longest: Duration,
    failures: BTreeMap<T, u32>,
}

impl<T: Ord + Clone> ItemBackoff<T> {
    /// Delays from `first`, doubled with every failure, to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: BTreeMap::new() }
    }

    /// Counts a failure of `item` and says how long to wait.
    pub fn fail(&mut self, item: &T) -> Duration {
        let failures = self.failures.entry(item.clone()).or_default();
        let delay = exponential(self.first, self.longest, *failures);
        *failures += 1;
        delay
    }

    /// How often `item` has failed since it was last forgotten.
    pub fn failures(&self, item: &T) -> u32 {
        self.failures.get(item).copied().unwrap_or_default()
    }

    /// Starts over for `item`.
    pub fn forget(&mut self, item: &T) {
        self.failures.remove(item);
    }
}

impl<T: Ord + Clone> Default for ItemBackoff<T> {
    fn default() -> Self {
        Self::new(Duration::from_millis(5), Duration::from_secs(1000))
    }
}

/// `first` doubled `times` times, at most `longest`.
pub fn exponential(first: Duration, longest: Duration, times: u32) -> Duration {
    2_u32.checked_pow(times).and_then(|factor| first.checked_mul(factor)).map_or(longest, |d| d.min(longest))
}

/// The delay before a failed watch is opened again: 800 ms doubling to 30 s, reset by a success.
#[derive(Clone, Debug, Default)]
pub struct WatchBackoff {
    failures: u32,
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let delay = exponential(Duration::from_millis(800), Duration::from_secs(30), self.failures);
        self.failures = self.failures.saturating_add(1);
        Some(delay)
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_items_delay_doubles_to_its_bound_and_starts_over_once_forgotten() {
        let mut backoff = ItemBackoff::default();
        let delays: Vec<_> = (0..20).map(|_| backoff.fail(&"a").as_millis()).collect();
        assert_eq!(delays[..4], [5, 10, 20, 40]);
        assert_eq!(delays[17..], [655_360, 1_000_000, 1_000_000]);
        assert_eq!(backoff.fail(&"b").as_millis(), 5, "each item counts for itself");
        assert_eq!(backoff.failures(&"a"), 20);
        backoff.forget(&"a");
        assert_eq!(backoff.fail(&"a").as_millis(), 5);
    }

    #[test]
    fn a_watchs_delay_never_overflows_and_a_success_resets_it() {
        let mut backoff = WatchBackoff::default();
        let delays: Vec<_> = backoff.by_ref().take(50).map(|delay| delay.as_millis()).collect();
        assert_eq!(delays[..3], [800, 1600, 3200]);
        assert_eq!(delays[49], 30_000);
        backoff.reset();
        assert_eq!(backoff.next(), Some(Duration::from_millis(800)));
    }
}
