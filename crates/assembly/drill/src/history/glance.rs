//! What one look at an object's bytes tells, and how two looks differ.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// The letters of a message that are told.
const MESSAGE: usize = 160;

/// An object as far as its story goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Glance {
    pub(crate) kind: String,
    pub(crate) owners: Vec<(String, String)>,
    /// The Node it is on, or is the Node of.
    pub(crate) node: Option<String>,
    pub(crate) is_ending: bool,
    pub(crate) phase: String,
    pub(crate) wanted: Option<i64>,
    pub(crate) available: i64,
    /// Status, reason and message by type.
    pub(crate) conditions: BTreeMap<String, (String, String, String)>,
    generation: i64,
    is_cordoned: bool,
    taints: BTreeSet<String>,
    fault: Option<String>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    owner_references: Vec<Owner>,
    deletion_timestamp: Option<String>,
    generation: i64,
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    node_name: Option<String>,
    replicas: Option<i64>,
    unschedulable: bool,
    taints: Vec<Taint>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Taint {
    key: String,
    effect: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    node_name: Option<String>,
    conditions: Vec<Condition>,
    available_replicas: i64,
    desired_number_scheduled: Option<i64>,
    number_available: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
    message: String,
}

impl Glance {
    /// A look at an encoded object; nothing where it has not the form of a built-in one.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let Object { kind, mut metadata, spec, status } = serde_json::from_slice(bytes).ok()?;
        let conditions = status.conditions.into_iter().map(|one| {
            let message: String = one.message.chars().take(MESSAGE).collect();
            (one.r#type, (one.status, one.reason, message))
        });
        let has_replicas = spec.replicas.is_some();
        Some(Self {
            kind,
            owners: metadata.owner_references.into_iter().map(|owner| (owner.kind, owner.name)).collect(),
            node: spec.node_name.or(status.node_name),
            is_ending: metadata.deletion_timestamp.is_some(),
            phase: status.phase,
            wanted: spec.replicas.or(status.desired_number_scheduled),
            available: if has_replicas { status.available_replicas } else { status.number_available },
            conditions: conditions.collect(),
            generation: metadata.generation,
            is_cordoned: spec.unschedulable,
            taints: spec.taints.into_iter().map(|taint| format!("{}:{}", taint.key, taint.effect)).collect(),
            fault: metadata.annotations.remove(mainstay_kinds::node_claim::FAULT_ANNOTATION),
        })
    }

    /// What is told of the way from an earlier look to this one.
    pub(crate) fn changes(&self, before: &Self) -> Vec<String> {
        let mut told = Vec::new();
        if self.fault != before.fault {
            told.push(
                self.fault
                    .as_ref()
                    .map_or_else(|| "its fault is over".to_owned(), |fault| format!("fault: {fault}")),
            );
        }
        if let Some(node) = self.node.as_ref().filter(|_| self.node != before.node) {
            told.push(format!("is on {node}"));
        }
        match (before.wanted, self.wanted) {
            (Some(before), Some(now)) if before != now => told.push(format!("replicas {before} → {now}")),
            // A pod's rises when it is deleted, which is told below.
            _ if self.kind != "Pod" && before.generation != 0 && self.generation > before.generation => {
                told.push(format!("its spec changed (generation {})", self.generation));
            }
            _ => {}
        }
        if self.is_cordoned != before.is_cordoned {
            told.push(if self.is_cordoned { "was cordoned" } else { "was uncordoned" }.to_owned());
        }
        told.extend(self.taints.difference(&before.taints).map(|taint| format!("taint {taint}")));
        told.extend(before.taints.difference(&self.taints).map(|taint| format!("taint {taint} is off")));
        if !before.phase.is_empty() && self.phase != before.phase {
            told.push(format!("phase {} → {}", before.phase, self.phase));
        }
        for (type_, now) in self.conditions.iter().filter(|(type_, now)| !is_echo(type_, &now.0)) {
            told.extend(condition(type_, before.conditions.get(type_), now));
        }
        if self.is_ending && !before.is_ending {
            told.push("is being deleted".to_owned());
        }
        told
    }
}

/// Whether another condition tells the same: of a pod or Node that falls silent all turn at once.
fn is_echo(type_: &str, status: &str) -> bool {
    match type_ {
        "ContainersReady" | "PodReadyToStartContainers" => true,
        "MemoryPressure" | "DiskPressure" | "PIDPressure" | "NetworkUnavailable" => status == "Unknown",
        _ => false,
    }
}

/// How a condition changed; one that comes up true says nothing.
fn condition(
    type_: &str,
    before: Option<&(String, String, String)>,
    (status, reason, message): &(String, String, String),
) -> Option<String> {
    let was = before.map(|(status, _, _)| status.as_str());
    let same_reason = before.is_some_and(|(_, before, _)| before == reason);
    if was == Some(status) && (same_reason || status == "True") || was.is_none() && status == "True" {
        return None;
    }
    let from = was.filter(|was| was != status).map(|was| format!("{was} → ")).unwrap_or_default();
    let why = match (reason.is_empty(), message.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!(" ({message})"),
        (false, true) => format!(" ({reason})"),
        (false, false) => format!(" ({reason}: {message})"),
    };
    Some(format!("{type_} {from}{status}{why}"))
}
