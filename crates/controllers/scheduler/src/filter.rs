//! Whether a node will do at all: each rule in turn, the first that objects tells why.
//!
//! **Spec:** upstream's filter plugins in the order of its default profile, and their words.

use std::fmt;

use crate::snapshot::verdicts::Verdict;
use crate::storage::Misfit;
use crate::{Amounts, Demand, NodeState};

pub(crate) mod affinity;
pub(crate) mod cordon;
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
    /// Nobody else uses a claim that one pod alone may use.
    VolumeRestrictions,
    /// The node can attach the pod's volumes.
    NodeVolumeLimits,
    /// The pod's volumes are there, or come to be.
    VolumeBinding,
    /// The zones of the pod's volumes are the node's.
    VolumeZone,
    /// The pod's like are not too many there.
    PodTopologySpread,
    /// The pods there are those the pod is to be near to, and get along with it.
    InterPodAffinity,
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
    /// Its affinity asks one node to have several names.
    Conflict,
    /// A port the pod takes is taken.
    Ports,
    /// It has as many pods as it may have.
    TooManyPods,
    /// It lacks so much of a resource.
    Insufficient(String),
    /// A claim that one pod alone may use is in use.
    VolumeTaken,
    /// It can attach no more volumes.
    VolumeLimit,
    /// A volume is elsewhere.
    VolumeAway,
    /// There is no volume for a claim, nor will one be made there.
    VolumeMissing,
    /// A volume is nowhere.
    VolumeGone,
    /// A volume is in another zone.
    VolumeZone,
    /// What is to be told of a claim before any node is looked at.
    Claim(String),
    /// The pod's like are too many there.
    Spread,
    /// It lacks the label the pod's like are spread by.
    SpreadLabel,
    /// The pods it is to be near to are elsewhere.
    PodAffinity,
    /// A pod it is to be far from is near.
    PodAntiAffinity,
    /// A pod is near that is to be far from such.
    ExistingAntiAffinity,
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
            Self::Conflict => "pod affinity terms conflict",
            Self::Ports => "node(s) didn't have free ports for the requested pod ports",
            Self::TooManyPods => "Too many pods",
            Self::Claim(told) => told,
            Self::VolumeTaken => {
                "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
            }
            Self::VolumeLimit => "node(s) exceed max volume count",
            Self::VolumeAway => "node(s) didn't match PersistentVolume's node affinity",
            Self::VolumeMissing => "node(s) didn't find available persistent volumes to bind",
            Self::VolumeGone => "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
            Self::VolumeZone => "node(s) had no available volume zone",
            Self::Spread => "node(s) didn't match pod topology spread constraints",
            Self::SpreadLabel => {
                "node(s) didn't match pod topology spread constraints (missing required label)"
            }
            Self::PodAffinity => "node(s) didn't match pod affinity rules",
            Self::PodAntiAffinity => "node(s) didn't match pod anti-affinity rules",
            Self::ExistingAntiAffinity => "node(s) didn't satisfy existing pods anti-affinity rules",
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

/// What a node is short of, without the words for it: most objections are never told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Objection {
    Cordoned,
    OtherNode,
    Tainted,
    NotSelected,
    Ports,
    Resources,
    VolumeTaken,
    VolumeLimit,
    Volumes(Misfit),
    VolumeZone,
    SpreadLabel,
    Spread,
    PodAffinity,
    PodAntiAffinity,
    ExistingAntiAffinity,
}

/// Whether `node` alone will do; what other nodes have is not looked at.
pub(crate) fn check(demand: &Demand, node: &NodeState, verdict: Verdict) -> Result<(), Objection> {
    if verdict.is_cordoned {
        return Err(Objection::Cordoned);
    }
    if demand.node_name.as_deref().is_some_and(|name| name != &*node.name) {
        return Err(Objection::OtherNode);
    }
    if verdict.is_tainted {
        return Err(Objection::Tainted);
    }
    if !verdict.is_selected {
        return Err(Objection::NotSelected);
    }
    if !demand.ports.iter().all(|port| node.usage.is_free(port)) {
        return Err(Objection::Ports);
    }
    if has_too_many_pods(node) || lacking(demand, node).next().is_some() {
        return Err(Objection::Resources);
    }
    Ok(())
}

