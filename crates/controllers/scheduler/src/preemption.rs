//! Who would have to give way for a pod that fits nowhere, and where.
//!
//! **Not here:** making them go ([`crate::controller`]).
//!
//! **Spec:** upstream's `DefaultPreemption` and its evaluator.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::snapshot::NodeId;
use crate::snapshot::verdicts::Verdicts;
use crate::unschedulable::Preemption;
use crate::{PodState, Reason, Snapshot};

mod choice;
mod victims;

#[cfg(test)]
mod tests;

use victims::Candidate;

/// The least share of nodes to find victims on, in hundredths.
const LEAST_SHARE: usize = 10;
/// The least number of nodes to find victims on.
const LEAST_SOUGHT: usize = 100;

/// The pods that give way to another, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Displacement {
    /// The node.
    pub node: Arc<str>,
    /// The pods that have to go, the most important first.
    pub victims: Vec<Arc<PodState>>,
    /// The waiting pods of lower priority that had the node in prospect.
    pub outranked: Vec<Arc<PodState>>,
}

/// What would come of preemption for a pod that every node rejected, where `resolvable` are those that
/// might do without some of their pods; `offset` draws where to begin among so many.
pub(crate) fn prospect(
    pod: &PodState,
    snapshot: &mut Snapshot,
    verdicts: &mut Verdicts,
    resolvable: &[NodeId],
    offset: impl FnOnce(usize) -> usize,
) -> Preemption {
    if pod.demand.is_patient {
        return Preemption::Declined;
    }
    if is_under_way(pod, snapshot, resolvable) {
        return Preemption::UnderWay;
    }
    let mut futile = BTreeMap::new();
    let hopeless = snapshot.len() - resolvable.len();
    if hopeless > 0 {
        futile.insert(Reason::NotHelpful, hopeless);
    }
    if !snapshot.has_lesser(pod.demand.priority) {
        if !resolvable.is_empty() {
            futile.insert(Reason::NoVictims, resolvable.len());
        }
        return Preemption::Futile(futile);
    }
    let offset = if resolvable.is_empty() { 0 } else { offset(resolvable.len()) };
    let sought = (resolvable.len() * LEAST_SHARE / 100).max(LEAST_SOUGHT);
    let candidates = candidates(pod, snapshot, verdicts, (resolvable, offset), sought, &mut futile);
    match choice::best(candidates) {
        Some(candidate) => Preemption::Possible(displacement(pod, snapshot, candidate)),
        None => Preemption::Futile(futile),
    }
}

/// Whether pods are on their way out for this one already.
fn is_under_way(pod: &PodState, snapshot: &Snapshot, resolvable: &[NodeId]) -> bool {
    let node = snapshot.nominations().of(pod).and_then(|name| snapshot.node(name));
    let node = node.filter(|node| resolvable.contains(&node.id));
    node.is_some_and(|node| {
        let mut pods = node.usage.pods.values();
        pods.any(|other| {
            other.demand.priority < pod.demand.priority
                && other.is_terminating
                && snapshot.life(&other.key).is_preempted
        })
    })
}

/// The nodes where the pod would fit without some others, as many as are sought; the search goes on
/// past those that violate a budget, of which no more are kept.
fn candidates(
    pod: &PodState,
    snapshot: &mut Snapshot,
    verdicts: &mut Verdicts,
    (nodes, offset): (&[NodeId], usize),
    sought: usize,
    futile: &mut BTreeMap<Reason, usize>,
) -> Vec<Candidate> {
    let (mut candidates, mut harmless) = (Vec::new(), 0);
    for node in nodes[offset..].iter().chain(&nodes[..offset]) {
        match victims::on(pod, snapshot, verdicts, *node) {
            Ok(candidate) => {
                let is_harmless = candidate.violations == 0;
                if is_harmless || candidates.len() - harmless < sought {
                    harmless += usize::from(is_harmless);
                    candidates.push(candidate);
                }
            }
            Err(reasons) => reasons.into_iter().for_each(|reason| *futile.entry(reason).or_default() += 1),
        }
        if harmless > 0 && candidates.len() >= sought {
            break;
        }
    }
    candidates
}

fn displacement(pod: &PodState, snapshot: &Snapshot, candidate: Candidate) -> Displacement {
    let node = snapshot.at(candidate.node).name.clone();
    let outranked = snapshot.nominations().below(pod.demand.priority, &node);
    let victims = candidate.victims.into_iter().map(|victim| victim.pod).collect();
    Displacement { node, victims, outranked }
}
