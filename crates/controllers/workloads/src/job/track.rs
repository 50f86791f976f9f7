//! Counting pods that ended: first their uids go into the status, then their finalizers are taken off,
//! then they count.
//!
//! **Invariants:** no pod is lost from the counts, and none counts twice, wherever the work breaks off.
//!
//! **Spec:** upstream's `trackJobStatusAndRemoveFinalizers`.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::batch::v1::{JobStatus, UncountedTerminatedPods};
use k8s_openapi::api::core::v1::Pod;
use mainstay_control::meta::{is_terminating, uid};

use super::conditions::{FAILURE_TARGET, SUCCESS_CRITERIA_MET, ensure, following, holding};
use super::plan::{After, some};
use super::view::{Tally, View, number};
use crate::jobs::{COMPLETE, FAILED};
use crate::pods;
use crate::told::Told;

/// At most so many pods are on their way into the counts at a time, so that a status stays small.
const MOST: usize = 500;

/// What is under way.
#[derive(Debug, Default)]
pub struct Tracking {
    /// The pods to take the finalizer off.
    pub release: Vec<Arc<Pod>>,
    /// The uids of pods that have it.
    held: BTreeSet<String>,
    /// Whether there are more.
    is_full: bool,
}

/// Brings the pods that ended into the status; `after` says whether it must be written before their
/// finalizers are taken off.
pub fn begin(view: &View<'_>, tally: &Tally, after: &mut After) -> Tracking {
    let mut tracking = Tracking::default();
    let tracked = || view.pods.iter().filter(|pod| view.is_tracked(pod));
    tracking.held = tracked().map(|pod| uid(&pod.metadata).to_owned()).collect();
    after.changed |= count(&mut after.status, &tracking.held);
    let known = view.status.uncounted_terminated_pods.clone().unwrap_or_default();
    let mut uncounted = after.status.uncounted_terminated_pods.take().unwrap_or_default();
    let mut succeeded_indexes = BTreeSet::new();
    let mut pods: Vec<_> = tracked().cloned().collect();
    if view.is_indexed() {
        pods.sort_by_key(|pod| super::view::index(pod));
    }
    for pod in pods {
        if !may_release(view, tally, after, &pod) {
            continue;
        }
        match outcome(view, &known, after, &pod) {
            Outcome::Succeeded if view.is_indexed() => {
                let index = view.index(&pod).filter(|index| !tally.counted.has(*index));
                after.changed |= index.is_some();
                succeeded_indexes.extend(index);
            }
            Outcome::Succeeded => note(&mut uncounted.succeeded, &pod, &mut after.changed),
            Outcome::Failed => note(&mut uncounted.failed, &pod, &mut after.changed),
            Outcome::None => {}
        }
        tracking.release.push(pod);
        let listed = uncounted.succeeded.iter().chain(&uncounted.failed).flatten().count();
        if succeeded_indexes.len() + listed >= MOST {
            tracking.is_full = true;
            break;
        }
    }
    after.status.uncounted_terminated_pods = Some(uncounted);
    if view.is_indexed() {
        indexes(tally, &succeeded_indexes, after);
    }
    announce(view, after);
    tracking
}

fn note(list: &mut Option<Vec<String>>, pod: &Pod, changed: &mut bool) {
    list.get_or_insert_default().push(uid(&pod.metadata).to_owned());
    *changed = true;
}

/// What a pod counts as, that does not yet.
enum Outcome {
    Succeeded,
    Failed,
    None,
}

fn outcome(view: &View<'_>, known: &UncountedTerminatedPods, after: &After, pod: &Pod) -> Outcome {
    let is_in = |list: &Option<Vec<String>>| list.iter().flatten().any(|known| known == uid(&pod.metadata));
    if is_in(&known.failed) {
        return Outcome::None;
    }
    if pods::phase(pod) == "Succeeded" {
        return if is_in(&known.succeeded) { Outcome::None } else { Outcome::Succeeded };
    }
    // Once the Job has failed, so has every pod that did not end.
    let fails = after.finished.as_ref().is_some_and(|finished| finished.type_ != SUCCESS_CRITERIA_MET);
    let has_place = !view.is_indexed() || view.index(pod).is_some();
    let counts = (view.has_failed(pod) || fails) && has_place && view.meaning(pod).counts();
    if counts { Outcome::Failed } else { Outcome::None }
}

