//! A Deployment's status: counts, availability, and whether its rollout moves.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, DeploymentStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::set::Set;
use super::size::Size;

/// Whether enough pods are available.
pub(crate) const AVAILABLE: &str = "Available";
/// Whether the rollout moves, or has arrived.
pub(crate) const PROGRESSING: &str = "Progressing";
/// Whether a set cannot create or delete its pods.
pub(crate) const REPLICA_FAILURE: &str = "ReplicaFailure";

/// The rollout has arrived.
pub(crate) const NEW_SET_AVAILABLE: &str = "NewReplicaSetAvailable";
/// The rollout has not moved for as long as it may.
pub(crate) const TIMED_OUT: &str = "ProgressDeadlineExceeded";
/// The Deployment is paused.
pub(crate) const PAUSED: &str = "DeploymentPaused";

/// A condition that holds from now on.
pub(crate) fn condition(
    type_: &str,
    status: &str,
    reason: &str,
    message: impl Into<String>,
    now: Timestamp,
) -> DeploymentCondition {
    DeploymentCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.into()),
        last_update_time: Some(Time(now)),
        last_transition_time: Some(Time(now)),
    }
}

/// The condition of a type.
pub(crate) fn find<'a>(status: &'a DeploymentStatus, type_: &str) -> Option<&'a DeploymentCondition> {
    status.conditions.iter().flatten().find(|condition| condition.type_ == type_)
}

/// Takes the condition of a type away.
pub(crate) fn remove(status: &mut DeploymentStatus, type_: &str) {
    let mut conditions = status.conditions.take().unwrap_or_default();
    conditions.retain(|condition| condition.type_ != type_);
    status.conditions = Some(conditions).filter(|conditions| !conditions.is_empty());
}

/// Sets a condition; one with the same status and reason stays as it is.
pub(crate) fn set(status: &mut DeploymentStatus, mut condition: DeploymentCondition) {
    if let Some(current) = find(status, &condition.type_) {
        if current.status == condition.status && current.reason == condition.reason {
            return;
        }
        if current.status == condition.status {
            condition.last_transition_time.clone_from(&current.last_transition_time);
        }
    }
    remove(status, &condition.type_);
    status.conditions.get_or_insert_default().push(condition);
}

/// The deadline by which a rollout must move, where there is one.
pub(crate) fn deadline(deployment: &Deployment) -> Option<Duration> {
    let seconds = deployment.spec.as_ref()?.progress_deadline_seconds?;
    (seconds != i32::MAX).then(|| Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

/// The counts and the availability, with the conditions `status` has.
pub(crate) fn counted(
    deployment: &Deployment,
    status: &DeploymentStatus,
    sets: &[&Set],
    new: Option<&Set>,
    now: Timestamp,
) -> DeploymentStatus {
    let size = Size::of(deployment);
    let sum = |count: fn(&Set) -> i32| sets.iter().map(|set| count(set)).sum::<i32>();
    let available = sum(Set::available);
    let unavailable = (sum(|set| set.replicas) - available).max(0);
    let some = |count: i32| Some(count).filter(|count| *count != 0);
    let mut status = DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas: some(sum(Set::actual)),
        updated_replicas: some(new.map_or(0, Set::actual)),
        ready_replicas: some(sum(Set::ready)),
        available_replicas: some(available),
        unavailable_replicas: some(unavailable),
        ..status.clone()
    };
    let is_available = available >= size.fewest_available();
    let condition = if is_available {
        let message = "Deployment has minimum availability.";
        condition(AVAILABLE, "True", "MinimumReplicasAvailable", message, now)
    } else {
        let message = "Deployment does not have minimum availability.";
        condition(AVAILABLE, "False", "MinimumReplicasUnavailable", message, now)
    };
    set(&mut status, condition);
    status
}

/// Whether all pods are of the current template and available.
pub(crate) fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let replicas = Size::of(deployment).replicas;
    let is_all = |count: Option<i32>| count.unwrap_or_default() == replicas;
    is_all(status.updated_replicas)
        && is_all(status.replicas)
        && is_all(status.available_replicas)
        && status.observed_generation >= deployment.metadata.generation
}

/// Judges the rollout: arrived, moving, or stuck. `before` is the status it moved from.
pub(crate) fn judge(
    deployment: &Deployment,
    before: &DeploymentStatus,
    status: &mut DeploymentStatus,
    new: Option<&Set>,
    now: Timestamp,
) {
    let Some(deadline) = deadline(deployment) else { return remove(status, PROGRESSING) };
    let current = find(before, PROGRESSING).cloned();
    let has_arrived =
        current.as_ref().is_some_and(|current| current.reason.as_deref() == Some(NEW_SET_AVAILABLE));
    if status.replicas == status.updated_replicas && has_arrived {
        return;
    }
    let subject = match new {
        Some(set) => format!("ReplicaSet \"{}\"", set.name()),
        None => format!("Deployment \"{}\"", deployment.metadata.name.as_deref().unwrap_or_default()),
    };
    if is_complete(deployment, status) {
        let message = format!("{subject} has successfully progressed.");
        set(status, condition(PROGRESSING, "True", NEW_SET_AVAILABLE, message, now));
    } else if has_moved(before, status) {
        let message = format!("{subject} is progressing.");
        let mut moved = condition(PROGRESSING, "True", "ReplicaSetUpdated", message, now);
        // With the same reason as before, its update time must move all the same.
        if let Some(current) = current.filter(|current| current.status == "True") {
            moved.last_transition_time = current.last_transition_time;
        }
        remove(status, PROGRESSING);
        status.conditions.get_or_insert_default().push(moved);
    } else if is_late(status, deadline, now) {
        let message = format!("{subject} has timed out progressing.");
        set(status, condition(PROGRESSING, "False", TIMED_OUT, message, now));
    }
}

pub(super) fn has_moved(before: &DeploymentStatus, after: &DeploymentStatus) -> bool {
    let old = |status: &DeploymentStatus| {
        status.replicas.unwrap_or_default() - status.updated_replicas.unwrap_or_default()
    };
    let grew = |count: fn(&DeploymentStatus) -> Option<i32>| {
        count(after).unwrap_or_default() > count(before).unwrap_or_default()
    };
    grew(|status| status.updated_replicas)
        || old(after) < old(before)
        || grew(|status| status.ready_replicas)
        || grew(|status| status.available_replicas)
}

pub(super) fn is_late(status: &DeploymentStatus, deadline: Duration, now: Timestamp) -> bool {
    let Some(current) = find(status, PROGRESSING) else { return false };
    match current.reason.as_deref() {
        Some(NEW_SET_AVAILABLE) => false,
        Some(TIMED_OUT) => true,
        _ => current.last_update_time.as_ref().is_some_and(|since| since.0 + deadline < now),
    }
}

/// How long until the rollout is to be judged again, though nothing changes.
pub(crate) fn judge_again(
    deployment: &Deployment,
    status: &DeploymentStatus,
    now: Timestamp,
) -> Option<Duration> {
    let deadline = deadline(deployment)?;
    let current = find(status, PROGRESSING)?;
    if is_complete(deployment, status) || current.reason.as_deref() == Some(TIMED_OUT) {
        return None;
    }
    let at = current.last_update_time.as_ref()?.0 + deadline;
    // A second more, so that the deadline has passed by then.
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default() + Duration::from_secs(1))
}
