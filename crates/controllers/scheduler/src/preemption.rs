//! What would come of pods of lower priority giving way, as far as a person is told.
//!
//! **Spec:** upstream's `DefaultPreemption` in its dry run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::filter::{self, Plugin, Reason, Rejection};
use crate::unschedulable::Preemption;
use crate::{Demand, NodeState, Snapshot};

/// The prospect of preemption for a pod that every node rejected.
pub(crate) fn prospect(
    demand: &Demand,
    snapshot: &Snapshot,
    rejections: &BTreeMap<Arc<str>, Rejection>,
) -> Preemption {
    if demand.is_patient {
        return Preemption::Declined;
    }
    let mut reasons = BTreeMap::new();
    let mut count = |reason, nodes| *reasons.entry(reason).or_insert(0) += nodes;
    let mut hopeless = snapshot.len();
    for (name, rejection) in rejections.iter().filter(|(_, rejection)| rejection.is_resolvable) {
        let Some(node) = snapshot.node(name) else { continue };
        hopeless -= 1;
        match without_lesser(demand, node) {
            None => count(Reason::NoVictims, 1),
            // The pods that are too many are mostly elsewhere.
            Some(_) if rejection.plugin == Plugin::PodTopologySpread => count(Reason::Spread, 1),
            Some(emptied) => match filter::check(demand, &emptied) {
                Ok(()) => return Preemption::Possible,
                Err(rejection) => rejection.reasons.into_iter().for_each(|reason| count(reason, 1)),
            },
        }
    }
    if hopeless > 0 {
        count(Reason::NotHelpful, hopeless);
    }
    Preemption::Futile(reasons)
}

/// The node without its pods of lower priority; `None` where there is none.
fn without_lesser(demand: &Demand, node: &NodeState) -> Option<NodeState> {
    let is_lesser = |other: &&Arc<Demand>| other.priority < demand.priority;
    node.usage.pods.values().find(is_lesser)?;
    let mut emptied = node.clone();
    for lesser in node.usage.pods.values().filter(is_lesser) {
        emptied.usage.remove(&lesser.key);
    }
    Some(emptied)
}
