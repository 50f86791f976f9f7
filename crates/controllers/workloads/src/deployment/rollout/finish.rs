//! The end of a step: history that goes, the status, and what is to be written.

use k8s_openapi::api::apps::v1::{DeploymentStatus, ReplicaSet};
use mainstay_control::meta::{annotation, is_terminating};
use serde_json::Value;

use super::{Plan, Step, Update, View};
use crate::deployment::revision::{self, REVISION};
use crate::deployment::set::Set;
use crate::deployment::status;

impl Step<'_> {
    pub(super) fn clear_history_when_complete(&mut self) {
        let status = self.counted();
        if status::is_complete(self.view.deployment, &status) {
            self.clear_history();
        }
    }

    pub(super) fn clear_history(&mut self) {
        let limit = self.view.deployment.spec.as_ref().and_then(|spec| spec.revision_history_limit);
        let limit = limit.filter(|limit| *limit != i32::MAX);
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

    pub(super) fn counted(&self) -> DeploymentStatus {
        let sets: Vec<&Set> = self.old.iter().chain(&self.new).collect();
        status::counted(self.view.deployment, &self.status, &sets, self.new.as_ref(), self.view.now)
    }

    pub(super) fn finish(self, is_rollout: bool) -> Plan {
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
        Plan { create, update, delete: self.delete, rollback: self.rollback, revision, status: after, next }
    }

    /// A set that cannot make its pods makes its Deployment say so.
    pub(super) fn pass_failure_on(&self, after: &mut DeploymentStatus) {
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
