//! What a Job needs: to end, or pods to create or to delete.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::batch::v1::{JobCondition, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mainstay_control::meta::is_terminating;

use super::backoff::{Failures, finished};
use super::conditions::{
    self, FAILURE_TARGET, SUCCESS_CRITERIA_MET, SUSPENDED, condition, following, holding,
};
use super::failure_policy::Meaning;
use super::view::{Tally, View, all_failures, index, is_leaving, number};
use super::{removal, success_policy};
use crate::jobs::FAILED;
use crate::pods;
use crate::told::Told;

/// At most so many pods are created or deleted in one turn.
const BURST: usize = 500;
/// The least time between two turns that nothing but time separates.
pub(super) const BATCH: Duration = Duration::from_secs(1);

/// What to do about its pods.
#[derive(Debug)]
pub enum Work {
    /// Nothing, because not everything was seen or the Job is on its way out.
    None,
    /// Delete all that are active: the Job ends.
    End(Vec<Arc<Pod>>),
    /// Delete these, without counting them.
    Remove(Vec<Arc<Pod>>),
    /// Create one each, for these indexes where it has them.
    Create(Vec<Option<i32>>),
    /// Nothing for so long, because pods failed.
    Wait(Duration),
    /// Nothing: there are as many as there should be.
    Keep,
}

/// What a turn of work is to do.
#[derive(Debug)]
pub struct Plan {
    /// How the Job ends, if it does.
    pub finished: Option<JobCondition>,
    /// What to do about its pods.
    pub work: Work,
    /// When to look again, though nothing changes.
    pub again: Option<Duration>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Pods created.
    pub created: i32,
    /// Pods deleted.
    pub deleted: i32,
    /// Those of them that were ready.
    pub deleted_ready: i32,
}

/// The Job's state after the work on its pods.
#[derive(Debug)]
pub struct After {
    /// Its status.
    pub status: JobStatus,
    /// How it ends, if it does.
    pub finished: Option<JobCondition>,
    /// Pods that are to be deleted and have not ended.
    pub terminating: i32,
    /// Whether the status has changed so that it must be written.
    pub changed: bool,
    /// What to tell.
    pub told: Vec<Told>,
}

/// What to do about the Job; sets when it started.
pub fn plan(view: &mut View<'_>, tally: &Tally) -> Plan {
    if !view.is_suspended() {
        view.status.start_time.get_or_insert(Time(view.now));
    }
    let left = deadline(view);
    let finished = finished_already(view)
        .or_else(|| failed_by_policy(view))
        .or_else(|| failed(view, tally, left))
        .or_else(|| failed_by_index(view, tally))
        .or_else(|| succeeded_by_policy(view, tally));
    let mut again = left.filter(|_| finished.is_none());
    let work = if finished.is_some() {
        Work::End(view.active.clone())
    } else if view.is_settled && !is_terminating(&view.job.metadata) {
        pods(view, tally)
    } else {
        Work::None
    };
    if let Work::Wait(wait) = work {
        again = Some(again.map_or(wait, |again| again.min(wait)));
    }
    Plan { finished, work, again }
}

/// How long until it has run for too long.
fn deadline(view: &View<'_>) -> Option<Duration> {
    let seconds = view.spec.active_deadline_seconds.filter(|_| !view.is_suspended())?;
    let start = view.status.start_time.as_ref()?.0;
    let end = start.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    Some(Duration::try_from(end.duration_since(view.now)).unwrap_or_default())
}

/// What a turn before has decided.
fn finished_already(view: &View<'_>) -> Option<JobCondition> {
    let failed = || Some(following(holding(&view.status, FAILURE_TARGET)?, FAILED, view.now));
    holding(&view.status, SUCCESS_CRITERIA_MET).cloned().or_else(failed)
}

fn failed_by_policy(view: &View<'_>) -> Option<JobCondition> {
    view.spec.pod_failure_policy.as_ref()?;
    let failed = view.pods.iter().filter(|pod| view.has_failed(pod));
    let message = failed.map(|pod| view.meaning(pod)).find_map(|meaning| match meaning {
        Meaning::FailsJob(message) => Some(message),
        _ => None,
    })?;
    Some(condition(FAILURE_TARGET, "PodFailurePolicy", &message, view.now))
}

