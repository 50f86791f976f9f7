//! Cordons: a machine tells when its Node was closed to new pods, and when it was opened again.
//!
//! Only closed Nodes are watched, and of those only that they are: what a fleet reports of itself need
//! not come back to it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;
use mainstay_control::Key;
use mainstay_control::informer::Subscription;
use mainstay_control::reconcile::{self, Next};
use mainstay_control::reflect::watch_config;

use super::claims::status_is;
use super::{Agent, Item};

/// Selects the Nodes that are closed.
const CLOSED: &str = "spec.unschedulable=true";

/// How they are watched.
pub(super) fn watched() -> watcher::Config {
    watcher::Config { field_selector: Some(CLOSED.to_owned()), ..watch_config() }
}

impl Agent {
    pub(super) fn queue_cordons(&self) -> Subscription<PartialObjectMeta<Node>> {
        let queue = self.queue.clone();
        self.cordoned.subscribe(move |change| queue.add(Item::Cordon(Key::of(change.latest().as_ref()).name)))
    }

    /// Tells whether a machine takes new pods, where that is not what was told last.
    pub(super) async fn cordon(&self, node: &Arc<str>) -> reconcile::Outcome {
        let is_cordoned = self.cordoned.get(&Key::cluster(node)).is_some();
        let told = self
            .fleet()
            .machines
            .get(&**node)
            .filter(|machine| machine.speaks())
            .map(|machine| machine.is_cordoned);
        if told.is_none_or(|told| told == is_cordoned) || !is_cordoned && !self.is_there(node).await? {
            return Ok(Next::Wait);
        }
        if let Some(machine) = self.fleet().machines.get_mut(&**node) {
            machine.is_cordoned = is_cordoned;
        }
        let reason = if is_cordoned { "NodeNotSchedulable" } else { "NodeSchedulable" };
        self.tell_of_node(node, reason, status_is(node, reason));
        Ok(Next::Wait)
    }

    /// Whether a Node is there: a deleted one is not among the closed ones any more either.
    async fn is_there(&self, node: &str) -> Result<bool, kube::Error> {
        let by_name = ListParams::default().fields(&format!("metadata.name={node}"));
        Ok(!Api::<Node>::all(self.client.clone()).list_metadata(&by_name).await?.items.is_empty())
    }
}
