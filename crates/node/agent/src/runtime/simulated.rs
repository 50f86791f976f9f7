//! The simulated runtime: everything that will happen to a pod, drawn when it starts.
//!
//! As a kubelet does, it makes the sandbox, runs the init containers one after the other, then
//! starts the containers in order, each after its image is there. Probes succeed.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod, Probe};
use mainstay_base::Random;

use super::behaviour::{Behaviour, behaviour, stop_time};
use super::image::{Image, canonical};
use super::{Happening, PodState, Pull, What, Which};

/// What a registry delivers in a second.
const PULL_BYTES_PER_SECOND: u64 = 200_000_000;
/// What any pull takes at least, and what a container of a Job's kind of init takes.
const SANDBOX_MS: (u64, u64) = (40, 160);
const RESOLVE_MS: (u64, u64) = (80, 240);
const CREATE_MS: (u64, u64) = (10, 50);
const START_MS: (u64, u64) = (10, 70);
const INIT_RUN_MS: (u64, u64) = (200, 900);
const STOP_MS: (u64, u64) = (50, 500);
/// What a process ends with that had to be killed.
const KILLED: i32 = 137;

/// What is going to happen to one pod.
#[derive(Clone, Debug, Default)]
pub struct Course {
    coming: VecDeque<Happening>,
    random: Option<Random>,
}

impl Course {
    /// A new pod, on a machine that has these images.
    pub fn start(pod: &Pod, images: &BTreeSet<String>, mut random: Random, now: Timestamp) -> Self {
        let mut drawing =
            Drawing { at: now, images: images.clone(), coming: Vec::new(), random: &mut random };
        drawing.pod(pod);
        let mut coming = drawing.coming;
        // Sorted by time; what is due at the same moment stays in the order it was drawn.
        coming.sort_by_key(|happening| happening.at);
        Self { coming: coming.into(), random: Some(random) }
    }

    /// A pod that runs already, as `state` says: only its end is still to come.
    pub fn resume(pod: &Pod, state: &PodState, random: Random) -> Self {
        let mut coming = Vec::new();
        for (index, container) in state.main.iter().enumerate() {
            let Some(started) = container.started.filter(|_| container.exited.is_none()) else { continue };
            let which = Which::Main(index);
            if container.ready.is_none() {
                coming.push(Happening { at: started, what: What::Ready(which) });
            }
            if let Behaviour::Finish { run, code } = behaviour(pod) {
                coming.push(Happening { at: started + run, what: What::Exited(which, code) });
            }
        }
        coming.sort_by_key(|happening| happening.at);
        Self { coming: coming.into(), random: Some(random) }
    }

    pub(super) fn happened(&mut self, now: Timestamp) -> Vec<Happening> {
        let due = self.coming.partition_point(|happening| happening.at <= now);
        self.coming.drain(..due).collect()
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.coming.front().map(|happening| happening.at)
    }

    pub(super) fn stop(&mut self, pod: &Pod, state: &PodState, grace: Duration, now: Timestamp) {
        let drawn = self.random.as_mut().map_or(Duration::ZERO, |random| between(STOP_MS, random));
        let stop = stop_time(pod).unwrap_or(drawn);
        let (after, code) = if stop <= grace { (stop, 0) } else { (grace, KILLED) };
        self.coming.clear();
        let init = state.init.iter().enumerate().map(|(index, state)| (Which::Init(index), state));
        let main = state.main.iter().enumerate().map(|(index, state)| (Which::Main(index), state));
        let running: Vec<Which> =
            main.chain(init).filter(|(_, state)| state.is_running()).map(|(which, _)| which).collect();
        self.coming.extend(running.iter().map(|which| Happening { at: now, what: What::Stopping(*which) }));
        let exited = |which: &Which| Happening { at: now + after, what: What::Exited(*which, code) };
        self.coming.extend(running.iter().map(exited));
    }
}

/// A course while it is drawn.
struct Drawing<'a> {
    /// Where the drawing has come to.
    at: Timestamp,
    images: BTreeSet<String>,
    coming: Vec<Happening>,
    random: &'a mut Random,
}

impl Drawing<'_> {
    fn pod(&mut self, pod: &Pod) {
        let Some(spec) = &pod.spec else { return };
        self.pass(SANDBOX_MS);
        self.happens(What::SandboxReady);
        for (index, container) in spec.init_containers.iter().flatten().enumerate() {
            let which = Which::Init(index);
            self.container(which, container);
            if container.restart_policy.as_deref() == Some("Always") {
                // A sidecar: the next one starts when it has.
                self.at = self.ready(which, container);
            } else {
                self.pass(INIT_RUN_MS);
                self.happens(What::Exited(which, 0));
            }
        }
        let behaviour = behaviour(pod);
        for (index, container) in spec.containers.iter().enumerate() {
            let which = Which::Main(index);
            self.container(which, container);
            let started = self.at;
            let ready = self.ready(which, container);
            if let Behaviour::Finish { run, code } = behaviour {
                if ready > started + run {
                    self.coming.retain(|happening| happening.what != What::Ready(which));
                }
                self.coming.push(Happening { at: started + run, what: What::Exited(which, code) });
            }
        }
    }

    /// Pulls, creates and starts a container.
    fn container(&mut self, which: Which, container: &Container) {
        let name = container.image.as_deref().unwrap_or_default();
        let is_there = self.images.contains(&canonical(name));
        if is_there && container.image_pull_policy.as_deref() != Some("Always") {
            self.happens(What::Pulled(which, None));
        } else {
            self.happens(What::Pulling(which));
            let bytes = Image::of(name).bytes;
            let transfer = if is_there { 0 } else { bytes * 1000 / PULL_BYTES_PER_SECOND };
            let took = between(RESOLVE_MS, self.random) + Duration::from_millis(transfer);
            self.at += took;
            self.happens(What::Pulled(which, Some(Pull { took, bytes })));
            self.images.insert(canonical(name));
        }
        self.pass(CREATE_MS);
        self.happens(What::Created(which));
        self.pass(START_MS);
        self.happens(What::Started(which));
    }

    /// When a container that starts now becomes ready.
    fn ready(&mut self, which: Which, container: &Container) -> Timestamp {
        let startup = container.startup_probe.as_ref().map_or(Duration::ZERO, success);
        let readiness = container.readiness_probe.as_ref().map_or(Duration::ZERO, success);
        let at = self.at + startup + readiness;
        self.coming.push(Happening { at, what: What::Ready(which) });
        at
    }

    fn happens(&mut self, what: What) {
        self.coming.push(Happening { at: self.at, what });
    }

    fn pass(&mut self, range: (u64, u64)) {
        self.at += between(range, self.random);
    }
}

/// How long a probe that always succeeds takes: it runs when its container starts and each period
/// from then on, counts once the initial delay is over, and must succeed as often as it says.
fn success(probe: &Probe) -> Duration {
    let seconds = |value: Option<i32>, default: u64| {
        value.and_then(|value| u64::try_from(value).ok()).unwrap_or(default)
    };
    let period = seconds(probe.period_seconds, 10).max(1);
    let first = seconds(probe.initial_delay_seconds, 0).div_ceil(period) * period;
    let further = (seconds(probe.success_threshold, 1).max(1) - 1) * period;
    Duration::from_secs(first + further)
}

fn between((least, most): (u64, u64), random: &mut Random) -> Duration {
    Duration::from_millis(least + random.below(most - least))
}

#[cfg(test)]
mod tests;
