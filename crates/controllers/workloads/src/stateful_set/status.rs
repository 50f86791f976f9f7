//! The status of a StatefulSet.

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetStatus};
use k8s_openapi::api::core::v1::Pod;
use mainstay_control::meta::is_terminating;

use super::identity;
use super::plan::View;
use crate::follow::PodOwner as _;
use crate::history::revision_label;
use crate::pods;

/// How many pods there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub replicas: i32,
    /// Running and ready.
    pub ready: i32,
    /// Ready for long enough.
    pub available: i32,
    /// Of the current revision.
    pub current: i32,
    /// Of the set's template.
    pub updated: i32,
}

/// Counts the set's pods.
pub(super) fn counts(view: &View<'_>) -> Counts {
    let mut counts = Counts::default();
    for pod in view.pods.iter().filter(|pod| identity::ordinal(pod).is_some()) {
        counts.replicas += 1;
        if is_running_and_ready(pod) {
            counts.ready += 1;
            counts.available += i32::from(pods::is_available(pod, view.set.min_ready_seconds(), view.now));
        }
        if !is_terminating(&pod.metadata) {
            let revision = revision_label(&pod.metadata);
            counts.current += i32::from(revision == view.current.name);
            counts.updated += i32::from(revision == view.update.name);
        }
    }
    counts
}

/// The status with these numbers; a rolling update ends when all pods are of the set's template.
pub(super) fn status(
    set: &StatefulSet,
    counts: Counts,
    (current, update): (&str, &str),
    collisions: i32,
) -> StatefulSetStatus {
    let wanted = identity::replicas(set);
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()?.type_.as_deref());
    let is_complete = strategy == Some("RollingUpdate")
        && (counts.updated, counts.ready, counts.replicas) == (wanted, wanted, wanted);
    let (current, current_replicas) =
        if is_complete { (update, counts.updated) } else { (current, counts.current) };
    StatefulSetStatus {
        observed_generation: set.metadata.generation,
        replicas: counts.replicas,
        ready_replicas: some(counts.ready),
        available_replicas: Some(counts.available),
        current_replicas: some(current_replicas),
        updated_replicas: some(counts.updated),
        current_revision: Some(current.to_owned()),
        update_revision: Some(update.to_owned()),
        collision_count: Some(collisions),
        conditions: set.status.as_ref().and_then(|status| status.conditions.clone()),
    }
}

/// Whether a pod runs and is ready.
pub(super) fn is_running_and_ready(pod: &Pod) -> bool {
    pods::phase(pod) == "Running" && pods::is_ready(pod)
}

/// Whether it does, and stays.
pub(super) fn is_healthy(pod: &Pod) -> bool {
    is_running_and_ready(pod) && !is_terminating(&pod.metadata)
}

/// Upstream leaves a zero out.
fn some(count: i32) -> Option<i32> {
    Some(count).filter(|count| *count != 0)
}
