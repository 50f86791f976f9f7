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
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mainstay_control::Key;
use mainstay_control::backoff::exponential;
use tokio::time::Instant;

use crate::seen::{Seen, nominated};
use crate::{Demand, PodState};

mod plugins;

#[cfg(test)]
mod tests;

pub(crate) use plugins::Plugins;

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// How long a pod is parked at most.
const LONGEST_PARKING: Duration = Duration::from_mins(5);
/// The condition that tells whether a pod has a node.
pub(crate) const SCHEDULED: &str = "PodScheduled";

/// A pod to place.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) pod: Arc<PodState>,
    /// The resource version it was seen at.
    pub(crate) version: Box<str>,
    /// What its condition says of why it has no node.
    pub(crate) told: Option<Told>,
    /// The node that its status says it has in prospect.
    pub(crate) in_prospect: Option<Box<str>>,
}

/// A condition that says why a pod has no node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) since: Option<jiff::Timestamp>,
}

impl Waiting {
    /// A pod that is to be placed, as it was seen.
    pub(crate) fn of(pod: Arc<PodState>, seen: &Seen) -> Self {
        let version = seen.metadata.resource_version.as_deref().unwrap_or_default().into();
        let mut conditions = seen.status.conditions.iter().flatten();
        let told = conditions.find(|it| it.type_ == SCHEDULED && it.status == "False").map(|it| Told {
            reason: it.reason.clone().unwrap_or_default(),
            message: it.message.clone().unwrap_or_default(),
            since: it.last_transition_time.as_ref().map(|time| time.0),
        });
        Self { pod, version, told, in_prospect: nominated(seen).map(Into::into) }
    }
}

/// How an attempt ended without a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It fits nowhere, as these rules say.
    NoFit(Plugins),
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
        plugins: Plugins,
    },
    /// Being decided on; whether something happened meanwhile that may let it fit.
    InHand {
        is_woken: bool,
    },
}

#[derive(Debug)]
struct Entry {
    waiting: Arc<Waiting>,
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
    /// The parked pods: those of one demand that the same rules reject are helped by the same.
    parked: BTreeMap<(Plugins, Arc<Demand>), BTreeSet<Key>>,
    in_hand: BTreeSet<Key>,
    arrivals: u64,
}

