//! What a ReplicaSet needs: pods to create or to delete, and its status.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ReplicaSetCondition, ReplicaSetStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use mainstay_control::meta::controller_reference;

use super::{Shape, ranking};
use crate::pods;

/// At most this many pods are created or deleted in one turn.
const BURST: usize = 500;

/// What to do about the number of pods.
#[derive(Debug)]
pub(crate) enum Plan {
    /// There are as many as there should be.
    Nothing,
    /// Create so many.
    Create(usize),
    /// Delete these.
    Delete(Vec<Arc<Pod>>),
}

/// Compares the active `pods` of a set with its size; `related` are those of all sets of its owner.
pub(crate) fn plan<S: Shape>(
    set: &S,
    pods: &[Arc<Pod>],
    related: impl FnOnce() -> Vec<Arc<Pod>>,
    now: Timestamp,
) -> Plan {
    let wanted = usize::try_from(set.replicas()).unwrap_or_default();
    let missing = wanted.saturating_sub(pods.len()).min(BURST);
    let surplus = pods.len().saturating_sub(wanted).min(BURST);
    match (missing, surplus) {
        (0, 0) => Plan::Nothing,
        (0, surplus) => Plan::Delete(ranking::to_delete(pods.to_vec(), &related(), surplus, now)),
        (missing, _) => Plan::Create(missing),
    }
}

/// A pod from the set's template, without a name.
pub(crate) fn pod<S: Shape>(set: &S) -> Pod {
    let template = set.template().cloned().unwrap_or_default();
    let given = template.metadata.unwrap_or_default();
    let prefix = format!("{}-", set.meta().name.as_deref().unwrap_or_default());
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(prefix),
            namespace: set.meta().namespace.clone(),
            labels: given.labels,
            annotations: given.annotations,
            finalizers: given.finalizers,
            owner_references: Some(vec![controller_reference(set)]),
            ..ObjectMeta::default()
        },
        spec: template.spec,
        status: None,
    }
}

/// Why creating or deleting failed, for the status.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// `FailedCreate` or `FailedDelete`.
    pub(crate) reason: &'static str,
    /// The error.
    pub(crate) message: String,
}

/// The status of a set with these active pods.
pub(crate) fn status<S: Shape>(
    set: &S,
    pods: &[Arc<Pod>],
    failure: Option<&Failure>,
    now: Timestamp,
) -> ReplicaSetStatus {
    let old = set.status().map(Cow::into_owned).unwrap_or_default();
    let min_ready_seconds = set.min_ready_seconds();
    let labels = set.template().and_then(|template| template.metadata.as_ref()?.labels.as_ref());
    let has_labels = |pod: &Pod| {
        labels
            .into_iter()
            .flatten()
            .all(|(key, value)| pod.metadata.labels.as_ref().and_then(|own| own.get(key)) == Some(value))
    };
    let count = |accept: &dyn Fn(&Pod) -> bool| number(pods.iter().filter(|pod| accept(pod)).count());
    ReplicaSetStatus {
        replicas: number(pods.len()),
        fully_labeled_replicas: some(count(&has_labels)),
        ready_replicas: some(count(&|pod| pods::is_ready(pod))),
        available_replicas: some(count(&|pod| pods::is_available(pod, min_ready_seconds, now))),
        observed_generation: set.meta().generation,
        conditions: conditions(old.conditions, failure, now),
        ..old
    }
}

/// How long until the next ready pod counts as available.
pub(crate) fn next_available<S: Shape>(set: &S, pods: &[Arc<Pod>], now: Timestamp) -> Option<Duration> {
    let min_ready_seconds = set.min_ready_seconds();
    let next = pods
        .iter()
        .filter_map(|pod| pods::available_at(pod, min_ready_seconds))
        .filter(|at| *at > now)
        .min()?;
    Duration::try_from(next.duration_since(now)).ok()
}

fn conditions(
    old: Option<Vec<ReplicaSetCondition>>,
    failure: Option<&Failure>,
    now: Timestamp,
) -> Option<Vec<ReplicaSetCondition>> {
    let mut conditions = old.unwrap_or_default();
    let known = conditions.iter().position(|condition| condition.type_ == "ReplicaFailure");
    match (failure, known) {
        (None, Some(index)) => {
            conditions.remove(index);
        }
        (Some(failure), None) => conditions.push(ReplicaSetCondition {
            type_: "ReplicaFailure".to_owned(),
            status: "True".to_owned(),
            reason: Some(failure.reason.to_owned()),
            message: Some(failure.message.clone()),
            last_transition_time: Some(Time(now)),
        }),
        _ => {}
    }
    Some(conditions).filter(|conditions| !conditions.is_empty())
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Upstream leaves a zero out.
fn some(count: i32) -> Option<i32> {
    Some(count).filter(|count| *count != 0)
}
