//! What a drill asks: how objects should be, which Events there should have been, what always holds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Amount;

/// What should be so. Every field that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expect {
    /// The objects' API version; without, that of the served kind of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The objects' kind; left out only where an [`EventExpect`] stands alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
    pub replicas: Option<Amount>,
    /// `status.readyReplicas`; for pods and nodes, how many are Ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Amount>,
    /// `status.availableReplicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// `status.updatedReplicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Amount>,
    /// `status.phase`, of every object chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Conditions by type, each with its status, of every object chosen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conditions: BTreeMap<String, String>,
    /// How many objects are chosen; `0` says that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Amount>,
    /// A CEL expression: of `object`, it must be true of every object chosen; of `objects`, of all
    /// of them together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cel: Option<String>,
    /// Which Events there should have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventExpect>,
    /// How long it may take to become so; without, it must be so at once.
    #[serde(default, with = "crate::duration", skip_serializing_if = "Duration::is_zero")]
    pub within: Duration,
    /// How long it must stay so from then on.
    #[serde(default, rename = "for", with = "crate::duration", skip_serializing_if = "Duration::is_zero")]
    pub lasting: Duration,
}

/// Events that should have been recorded since the drill began. Every field that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventExpect {
    /// Its reason, `FailedScheduling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `Normal` or `Warning`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind_of: Option<String>,
    /// The kind of the object it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The namespace of the object it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name of the object it is about; `web-*` fits every name that begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A part of its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How often it was recorded; without, at least once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Amount>,
}

/// What holds at every moment of a drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Invariant {
    /// What the reports call it; without, what it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose objects it is about; without, the primary region's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// From when on it holds.
    #[serde(default, with = "crate::duration", skip_serializing_if = "Duration::is_zero")]
    pub from: Duration,
    /// Until when; without, to the end.
    #[serde(default, with = "crate::duration::option", skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
    /// What holds; its `within` is how long it may be otherwise.
    pub expect: Expect,
}

impl Expect {
    /// What the types alone do not say.
    pub(super) fn check(&self) -> Result<(), String> {
        let about_objects =
            [self.replicas, self.ready, self.available, self.updated, self.count].iter().any(Option::is_some)
                || self.phase.is_some()
                || self.cel.is_some()
                || !self.conditions.is_empty()
                || self.name.is_some()
                || self.selector.is_some();
        if self.kind.is_empty() && (about_objects || self.event.is_none()) {
            return Err("expect has the kind of the objects it is about, or only an event".to_owned());
        }
        if self.name.is_some() && self.selector.is_some() {
            return Err("expect has a name or a selector, not both".to_owned());
        }
        Ok(())
    }
}
