//! The rollback that a Deployment's annotation asks for, as kubectl of old asked.
//!
//! **Spec:** upstream's `rollback`: the annotation is what the removed field `spec.rollbackTo` is
//! kept in; whatever comes of it, it is asked for once.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use mainstay_control::meta::annotation;
use mainstay_control::patch;
use serde_json::{Value, json};

use super::{Notice, Step};
use crate::deployment::revision::{self, ROLLBACK_TO};
use crate::deployment::set::Set;
use crate::deployment::template;

const NOT_FOUND: &str = "DeploymentRollbackRevisionNotFound";
const UNCHANGED: &str = "DeploymentRollbackTemplateUnchanged";
const DONE: &str = "DeploymentRollback";

/// A Deployment's way back: how it is to be changed, and what is told of it then.
#[derive(Debug)]
pub struct Rollback {
    /// The merge patch of the Deployment, guarded by the version it is based on.
    pub patch: Value,
    /// What is told.
    pub notice: Notice,
}

/// The revision that is asked for; 0 is the one before the current one.
pub(super) fn asked_for(deployment: &Deployment) -> Option<i64> {
    annotation(&deployment.metadata, ROLLBACK_TO)?.parse().ok()
}

impl Step<'_> {
    /// How the Deployment goes back to `revision`.
    pub(super) fn roll_back(&self, revision: i64) -> Rollback {
        let sets: Vec<&Set> = self.old.iter().chain(&self.new).collect();
        let revision = if revision == 0 { last(&sets) } else { revision };
        if revision == 0 {
            return self.give_up(Notice::warning(NOT_FOUND, "Unable to find last revision."));
        }
        let Some(set) = sets.into_iter().find(|set| revision::of(set) == revision) else {
            return self.give_up(Notice::warning(NOT_FOUND, "Unable to find the revision to rollback to."));
        };
        let name = self.view.deployment.metadata.name.as_deref().unwrap_or_default();
        let of = |deployment: &Deployment| deployment.spec.as_ref().map(|spec| spec.template.clone());
        let current = of(self.view.deployment).unwrap_or_default();
        let wanted = without_hash(set);
        if template::is_same(&current, &wanted) {
            let message =
                format!("The rollback revision contains the same template as current deployment \"{name}\"");
            return self.give_up(Notice::warning(UNCHANGED, message));
        }
        let mut rollback = self.give_up(Notice::normal(
            DONE,
            format!("Rolled back deployment \"{name}\" to revision {revision}"),
        ));
        let change = patch::difference(Some(&current), &wanted).ok().flatten().unwrap_or_default();
        rollback.patch["spec"] = json!({ "template": change });
        let annotations = &mut rollback.patch["metadata"]["annotations"];
        for (key, value) in self.annotations_of(set) {
            annotations[key] = value;
        }
        rollback
    }

    /// Nothing but the annotation goes.
    fn give_up(&self, notice: Notice) -> Rollback {
        let version = &self.view.deployment.metadata.resource_version;
        let metadata = json!({"resourceVersion": version, "annotations": {ROLLBACK_TO: null}});
        Rollback { patch: json!({ "metadata": metadata }), notice }
    }

    /// The Deployment takes the annotations of the set back, such as its change cause.
    fn annotations_of<'a>(&'a self, set: &'a Set) -> BTreeMap<&'a str, Value> {
        let own = revision::inherited(self.view.deployment);
        let mut changes: BTreeMap<&str, Value> = own.map(|(key, _)| (key.as_str(), Value::Null)).collect();
        let back = set.object.metadata.annotations.iter().flatten();
        changes.extend(
            back.filter(|(key, _)| revision::is_inherited(key)).map(|(key, value)| (&**key, json!(value))),
        );
        changes
    }
}

/// The highest revision but one.
fn last(sets: &[&Set]) -> i64 {
    let (mut highest, mut second) = (0, 0);
    for revision in sets.iter().map(|set| revision::of(set)) {
        if revision >= highest {
            (second, highest) = (highest, revision);
        } else if revision > second {
            second = revision;
        }
    }
    second
}

fn without_hash(set: &Set) -> PodTemplateSpec {
    let spec = set.object.spec.as_ref();
    let mut template = spec.and_then(|spec| spec.template.clone()).unwrap_or_default();
    if let Some(labels) = template.metadata.as_mut().and_then(|meta| meta.labels.as_mut()) {
        labels.remove(template::HASH_LABEL);
    }
    template
}
