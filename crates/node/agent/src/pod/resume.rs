//! Taking on a pod that an earlier agent ran: the machine did not stop, the agent did.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use mainstay_base::Random;

use super::{Host, Run};
use crate::runtime::{ContainerState, Containers, Course, PodState};

/// The run of a pod whose status says that its containers run; none for any other pod, which
/// starts over.
pub(crate) fn resume(pod: &Pod, host: Host<'_>, random: Random) -> Option<Run> {
    let status = pod.status.as_ref().filter(|status| status.phase.as_deref() == Some("Running"))?;
    let address: Ipv4Addr = status.pod_ip.as_deref()?.parse().ok()?;
    let seen = status.start_time.as_ref()?.0;
    let come_to = |reported: &Option<Vec<ContainerStatus>>| -> Vec<ContainerState> {
        reported.iter().flatten().map(|status| container(status, seen)).collect()
    };
    let state = PodState {
        sandbox: Some(seen),
        init: come_to(&status.init_container_statuses),
        main: come_to(&status.container_statuses),
    };
    let is_host_network = pod.spec.as_ref().and_then(|spec| spec.host_network).unwrap_or(false);
    Some(Run {
        uid: pod.metadata.uid.clone().unwrap_or_default(),
        node: host.node.to_owned(),
        seen,
        address,
        owns_address: !is_host_network,
        is_host_network,
        host: host.address,
        containers: Containers::Simulated(Course::resume(pod, &state, random)),
        state,
        is_stopping: false,
        written: None,
    })
}

fn container(status: &ContainerStatus, seen: Timestamp) -> ContainerState {
    let running = status.state.as_ref().and_then(|state| state.running.as_ref());
    let ended = status.state.as_ref().and_then(|state| state.terminated.as_ref());
    let started = running.and_then(|running| running.started_at.as_ref());
    let started = started.or_else(|| ended.and_then(|ended| ended.started_at.as_ref())).map(|time| time.0);
    let exited = ended.map(|ended| (ended.finished_at.as_ref().map_or(seen, |time| time.0), ended.exit_code));
    ContainerState { started, exited, ready: status.ready.then_some(started.unwrap_or(seen)) }
}
