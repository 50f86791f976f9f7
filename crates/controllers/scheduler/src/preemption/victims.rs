//! Which pods of one node would have to go for another to fit.
//!
//! All that may go are taken off; then one after the other comes back if the pod still fits: first
//! those whose going violates a budget, the more important before the less.

use std::sync::Arc;

use jiff::Timestamp;

use crate::schedule::Rules;
use crate::snapshot::NodeId;
use crate::snapshot::verdicts::Verdicts;
use crate::{PodState, Reason, Rejection, Snapshot};

/// A pod that would have to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Victim {
    pub(super) pod: Arc<PodState>,
    /// When it started; never so far where nothing is known of it.
    pub(super) started: Option<Timestamp>,
}

/// A node on which a pod would fit without some others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) node: NodeId,
    /// The most important first.
    pub(super) victims: Vec<Victim>,
    /// How many of them a budget would keep.
    pub(super) violations: usize,
}

/// The pods that would have to leave this node, or why that would not help. The snapshot is afterwards
/// what it was before.
pub(super) fn on(
    pod: &PodState,
    snapshot: &mut Snapshot,
    verdicts: &mut Verdicts,
    node: NodeId,
) -> Result<Candidate, Vec<Reason>> {
    let lesser = lesser(pod, snapshot, node);
    if lesser.is_empty() {
        return Err(vec![Reason::NoVictims]);
    }
    for victim in &lesser {
        snapshot.lift(&victim.pod, node);
    }
    let result = select(pod, snapshot, verdicts, node, &lesser);
    for victim in &lesser {
        if !snapshot.at(node).usage.pods.contains_key(&victim.pod.key) {
            snapshot.put_back(&victim.pod, node);
        }
    }
    result
}

fn select(
    pod: &PodState,
    snapshot: &mut Snapshot,
    verdicts: &mut Verdicts,
    node: NodeId,
    lesser: &[Victim],
) -> Result<Candidate, Vec<Reason>> {
    check(pod, snapshot, verdicts, node).map_err(|rejection| rejection.reasons)?;
    let pods: Vec<Arc<PodState>> = lesser.iter().map(|victim| victim.pod.clone()).collect();
    let violated = snapshot.budgets().violated(&pods);
    let mut candidate = Candidate { node, victims: Vec::new(), violations: 0 };
    for violates in [true, false] {
        let these = lesser.iter().zip(&violated).filter(|(_, it)| **it == violates);
        for (victim, _) in these {
            snapshot.put_back(&victim.pod, node);
            if check(pod, snapshot, verdicts, node).is_err() {
                snapshot.lift(&victim.pod, node);
                candidate.victims.push(victim.clone());
                candidate.violations += usize::from(violates);
            }
        }
    }
    candidate.victims.sort_by_key(importance);
    // A pod that fits without anybody's going needs nobody to go.
    if candidate.victims.is_empty() { Err(vec![Reason::NoVictims]) } else { Ok(candidate) }
}

/// Whether the node will do as it is now.
fn check(
    pod: &PodState,
    snapshot: &mut Snapshot,
    verdicts: &mut Verdicts,
    node: NodeId,
) -> Result<(), Rejection> {
    let rules = Rules::at(pod, snapshot, verdicts, node);
    let state = snapshot.at(node);
    let checked = rules.check(snapshot, state, verdicts.on(&pod.demand, state));
    checked.map_err(|objection| rules.explain(objection, state))
}

/// The pods of lower priority on a node, the most important first.
fn lesser(pod: &PodState, snapshot: &Snapshot, node: NodeId) -> Vec<Victim> {
    let pods = snapshot.at(node).usage.pods.values();
    let lesser = pods.filter(|other| other.demand.priority < pod.demand.priority);
    let victim = |pod: &Arc<PodState>| Victim { pod: pod.clone(), started: snapshot.life(&pod.key).started };
    let mut lesser: Vec<Victim> = lesser.map(victim).collect();
    lesser.sort_by_key(importance);
    lesser
}

/// The lower, the more important: by priority, then who started first.
fn importance(victim: &Victim) -> (std::cmp::Reverse<i32>, Timestamp) {
    (std::cmp::Reverse(victim.pod.demand.priority), victim.since())
}

impl Victim {
    /// Since when it runs; a pod that has not started is the youngest.
    pub(super) fn since(&self) -> Timestamp {
        self.started.unwrap_or(Timestamp::MAX)
    }
}
