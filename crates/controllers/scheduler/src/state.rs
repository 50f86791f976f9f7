//! What the loop knows: the snapshot and the queue, and what changes of nodes and pods mean to both.
//!
//! **Invariants:** no I/O; a pod is handed out at most once at a time.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use mainstay_base::random::Random;
use mainstay_control::Key;
use tokio::time::Instant;

use crate::life::Life;
use crate::pod::Register;
use crate::queue::{Failure, Queue, Waiting};
use crate::seen::{Seen, has_ended, is_ours, node_name, nominated};
use crate::snapshot::Update;
use crate::storage::{Step, Storage};
use crate::{Draw, PodState, Preemption, Snapshot, Unschedulable, schedule};

mod hints;
mod reserved;

#[cfg(test)]
mod tests;

use hints::Event;
use reserved::Reserved;

/// What is to be done about a pod.
#[derive(Debug)]
pub(crate) enum Act {
    /// Bind it to the node, on which it is assumed from here on.
    Bind(Arc<Waiting>, Arc<str>),
    /// Have its claims get their volumes on the node, on which it is assumed from here on.
    Prepare(Arc<Waiting>, Arc<str>, Vec<Step>),
    /// Its claims did not get their volumes.
    GiveUp(Arc<Waiting>, Vec<Step>),
    /// Tell why it has no node.
    Tell(Arc<Waiting>, Unschedulable),
}

/// Nodes, pods on them, and pods that wait for one.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) snapshot: Snapshot,
    queue: Queue,
    register: Register,
    draw: Draw,
    reserved: Reserved,
}

impl State {
    /// Knows nothing yet; `ties` settles ties.
    pub(crate) fn new(ties: Random) -> Self {
        Self {
            snapshot: Snapshot::default(),
            queue: Queue::default(),
            register: Register::default(),
            draw: Draw::new(ties),
            reserved: Reserved::default(),
        }
    }

    /// A node is there, new or changed.
    pub(crate) fn on_node(&mut self, node: &Node, now: Instant) {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        match self.snapshot.put(node) {
            Update::Same => {}
            Update::New => self.wake(&Event::Node(name, None), now),
            Update::Changed(before) => self.wake(&Event::Node(name, Some(&before)), now),
        }
    }

    /// A node is gone.
    pub(crate) fn on_node_gone(&mut self, name: &str, now: Instant) {
        if let Some(facts) = self.snapshot.remove_node(name) {
            self.wake(&Event::NodeGone(&facts), now);
        }
    }

    /// A pod is there, new or changed.
    pub(crate) fn on_pod(&mut self, seen: &Seen, now: Instant) {
        if has_ended(seen) {
            return self.on_pod_gone(&Key::of(seen), now);
        }
        let pod = self.register.share(PodState::of(seen));
        match node_name(seen) {
            None => self.on_unbound(pod, seen, now),
            Some(node) => {
                self.on_bound(&pod, node, now);
                self.snapshot.note(&pod.key, Life::of(seen));
            }
        }
    }

    /// A pod is gone, or has ended.
    pub(crate) fn on_pod_gone(&mut self, key: &Key, now: Instant) {
        self.queue.remove(key);
        self.withdraw(key, now);
        self.free(key, now);
    }

