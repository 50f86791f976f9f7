//! What a CronJob needs: which of its Jobs ended, whether one is due, what stands against it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{CronJob, CronJobStatus, Job};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mainstay_control::meta::{is_terminating, uid};
use mainstay_resource::cron;

use super::due::{self, Missed};
use super::schedule;
use crate::jobs;
use crate::told::Told;

/// What to do about a CronJob.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Its status, before anything is started.
    pub status: CronJobStatus,
    /// What to tell, in order.
    pub told: Vec<Told>,
    /// The Job to start.
    pub start: Option<Start>,
    /// When to look again; never, unless it changes, when there is none.
    pub next: Option<Duration>,
}

/// A Job to start.
#[derive(Clone, Debug)]
pub struct Start {
    /// The time it was due.
    pub at: Timestamp,
    /// Jobs to delete before.
    pub replaces: Vec<ObjectReference>,
}

/// What came of creating a Job.
#[derive(Clone, Debug)]
pub enum Creation {
    /// It is there now.
    Created(ObjectReference),
    /// It was there before, made by this CronJob.
    Made(ObjectReference),
    /// A Job of that name is somebody else's.
    Foreign,
}

/// Whether the status names a Job as active.
pub fn is_active(status: &CronJobStatus, job: &str) -> bool {
    status.active.iter().flatten().any(|active| active.uid.as_deref() == Some(job))
}

/// Takes a Job off the active ones.
pub fn end(status: &mut CronJobStatus, job: &str) {
    let mut active = status.active.take().unwrap_or_default();
    active.retain(|active| active.uid.as_deref() != Some(job));
    status.active = Some(active).filter(|active| !active.is_empty());
}

/// What to do about `cron`, whose Jobs are `jobs`; `is_gone` says whether an active one that is not
/// among them is gone from the server too.
pub fn plan(
    cron: &CronJob,
    jobs: &[&Job],
    is_gone: impl Fn(&ObjectReference) -> bool,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan { status: cron.status.clone().unwrap_or_default(), ..Plan::default() };
    for job in jobs {
        plan.look_at(job);
    }
    let is_known =
        |active: &ObjectReference| jobs.iter().any(|job| active.uid.as_deref() == Some(uid(&job.metadata)));
    for active in plan.status.active.clone().into_iter().flatten() {
        if !is_known(&active) && is_gone(&active) {
            let name = active.name.as_deref().unwrap_or_default();
            plan.normal("MissingJob", format!("Active job went missing: {name}"));
            end(&mut plan.status, active.uid.as_deref().unwrap_or_default());
        }
    }
    if !is_terminating(&cron.metadata) {
        plan.judge(cron, now);
    }
    plan
}

impl Plan {
    fn normal(&mut self, reason: &'static str, message: String) {
        self.told.push(Told::normal(reason, message));
    }

    fn warning(&mut self, reason: &'static str, message: String) {
        self.told.push(Told::warning(reason, message));
    }

    /// Notes what became of a Job.
    fn look_at(&mut self, job: &Job) {
        let name = job.metadata.name.as_deref().unwrap_or_default();
        let was_active = is_active(&self.status, uid(&job.metadata));
        let Some(ended) = jobs::ended(job) else {
            if !was_active {
                let message = format!("Saw a job that the controller did not create or forgot: {name}");
                self.warning("UnexpectedJob", message);
            }
            return;
        };
        if was_active {
            end(&mut self.status, uid(&job.metadata));
            let message = format!("Saw completed job: {name}, condition: {}", ended.type_);
            self.normal("SawCompletedJob", message);
        }
        let completed = job.status.as_ref().and_then(|status| status.completion_time.as_ref());
        if jobs::is_complete(job) {
            let last = &mut self.status.last_successful_time;
            if let Some(completed) = completed.filter(|time| last.as_ref().is_none_or(|last| time.0 > last.0))
            {
                *last = Some(completed.clone());
            }
        }
    }

    /// Whether a Job is due now, and when to look again.
    fn judge(&mut self, cron: &CronJob, now: Timestamp) {
        let Some(spec) = cron.spec.as_ref() else { return };
        if let Some(zone) = spec.time_zone.as_deref()
            && let Err(unknown) = cron::zone(zone)
        {
            let message = format!("invalid timeZone: {zone:?}: {unknown}");
            return self.warning("UnknownTimeZone", message);
        }
        if spec.suspend == Some(true) {
            return;
        }
        let given = &spec.schedule;
        if given.contains("TZ") {
            let message = format!(
                "CRON_TZ or TZ used in schedule {given:?} is not officially supported, see \
                 https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
            );
            self.warning("UnsupportedSchedule", message);
        }
        let schedule = match schedule(cron) {
            Ok(schedule) => schedule,
            Err(error) => {
                let message = format!("unparseable schedule: {given:?} : {error}");
                return self.warning("UnparseableSchedule", message);
            }
        };
        let due = match due::due(cron, now, &schedule, true) {
            Ok(due) => due,
            Err(error) => {
                let message = format!("invalid schedule: {given} : {error}");
                return self.warning("InvalidSchedule", message);
            }
        };
        self.next = due::until_next(cron, now, &schedule);
        let Some(at) = due.at else { return };
        if due.missed == Missed::Many {
            let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            self.warning("TooManyMissedTimes", message.to_owned());
        }
        self.consider(cron, at, now);
    }

    /// Whether the Job due `at` may start.
    fn consider(&mut self, cron: &CronJob, at: Timestamp, now: Timestamp) {
        let Some(spec) = cron.spec.as_ref() else { return };
        if let Some(seconds) = spec.starting_deadline_seconds {
            let latest = at.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
            if latest < now {
                let time = at.strftime("%a, %d %b %Y %H:%M:%S %z");
                let message = format!("Missed scheduled time to start a job: {time}");
                return self.warning("MissSchedule", message);
            }
        }
        let name = name(cron, at);
        let is_last = self.status.last_schedule_time.as_ref().is_some_and(|last| last.0 == at);
        let active = self.status.active.iter().flatten();
        if is_last || active.clone().any(|active| active.name.as_deref() == Some(&name)) {
            return;
        }
        let policy = spec.concurrency_policy.as_deref().unwrap_or("Allow");
        let active: Vec<_> = active.cloned().collect();
        if policy == "Forbid" && !active.is_empty() {
            let message =
                "Not starting job because prior execution is running and concurrency policy is Forbid";
            return self.normal("JobAlreadyActive", message.to_owned());
        }
        let replaces = if policy == "Replace" { active } else { Vec::new() };
        self.start = Some(Start { at, replaces });
    }

    /// Notes what came of starting the Job due `at`.
    pub fn conclude(&mut self, at: Timestamp, creation: Creation) {
        let reference = match creation {
            Creation::Created(reference) => {
                let name = reference.name.as_deref().unwrap_or_default();
                self.normal("SuccessfulCreate", format!("Created job {name}"));
                reference
            }
            Creation::Made(reference)
                if !is_active(&self.status, reference.uid.as_deref().unwrap_or_default()) =>
            {
                reference
            }
            Creation::Made(_) | Creation::Foreign => return,
        };
        self.status.active.get_or_insert_default().push(reference);
        self.status.last_schedule_time = Some(Time(at));
    }
}

/// The name of the Job due `at`: the same whoever makes it, so that it is made once.
pub fn name(cron: &CronJob, at: Timestamp) -> String {
    format!("{}-{}", cron.metadata.name.as_deref().unwrap_or_default(), at.as_second().div_euclid(60))
}
