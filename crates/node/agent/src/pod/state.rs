//! How far a pod has come: its sandbox, and each container's run, restarts and waits.

use std::borrow::Cow;

use jiff::Timestamp;

use super::backoff::BackOff;
use super::probes::Probers;
use crate::bound::Spec;
use crate::runtime::{Usage, Which};

/// A pod's sandbox and containers as far as they have come.
#[derive(Clone, Debug, Default)]
pub(super) struct PodState {
    pub(super) sandbox: Sandbox,
    /// The container that is being started; one at a time.
    pub(super) starting: Option<Which>,
    /// Its init containers, in order.
    pub(super) init: Vec<ContainerState>,
    /// Its containers, in order.
    pub(super) main: Vec<ContainerState>,
}

/// A pod's network and namespaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sandbox {
    /// Nobody has asked for it.
    #[default]
    Missing,
    /// It is being made.
    Ordered,
    /// It is there.
    Ready,
}

/// One container as far as it has come.
#[derive(Clone, Debug, Default)]
pub(super) struct ContainerState {
    pub(super) process: Process,
    /// How often it was started again.
    pub(super) restarts: u32,
    /// How the run before this one ended.
    pub(super) last: Option<Ended>,
    /// Why it is not running though it should.
    pub(super) wait: Option<Wait>,
    /// When it is tried again.
    pub(super) retry: Option<Retry>,
    pub(super) crashes: BackOff,
    pub(super) pulls: BackOff,
    pub(super) failed_pulls: u32,
    /// A probe has killed it: it is started again whatever it ended with.
    pub(super) is_forced: bool,
}

/// A container's process.
#[derive(Clone, Debug, Default)]
pub(super) enum Process {
    /// There was none.
    #[default]
    Never,
    /// It runs.
    Running(Running),
    /// It has ended.
    Ended(Ended),
}

/// A process that runs.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) since: Timestamp,
    /// Whether its startup probe has succeeded.
    pub(super) is_started: bool,
    pub(super) is_ready: bool,
    /// Whether it was asked to stop.
    pub(super) is_stopping: bool,
    pub(super) probers: Option<Box<Probers>>,
    /// What it has done, where something is described of that.
    pub(super) usage: Option<Box<Usage>>,
}

/// A process that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) started: Timestamp,
    pub(super) at: Timestamp,
    pub(super) code: i32,
    pub(super) reason: Cow<'static, str>,
}

/// Why a container waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) reason: Cow<'static, str>,
    pub(super) message: Option<String>,
}

/// When a container is tried again, and when its wait is told of next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    pub(super) at: Timestamp,
    pub(super) tell: Timestamp,
}

impl PodState {
    /// A pod of which nothing has happened.
    pub(super) fn new(spec: &Spec) -> Self {
        Self {
            init: vec![ContainerState::default(); spec.init_containers.len()],
            main: vec![ContainerState::default(); spec.containers.len()],
            ..Self::default()
        }
    }

    pub(super) fn get(&self, which: Which) -> Option<&ContainerState> {
        match which {
            Which::Init(index) => self.init.get(index),
            Which::Main(index) => self.main.get(index),
        }
    }

    pub(super) fn get_mut(&mut self, which: Which) -> Option<&mut ContainerState> {
        match which {
            Which::Init(index) => self.init.get_mut(index),
            Which::Main(index) => self.main.get_mut(index),
        }
    }

    pub(super) fn running_mut(&mut self, which: Which) -> Option<&mut Running> {
        match &mut self.get_mut(which)?.process {
            Process::Running(running) => Some(running),
            _ => None,
        }
    }

    /// Every container: those of the pod first, then its init containers.
    pub(super) fn all(&self) -> impl Iterator<Item = (Which, &ContainerState)> {
        let main = self.main.iter().enumerate().map(|(index, state)| (Which::Main(index), state));
        let init = self.init.iter().enumerate().map(|(index, state)| (Which::Init(index), state));
        main.chain(init)
    }

    /// What runs, in the order of [`PodState::all`].
    pub(super) fn running(&self) -> impl Iterator<Item = (Which, &Running)> {
        self.all().filter_map(|(which, state)| state.running().map(|running| (which, running)))
    }

    /// Whether no process is left.
    pub(super) fn is_quiet(&self) -> bool {
        self.running().next().is_none()
    }
}

impl ContainerState {
    pub(super) fn running(&self) -> Option<&Running> {
        match &self.process {
            Process::Running(running) => Some(running),
            _ => None,
        }
    }

    pub(super) fn ended(&self) -> Option<&Ended> {
        match &self.process {
            Process::Ended(ended) => Some(ended),
            _ => None,
        }
    }

    /// Which run of it the next one is, from 0.
    pub(super) fn next_run(&self) -> u32 {
        if self.ended().is_some() { self.restarts + 1 } else { self.restarts }
    }
}
