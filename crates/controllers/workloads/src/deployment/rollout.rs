//! One step of a Deployment: from what is there to what is to be written.
//!
//! **Spec:** upstream's `deployment` controller: `sync`, `rolling`, `recreate`, `progress`.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mainstay_control::Next;
use mainstay_control::meta::{annotation, controller_reference, controller_uid, is_terminating};
use serde_json::Value;

use super::revision::{self, REVISION};
use super::set::Set;
use super::size::{self, Size};
use super::{scaling, status, template};
use crate::pods;

/// What a Deployment's step looks at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The Deployment.
    pub deployment: &'a Deployment,
    /// The sets it owns.
    pub sets: &'a [Arc<ReplicaSet>],
    /// The pods of those sets; only `Recreate` looks at them.
    pub pods: &'a [Arc<Pod>],
    /// The time, in whole seconds.
    pub now: Timestamp,
}

/// What is to be written, in this order.
#[derive(Debug, Default)]
pub struct Plan {
    /// A set to create.
    pub create: Option<Box<ReplicaSet>>,
    /// Sets to change.
    pub update: Vec<Update>,
    /// Sets that are history beyond its limit.
    pub delete: Vec<Arc<ReplicaSet>>,
    /// The revision the Deployment shall say it has.
    pub revision: Option<i64>,
    /// Its status.
    pub status: DeploymentStatus,
    /// When to look again though nothing changes.
    pub next: Option<std::time::Duration>,
}

impl Plan {
    /// What follows when all of it is written.
    pub fn next(&self) -> Next {
        self.next.map_or(Next::Wait, Next::After)
    }
}

/// A change of one set.
#[derive(Debug)]
pub struct Update {
    /// The set as it was.
    pub set: Arc<ReplicaSet>,
    /// The merge patch.
    pub patch: Value,
    /// What to tell of it.
    pub events: Vec<String>,
}

/// Decides one step.
pub fn advance(view: View<'_>) -> Plan {
    let mut step = Step::new(view);
    let deployment = view.deployment;
    if is_terminating(&deployment.metadata) {
        step.find_new(false);
        return step.finish(false);
    }
    step.note_pause();
    let is_paused = deployment.spec.as_ref().is_some_and(|spec| spec.paused == Some(true));
    if is_paused || step.is_resized() {
        step.find_new(false);
        let before = deployment.status.as_ref().and_then(|status| status.replicas).unwrap_or_default();
        scaling::scale_in_proportion(&step.size, step.is_recreate, before, step.new.as_mut(), &mut step.old);
        if is_paused {
            step.clear_history();
        }
        return step.finish(false);
    }
    if step.is_recreate {
        step.recreate();
    } else {
        step.roll();
    }
    step.finish(true)
}

struct Step<'a> {
    view: View<'a>,
    size: Size,
    is_recreate: bool,
    /// The status with the conditions set so far.
    status: DeploymentStatus,
    new: Option<Set>,
    /// Oldest first.
    old: Vec<Set>,
    is_created: bool,
    delete: Vec<Arc<ReplicaSet>>,
    revision: Option<i64>,
}

impl<'a> Step<'a> {
    fn new(view: View<'a>) -> Self {
        let mut old: Vec<Set> = view.sets.iter().cloned().map(Set::new).collect();
        old.sort_by(|a, b| a.age().cmp(&b.age()));
        Self {
            view,
            size: Size::of(view.deployment),
            is_recreate: size::is_recreate(view.deployment),
            status: view.deployment.status.clone().unwrap_or_default(),
            new: None,
            old,
            is_created: false,
            delete: Vec::new(),
            revision: None,
        }
    }

    fn set_progress(&mut self, status: &str, reason: &str, message: impl Into<String>) {
        let condition = status::condition(status::PROGRESSING, status, reason, message, self.view.now);
        status::set(&mut self.status, condition);
    }

    /// A paused Deployment has no deadline to miss.
    fn note_pause(&mut self) {
        let reason = status::find(&self.status, status::PROGRESSING).and_then(|now| now.reason.as_deref());
        let is_noted = reason == Some(status::PAUSED);
        let is_paused = self.view.deployment.spec.as_ref().is_some_and(|spec| spec.paused == Some(true));
        if status::deadline(self.view.deployment).is_none() || reason == Some(status::TIMED_OUT) {
            return;
        }
        match (is_paused, is_noted) {
            (true, false) => self.set_progress("Unknown", status::PAUSED, "Deployment is paused"),
            (false, true) => self.set_progress("Unknown", "DeploymentResumed", "Deployment is resumed"),
            _ => {}
        }
    }

