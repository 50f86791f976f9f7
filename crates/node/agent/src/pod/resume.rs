//! Taking on a pod that an earlier agent ran: the machine did not stop, the agent did.
//!
//! What runs keeps running and what has ended has ended, as the pod's status says; back-offs begin
//! anew, as with a kubelet that starts again.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use mainstay_base::Random;

use super::probes::{Prober, Probers};
use super::shown::{Shown, ShownPod, State};
use super::state::{ContainerState, Process, Running, Sandbox};
use super::{Host, Run, Status};
use crate::bound::BoundPod;
use crate::runtime::{Task, Which};

/// The run of a pod whose status says that it has a sandbox; none for any other pod, which starts
/// over.
pub(crate) fn resume(pod: &BoundPod, host: Host, random: Random, now: Timestamp) -> Option<Run> {
    let said = Status::said(pod, host.address)?;
    let address: Ipv4Addr = said.address?;
    let has_begun = |shown: &ShownPod| shown.init.iter().chain(&shown.main).any(|one| !one.waits_first());
    if !has_begun(&said.containers) {
        return None;
    }
    let own = (!pod.spec.host_network).then_some(address);
    let mut run = Run::start(pod, host, own, random, now);
    run.state.sandbox = Sandbox::Ready;
    for (which, _) in pod.spec.all() {
        let shown = match which {
            Which::Init(index) => said.containers.init.get(index),
            Which::Main(index) => said.containers.main.get(index),
        };
        let Some((shown, task)) = shown.zip(Task::of(pod, None, which)) else { continue };
        let state = container(shown, task, now);
        if let Some(running) = state.running() {
            run.runtime.adopt(task, state.restarts, running.since);
        }
        if let Some(place) = run.state.get_mut(which) {
            *place = state;
        }
    }
    run.said = Some(said);
    Some(run)
}

fn container(shown: &Shown, task: Task<'_>, now: Timestamp) -> ContainerState {
    let restarts = shown.restarts;
    let (process, last, wait) = match &shown.state {
        State::Running(since) => {
            (Process::Running(running(shown, task, *since, now)), shown.last.clone(), None)
        }
        State::Ended(ended) => (Process::Ended(ended.clone()), shown.last.clone(), None),
        State::Waiting(wait) => match &shown.last {
            Some(ended) => (Process::Ended(ended.clone()), None, Some(wait.clone())),
            None => (Process::Never, None, Some(wait.clone()).filter(|wait| wait.message.is_some())),
        },
    };
    ContainerState { process, restarts, last, wait, ..ContainerState::default() }
}

fn running(shown: &Shown, task: Task<'_>, since: Timestamp, now: Timestamp) -> Running {
    let mut probers = Probers::of(task.container, task.behaviour, now);
    if let Some(probers) = &mut probers {
        if shown.is_started {
            probers.startup = None;
        }
        if let Some(readiness) = &mut probers.readiness {
            *readiness = Prober::resumed(now, shown.is_ready.then_some(true), readiness.is_silent);
        }
    }
    Running {
        since,
        is_started: shown.is_started,
        is_ready: shown.is_ready,
        is_stopping: false,
        probers,
        usage: None,
    }
}
