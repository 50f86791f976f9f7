//! The timeline: every committed change and step result, as JSON lines in order.
//!
//! A change is told by its key, revision and a digest of its bytes, so that a day's timeline stays
//! small and two runs are equal exactly when their objects were.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use mainstay_base::Clock;
use mainstay_store::{Event, EventKind};
use serde::Serialize;

use crate::report::StepResult;

/// Collects lines; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    clock: Clock,
    collected: Arc<Mutex<Collected>>,
}

#[derive(Debug, Default)]
struct Collected {
    lines: Vec<u8>,
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

impl Timeline {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, collected: Arc::default() }
    }

    /// Notes a committed change of a region.
    pub(crate) fn change(&self, region: &str, event: &Event) {
        let record = &event.record;
        let kind = match event.kind {
            EventKind::Added => "ADDED",
            EventKind::Modified => "MODIFIED",
            EventKind::Deleted => "DELETED",
        };
        self.push(
            &Change {
                at: self.clock.now(),
                region,
                revision: event.revision,
                kind,
                resource: record.key.resource.trim_start_matches('/'),
                namespace: &record.key.namespace,
                name: &record.key.name,
                digest: format!("{:016x}", fnv(&record.value)),
            },
            1,
        );
    }

    /// Notes what became of a step.
    pub(crate) fn step(&self, result: &StepResult) {
        self.push(&Step { at: self.clock.now(), step: result }, 0);
    }

    /// The lines and how many of them are commits.
    pub(crate) fn finish(&self) -> (Vec<u8>, u64) {
        let mut collected = self.collected.lock().expect("invariant: no panic under this lock");
        (std::mem::take(&mut collected.lines), collected.commits)
    }

    fn push(&self, line: &impl Serialize, commits: u64) {
        let mut collected = self.collected.lock().expect("invariant: no panic under this lock");
        serde_json::to_writer(&mut collected.lines, line).expect("invariant: a line is JSON");
        collected.lines.push(b'\n');
        collected.commits += commits;
    }
}

/// FNV-1a: tells bytes apart, protects nothing.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