impl Queue {
    /// Brings a pod up to date; one that demands something else than before is tried again.
    pub(crate) fn put(&mut self, waiting: Waiting, now: Instant) {
        let key = waiting.pod.key.clone();
        let before = self.entries.get(&key).map(|entry| (entry.waiting.pod.clone(), entry.place));
        let Some((before, place)) = before.filter(|(before, _)| before.uid == waiting.pod.uid) else {
            return self.insert(&key, waiting, now);
        };
        let is_changed = before != waiting.pod;
        // Its priority is part of its place.
        self.unplace(&key);
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.waiting = Arc::new(waiting);
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
    pub(crate) fn next(&mut self, now: Instant) -> Option<Arc<Waiting>> {
        self.release(now);
        let key = self.active.values().next().cloned().or_else(|| self.backing_off_by_event())?;
        self.unplace(&key);
        let entry = self.entries.get_mut(&key)?;
        entry.attempts = entry.attempts.saturating_add(1);
        let waiting = entry.waiting.clone();
        self.place(&key, Place::InHand { is_woken: false });
        Some(waiting)
    }

    /// Ends an attempt at a pod that did not find it a node.
    pub(crate) fn fail(&mut self, waiting: &Waiting, failure: Failure, now: Instant) {
        let key = &waiting.pod.key;
        let Some(entry) = self.entries.get_mut(key) else { return };
        let Place::InHand { is_woken } = entry.place else { return };
        if entry.waiting.pod.uid != waiting.pod.uid {
            return;
        }
        entry.tried = now;
        let until = now + backoff(entry.attempts);
        self.unplace(key);
        match failure {
            Failure::NoFit(plugins) if !is_woken => {
                self.place(key, Place::Parked { until: now + LONGEST_PARKING, plugins });
            }
            _ => self.place(key, Place::BackingOff { until, failure }),
        }
    }

    /// Something happened: the parked pods it may help are tried again, by what they demand and which
    /// rules reject them.
    pub(crate) fn wake(&mut self, now: Instant, mut helps: impl FnMut(&Demand, Plugins) -> bool) {
        let helped = self.parked.iter().filter(|((plugins, demand), _)| helps(demand, *plugins));
        let helped: Vec<Key> = helped.flat_map(|(_, keys)| keys.iter().cloned()).collect();
        for key in helped {
            self.unplace(&key);
            self.rouse(&key, now);
        }
        for key in &self.in_hand {
            if let Some(entry) = self.entries.get_mut(key)
                && helps(&entry.waiting.pod.demand, Plugins::ALL)
            {
                entry.place = Place::InHand { is_woken: true };
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
        let waiting = Arc::new(waiting);
        let entry = Entry { waiting, arrival: self.arrivals, attempts: 0, tried: now, place: Place::Active };
        self.entries.insert(key.clone(), entry);
        self.place(key, Place::Active);
    }

    /// Makes a pod that fitted nowhere ready, at the end of its back-off.
    fn rouse(&mut self, key: &Key, now: Instant) {
        let Some(entry) = self.entries.get(key) else { return };
        let until = entry.tried + backoff(entry.attempts);
        let failure = Failure::NoFit(Plugins::ALL);
        self.place(key, if until > now { Place::BackingOff { until, failure } } else { Place::Active });
    }

    /// What backs off although an event said that it may fit.
    fn backing_off_by_event(&self) -> Option<Key> {
        let is_hopeful = |key: &&Key| {
            let place = self.entries.get(*key).map(|entry| entry.place);
            matches!(place, Some(Place::BackingOff { failure: Failure::NoFit(_), .. }))
        };
        self.timed.values().find(is_hopeful).cloned()
    }

    fn release(&mut self, now: Instant) {
        while let Some(entry) = self.timed.first_entry().filter(|entry| entry.key().0 <= now) {
            let key = entry.get().clone();
            self.unplace(&key);
            self.place(&key, Place::Active);
        }
    }

    fn place(&mut self, key: &Key, place: Place) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.place = place;
        match place {
            Place::Active => {
                let order = (Reverse(entry.waiting.pod.demand.priority), entry.arrival);
                self.active.insert(order, key.clone());
            }
            Place::BackingOff { until, .. } => {
                self.timed.insert((until, entry.arrival), key.clone());
            }
            Place::Parked { until, plugins } => {
                self.timed.insert((until, entry.arrival), key.clone());
                let group = (plugins, entry.waiting.pod.demand.clone());
                self.parked.entry(group).or_default().insert(key.clone());
            }
            Place::InHand { .. } => {
                self.in_hand.insert(key.clone());
            }
        }
    }

    fn unplace(&mut self, key: &Key) {
        let Some(entry) = self.entries.get(key) else { return };
        match entry.place {
            Place::Active => {
                self.active.remove(&(Reverse(entry.waiting.pod.demand.priority), entry.arrival));
            }
            Place::BackingOff { until, .. } => {
                self.timed.remove(&(until, entry.arrival));
            }
            Place::Parked { until, plugins } => {
                self.timed.remove(&(until, entry.arrival));
                let group = (plugins, entry.waiting.pod.demand.clone());
                if let Some(keys) = self.parked.get_mut(&group) {
                    keys.remove(key);
                    if keys.is_empty() {
                        self.parked.remove(&group);
                    }
                }
            }
            Place::InHand { .. } => {
                self.in_hand.remove(key);
            }
        }
    }
}

/// How long a pod waits after so many attempts.
fn backoff(attempts: u32) -> Duration {
    exponential(FIRST_BACKOFF, LONGEST_BACKOFF, attempts.saturating_sub(1))
}
