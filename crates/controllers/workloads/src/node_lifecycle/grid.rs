//! The moments at which upstream would look at all nodes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How often.
const PERIOD: Duration = Duration::from_secs(5);

/// Moments a period apart from the first on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid(pub(super) Timestamp);

impl Grid {
    /// The first moment at or after `time`.
    pub(super) fn at_or_after(self, time: Timestamp) -> Timestamp {
        let period = i128::try_from(PERIOD.as_nanos()).unwrap_or(1);
        let since = time.as_nanosecond() - self.0.as_nanosecond();
        let steps = since.max(0).div_euclid(period) + i128::from(since.max(0) % period != 0);
        let delay = SignedDuration::from_nanos_i128(steps * period);
        self.0.checked_add(delay).unwrap_or(Timestamp::MAX)
    }

    /// The first moment after `time`.
    pub(super) fn after(self, time: Timestamp) -> Timestamp {
        self.at_or_after(time.checked_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_is_a_whole_number_of_periods_from_the_first() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let grid = Grid(at("2026-01-01T00:00:01Z"));
        assert_eq!(grid.at_or_after(at("2026-01-01T00:00:00Z")), grid.0);
        assert_eq!(grid.at_or_after(grid.0), grid.0);
        assert_eq!(grid.after(grid.0), at("2026-01-01T00:00:06Z"));
        assert_eq!(grid.at_or_after(at("2026-01-01T00:00:06.5Z")), at("2026-01-01T00:00:11Z"));
    }
}
