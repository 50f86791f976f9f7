//! Whether a node will do at all: each rule in turn, the first that objects tells why.
//!
//! **Spec:** upstream's filter plugins in the order of its default profile, and their words.

use std::fmt;

use k8s_openapi::api::core::v1::Taint;

use crate::{Amounts, Demand, NodeState};

pub(crate) mod affinity;
pub(crate) mod taints;

#[cfg(test)]
mod tests;

/// The rules, under upstream's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plugin {
    /// The node is not cordoned.
    NodeUnschedulable,
    /// The node is the one the pod names.
    NodeName,
    /// The pod bears the node's taints.
    TaintToleration,
    /// The node meets the pod's selector and required affinity.
    NodeAffinity,
    /// The ports the pod takes are free.
    NodePorts,
    /// What the pod asks for is there.
    NodeResourcesFit,
    /// The pod's like are not too many there.
    PodTopologySpread,
}

/// Why a node will not do, or why preemption would not help there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is cordoned.
    Unschedulable,
    /// The pod names another.
    OtherNode,
    /// It has a taint the pod does not bear.
    Taint {
        /// The taint's key.
        key: String,
        /// Its value, or nothing.
        value: String,
    },
    /// It does not meet the pod's selector or affinity.
    Affinity,
    /// It was not looked at: the pod's affinity names other nodes.
    NotNamed,
    /// A port the pod takes is taken.
    Ports,
    /// It has as many pods as it may have.
    TooManyPods,
    /// It lacks so much of a resource.
    Insufficient(String),
    /// The pod's like are too many there.
    Spread,
    /// It lacks the label the pod's like are spread by.
    SpreadLabel,
    /// No pod there would have to give way to this one.
    NoVictims,
    /// Nobody's giving way would make it do.
    NotHelpful,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taint { key, value } => {
                return write!(f, "node(s) had untolerated taint {{{key}: {value}}}");
            }
            Self::Insufficient(resource) => return write!(f, "Insufficient {resource}"),
            Self::Unschedulable => "node(s) were unschedulable",
            Self::OtherNode => "node(s) didn't match the requested node name",
            Self::Affinity => "node(s) didn't match Pod's node affinity/selector",
            Self::NotNamed => "node(s) didn't satisfy plugin(s) [NodeAffinity]",
            Self::Ports => "node(s) didn't have free ports for the requested pod ports",
            Self::TooManyPods => "Too many pods",
            Self::Spread => "node(s) didn't match pod topology spread constraints",
            Self::SpreadLabel => {
                "node(s) didn't match pod topology spread constraints (missing required label)"
            }
            Self::NoVictims => "No preemption victims found for incoming pod",
            Self::NotHelpful => "Preemption is not helpful for scheduling",
        })
    }
}

/// A rule's objection to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The rule.
    pub plugin: Plugin,
    /// All it has to say of this node.
    pub reasons: Vec<Reason>,
    /// Whether the node might do if other pods left it.
    pub is_resolvable: bool,
}

impl Rejection {
    pub(crate) fn lasting(plugin: Plugin, reason: Reason) -> Self {
        Self { plugin, reasons: vec![reason], is_resolvable: false }
    }

    pub(crate) fn passing(plugin: Plugin, reason: Reason) -> Self {
        Self { plugin, reasons: vec![reason], is_resolvable: true }
    }
}

type Filter = fn(&Demand, &NodeState) -> Result<(), Rejection>;

/// The rules that look at one node alone.
const FILTERS: &[Filter] = &[cordon, name, taint, selection, ports, resources];

/// Whether `node` alone will do; what other nodes have is not looked at.
pub(crate) fn check(demand: &Demand, node: &NodeState) -> Result<(), Rejection> {
    FILTERS.iter().try_for_each(|filter| filter(demand, node))
}

fn cordon(demand: &Demand, node: &NodeState) -> Result<(), Rejection> {
    if !node.facts.is_unschedulable {
        return Ok(());
    }
    let taint = Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        effect: "NoSchedule".to_owned(),
        ..Taint::default()
    };
    if taints::is_tolerated(&demand.tolerations, &taint) {
        return Ok(());
    }
    Err(Rejection::lasting(Plugin::NodeUnschedulable, Reason::Unschedulable))
}

fn name(demand: &Demand, node: &NodeState) -> Result<(), Rejection> {
    match demand.node_name.as_deref() {
        Some(name) if name != &*node.name => Err(Rejection::lasting(Plugin::NodeName, Reason::OtherNode)),
        _ => Ok(()),
    }
}

fn taint(demand: &Demand, node: &NodeState) -> Result<(), Rejection> {
    let Some(taint) = taints::first_untolerated(&demand.tolerations, &node.facts.taints) else {
        return Ok(());
    };
    let (key, value) = (taint.key.clone(), taint.value.clone().unwrap_or_default());
    Err(Rejection::lasting(Plugin::TaintToleration, Reason::Taint { key, value }))
}

fn selection(demand: &Demand, node: &NodeState) -> Result<(), Rejection> {
    if affinity::is_met(demand, node) {
        return Ok(());
    }
    Err(Rejection::lasting(Plugin::NodeAffinity, Reason::Affinity))
}

fn ports(demand: &Demand, node: &NodeState) -> Result<(), Rejection> {
    if demand.ports.iter().all(|port| node.usage.is_free(port)) {
        return Ok(());
    }
    Err(Rejection::passing(Plugin::NodePorts, Reason::Ports))
}

fn resources(demand: &Demand, node: &NodeState) -> Result<(), Rejection> {
    let mut rejection =
        Rejection { plugin: Plugin::NodeResourcesFit, reasons: Vec::new(), is_resolvable: true };
    let pods = i64::try_from(node.usage.pods.len()).unwrap_or(i64::MAX);
    if pods >= node.facts.pods_limit {
        rejection.reasons.push(Reason::TooManyPods);
    }
    for (name, amounts) in lines(&demand.requested, &node.facts.allocatable, &node.usage.requested) {
        let (wanted, offered, taken) = amounts;
        if wanted > 0 && wanted > offered.saturating_sub(taken) {
            rejection.reasons.push(Reason::Insufficient(name.to_owned()));
            rejection.is_resolvable &= wanted <= offered;
        }
    }
    if rejection.reasons.is_empty() { Ok(()) } else { Err(rejection) }
}

/// For each resource what is wanted, offered and taken.
fn lines<'a>(
    wanted: &'a Amounts,
    offered: &'a Amounts,
    taken: &'a Amounts,
) -> impl Iterator<Item = (&'a str, (i64, i64, i64))> {
    let basic = [
        ("cpu", (wanted.cpu_milli, offered.cpu_milli, taken.cpu_milli)),
        ("memory", (wanted.memory_bytes, offered.memory_bytes, taken.memory_bytes)),
        ("ephemeral-storage", (wanted.storage_bytes, offered.storage_bytes, taken.storage_bytes)),
    ];
    let of = |amounts: &Amounts, name: &str| amounts.extended.get(name).copied().unwrap_or_default();
    let extended = wanted.extended.iter();
    let extended =
        extended.map(move |(name, amount)| (name.as_str(), (*amount, of(offered, name), of(taken, name))));
    basic.into_iter().chain(extended)
}