    /// Decides on the next pod.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Act> {
        if let Some((reserve, has_all)) = self.reserved.next(self.snapshot.storage(), now) {
            return Some(if has_all {
                Act::Bind(reserve.waiting, reserve.node)
            } else {
                self.snapshot.storage_mut().take_back(&reserve.steps);
                Act::GiveUp(reserve.waiting, reserve.steps)
            });
        }
        let waiting = self.queue.next(now)?;
        Some(match schedule(&waiting.pod, &mut self.snapshot, &mut self.draw) {
            Ok(placement) => {
                self.withdraw(&waiting.pod.key, now);
                self.snapshot.assume(&placement.node, waiting.pod.clone());
                self.wake(&Event::Joined(&waiting.pod), now);
                self.bind_or_prepare(waiting, placement.node, now)
            }
            Err(why) => {
                self.look_ahead(&waiting.pod, &why.preemption, now);
                Act::Tell(waiting, why)
            }
        })
    }

    /// When there is something to decide without any change.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.queue.due().into_iter().chain(self.reserved.due()).min()
    }

    /// Something became of claims, volumes or classes, if `change` says so.
    pub(crate) fn on_storage(&mut self, change: impl FnOnce(&mut Storage) -> bool, now: Instant) {
        if change(self.snapshot.storage_mut()) {
            self.reserved.stir();
            self.wake(&Event::Storage, now);
        }
    }

    fn bind_or_prepare(&mut self, waiting: Arc<Waiting>, node: Arc<str>, now: Instant) -> Act {
        let steps = self.snapshot.choose(&waiting.pod, &node);
        if steps.is_empty() {
            return Act::Bind(waiting, node);
        }
        self.reserved.put(waiting.clone(), node.clone(), steps.clone(), now);
        Act::Prepare(waiting, node, steps)
    }

    /// A pod is bound: it waits no more, and the watch will show it on its node.
    pub(crate) fn bound(&mut self, waiting: &Waiting) {
        if self.snapshot.assumed(&waiting.pod.key) == Some(&waiting.pod.uid) {
            self.queue.remove(&waiting.pod.key);
        }
    }

    /// A pod could not be bound: what was kept for it is free again.
    pub(crate) fn refused(&mut self, waiting: &Waiting, now: Instant) {
        let pod = &waiting.pod;
        if let Some(reserve) = self.reserved.remove(&pod.key) {
            self.snapshot.storage_mut().take_back(&reserve.steps);
        }
        if self.snapshot.assumed(&pod.key) == Some(&pod.uid)
            && let Some(node) = self.snapshot.forget(&pod.key)
        {
            self.wake(&Event::Left(&node, pod), now);
        }
        self.queue.fail(waiting, Failure::Error, now);
    }

    /// It was told why a pod has no node.
    pub(crate) fn told(&mut self, waiting: &Waiting, why: &Unschedulable, now: Instant) {
        self.queue.fail(waiting, Failure::NoFit(why.plugins().into_iter().collect()), now);
    }

    /// A pod has no node in prospect any more.
    pub(crate) fn withdraw(&mut self, key: &Key, now: Instant) {
        if let Some((node, pod)) = self.snapshot.nominations_mut().remove(key) {
            self.wake(&Event::Left(&node, &pod), now);
        }
    }

    /// What preemption means to who has a node in prospect.
    fn look_ahead(&mut self, pod: &Arc<PodState>, preemption: &Preemption, now: Instant) {
        match preemption {
            Preemption::Possible(displacement) => {
                for pod in &displacement.outranked {
                    self.snapshot.nominations_mut().remove(&pod.key);
                }
                self.snapshot.nominations_mut().put(pod.clone(), displacement.node.clone());
            }
            Preemption::Futile(_) => self.withdraw(&pod.key, now),
            Preemption::Declined | Preemption::UnderWay => {}
        }
    }

    fn on_bound(&mut self, pod: &Arc<PodState>, node: &str, now: Instant) {
        self.queue.remove(&pod.key);
        self.withdraw(&pod.key, now);
        let before = self.snapshot.whereabouts(&pod.key).zip(self.snapshot.pod(&pod.key).cloned());
        if self.snapshot.put_pod(node, pod.clone()) {
            match &before {
                Some((place, before)) if **place == *node => {
                    self.wake(&Event::Altered(node, before, pod), now);
                }
                Some((place, before)) => {
                    self.wake(&Event::Left(place, before), now);
                    self.wake(&Event::Joined(pod), now);
                }
                None => self.wake(&Event::Joined(pod), now),
            }
        }
    }

    fn on_unbound(&mut self, pod: Arc<PodState>, seen: &Seen, now: Instant) {
        match self.snapshot.assumed(&pod.key) {
            // The state before our binding, which the watch has yet to show.
            Some(uid) if *uid == *pod.uid => {
                if !is_ours(seen) {
                    self.queue.remove(&pod.key);
                }
                return;
            }
            // Another pod had that name.
            _ => self.free(&pod.key, now),
        }
        let in_prospect = nominated(seen).filter(|_| is_ours(seen));
        if let Some((node, pod)) = self.snapshot.nominations_mut().see(&pod, in_prospect) {
            self.wake(&Event::Left(&node, &pod), now);
        }
        if is_ours(seen) {
            self.queue.put(Waiting::of(pod, seen), now);
        } else {
            self.queue.remove(&pod.key);
        }
    }

    /// Takes a pod off its node.
    fn free(&mut self, key: &Key, now: Instant) {
        self.reserved.remove(key);
        if let Some((node, pod)) = self.snapshot.remove_pod(key) {
            self.wake(&Event::Left(&node, &pod), now);
        }
    }

    /// Wakes the pods that may fit somewhere after this.
    fn wake(&mut self, event: &Event<'_>, now: Instant) {
        let snapshot = &self.snapshot;
        self.queue.wake(now, |demand, plugins| event.helps(demand, plugins, snapshot));
    }
}
