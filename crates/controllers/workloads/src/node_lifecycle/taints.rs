//! The taints and labels a node should have for what its conditions and its spec say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Taint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::health::Ready;

/// The taint of a node that says it is not ready.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// The taint of a node that says nothing.
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// The taint of a node that shall get no new pods.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
const NO_SCHEDULE: &str = "NoSchedule";
const NO_EXECUTE: &str = "NoExecute";

/// Which condition, in which status, is which taint.
const CONDITIONS: [(&str, &str, &str); 6] = [
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];

/// Labels that follow another: the old ones of the system and the architecture.
const LABELS: [(&str, &str); 2] =
    [("kubernetes.io/os", "beta.kubernetes.io/os"), ("kubernetes.io/arch", "beta.kubernetes.io/arch")];

/// A node's taints.
pub fn of(node: &Node) -> &[Taint] {
    node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default()
}

/// Whether a node has a taint that drives pods away.
pub fn drives_away(node: &Node, key: &str) -> bool {
    of(node).iter().any(|taint| taint.key == key && taint.effect == NO_EXECUTE)
}

/// The taints a node should have instead of its own, which keep new pods away; `None` for its own.
pub fn no_schedule(node: &Node, now: Timestamp) -> Option<Vec<Taint>> {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut wanted: Vec<&str> = conditions
        .filter_map(|own| {
            let is_meant = |row: &&(&str, &str, &str)| row.0 == own.type_ && row.1 == own.status;
            CONDITIONS.iter().find(is_meant).map(|row| row.2)
        })
        .collect();
    if node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true) {
        wanted.push(UNSCHEDULABLE);
    }
    let is_ours = |key: &str| key == UNSCHEDULABLE || CONDITIONS.iter().any(|row| row.2 == key);
    let own: Vec<&str> = of(node)
        .iter()
        .filter(|taint| taint.effect == NO_SCHEDULE && is_ours(&taint.key))
        .map(|taint| &*taint.key)
        .collect();
    let unwanted: Vec<&str> = own.iter().filter(|key| !wanted.contains(key)).copied().collect();
    wanted.retain(|key| !own.contains(key));
    if wanted.is_empty() && unwanted.is_empty() {
        return None;
    }
    Some(swapped(of(node), NO_SCHEDULE, &wanted, &unwanted, now))
}

/// The taints of a node in this state, with the one that drives its pods away in the place of the
/// other's.
pub fn driven(node: &Node, ready: Ready, now: Timestamp) -> Option<Vec<Taint>> {
    let (wanted, unwanted) = match ready {
        Ready::True => return reachable(node),
        Ready::False => (NOT_READY, UNREACHABLE),
        Ready::Unknown => (UNREACHABLE, NOT_READY),
    };
    let is_done = drives_away(node, wanted) && !drives_away(node, unwanted);
    (!is_done).then(|| swapped(of(node), NO_EXECUTE, &[wanted], &[unwanted], now))
}

/// The taints of a node without those that drive its pods away for its silence; `None` for its own.
pub fn reachable(node: &Node) -> Option<Vec<Taint>> {
    let is_driven = drives_away(node, NOT_READY) || drives_away(node, UNREACHABLE);
    is_driven.then(|| {
        let stays =
            |taint: &&Taint| taint.effect != NO_EXECUTE || !matches!(&*taint.key, NOT_READY | UNREACHABLE);
        of(node).iter().filter(stays).cloned().collect()
    })
}

/// `taints` with some of an effect added at their end and others taken away.
fn swapped(taints: &[Taint], effect: &str, add: &[&str], remove: &[&str], now: Timestamp) -> Vec<Taint> {
    let goes = |taint: &Taint| {
        taint.effect == effect && (remove.contains(&&*taint.key) || add.contains(&&*taint.key))
    };
    let mut swapped: Vec<Taint> = taints.iter().filter(|taint| !goes(taint)).cloned().collect();
    swapped.extend(add.iter().map(|key| Taint {
        key: (*key).to_owned(),
        effect: effect.to_owned(),
        time_added: Some(Time(now)),
        value: None,
    }));
    swapped
}

/// The labels a node must be given.
pub fn labels(node: &Node) -> BTreeMap<&'static str, String> {
    let own = |key: &str| node.metadata.labels.as_ref().and_then(|labels| labels.get(key));
    let missing = LABELS.into_iter().filter_map(|(stable, beta)| {
        let value = own(stable)?;
        (own(beta) != Some(value)).then(|| (beta, value.clone()))
    });
    missing.collect()
}
