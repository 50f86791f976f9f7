//! Which Jobs a change of a Job or a pod concerns.
//!
//! Pods change often: what concerns a Job through them waits a second, so that one turn serves many.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::core::SelectorExt;
use mainstay_control::informer::Subscription;
use mainstay_control::meta::{controller_of, is_terminating, uid};
use mainstay_control::{Change, Key};

use super::orphans::Orphans;
use super::plan::BATCH;
use super::view::has_finalizer;
use super::{Controller, selector};
use crate::jobs;

/// Keeps `controller` told of changes, for as long as the result is held.
pub(super) fn subscribe(controller: &Arc<Controller>) -> (Subscription<Job>, Subscription<Pod>) {
    let (jobs, pods) = (controller.informers.jobs.clone(), controller.informers.pods.clone());
    let told = controller.clone();
    let of_jobs = jobs.subscribe(move |change| told.job_changed(change));
    let told = controller.clone();
    let of_pods = pods.subscribe(move |change| told.pod_changed(change));
    (of_jobs, of_pods)
}

impl Controller {
    fn job_changed(&self, change: &Change<Job>) {
        let (key, job) = (Key::of(change.latest().as_ref()), change.latest());
        let another = change.before().filter(|old| old.metadata.uid != job.metadata.uid);
        if let Some(old) = another.or_else(|| change.before().filter(|_| change.now().is_none())) {
            self.expectations.forget(&key);
            self.memory.forget(&key);
            self.orphans.add(Orphans::Of(uid(&old.metadata).into()));
        }
        if change.now().is_some() && jobs::ended(job).is_some() {
            self.memory.forget(&key);
            self.orphans.add(Orphans::Of(uid(&job.metadata).into()));
        } else if another.is_none()
            && change.before().is_some_and(|old| old.metadata.generation == job.metadata.generation)
        {
            self.queue.add_after(key, BATCH);
        } else {
            self.queue.add(key);
        }
    }

    fn pod_changed(&self, change: &Change<Pod>) {
        match change {
            Change::Deleted { old } => self.pod_gone(old, true),
            Change::Applied { old: Some(old), new } if old.metadata.uid != new.metadata.uid => {
                self.pod_gone(old, true);
                self.pod_new(new);
            }
            Change::Applied { old: Some(old), new } => self.pod_updated(old, new),
            Change::Applied { old: None, new } => self.pod_new(new),
        }
    }

    fn pod_new(&self, pod: &Pod) {
        if is_terminating(&pod.metadata) {
            return self.pod_gone(pod, false);
        }
        if controller_of(&pod.metadata).is_none() {
            return self.orphan_changed(pod, true);
        }
        if let Some(job) = self.owner(pod) {
            let key = Key::of(job.as_ref());
            self.expectations.created(&key, 1);
            self.queue.add_after(key, BATCH);
        }
    }

    fn pod_updated(&self, old: &Pod, new: &Pod) {
        if is_terminating(&new.metadata) {
            return self.pod_gone(new, false);
        }
        let owner_uid = |pod: &Pod| controller_of(&pod.metadata).map(|owner| owner.uid.clone());
        let has_new_owner = owner_uid(old) != owner_uid(new);
        let before = if has_new_owner { self.owner(old) } else { None };
        for job in before.into_iter().chain(self.owner(new)) {
            let key = Key::of(job.as_ref());
            if !has_finalizer(new) {
                self.memory.saw_released(&key, uid(&new.metadata));
            }
            self.queue.add_after(key, BATCH);
        }
        if controller_of(&new.metadata).is_none() {
            self.orphan_changed(new, has_new_owner || old.metadata.labels != new.metadata.labels);
        }
    }

    /// A pod is gone, or to be deleted and not waited for.
    fn pod_gone(&self, pod: &Pod, is_final: bool) {
        let job = self.owner(pod).filter(|job| jobs::ended(job).is_none());
        let Some(job) = job else {
            if has_finalizer(pod) && !is_final {
                self.orphans.add(Orphans::Pod(Key::of(pod)));
            }
            return;
        };
        let key = Key::of(job.as_ref());
        self.expectations.deleted(&key, &Key::of(pod));
        if is_final || !has_finalizer(pod) {
            self.memory.saw_released(&key, uid(&pod.metadata));
        }
        self.queue.add_after(key, BATCH);
    }

    /// An orphan is let go; any Job that selects it may take it over.
    fn orphan_changed(&self, pod: &Pod, is_news: bool) {
        if has_finalizer(pod) {
            self.orphans.add(Orphans::Pod(Key::of(pod)));
        }
        if !is_news {
            return;
        }
        let labels = pod.metadata.labels.clone().unwrap_or_default();
        for job in self.informers.jobs.within(pod.metadata.namespace.as_deref().unwrap_or_default()) {
            if selector(&job).is_some_and(|selector| !selector.selects_all() && selector.matches(&labels)) {
                self.queue.add_after(Key::of(job.as_ref()), BATCH);
            }
        }
    }

    /// The Job that owns the pod, if it is the one of that uid.
    pub(super) fn owner(&self, pod: &Pod) -> Option<Arc<Job>> {
        let reference = controller_of(&pod.metadata).filter(|owner| owner.kind == "Job")?;
        let job = self.informers.jobs.get(&Key::new(pod.metadata.namespace.as_deref()?, &reference.name))?;
        (uid(&job.metadata) == reference.uid).then_some(job)
    }
}
