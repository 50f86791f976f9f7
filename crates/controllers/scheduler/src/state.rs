//! What the scheduler knows and what it makes of it: changes come in, acts come out.
//!
//! **Invariants:** no I/O; a pod is handed out at most once at a time.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use mainstay_base::random::Random;
use mainstay_control::{Change, Key};
use tokio::time::Instant;

use crate::demand::{has_ended, is_ours, node_name};
use crate::queue::{Failure, Queue, Waiting};
use crate::{Demand, Facts, Snapshot, Unschedulable, filter, schedule, spread};

#[cfg(test)]
mod tests;

/// What is to be done about a pod.
#[derive(Debug)]
pub(crate) enum Act {
    /// Bind it to the node, on which it is assumed from here on.
    Bind(Waiting, Arc<str>),
    /// Tell why it has no node.
    Tell(Waiting, Unschedulable),
}

/// Nodes, pods on them, and pods that wait for one.
#[derive(Debug)]
pub(crate) struct State {
    snapshot: Snapshot,
    queue: Queue,
    ties: Random,
}

impl State {
    /// Knows nothing yet; `ties` settles ties.
    pub(crate) fn new(ties: Random) -> Self {
        Self { snapshot: Snapshot::default(), queue: Queue::default(), ties }
    }

    /// A node changed.
    pub(crate) fn on_node(&mut self, change: &Change<Node>, now: Instant) {
        let name = change.latest().metadata.name.as_deref().unwrap_or_default();
        match change {
            Change::Applied { new, .. } => {
                if self.snapshot.put_node(name, Facts::of(new)) {
                    self.wake(name, now);
                }
            }
            Change::Deleted { .. } => {
                self.snapshot.remove_node(name);
                self.queue.wake(now, spread::is_strict);
            }
        }
    }

    /// A pod changed.
    pub(crate) fn on_pod(&mut self, change: &Change<Pod>, now: Instant) {
        let key = Key::of(change.latest().as_ref());
        let Some(pod) = change.now().filter(|pod| !has_ended(pod)) else {
            self.queue.remove(&key);
            return self.free(&key, now);
        };
        let mut demand = Demand::of(pod);
        let Some(node) = pod.spec.as_ref().and_then(node_name) else {
            return self.on_unbound(pod, demand, now);
        };
        self.queue.remove(&key);
        // Bound, it wants no other node.
        demand.node_name = None;
        let before = self.snapshot.whereabouts(&key);
        if self.snapshot.put_pod(node, Arc::new(demand)) {
            for node in before.iter().map(AsRef::as_ref).chain([node]) {
                self.wake(node, now);
            }
        }
    }

    /// Decides on the next pod.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Act> {
        let waiting = self.queue.next(now)?;
        Some(match schedule(&waiting.demand, &self.snapshot, &mut self.ties) {
            Ok(placement) => {
                self.snapshot.assume(&placement.node, waiting.demand.clone());
                // What is too many elsewhere may now be just right.
                let namespace = &waiting.demand.key.namespace;
                self.queue.wake(now, |other| other.key.namespace == *namespace && spread::is_strict(other));
                Act::Bind(waiting, placement.node)
            }
            Err(why) => Act::Tell(waiting, why),
        })
    }

    /// When there is something to decide without any change.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.queue.due()
    }

    /// A pod is bound: it waits no more, and the watch will show it on its node.
    pub(crate) fn bound(&mut self, waiting: &Waiting) {
        if self.snapshot.assumed(&waiting.demand.key) == Some(&waiting.demand.uid) {
            self.queue.remove(&waiting.demand.key);
        }
    }

    /// A pod could not be bound: what was kept for it is free again.
    pub(crate) fn refused(&mut self, waiting: &Waiting, now: Instant) {
        let key = &waiting.demand.key;
        if self.snapshot.assumed(key) == Some(&waiting.demand.uid)
            && let Some(node) = self.snapshot.forget(key)
        {
            self.wake(&node, now);
        }
        self.queue.fail(waiting, Failure::Error, now);
    }

    /// It was told why a pod has no node.
    pub(crate) fn told(&mut self, waiting: &Waiting, now: Instant) {
        self.queue.fail(waiting, Failure::NoFit, now);
    }

    fn on_unbound(&mut self, pod: &Arc<Pod>, demand: Demand, now: Instant) {
        let key = demand.key.clone();
        match self.snapshot.assumed(&key) {
            // The state before our binding, which the watch has yet to show.
            Some(uid) if uid == demand.uid => {
                if !is_ours(pod) {
                    self.queue.remove(&key);
                }
                return;
            }
            // Another pod had that name.
            _ => self.free(&key, now),
        }
        if is_ours(pod) {
            self.queue.put(Waiting { pod: pod.clone(), demand: Arc::new(demand) }, now);
        } else {
            self.queue.remove(&key);
        }
    }

    /// Takes a pod off its node.
    fn free(&mut self, key: &Key, now: Instant) {
        if let Some(node) = self.snapshot.remove_pod(key) {
            self.wake(&node, now);
        }
    }

    /// Wakes the pods that a change of this node lets fit there, and those to whom any change counts.
    fn wake(&mut self, name: &str, now: Instant) {
        let node = self.snapshot.node(name);
        self.queue.wake(now, |demand| {
            spread::is_strict(demand) || node.is_some_and(|node| filter::check(demand, node).is_ok())
        });
    }
}
