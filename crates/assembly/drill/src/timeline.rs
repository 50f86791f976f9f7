//! The timeline: every committed change and step result, as JSON lines in order.
//!
//! A change is told by its key, revision and a digest of its bytes, so that a day's timeline stays
//! small and two runs are equal exactly when their objects were. It is written as it happens and
//! only where somebody asked for it; nothing of it is kept.

use std::io::{self, Write};

use jiff::Timestamp;
use mainstay_base::Clock;
use mainstay_store::{Event, EventKind};
use serde::Serialize;

use crate::report::{StepResult, Violation};

/// Where the lines go.
pub type Sink = Box<dyn Write + Send>;

/// Counts commits, and writes lines where there is a sink.
pub(crate) struct Timeline {
    clock: Clock,
    sink: Option<Sink>,
    /// The first line that could not be written; none are after it.
    failure: Option<io::Error>,
    commits: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    at: Timestamp,
    region: &'a str,
    revision: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    resource: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    name: &'a str,
    digest: String,
}

#[derive(Serialize)]
struct Step<'a> {
    at: Timestamp,
    step: &'a StepResult,
}

#[derive(Serialize)]
struct Broken<'a> {
    at: Timestamp,
    violation: &'a Violation,
}

impl Timeline {
    pub(crate) fn new(clock: Clock, sink: Option<Sink>) -> Self {
        Self { clock, sink, failure: None, commits: 0 }
    }

    /// One that takes nothing in any more.
    pub(crate) fn closed() -> Self {
        Self::new(Clock::wall(), None)
    }

    /// Notes a committed change of a region.
    pub(crate) fn change(&mut self, region: &str, event: &Event) {
        self.commits += 1;
        if self.sink.is_none() {
            return;
        }
        let record = &event.record;
        let kind = match event.kind {
            EventKind::Added => "ADDED",
            EventKind::Modified => "MODIFIED",
            EventKind::Deleted => "DELETED",
        };
        self.write(&Change {
            at: self.clock.now(),
            region,
            revision: event.revision,
            kind,
            resource: record.key.resource.trim_start_matches('/'),
            namespace: &record.key.namespace,
            name: &record.key.name,
            digest: format!("{:016x}", fnv(&record.value)),
        });
    }

    /// Notes what became of a step.
    pub(crate) fn step(&mut self, result: &StepResult) {
        self.write(&Step { at: self.clock.now(), step: result });
    }

    /// Notes that an invariant does not hold.
    pub(crate) fn violation(&mut self, violation: &Violation) {
        self.write(&Broken { at: self.clock.now(), violation });
    }

    /// How many changes there were, or why the lines are not all written.
    pub(crate) fn finish(mut self) -> Result<u64, io::Error> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        self.sink.as_mut().map_or(Ok(()), Write::flush)?;
        Ok(self.commits)
    }

    fn write(&mut self, line: &impl Serialize) {
        let Some(sink) = self.sink.as_mut().filter(|_| self.failure.is_none()) else { return };
        let mut bytes = serde_json::to_vec(line).expect("invariant: a line is JSON");
        bytes.push(b'\n');
        self.failure = sink.write_all(&bytes).err();
    }
}

/// FNV-1a: tells bytes apart, protects nothing.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
