//! NodeClaim: one machine somebody wants, and what became of it.
//!
//! `capacity` writes the spec, the `agent` of the spec's provider the status. The words of the
//! status (Launched, Registered, Initialized) are Karpenter's.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Taint;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The provider whose machines the embedded agent makes.
pub const EMBEDDED: &str = "embedded";
/// Annotation: what is wrong with this machine ([`KILLED`]); set by drills.
pub const FAULT_ANNOTATION: &str = "mainstay.dev/fault";
/// A value of [`FAULT_ANNOTATION`]: the machine is dead, it says nothing any more.
pub const KILLED: &str = "killed";
/// Finalizer of the agent: the machine goes before its claim does.
pub const FINALIZER: &str = "mainstay.dev/machine";
/// Label on claims and nodes: the cluster they belong to.
pub const CLUSTER_LABEL: &str = "alpha.eksctl.io/cluster-name";
/// Label on claims and nodes: the node group they belong to.
pub const NODE_GROUP_LABEL: &str = "alpha.eksctl.io/nodegroup-name";
/// Label on claims: which node of its group it is, from 0.
pub const ORDINAL_LABEL: &str = "mainstay.dev/ordinal";

/// Condition: the machine exists.
pub const LAUNCHED: &str = "Launched";
/// Condition: its Node exists.
pub const REGISTERED: &str = "Registered";
/// Condition: its Node is ready with all its resources.
pub const INITIALIZED: &str = "Initialized";
/// Condition: all of the above.
pub const READY: &str = "Ready";

/// What machine is wanted.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "mainstay.dev",
    version = "v1alpha1",
    kind = "NodeClaim",
    status = "NodeClaimStatus",
    shortname = "nc",
    category = "mainstay",
    derive = "PartialEq",
    doc = "A machine that is wanted, and what became of it.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.instanceType"),
    printcolumn(name = "Capacity", type_ = "string", json_path = ".spec.capacityType"),
    printcolumn(name = "Zone", type_ = "string", json_path = ".spec.zone"),
    printcolumn(name = "Node", type_ = "string", json_path = ".status.nodeName"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct NodeClaimSpec {
    /// Who makes the machine; `embedded` is the agent of this process.
    pub provider: String,
    /// The cluster it belongs to.
    pub cluster: String,
    /// The node group it belongs to; empty for a machine outside every group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub node_group: String,
    /// The cloud region.
    pub region: String,
    /// The availability zone.
    pub zone: String,
    /// The instance type, as the catalogue names it.
    pub instance_type: String,
    /// How it is paid for.
    pub capacity_type: CapacityType,
    /// Labels of its Node, on top of those every Node has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Taints of its Node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// How many pods it takes; without, what its network interfaces have addresses for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pods: Option<u32>,
    /// Size of its root volume in GiB.
    pub volume_size_gi: u32,
    /// The Kubernetes version its ClusterConfig names, without the patch; recorded, not acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<String>,
}

/// How a machine is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityType {
    /// At the list price, for as long as it is wanted.
    OnDemand,
    /// At the spot price, until the cloud wants it back.
    Spot,
}

/// What became of the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeClaimStatus {
    /// Its Node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// The machine's identity at its provider.
    #[serde(default, rename = "providerID", skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// What it has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capacity: BTreeMap<String, Quantity>,
    /// What of it pods can have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub allocatable: BTreeMap<String, Quantity>,
    /// Launched, Registered, Initialized, Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

impl NodeClaim {
    /// Whether its machine was declared dead.
    pub fn is_killed(&self) -> bool {
        let annotations = self.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get(FAULT_ANNOTATION)).is_some_and(|fault| fault == KILLED)
    }
}
