//! How a pod ends: deleted, out of time, or with its work done. What runs is stopped, sidecars after
//! the containers they serve and in the reverse of their order.
//!
//! SPEC: kubelet's `killContainer`, `terminationOrdering`, `activeDeadlineHandler`.

use std::time::Duration;

use jiff::Timestamp;
use mainstay_control::events::EventType;

use super::phase::{Phase, phase};
use super::shown::ShownPod;
use super::state::PodState;
use super::{Run, Scene, events};
use crate::bound::BoundPod;
use crate::runtime::{Task, Which};

/// Why and since when a pod ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    why: Why,
    /// When what runs has had all the time it gets.
    until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Nothing more will come.
    Over,
    /// It has run for as long as it may.
    Deadline,
    /// Somebody deleted it.
    Deleted,
}

impl Ending {
    /// Until when sidecars wait for others; none when nothing waits.
    pub(super) fn patience(&self, state: &PodState) -> Option<Timestamp> {
        state.running().any(|(_, running)| !running.is_stopping).then_some(self.until)
    }
}

/// How long the pod's containers may take to stop: what the deletion says, or `own` seconds of a probe,
/// or what the pod says.
pub(super) fn grace(pod: &BoundPod, own: Option<i64>) -> Duration {
    let deletion = pod.metadata.deletion_grace_period_seconds;
    let seconds = deletion.or(own).or(pod.spec.termination_grace_period_seconds).unwrap_or(30);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

impl Run {
    /// Whether somebody deleted the pod.
    pub(super) fn is_deleted(&self) -> bool {
        self.ending.is_some_and(|ending| ending.why == Why::Deleted)
    }

    pub(super) fn end_for_deletion(&mut self, now: Timestamp, scene: &mut Scene<'_>) {
        if !self.is_deleted() {
            self.end(Why::Deleted, now, scene);
        }
    }

    pub(super) fn end_for_deadline(&mut self, now: Timestamp, scene: &mut Scene<'_>) {
        let message = "Pod was active on the node longer than the specified deadline".to_owned();
        scene.told.push(events::of_pod(scene.pod, EventType::Normal, "DeadlineExceeded", message));
        self.end(Why::Deadline, now, scene);
    }

    pub(super) fn end_for_good(&mut self, now: Timestamp, scene: &mut Scene<'_>) {
        self.end(Why::Over, now, scene);
    }

    /// Nothing new is started; what runs is told to stop.
    fn end(&mut self, why: Why, now: Timestamp, scene: &mut Scene<'_>) {
        let pod = scene.pod;
        let until = now + grace(pod, None);
        let is_first = self.ending.is_none();
        let until = self.ending.map_or(until, |before| before.until.min(until));
        self.ending = Some(Ending { why, until });
        self.runtime.abandon(now);
        self.state.starting = None;
        let running: Vec<Which> = self.state.running().map(|(which, _)| which).collect();
        for which in running {
            let Some(running) = self.state.running_mut(which) else { continue };
            if let Some(probers) = &mut running.probers {
                (probers.startup, probers.liveness) = (None, None);
            }
            if is_first {
                let name = pod.spec.container(which).map_or("", |container| &container.name);
                scene.told.push(events::normal(pod, which, "Killing", format!("Stopping container {name}")));
            }
            // Who was stopping has perhaps less time now.
            if running.is_stopping {
                self.stop(which, now, pod);
            }
        }
        for state in self.state.init.iter_mut().chain(&mut self.state.main) {
            state.retry = None;
            // It will not be started again, so it does not wait: it is shown as it ended.
            if state.ended().is_some() {
                state.wait = None;
            }
        }
    }

    /// Stops the containers, and each sidecar when those it serves are gone.
    pub(super) fn stop_whose_turn_it_is(&mut self, now: Timestamp, scene: &mut Scene<'_>) {
        let spec = &scene.pod.spec;
        let is_sidecar = |which: &Which| spec.is_sidecar(*which);
        let running: Vec<Which> = self.state.running().map(|(which, _)| which).collect();
        let others = running.iter().any(|which| matches!(which, Which::Main(_)));
        let last = running.iter().filter(|which| is_sidecar(which)).max().copied();
        for which in running {
            if !is_sidecar(&which) || !others && Some(which) == last {
                self.stop_once(which, now, scene.pod);
            }
        }
    }

    /// Stops everything, whoever it serves.
    pub(super) fn lose_patience(&mut self, now: Timestamp, scene: &mut Scene<'_>) {
        let running: Vec<Which> = self.state.running().map(|(which, _)| which).collect();
        for which in running {
            self.stop_once(which, now, scene.pod);
        }
    }

    fn stop_once(&mut self, which: Which, now: Timestamp, pod: &BoundPod) {
        let Some(running) = self.state.running_mut(which) else { return };
        if !std::mem::replace(&mut running.is_stopping, true) {
            self.stop(which, now, pod);
        }
    }

    fn stop(&mut self, which: Which, now: Timestamp, pod: &BoundPod) {
        let Some(task) = Task::of(pod, self.behaviours.as_deref(), which) else { return };
        let left = self.ending.map_or(Duration::ZERO, |ending| {
            Duration::try_from(ending.until.duration_since(now)).unwrap_or_default()
        });
        self.runtime.stop(task, left, now);
    }

    /// The phase, and why it is what it is. While something runs a pod has not come to its end.
    pub(super) fn phase(
        &self,
        pod: &BoundPod,
        shown: &ShownPod,
    ) -> (Phase, Option<(&'static str, &'static str)>) {
        let is_quiet = self.state.is_quiet();
        let is_over = self.ending.is_some() && is_quiet;
        let phase = phase(&pod.spec, shown, is_over);
        let is_late = self.ending.is_some_and(|ending| ending.why == Why::Deadline);
        match phase {
            _ if is_late && is_quiet => {
                let message = "Pod was active on the node longer than the specified deadline";
                (Phase::Failed, Some(("DeadlineExceeded", message)))
            }
            // What was never started has not succeeded.
            Phase::Pending | Phase::Running if is_over => (Phase::Failed, None),
            Phase::Failed | Phase::Succeeded if !is_quiet => (Phase::Running, None),
            phase => (phase, None),
        }
    }
}
