//! What can be done in a drill.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Step;

/// Manifests to apply, inline or of a file; or a patch of one object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Apply {
    /// One object, a list of objects, or YAML text of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Value>,
    /// A file or folder of manifests, relative to the drill's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The object a patch is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// A merge patch of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Value>,
    /// A strategic merge patch of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategic: Option<Value>,
    /// The operations of a JSON patch of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// Its API version; without, that of the served kind of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Its namespace, where its kind has one; `default` without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// The object to delete.
pub type Delete = Target;

/// The object to scale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scale {
    /// Its API version; without, that of the served kind of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Its namespace; `default` without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// How many there shall be.
    pub replicas: u32,
}

/// Machines: by Node name, by place in a node group, by zone, or by label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Machines {
    /// The Node's or NodeClaim's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The node group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_group: Option<String>,
    /// Which node of the group, from 0; without it and `pick`, the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// The availability zone; all in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// A label selector on Nodes; all that match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Only so many of those that are meant, drawn from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pick: Option<u32>,
}

/// Places that cannot reach each other: nodes and their region's API, or two regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Partition {
    /// These machines cannot reach the API of their region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Machines>,
    /// These regions cannot reach each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// How long; without, to the end of the drill.
    #[serde(
        default,
        rename = "for",
        with = "crate::duration::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub lasting: Option<Duration>,
}

/// Steps that are done again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repeat {
    /// From the start of one round to the start of the next.
    #[serde(with = "crate::duration")]
    pub every: Duration,
    /// How many rounds there are.
    pub times: u32,
    /// Each round starts up to so much later, drawn from the seed.
    #[serde(default, with = "crate::duration", skip_serializing_if = "Duration::is_zero")]
    pub jitter: Duration,
    /// What is done in each round, at times from its start.
    pub steps: Vec<Step>,
}

impl Apply {
    pub(super) fn check(&self) -> Result<(), String> {
        let ways = [self.manifest.is_some(), self.file.is_some(), self.target.is_some()];
        let patches = [self.merge.is_some(), self.strategic.is_some(), self.json.is_some()];
        let count = |given: &[bool]| given.iter().filter(|given| **given).count();
        if count(&ways) != 1 {
            return Err("apply has exactly one of manifest, file, target".to_owned());
        }
        if count(&patches) != usize::from(self.target.is_some()) {
            return Err("apply has exactly one of merge, strategic, json beside a target".to_owned());
        }
        Ok(())
    }
}

impl Machines {
    pub(super) fn check(&self, step: &str) -> Result<(), String> {
        let ways =
            [self.name.is_some(), self.node_group.is_some(), self.zone.is_some(), self.selector.is_some()];
        let is_one = ways.iter().filter(|way| **way).count() == 1;
        let index_fits = self.index.is_none() || self.node_group.is_some() && self.pick.is_none();
        if is_one && index_fits {
            return Ok(());
        }
        Err(format!("{step} has exactly one of name, nodeGroup (with index), zone or selector"))
    }
}

impl Partition {
    pub(super) fn check(&self) -> Result<(), String> {
        match (&self.nodes, self.regions.len()) {
            (Some(nodes), 0) => nodes.check("partition.nodes"),
            (None, 2) => Ok(()),
            _ => Err("partition has nodes, or two regions".to_owned()),
        }
    }
}

impl Repeat {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.times == 0 || self.every.is_zero() {
            return Err("repeat is done every so often, at least once".to_owned());
        }
        Ok(())
    }
}
