//! The task tree of one owner, and the loop that restarts what failed.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::FutureExt;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::{FIRST_BACKOFF, Kind, LONGEST_BACKOFF, OnFailure, Outcome, Running, Shutdown};
use crate::limits;

/// A run this long counts as healthy: the next back-off starts over.
const HEALTHY_RUN: Duration = Duration::from_mins(1);

/// How long a drain waits for futures it has dropped.
const LONGEST_DROP: Duration = Duration::from_secs(1);

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

/// Owns tasks; clones share them. When the last clone is dropped, or on [`Tree::kill`], they end.
///
/// A task that starts others holds a clone, so only [`Tree::kill`] or [`Tree::drain`] ends such a
/// tree.
#[derive(Clone, Debug)]
pub struct Tree(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shutdown: Shutdown,
    tracker: TaskTracker,
    state: Mutex<TreeState>,
}

#[derive(Debug, Default)]
struct TreeState {
    is_killed: bool,
    next_id: u64,
    failures: u64,
    panics: u64,
    reports: BTreeMap<u64, Report>,
    handles: BTreeMap<u64, AbortHandle>,
}

impl Tree {
    /// A tree whose tasks are asked to end by `shutdown`.
    pub fn new(shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner { shutdown, tracker: TaskTracker::new(), state: Mutex::default() }))
    }

    /// The signal that asks this tree's tasks to end.
    pub fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }

    /// Runs one future to its end; a failure is recorded or ends the tree, as its kind says (a
    /// future cannot be started again: where its kind says that, the failure is recorded).
    pub fn spawn<F>(&self, kind: Kind, name: impl Into<String>, future: F)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let on_failure = match kind.on_failure() {
            OnFailure::Restart => OnFailure::Record,
            other => other,
        };
        let mut once = Some(future);
        self.start(kind, on_failure, name.into(), move || match once.take() {
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
        self.start(kind, kind.on_failure(), name.into(), move || Box::pin(make()));
    }

    /// All tasks that run, and the latest that failed, in the order they were started.
    pub fn report(&self) -> Vec<Report> {
        self.0.state().reports.values().cloned().collect()
    }

    /// How often a task failed, panics included.
    pub fn failures(&self) -> u64 {
        self.0.state().failures
    }

    /// How often a task panicked.
    pub fn panics(&self) -> u64 {
        self.0.state().panics
    }

    /// Asks all tasks to end, waits for them at most `patience`, then ends what is left.
    pub async fn drain(&self, patience: Duration) {
        self.0.shutdown.begin();
        self.0.tracker.close();
        let _timed_out = tokio::time::timeout(patience, self.0.tracker.wait()).await;
        self.kill();
        // What is dropped now ends as soon as the runtime gets to it, unless it never awaits.
        let _timed_out = tokio::time::timeout(LONGEST_DROP, self.0.tracker.wait()).await;
    }

    /// Ends every task at the await it is in, and every task that would be started later at once.
    /// The runtime drops their futures when it gets to them: [`Tree::ended`] waits for that.
    pub fn kill(&self) {
        self.0.shutdown.begin();
        self.0.tracker.close();
        let mut state = self.0.state();
        state.is_killed = true;
        state.reports.retain(|_, report| matches!(report.state, State::Failed(_)));
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        handles.values().for_each(AbortHandle::abort);
    }

    /// Returns when this tree was killed or drained and no task is left.
    pub async fn ended(&self) {
        self.0.tracker.wait().await;
    }

    fn start(
        &self,
        kind: Kind,
        on_failure: OnFailure,
        name: String,
        make: impl FnMut() -> Running + Send + 'static,
    ) {
        // Held until the handle is in its place: the task may end before this function does.
        let mut state = self.0.state();
        if state.is_killed {
            return;
        }
        let id = state.next_id;
        state.next_id += 1;
        state.reports.insert(id, Report { kind, name, state: State::Running, restarts: 0 });
        // The task holds the tree weakly, or the tree could never be dropped.
        let run = supervise(Arc::downgrade(&self.0), id, on_failure, make);
        state.handles.insert(id, self.0.tracker.spawn(run).abort_handle());
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, TreeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.state().handles.values().for_each(AbortHandle::abort);
    }
}

