//! Which sets a change of a set or a pod concerns.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::core::SelectorExt;
use mainstay_control::informer::Subscription;
use mainstay_control::meta::{controller_of, is_terminating, uid};
use mainstay_control::{Change, Key};

use super::{Controller, Shape};

/// Pods come up in crowds: what they become is counted together.
const SETTLING: Duration = Duration::from_millis(50);

/// Keeps `controller` told of changes, for as long as the result is held.
pub(super) fn subscribe<S: Shape>(controller: &Arc<Controller<S>>) -> (Subscription<S>, Subscription<Pod>) {
    let (sets, pods) = (controller.sets.clone(), controller.informers.pods.clone());
    let told = controller.clone();
    let of_sets = sets.subscribe(move |change| told.set_changed(change));
    let told = controller.clone();
    let of_pods = pods.subscribe(move |change| told.pod_changed(change));
    (of_sets, of_pods)
}

impl<S: Shape> Controller<S> {
    fn set_changed(&self, change: &Change<S>) {
        let key = Key::of(change.latest().as_ref());
        let is_another = change.before().is_some_and(|old| old.meta().uid != change.latest().meta().uid);
        if change.now().is_none() || is_another {
            self.expectations.forget(&key);
        }
        self.queue.add(key);
    }

    fn pod_changed(&self, change: &Change<Pod>) {
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
        if is_terminating(&pod.metadata) {
            return self.pod_gone(pod);
        }
        match self.owner(pod) {
            Some(owner) => {
                self.expectations.created(&owner, 1);
                self.queue.add_after(owner, SETTLING);
            }
            None => self.orphan_changed(pod),
        }
    }

    fn pod_updated(&self, old: &Pod, new: &Pod) {
        if is_terminating(&new.metadata) {
            return self.pod_gone(new);
        }
        let owner_uid = |pod: &Pod| controller_of(&pod.metadata).map(|owner| owner.uid.clone());
        let has_new_owner = owner_uid(old) != owner_uid(new);
        if has_new_owner && let Some(before) = self.owner(old) {
            self.queue.add(before);
        }
        match self.owner(new) {
            Some(owner) => {
                let min_ready_seconds = self.min_ready_seconds(&owner);
                if min_ready_seconds > 0 && !crate::pods::is_ready(old) && crate::pods::is_ready(new) {
                    self.look_again(owner.clone(), min_ready_seconds);
                }
                if has_new_owner || crate::pods::is_ended(new) {
                    self.queue.add(owner);
                } else if counts_otherwise(old, new) {
                    self.queue.add_after(owner, SETTLING);
                }
            }
            None if has_new_owner || old.metadata.labels != new.metadata.labels => self.orphan_changed(new),
            None => {}
        }
    }

    /// A pod with a deletion timestamp counts as gone: waiting for its grace would hold the set up.
    fn pod_gone(&self, pod: &Pod) {
        if let Some(owner) = self.owner(pod) {
            self.expectations.deleted(&owner, &Key::of(pod));
            self.queue.add(owner);
        }
    }

    /// Any set that selects an orphan may take it over.
    fn orphan_changed(&self, pod: &Pod) {
        if controller_of(&pod.metadata).is_some() {
            return;
        }
        let labels = pod.metadata.labels.clone().unwrap_or_default();
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        for set in self.sets.within(namespace) {
            if set.selector().is_some_and(|selector| !selector.selects_all() && selector.matches(&labels)) {
                self.queue.add(Key::of(set.as_ref()));
            }
        }
    }

    /// The set that owns the pod, if it is the one of that uid.
    fn owner(&self, pod: &Pod) -> Option<Key> {
        let reference = controller_of(&pod.metadata).filter(|owner| owner.kind == S::kind(&()))?;
        let key = Key::new(pod.metadata.namespace.as_deref()?, &reference.name);
        let set = self.sets.get(&key)?;
        (uid(set.meta()) == reference.uid).then_some(key)
    }

    fn min_ready_seconds(&self, key: &Key) -> i32 {
        self.sets.get(key).map_or(0, |set| set.min_ready_seconds())
    }
}

/// Whether a set says something else of its pods after this.
fn counts_otherwise(old: &Pod, new: &Pod) -> bool {
    let counted =
        |pod: &Pod| (crate::pods::is_ended(pod), crate::pods::is_ready(pod), crate::pods::ready_since(pod));
    old.metadata.labels != new.metadata.labels || counted(old) != counted(new)
}
