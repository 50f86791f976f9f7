//! The rows of Jobs and CronJobs.

use jiff::Timestamp;
use mainstay_resource::meta;
use serde_json::Value;

use super::age;
use super::cell::{self, NONE};
use super::printer::{Layout, column, number, truth, wide};
use crate::fields::{at, list, text};

/// The layout of a kind of `batch`.
pub(super) fn layout(kind: &str) -> Option<Layout> {
    match kind {
        "Job" => Some(JOB),
        "CronJob" => Some(CRON_JOB),
        _ => None,
    }
}

const JOB: Layout = Layout {
    columns: &[
        column("Name"),
        column("Status"),
        column("Completions"),
        column("Duration"),
        column("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |job, now| {
        let [containers, images] = cell::containers(job, &["spec", "template", "spec"]);
        vec![
            cell::name(job),
            status(job).into(),
            completions(job).into(),
            duration(job, now).into(),
            cell::age(job, now),
            containers,
            images,
            cell::selector(job, &["spec", "selector"]),
        ]
    },
};

fn status(job: &Value) -> &'static str {
    let has = |kind: &str| cell::condition(job, kind) == Some("True");
    if has("Complete") {
        "Complete"
    } else if has("Failed") {
        "Failed"
    } else if meta::deletion_timestamp(job).is_some() {
        "Terminating"
    } else if has("Suspended") {
        "Suspended"
    } else if has("FailureTarget") {
        "FailureTarget"
    } else {
        "Running"
    }
}

fn completions(job: &Value) -> String {
    let done = crate::fields::number(job, &["status", "succeeded"]).unwrap_or(0);
    if let Some(wanted) = crate::fields::number(job, &["spec", "completions"]) {
        return format!("{done}/{wanted}");
    }
    match crate::fields::number(job, &["spec", "parallelism"]).unwrap_or(0) {
        parallel if parallel > 1 => format!("{done}/1 of {parallel}"),
        _ => format!("{done}/1"),
    }
}

fn duration(job: &Value, now: Timestamp) -> String {
    let Ok(start) = text(job, &["status", "startTime"]).parse::<Timestamp>() else { return String::new() };
    let end = text(job, &["status", "completionTime"]).parse().unwrap_or(now);
    age::human(end.as_second() - start.as_second())
}

const CRON_JOB: Layout = Layout {
    columns: &[
        column("Name"),
        column("Schedule"),
        column("Timezone"),
        truth("Suspend"),
        number("Active"),
        column("Last Schedule"),
        column("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |job, now| {
        let [containers, images] =
            cell::containers(job, &["spec", "jobTemplate", "spec", "template", "spec"]);
        let suspended = match at(job, &["spec", "suspend"]).and_then(Value::as_bool) {
            Some(true) => "True",
            Some(false) => "False",
            None => cell::UNSET,
        };
        let last = match text(job, &["status", "lastScheduleTime"]) {
            "" => NONE.to_owned(),
            stamp => age::since(stamp, now),
        };
        vec![
            cell::name(job),
            cell::text_or(job, &["spec", "schedule"], ""),
            cell::text_or(job, &["spec", "timeZone"], NONE),
            suspended.into(),
            list(job, &["status", "active"]).len().into(),
            last.into(),
            cell::age(job, now),
            containers,
            images,
            cell::selector(job, &["spec", "jobTemplate", "spec", "selector"]),
        ]
    },
};
