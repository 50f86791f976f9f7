//! How a container is shown in its pod's status, without what its spec says anyway.
//!
//! What was said last is kept in this form: it is compared with what is so now, and only where they
//! differ a status is written.
//!
//! SPEC: kubelet's `convertToAPIContainerStatuses`.

use std::borrow::Cow;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState as ApiState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mainstay_base::{Random, Seed};

use super::state::{ContainerState, Ended, PodState, Process, Wait};
use crate::bound::{self, Container, Spec};
use crate::plate::hex;
use crate::runtime::{Image, Which, canonical};

/// How a container is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) state: State,
    pub(super) last: Option<Ended>,
    pub(super) restarts: u32,
    pub(super) is_ready: bool,
    pub(super) is_started: bool,
}

/// The state a container is shown in. Times are whole seconds, as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting(Wait),
    Running(Timestamp),
    Ended(Ended),
}

/// The containers of a pod as they are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ShownPod {
    pub(super) init: Vec<Shown>,
    pub(super) main: Vec<Shown>,
}

impl ShownPod {
    /// The containers as they are.
    pub(super) fn of(spec: &Spec, state: &PodState) -> Self {
        let has_init = !state.init.is_empty();
        let one = |(index, container): (usize, &ContainerState)| {
            let is_init = !spec.is_sidecar(Which::Init(index));
            Shown::of(container, has_init, is_init)
        };
        Self {
            init: state.init.iter().enumerate().map(one).collect(),
            main: state.main.iter().map(|container| Shown::of(container, has_init, false)).collect(),
        }
    }

    /// The containers as a status says; none where it does not name each.
    pub(super) fn said(spec: &Spec, status: &bound::Status) -> Option<Self> {
        let all = |containers: &[Container], said: &[bound::ContainerStatus]| {
            let one = |container: &Container| {
                said.iter().find(|said| said.name == container.name).and_then(Shown::said)
            };
            containers.iter().map(one).collect::<Option<Vec<_>>>()
        };
        Some(Self {
            init: all(&spec.init_containers, &status.init_container_statuses)?,
            main: all(&spec.containers, &status.container_statuses)?,
        })
    }
}

impl Shown {
    fn of(container: &ContainerState, has_init: bool, is_init: bool) -> Self {
        let ContainerState { process, wait, last, restarts, .. } = container;
        let (state, last) = match (process, wait) {
            (Process::Running(running), _) => (State::Running(second(running.since)), last.clone()),
            (Process::Ended(ended), Some(wait)) => (State::Waiting(wait.clone()), Some(ended.clone())),
            (Process::Ended(ended), None) => (State::Ended(ended.in_seconds()), last.clone()),
            (Process::Never, Some(wait)) => (State::Waiting(wait.clone()), last.clone()),
            (Process::Never, None) => {
                let reason = if has_init { "PodInitializing" } else { "ContainerCreating" };
                (State::Waiting(Wait { reason: reason.into(), message: None }), last.clone())
            }
        };
        let is_prepared = is_init && container.ended().is_some_and(|ended| ended.code == 0);
        Self {
            state,
            last: last.map(|ended| ended.in_seconds()),
            restarts: *restarts,
            is_ready: is_prepared || container.running().is_some_and(|running| running.is_ready && !is_init),
            is_started: container.running().is_some_and(|running| running.is_started),
        }
    }

    fn said(said: &bound::ContainerStatus) -> Option<Self> {
        let state = match &said.state {
            bound::State { running: Some(running), .. } => State::Running(running.started_at.as_ref()?.0),
            bound::State { terminated: Some(terminated), .. } => State::Ended(Ended::said(terminated)?),
            bound::State { waiting: Some(waiting), .. } => State::Waiting(Wait {
                reason: waiting.reason.clone().unwrap_or_default().into(),
                message: waiting.message.clone(),
            }),
            _ => return None,
        };
        Some(Self {
            state,
            last: said.last_state.terminated.as_deref().and_then(Ended::said),
            restarts: said.restart_count,
            is_ready: said.ready,
            is_started: said.started,
        })
    }

    /// Whether it waits and has never ended.
    pub(super) fn waits_first(&self) -> bool {
        matches!(self.state, State::Waiting(_)) && self.last.is_none()
    }

    /// Whether it runs.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// What it ended with: in its state, or before the wait it is in.
    pub(super) fn code(&self) -> Option<i32> {
        match &self.state {
            State::Running(_) => None,
            State::Ended(ended) => Some(ended.code),
            State::Waiting(_) => self.last.as_ref().map(|ended| ended.code),
        }
    }

    /// The status as it is written.
    pub(super) fn status(&self, container: &Container, uid: &str) -> ContainerStatus {
        let id = |run: u32| container_id(uid, &container.name, run);
        let is_there = !self.waits_first();
        let ran_before = self.restarts.saturating_sub(u32::from(!matches!(self.state, State::Waiting(_))));
        let state = match &self.state {
            State::Waiting(wait) => ApiState {
                waiting: Some(ContainerStateWaiting {
                    reason: Some(wait.reason.clone().into_owned()),
                    message: wait.message.clone(),
                }),
                ..ApiState::default()
            },
            State::Running(since) => ApiState {
                running: Some(ContainerStateRunning { started_at: Some(Time(*since)) }),
                ..ApiState::default()
            },
            State::Ended(ended) => ended.state(id(self.restarts)),
        };
        let resources = container.resources.as_deref().filter(|_| is_there);
        ContainerStatus {
            allocated_resources: resources.and_then(|resources| resources.requests.clone()),
            container_id: is_there.then(|| id(self.restarts)),
            image: if is_there { canonical(&container.image) } else { container.image.clone() },
            image_id: if is_there { Image::of(&container.image).id(&container.image) } else { String::new() },
            last_state: Some(self.last.as_ref().map(|last| last.state(id(ran_before))).unwrap_or_default()),
            name: container.name.clone(),
            ready: self.is_ready,
            resources: resources.cloned(),
            restart_count: i32::try_from(self.restarts).unwrap_or(i32::MAX),
            started: Some(self.is_started),
            state: Some(state),
            ..ContainerStatus::default()
        }
    }
}

impl Ended {
    fn in_seconds(&self) -> Self {
        Self { started: second(self.started), at: second(self.at), ..self.clone() }
    }

    pub(super) fn said(said: &ContainerStateTerminated) -> Option<Self> {
        Some(Self {
            started: said.started_at.as_ref()?.0,
            at: said.finished_at.as_ref()?.0,
            code: said.exit_code,
            reason: Cow::Owned(said.reason.clone().unwrap_or_default()),
        })
    }

    fn state(&self, id: String) -> ApiState {
        let terminated = ContainerStateTerminated {
            container_id: Some(id),
            exit_code: self.code,
            finished_at: Some(Time(self.at)),
            reason: Some(self.reason.clone().into_owned()),
            started_at: Some(Time(self.started)),
            ..ContainerStateTerminated::default()
        };
        ApiState { terminated: Some(terminated), ..ApiState::default() }
    }
}

/// The time as statuses have it.
pub(super) fn second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn container_id(uid: &str, name: &str, run: u32) -> String {
    let mut stream = Random::named(Seed(u64::from(run)), &format!("{uid}/{name}"));
    format!("simulated://{}", hex(&mut stream, 64))
}
