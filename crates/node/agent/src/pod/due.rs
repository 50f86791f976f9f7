//! What falls due next, and what it changes.

use jiff::{SignedDuration, Timestamp};

use super::state::{Ended, Process, Retry, Running, Sandbox, Wait};
use super::{Due, Run, Scene, events, probes};
use crate::bound::{BoundPod, RestartPolicy};
use crate::runtime::behaviour::Load;
use crate::runtime::{Exit, Happening, Question, Simulated, Task, Usage, What, Which, canonical};

/// How long after a failure its wait is told of first.
const FIRST_TELL: SignedDuration = SignedDuration::from_secs(1);
/// How long until it is told of again, in milliseconds: at least, and at most.
const TELL_AGAIN_MS: (u64, u64) = (10_000, 15_000);

impl Run {
    /// The first thing that falls due.
    pub(super) fn next_due(&self, pod: &BoundPod) -> Option<(Timestamp, Due)> {
        let mut first = self.runtime.next().map(|at| (at, Due::Runtime));
        let mut meet = |at: Timestamp, due: Due| {
            if first.is_none_or(|(earliest, _)| at < earliest) {
                first = Some((at, due));
            }
        };
        for (which, state) in self.state.all() {
            let running = state.running();
            let probers = running.and_then(|running| Some((running.probers.as_ref()?, running.is_started)));
            if let Some((at, question)) = probers.and_then(|(probers, started)| probers.next(started)) {
                meet(at, Due::Look(which, question));
            }
            if let Some(retry) = state.retry {
                meet(retry.at, Due::Retry(which));
                meet(retry.tell, Due::Tell(which));
            }
        }
        match &self.ending {
            None => self.deadline(pod).into_iter().for_each(|at| meet(at, Due::Deadline)),
            Some(ending) => ending.patience(&self.state).into_iter().for_each(|at| meet(at, Due::Patience)),
        }
        first
    }

    /// Takes in what fell due.
    pub(super) fn take(&mut self, due: Due, at: Timestamp, scene: &mut Scene<'_>) {
        match due {
            Due::Runtime => {
                if let Some(happening) = self.runtime.happened(at) {
                    self.happened(happening, scene);
                }
            }
            Due::Look(which, question) => self.look(which, question, at, scene),
            Due::Tell(which) => self.tell(which, at, scene),
            Due::Retry(which) => {
                if let Some(state) = self.state.get_mut(which) {
                    state.retry = None;
                }
            }
            Due::Deadline => self.end_for_deadline(at, scene),
            Due::Patience => self.lose_patience(at, scene),
        }
    }

    pub(super) fn task<'a>(&'a self, pod: &'a BoundPod, which: Which) -> Option<Task<'a>> {
        Task::of(pod, self.behaviours.as_deref(), which)
    }

    fn happened(&mut self, Happening { at, what }: Happening, scene: &mut Scene<'_>) {
        let pod = scene.pod;
        let name = |which| pod.spec.container(which).map_or("", |container| &*container.name);
        match what {
            What::SandboxReady => self.state.sandbox = Sandbox::Ready,
            What::Pulled(which, Ok(pull)) => {
                let image = pod.spec.container(which).map_or("", |container| &*container.image);
                scene.told.push(events::pulled(pod, which, image, pull));
                scene.images.insert(canonical(image));
                self.create(which, at, pod);
            }
            What::Pulled(which, Err(error)) => self.pull_failed(which, &error, at, scene),
            What::Created(which) => {
                let message = format!("Created container: {}", name(which));
                scene.told.push(events::normal(pod, which, "Created", message));
            }
            What::Started(which) => {
                let message = format!("Started container {}", name(which));
                scene.told.push(events::normal(pod, which, "Started", message));
                self.started(which, at, pod);
            }
            What::Exited(which, exit) => self.exited(which, exit, at),
        }
    }

