//! The set of the current template: found among all, or made.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mainstay_control::meta::controller_reference;

use super::Step;
use crate::deployment::revision::{self, REVISION};
use crate::deployment::set::{DESIRED, MOST, Set};
use crate::deployment::{scaling, status, template};

impl Step<'_> {
    /// Finds the set of the current template among all, or makes one.
    pub(super) fn find_new(&mut self, may_create: bool) {
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

    pub(super) fn next_revision(&self) -> i64 {
        self.old.iter().map(revision::of).max().unwrap_or_default() + 1
    }

    pub(super) fn create_new(&mut self) {
        let deployment = self.view.deployment;
        let revision = self.next_revision();
        let mut object = new_set(deployment);
        let total = self.old.iter().map(|set| set.replicas).sum();
        let replicas = scaling::next_size(&self.size, self.is_recreate, total, 0);
        let mut annotations: BTreeMap<String, String> =
            revision::inherited(deployment).map(|(key, value)| (key.clone(), value.clone())).collect();
        annotations.insert(REVISION.to_owned(), revision.to_string());
        annotations.insert(DESIRED.to_owned(), self.size.replicas.to_string());
        annotations.insert(MOST.to_owned(), self.size.most().to_string());
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
