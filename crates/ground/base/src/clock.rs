//! The one source of time.
//!
//! Durations are measured with `tokio::time::Instant`, which a virtual World pauses; the wall clock
//! of a virtual World is its start plus the tokio time that has passed since.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the time of its World.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Wall,
    Virtual { start: Timestamp, origin: Instant },
}

impl Clock {
    /// The machine's clock.
    pub fn wall() -> Self {
        Self(Kind::Wall)
    }

    /// A clock that reads `start` now and follows tokio's (paused) time from here.
    pub fn starting_at(start: Timestamp) -> Self {
        Self(Kind::Virtual { start, origin: Instant::now() })
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[allow(clippy::disallowed_methods, reason = "this is the Clock")]
            Kind::Wall => Timestamp::now(),
            Kind::Virtual { start, origin } => *start + origin.elapsed(),
        }
    }

    /// A point on the monotonic clock, for measuring what passes.
    #[allow(clippy::unused_self, reason = "whoever measures was given a World's clock")]
    pub fn instant(&self) -> Instant {
        Instant::now()
    }

    /// Waits for `duration` of this World's time.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
