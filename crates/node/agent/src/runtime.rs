//! What runs a pod's containers, as the agent sees it: orders go in, happenings come out.
//!
//! The agent does what a kubelet does: it decides when a sandbox is made, an image pulled, a
//! container started, asked and stopped. The runtime does it, and says when it is done. It knows
//! nothing of restarts, back-offs and thresholds. Happenings come in the order of their time; a
//! runtime that does not know them in advance answers "now" once it was woken.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub mod behaviour;
mod image;
mod simulated;
mod usage;

pub use behaviour::{Behaviour, Behaviours};
pub use image::{Image, canonical};
pub use simulated::{Simulated, Task};
pub use usage::Usage;

/// What Nodes say their runtime is.
pub const VERSION: &str = "simulated://0.1.0";

/// Which container of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// An image was pulled, or could not be, for this reason.
    Pulled(Which, Result<Pull, Arc<str>>),
    /// A container was created.
    Created(Which),
    /// A container runs.
    Started(Which),
    /// A container's process ended.
    Exited(Which, Exit),
}

/// How a pull went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pull {
    /// How long it took.
    pub took: Duration,
    /// How much it was.
    pub bytes: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its code.
    pub code: i32,
    /// Whether it used more memory than it may.
    pub is_oom: bool,
}

impl Exit {
    /// What a process ends with that had to be killed.
    pub const KILLED: Self = Self { code: 137, is_oom: false };
    /// What a process ends with that used too much memory.
    pub const OOM: Self = Self { code: 137, is_oom: true };

    /// An end by itself.
    pub fn with(code: i32) -> Self {
        Self { code, is_oom: false }
    }

    /// The word a container's status has for it.
    pub fn reason(self) -> &'static str {
        match self {
            Self { is_oom: true, .. } => "OOMKilled",
            Self { code: 0, .. } => "Completed",
            _ => "Error",
        }
    }
}

/// What a container is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether it has started.
    Startup,
    /// Whether it can go on.
    Liveness,
    /// Whether it can serve.
    Readiness,
}

/// What a container answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Yes, or why not.
    pub verdict: Result<(), No>,
    /// When it may answer something else.
    pub until: Option<Timestamp>,
}

/// Why a container does not say yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// Nobody listens.
    Refused,
    /// It takes too long.
    Late,
    /// It says no.
    Denied,
}
