//! The pods to place: which is next, and which wait for what.
//!
//! A pod that fits nowhere is parked until something happens that may let it fit, or for five
//! minutes. Woken, it waits for the end of its back-off, unless there is nothing else to do; after
//! an error it waits in any case.
//!
//! **Invariants:** pods come out by priority, then in the order they came in; a pod is in one place.
//!
//! **Spec:** upstream's scheduling queue of 1.33, which takes from the back-off queue when idle.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use mainstay_control::Key;
use mainstay_control::backoff::exponential;
use tokio::time::Instant;

use crate::Demand;

#[cfg(test)]
mod tests;

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// How long a pod is parked at most.
const LONGEST_PARKING: Duration = Duration::from_mins(5);

/// A pod to place.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) pod: Arc<Pod>,
    pub(crate) demand: Arc<Demand>,
}

/// How an attempt ended without a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It fits nowhere.
    NoFit,
    /// The server refused, or was not there.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Active,
    BackingOff {
        until: Instant,
        failure: Failure,
    },
    Parked {
        until: Instant,
    },
    /// Being decided on; whether something happened meanwhile that may let it fit.
    InHand {
        is_woken: bool,
    },
}

#[derive(Debug)]
struct Entry {
    waiting: Waiting,
    arrival: u64,
    attempts: u32,
    tried: Instant,
    place: Place,
}

/// All pods that have no node yet.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries: BTreeMap<Key, Entry>,
    active: BTreeMap<(Reverse<i32>, u64), Key>,
    timed: BTreeMap<(Instant, u64), Key>,
    arrivals: u64,
}

impl Queue {
    /// Brings a pod up to date; one that demands something else than before is tried again.
    pub(crate) fn put(&mut self, waiting: Waiting, now: Instant) {
        let key = waiting.demand.key.clone();
        let before = self.entries.get(&key).map(|entry| (entry.waiting.demand.clone(), entry.place));
        let Some((before, place)) = before.filter(|(before, _)| before.uid == waiting.demand.uid) else {
            return self.insert(&key, waiting, now);
        };
        let is_changed = before != waiting.demand;
        // Its priority is part of its place.
        self.unplace(&key);
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.waiting = waiting;
        }
        match place {
            Place::Parked { .. } if is_changed => self.rouse(&key, now),
            Place::InHand { is_woken } => {
                self.place(&key, Place::InHand { is_woken: is_woken || is_changed });
            }
            place => self.place(&key, place),
        }
    }

    /// Forgets a pod.
    pub(crate) fn remove(&mut self, key: &Key) {
        self.unplace(key);
        self.entries.remove(key);
    }

    /// The next pod to decide on, which is in hand until it fails or is removed.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Waiting> {
        self.release(now);
        let key = self.active.values().next().cloned().or_else(|| self.backing_off_by_event())?;
        self.unplace(&key);
        let entry = self.entries.get_mut(&key)?;
        entry.attempts = entry.attempts.saturating_add(1);
        entry.place = Place::InHand { is_woken: false };
        Some(entry.waiting.clone())
    }

    /// Ends an attempt at a pod that did not find it a node.
    pub(crate) fn fail(&mut self, waiting: &Waiting, failure: Failure, now: Instant) {
        let key = &waiting.demand.key;
        let Some(entry) = self.entries.get_mut(key) else { return };
        let Place::InHand { is_woken } = entry.place else { return };
        if entry.waiting.demand.uid != waiting.demand.uid {
            return;
        }
        entry.tried = now;
        if failure == Failure::NoFit && !is_woken {
            return self.place(key, Place::Parked { until: now + LONGEST_PARKING });
        }
        let until = now + backoff(entry.attempts);
        self.place(key, Place::BackingOff { until, failure });
    }

    /// Something happened: the parked pods it may help are tried again.
    pub(crate) fn wake(&mut self, now: Instant, helps: impl Fn(&Demand) -> bool) {
        let waiting = self.entries.iter().map(|(key, entry)| (key, entry.place, &entry.waiting.demand));
        let waiting =
            waiting.filter(|(_, place, _)| matches!(place, Place::Parked { .. } | Place::InHand { .. }));
        let helped = waiting.filter(|(.., demand)| helps(demand));
        let helped: Vec<_> = helped.map(|(key, place, _)| (key.clone(), place)).collect();
        for (key, place) in helped {
            self.unplace(&key);
            match place {
                Place::InHand { .. } => self.place(&key, Place::InHand { is_woken: true }),
                _ => self.rouse(&key, now),
            }
        }
    }

    /// When the next pod becomes due by itself.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.timed.keys().next().map(|(at, _)| *at)
    }

    fn insert(&mut self, key: &Key, waiting: Waiting, now: Instant) {
        self.unplace(key);
        self.arrivals += 1;
        let entry = Entry { waiting, arrival: self.arrivals, attempts: 0, tried: now, place: Place::Active };
        self.entries.insert(key.clone(), entry);
        self.place(key, Place::Active);
    }

    /// Makes a pod that fitted nowhere ready, at the end of its back-off.
    fn rouse(&mut self, key: &Key, now: Instant) {
        let Some(entry) = self.entries.get(key) else { return };
        let until = entry.tried + backoff(entry.attempts);
        let failure = Failure::NoFit;
        self.place(key, if until > now { Place::BackingOff { until, failure } } else { Place::Active });
    }

    /// What backs off although an event said that it may fit.
    fn backing_off_by_event(&self) -> Option<Key> {
        let is_hopeful = |key: &&Key| {
            let place = self.entries.get(*key).map(|entry| entry.place);
            matches!(place, Some(Place::BackingOff { failure: Failure::NoFit, .. }))
        };
        self.timed.values().find(is_hopeful).cloned()
    }

    fn release(&mut self, now: Instant) {
        while let Some(entry) = self.timed.first_entry().filter(|entry| entry.key().0 <= now) {
            let key = entry.remove();
            self.place(&key, Place::Active);
        }
    }

    fn place(&mut self, key: &Key, place: Place) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.place = place;
        match place {
            Place::Active => {
                let order = (Reverse(entry.waiting.demand.priority), entry.arrival);
                self.active.insert(order, key.clone());
            }
            Place::BackingOff { until, .. } | Place::Parked { until } => {
                self.timed.insert((until, entry.arrival), key.clone());
            }
            Place::InHand { .. } => {}
        }
    }

    fn unplace(&mut self, key: &Key) {
        let Some(entry) = self.entries.get(key) else { return };
        match entry.place {
            Place::Active => {
                self.active.remove(&(Reverse(entry.waiting.demand.priority), entry.arrival));
            }
            Place::BackingOff { until, .. } | Place::Parked { until } => {
                self.timed.remove(&(until, entry.arrival));
            }
            Place::InHand { .. } => {}
        }
    }
}

/// How long a pod waits after so many attempts.
fn backoff(attempts: u32) -> Duration {
    exponential(FIRST_BACKOFF, LONGEST_BACKOFF, attempts.saturating_sub(1))
}
