//! One pod on one machine: what is done next, decided from what the API and the runtime say.
//!
//! A [`Run`] is looked at when its pod changes and when something falls due. Between two looks many
//! things may have fallen due: they are taken in their order, each at its own time, so that what a pod
//! goes through does not depend on when it is looked at.
//!
//! SPEC: kubelet (`SyncPod`, `kuberuntime`, `prober`, `status_manager`).

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use mainstay_base::Random;
use mainstay_base::net::Addr;
use mainstay_control::events::EventType;
use serde_json::Value;

use crate::bound::BoundPod;
use crate::runtime::behaviour::Problem;
use crate::runtime::{Behaviours, Question, Simulated, Which};

mod backoff;
mod conditions;
mod due;
mod ending;
mod events;
mod phase;
mod plan;
mod probes;
mod resume;
mod scrape;
mod shown;
mod start;
mod state;
mod status;

#[cfg(test)]
mod tests;

pub(crate) use events::Told;
pub(crate) use resume::resume;
pub(crate) use scrape::path;
pub(crate) use status::Status;

use ending::Ending;
use state::{PodState, Sandbox};

/// A pod a machine has taken on.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The pod's uid: another pod of the same name is another run.
    pub(crate) uid: String,
    /// Its machine's Node.
    pub(crate) node: Arc<str>,
    /// Whether what is described of its containers must be read again.
    pub(crate) is_stale: bool,
    /// When the machine first saw it.
    seen: Timestamp,
    /// Its address: its own, or its machine's.
    address: Ipv4Addr,
    /// Whether the address is its own and not given back yet.
    owns_address: bool,
    is_host_network: bool,
    host: Ipv4Addr,
    runtime: Simulated,
    behaviours: Option<Arc<Behaviours>>,
    /// Decides when what waits is told of again.
    random: Random,
    state: PodState,
    ending: Option<Ending>,
    /// Where its metrics are served.
    pub(crate) door: Option<Addr>,
    /// What was last said of it.
    said: Option<Status>,
}

/// What is to be done with a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// The Events to record.
    pub(crate) told: Vec<Told>,
    /// The patch of its status and what that says, when it is another than the one before.
    pub(crate) write: Option<(Value, Box<Status>)>,
    /// Whether the pod object is to be deleted now, after the status is written.
    pub(crate) finish: bool,
    /// When to look again, if nothing else changes.
    pub(crate) wake: Option<Timestamp>,
}

/// Where a pod runs.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// The Node's name.
    pub(crate) node: Arc<str>,
    /// The machine's address.
    pub(crate) address: Ipv4Addr,
}

/// What a look at a pod has at hand.
struct Scene<'a> {
    pod: &'a BoundPod,
    /// The images its machine has.
    images: &'a mut BTreeSet<String>,
    told: Vec<Told>,
}

/// Something that falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// The runtime has done something.
    Runtime,
    /// A container is asked.
    Look(Which, Question),
    /// A container's wait is told of.
    Tell(Which),
    /// A container's wait is over.
    Retry(Which),
    /// The pod has run for as long as it may.
    Deadline,
    /// Who waits for others to stop waits no longer.
    Patience,
}

impl Run {
    /// Takes on a new pod. `address` is its own, or none for one in its machine's network.
    pub(crate) fn start(
        pod: &BoundPod,
        host: Host,
        address: Option<Ipv4Addr>,
        mut random: Random,
        now: Timestamp,
    ) -> Self {
        let seen = pod.status.start_time.as_ref().map_or(now, |time| time.0);
        Self {
            uid: pod.uid().to_owned(),
            node: host.node,
            is_stale: true,
            seen,
            address: address.unwrap_or(host.address),
            owns_address: address.is_some(),
            is_host_network: address.is_none(),
            host: host.address,
            runtime: Simulated::new(Random::named(mainstay_base::Seed(random.next_u64()), "runtime")),
            behaviours: None,
            random,
            state: PodState::new(&pod.spec),
            ending: None,
            door: None,
            said: None,
        }
    }

    /// Takes in what is described of its containers.
    pub(crate) fn behave(
        &mut self,
        pod: &BoundPod,
        (behaviours, problems): (Option<Arc<Behaviours>>, Vec<Problem>),
        now: Timestamp,
    ) -> Vec<Told> {
        self.is_stale = false;
        if self.behaviours != behaviours {
            for (which, _) in pod.spec.all() {
                self.settle(pod, which, now);
            }
            self.behaviours = behaviours;
            self.revise(pod, now);
        }
        let told = |problem: Problem| {
            events::of_pod(
                pod,
                EventType::Warning,
                "InvalidBehaviour",
                format!("{problem}; the setting is ignored"),
            )
        };
        problems.into_iter().map(told).collect()
    }

