//! Platform: which regions there are, which documents go where, and what the platform is to achieve.
//!
//! A Platform is a document of the Source, `mainstay.yaml` by habit; it is not an object of the API
//! server. Every part of it may be left out.
//!
//! ```yaml
//! apiVersion: mainstay.dev/v1alpha1
//! kind: Platform
//! metadata: { name: shop }
//! spec:
//!   regions:
//!     - { name: us-east-1, role: primary, cluster: clusters/us-east-1.yaml }
//!     - { name: us-west-2, role: dr }
//!   documents:
//!     - { kinds: [Namespace], regions: ["*"] }
//!     - { paths: [apps], regions: [primary, dr] }
//!   objectives: { rto: 15m, rpo: 5m, availability: 99.9%, monthlyBudget: 25000 USD }
//! ```
//!
//! **Not here:** what is wrong between the parts of a Platform and its Source (`platform`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod amount;
mod declared;
mod region;

pub use amount::{InvalidAmount, Money, Percent};
pub use declared::{Endpoints, External, Objectives, Replacements};
pub use region::{Cluster, Region, Role};

/// The API version of [`Platform`].
pub const API_VERSION: &str = "mainstay.dev/v1alpha1";
/// The kind of [`Platform`].
pub const KIND: &str = "Platform";

/// One platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Platform {
    /// Always [`API_VERSION`].
    pub api_version: String,
    /// Always [`KIND`].
    pub kind: String,
    /// Its name.
    pub metadata: PlatformMeta,
    /// What it is.
    #[serde(default)]
    pub spec: PlatformSpec,
}

/// What a platform is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformMeta {
    /// Its name; the state folder is called after it.
    pub name: String,
    /// Free text about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// For whoever has several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What a platform is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformSpec {
    /// Its regions; without, each ClusterConfig is one and the first is primary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
    /// Which documents go where. The first rule that fits decides; what fits none goes to the primary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentRule>,
    /// Which kustomizations are used and where; without, all that stand alone, like other documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kustomizations: Vec<KustomizationChoice>,
    /// What stands for what the files name.
    #[serde(default)]
    pub replacements: Replacements,
    /// What exists outside the Source, so that it is not missed.
    #[serde(default)]
    pub external: External,
    /// Hosts that may be called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egress: Vec<String>,
    /// Files of this machine that may be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_files: Vec<String>,
    /// What it is to achieve.
    #[serde(default)]
    pub objectives: Objectives,
}

/// Which documents, and where they go. All that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DocumentRule {
    /// Files and folders, relative to the Platform's file; `*`, `?` and `**` stand for anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Kinds: `Deployment`, or with the group `Certificate.cert-manager.io`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// Namespaces, and the Namespace objects of these names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Labels, as kubectl's `-l` takes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Names of regions, roles, or `*`; none: nowhere.
    pub regions: Vec<String>,
}

/// A kustomization that is used, and where its objects go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KustomizationChoice {
    /// Its folder, relative to the Platform's file.
    pub path: String,
    /// Names of regions, roles, or `*`.
    pub regions: Vec<String>,
}

#[cfg(test)]
mod tests;
