//! Supervised tasks: everything that runs has a kind, a name, and a stated consequence of failing.
//!
//! A [`Tree`] owns the tasks of one Region (or of the platform's global parts). Dropping it, or
//! [`Tree::kill`], ends them all at whatever await they are in.
//!
//! **Not here:** what runs (`platform::components`).

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::BoxError;

mod tree;

pub use tree::{Report, State, Tree};

/// What a task's failure (an error or a panic) means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Start it again after a back-off (1 s doubling to 30 s, reset after a minute's run).
    Restart,
    /// Record it; the rest goes on.
    Record,
    /// End the whole tree.
    EndTree,
}

/// The kinds of task there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A reconcile loop of a controller.
    Controller,
    /// A loop of a node's agent.
    Agent,
    /// An accept loop.
    Listener,
    /// One connection of a listener.
    Connection,
    /// A periodic chore of a server (compaction, bookmarks).
    Housekeeping,
    /// A step of a drill or of start-up.
    Step,
}

impl Kind {
    /// What a failure of this kind of task means.
    pub fn on_failure(self) -> OnFailure {
        match self {
            Self::Controller | Self::Agent | Self::Housekeeping => OnFailure::Restart,
            Self::Listener => OnFailure::EndTree,
            Self::Connection | Self::Step => OnFailure::Record,
        }
    }
}

/// Tells tasks to finish what they do and end; clones share the signal.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A signal nobody has given yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Gives the signal.
    pub fn begin(&self) {
        self.0.cancel();
    }
    /// Whether the signal was given.
    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }
    /// Returns when the signal is given.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }
    /// A signal that this one gives too, and that can be given alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(self.0.child_token())
    }
}

/// What a supervised task returns.
pub type Outcome = Result<(), BoxError>;

/// Runs `body` on a thread of its own. Not for virtual Worlds: waiting on another thread makes
/// virtual time run away.
///
/// # Panics
/// In a virtual World, and where the machine refuses a thread.
pub fn thread<F>(name: &str, body: F) -> std::thread::JoinHandle<()>
where
    F: FnOnce() + Send + 'static,
{
    assert!(!mainstay_entropy::is_seeded(), "invariant: no thread starts in a virtual World");
    #[allow(clippy::disallowed_methods, reason = "the one place that starts threads")]
    std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("the machine gives a thread")
}

/// Lets a [`thread`] of its own rest for a while.
pub fn rest(duration: Duration) {
    #[allow(clippy::disallowed_methods, reason = "the one place where threads sleep")]
    std::thread::sleep(duration);
}

/// How long the first restart waits.
pub(crate) const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// The longest a restart waits.
pub(crate) const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// A boxed future of a supervised task.
pub(crate) type Running = std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>;
