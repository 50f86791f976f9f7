//! Steps of a drill: when, and one of the things that can be done or asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Apply, Delete, Expect, Machines, Partition, Repeat, Scale};

/// One step. In the file, `at` and `name` stand beside exactly one action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Step {
    /// When, from the start of the drill; in a repetition, from the start of its round.
    pub at: Duration,
    /// What the reports call it; without, its action.
    pub name: Option<String>,
    /// Which region's API it goes to; without, the only one or the primary.
    pub region: Option<String>,
    /// What is done or asked.
    pub action: Action,
}

/// What a step does or asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Applies manifests (server-side, forced), or patches an object.
    Apply(Apply),
    /// Deletes an object.
    Delete(Delete),
    /// Sets an object's replicas through its `scale` subresource.
    Scale(Scale),
    /// Makes machines dead.
    KillNode(Machines),
    /// Brings machines back.
    RestoreNode(Machines),
    /// Ends everything of a region at once.
    KillRegion(String),
    /// Brings a region up again on what its store holds.
    RestoreRegion(String),
    /// Cuts places off from each other.
    Partition(Partition),
    /// Does steps again and again.
    Repeat(Repeat),
    /// Asks whether something is so, now or soon, and for how long.
    Expect(Box<Expect>),
}

/// A step as it stands in a file.
#[derive(Clone, Default, Serialize, Deserialize)]
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
    kill_node: Option<Machines>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restore_node: Option<Machines>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kill_region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restore_region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partition: Option<Partition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeat: Option<Repeat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expect: Option<Box<Expect>>,
}

/// What a step can be, for people.
const ACTIONS: &str = "apply, delete, scale, killNode, restoreNode, killRegion, restoreRegion, partition, \
                       repeat, expect";

impl TryFrom<Written> for Step {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { at, name, region, .. } = written;
        let mut actions = [
            written.apply.map(Action::Apply),
            written.delete.map(Action::Delete),
            written.scale.map(Action::Scale),
            written.kill_node.map(Action::KillNode),
            written.restore_node.map(Action::RestoreNode),
            written.kill_region.map(Action::KillRegion),
            written.restore_region.map(Action::RestoreRegion),
            written.partition.map(Action::Partition),
            written.repeat.map(Action::Repeat),
            written.expect.map(Action::Expect),
        ]
        .into_iter()
        .flatten();
        match (actions.next(), actions.next()) {
            (Some(action), None) => {
                action.check()?;
                Ok(Self { at, name, region, action })
            }
            _ => Err(format!("a step has exactly one of {ACTIONS}")),
        }
    }
}

impl From<Step> for Written {
    fn from(Step { at, name, region, action }: Step) -> Self {
        let mut written = Self { at, name, region, ..Self::default() };
        match action {
            Action::Apply(apply) => written.apply = Some(apply),
            Action::Delete(delete) => written.delete = Some(delete),
            Action::Scale(scale) => written.scale = Some(scale),
            Action::KillNode(machines) => written.kill_node = Some(machines),
            Action::RestoreNode(machines) => written.restore_node = Some(machines),
            Action::KillRegion(region) => written.kill_region = Some(region),
            Action::RestoreRegion(region) => written.restore_region = Some(region),
            Action::Partition(partition) => written.partition = Some(partition),
            Action::Repeat(repeat) => written.repeat = Some(repeat),
            Action::Expect(expect) => written.expect = Some(expect),
        }
        written
    }
}

impl Action {
    /// What the types alone do not say.
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Apply(apply) => apply.check(),
            Self::KillNode(machines) => machines.check("killNode"),
            Self::RestoreNode(machines) => machines.check("restoreNode"),
            Self::Partition(partition) => partition.check(),
            Self::Repeat(repeat) => repeat.check(),
            Self::Expect(expect) => expect.check(),
            Self::Delete(_) | Self::Scale(_) | Self::KillRegion(_) | Self::RestoreRegion(_) => Ok(()),
        }
    }
}
