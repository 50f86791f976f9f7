//! The Jobs a CronJob makes, and those of them it keeps.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mainstay_control::meta::controller_reference;
use mainstay_resource::cron;

use super::plan;
use crate::jobs;

/// The annotation with the time a Job was due.
pub const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// The Job due `at`.
pub fn job(cron: &CronJob, at: Timestamp) -> Job {
    let spec = cron.spec.as_ref();
    let template = spec.map(|spec| spec.job_template.clone()).unwrap_or_default();
    let given = template.metadata.unwrap_or_default();
    let zone = spec.and_then(|spec| spec.time_zone.as_deref()).and_then(|zone| cron::zone(zone).ok());
    let mut annotations = given.annotations.unwrap_or_default();
    annotations.insert(SCHEDULED.to_owned(), local(at, zone.unwrap_or(TimeZone::UTC)));
    Job {
        metadata: ObjectMeta {
            name: Some(plan::name(cron, at)),
            namespace: cron.metadata.namespace.clone(),
            labels: given.labels,
            annotations: Some(annotations),
            owner_references: Some(vec![controller_reference(cron)]),
            ..ObjectMeta::default()
        },
        spec: template.spec,
        status: None,
    }
}

/// A time of a zone, as RFC 3339 has it.
fn local(at: Timestamp, zone: TimeZone) -> String {
    if zone == TimeZone::UTC {
        at.to_string()
    } else {
        at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

/// The reference to a Job of this metadata.
pub fn reference(meta: ObjectMeta) -> ObjectReference {
    ObjectReference {
        api_version: Some("batch/v1".to_owned()),
        kind: Some("Job".to_owned()),
        name: meta.name,
        namespace: meta.namespace,
        uid: meta.uid,
        resource_version: meta.resource_version,
        field_path: None,
    }
}

/// The Jobs beyond what the histories keep, the oldest first.
pub fn surplus(cron: &CronJob, jobs: &[Arc<Job>]) -> Vec<Arc<Job>> {
    let Some(spec) = cron.spec.as_ref() else { return Vec::new() };
    let limits = [
        (jobs::COMPLETE, spec.successful_jobs_history_limit),
        (jobs::FAILED, spec.failed_jobs_history_limit),
    ];
    let beyond = |(type_, limit): (&str, Option<i32>)| {
        let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { return Vec::new() };
        let is_such = |job: &&Arc<Job>| jobs::ended(job).is_some_and(|ended| ended.type_ == type_);
        let mut ended: Vec<_> = jobs.iter().filter(is_such).cloned().collect();
        sort_by_start(&mut ended);
        ended.truncate(ended.len().saturating_sub(limit));
        ended
    };
    limits.into_iter().flat_map(beyond).collect()
}

/// Those that started first first; those that did not, last.
pub(super) fn sort_by_start(jobs: &mut [Arc<Job>]) {
    jobs.sort_by_key(|job| {
        let start = job.status.as_ref().and_then(|status| status.start_time.as_ref()).map(|time| time.0);
        (start.is_none(), start, job.metadata.name.clone())
    });
}
