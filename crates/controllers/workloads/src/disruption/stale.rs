//! Announcements of disruptions that did not come.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mainstay_control::meta::is_terminating;
use serde_json::{Value, json};

use crate::pods;

/// How long a pod that is not being deleted may announce its disruption.
const TIMEOUT: SignedDuration = SignedDuration::from_mins(2);

/// How long until the pod's announcement is stale; `None` for a pod that has none, or none that can
/// become so: its node takes its time, and one that has ended needs no correction.
pub(super) fn due(pod: &Pod, now: Timestamp) -> Option<Duration> {
    let announced = pods::condition(pod, "DisruptionTarget").filter(|own| own.status == "True")?;
    let is_kept = is_terminating(&pod.metadata)
        || announced.reason.as_deref() == Some("TerminationByKubelet")
        || pods::is_ended(pod);
    if is_kept {
        return None;
    }
    let since = announced.last_transition_time.as_ref().map_or(Timestamp::MIN, |time| time.0);
    let until = since.checked_add(TIMEOUT).unwrap_or(Timestamp::MIN);
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// The strategic patch of a status that takes the announcement back.
pub(super) fn withdrawal(now: Timestamp) -> Value {
    let condition = json!({
        "type": "DisruptionTarget", "status": "False", "reason": null, "message": null,
        "lastProbeTime": null, "lastTransitionTime": Time(now),
    });
    json!({"status": {"conditions": [condition]}})
}
