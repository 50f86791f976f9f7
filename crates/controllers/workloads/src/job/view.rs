//! What is seen of a Job and its pods, and what it amounts to before anything is done.
//!
//! **Invariants:** a pod is counted once: while it has the tracking finalizer, and was not counted
//! before by its uid or its index.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use mainstay_control::meta::{annotation, is_terminating, uid};

use super::backoff::{Failures, finished};
use super::failure_policy::{Meaning, meaning};
use super::indexes::Indexes;
use super::pod::{FAILURES, IGNORED_FAILURES, INDEX};
use crate::pods;

/// The finalizer a pod keeps until its Job has counted it.
pub const FINALIZER: &str = "batch.kubernetes.io/job-tracking";

/// What a turn of work on a Job looks at.
#[derive(Debug)]
pub struct View<'a> {
    /// The Job.
    pub job: &'a Job,
    /// What it asks for.
    pub spec: &'a JobSpec,
    /// Its status as it was read.
    pub status: JobStatus,
    /// Its pods, ended ones among them.
    pub pods: Vec<Arc<Pod>>,
    /// Those that neither ended nor are to be deleted.
    pub active: Vec<Arc<Pod>>,
    /// The uids of pods whose finalizer was taken off, which the cache does not show yet.
    pub released: BTreeSet<String>,
    /// Whether all that was asked for was seen.
    pub is_settled: bool,
    /// The failures known before.
    pub failures: Failures,
    /// The time.
    pub now: Timestamp,
}

/// What it amounts to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Active pods that are ready.
    pub ready: i32,
    /// Pods that are to be deleted and have not ended.
    pub terminating: i32,
    /// All that succeeded: pods, or indexes.
    pub succeeded: i32,
    /// All pods that failed and count.
    pub failed: i32,
    /// The failures since the last success.
    pub failures: Failures,
    /// The indexes that had succeeded before.
    pub counted: Indexes,
    /// The indexes that have by now.
    pub succeeded_indexes: Indexes,
    /// The indexes that have failed, where each may fail for itself.
    pub failed_indexes: Option<Indexes>,
    /// By index, the failed pod that stays until another takes its place and knows how often it failed.
    pub kept: BTreeMap<i32, Arc<Pod>>,
}

impl<'a> View<'a> {
    /// The view of a Job that has a spec, at its first turn.
    pub fn new(job: &'a Job, spec: &'a JobSpec, pods: Vec<Arc<Pod>>, now: Timestamp) -> Self {
        let mut status = job.status.clone().unwrap_or_default();
        status.uncounted_terminated_pods.get_or_insert_default();
        let active = pods.iter().filter(|pod| pods::is_active(pod)).cloned().collect();
        Self {
            job,
            spec,
            status,
            pods,
            active,
            released: BTreeSet::new(),
            is_settled: true,
            failures: Failures::default(),
            now,
        }
    }

    /// Whether its pods have indexes.
    pub fn is_indexed(&self) -> bool {
        self.spec.completion_mode.as_deref() == Some("Indexed")
    }

    /// Whether it is to have no pods for now.
    pub fn is_suspended(&self) -> bool {
        self.spec.suspend == Some(true)
    }

    /// How many indexes there are.
    pub fn completions(&self) -> i32 {
        self.spec.completions.unwrap_or_default()
    }

    /// Whether a pod is replaced only once it has ended.
    pub fn replaces_ended_only(&self) -> bool {
        self.spec.pod_replacement_policy.as_deref() == Some("Failed")
            || self.spec.pod_failure_policy.is_some()
    }

    /// The pod's index, if it is one of this Job's.
    pub fn index(&self, pod: &Pod) -> Option<i32> {
        index(pod).filter(|index| *index < self.completions())
    }

    /// Whether the pod failed; one that is to be deleted may never get that far.
    pub fn has_failed(&self, pod: &Pod) -> bool {
        match pods::phase(pod) {
            "Failed" => true,
            "Succeeded" => false,
            _ => !self.replaces_ended_only() && is_terminating(&pod.metadata),
        }
    }

    /// What the failure of the pod means.
    pub fn meaning(&self, pod: &Pod) -> Meaning {
        meaning(self.spec.pod_failure_policy.as_ref(), pod)
    }

    /// Whether the pod is still to be counted or let go.
    pub fn is_tracked(&self, pod: &Pod) -> bool {
        has_finalizer(pod) && !self.released.contains(uid(&pod.metadata))
    }

