//! What of a pod bears on where it may run, read once from the object.
//!
//! **Invariants:** two states of a pod with equal demands are the same to every decision, so a
//! change that leaves the demand as it was wakes nobody.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    NodeAffinity, NodeSelectorTerm, Pod, PodSpec, PreferredSchedulingTerm, Toleration,
    TopologySpreadConstraint,
};
use mainstay_control::Key;
use mainstay_control::meta::{controller_uid, is_terminating, uid};

use crate::Amounts;
use crate::amounts::is_sidecar;

/// The scheduler that pods ask for unless they name another.
pub(crate) const SCHEDULER: &str = "default-scheduler";

/// A port of the node a pod takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// Its number.
    pub port: i32,
    /// The address it is taken on; `0.0.0.0` is all of them.
    pub address: String,
}

/// What a pod demands of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// The pod's namespace and name.
    pub key: Key,
    /// The pod's uid.
    pub uid: String,
    /// The uid of the controller it belongs to.
    pub controller: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its priority; the higher goes first.
    pub priority: i32,
    /// Whether it never takes the place of others, whatever its priority.
    pub is_patient: bool,
    /// Whether somebody asked for its deletion.
    pub is_terminating: bool,
    /// What it asks for.
    pub requested: Amounts,
    /// What it counts as when nodes are compared.
    pub weighed: Amounts,
    /// The ports of the node it takes.
    pub ports: Vec<HostPort>,
    /// The one node it names.
    pub node_name: Option<String>,
    /// The labels its node must have.
    pub node_selector: BTreeMap<String, String>,
    /// The terms of which its node must meet one; `None` where it asks for nothing.
    pub required: Option<Vec<NodeSelectorTerm>>,
    /// The terms its node had better meet.
    pub preferred: Vec<PreferredSchedulingTerm>,
    /// The taints it bears.
    pub tolerations: Vec<Toleration>,
    /// How it and its like are to be spread.
    pub spread: Vec<TopologySpreadConstraint>,
}

impl Demand {
    /// What `pod` demands.
    pub fn of(pod: &Pod) -> Self {
        let meta = &pod.metadata;
        let mut demand = pod.spec.as_ref().map(Self::of_spec).unwrap_or_default();
        demand.key = Key::of(pod);
        uid(meta).clone_into(&mut demand.uid);
        demand.controller = controller_uid(meta).map(str::to_owned);
        demand.labels = meta.labels.clone().unwrap_or_default();
        demand.is_terminating = is_terminating(meta);
        demand
    }

    fn of_spec(spec: &PodSpec) -> Self {
        let affinity: Option<&NodeAffinity> = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
        let required = affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
        let preferred = affinity.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.clone());
        Self {
            priority: spec.priority.unwrap_or_default(),
            is_patient: spec.preemption_policy.as_deref() == Some("Never"),
            requested: Amounts::requested(spec),
            weighed: Amounts::weighed(spec),
            ports: host_ports(spec),
            node_name: node_name(spec).map(str::to_owned),
            node_selector: spec.node_selector.clone().unwrap_or_default(),
            required: required.map(|selector| selector.node_selector_terms.clone()),
            preferred: preferred.unwrap_or_default(),
            tolerations: spec.tolerations.clone().unwrap_or_default(),
            spread: spec.topology_spread_constraints.clone().unwrap_or_default(),
            ..Self::default()
        }
    }
}

/// The node a pod is bound to.
pub(crate) fn node_name(spec: &PodSpec) -> Option<&str> {
    spec.node_name.as_deref().filter(|name| !name.is_empty())
}

/// Whether a pod without a node is ours to place.
pub(crate) fn is_ours(pod: &Pod) -> bool {
    let Some(spec) = &pod.spec else { return false };
    let scheduler = spec.scheduler_name.as_deref().filter(|name| !name.is_empty());
    scheduler.unwrap_or(SCHEDULER) == SCHEDULER
        && spec.scheduling_gates.as_ref().is_none_or(Vec::is_empty)
        && !is_terminating(&pod.metadata)
}

/// Whether a pod has ended and holds nothing any more.
pub(crate) fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().flatten().filter(|container| is_sidecar(container));
    let ports = spec.containers.iter().chain(sidecars).flat_map(|container| container.ports.iter().flatten());
    let mut taken: Vec<_> = ports
        .filter_map(|port| {
            let or = |text: &Option<String>, default: &str| {
                text.clone().filter(|text| !text.is_empty()).unwrap_or_else(|| default.to_owned())
            };
            let number = port.host_port.filter(|number| *number > 0)?;
            let (protocol, address) = (or(&port.protocol, "TCP"), or(&port.host_ip, "0.0.0.0"));
            Some(HostPort { protocol, port: number, address })
        })
        .collect();
    taken.sort();
    taken.dedup();
    taken
}
