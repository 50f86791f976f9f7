//! What is read of a Pod; the rest of the object is not even decoded.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{PodCondition, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mainstay_control::Excerpt;
use mainstay_control::meta::is_terminating;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::demand::{NodeTerm, Toleration};

/// The scheduler that pods ask for unless they name another.
pub(crate) const SCHEDULER: &str = "default-scheduler";

/// A Pod as it is read from the API.
pub type Seen = Excerpt<k8s_openapi::api::core::v1::Pod, PodSpec, PodStatus>;

/// Amounts of resources, as they are written.
pub(crate) type List = BTreeMap<String, Quantity>;

/// Of a pod's spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct PodSpec {
    pub node_name: Option<String>,
    pub containers: Option<Vec<Container>>,
    pub init_containers: Option<Vec<Container>>,
    pub node_selector: Option<BTreeMap<String, String>>,
    pub affinity: Option<Affinity>,
    pub tolerations: Option<Vec<Toleration>>,
    pub topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    pub overhead: Option<List>,
    pub resources: Option<Resources>,
    pub priority: Option<i32>,
    pub preemption_policy: Option<String>,
    pub scheduler_name: Option<String>,
    pub scheduling_gates: Option<Vec<IgnoredAny>>,
    pub volumes: Option<Vec<PodVolume>>,
}

/// Of a pod's volume.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct PodVolume {
    #[serde(default)]
    pub name: String,
    pub persistent_volume_claim: Option<ClaimSource>,
    pub ephemeral: Option<IgnoredAny>,
}

/// The claim a volume is of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct ClaimSource {
    #[serde(default)]
    pub claim_name: String,
}

/// Of a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct Container {
    pub image: Option<String>,
    pub ports: Option<Vec<Port>>,
    pub resources: Option<Resources>,
    pub restart_policy: Option<String>,
}

/// Of a container's port.
#[derive(Clone, Debug, Default, Deserialize)]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct Port {
    #[serde(rename = "hostPort")]
    pub on_host: Option<i32>,
    #[serde(rename = "hostIP")]
    pub address: Option<String>,
    pub protocol: Option<String>,
}

/// Of a container's or a pod's resources.
#[derive(Clone, Debug, Default, Deserialize)]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct Resources {
    pub requests: Option<List>,
}

/// A pod's affinity.
#[derive(Clone, Debug, Default, Deserialize)]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct Affinity {
    #[serde(rename = "nodeAffinity")]
    pub nodes: Option<Rules<NodeSelector, PreferredNode>>,
    #[serde(rename = "podAffinity")]
    pub near: Option<Rules<Vec<PodTerm>, PreferredPod>>,
    #[serde(rename = "podAntiAffinity")]
    pub far: Option<Rules<Vec<PodTerm>, PreferredPod>>,
}

/// What is required, and what is preferred.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct Rules<R, P> {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Option<R>,
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    pub preferred: Option<Vec<P>>,
}

/// Terms of which a node must meet one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct NodeSelector {
    pub node_selector_terms: Option<Vec<NodeTerm>>,
}

/// A term a node had better meet.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct PreferredNode {
    #[serde(default)]
    pub weight: i32,
    #[serde(default)]
    pub preference: NodeTerm,
}

/// Pods to be near to or far from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct PodTerm {
    #[serde(default)]
    pub label_selector: Value,
    pub namespaces: Option<Vec<String>>,
    #[serde(default)]
    pub namespace_selector: Value,
    #[serde(default)]
    pub topology_key: String,
    pub match_label_keys: Option<Vec<String>>,
    pub mismatch_label_keys: Option<Vec<String>>,
}

/// Pods that had better be near or far.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct PreferredPod {
    #[serde(default)]
    pub weight: i32,
    #[serde(default)]
    pub pod_affinity_term: PodTerm,
}

/// Of a pod's status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are the API's")]
pub struct PodStatus {
    pub phase: Option<String>,
    pub conditions: Option<Vec<PodCondition>>,
    pub start_time: Option<Time>,
    pub nominated_node_name: Option<String>,
}

/// The claims that a pod of this name uses.
pub(crate) fn claims(name: &str, spec: &PodSpec) -> Vec<String> {
    let of = |volume: &PodVolume| match (&volume.persistent_volume_claim, &volume.ephemeral) {
        (Some(source), _) => Some(source.claim_name.clone()),
        (None, Some(_)) => Some(format!("{name}-{}", volume.name)),
        (None, None) => None,
    };
    let mut claims: Vec<String> = spec.volumes.iter().flatten().filter_map(of).collect();
    claims.sort();
    claims.dedup();
    claims
}

/// The node a pod is bound to.
pub(crate) fn node_name(pod: &Seen) -> Option<&str> {
    pod.spec.node_name.as_deref().filter(|name| !name.is_empty())
}

/// The node a pod has in prospect.
pub(crate) fn nominated(pod: &Seen) -> Option<&str> {
    pod.status.nominated_node_name.as_deref().filter(|name| !name.is_empty())
}

/// Whether a pod without a node is ours to place.
pub(crate) fn is_ours(pod: &Seen) -> bool {
    let scheduler = pod.spec.scheduler_name.as_deref().filter(|name| !name.is_empty());
    scheduler.unwrap_or(SCHEDULER) == SCHEDULER
        && pod.spec.scheduling_gates.as_ref().is_none_or(Vec::is_empty)
        && !is_terminating(&pod.metadata)
}

/// Whether a pod has ended and holds nothing any more.
pub(crate) fn has_ended(pod: &Seen) -> bool {
    matches!(pod.status.phase.as_deref(), Some("Succeeded" | "Failed"))
}
