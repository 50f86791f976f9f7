//! An invariant on watch: looked at after every commit that can change it.

use std::time::Duration;

use tokio::time::Instant;

use crate::gaze::{Gaze, Otherwise, Seat};
use crate::history::History;

/// Violations of one invariant that are told; more are the same story again.
const TOLD: usize = 10;

/// An invariant on watch.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) name: String,
    pub(crate) gaze: Gaze,
    from: Instant,
    until: Option<Instant>,
    /// How long it may be otherwise.
    within: Duration,
    broken: Option<Broken>,
    told: usize,
}

#[derive(Debug)]
struct Broken {
    since: Instant,
    is_told: bool,
}

/// What a look found.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// It does not hold since then, for longer than it may.
    Broken(Instant, Otherwise),
    /// It holds again: the violation that began then is over.
    Whole(Instant),
}

impl Guard {
    pub(crate) fn new(
        name: String,
        gaze: Gaze,
        (from, until): (Instant, Option<Instant>),
        within: Duration,
    ) -> Self {
        Self { name, gaze, from, until, within, broken: None, told: 0 }
    }

    /// Looks whether it holds now. Of a region that is down nobody can say.
    pub(crate) fn look(&mut self, now: Instant, seat: &Seat, history: &History) -> Option<Found> {
        if now < self.from || self.until.is_some_and(|until| now > until) || seat.is_down {
            return self
                .broken
                .take()
                .filter(|broken| broken.is_told)
                .map(|broken| Found::Whole(broken.since));
        }
        let Err(otherwise) = self.gaze.judge(seat, history) else {
            return self
                .broken
                .take()
                .filter(|broken| broken.is_told)
                .map(|broken| Found::Whole(broken.since));
        };
        let broken = self.broken.get_or_insert(Broken { since: now, is_told: false });
        if broken.is_told || now < broken.since + self.within || self.told >= TOLD {
            return None;
        }
        broken.is_told = true;
        self.told += 1;
        Some(Found::Broken(broken.since, otherwise))
    }

    /// When it must be looked at, whatever happens until then.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        match &self.broken {
            Some(broken) if !broken.is_told && self.told < TOLD => Some(broken.since + self.within),
            _ if now < self.from => Some(self.from),
            _ => None,
        }
    }
}