    fn started(&mut self, which: Which, at: Timestamp, pod: &BoundPod) {
        let running = self.task(pod, which).map(|task| {
            let probers = probes::Probers::of(task.container, task.behaviour, at);
            let is_started = task.container.startup_probe.is_none();
            let waits = probers.as_ref().is_some_and(|probers| probers.readiness.is_some());
            let usage = (task.behaviour.load != Load::NONE).then(|| Box::new(Usage::new(at)));
            let is_ready = is_started && !waits;
            Running { since: at, is_started, is_ready, is_stopping: false, probers, usage }
        });
        self.state.starting = None;
        let (Some(state), Some(running)) = (self.state.get_mut(which), running) else { return };
        let before = std::mem::replace(&mut state.process, Process::Running(running));
        if let Process::Ended(ended) = before {
            state.restarts += 1;
            state.last = Some(ended);
        }
        state.wait = None;
        state.retry = None;
        state.is_forced = false;
        state.failed_pulls = 0;
    }

    fn exited(&mut self, which: Which, exit: Exit, at: Timestamp) {
        let Some(state) = self.state.get_mut(which) else { return };
        let started = state.running().map_or(at, |running| running.since);
        state.process = Process::Ended(Ended { started, at, code: exit.code, reason: exit.reason().into() });
    }

    fn pull_failed(&mut self, which: Which, error: &str, at: Timestamp, scene: &mut Scene<'_>) {
        let pod = scene.pod;
        let image = pod.spec.container(which).map_or("", |container| &*container.image);
        let message = format!("Failed to pull image \"{image}\": {error}");
        scene.told.push(events::warning(pod, which, "Failed", message));
        scene.told.push(events::warning(pod, which, "Failed", "Error: ErrImagePull".to_owned()));
        self.state.starting = None;
        let Some(state) = self.state.get_mut(which) else { return };
        state.failed_pulls = state.failed_pulls.saturating_add(1);
        state.wait = Some(Wait { reason: "ErrImagePull".into(), message: Some(error.to_owned()) });
        state.pulls.lengthen(at, at);
        let until = state.pulls.until(at).unwrap_or(at);
        state.retry = Some(Retry { at: until, tell: at + FIRST_TELL });
    }

    /// A container that has ended waits before it is started again; says whether it does.
    pub(super) fn is_held_back(&mut self, which: Which, now: Timestamp) -> bool {
        let Some(state) = self.state.get_mut(which) else { return true };
        if state.retry.is_some() {
            return true;
        }
        let Some(failed) = state.ended().map(|ended| ended.at) else { return false };
        if let Some(until) = state.crashes.until(failed).filter(|until| *until > now) {
            state.retry = Some(Retry { at: until, tell: now + FIRST_TELL });
            return true;
        }
        state.crashes.lengthen(failed, now);
        false
    }

    /// A container that waits is told of, and shown to wait.
    fn tell(&mut self, which: Which, at: Timestamp, scene: &mut Scene<'_>) {
        let (least, most) = TELL_AGAIN_MS;
        let again = i64::try_from(least + self.random.below(most - least)).unwrap_or(i64::MAX);
        let pod = scene.pod;
        let Some(container) = pod.spec.container(which) else { return };
        let Some(state) = self.state.get_mut(which) else { return };
        let Some(retry) = &mut state.retry else { return };
        retry.tell = at + SignedDuration::from_millis(again);
        let waits_for_image = state.wait.as_ref().is_some_and(|wait| wait.reason.contains("ImagePull"));
        if waits_for_image {
            let message = format!("Back-off pulling image \"{}\"", container.image);
            scene.told.push(events::normal(pod, which, "BackOff", message.clone()));
            scene.told.push(events::warning(pod, which, "Failed", "Error: ImagePullBackOff".to_owned()));
            let before = state.wait.take().and_then(|wait| {
                let is_first = wait.reason == "ErrImagePull";
                let error = wait.message?;
                Some(if is_first { format!("{message}: ErrImagePull: {error}") } else { error })
            });
            state.wait = Some(Wait { reason: "ImagePullBackOff".into(), message: before });
            return;
        }
        let pod_name = events::full_name(pod);
        let name = &container.name;
        let message = format!("Back-off restarting failed container {name} in pod {pod_name}");
        scene.told.push(events::warning(pod, which, "BackOff", message));
        let failed = state.ended().map_or(at, |ended| ended.at);
        let delay = mainstay_kinds::duration::format(std::time::Duration::from_secs(
            state.crashes.seconds(failed).unwrap_or_default().into(),
        ));
        let message = format!("back-off {delay} restarting failed container={name} pod={pod_name}");
        state.wait = Some(Wait { reason: "CrashLoopBackOff".into(), message: Some(message) });
    }

