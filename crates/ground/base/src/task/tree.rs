//! The task tree of one owner, and the loop that restarts what failed.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::{Kind, LONGEST_BACKOFF, OnFailure, Outcome, Running, Shutdown};

/// A run this long counts as healthy: the next back-off starts over.
const HEALTHY_RUN: Duration = Duration::from_mins(1);

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// It failed and waits to be started again; the text is the last failure.
    BackingOff(String),
    /// It failed for good.
    Failed(String),
}

/// One line of [`Tree::report`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What sort of task it is.
    pub kind: Kind,
    /// Its name, unique in its tree while it runs.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// How often it was started again.
    pub restarts: u32,
}

/// Owns tasks; clones share them, [`Tree::kill`] ends them.
#[derive(Clone, Debug)]
pub struct Tree(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shutdown: Shutdown,
    tracker: TaskTracker,
    reports: Mutex<BTreeMap<u64, Report>>,
    next_id: std::sync::atomic::AtomicU64,
    handles: Mutex<BTreeMap<u64, tokio::task::AbortHandle>>,
}

impl Tree {
    /// A tree whose tasks are asked to end by `shutdown`.
    pub fn new(shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner {
            shutdown,
            tracker: TaskTracker::new(),
            reports: Mutex::default(),
            next_id: std::sync::atomic::AtomicU64::new(0),
            handles: Mutex::default(),
        }))
    }

    /// The signal that asks this tree's tasks to end.
    pub fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }

    /// Runs one future to its end; a failure is recorded or ends the tree, as its kind says.
    pub fn spawn<F>(&self, kind: Kind, name: impl Into<String>, future: F)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut once = Some(future);
        self.start(kind, name.into(), move || match once.take() {
            Some(future) => Box::pin(future),
            None => Box::pin(std::future::ready(Ok(()))),
        });
    }

    /// Runs what `make` makes, and again after a failure where the kind says so.
    pub fn supervise<M, F>(&self, kind: Kind, name: impl Into<String>, mut make: M)
    where
        M: FnMut() -> F + Send + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.start(kind, name.into(), move || Box::pin(make()));
    }

    /// All tasks that run or have failed, in the order they were started.
    pub fn report(&self) -> Vec<Report> {
        lock(&self.0.reports).values().cloned().collect()
    }

    /// Asks all tasks to end, waits for them at most `patience`, then ends what is left.
    pub async fn drain(&self, patience: Duration) {
        self.0.shutdown.begin();
        self.0.tracker.close();
        let _timed_out = tokio::time::timeout(patience, self.0.tracker.wait()).await;
        self.kill();
    }

    /// Ends every task at the await it is in.
    pub fn kill(&self) {
        self.0.shutdown.begin();
        for handle in std::mem::take(&mut *lock(&self.0.handles)).values() {
            handle.abort();
        }
    }

    fn start(&self, kind: Kind, name: String, make: impl FnMut() -> Running + Send + 'static) {
        let id = self.0.next_id.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        lock(&self.0.reports).insert(id, Report { kind, name, state: State::Running, restarts: 0 });
        // The task holds the tree weakly, or the tree could never be dropped.
        let run = supervise(Arc::downgrade(&self.0), id, kind, make);
        let handle = self.0.tracker.spawn(run).abort_handle();
        lock(&self.0.handles).insert(id, handle);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for handle in lock(&self.handles).values() {
            handle.abort();
        }
    }
}

/// Runs a task until it ends well, may not be restarted, or the tree is gone.
async fn supervise(
    tree: std::sync::Weak<Inner>,
    id: u64,
    kind: Kind,
    mut make: impl FnMut() -> Running + Send + 'static,
) {
    let mut backoff = Duration::from_secs(1);
    loop {
        let started = Instant::now();
        let failure = match AssertUnwindSafe(make()).catch_unwind().await {
            Ok(Ok(())) => return forget(&tree, id),
            Ok(Err(error)) => chain(error.as_ref()),
            Err(panic) => format!("panicked: {}", panic_text(panic.as_ref())),
        };
        let Some(inner) = tree.upgrade() else { return };
        match kind.on_failure() {
            _ if inner.shutdown.has_begun() => return forget(&tree, id),
            OnFailure::Record => return set_state(&inner, id, State::Failed(failure)),
            OnFailure::EndTree => {
                set_state(&inner, id, State::Failed(failure));
                return inner.shutdown.begin();
            }
            OnFailure::Restart => {
                tracing::warn!(task = id, failure, "task failed and starts again");
                set_state(&inner, id, State::BackingOff(failure));
            }
        }
        drop(inner);
        if started.elapsed() >= HEALTHY_RUN {
            backoff = Duration::from_secs(1);
        }
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
        let Some(inner) = tree.upgrade() else { return };
        set_state(&inner, id, State::Running);
        if let Some(report) = lock(&inner.reports).get_mut(&id) {
            report.restarts += 1;
        }
    }
}

fn forget(tree: &std::sync::Weak<Inner>, id: u64) {
    if let Some(inner) = tree.upgrade() {
        lock(&inner.reports).remove(&id);
        lock(&inner.handles).remove(&id);
    }
}

fn set_state(inner: &Inner, id: u64, state: State) {
    if let Some(report) = lock(&inner.reports).get_mut(&id) {
        report.state = state;
    }
}

/// An error with all its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("invariant: no panic under this lock")
}