impl Objection {
    /// Whether its words depend on the node.
    pub(crate) fn is_particular(self) -> bool {
        matches!(self, Self::Tainted | Self::Resources)
    }

    /// The objection in words.
    pub(crate) fn explain(self, demand: &Demand, node: &NodeState) -> Rejection {
        match self {
            Self::Cordoned => Rejection::lasting(Plugin::NodeUnschedulable, Reason::Unschedulable),
            Self::OtherNode => Rejection::lasting(Plugin::NodeName, Reason::OtherNode),
            Self::Tainted => taint(demand, node),
            Self::NotSelected => Rejection::lasting(Plugin::NodeAffinity, Reason::Affinity),
            Self::Ports => Rejection::passing(Plugin::NodePorts, Reason::Ports),
            Self::Resources => resources(demand, node),
            Self::VolumeTaken => Rejection::passing(Plugin::VolumeRestrictions, Reason::VolumeTaken),
            Self::VolumeLimit => Rejection::passing(Plugin::NodeVolumeLimits, Reason::VolumeLimit),
            Self::Volumes(misfit) => volumes(misfit),
            Self::VolumeZone => Rejection::lasting(Plugin::VolumeZone, Reason::VolumeZone),
            Self::SpreadLabel => Rejection::lasting(Plugin::PodTopologySpread, Reason::SpreadLabel),
            Self::Spread => Rejection::passing(Plugin::PodTopologySpread, Reason::Spread),
            Self::PodAffinity => Rejection::lasting(Plugin::InterPodAffinity, Reason::PodAffinity),
            Self::PodAntiAffinity => Rejection::passing(Plugin::InterPodAffinity, Reason::PodAntiAffinity),
            Self::ExistingAntiAffinity => {
                Rejection::passing(Plugin::InterPodAffinity, Reason::ExistingAntiAffinity)
            }
        }
    }
}

fn volumes(misfit: Misfit) -> Rejection {
    let all = [
        (misfit.is_away, Reason::VolumeAway),
        (misfit.is_missing, Reason::VolumeMissing),
        (misfit.is_gone, Reason::VolumeGone),
    ];
    let reasons = all.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect();
    Rejection { plugin: Plugin::VolumeBinding, reasons, is_resolvable: false }
}

fn taint(demand: &Demand, node: &NodeState) -> Rejection {
    let taint = taints::first_untolerated(&demand.tolerations, &node.facts.taints);
    let taint = taint.cloned().unwrap_or_default();
    let (key, value) = (taint.key, taint.value.unwrap_or_default());
    Rejection::lasting(Plugin::TaintToleration, Reason::Taint { key, value })
}

fn resources(demand: &Demand, node: &NodeState) -> Rejection {
    let mut rejection =
        Rejection { plugin: Plugin::NodeResourcesFit, reasons: Vec::new(), is_resolvable: true };
    if has_too_many_pods(node) {
        rejection.reasons.push(Reason::TooManyPods);
    }
    for (name, is_there_in_all) in lacking(demand, node) {
        rejection.reasons.push(Reason::Insufficient(name.to_owned()));
        rejection.is_resolvable &= is_there_in_all;
    }
    rejection
}

fn has_too_many_pods(node: &NodeState) -> bool {
    i64::try_from(node.usage.pods.len()).unwrap_or(i64::MAX) >= node.facts.pods_limit
}

/// The resources of which too little is left, and whether there would be enough without other pods.
fn lacking<'a>(demand: &'a Demand, node: &'a NodeState) -> impl Iterator<Item = (&'a str, bool)> {
    let lines = lines(&demand.requested, &node.facts.allocatable, &node.usage.requested);
    lines.filter_map(|(name, (wanted, offered, taken))| {
        (wanted > 0 && wanted > offered.saturating_sub(taken)).then_some((name, wanted <= offered))
    })
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
