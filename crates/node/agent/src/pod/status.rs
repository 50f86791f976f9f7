//! The status of a pod, from what its containers have come to.
//!
//! SPEC: kubelet's `generateAPIPodStatus` and `getPhase`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{HostIP, Pod, PodIP, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Run, conditions, containers};
use crate::runtime::{ContainerState, PodState};

impl Run {
    /// The status of the pod `now`; `is_gone` says that it is being deleted and nothing runs.
    pub(super) fn status(&self, pod: &Pod, is_gone: bool, now: Timestamp) -> PodStatus {
        let (init, main) = containers::statuses(pod, &self.state);
        let phase = phase(pod, &self.state, is_gone);
        let known = self.written.as_ref().or(pod.status.as_ref());
        let has_address = self.is_host_network || self.state.sandbox.is_some();
        let address = has_address.then(|| self.address.to_string());
        PodStatus {
            conditions: Some(conditions::conditions(pod, &self.state, (&init, &main), phase, known, now)),
            container_statuses: Some(main),
            init_container_statuses: (!init.is_empty()).then_some(init),
            host_ip: Some(self.host.to_string()),
            host_ips: Some(vec![HostIP { ip: self.host.to_string() }]),
            phase: Some(phase.to_owned()),
            pod_ips: address.clone().map(|ip| vec![PodIP { ip }]),
            pod_ip: address,
            start_time: Some(Time(self.seen)),
            ..PodStatus::default()
        }
    }
}

/// The phase.
fn phase(pod: &Pod, state: &PodState, is_gone: bool) -> &'static str {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    let failed = |container: &ContainerState| matches!(container.exited, Some((_, code)) if code != 0);
    let exited = state.main.iter().filter(|container| container.exited.is_some()).count();
    if is_gone || exited == state.main.len() && policy != "Always" && exited > 0 {
        let is_failure = state.main.iter().any(failed);
        return match (is_failure, policy) {
            (false, _) => "Succeeded",
            (true, "OnFailure") if !is_gone => "Running",
            (true, _) => "Failed",
        };
    }
    if policy == "Never" && state.init.iter().any(failed) {
        return "Failed";
    }
    let is_waiting = |container: &ContainerState| container.started.is_none();
    let is_pending = !containers::is_initialized(pod, state) || state.main.iter().any(is_waiting);
    if is_pending { "Pending" } else { "Running" }
}

/// Whether two statuses say the same, as far as the agent says it. What others write (`qosClass`,
/// conditions of theirs) does not count; times count by the second, as they are written.
pub(super) fn says_the_same(known: &PodStatus, new: &PodStatus) -> bool {
    let known_conditions = known.conditions.as_deref().unwrap_or_default();
    let conditions = new.conditions.iter().flatten().all(|condition| {
        let same = known_conditions.iter().find(|known| known.type_ == condition.type_);
        same.is_some_and(|same| {
            same.status == condition.status
                && same.reason == condition.reason
                && same.message == condition.message
        })
    });
    conditions
        && known.phase == new.phase
        && known.pod_ip == new.pod_ip
        && known.start_time.is_some()
        && texts(known.container_statuses.as_ref()) == texts(new.container_statuses.as_ref())
        && texts(known.init_container_statuses.as_ref()) == texts(new.init_container_statuses.as_ref())
}

/// Statuses as they are written: comparing what was read with what would be written needs the same
/// precision of times.
fn texts<T: serde::Serialize>(statuses: Option<&Vec<T>>) -> Vec<serde_json::Value> {
    statuses.into_iter().flatten().filter_map(|status| serde_json::to_value(status).ok()).collect()
}