impl TreeState {
    /// The task ended well, or as it was asked to.
    fn forget(&mut self, id: u64) {
        self.reports.remove(&id);
        self.handles.remove(&id);
    }

    /// The task failed for good.
    fn fail(&mut self, id: u64, failure: String) {
        self.handles.remove(&id);
        self.set(id, State::Failed(failure));
        let failed = |report: &Report| matches!(report.state, State::Failed(_));
        if self.reports.values().filter(|report| failed(report)).count() > limits::FAILED_TASKS {
            let oldest = self.reports.iter().find(|(_, report)| failed(report)).map(|(id, _)| *id);
            oldest.map(|id| self.reports.remove(&id));
        }
    }

    fn set(&mut self, id: u64, new: State) {
        if let Some(report) = self.reports.get_mut(&id) {
            report.restarts += u32::from(new == State::Running);
            report.state = new;
        }
    }
}

/// Runs a task until it ends well, may not be started again, or the tree is gone.
async fn supervise(
    tree: Weak<Inner>,
    id: u64,
    on_failure: OnFailure,
    mut make: impl FnMut() -> Running + Send + 'static,
) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        let started = Instant::now();
        let outcome = AssertUnwindSafe(async { make().await }).catch_unwind().await;
        let Some(inner) = tree.upgrade() else { return };
        if inner.settle(id, on_failure, &outcome) == Next::End {
            return;
        }
        if started.elapsed() >= HEALTHY_RUN {
            backoff = FIRST_BACKOFF;
        }
        let shutdown = inner.shutdown.clone();
        drop(inner);
        tokio::select! {
            biased;
            () = shutdown.begun() => {}
            () = tokio::time::sleep(backoff) => {}
        }
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
        let Some(inner) = tree.upgrade() else { return };
        if shutdown.has_begun() {
            return inner.state().forget(id);
        }
        inner.state().set(id, State::Running);
    }
}

/// What becomes of a task.
#[derive(PartialEq)]
enum Next {
    StartAgain,
    End,
}

impl Inner {
    /// Records how a run of a task ended, and decides what comes next.
    fn settle(&self, id: u64, on_failure: OnFailure, outcome: &Result<Outcome, Panic>) -> Next {
        let failure = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(chain(error.as_ref())),
            Err(panic) => Some(format!("panicked: {}", panic_text(panic.as_ref()))),
        };
        let mut state = self.state();
        let Some(failure) = failure else {
            state.forget(id);
            return Next::End;
        };
        state.failures += 1;
        state.panics += u64::from(outcome.is_err());
        let name = state.reports.get(&id).map_or("", |report| report.name.as_str());
        if self.shutdown.has_begun() && outcome.is_ok() {
            tracing::debug!(task = name, failure, "task failed while it was asked to end");
            state.forget(id);
            return Next::End;
        }
        match on_failure {
            OnFailure::Record => tracing::debug!(task = name, failure, "task failed"),
            OnFailure::EndTree => tracing::error!(task = name, failure, "task failed and ends its tree"),
            OnFailure::Restart => tracing::warn!(task = name, failure, "task failed and starts again"),
        }
        if on_failure == OnFailure::Restart && !self.shutdown.has_begun() {
            state.set(id, State::BackingOff(failure));
            return Next::StartAgain;
        }
        state.fail(id, failure);
        drop(state);
        if on_failure == OnFailure::EndTree {
            self.shutdown.begin();
        }
        Next::End
    }
}

type Panic = Box<dyn std::any::Any + Send>;

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

#[cfg(test)]
mod tests;
