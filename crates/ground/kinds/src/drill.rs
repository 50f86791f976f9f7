//! Drill: what happens to a platform, and when, in virtual time.
//!
//! A Drill is a file that `mainstay drill` runs; it is not an object of the API server.
//!
//! ```yaml
//! apiVersion: mainstay.dev/v1alpha1
//! kind: Drill
//! metadata: { name: lose-a-node }
//! spec:
//!   duration: 30m
//!   source: ../examples/enterprise
//!   steps:
//!     - at: 2m
//!       expect: { kind: Deployment, namespace: production, name: web, available: 3 }
//!     - at: 5m
//!       killNode: { nodeGroup: app-nodes, index: 0 }
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod actions;
mod amount;
mod expect;
mod step;

pub use actions::{Apply, Delete, Machines, Partition, Repeat, Scale, Target};
pub use amount::Amount;
pub use expect::{EventExpect, Expect, Invariant};
pub use step::{Action, Step};

/// The API version of [`Drill`].
pub const API_VERSION: &str = "mainstay.dev/v1alpha1";
/// The kind of [`Drill`].
pub const KIND: &str = "Drill";

/// One drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drill {
    /// Always [`API_VERSION`].
    pub api_version: String,
    /// Always [`KIND`].
    pub kind: String,
    /// Its name.
    pub metadata: DrillMeta,
    /// What happens.
    pub spec: DrillSpec,
}

/// What a drill is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrillMeta {
    /// Its name, for reports.
    pub name: String,
    /// Free text about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// For choosing among drills.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What happens in a drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrillSpec {
    /// Decides every random choice; without, one is drawn and printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How long it runs, in virtual time.
    #[serde(with = "crate::duration")]
    pub duration: Duration,
    /// The time of day it starts at.
    #[serde(default = "default_start")]
    pub start: Timestamp,
    /// The platform, relative to the drill's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What is done and asked, in the order of `at` (equal times in the order of the file).
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What holds all the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<Invariant>,
}

/// The first moment of 2026, UTC.
pub fn default_start() -> Timestamp {
    Timestamp::from_second(1_767_225_600).expect("invariant: a year jiff knows")
}

#[cfg(test)]
mod tests;
