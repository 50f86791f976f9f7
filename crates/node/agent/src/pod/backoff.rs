//! How long a container waits before it is tried again: 10 s, then twice as long each time, up to
//! 5 min; from the beginning after 10 min without trouble.
//!
//! SPEC: kubelet's container and image back-off (client-go's `flowcontrol.Backoff`).

use jiff::{SignedDuration, Timestamp};

const FIRST_SECONDS: u16 = 10;
const MOST_SECONDS: u16 = 300;

/// The back-off of one container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BackOff {
    /// The delay it has come to, and when it came to it.
    entry: Option<(u16, Timestamp)>,
}

impl BackOff {
    /// The delay in seconds that holds for a failure at `failed`; none when there is none.
    pub(super) fn seconds(&self, failed: Timestamp) -> Option<u16> {
        self.entry.filter(|(_, since)| !is_long_ago(*since, failed)).map(|(seconds, _)| seconds)
    }

    /// Until when the next try waits after a failure at `failed`.
    pub(super) fn until(&self, failed: Timestamp) -> Option<Timestamp> {
        self.seconds(failed).map(|seconds| failed + SignedDuration::from_secs(seconds.into()))
    }

    /// Counts a try at `now` after a failure at `failed`: the next one waits longer.
    pub(super) fn lengthen(&mut self, failed: Timestamp, now: Timestamp) {
        let seconds = self.seconds(failed).map_or(FIRST_SECONDS, |last| (last * 2).min(MOST_SECONDS));
        self.entry = Some((seconds, now));
    }
}

fn is_long_ago(since: Timestamp, failed: Timestamp) -> bool {
    failed.duration_since(since) > SignedDuration::from_secs(2 * i64::from(MOST_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn delays_double_up_to_five_minutes_and_start_over_after_ten() {
        let (mut backoff, mut now, mut delays) = (BackOff::default(), 0, Vec::new());
        for _ in 0..8 {
            let failed = at(now);
            let wait = backoff.until(failed).map_or(0, |until| until.duration_since(failed).as_secs());
            delays.push(wait);
            now += wait;
            backoff.lengthen(failed, at(now));
            now += 5;
        }
        assert_eq!(delays, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(backoff.seconds(at(now - 5 + 600)), Some(300));
        assert_eq!(backoff.until(at(now - 5 + 601)), None);
        backoff.lengthen(at(now + 600), at(now + 600));
        assert_eq!(backoff.seconds(at(now + 600)), Some(10));
    }
}
