//! What controllers ask of a Job.

use k8s_openapi::api::batch::v1::{Job, JobCondition, JobStatus};

/// It succeeded.
pub(crate) const COMPLETE: &str = "Complete";
/// It failed.
pub(crate) const FAILED: &str = "Failed";

/// The condition of a type.
pub(crate) fn condition<'a>(status: &'a JobStatus, type_: &str) -> Option<&'a JobCondition> {
    status.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
}

/// The condition that says how it ended, once it has.
pub(crate) fn ended(job: &Job) -> Option<&JobCondition> {
    job.status
        .as_ref()?
        .conditions
        .as_ref()?
        .iter()
        .find(|condition| condition.status == "True" && matches!(condition.type_.as_str(), COMPLETE | FAILED))
}

/// Whether it succeeded.
pub(crate) fn is_complete(job: &Job) -> bool {
    ended(job).is_some_and(|condition| condition.type_ == COMPLETE)
}
