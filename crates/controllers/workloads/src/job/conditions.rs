//! A Job's conditions.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{JobCondition, JobStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// It is to fail, once its pods are gone.
pub(super) const FAILURE_TARGET: &str = "FailureTarget";
/// It is to succeed, once its pods are gone.
pub(super) const SUCCESS_CRITERIA_MET: &str = "SuccessCriteriaMet";
/// It has no pods because it is suspended.
pub(super) const SUSPENDED: &str = "Suspended";

/// A condition that holds from now on.
pub(super) fn condition(type_: &str, reason: &str, message: &str, now: Timestamp) -> JobCondition {
    JobCondition {
        type_: type_.to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_probe_time: Some(Time(now)),
        last_transition_time: Some(Time(now)),
    }
}

/// The condition of a type that holds.
pub(super) fn holding<'a>(status: &'a JobStatus, type_: &str) -> Option<&'a JobCondition> {
    crate::jobs::condition(status, type_).filter(|condition| condition.status == "True")
}

/// The condition that follows from another, for the same reason.
pub(super) fn following(condition: &JobCondition, type_: &str, now: Timestamp) -> JobCondition {
    let time = Some(Time(now));
    JobCondition {
        type_: type_.to_owned(),
        last_probe_time: time.clone(),
        last_transition_time: time,
        ..condition.clone()
    }
}

/// Sets a condition; says whether that changes anything. One that does not hold and never did is left
/// out.
pub(super) fn ensure(status: &mut JobStatus, condition: JobCondition) -> bool {
    let conditions = status.conditions.get_or_insert_default();
    let told = |condition: &JobCondition| {
        (condition.status.clone(), condition.reason.clone(), condition.message.clone())
    };
    let changes = match conditions.iter_mut().find(|own| own.type_ == condition.type_) {
        Some(own) if told(own) == told(&condition) => false,
        Some(own) => {
            *own = condition;
            true
        }
        None if condition.status == "False" => false,
        None => {
            conditions.push(condition);
            true
        }
    };
    status.conditions.take_if(|conditions| conditions.is_empty());
    changes
}
