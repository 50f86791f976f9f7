//! Where a pod's metrics are served, and what they are.

use jiff::Timestamp;
use mainstay_base::Random;
use mainstay_base::net::Addr;
use mainstay_control::meta::label;

use super::Run;
use super::state::Sandbox;
use crate::bound::BoundPod;
use crate::runtime::behaviour::Load;
use crate::runtime::{Task, Usage, Which};

/// Annotations by which Prometheus finds a pod's metrics, as its usual configuration has them.
const PORT_ANNOTATION: &str = "prometheus.io/port";
const PATH_ANNOTATION: &str = "prometheus.io/path";
/// The name of a port that serves metrics.
const PORT_NAME: &str = "metrics";
/// Labels that name the service a pod belongs to, the first counts most.
const SERVICE_LABELS: [&str; 3] = ["app.kubernetes.io/name", "app", "k8s-app"];
/// By what part a pod's requests differ from what is described at most.
const SPREAD: f64 = 0.05;

/// Where a pod's metrics are asked for.
pub(crate) fn path(pod: &BoundPod) -> &str {
    pod.annotation(PATH_ANNOTATION).unwrap_or("/metrics")
}

impl Run {
    /// The address the pod's metrics are served at while its containers run.
    pub(crate) fn door(&self, pod: &BoundPod) -> Option<Addr> {
        let is_up =
            self.state.sandbox == Sandbox::Ready && self.state.main.iter().any(|one| one.running().is_some());
        let (port, _) = if is_up { self.metrics_port(pod)? } else { return None };
        Some(Addr::new(&self.address.to_string(), port))
    }

    /// The pod's metrics now; none while the container that serves them does not run.
    pub(crate) fn scrape(&self, pod: &BoundPod, now: Timestamp) -> Option<String> {
        let (_, which) = self.metrics_port(pod)?;
        let task = self.task(pod, which)?;
        let load = &task.behaviour.load;
        let running = self.state.get(which)?.running()?;
        let mut usage = running.usage.as_deref().cloned().unwrap_or_else(|| Usage::new(running.since));
        usage.settle(load, running.is_ready, self.share(), now);
        let named = SERVICE_LABELS.iter().find_map(|key| label(&pod.metadata, key));
        let service = load.service.as_deref().or(named).unwrap_or_else(|| pod.name());
        Some(usage.exposition(load, service, running.since))
    }

    /// Counts what the container has done until now, before something changes what it does.
    pub(super) fn settle(&mut self, pod: &BoundPod, which: Which, now: Timestamp) {
        let share = self.share();
        let Some(task) = Task::of(pod, self.behaviours.as_deref(), which) else { return };
        let Some(running) = self.state.running_mut(which) else { return };
        if let Some(usage) = &mut running.usage {
            usage.settle(&task.behaviour.load, running.is_ready, share, now);
        } else if task.behaviour.load != Load::NONE {
            running.usage = Some(Box::new(Usage::new(now)));
        }
    }

    /// How much of the described requests comes to this pod: about as much as to the others.
    fn share(&self) -> f64 {
        1.0 + SPREAD * (2.0 * Random::named(self.runtime.seed(), "share").unit() - 1.0)
    }

    /// The port that serves metrics, and the container that has it.
    fn metrics_port(&self, pod: &BoundPod) -> Option<(u16, Which)> {
        let mains = || (0..pod.spec.containers.len()).map(Which::Main);
        let described =
            || mains().find_map(|which| Some((self.task(pod, which)?.behaviour.load.port?, which)));
        let ports = || {
            mains().flat_map(|which| {
                let ports = pod.spec.container(which).into_iter().flat_map(|container| &container.ports);
                ports.map(move |port| (port, which))
            })
        };
        let annotated = || {
            let port: u16 = pod.annotation(PORT_ANNOTATION)?.parse().ok()?;
            let owner = ports().find(|(one, _)| one.container_port == port);
            Some((port, owner.map_or(Which::Main(0), |(_, which)| which)))
        };
        let number = |(port, which): (&crate::bound::Port, Which)| (port.container_port, which);
        described()
            .or_else(annotated)
            .or_else(|| ports().find(|(port, _)| port.name == PORT_NAME).map(number))
            .or_else(|| ports().next().map(number))
    }
}