    /// Looks at the pod `now`, on a machine that has these images.
    pub(crate) fn advance(&mut self, pod: &BoundPod, images: &mut BTreeSet<String>, now: Timestamp) -> Step {
        let was_starting = self.is_starting();
        let mut scene = Scene { pod, images, told: Vec::new() };
        let scene_ref = &mut scene;
        while let Some((at, due)) = self.next_due(pod).filter(|(at, _)| *at <= now) {
            self.take(due, at, scene_ref);
            self.decide(at, scene_ref);
        }
        if pod.is_deleted() {
            self.end_for_deletion(now, scene_ref);
        }
        self.decide(now, scene_ref);
        let is_gone = self.is_deleted() && self.state.is_quiet();
        Step {
            told: scene.told,
            write: self.write(pod, was_starting, now),
            finish: is_gone,
            wake: if is_gone { None } else { self.next_due(pod).map(|(at, _)| at) },
        }
    }

    /// The status to write; none while the same start goes on and the pod is not up yet: as a kubelet's
    /// worker, it says how far the pod is before it starts something and after.
    fn write(&self, pod: &BoundPod, was_starting: bool, now: Timestamp) -> Option<(Value, Box<Status>)> {
        let is_coming_up = |said: &Status| said.phase == phase::Phase::Pending;
        if was_starting && self.is_starting() && self.said.as_ref().is_some_and(is_coming_up) {
            return None;
        }
        // A pod that never ran anything has nothing to tell before it goes.
        let has_run =
            || self.state.main.iter().any(|container| !matches!(container.process, state::Process::Never));
        if self.is_deleted() && self.state.is_quiet() && !has_run() {
            return None;
        }
        let status = self.status(pod, now);
        let patch = status.patch(self.said.as_ref(), pod)?;
        Some((patch, Box::new(status)))
    }

    /// The status of the pod.
    fn status(&self, pod: &BoundPod, now: Timestamp) -> Status {
        let containers = shown::ShownPod::of(&pod.spec, &self.state);
        let (phase, cause) = self.phase(pod, &containers);
        let has_sandbox = self.state.sandbox == Sandbox::Ready;
        let verdicts = conditions::verdicts(&pod.spec, &pod.status, &containers, phase, has_sandbox);
        let mut index = 0;
        let conditions = verdicts.map(|verdict| {
            let before = self.said.as_ref().map(|said| &said.conditions[index]);
            index += 1;
            let kept = before.filter(|before| before.verdict.holds == verdict.holds);
            conditions::Said { since: kept.map_or(now, |kept| kept.since), verdict }
        });
        let has_address = self.is_host_network || has_sandbox;
        Status {
            phase,
            cause,
            seen: self.seen,
            host: self.host,
            address: has_address.then_some(self.address),
            conditions,
            containers,
        }
    }

    /// Remembers that a status was written; says whether the pod has come to its end.
    pub(crate) fn wrote(&mut self, status: Status) -> bool {
        let is_over = status.phase.is_over();
        self.said = Some(status);
        is_over
    }

    /// Forgets what was said: others have spoken meanwhile, and the API says what is known.
    pub(crate) fn listen(&mut self, pod: &BoundPod) {
        self.said = Status::said(pod, self.host);
    }

    /// Whether the pod lives in its machine's network.
    pub(crate) fn is_host_network(&self) -> bool {
        self.is_host_network
    }

    /// The pod's own address.
    pub(crate) fn address(&self) -> Option<Ipv4Addr> {
        self.owns_address.then_some(self.address)
    }

    /// The pod's own address, which it has no longer.
    pub(crate) fn give_up_address(&mut self) -> Option<Ipv4Addr> {
        std::mem::take(&mut self.owns_address).then_some(self.address)
    }

    fn is_starting(&self) -> bool {
        self.state.starting.is_some() || self.state.sandbox == Sandbox::Ordered
    }

    /// Until when the pod may run.
    fn deadline(&self, pod: &BoundPod) -> Option<Timestamp> {
        let seconds = pod.spec.active_deadline_seconds?;
        self.seen.checked_add(SignedDuration::from_secs(seconds)).ok()
    }
}
