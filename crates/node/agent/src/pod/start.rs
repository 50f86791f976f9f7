//! The next thing to start: the sandbox, then one container after the other.

use jiff::Timestamp;

use super::plan::plan;
use super::state::{ContainerState, Sandbox};
use super::{Run, Scene, events};
use crate::bound::{BoundPod, PullPolicy};
use crate::runtime::{Task, Which, canonical};

impl Run {
    /// Starts what is to be started next, or sees that the pod has come to its end.
    pub(super) fn decide(&mut self, now: Timestamp, scene: &mut Scene<'_>) {
        if self.ending.is_some() {
            return self.stop_whose_turn_it_is(now, scene);
        }
        if self.state.sandbox == Sandbox::Missing {
            self.state.sandbox = Sandbox::Ordered;
            self.runtime.make_sandbox(now);
        }
        if self.is_starting() {
            return;
        }
        let plan = plan(&scene.pod.spec, &self.state);
        if plan.is_over {
            return self.end_for_good(now, scene);
        }
        let next = plan.start.into_iter().find(|which| !self.is_held_back(*which, now));
        if let Some(which) = next {
            self.start_container(which, now, scene);
        }
    }

    fn start_container(&mut self, which: Which, now: Timestamp, scene: &mut Scene<'_>) {
        let pod = scene.pod;
        let Some(task) = Task::of(pod, self.behaviours.as_deref(), which) else { return };
        self.state.starting = Some(which);
        let image = &task.container.image;
        let is_there = scene.images.contains(&canonical(image));
        let is_pulled = match task.container.image_pull_policy {
            PullPolicy::Always => true,
            PullPolicy::IfNotPresent => !is_there,
            PullPolicy::Never => false,
        };
        if is_pulled {
            scene.told.push(events::normal(pod, which, "Pulling", format!("Pulling image \"{image}\"")));
            let attempt = self.state.get(which).map_or(0, |state| state.failed_pulls);
            self.runtime.pull(task, attempt, is_there, now);
        } else {
            let message = format!("Container image \"{image}\" already present on machine");
            scene.told.push(events::normal(pod, which, "Pulled", message));
            self.create(which, now, pod);
        }
    }

    /// Creates a container whose image is there.
    pub(super) fn create(&mut self, which: Which, now: Timestamp, pod: &BoundPod) {
        let Some(task) = Task::of(pod, self.behaviours.as_deref(), which) else { return };
        let nth = self.state.get(which).map_or(0, ContainerState::next_run);
        self.runtime.start(task, nth, now);
    }
}
