//! Steps of a drill: when, and one of the things that can be done or asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One step. In the file, `at` and `name` stand beside exactly one action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Step {
    /// When, from the start of the drill.
    pub at: Duration,
    /// What the reports call it; without, its action.
    pub name: Option<String>,
    /// Which region's API it goes to; without, the only one or the first.
    pub region: Option<String>,
    /// What is done or asked.
    pub action: Action,
}

/// What a step does or asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Applies manifests (server-side, forced).
    Apply(Apply),
    /// Deletes an object.
    Delete(Delete),
    /// Sets an object's replicas through its `scale` subresource.
    Scale(Scale),
    /// Makes a machine dead.
    KillNode(KillNode),
    /// Asks whether something is so, now or soon.
    Expect(Expect),
}

/// Manifests: inline or a file, not both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Apply {
    /// One object, a list of objects, or YAML text of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Value>,
    /// A file of manifests, relative to the drill's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// The object to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delete {
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

/// The machines to kill: by Node name, by place in a node group, or by label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KillNode {
    /// The Node's or NodeClaim's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The node group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_group: Option<String>,
    /// Which node of the group, from 0; without, the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// A label selector on Nodes; all that match die.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
}

/// What should be so. Every field that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expect {
    /// The objects' API version; without, that of the served kind of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The objects' kind.
    pub kind: String,
    /// Their namespace; without, `default` for one name, all for a selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// One object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A label selector, instead of a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// `status.replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// `status.readyReplicas`; with a selector or for pods and nodes, how many are Ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<u32>,
    /// `status.availableReplicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<u32>,
    /// `status.phase`, of every object chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// How many objects are chosen; `0` says that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// How long it may take to become so; without, it must be so at once.
    #[serde(default, with = "crate::duration", skip_serializing_if = "Duration::is_zero")]
    pub within: Duration,
}

/// A step as it stands in a file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    #[serde(with = "crate::duration")]
    at: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    apply: Option<Apply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delete: Option<Delete>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale: Option<Scale>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kill_node: Option<KillNode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expect: Option<Expect>,
}

impl TryFrom<Written> for Step {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { at, name, region, apply, delete, scale, kill_node, expect } = written;
        let mut actions = [
            apply.map(Action::Apply),
            delete.map(Action::Delete),
            scale.map(Action::Scale),
            kill_node.map(Action::KillNode),
            expect.map(Action::Expect),
        ]
        .into_iter()
        .flatten();
        match (actions.next(), actions.next()) {
            (Some(action), None) => {
                action.check()?;
                Ok(Self { at, name, region, action })
            }
            _ => Err("a step has exactly one of apply, delete, scale, killNode, expect".to_owned()),
        }
    }
}

impl From<Step> for Written {
    fn from(Step { at, name, region, action }: Step) -> Self {
        let mut written =
            Self { at, name, region, apply: None, delete: None, scale: None, kill_node: None, expect: None };
        match action {
            Action::Apply(apply) => written.apply = Some(apply),
            Action::Delete(delete) => written.delete = Some(delete),
            Action::Scale(scale) => written.scale = Some(scale),
            Action::KillNode(kill) => written.kill_node = Some(kill),
            Action::Expect(expect) => written.expect = Some(expect),
        }
        written
    }
}

impl Action {
    /// What the types alone do not say.
    fn check(&self) -> Result<(), String> {
        let fine = match self {
            Self::Apply(apply) => {
                (apply.manifest.is_some() != apply.file.is_some(), "apply has exactly one of manifest, file")
            }
            Self::KillNode(kill) => {
                let ways = [kill.name.is_some(), kill.node_group.is_some(), kill.selector.is_some()];
                let one = ways.iter().filter(|way| **way).count() == 1;
                (
                    one && (kill.index.is_none() || kill.node_group.is_some()),
                    "killNode has exactly one of name, nodeGroup (with index) or selector",
                )
            }
            Self::Expect(expect) => (
                expect.name.is_none() || expect.selector.is_none(),
                "expect has a name or a selector, not both",
            ),
            Self::Delete(_) | Self::Scale(_) => (true, ""),
        };
        if fine.0 { Ok(()) } else { Err(fine.1.to_owned()) }
    }
}
