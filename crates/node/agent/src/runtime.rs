//! What runs a pod's containers, as the agent sees it: orders go in, happenings come out.
//!
//! The agent asks what has happened until now and when something may happen next; a runtime whose
//! happenings are not known in advance answers "now" once it was woken. Everything the API is told
//! of a pod's containers comes from [`PodState`], which only happenings change.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

mod behaviour;
mod image;
mod simulated;

pub use behaviour::{EXIT_CODE_ANNOTATION, RUN_ANNOTATION, STOP_ANNOTATION};
pub use image::{Image, canonical};
pub use simulated::Course;

/// What Nodes say their runtime is.
pub const VERSION: &str = "simulated://0.1.0";

/// The containers of one pod, run by one of the runtimes there are.
#[derive(Clone, Debug)]
pub enum Containers {
    /// Nothing runs; what would happen is drawn.
    Simulated(Course),
}

/// Which container of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The init container at this place.
    Init(usize),
    /// The container at this place.
    Main(usize),
}

/// Something that happened to a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happens to pods.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Its network and namespaces are there.
    SandboxReady,
    /// An image is being pulled.
    Pulling(Which),
    /// The image is there; `None` when it was before.
    Pulled(Which, Option<Pull>),
    /// A container was created.
    Created(Which),
    /// A container runs.
    Started(Which),
    /// A container's probes succeed.
    Ready(Which),
    /// A container is asked to stop.
    Stopping(Which),
    /// A container's process ended with this code.
    Exited(Which, i32),
}

/// How a pull went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pull {
    /// How long it took.
    pub took: Duration,
    /// How much it was.
    pub bytes: u64,
}

/// A pod's containers as far as they have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodState {
    /// Since when its sandbox is ready.
    pub sandbox: Option<Timestamp>,
    /// Its init containers, in order.
    pub init: Vec<ContainerState>,
    /// Its containers, in order.
    pub main: Vec<ContainerState>,
}

/// One container as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerState {
    /// When it started.
    pub started: Option<Timestamp>,
    /// Since when its probes succeed.
    pub ready: Option<Timestamp>,
    /// When and with which code it ended.
    pub exited: Option<(Timestamp, i32)>,
}

impl ContainerState {
    /// Whether its process is there.
    pub fn is_running(&self) -> bool {
        self.started.is_some() && self.exited.is_none()
    }
}

impl PodState {
    /// A pod of which nothing has happened.
    pub fn new(init: usize, main: usize) -> Self {
        Self {
            sandbox: None,
            init: vec![ContainerState::default(); init],
            main: vec![ContainerState::default(); main],
        }
    }

    /// Takes a happening in.
    pub fn apply(&mut self, happening: &Happening) {
        let at = happening.at;
        match happening.what {
            What::SandboxReady => self.sandbox = Some(at),
            What::Started(which) => self.change(which, |state| state.started = Some(at)),
            What::Ready(which) => self.change(which, |state| state.ready = Some(at)),
            What::Exited(which, code) => self.change(which, |state| {
                state.exited = Some((at, code));
                state.ready = None;
            }),
            What::Pulling(_) | What::Pulled(..) | What::Created(_) | What::Stopping(_) => {}
        }
    }

    /// Whether no process is left.
    pub fn is_quiet(&self) -> bool {
        !self.init.iter().chain(&self.main).any(ContainerState::is_running)
    }

    fn change(&mut self, which: Which, change: impl FnOnce(&mut ContainerState)) {
        let container = match which {
            Which::Init(index) => self.init.get_mut(index),
            Which::Main(index) => self.main.get_mut(index),
        };
        if let Some(container) = container {
            change(container);
        }
    }
}

impl Containers {
    /// What has happened until `now` and was not told yet, in order.
    pub fn happened(&mut self, now: Timestamp) -> Vec<Happening> {
        match self {
            Self::Simulated(course) => course.happened(now),
        }
    }

    /// When something may happen next.
    pub fn next(&self) -> Option<Timestamp> {
        match self {
            Self::Simulated(course) => course.next(),
        }
    }

    /// Asks what runs in `state` to stop within `grace`; nothing new starts.
    pub fn stop(&mut self, pod: &Pod, state: &PodState, grace: Duration, now: Timestamp) {
        match self {
            Self::Simulated(course) => course.stop(pod, state, grace, now),
        }
    }
}