/// Whether the pod's finalizer may be taken off: it has ended, or the Job has.
fn may_release(view: &View<'_>, tally: &Tally, after: &After, pod: &Pod) -> bool {
    if is_terminating(&view.job.metadata) || after.finished.is_some() || pods::phase(pod) == "Succeeded" {
        return true;
    }
    let is_kept = || {
        let kept = super::view::index(pod).and_then(|index| tally.kept.get(&index));
        kept.is_some_and(|kept| kept.metadata.uid == pod.metadata.uid)
    };
    view.has_failed(pod) && !is_kept()
}

fn indexes(tally: &Tally, new: &BTreeSet<i32>, after: &mut After) {
    let succeeded = tally.succeeded_indexes.with(new);
    let text = Some(succeeded.to_string()).filter(|text| !text.is_empty());
    let failed = tally.failed_indexes.as_ref().map(ToString::to_string);
    let status = &mut after.status;
    after.changed |= text != status.completed_indexes || failed != status.failed_indexes;
    status.succeeded = some(succeeded.total());
    status.completed_indexes = text;
    status.failed_indexes = failed;
}

/// Says how the Job is to end, before it does.
fn announce(view: &View<'_>, after: &mut After) {
    let Some(finished) = after.finished.clone() else { return };
    let end = match finished.type_.as_str() {
        FAILURE_TARGET => FAILED,
        SUCCESS_CRITERIA_MET => COMPLETE,
        _ => return,
    };
    after.finished = Some(following(&finished, end, view.now));
    if holding(&after.status, &finished.type_).is_none() {
        after.status.conditions.get_or_insert_default().push(finished);
        after.changed = true;
    }
}

/// Counts those listed that have no finalizer any more; says whether there were any.
fn count(status: &mut JobStatus, held: &BTreeSet<String>) -> bool {
    let uncounted = status.uncounted_terminated_pods.get_or_insert_default();
    let changed = settle(&mut uncounted.succeeded, &mut status.succeeded, held);
    settle(&mut uncounted.failed, &mut status.failed, held) || changed
}

fn settle(list: &mut Option<Vec<String>>, total: &mut Option<i32>, held: &BTreeSet<String>) -> bool {
    let before = list.iter().flatten().count();
    if let Some(list) = list {
        list.retain(|uid| held.contains(uid));
    }
    list.take_if(|list| list.is_empty());
    let settled = before - list.iter().flatten().count();
    *total = some(total.unwrap_or_default() + number(settled));
    settled > 0
}

/// Counts the pods whose finalizers are gone; says whether the status changes.
pub fn released(tracking: &mut Tracking, status: &mut JobStatus, gone: &[&Pod]) -> bool {
    for pod in gone {
        tracking.held.remove(uid(&pod.metadata));
    }
    count(status, &tracking.held)
}

/// Ends the Job if all is counted and nothing runs any more; says whether it does.
pub fn end(tracking: &Tracking, after: &mut After) -> bool {
    let Some(finished) = after.finished.clone() else { return false };
    let uncounted = after.status.uncounted_terminated_pods.clone().unwrap_or_default();
    let is_counted = uncounted.succeeded.iter().chain(&uncounted.failed).flatten().next().is_none();
    if tracking.is_full || !is_counted || after.terminating > 0 {
        return false;
    }
    if finished.type_ == COMPLETE {
        after.status.completion_time.clone_from(&finished.last_transition_time);
    }
    ensure(&mut after.status, finished);
    true
}

/// What to tell of a Job that ended.
pub fn told(view: &View<'_>, after: &After) -> Vec<Told> {
    let Some(finished) = &after.finished else { return Vec::new() };
    if finished.type_ != COMPLETE {
        let message = finished.message.clone().unwrap_or_default();
        return vec![Told::warning(reason(finished.reason.as_deref()), message)];
    }
    let mut told = vec![Told::normal("Completed", "Job completed")];
    let succeeded = after.status.succeeded.unwrap_or_default();
    if view.spec.completions.is_some_and(|completions| succeeded > completions) {
        let message = "Too many succeeded pods running after completion count reached";
        told.insert(0, Told::warning("TooManySucceededPods", message));
    }
    told
}

/// The reason of a failure, as a word of this program.
fn reason(given: Option<&str>) -> &'static str {
    const REASONS: [&str; 6] = [
        "BackoffLimitExceeded",
        "DeadlineExceeded",
        "MaxFailedIndexesExceeded",
        "FailedIndexes",
        "PodFailurePolicy",
        "Failed",
    ];
    REASONS.iter().find(|reason| given == Some(reason)).copied().unwrap_or("Failed")
}
