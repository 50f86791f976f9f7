//! Whether something that happened may let a waiting pod fit somewhere.
//!
//! **Spec:** upstream's queueing hints. A rule that objected is asked whether this may have changed
//! its mind; where pods of lower priority could give way, that is for preemption to find out.

use crate::demand::Term;
use crate::filter::{self, Plugin};
use crate::queue::Plugins;
use crate::snapshot::verdicts::Verdict;
use crate::{Demand, PodState, Snapshot};

/// Something that happened.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// The facts of this node changed, or it is new.
    Node(&'a str),
    /// A node is gone.
    NodeGone,
    /// A pod is on some node.
    Joined(&'a PodState),
    /// A pod is no longer on this node, or no longer what it was.
    Left(&'a str, &'a PodState),
}

/// The rules that look at what pods are on other nodes.
const OF_OTHERS: &[Plugin] = &[Plugin::PodTopologySpread, Plugin::InterPodAffinity];
/// The rules that look at what is left of a node.
const OF_ROOM: &[Plugin] = &[Plugin::NodePorts, Plugin::NodeResourcesFit];

impl Event<'_> {
    /// Whether it may help a pod that demands this and that these rules reject.
    pub(super) fn helps(&self, demand: &Demand, plugins: Plugins, snapshot: &Snapshot) -> bool {
        match self {
            Self::Node(name) => {
                (demand.is_strict() && plugins.has(OF_OTHERS)) || fits(demand, name, snapshot)
            }
            Self::NodeGone => demand.is_strict() && plugins.has(&[Plugin::PodTopologySpread]),
            Self::Joined(pod) => {
                (plugins.has(&[Plugin::PodTopologySpread]) && is_alike(demand, pod))
                    || (plugins.has(&[Plugin::InterPodAffinity]) && is_wanted(demand, pod, snapshot))
            }
            Self::Left(name, pod) => {
                (plugins.has(OF_ROOM) && fits(demand, name, snapshot))
                    || (plugins.has(&[Plugin::PodTopologySpread]) && is_alike(demand, pod))
                    || (plugins.has(&[Plugin::InterPodAffinity]) && was_in_the_way(demand, pod, snapshot))
            }
        }
    }
}

/// Whether the node alone will do.
fn fits(demand: &Demand, node: &str, snapshot: &Snapshot) -> bool {
    let node = snapshot.node(node);
    node.is_some_and(|node| filter::check(demand, node, Verdict::of(demand, node)).is_ok())
}

/// Whether a pod counts for how those of the demand are spread.
fn is_alike(demand: &Demand, pod: &PodState) -> bool {
    pod.key.namespace == demand.namespace
        && demand.spread.iter().any(|spread| spread.is_strict && spread.selector.matches_map(&pod.labels))
}

/// Whether those of the demand are to be near the pod.
fn is_wanted(demand: &Demand, pod: &PodState, snapshot: &Snapshot) -> bool {
    let terms = &demand.company.affinity;
    !terms.is_empty() && terms.iter().all(|term| selects(term, pod, snapshot))
}

/// Whether those of the demand are to be far from the pod, or the pod from whomever.
fn was_in_the_way(demand: &Demand, pod: &PodState, snapshot: &Snapshot) -> bool {
    !pod.demand.company.anti_affinity.is_empty()
        || demand.company.anti_affinity.iter().any(|term| selects(term, pod, snapshot))
}

fn selects(term: &Term, pod: &PodState, snapshot: &Snapshot) -> bool {
    snapshot.relations().is_within(&term.scope, &pod.key.namespace) && term.selector.matches_map(&pod.labels)
}