fn failed(view: &View<'_>, tally: &Tally, left: Option<Duration>) -> Option<JobCondition> {
    let limit = view.spec.backoff_limit.unwrap_or(6);
    let fails = |reason, message| Some(condition(FAILURE_TARGET, reason, message, view.now));
    if tally.failed > limit || restarted_too_often(view, limit) {
        fails("BackoffLimitExceeded", "Job has reached the specified backoff limit")
    } else if left.is_some_and(|left| left.is_zero()) {
        fails("DeadlineExceeded", "Job was active longer than specified deadline")
    } else {
        None
    }
}

/// Whether containers that are restarted in place were so as often as pods may fail.
fn restarted_too_often(view: &View<'_>, limit: i32) -> bool {
    let policy = view.spec.template.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
    if policy != Some("OnFailure") {
        return false;
    }
    let is_running = |pod: &&Arc<Pod>| matches!(pods::phase(pod), "Running" | "Pending");
    let statuses = view.pods.iter().filter(is_running).filter_map(|pod| pod.status.as_ref());
    let containers = statuses
        .flat_map(|status| status.init_container_statuses.iter().chain(&status.container_statuses).flatten());
    let restarts: i32 = containers.map(|container| container.restart_count).sum();
    if limit == 0 { restarts > 0 } else { restarts >= limit }
}

