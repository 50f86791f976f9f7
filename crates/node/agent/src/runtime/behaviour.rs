//! What simulated containers do, as somebody describes it: annotations of the pod, and the
//! PodBehaviours that select it.
//!
//! `mainstay.dev/<setting>` counts for all containers of the pod, but for its init containers;
//! `mainstay.dev/<container>.<setting>` for one container of any sort, and more than the former.
//! An annotation counts more than a PodBehaviour. A value that cannot be read is a [`Problem`], and
//! the setting keeps the value it had without it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mainstay_kinds::pod_behaviour;

use crate::bound::BoundPod;
use crate::described::Described;

use super::Which;

mod settings;
#[cfg(test)]
mod tests;

pub use settings::NAMES;

/// What every annotation of a behaviour begins with.
pub const PREFIX: &str = "mainstay.dev/";

/// What one container does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// How long its image takes to pull.
    pub pull: Option<Duration>,
    /// Why its image cannot be pulled.
    pub pull_error: Option<Arc<str>>,
    /// How often pulling fails before it succeeds; always without.
    pub pull_failures: Option<u32>,
    /// How long it takes from created to started.
    pub start_delay: Duration,
    /// How long it runs; without, until it is stopped.
    pub run: Option<Duration>,
    /// What it ends with when it fails.
    pub exit_code: Option<i32>,
    /// How many of its runs fail before the others do not.
    pub failures: Option<u32>,
    /// What part of its runs fails.
    pub failure_ratio: Option<f64>,
    /// When it runs out of memory.
    pub oom: Option<Duration>,
    /// Since when it answers at all.
    pub startup: When,
    /// Since when it is ready.
    pub ready: When,
    /// When it is not ready.
    pub unready: Windows,
    /// When it is not healthy.
    pub unhealthy: Windows,
    /// How long it takes to stop.
    pub stop: Option<When>,
    /// How long what runs before it is stopped takes.
    pub pre_stop: Option<Duration>,
    /// What it has to do.
    pub load: Load,
}

/// What a container has to do, and what that takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// Requests per second.
    pub request_rate: f64,
    /// What part of them fails.
    pub error_ratio: f64,
    /// What half of them take at most.
    pub latency: Duration,
    /// What 99 of 100 take at most; without, four times as long as half of them.
    pub latency_p99: Option<Duration>,
    /// Cores in use without any request.
    pub cpu: f64,
    /// Core-seconds a request takes.
    pub cpu_per_request: f64,
    /// Bytes of memory from its start.
    pub memory: f64,
    /// Bytes more each hour.
    pub memory_growth: f64,
    /// The name of its service; without, its labels'.
    pub service: Option<Arc<str>>,
    /// The port it serves its metrics at; without, its pod's.
    pub port: Option<u16>,
}

impl Load {
    /// Nothing to do.
    pub const NONE: Self = Self {
        request_rate: 0.0,
        error_ratio: 0.0,
        latency: Duration::ZERO,
        latency_p99: None,
        cpu: 0.0,
        cpu_per_request: 0.0,
        memory: 0.0,
        memory_growth: 0.0,
        service: None,
        port: None,
    };
}

/// A moment in a container's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long after its start.
    After(Duration),
    /// Not at all.
    Never,
}

impl Default for When {
    fn default() -> Self {
        Self::After(Duration::ZERO)
    }
}

/// Spans of a container's run, from its start; a span without an end lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows(Vec<(Duration, Option<Duration>)>);

impl Windows {
    /// No span.
    pub const NONE: Self = Self(Vec::new());

    /// Whether `at` lies in one of them.
    pub fn contain(&self, at: Duration) -> bool {
        self.0.iter().any(|(from, to)| *from <= at && to.is_none_or(|to| at < to))
    }

    /// The first begin or end after `at`.
    pub fn next_edge(&self, at: Duration) -> Option<Duration> {
        self.0.iter().flat_map(|(from, to)| [Some(*from), *to]).flatten().filter(|edge| *edge > at).min()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the containers of one pod do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviours {
    init: Vec<Behaviour>,
    main: Vec<Behaviour>,
}

/// Something that was described and cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Behaviours {
    /// What a pod's containers do; none where nobody says anything of it.
    pub fn of(pod: &BoundPod, documents: &[Arc<Described>]) -> (Option<Arc<Self>>, Vec<Problem>) {
        let annotated =
            || pod.metadata.annotations.iter().flatten().filter(|(key, _)| key.starts_with(PREFIX));
        if documents.is_empty() && annotated().next().is_none() {
            return (None, Vec::new());
        }
        let mut problems = Vec::new();
        let mut all = Self {
            init: vec![Behaviour::default(); pod.spec.init_containers.len()],
            main: vec![Behaviour::default(); pod.spec.containers.len()],
        };
        for document in documents {
            all.take_document(pod, document, &mut problems);
        }
        let (named, general): (Vec<_>, Vec<_>) = annotated()
            .map(|(key, value)| (&key[PREFIX.len()..], value))
            .partition(|(key, _)| key.contains('.'));
        for (key, value) in general.into_iter().chain(named) {
            let (container, setting) =
                key.rsplit_once('.').map_or((None, key), |(one, key)| (Some(one), key));
            if let Err(why) = all.set(pod, container, setting, value) {
                problems.push(Problem(format!("annotation \"{PREFIX}{key}\": {why}")));
            }
        }
        (Some(Arc::new(all)), problems)
    }

    fn take_document(&mut self, pod: &BoundPod, document: &Described, problems: &mut Vec<Problem>) {
        let general = (None, &document.spec["behaviour"]);
        let named = document.spec["containers"].as_object().into_iter().flatten();
        let named = named.map(|(name, behaviour)| (Some(name.as_str()), behaviour));
        for (container, behaviour) in std::iter::once(general).chain(named) {
            // A document selects pods of several shapes: not each has every container.
            if container.is_some_and(|name| !pod.spec.all().any(|(_, one)| one.name == name)) {
                continue;
            }
            for (setting, value) in pod_behaviour::settings(behaviour) {
                if let Err(why) = self.set(pod, container, &setting, &value) {
                    let name = document.name();
                    problems.push(Problem(format!("PodBehaviour \"{name}\", setting \"{setting}\": {why}")));
                }
            }
        }
    }

    fn set(&mut self, pod: &BoundPod, container: Option<&str>, key: &str, value: &str) -> Result<(), String> {
        let Some(container) = container else {
            return self.main.iter_mut().try_for_each(|behaviour| behaviour.set(key, value));
        };
        let found = pod.spec.all().find(|(_, one)| one.name == container);
        let (which, _) = found.ok_or_else(|| format!("the pod has no container \"{container}\""))?;
        let behaviour = match which {
            Which::Init(index) => self.init.get_mut(index),
            Which::Main(index) => self.main.get_mut(index),
        };
        behaviour.map_or(Ok(()), |behaviour| behaviour.set(key, value))
    }

    /// What a container does.
    pub fn get(&self, which: Which) -> Option<&Behaviour> {
        match which {
            Which::Init(index) => self.init.get(index),
            Which::Main(index) => self.main.get(index),
        }
    }
}
