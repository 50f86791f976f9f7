//! What became of a ClusterConfig's node groups; `capacity` writes it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::{Deserialize, Serialize};

/// The status of a stored ClusterConfig.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterConfigStatus {
    /// The generation this status speaks of.
    #[serde(default)]
    pub observed_generation: i64,
    /// Each node group, in the order of the file.
    #[serde(default)]
    pub node_groups: Vec<NodeGroupStatus>,
    /// `Valid`: the file says what can be done. `Ready`: every machine it asks for is ready.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// One node group's machines, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeGroupStatus {
    /// The group.
    pub name: String,
    /// How many are wanted.
    pub desired: u32,
    /// How many NodeClaims there are.
    pub claims: u32,
    /// How many of them are ready.
    pub ready: u32,
}
