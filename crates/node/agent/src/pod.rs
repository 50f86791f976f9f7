//! One pod on one machine: what is done next, decided from what the API and the runtime say.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use mainstay_base::Random;

use crate::runtime::{Containers, Course, Happening, PodState, What, canonical};

mod conditions;
mod containers;
mod events;
mod resume;
mod status;

pub(crate) use events::told;
pub(crate) use resume::resume;

/// A pod a machine has taken on.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The pod's uid: another pod of the same name is another run.
    pub(crate) uid: String,
    /// Its machine's Node.
    pub(crate) node: String,
    /// When the machine first saw it.
    seen: Timestamp,
    /// Its address: its own, or its machine's.
    address: Ipv4Addr,
    /// Whether the address is its own and not given back yet.
    owns_address: bool,
    is_host_network: bool,
    host: Ipv4Addr,
    state: PodState,
    containers: Containers,
    is_stopping: bool,
    /// The status that was last written, which the watch may not show yet.
    written: Option<PodStatus>,
}

/// What is to be done with a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// What happened since the last step, for Events.
    pub(crate) happened: Vec<Happening>,
    /// The status to write, when it is another than the one before.
    pub(crate) status: Option<PodStatus>,
    /// Whether the pod object is to be deleted now, after the status is written.
    pub(crate) finish: bool,
    /// When to look again, if nothing else changes.
    pub(crate) wake: Option<Timestamp>,
}

/// Where a pod runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host<'a> {
    /// The Node's name.
    pub(crate) node: &'a str,
    /// The machine's address.
    pub(crate) address: Ipv4Addr,
}

impl Run {
    /// Takes on a new pod. `address` is its own, or none for one in its machine's network.
    pub(crate) fn start(
        pod: &Pod,
        host: Host<'_>,
        address: Option<Ipv4Addr>,
        images: &BTreeSet<String>,
        random: Random,
        now: Timestamp,
    ) -> Self {
        let spec = pod.spec.as_ref();
        let init = spec.and_then(|spec| spec.init_containers.as_ref()).map_or(0, Vec::len);
        let main = spec.map_or(0, |spec| spec.containers.len());
        Self {
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            node: host.node.to_owned(),
            seen: now,
            address: address.unwrap_or(host.address),
            owns_address: address.is_some(),
            is_host_network: address.is_none(),
            host: host.address,
            state: PodState::new(init, main),
            containers: Containers::Simulated(Course::start(pod, images, random, now)),
            is_stopping: false,
            written: None,
        }
    }

    /// Looks at the pod `now`.
    pub(crate) fn advance(&mut self, pod: &Pod, now: Timestamp) -> Step {
        let mut happened = self.take(now);
        if pod.metadata.deletion_timestamp.is_some() && !self.is_stopping {
            self.is_stopping = true;
            self.containers.stop(pod, &self.state, grace(pod), now);
            happened.extend(self.take(now));
        }
        let is_gone = self.is_stopping && self.state.is_quiet();
        let status = self.status(pod, is_gone, now);
        // A pod that never ran anything has nothing to tell before it goes.
        let tells = !is_gone || self.state.main.iter().any(|container| container.started.is_some());
        let known = self.written.as_ref().or(pod.status.as_ref());
        let is_new = tells && !known.is_some_and(|known| status::says_the_same(known, &status));
        Step {
            happened,
            status: is_new.then_some(status),
            finish: is_gone,
            wake: if is_gone { None } else { self.containers.next() },
        }
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

    /// Remembers that a status was written.
    pub(crate) fn wrote(&mut self, status: PodStatus) {
        self.written = Some(status);
    }

    fn take(&mut self, now: Timestamp) -> Vec<Happening> {
        let happened = self.containers.happened(now);
        for happening in &happened {
            self.state.apply(happening);
        }
        happened
    }
}

/// How long the pod's containers may take to stop.
fn grace(pod: &Pod) -> Duration {
    let seconds = pod.metadata.deletion_grace_period_seconds.unwrap_or(30);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// The image a happening has brought to the machine.
pub(crate) fn pulled<'a>(pod: &'a Pod, happening: &Happening) -> Option<&'a str> {
    let What::Pulled(which, Some(_)) = happening.what else { return None };
    containers::spec(pod, which)?.image.as_deref()
}

/// The images that pods which run on a machine have brought there.
pub(crate) fn images(pod: &Pod) -> impl Iterator<Item = String> {
    let spec = pod.spec.as_ref();
    let all = spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
    all.filter_map(|container| container.image.as_deref()).map(canonical)
}

/// Whether the pod has come to its end.
pub(crate) fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

#[cfg(test)]
mod tests;