    /// Adds it all up.
    pub fn tally(&self) -> Tally {
        let uncounted = self.status.uncounted_terminated_pods.clone().unwrap_or_default();
        let (done, lost) = (uncounted.succeeded.unwrap_or_default(), uncounted.failed.unwrap_or_default());
        let is_new = |pod: &&Pod, known: &[String]| {
            self.is_tracked(pod)
                && !known.iter().any(|known| known == uid(&pod.metadata))
                && (!self.is_indexed() || self.index(pod).is_some())
        };
        let pods = || self.pods.iter().map(AsRef::as_ref);
        let succeeded: Vec<&Pod> =
            pods().filter(|pod| is_new(pod, &done) && pods::phase(pod) == "Succeeded").collect();
        let failed: Vec<&Pod> = pods().filter(|pod| is_new(pod, &lost) && self.has_failed(pod)).collect();
        let counting = failed.iter().filter(|pod| self.meaning(pod).counts()).count();
        let mut tally = Tally {
            ready: number(self.active.iter().filter(|pod| pods::is_ready(pod)).count()),
            terminating: number(pods().filter(|pod| is_leaving(pod)).count()),
            succeeded: self.status.succeeded.unwrap_or_default() + number(succeeded.len() + done.len()),
            failed: self.status.failed.unwrap_or_default() + number(counting + lost.len()),
            failures: self.failures.after(&succeeded, &failed),
            ..Tally::default()
        };
        if self.is_indexed() {
            self.tally_indexes(&mut tally);
        }
        tally
    }

    fn tally_indexes(&self, tally: &mut Tally) {
        let read =
            |text: &Option<String>| Indexes::parse(text.as_deref().unwrap_or_default(), self.completions());
        let of = |accept: &dyn Fn(&Pod) -> bool| -> BTreeSet<i32> {
            let pods = self.pods.iter().filter(|pod| has_finalizer(pod) && accept(pod));
            pods.filter_map(|pod| self.index(pod)).collect()
        };
        tally.counted = read(&self.status.completed_indexes);
        tally.succeeded_indexes = tally.counted.with(&of(&|pod| pods::phase(pod) == "Succeeded"));
        tally.succeeded = tally.succeeded_indexes.total();
        if let Some(limit) = self.spec.backoff_limit_per_index {
            let failed = of(&|pod| self.has_failed_index(pod, limit));
            let failed = read(&self.status.failed_indexes).with(&failed);
            tally.kept = self.kept(&tally.succeeded_indexes, &failed);
            tally.failed_indexes = Some(failed);
        }
    }

    /// Whether the pod's failure is one too many for its index.
    pub(super) fn has_failed_index(&self, pod: &Pod, limit: i32) -> bool {
        self.has_failed(pod)
            && match self.meaning(pod) {
                Meaning::FailsIndex => true,
                meaning => meaning.counts() && failures(pod) >= limit,
            }
    }

    fn kept(&self, succeeded: &Indexes, failed: &Indexes) -> BTreeMap<i32, Arc<Pod>> {
        let active: BTreeSet<i32> = self.active.iter().filter_map(|pod| index(pod)).collect();
        let mut kept: BTreeMap<i32, Arc<Pod>> = BTreeMap::new();
        for pod in self.pods.iter().filter(|pod| self.is_tracked(pod) && self.has_failed(pod)) {
            let Some(index) = self.index(pod) else { continue };
            if succeeded.has(index) || failed.has(index) || active.contains(&index) {
                continue;
            }
            let is_later = kept.get(&index).is_none_or(|last| {
                all_failures(last) <= all_failures(pod) && finished(pod) >= finished(last)
            });
            if is_later {
                kept.insert(index, pod.clone());
            }
        }
        kept
    }
}

/// Whether its Job has still to count it.
pub fn has_finalizer(pod: &Pod) -> bool {
    pod.metadata.finalizers.iter().flatten().any(|own| own == FINALIZER)
}

/// Whether it is to be deleted and has not ended.
pub fn is_leaving(pod: &Pod) -> bool {
    is_terminating(&pod.metadata) && !pods::is_ended(pod)
}

/// The completion index a pod says it has.
pub fn index(pod: &Pod) -> Option<i32> {
    annotation(&pod.metadata, INDEX)?.parse().ok().filter(|index| *index >= 0)
}

/// How often pods of its index failed before it, and counted.
pub fn failures(pod: &Pod) -> i32 {
    count(pod, FAILURES)
}

/// How often they failed, counted or not.
pub fn all_failures(pod: &Pod) -> i32 {
    count(pod, FAILURES).saturating_add(count(pod, IGNORED_FAILURES))
}

/// A number that an annotation has; what is none is 0.
pub(super) fn count(pod: &Pod, key: &str) -> i32 {
    annotation(&pod.metadata, key)
        .and_then(|text| text.parse().ok())
        .filter(|count| *count >= 0)
        .unwrap_or_default()
}

pub(super) fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
