//! How fast the pods of silent nodes are driven away, zone by zone.
//!
//! **Invariants:** each zone has its own pace; while no node of the whole cluster is ready, nothing
//! is driven away: it is more likely the control plane that is cut off.
//!
//! **Spec:** upstream's `nodelifecycle`: one node in ten seconds; where 55 % of a zone's nodes (three
//! at least) are not ready, one in a hundred seconds in a large zone and none in a small one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

/// Until the next node of a zone, when all is well.
pub const PACE: Duration = Duration::from_secs(10);
/// Until the next node of a large zone much of which is down.
pub const SLOW_PACE: Duration = Duration::from_secs(100);
/// A zone with more nodes than these is large.
pub const LARGE: usize = 50;
/// The part of a zone's nodes, in percent, that must be down to slow down.
const UNHEALTHY_PERCENT: usize = 55;

/// How a zone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not looked at yet.
    Initial,
    /// Well enough.
    Normal,
    /// Much of it is down.
    Partial,
    /// None of its nodes is ready.
    Full,
}

/// The nodes of a zone that are ready, and those that are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Ready.
    pub ready: usize,
    /// Not ready, or silent.
    pub unready: usize,
}

impl Count {
    fn total(self) -> usize {
        self.ready + self.unready
    }
}

/// How a zone with so many nodes is.
pub fn state(count: Count) -> State {
    let share = 100 * count.unready;
    match (count.ready, count.unready) {
        (0, 1..) => State::Full,
        (_, 3..) if share >= UNHEALTHY_PERCENT * count.total() => State::Partial,
        _ => State::Normal,
    }
}

fn pace(state: State, size: usize) -> Option<Duration> {
    match state {
        State::Partial if size > LARGE => Some(SLOW_PACE),
        State::Partial => None,
        _ => Some(PACE),
    }
}

/// One token, refilled at a pace; never without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limiter {
    pace: Option<Duration>,
    next: Timestamp,
}

impl Limiter {
    /// A full one.
    pub fn new(pace: Option<Duration>, now: Timestamp) -> Self {
        Self { pace, next: now }
    }

    /// Takes the token if there is one.
    pub fn try_take(&mut self, now: Timestamp) -> bool {
        let Some(pace) = self.pace else { return false };
        let is_full = now >= self.next;
        if is_full {
            self.next = now.checked_add(pace).unwrap_or(Timestamp::MAX);
        }
        is_full
    }

    /// Changes the pace; who waited goes on waiting.
    pub fn set_pace(&mut self, pace: Option<Duration>, now: Timestamp) {
        if self.pace == pace {
            return;
        }
        let was_full = self.try_take(now);
        *self = Self::new(pace, now);
        if !was_full {
            self.try_take(now);
        }
    }
}

/// A zone: its state, its pace, and the nodes that wait for their taint.
#[derive(Clone, Debug)]
struct Zone {
    state: State,
    limiter: Limiter,
    waiting: BTreeSet<(Timestamp, Arc<str>)>,
}

/// What a change of the zones' states asks for beyond other paces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Nothing.
    None,
    /// All nodes are down: the taints that drive pods away are taken off them.
    AllDown,
    /// Not all are any more: each gets its whole grace period anew.
    NoLongerAllDown,
}

/// All zones.
#[derive(Clone, Debug, Default)]
pub struct Zones(BTreeMap<String, Zone>);

impl Zones {
    /// Takes note of a zone.
    pub fn add(&mut self, zone: &str, now: Timestamp) {
        if !self.0.contains_key(zone) {
            let limiter = Limiter::new(Some(PACE), now);
            self.0.insert(zone.to_owned(), Zone { state: State::Initial, limiter, waiting: BTreeSet::new() });
        }
    }

    /// Lets a node wait for its taint, at the end where it does not yet.
    pub fn enqueue(&mut self, zone: &str, node: &Arc<str>, now: Timestamp) {
        self.add(zone, now);
        if let Some(zone) = self.0.get_mut(zone)
            && !zone.waiting.iter().any(|(_, name)| name == node)
        {
            zone.waiting.insert((now, node.clone()));
        }
    }

    /// A node waits no longer; whether it did.
    pub fn dequeue(&mut self, node: &str) -> bool {
        let mut did = false;
        for zone in self.0.values_mut() {
            let before = zone.waiting.len();
            zone.waiting.retain(|(_, name)| **name != *node);
            did |= zone.waiting.len() < before;
        }
        did
    }

    /// The next node whose turn it is.
    pub fn next(&mut self, now: Timestamp) -> Option<Arc<str>> {
        let mut ready = self.0.values_mut().filter(|zone| !zone.waiting.is_empty());
        let zone = ready.find_map(|zone| zone.limiter.try_take(now).then_some(zone))?;
        zone.waiting.pop_first().map(|(_, node)| node)
    }

    /// When the next node's turn comes.
    pub fn due(&self) -> Option<Timestamp> {
        let waiting = self.0.values().filter(|zone| !zone.waiting.is_empty() && zone.limiter.pace.is_some());
        waiting.map(|zone| zone.limiter.next).min()
    }

    /// How a zone is.
    pub fn state(&self, zone: &str) -> Option<State> {
        self.0.get(zone).map(|zone| zone.state)
    }

    /// Sets the paces for the zones as they are now.
    pub fn shift(&mut self, counts: &BTreeMap<String, Count>, now: Timestamp) -> Shift {
        for zone in counts.keys() {
            self.add(zone, now);
        }
        self.0.retain(|name, _| counts.contains_key(name));
        let all_are_down = counts.values().all(|count| state(*count) == State::Full);
        let all_were_down = self.0.values().all(|zone| zone.state == State::Full);
        if all_are_down && all_were_down {
            return Shift::None;
        }
        for (name, zone) in &mut self.0 {
            let count = counts.get(name).copied().unwrap_or_default();
            let next = state(count);
            if all_are_down {
                zone.limiter.set_pace(None, now);
            } else if all_were_down || zone.state != next {
                zone.limiter.set_pace(pace(next, count.total()), now);
            }
            zone.state = next;
        }
        match (all_are_down, all_were_down) {
            (true, _) => Shift::AllDown,
            (_, true) => Shift::NoLongerAllDown,
            _ => Shift::None,
        }
    }
}