    /// A probe looks at a container.
    fn look(&mut self, which: Which, question: Question, at: Timestamp, scene: &mut Scene<'_>) {
        let pod = scene.pod;
        self.settle(pod, which, at);
        let Some(task) = Task::of(pod, self.behaviours.as_deref(), which) else { return };
        let Some(running) = self.state.running_mut(which) else { return };
        let since = running.since;
        let Some(prober) = running.probers.as_mut().and_then(|probers| probers.get_mut(question)) else {
            return;
        };
        let settings = probes::settings(task.container, question);
        let answer = Simulated::answer(question, task.behaviour, since, at, settings.patience());
        let look = prober.look(settings, since, at, answer);
        if let Some((no, probe)) = look.no.zip(probes::probe(task.container, question)) {
            let address = self.address.to_string();
            scene.told.extend(events::unhealthy(pod, which, question, (probe, no), &address));
        }
        match (question, look.verdict) {
            (_, None) => {}
            (Question::Readiness, Some(is_ready)) => running.is_ready = is_ready,
            (Question::Liveness, Some(true)) => {}
            (Question::Startup, Some(true)) => {
                running.is_started = true;
                let Some(probers) = &mut running.probers else { return };
                probers.startup = None;
                probers.begin(task.container, at);
                running.is_ready = probers.readiness.is_none();
            }
            (Question::Liveness | Question::Startup, Some(false)) => self.kill(which, question, at, scene),
        }
    }

    /// A probe has failed too often.
    fn kill(&mut self, which: Which, question: Question, at: Timestamp, scene: &mut Scene<'_>) {
        let pod = scene.pod;
        let Some(task) = Task::of(pod, self.behaviours.as_deref(), which) else { return };
        let probe = probes::probe(task.container, question);
        let word = if question == Question::Startup { "startup" } else { "liveness" };
        let is_restarted = pod.spec.restart_policy != RestartPolicy::Never;
        let name = &task.container.name;
        let message = match which {
            Which::Init(_) => format!("Init container {name} failed {word} probe"),
            Which::Main(_) if is_restarted => {
                format!("Container {name} failed {word} probe, will be restarted")
            }
            Which::Main(_) => format!("Container {name} failed {word} probe"),
        };
        scene.told.push(events::normal(pod, which, "Killing", message));
        let grace = probe.and_then(|probe| probe.termination_grace_period_seconds);
        self.runtime.stop(task, super::ending::grace(pod, grace), at);
        if let Some(state) = self.state.get_mut(which) {
            state.is_forced = is_restarted;
        }
        if let Some(running) = self.state.running_mut(which) {
            running.is_stopping = true;
            // Nobody asks any more whether it is healthy; whether it is ready still counts.
            if let Some(probers) = &mut running.probers {
                (probers.startup, probers.liveness) = (None, None);
            }
        }
    }

    /// What is described of the containers is another: what goes on is changed accordingly.
    pub(super) fn revise(&mut self, pod: &BoundPod, now: Timestamp) {
        for (which, _) in pod.spec.all() {
            self.settle(pod, which, now);
            let Some(task) = Task::of(pod, self.behaviours.as_deref(), which) else { continue };
            self.runtime.revise(task, now);
            let Some(running) = self.state.running_mut(which) else { continue };
            let since = running.since;
            let probers = running.probers.get_or_insert_default();
            probers.stand_in(task.behaviour, since);
            probers.wake(task.container, now);
            if **probers == probes::Probers::default() {
                running.probers = None;
            }
        }
    }
}
