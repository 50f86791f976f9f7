//! The statuses of a pod's containers.

use k8s_openapi::api::core::v1::{
    Container, ContainerState as ApiState, ContainerStateRunning, ContainerStateTerminated,
    ContainerStateWaiting, ContainerStatus, Pod,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mainstay_base::{Random, Seed};

use crate::plate::hex;
use crate::runtime::{ContainerState, Image, PodState, Which, canonical};

/// The container's spec.
pub(super) fn spec(pod: &Pod, which: Which) -> Option<&Container> {
    let spec = pod.spec.as_ref()?;
    match which {
        Which::Init(index) => spec.init_containers.as_ref()?.get(index),
        Which::Main(index) => spec.containers.get(index),
    }
}

/// Whether an init container keeps running beside the others.
pub(super) fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// The statuses of the init containers and of the containers.
pub(super) fn statuses(pod: &Pod, state: &PodState) -> (Vec<ContainerStatus>, Vec<ContainerStatus>) {
    let waits_for_init = !is_initialized(pod, state);
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let one = |which: Which, state: &ContainerState| {
        spec(pod, which).map(|container| status(container, uid, state, waits_for_init))
    };
    let init = state.init.iter().enumerate().filter_map(|(index, state)| one(Which::Init(index), state));
    let main = state.main.iter().enumerate().filter_map(|(index, state)| one(Which::Main(index), state));
    (init.collect(), main.collect())
}

/// Whether every init container has done what it must before the containers start.
pub(super) fn is_initialized(pod: &Pod, state: &PodState) -> bool {
    incomplete(pod, state).next().is_none()
}

/// The init containers that have not.
pub(super) fn incomplete<'a>(pod: &'a Pod, state: &'a PodState) -> impl Iterator<Item = &'a str> {
    state.init.iter().enumerate().filter_map(|(index, state)| {
        let container = spec(pod, Which::Init(index))?;
        let is_done = if is_sidecar(container) {
            state.started.is_some()
        } else {
            matches!(state.exited, Some((_, 0)))
        };
        (!is_done).then_some(container.name.as_str())
    })
}

fn status(container: &Container, uid: &str, state: &ContainerState, waits_for_init: bool) -> ContainerStatus {
    let name = container.image.as_deref().unwrap_or_default();
    let id = state.started.map(|_| container_id(uid, &container.name));
    let image = Image::of(name);
    let requests = container.resources.as_ref().and_then(|resources| resources.requests.clone());
    let is_started = state.ready.is_some() || container.startup_probe.is_none();
    ContainerStatus {
        allocated_resources: state.started.and(requests),
        container_id: id.clone(),
        image: if state.started.is_some() { canonical(name) } else { name.to_owned() },
        image_id: if state.started.is_some() { image.id(name) } else { String::new() },
        last_state: Some(ApiState::default()),
        name: container.name.clone(),
        ready: state.ready.is_some() && state.is_running(),
        resources: state.started.and_then(|_| container.resources.clone()),
        restart_count: 0,
        started: Some(state.is_running() && is_started),
        state: Some(api_state(state, id, waits_for_init)),
        ..ContainerStatus::default()
    }
}

fn api_state(state: &ContainerState, id: Option<String>, waits_for_init: bool) -> ApiState {
    match (state.started, state.exited) {
        (started, Some((at, code))) => ApiState {
            terminated: Some(ContainerStateTerminated {
                container_id: id,
                exit_code: code,
                finished_at: Some(Time(at)),
                reason: Some(if code == 0 { "Completed" } else { "Error" }.to_owned()),
                started_at: started.map(Time),
                ..ContainerStateTerminated::default()
            }),
            ..ApiState::default()
        },
        (Some(started), None) => ApiState {
            running: Some(ContainerStateRunning { started_at: Some(Time(started)) }),
            ..ApiState::default()
        },
        (None, None) => {
            let reason = if waits_for_init { "PodInitializing" } else { "ContainerCreating" };
            let waiting = ContainerStateWaiting { reason: Some(reason.to_owned()), message: None };
            ApiState { waiting: Some(waiting), ..ApiState::default() }
        }
    }
}

fn container_id(uid: &str, name: &str) -> String {
    format!("simulated://{}", hex(&mut Random::named(Seed(0), &format!("{uid}/{name}")), 64))
}
