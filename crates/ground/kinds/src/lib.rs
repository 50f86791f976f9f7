//! Rust types and CRDs of the custom kinds that more than one room needs, and the CRDs of other
//! projects' kinds that a platform's files are full of.
//!
//! Types of kinds that people write by hand (`Platform`, `ClusterConfig`, `Drill`) refuse unknown fields, so a
//! misspelt key is an error at its place and never silently ignored. Fields of such a kind that
//! Mainstay does not act on yet are kept as they were written (`serde_json::Value`).
//!
//! **Not here:** reading files (`source`), acting on the kinds (`capacity`, `agent`, `drill`).

pub mod cluster_config;
pub mod condition;
pub mod drill;
pub mod duration;
#[allow(clippy::duplicated_attributes, reason = "kube's printcolumn attributes repeat their type")]
pub mod node_claim;
pub mod platform;
#[allow(clippy::duplicated_attributes, reason = "kube's printcolumn attributes repeat their type")]
pub mod pod_behaviour;

mod crds;
mod foreign;

pub use cluster_config::{ClusterConfig, ClusterConfigStatus, StoredClusterConfig};
pub use crds::crds;
pub use drill::Drill;
pub use foreign::foreign_crds;
pub use node_claim::{NodeClaim, NodeClaimSpec, NodeClaimStatus};
pub use platform::Platform;
pub use pod_behaviour::PodBehaviour;