fn failed_by_index(view: &View<'_>, tally: &Tally) -> Option<JobCondition> {
    let failed = tally.failed_indexes.as_ref()?.total();
    let fails = |reason, message| Some(condition(FAILURE_TARGET, reason, message, view.now));
    if view.spec.max_failed_indexes.is_some_and(|most| failed > most) {
        fails("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
    } else if failed > 0 && failed + tally.succeeded_indexes.total() >= view.completions() {
        fails("FailedIndexes", "Job has failed indexes")
    } else {
        None
    }
}

fn succeeded_by_policy(view: &View<'_>, tally: &Tally) -> Option<JobCondition> {
    let policy = view.spec.success_policy.as_ref().filter(|_| view.is_indexed());
    let message = success_policy::met(policy, view.completions(), &tally.succeeded_indexes)?;
    Some(condition(SUCCESS_CRITERIA_MET, "SuccessPolicy", &message, view.now))
}

/// What to do about the number of pods.
fn pods(view: &View<'_>, tally: &Tally) -> Work {
    let active = view.active.len();
    if view.is_suspended() {
        return Work::Remove(removal::surplus(view, active));
    }
    let parallelism = view.spec.parallelism.unwrap_or(1);
    let wanted = match view.spec.completions {
        None if tally.succeeded > 0 => number(active),
        None => parallelism,
        Some(completions) => (completions - tally.succeeded).min(parallelism).max(0),
    };
    let mut surplus =
        removal::surplus(view, active.saturating_sub(usize::try_from(wanted).unwrap_or_default()));
    surplus.truncate(BURST);
    if !surplus.is_empty() {
        return Work::Remove(surplus);
    }
    let leaving = if view.replaces_ended_only() { tally.terminating } else { 0 };
    match usize::try_from(wanted - leaving - number(active)) {
        Ok(missing @ 1..) => create(view, tally, missing.min(BURST)),
        _ => Work::Keep,
    }
}

fn create(view: &View<'_>, tally: &Tally, missing: usize) -> Work {
    if view.spec.backoff_limit_per_index.is_none() {
        let wait = tally.failures.remaining(view.now);
        if !wait.is_zero() {
            return Work::Wait(wait.max(BATCH));
        }
    }
    if !view.is_indexed() {
        return Work::Create(vec![None; missing]);
    }
    let (ready, wait) = ready_indexes(view, tally, pending_indexes(view, tally, missing));
    match wait {
        Some(wait) => Work::Wait(wait.max(BATCH)),
        None => Work::Create(ready.into_iter().map(Some).collect()),
    }
}

/// The first indexes that no pod has and that have not ended.
pub(super) fn pending_indexes(view: &View<'_>, tally: &Tally, count: usize) -> Vec<i32> {
    let waits = view.replaces_ended_only();
    let held = view.pods.iter().filter(|pod| pods::is_active(pod) || waits && is_leaving(pod));
    let taken = tally.succeeded_indexes.with(&held.filter_map(|pod| index(pod)).collect());
    let taken = match &tally.failed_indexes {
        Some(failed) => taken.merge(failed),
        None => taken,
    };
    taken.first_missing(count, view.completions())
}

/// Those of the indexes whose failures are long enough ago; when there is none, how long until there is.
pub(super) fn ready_indexes(
    view: &View<'_>,
    tally: &Tally,
    indexes: Vec<i32>,
) -> (Vec<i32>, Option<Duration>) {
    let wait = |index: &i32| tally.kept.get(index).map_or(Duration::ZERO, |pod| remaining(pod, view.now));
    let shortest = indexes.iter().map(wait).filter(|wait| !wait.is_zero()).min();
    let ready: Vec<i32> = indexes.into_iter().filter(|index| wait(index).is_zero()).collect();
    let wait = shortest.filter(|_| ready.is_empty());
    (ready, wait)
}

/// How long the index of a failed pod still waits for the next one.
pub(super) fn remaining(failed: &Pod, now: jiff::Timestamp) -> Duration {
    let count = u32::try_from(all_failures(failed)).unwrap_or_default().saturating_add(1);
    Failures { count, last: Some(finished(failed)) }.remaining(now)
}

/// The Job's state once `plan` was carried out as `done` says.
pub fn conclude(view: &View<'_>, tally: &Tally, plan: &Plan, done: Done) -> After {
    let active = number(view.active.len()) + done.created - done.deleted;
    let mut after = After {
        status: view.status.clone(),
        finished: plan.finished.clone(),
        terminating: tally.terminating + done.deleted,
        changed: false,
        told: Vec::new(),
    };
    match &plan.work {
        // Something may still have its finalizer, or not be in the cache.
        Work::End(pods) if done.deleted < number(pods.len()) || !view.is_settled => after.finished = None,
        Work::End(_) => {}
        _ if is_complete(view, tally, active) => {
            let message = "Reached expected number of succeeded pods";
            after.finished = Some(condition(SUCCESS_CRITERIA_MET, "CompletionsReached", message, view.now));
        }
        Work::None => {}
        _ => suspend_or_resume(view, &mut after),
    }
    let counts = (some(active), Some(tally.ready - done.deleted_ready), Some(after.terminating));
    let status = &mut after.status;
    let before = (some(status.active.unwrap_or_default()), status.ready, status.terminating);
    after.changed |= counts != before;
    (status.active, status.ready, status.terminating) = counts;
    after
}

fn is_complete(view: &View<'_>, tally: &Tally, active: i32) -> bool {
    let is_enough = view.spec.completions.map_or(tally.succeeded > 0, |wanted| tally.succeeded >= wanted);
    is_enough && active == 0
}

fn suspend_or_resume(view: &View<'_>, after: &mut After) {
    if view.is_suspended() {
        let suspended = condition(SUSPENDED, "JobSuspended", "Job suspended", view.now);
        if conditions::ensure(&mut after.status, suspended) {
            after.changed = true;
            after.told.push(Told::normal("Suspended", "Job suspended"));
        }
        return;
    }
    let resumed = condition(SUSPENDED, "JobResumed", "Job resumed", view.now);
    if conditions::ensure(&mut after.status, JobCondition { status: "False".to_owned(), ..resumed }) {
        after.changed = true;
        after.told.push(Told::normal("Resumed", "Job resumed"));
        after.status.start_time = Some(Time(view.now));
    }
}

pub(super) fn some(count: i32) -> Option<i32> {
    Some(count).filter(|count| *count != 0)
}
