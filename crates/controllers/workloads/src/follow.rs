//! What the owners of named or placed pods are told of: a change of a pod concerns its owner, and a
//! change of an orphan concerns everyone who selects it.
//!
//! **Spec:** the pod handlers of upstream's `statefulset` and `daemon` controllers.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::Resource;
use kube::core::SelectorExt;
use mainstay_control::meta::{controller_of, is_terminating, uid};
use mainstay_control::{Change, Informer, Key, Queue};

use crate::expectations::Expectations;
use crate::{claim, pods};

#[cfg(test)]
mod tests;

/// A kind that owns pods.
pub(crate) trait PodOwner: Resource<DynamicType = ()> {
    /// Which pods are its.
    fn selector(&self) -> Option<&LabelSelector>;
    /// For how long a pod must be ready to count as available.
    fn min_ready_seconds(&self) -> i32;
}

impl PodOwner for StatefulSet {
    fn selector(&self) -> Option<&LabelSelector> {
        self.spec.as_ref().map(|spec| &spec.selector)
    }

    fn min_ready_seconds(&self) -> i32 {
        self.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default()
    }
}

impl PodOwner for DaemonSet {
    fn selector(&self) -> Option<&LabelSelector> {
        self.spec.as_ref().map(|spec| &spec.selector)
    }

    fn min_ready_seconds(&self) -> i32 {
        self.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default()
    }
}

/// Where owners are looked up.
pub(crate) trait Owners<O> {
    /// The owner of this key.
    fn get(&self, key: &Key) -> Option<Arc<O>>;
    /// Those of a namespace.
    fn within(&self, namespace: &str) -> Vec<Arc<O>>;
}

impl<O> Owners<O> for Informer<O> {
    fn get(&self, key: &Key) -> Option<Arc<O>> {
        self.get(key)
    }

    fn within(&self, namespace: &str) -> Vec<Arc<O>> {
        self.within(namespace)
    }
}

/// The owner of an object, if it is the one of that uid.
pub(crate) fn owner<O: PodOwner>(owners: &dyn Owners<O>, meta: &ObjectMeta) -> Option<Key> {
    let reference = controller_of(meta).filter(|owner| owner.kind == O::kind(&()))?;
    let key = Key::new(meta.namespace.as_deref()?, &reference.name);
    let owner = owners.get(&key)?;
    (uid(owner.meta()) == reference.uid).then_some(key)
}

/// Those that may take an orphan over.
pub(crate) fn selecting<O: PodOwner>(owners: &dyn Owners<O>, meta: &ObjectMeta) -> Vec<Key> {
    let labels = meta.labels.clone().unwrap_or_default();
    let mut keys = Vec::new();
    for owner in owners.within(meta.namespace.as_deref().unwrap_or_default()) {
        let selector = owner.selector().and_then(claim::selector);
        if selector.is_some_and(|selector| !selector.selects_all() && selector.matches(&labels)) {
            keys.push(Key::of(owner.as_ref()));
        }
    }
    keys
}

/// What follows the changes of pods for the owners of one kind.
pub(crate) struct Follower<'a, O> {
    pub(crate) owners: &'a dyn Owners<O>,
    pub(crate) queue: &'a Queue<Key>,
    pub(crate) expectations: &'a Expectations,
}

impl<O: PodOwner> Follower<'_, O> {
    /// Queues those whom the change of an owner concerns.
    pub(crate) fn owner_changed(&self, change: &Change<O>) {
        let key = Key::of(change.latest().as_ref());
        let is_another = change.before().is_some_and(|old| old.meta().uid != change.latest().meta().uid);
        if change.now().is_none() || is_another {
            self.expectations.forget(&key);
        }
        self.queue.add(key);
    }

    /// Queues those whom the change of a pod concerns.
    pub(crate) fn pod_changed(&self, change: &Change<Pod>) {
        match change {
            Change::Deleted { old } => self.pod_gone(old),
            Change::Applied { old: Some(old), new } if old.metadata.uid != new.metadata.uid => {
                self.pod_gone(old);
                self.pod_new(new);
            }
            Change::Applied { old: Some(old), new } => self.pod_updated(old, new),
            Change::Applied { old: None, new } => self.pod_new(new),
        }
    }

    fn pod_new(&self, pod: &Pod) {
        let Some(owner) = owner(self.owners, &pod.metadata) else { return self.orphan_changed(pod) };
        self.expectations.created(&owner, 1);
        if is_terminating(&pod.metadata) {
            self.expectations.deleted(&owner, &Key::of(pod));
        }
        self.queue.add(owner);
    }

    fn pod_updated(&self, old: &Pod, new: &Pod) {
        if is_terminating(&new.metadata) {
            return self.pod_gone(new);
        }
        let owner_uid = |pod: &Pod| controller_of(&pod.metadata).map(|owner| owner.uid.clone());
        let has_new_owner = owner_uid(old) != owner_uid(new);
        if has_new_owner && let Some(before) = owner(self.owners, &old.metadata) {
            self.queue.add(before);
        }
        match owner(self.owners, &new.metadata) {
            Some(owner) => {
                if !pods::is_ready(old) && pods::is_ready(new) {
                    self.look_again(&owner);
                }
                self.queue.add(owner);
            }
            None if has_new_owner || old.metadata.labels != new.metadata.labels => self.orphan_changed(new),
            None => {}
        }
    }

    /// A pod with a deletion timestamp counts as gone: waiting for its grace would hold its owner up.
    fn pod_gone(&self, pod: &Pod) {
        if let Some(owner) = owner(self.owners, &pod.metadata) {
            self.expectations.deleted(&owner, &Key::of(pod));
            self.queue.add(owner);
        }
    }

    fn orphan_changed(&self, pod: &Pod) {
        if controller_of(&pod.metadata).is_none() && !is_terminating(&pod.metadata) {
            for key in selecting(self.owners, &pod.metadata) {
                self.queue.add(key);
            }
        }
    }

    /// Asks for a turn once a pod that just became ready counts as available.
    fn look_again(&self, owner: &Key) {
        let seconds = self.owners.get(owner).map(|owner| owner.min_ready_seconds()).unwrap_or_default();
        if let Ok(seconds @ 1..) = u64::try_from(seconds) {
            self.queue.add_after(owner.clone(), Duration::from_secs(seconds + 1));
        }
    }
}
