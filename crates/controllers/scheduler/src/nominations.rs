//! Which waiting pods have a node in prospect, because others gave way to them there.
//!
//! Until such a pod is bound, pods of its priority and below are placed as if it were on that node.
//!
//! **Invariants:** what this process decided holds until the watch has shown it, whatever older state
//! of the pod the watch shows before.
//!
//! **Spec:** upstream's pod nominator.

use std::collections::BTreeMap;
use std::sync::Arc;

use mainstay_control::Key;

use crate::filter::{Objection, Rejection};
use crate::schedule::Rules;
use crate::snapshot::NodeId;
use crate::snapshot::verdicts::Verdicts;
use crate::{PodState, Snapshot};

#[cfg(test)]
mod tests;

/// A pod, and the node it has in prospect.
pub(crate) type Withdrawn = (Arc<str>, Arc<PodState>);

#[derive(Clone, Debug)]
struct Nomination {
    node: Arc<str>,
    pod: Arc<PodState>,
    /// Whether the pod's status says so.
    is_written: bool,
}

/// All pods that have a node in prospect.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nominations(BTreeMap<Key, Nomination>);

impl Nominations {
    /// The node a pod has in prospect.
    pub(crate) fn of(&self, pod: &PodState) -> Option<&Arc<str>> {
        let nomination = self.0.get(&pod.key).filter(|it| it.pod.uid == pod.uid)?;
        Some(&nomination.node)
    }

    /// A pod has a node in prospect from now on.
    pub(crate) fn put(&mut self, pod: Arc<PodState>, node: Arc<str>) {
        self.0.insert(pod.key.clone(), Nomination { node, pod, is_written: false });
    }

    /// A pod has no node in prospect any more.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Withdrawn> {
        self.0.remove(key).map(|it| (it.node, it.pod))
    }

    /// The watch shows a waiting pod, with what its status says; returns what no longer holds.
    pub(crate) fn see(&mut self, pod: &Arc<PodState>, node: Option<&str>) -> Option<Withdrawn> {
        if self.0.is_empty() && node.is_none() {
            return None;
        }
        let known = self.0.get_mut(&pod.key).filter(|it| it.pod.uid == pod.uid);
        if let Some(known) = known {
            known.pod = pod.clone();
            known.is_written |= node == Some(&*known.node);
            if !known.is_written || node == Some(&*known.node) {
                return None;
            }
        }
        let before = self.remove(&pod.key);
        if let Some(node) = node {
            let nomination = Nomination { node: node.into(), pod: pod.clone(), is_written: true };
            self.0.insert(pod.key.clone(), nomination);
        }
        before
    }

    /// The pods of a lower priority that have this node in prospect.
    pub(crate) fn below(&self, priority: i32, node: &str) -> Vec<Arc<PodState>> {
        let there = self.0.values().filter(|it| *it.node == *node);
        there.filter(|it| it.pod.demand.priority < priority).map(|it| it.pod.clone()).collect()
    }

    /// The nodes that others of the pod's priority or above have in prospect, and those.
    fn beside(&self, pod: &PodState) -> BTreeMap<Arc<str>, Vec<Arc<PodState>>> {
        let mut nodes = BTreeMap::<Arc<str>, Vec<_>>::new();
        let others = self.0.values().filter(|it| {
            it.pod.demand.priority >= pod.demand.priority && it.pod.uid != pod.uid && it.pod.key != pod.key
        });
        for it in others {
            nodes.entry(it.node.clone()).or_default().push(it.pod.clone());
        }
        nodes
    }
}

/// The nodes that will not do once those are there that have them in prospect, and why.
pub(crate) type Crowded = BTreeMap<NodeId, (Objection, Rejection)>;

/// What is crowded for a pod, among all nodes or of one.
pub(crate) fn crowded(
    pod: &PodState,
    snapshot: &mut Snapshot,
    verdicts: &mut Verdicts,
    only: Option<NodeId>,
) -> Crowded {
    let mut crowded = Crowded::new();
    if snapshot.nominations().0.is_empty() {
        return crowded;
    }
    for (name, others) in snapshot.nominations().beside(pod) {
        let Some(id) = snapshot.node(&name).map(|node| node.id) else { continue };
        if only.is_some_and(|only| only != id) {
            continue;
        }
        for other in &others {
            snapshot.put_back(other, id);
        }
        let rules = Rules::as_it_is(pod, snapshot, verdicts);
        let node = snapshot.at(id);
        if let Err(objection) = rules.check(snapshot, node, verdicts.on(&pod.demand, node)) {
            crowded.insert(id, (objection, objection.explain(&pod.demand, node)));
        }
        for other in &others {
            snapshot.lift(other, id);
        }
    }
    crowded
}
