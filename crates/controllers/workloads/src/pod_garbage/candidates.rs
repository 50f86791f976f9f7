//! Pods that may have to be collected, kept up with every change.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use mainstay_control::meta::is_terminating;
use mainstay_control::{Change, Key};

use crate::{node_lifecycle, pods};

/// The taint by which a person says that a node is gone for good.
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// The pods that have ended, and those that are being deleted.
#[derive(Debug, Default)]
pub struct Candidates {
    ended: BTreeSet<Key>,
    ending: BTreeSet<Key>,
}

impl Candidates {
    /// Takes note of a change; whether it may be that something is to be collected now.
    pub fn note(&mut self, change: &Change<Pod>, threshold: usize) -> bool {
        let key = || Key::of(change.latest().as_ref());
        let now = change.now();
        let mut is_news = false;
        let before = change.before().is_some_and(|old| pods::is_ended(old));
        match (before, now.is_some_and(|pod| pods::is_ended(pod))) {
            (false, true) => {
                self.ended.insert(key());
                is_news |= self.ended.len() > threshold;
            }
            (true, false) => {
                self.ended.remove(&key());
            }
            _ => {}
        }
        let before = change.before().is_some_and(|old| is_terminating(&old.metadata));
        match (before, now.is_some_and(|pod| is_terminating(&pod.metadata))) {
            (false, true) => {
                self.ending.insert(key());
                is_news = true;
            }
            (true, false) => {
                self.ending.remove(&key());
            }
            _ => {}
        }
        // A pod deleted at once shows no deletion before it is gone.
        if now.is_none() {
            self.ended.remove(&key());
            self.ending.remove(&key());
        }
        is_news
    }

    /// Those that have ended, and those that are being deleted.
    pub fn keys(&self) -> (Vec<Key>, Vec<Key>) {
        (self.ended.iter().cloned().collect(), self.ending.iter().cloned().collect())
    }
}

/// Whether a node is down and a person said that it stays so.
pub fn is_out_of_service(node: &Node) -> bool {
    let is_ready = node_lifecycle::health::ready(node) == Some(node_lifecycle::health::Ready::True);
    !is_ready && node_lifecycle::taints::of(node).iter().any(|taint| taint.key == OUT_OF_SERVICE)
}

/// Of the pods that have ended, those that are too many: evicted ones first, then the oldest.
pub fn surplus(mut ended: Vec<Arc<Pod>>, threshold: usize) -> Vec<Arc<Pod>> {
    let count = ended.len().saturating_sub(threshold);
    if count == 0 {
        return Vec::new();
    }
    ended.sort_by(|a, b| order(a).cmp(&order(b)));
    ended.truncate(count);
    ended
}

/// Of the pods that are being deleted, those for which no node does it, in upstream's order.
pub fn abandoned(ending: Vec<Arc<Pod>>, node: impl Fn(&str) -> Option<Arc<Node>>) -> Vec<Arc<Pod>> {
    let (bound, unbound): (Vec<_>, Vec<_>) = ending.into_iter().partition(|pod| pods::node(pod).is_some());
    let is_lost =
        |pod: &Arc<Pod>| pods::node(pod).and_then(&node).is_some_and(|node| is_out_of_service(&node));
    let mut lost: Vec<_> = bound.into_iter().filter(is_lost).collect();
    lost.sort_by(|a, b| order(a).cmp(&order(b)));
    lost.extend(unbound);
    lost
}

/// Not evicted, age, name: in this order the last to be collected.
fn order(pod: &Pod) -> (bool, Option<jiff::Timestamp>, Option<&str>) {
    let status = pod.status.as_ref();
    let is_evicted =
        pods::phase(pod) == "Failed" && status.and_then(|own| own.reason.as_deref()) == Some("Evicted");
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (!is_evicted, created, pod.metadata.name.as_deref())
}
