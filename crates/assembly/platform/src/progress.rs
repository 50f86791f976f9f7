//! What start-up has done so far, for whoever shows it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

/// One line of progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// What is being made: a region's name, `Workloads`, …
    pub name: String,
    /// What there is to say about it.
    pub detail: String,
    /// Whether it is done.
    pub done: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Collects phases; clones share them.
#[derive(Clone, Debug)]
pub struct Progress(watch::Sender<Vec<Phase>>);

impl Default for Progress {
    fn default() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }
}

impl Progress {
    /// Begins a phase; [`Begun::done`] ends it.
    pub fn begin(&self, name: impl Into<String>) -> Begun {
        let phase = Phase { name: name.into(), detail: String::new(), done: false, seconds: 0.0 };
        let mut index = 0;
        self.0.send_modify(|phases| {
            index = phases.len();
            phases.push(phase);
        });
        Begun { progress: self.clone(), index, started: Instant::now() }
    }

    /// All phases so far.
    pub fn phases(&self) -> Vec<Phase> {
        self.0.borrow().clone()
    }

    /// A receiver that wakes with every change.
    pub fn subscribe(&self) -> watch::Receiver<Vec<Phase>> {
        self.0.subscribe()
    }
}

/// A phase that has begun.
#[derive(Debug)]
pub struct Begun {
    progress: Progress,
    index: usize,
    started: Instant,
}

impl Begun {
    /// Says how far the phase is.
    pub fn detail(&self, detail: impl Into<String>) {
        let detail = detail.into();
        self.change(|phase| phase.detail = detail);
    }

    /// Ends the phase with what it made.
    pub fn done(self, detail: impl Into<String>) -> Duration {
        let elapsed = self.started.elapsed();
        let detail = detail.into();
        self.change(|phase| {
            phase.detail = detail;
            phase.done = true;
            phase.seconds = elapsed.as_secs_f64();
        });
        elapsed
    }

    fn change(&self, edit: impl FnOnce(&mut Phase)) {
        self.progress.0.send_modify(|phases| {
            if let Some(phase) = phases.get_mut(self.index) {
                edit(phase);
            }
        });
    }
}