    /// Whether an active set was scaled for another size than the one wanted now.
    fn is_resized(&self) -> bool {
        let mut active = self.old.iter().filter(|set| set.is_active());
        active.any(|set| set.desired().is_some_and(|desired| desired != self.size.replicas))
    }

    /// Finds the set of the current template among all, or makes one.
    fn find_new(&mut self, may_create: bool) {
        let deployment = self.view.deployment;
        let Some(spec) = deployment.spec.as_ref() else { return };
        let is_current = |set: &Set| {
            set.object
                .spec
                .as_ref()
                .and_then(|spec| spec.template.as_ref())
                .is_some_and(|own| template::is_same(own, &spec.template))
        };
        if let Some(index) = self.old.iter().position(is_current) {
            let mut set = self.old.remove(index);
            let revision = self.next_revision();
            revision::bring_up_to_date(&mut set, deployment, revision);
            let seconds = spec.min_ready_seconds.unwrap_or_default();
            let has = set.object.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or_default();
            set.min_ready_seconds = (seconds != has).then_some(seconds);
            self.revision = Some(revision::of(&set));
            let is_judged = status::find(&self.status, status::PROGRESSING).is_some();
            if !is_judged && status::deadline(deployment).is_some() {
                self.set_progress(
                    "True",
                    "FoundNewReplicaSet",
                    format!("Found new replica set \"{}\"", set.name()),
                );
            }
            self.new = Some(set);
        } else if may_create {
            self.create_new();
        }
    }

    fn next_revision(&self) -> i64 {
        self.old.iter().map(revision::of).max().unwrap_or_default() + 1
    }

    fn create_new(&mut self) {
        let deployment = self.view.deployment;
        let revision = self.next_revision();
        let mut object = new_set(deployment);
        let total = self.old.iter().map(|set| set.replicas).sum();
        let replicas = scaling::next_size(&self.size, self.is_recreate, total, 0);
        let mut annotations: std::collections::BTreeMap<String, String> =
            revision::inherited(deployment).map(|(key, value)| (key.clone(), value.clone())).collect();
        annotations.insert(REVISION.to_owned(), revision.to_string());
        annotations.insert(super::set::DESIRED.to_owned(), self.size.replicas.to_string());
        annotations.insert(super::set::MOST.to_owned(), self.size.most().to_string());
        object.metadata.annotations = Some(annotations);
        if let Some(spec) = object.spec.as_mut() {
            spec.replicas = Some(replicas);
        }
        let mut set = Set::new(Arc::new(object));
        if replicas > 0 {
            set.events.push(format!("Scaled up replica set {} from 0 to {replicas}", set.name()));
        }
        if status::deadline(deployment).is_some() {
            let message = format!("Created new replica set \"{}\"", set.name());
            self.set_progress("True", "NewReplicaSetCreated", message);
        }
        self.revision = Some(revision);
        self.is_created = true;
        self.new = Some(set);
    }

    /// Step by step from the old sets to the new one.
    fn roll(&mut self) {
        self.find_new(true);
        let Some(new) = self.new.as_mut() else { return };
        if !scaling::scale_new(&self.size, false, new, &self.old)
            && !scaling::scale_old(&self.size, new, &mut self.old)
        {
            self.clear_history_when_complete();
        }
    }

    /// All of the old sets first, then the new one.
    fn recreate(&mut self) {
        self.find_new(false);
        if scaling::drop_all(&self.size, &mut self.old) || self.has_old_pods() {
            return;
        }
        if self.new.is_none() {
            self.find_new(true);
        }
        let Some(new) = self.new.as_mut() else { return };
        new.scale(self.size.replicas, &self.size);
        self.clear_history_when_complete();
    }

    /// Whether a pod of an old set may still run.
    fn has_old_pods(&self) -> bool {
        let new = self.new.as_ref().map(Set::uid);
        self.old.iter().any(|set| set.actual() > 0)
            || self.view.pods.iter().any(|pod| controller_uid(&pod.metadata) != new && !pods::is_ended(pod))
    }

    fn clear_history_when_complete(&mut self) {
        let status = self.counted();
        if status::is_complete(self.view.deployment, &status) {
            self.clear_history();
        }
    }

