//! Whether something that happened may let a waiting pod fit somewhere.
//!
//! **Spec:** upstream's queueing hints: a rule that objected is asked whether this may have changed its
//! mind. Beyond upstream, a pod that others kept away by their anti-affinity is tried again when one
//! of those leaves.

use crate::demand::{Labels, Term};
use crate::filter::{self, Plugin};
use crate::queue::Plugins;
use crate::snapshot::Facts;
use crate::snapshot::verdicts::Verdict;
use crate::{Demand, PodState, Snapshot};

#[cfg(test)]
mod tests;

/// Something that happened.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// This node is new, or has other facts than these before.
    Node(&'a str, Option<&'a Facts>),
    /// A node with these facts is gone.
    NodeGone(&'a Facts),
    /// A pod is on some node.
    Joined(&'a PodState),
    /// A pod on this node was different before.
    Altered(&'a str, &'a PodState, &'a PodState),
    /// Something became of claims, volumes or classes.
    Storage,
    /// A pod is no longer on this node.
    Left(&'a str, &'a PodState),
}

/// The rules that look at a node by itself.
const OF_NODE: &[Plugin] = &[
    Plugin::NodeUnschedulable,
    Plugin::NodeName,
    Plugin::TaintToleration,
    Plugin::NodeAffinity,
    Plugin::NodePorts,
    Plugin::NodeResourcesFit,
    Plugin::VolumeBinding,
    Plugin::VolumeZone,
];
/// The rules that look at claims and volumes.
const OF_STORAGE: &[Plugin] =
    &[Plugin::VolumeRestrictions, Plugin::NodeVolumeLimits, Plugin::VolumeBinding, Plugin::VolumeZone];
/// The rules that look at what is left of a node.
const OF_ROOM: &[Plugin] = &[Plugin::NodePorts, Plugin::NodeResourcesFit];

impl Event<'_> {
    /// Whether it may help a pod that demands this and that these rules reject.
    pub(super) fn helps(&self, demand: &Demand, plugins: Plugins, snapshot: &Snapshot) -> bool {
        let asked = match self {
            Self::Node(..) => OF_NODE,
            Self::Left(..) | Self::Altered(..) => OF_ROOM,
            Self::NodeGone(_) | Self::Joined(_) | Self::Storage => &[],
        };
        if !demand.claims.is_empty() && plugins.has(OF_STORAGE) && self.stirs_storage() {
            return true;
        }
        (plugins.has(asked) && self.makes_room(demand, snapshot))
            || (plugins.has(&[Plugin::PodTopologySpread]) && self.moves_the_spread(demand, snapshot))
            || (plugins.has(&[Plugin::InterPodAffinity]) && self.changes_company(demand, snapshot))
    }

    /// Whether it may mean something to the claims of the demand.
    fn stirs_storage(&self) -> bool {
        match self {
            Self::Storage => true,
            Self::Left(_, pod) => {
                // Whoever used a claim may have used up what a node can attach.
                !pod.demand.claims.is_empty()
            }
            _ => false,
        }
    }

    /// Whether the node it is about, by itself, will do, and may not have done before.
    fn makes_room(&self, demand: &Demand, snapshot: &Snapshot) -> bool {
        let name = match self {
            Self::Node(name, _) | Self::Left(name, _) => name,
            Self::Altered(name, before, after)
                if demand.requested.has_more_in(&before.demand.requested, &after.demand.requested) =>
            {
                name
            }
            _ => return false,
        };
        let Some(node) = snapshot.node(name) else { return false };
        if let Self::Node(_, Some(before)) = self
            && !offers_else(demand, before, &node.facts)
        {
            return false;
        }
        filter::check(demand, node, Verdict::of(demand, node)).is_ok()
    }

    fn moves_the_spread(&self, demand: &Demand, snapshot: &Snapshot) -> bool {
        let strict = || demand.spread.iter().filter(|spread| spread.is_strict);
        if strict().next().is_none() {
            return false;
        }
        let has_all = |labels: &Labels| strict().all(|spread| labels.contains_key(&spread.key));
        let is_alike = |pod: &PodState| {
            pod.key.namespace == demand.namespace
                && strict().any(|spread| spread.selector.matches_map(&pod.labels))
        };
        match self {
            Self::Node(name, before) => {
                let Some(now) = snapshot.node(name).map(|node| &node.facts) else { return false };
                let Some(before) = before else { return has_all(&now.labels) };
                let is_moved =
                    strict().any(|spread| before.labels.get(&spread.key) != now.labels.get(&spread.key));
                has_all(&before.labels) != has_all(&now.labels)
                    || (has_all(&now.labels) && (is_moved || before.taints != now.taints))
            }
            Self::NodeGone(before) => has_all(&before.labels),
            Self::Storage => false,
            Self::Joined(pod) | Self::Left(_, pod) => is_alike(pod),
            Self::Altered(_, before, after) => {
                pod_differs(before, after, |pod| {
                    strict().map(|spread| spread.selector.matches_map(&pod.labels)).collect()
                }) && after.key.namespace == demand.namespace
            }
        }
    }

    fn changes_company(&self, demand: &Demand, snapshot: &Snapshot) -> bool {
        let (near, far) = (&demand.company.affinity, &demand.company.anti_affinity);
        let is_wanted =
            |pod: &PodState| !near.is_empty() && near.iter().all(|term| selects(term, pod, snapshot));
        let is_unwanted = |pod: &PodState| far.iter().any(|term| selects(term, pod, snapshot));
        match self {
            Self::Node(name, before) => {
                let Some(now) = snapshot.node(name).map(|node| &node.facts.labels) else { return false };
                let Some(before) = before.map(|facts| &facts.labels) else {
                    // Who has no terms of its own was kept away by those of others.
                    let is_fit = || near.is_empty() && self.makes_room(demand, snapshot);
                    return !far.is_empty()
                        || near.iter().any(|term| now.contains_key(&term.key))
                        || is_fit();
                };
                // A label that is gone is no help to who must be near, one that is new to who must not.
                let helps = |term: &Term, is_near: bool| match (before.get(&term.key), now.get(&term.key)) {
                    (Some(before), Some(now)) => before != now,
                    (None, Some(_)) => is_near,
                    (Some(_), None) => !is_near,
                    (None, None) => false,
                };
                near.iter().any(|term| helps(term, true)) || far.iter().any(|term| helps(term, false))
            }
            Self::NodeGone(_) | Self::Storage => false,
            Self::Joined(pod) => is_wanted(pod),
            Self::Altered(_, before, after) => {
                (!is_wanted(before) && is_wanted(after)) || (is_unwanted(before) && !is_unwanted(after))
            }
            Self::Left(_, pod) => is_unwanted(pod) || !pod.demand.company.anti_affinity.is_empty(),
        }
    }
}

/// Whether a node with these facts can do for the demand where with those before it could not.
fn offers_else(demand: &Demand, before: &Facts, now: &Facts) -> bool {
    before.labels != now.labels
        || before.taints != now.taints
        || before.is_unschedulable != now.is_unschedulable
        || before.pods_limit < now.pods_limit
        || demand.requested.has_more_in(&now.allocatable, &before.allocatable)
}

fn pod_differs(before: &PodState, after: &PodState, of: impl Fn(&PodState) -> Vec<bool>) -> bool {
    of(before) != of(after)
}

fn selects(term: &Term, pod: &PodState, snapshot: &Snapshot) -> bool {
    snapshot.relations().is_within(&term.scope, &pod.key.namespace) && term.selector.matches_map(&pod.labels)
}
