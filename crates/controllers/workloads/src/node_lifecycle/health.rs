//! Whether a node still says that it is alive.
//!
//! Its lease and the heartbeat of its `Ready` condition count, by the time at which they were seen:
//! the node's own clock is not trusted.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};

/// How long a node may be silent.
pub const GRACE: Duration = Duration::from_secs(50);
/// How long one that has never said anything may be.
pub const STARTUP_GRACE: Duration = Duration::from_mins(1);

/// What a silent node's conditions become; the network's is not its node's to report.
const SILENCED: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/// The status of a `Ready` condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ready {
    /// It is.
    True,
    /// It says that it is not.
    False,
    /// It says nothing.
    Unknown,
}

/// What is remembered of a node's signs of life.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// When the last one was seen.
    pub probed_at: Timestamp,
    /// The heartbeat of its `Ready` condition, if it has one.
    pub heartbeat: Option<Timestamp>,
    /// The renewal of its lease that was taken note of.
    pub renewed: Option<MicroTime>,
}

/// A renewal of a lease, and when it was first seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Renewal {
    /// The time in the lease.
    pub time: MicroTime,
    /// When it was seen.
    pub seen_at: Timestamp,
}

/// What one look at a node finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// What to remember.
    pub health: Health,
    /// Whether it was ready before this look; a node that never said so is unknown.
    pub observed: Ready,
    /// Whether it is now; nothing where it never said.
    pub current: Option<Ready>,
    /// What of its conditions must be written.
    pub changed: Vec<NodeCondition>,
    /// After which time without a sign of life it is to be looked at again.
    pub silent_after: Option<Timestamp>,
    /// Whether the next look can find more without anything having changed.
    pub look_again: bool,
}

/// A condition of this type.
pub fn condition<'a>(node: &'a Node, type_: &str) -> Option<&'a NodeCondition> {
    node.status.as_ref()?.conditions.as_ref()?.iter().find(|own| own.type_ == type_)
}

/// Whether a node says that it is ready; nothing where it never said.
pub fn ready(node: &Node) -> Option<Ready> {
    condition(node, "Ready").map(|own| match &*own.status {
        "True" => Ready::True,
        "False" => Ready::False,
        _ => Ready::Unknown,
    })
}

/// Looks at a node.
pub fn judge(node: &Node, health: Option<&Health>, lease: Option<&Renewal>, now: Timestamp) -> Judgement {
    let own = condition(node, "Ready");
    let created = node.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
    let mut next = signs(own, health, created, now);
    let saved = health.and_then(|health| health.renewed.as_ref());
    if let Some(lease) = lease.filter(|lease| saved.is_none_or(|saved| saved.0 < lease.time.0)) {
        // What is seen for the first time is fresh, however old it says it is.
        let seen_at = if saved.is_some() { lease.seen_at } else { now };
        next.probed_at = next.probed_at.max(seen_at);
        next.renewed = Some(lease.time.clone());
    }
    let grace = if own.is_some() { GRACE } else { STARTUP_GRACE };
    let silent_after = next.probed_at.checked_add(grace).unwrap_or(Timestamp::MAX);
    let current = ready(node);
    let observed = current.unwrap_or(Ready::Unknown);
    let look_again = lease.is_some() && next.renewed.is_none();
    if now <= silent_after {
        let silent_after = (current != Some(Ready::Unknown)).then_some(silent_after);
        return Judgement { health: next, observed, current, changed: Vec::new(), silent_after, look_again };
    }
    let changed = if current == Some(Ready::Unknown) { Vec::new() } else { silenced(node, created, now) };
    if !changed.is_empty() {
        next.renewed = lease.map(|lease| lease.time.clone());
        next.heartbeat = Some(own.map_or(created, heartbeat));
    }
    let current = Some(Ready::Unknown);
    Judgement { health: next, observed, current, changed, silent_after: None, look_again: false }
}

/// The time of a condition's heartbeat; one without is older than any.
fn heartbeat(own: &NodeCondition) -> Timestamp {
    own.last_heartbeat_time.as_ref().map_or(Timestamp::MIN, |time| time.0)
}

/// What the node's own report adds to what is remembered.
fn signs(own: Option<&NodeCondition>, health: Option<&Health>, created: Timestamp, now: Timestamp) -> Health {
    let fresh =
        |own: &NodeCondition| Health { probed_at: now, heartbeat: Some(heartbeat(own)), renewed: None };
    match (own, health) {
        (None, None) => Health { probed_at: created, heartbeat: None, renewed: None },
        (None, Some(health)) => Health { heartbeat: None, ..health.clone() },
        (Some(own), Some(health)) if health.heartbeat == Some(heartbeat(own)) => health.clone(),
        (Some(own), _) => fresh(own),
    }
}

/// The conditions of a node that says nothing any more, those that change.
fn silenced(node: &Node, created: Timestamp, now: Timestamp) -> Vec<NodeCondition> {
    let unknown = |type_: &str| match condition(node, type_) {
        Some(own) if own.status == "Unknown" => None,
        Some(own) => Some(NodeCondition {
            status: "Unknown".to_owned(),
            reason: Some("NodeStatusUnknown".to_owned()),
            message: Some("Kubelet stopped posting node status.".to_owned()),
            last_transition_time: Some(Time(now)),
            ..own.clone()
        }),
        None => Some(NodeCondition {
            type_: type_.to_owned(),
            status: "Unknown".to_owned(),
            reason: Some("NodeStatusNeverUpdated".to_owned()),
            message: Some("Kubelet never posted node status.".to_owned()),
            last_heartbeat_time: Some(Time(created)),
            last_transition_time: Some(Time(now)),
        }),
    };
    SILENCED.into_iter().filter_map(unknown).collect()
}
