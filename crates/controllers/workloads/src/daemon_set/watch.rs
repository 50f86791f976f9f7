//! Which sets a change of a set, a pod, a node or a revision concerns.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet};
use k8s_openapi::api::core::v1::{Node, Pod};
use mainstay_control::informer::Subscription;
use mainstay_control::meta::{controller_of, controller_uid, uid};
use mainstay_control::{Change, Key};

use super::Controller;
use super::placement::{self, Demand};
use crate::follow::{self, Follower};
use crate::informers::BY_NODE;

type Subscriptions =
    (Subscription<DaemonSet>, Subscription<Pod>, Subscription<Node>, Subscription<ControllerRevision>);

/// Keeps `controller` told of changes, for as long as the result is held.
pub(super) fn subscribe(controller: &Arc<Controller>) -> Subscriptions {
    let informers = &controller.informers;
    let told = controller.clone();
    let of_sets = informers.daemon_sets.subscribe(move |change| told.follower().owner_changed(change));
    let told = controller.clone();
    let of_pods = informers.pods.subscribe(move |change| told.follower().pod_changed(change));
    let told = controller.clone();
    let of_nodes = informers.nodes.subscribe(move |change| told.node_changed(change));
    let told = controller.clone();
    let of_revisions = informers.controller_revisions.subscribe(move |change| told.revision_changed(change));
    (of_sets, of_pods, of_nodes, of_revisions)
}

impl Controller {
    fn follower(&self) -> Follower<'_, DaemonSet> {
        Follower { owners: &self.informers.daemon_sets, queue: &self.queue, expectations: &self.expectations }
    }

    /// A new node, or other labels or taints, concern the sets that shall have a pod there and have
    /// none, or have one that must go.
    fn node_changed(&self, change: &Change<Node>) {
        let Some(node) = change.now().filter(|_| is_of_interest(change)) else { return };
        let sets = self.informers.daemon_sets.all();
        if sets.is_empty() {
            return;
        }
        let pods = self.informers.pods.by(BY_NODE, placement::name(node));
        for set in sets {
            if concerns(&set, node, &pods) {
                self.queue.add(Key::of(set.as_ref()));
            }
        }
    }

    fn revision_changed(&self, change: &Change<ControllerRevision>) {
        let latest = change.latest();
        let owner_uid = |it: &Arc<ControllerRevision>| controller_of(&it.metadata).map(|it| it.uid.clone());
        let before = change.before().filter(|old| owner_uid(old) != owner_uid(latest));
        let owner = |it: &ControllerRevision| follow::owner(&self.informers.daemon_sets, &it.metadata);
        if let Some(owner) = before.and_then(|old| owner(old)) {
            self.queue.add(owner);
        }
        if controller_of(&latest.metadata).is_some() {
            // A new one is the controller's own.
            let is_new = matches!(change, Change::Applied { old: None, .. });
            if let Some(owner) = owner(latest).filter(|_| !is_new) {
                self.queue.add(owner);
            }
        } else if change.now().is_some() && (before.is_some() || has_new_labels(change)) {
            for key in follow::selecting(&self.informers.daemon_sets, &latest.metadata) {
                self.queue.add(key);
            }
        }
    }
}

/// Whether a set shall have a pod on a node and has none among those there, or has one that must go.
pub(super) fn concerns(set: &DaemonSet, node: &Node, pods: &[Arc<Pod>]) -> bool {
    let fit = Demand::of(set).fit(node);
    let has_pod = pods.iter().any(|pod| controller_uid(&pod.metadata) == Some(uid(&set.metadata)));
    if has_pod { !fit.keeps } else { fit.runs }
}

/// Whether a node is new, or its labels or taints are others.
pub(super) fn is_of_interest(change: &Change<Node>) -> bool {
    let taints = |node: &Node| node.spec.as_ref().and_then(|spec| spec.taints.clone()).unwrap_or_default();
    let latest = change.latest();
    change
        .before()
        .is_none_or(|old| old.metadata.labels != latest.metadata.labels || taints(old) != taints(latest))
}

fn has_new_labels(change: &Change<ControllerRevision>) -> bool {
    change.before().is_none_or(|old| old.metadata.labels != change.latest().metadata.labels)
}
