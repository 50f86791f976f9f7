//! What would come of pods of lower priority giving way, as far as a person is told.
//!
//! **Spec:** upstream's `DefaultPreemption` in its dry run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::schedule::Rules;
use crate::snapshot::NodeId;
use crate::snapshot::verdicts::{Verdict, Verdicts};
use crate::unschedulable::Preemption;
use crate::{PodState, Snapshot};

/// The prospect of preemption for a pod that every node rejected, where `resolvable` are those that
/// might do without some of their pods.
pub(crate) fn prospect(pod: &PodState, snapshot: &mut Snapshot, resolvable: &[NodeId]) -> Preemption {
    if pod.demand.is_patient {
        return Preemption::Declined;
    }
    let mut reasons = BTreeMap::new();
    let mut count = |reason, nodes| *reasons.entry(reason).or_insert(0) += nodes;
    for id in resolvable {
        let lesser = lesser(pod, snapshot, *id);
        if lesser.is_empty() {
            count(crate::Reason::NoVictims, 1);
            continue;
        }
        let result = without(&lesser, snapshot, *id, |snapshot| {
            let rules = Rules::of(pod, snapshot, &mut Verdicts::default());
            let node = snapshot.at(*id);
            let checked = rules.check(snapshot, node, Verdict::of(&pod.demand, node));
            checked.map_err(|objection| objection.explain(&pod.demand, node))
        });
        match result {
            Ok(()) => return Preemption::Possible,
            Err(rejection) => rejection.reasons.into_iter().for_each(|reason| count(reason, 1)),
        }
    }
    let hopeless = snapshot.len() - resolvable.len();
    if hopeless > 0 {
        count(crate::Reason::NotHelpful, hopeless);
    }
    Preemption::Futile(reasons)
}

/// The pods of lower priority on a node.
fn lesser(pod: &PodState, snapshot: &Snapshot, node: NodeId) -> Vec<Arc<PodState>> {
    let pods = snapshot.at(node).usage.pods.values();
    pods.filter(|other| other.demand.priority < pod.demand.priority).cloned().collect()
}

/// What holds without these pods, which are back on their node afterwards.
fn without<T>(
    pods: &[Arc<PodState>],
    snapshot: &mut Snapshot,
    node: NodeId,
    what: impl FnOnce(&mut Snapshot) -> T,
) -> T {
    for pod in pods {
        snapshot.lift(pod, node);
    }
    let result = what(snapshot);
    for pod in pods {
        snapshot.put_back(pod, node);
    }
    result
}
