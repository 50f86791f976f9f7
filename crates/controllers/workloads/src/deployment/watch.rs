//! Which Deployments a change of a Deployment, a set or a pod concerns.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::core::SelectorExt;
use mainstay_control::informer::Subscription;
use mainstay_control::meta::{controller_of, uid};
use mainstay_control::{Change, Key};

use super::Controller;
use super::size::is_recreate;
use crate::claim;
use crate::informers::BY_CONTROLLER;

/// Sets change often while their pods come up: they are looked at together.
const SETTLING: Duration = Duration::from_millis(50);

/// Keeps `controller` told of changes, for as long as the result is held.
pub(super) fn subscribe(
    controller: &Arc<Controller>,
) -> (Subscription<Deployment>, Subscription<ReplicaSet>, Subscription<Pod>) {
    let told = controller.clone();
    let of_deployments = controller
        .informers
        .deployments
        .subscribe(move |change| told.queue.add(Key::of(change.latest().as_ref())));
    let told = controller.clone();
    let of_sets = controller.informers.replica_sets.subscribe(move |change| told.set_changed(change));
    let told = controller.clone();
    let of_pods = controller.informers.pods.subscribe(move |change| told.pod_changed(change));
    (of_deployments, of_sets, of_pods)
}

impl Controller {
    fn set_changed(&self, change: &Change<ReplicaSet>) {
        let owner_uid = |set: &Arc<ReplicaSet>| controller_of(&set.metadata).map(|owner| owner.uid.clone());
        let latest = change.latest();
        let before = change.before().filter(|old| owner_uid(old) != owner_uid(latest));
        if let Some(owner) = before.and_then(|old| self.owner(old.as_ref())) {
            self.queue.add(owner);
        }
        if controller_of(&latest.metadata).is_some() {
            if let Some(owner) = self.owner(latest.as_ref()) {
                self.queue.add_after(owner, SETTLING);
            }
        } else if change.now().is_some() && (before.is_some() || has_new_labels(change)) {
            self.orphan_changed(latest);
        }
    }

    /// A Deployment that recreates waits for the last pod of its old sets.
    fn pod_changed(&self, change: &Change<Pod>) {
        let pod = change.latest();
        if change.now().is_some() && !crate::pods::is_ended(pod) {
            return;
        }
        let Some(reference) = controller_of(&pod.metadata).filter(|owner| owner.kind == "ReplicaSet") else {
            return;
        };
        let set = Key::new(pod.metadata.namespace.as_deref().unwrap_or_default(), &reference.name);
        let set = self.informers.replica_sets.get(&set).filter(|set| uid(&set.metadata) == reference.uid);
        let Some(owner) = set.and_then(|set| self.owner(set.as_ref())) else { return };
        let Some(deployment) = self.informers.deployments.get(&owner).filter(|owner| is_recreate(owner))
        else {
            return;
        };
        let sets = self.informers.replica_sets.by(BY_CONTROLLER, uid(&deployment.metadata));
        if self.pods(&sets).iter().all(|pod| crate::pods::is_ended(pod)) {
            self.queue.add(owner);
        }
    }

    /// Any Deployment that selects an orphan may take it over.
    fn orphan_changed(&self, set: &ReplicaSet) {
        let labels = set.metadata.labels.clone().unwrap_or_default();
        let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
        for deployment in self.informers.deployments.within(namespace) {
            let selector = deployment.spec.as_ref().and_then(|spec| claim::selector(&spec.selector));
            if selector.is_some_and(|selector| !selector.selects_all() && selector.matches(&labels)) {
                self.queue.add(Key::of(deployment.as_ref()));
            }
        }
    }

    /// The Deployment that owns the object, if it is the one of that uid.
    fn owner<K: Resource>(&self, object: &K) -> Option<Key> {
        let reference = controller_of(object.meta()).filter(|owner| owner.kind == "Deployment")?;
        let key = Key::new(object.meta().namespace.as_deref()?, &reference.name);
        let owner = self.informers.deployments.get(&key)?;
        (uid(&owner.metadata) == reference.uid).then_some(key)
    }
}

fn has_new_labels(change: &Change<ReplicaSet>) -> bool {
    change.before().is_none_or(|old| old.metadata.labels != change.latest().metadata.labels)
}