    fn clear_history(&mut self) {
        let limit = self.view.deployment.spec.as_ref().and_then(|spec| spec.revision_history_limit);
        let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return };
        let mut cleanable: Vec<&Set> =
            self.old.iter().filter(|set| !is_terminating(&set.object.metadata)).collect();
        let surplus = cleanable.len().saturating_sub(limit);
        cleanable.sort_by(|a, b| revision::of(a).cmp(&revision::of(b)).then_with(|| a.age().cmp(&b.age())));
        let is_settled = |set: &&Set| {
            let observed = set.object.status.as_ref().and_then(|status| status.observed_generation);
            set.actual() == 0 && set.replicas == 0 && observed >= set.object.metadata.generation
        };
        self.delete =
            cleanable.into_iter().take(surplus).filter(is_settled).map(|set| set.object.clone()).collect();
    }

    fn counted(&self) -> DeploymentStatus {
        let sets: Vec<&Set> = self.old.iter().chain(&self.new).collect();
        status::counted(self.view.deployment, &self.status, &sets, self.new.as_ref(), self.view.now)
    }

    fn finish(self, is_rollout: bool) -> Plan {
        let View { deployment, now, .. } = self.view;
        let mut after = self.counted();
        if is_rollout {
            status::judge(deployment, &self.status, &mut after, self.new.as_ref(), now);
            self.pass_failure_on(&mut after);
        }
        let next = is_rollout.then(|| status::judge_again(deployment, &after, now)).flatten();
        let has = annotation(&deployment.metadata, REVISION).and_then(|revision| revision.parse().ok());
        let revision = self.revision.filter(|revision| has != Some(*revision));
        let created = self.is_created.then_some(self.new.as_ref()).flatten();
        let create = created.map(|set| Box::new(ReplicaSet::clone(&set.object)));
        let changed = self.old.into_iter().chain(self.new);
        let update = changed.filter_map(|set| update(set, self.is_created)).collect();
        Plan { create, update, delete: self.delete, revision, status: after, next }
    }

    /// A set that cannot make its pods makes its Deployment say so.
    fn pass_failure_on(&self, after: &mut DeploymentStatus) {
        let sets = self.new.iter().chain(&self.old);
        let mut failures = sets.flat_map(|set| {
            let conditions = set.object.status.iter().flat_map(|status| status.conditions.iter().flatten());
            conditions.filter(|condition| condition.type_ == status::REPLICA_FAILURE)
        });
        match failures.next() {
            Some(failure) => {
                let reason = failure.reason.as_deref().unwrap_or_default();
                let message = failure.message.clone().unwrap_or_default();
                let mut condition = status::condition(
                    status::REPLICA_FAILURE,
                    &failure.status,
                    reason,
                    message,
                    self.view.now,
                );
                condition.last_transition_time.clone_from(&failure.last_transition_time);
                condition.last_update_time.clone_from(&failure.last_transition_time);
                status::set(after, condition);
            }
            None => status::remove(after, status::REPLICA_FAILURE),
        }
    }
}

/// A set's change; of the one just created, what to tell of it alone.
fn update(mut set: Set, is_created: bool) -> Option<Update> {
    let events = std::mem::take(&mut set.events);
    let is_new = is_created && set.object.metadata.uid.is_none();
    let patch = if is_new { Value::Null } else { set.patch()? };
    Some(Update { set: set.object, patch, events })
}

/// A set for the current template, without size.
fn new_set(deployment: &Deployment) -> ReplicaSet {
    let spec = deployment.spec.clone().unwrap_or_default();
    let collisions = deployment.status.as_ref().and_then(|status| status.collision_count);
    let hash = template::hash(&spec.template, collisions);
    let mut template = spec.template;
    let labels = template.metadata.get_or_insert_default().labels.get_or_insert_default();
    labels.insert(template::HASH_LABEL.to_owned(), hash.clone());
    let labels = labels.clone();
    let mut selector = spec.selector;
    selector.match_labels.get_or_insert_default().insert(template::HASH_LABEL.to_owned(), hash.clone());
    ReplicaSet {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", deployment.metadata.name.as_deref().unwrap_or_default())),
            namespace: deployment.metadata.namespace.clone(),
            labels: Some(labels),
            owner_references: Some(vec![controller_reference(deployment)]),
            ..ObjectMeta::default()
        },
        spec: Some(ReplicaSetSpec {
            min_ready_seconds: spec.min_ready_seconds,
            selector,
            template: Some(template),
            ..ReplicaSetSpec::default()
        }),
        status: None,
    }
}
