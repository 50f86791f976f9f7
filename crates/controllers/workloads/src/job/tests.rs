//! Upstream's tables of what a Job needs.

#![allow(clippy::needless_pass_by_value, reason = "a table reads best with its JSON in place")]

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::plan::{self, Done, Work};
use super::view::{FINALIZER, View, number};
use super::{pods, track};
use crate::told::Told;

mod backoff;
mod ends;
mod indexes;
mod policies;
mod sync;
mod tally;
mod tracking;

const NOW: &str = "2026-01-01T00:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// So many seconds before now.
fn ago(seconds: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_secs(seconds)
}

/// A Job with this spec and status, and metadata beyond its name.
fn job(spec: Value, status: Value, metadata: Value) -> Job {
    let mut job = json!({
        "metadata": {"name": "foobar", "namespace": "default", "uid": "job"},
        "spec": {
            "parallelism": 1, "backoffLimit": 6, "suspend": false,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "foo/bar"}]}},
        },
        "status": status,
    });
    for (part, fields) in [("spec", spec), ("metadata", metadata)] {
        for (key, value) in fields.as_object().unwrap() {
            job[part][key] = value.clone();
        }
    }
    serde_json::from_value(job).unwrap()
}

/// A pod of the Job, tracked: its phase, its index, what its metadata and its status have beyond.
fn pod(name: &str, phase: &str, index: Option<&str>, metadata: Value, status: Value) -> Arc<Pod> {
    let ended = json!([{
        "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 0, "finishedAt": ago(3600)}},
    }]);
    let mut pod = json!({
        "metadata": {
            "name": name, "namespace": "default", "uid": name, "finalizers": [FINALIZER],
            "annotations": index.map(|index| json!({"batch.kubernetes.io/job-completion-index": index})),
        },
        "status": {"phase": phase, "containerStatuses": ended},
    });
    for (part, fields) in [("metadata", metadata), ("status", status)] {
        for (key, value) in fields.as_object().unwrap() {
            pod[part][key] = value.clone();
        }
    }
    Arc::new(serde_json::from_value(pod).unwrap())
}

/// What a turn of work came to.
#[derive(Debug)]
struct Turn {
    status: JobStatus,
    /// The indexes of the pods created, or tried.
    created: Vec<Option<i32>>,
    deleted: i32,
    /// Finalizers taken off, or tried.
    patched: usize,
    told: Vec<Told>,
    again: Option<std::time::Duration>,
}

/// How the server behaves.
#[derive(Clone, Copy, Debug, Default)]
struct Server {
    /// It refuses everything that has to do with pods.
    refuses: bool,
    /// It takes no more pods than these.
    limit: Option<usize>,
}

/// A turn of work, as the controller does it.
fn turn(view: &mut View<'_>, server: Server) -> Turn {
    let tally = view.tally();
    let plan = plan::plan(view, &tally);
    let (mut created, mut done, mut patched) = (Vec::new(), Done::default(), 0);
    match &plan.work {
        Work::Create(indexes) => {
            let tried = if server.refuses { 1 } else { server.limit.unwrap_or(usize::MAX) };
            created = indexes.iter().copied().take(tried).collect();
            done.created = if server.refuses { 0 } else { number(created.len()) };
        }
        Work::End(pods) | Work::Remove(pods) => {
            let is_kept = matches!(plan.work, Work::End(_));
            patched += if is_kept { 0 } else { pods.iter().filter(|pod| super::has_finalizer(pod)).count() };
            if !server.refuses {
                done.deleted = number(pods.len());
                done.deleted_ready = number(pods.iter().filter(|pod| pods::is_ready(pod)).count());
            }
        }
        Work::None | Work::Wait(_) | Work::Keep => {}
    }
    let mut after = plan::conclude(view, &tally, &plan, done);
    let mut tracking = track::begin(view, &tally, &mut after);
    patched += tracking.release.len();
    if !server.refuses {
        let released = tracking.release.clone();
        let released: Vec<&Pod> = released.iter().map(AsRef::as_ref).collect();
        track::released(&mut tracking, &mut after.status, &released);
        if track::end(&tracking, &mut after) {
            after.told.extend(track::told(view, &after));
        }
    }
    Turn {
        status: after.status,
        created,
        deleted: done.deleted,
        patched,
        told: after.told,
        again: plan.again,
    }
}

/// A status's conditions: type, whether it holds, reason, message.
fn conditions(status: &JobStatus) -> Vec<String> {
    let conditions = status.conditions.iter().flatten();
    conditions
        .map(|own| {
            let not = if own.status == "True" { "" } else { "!" };
            format!("{not}{}: {}", own.type_, own.reason.as_deref().unwrap_or_default())
        })
        .collect()
}
