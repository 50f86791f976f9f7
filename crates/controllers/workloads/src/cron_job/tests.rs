//! Upstream's tables of what a CronJob needs.

#![allow(clippy::needless_pass_by_value, reason = "a table reads best with its JSON in place")]

use serde_json::{Value, json};

use super::*;
use jiff::Timestamp;
use jiff::ToSpan;

mod due;
mod sync;

/// Ten o'clock on a Thursday.
fn hour() -> Timestamp {
    "2016-05-19T10:00:00Z".parse().unwrap()
}

/// So long after (`7d1m11s`) or before (`-59m`) ten o'clock.
fn at(offset: &str) -> Timestamp {
    let span: jiff::Span = if offset == "0" { 0.seconds() } else { offset.parse().unwrap() };
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    hour() + span.to_duration(day).unwrap()
}

fn cron(schedule: &str, spec: Value, created: Timestamp, last: Option<Timestamp>) -> CronJob {
    let mut cron = json!({
        "metadata": {"name": "mycronjob", "namespace": "snazzycats", "uid": "1a2b3c", "creationTimestamp": created},
        "spec": {
            "schedule": schedule,
            "jobTemplate": {
                "metadata": {"labels": {"a": "b"}, "annotations": {"x": "y"}},
                "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "foo/bar"}]}}},
            },
        },
        "status": {"lastScheduleTime": last},
    });
    for (key, value) in spec.as_object().unwrap() {
        cron["spec"][key] = value.clone();
    }
    serde_json::from_value(cron).unwrap()
}

/// Upstream's `TestGetJobFromTemplate2`.
#[test]
fn a_job_has_the_templates_metadata_and_the_time_it_was_due() {
    for (zone, expected) in [
        (Some("UTC"), "2016-05-19T10:00:00Z"),
        (None, "2016-05-19T10:00:00Z"),
        (Some("Europe/Rome"), "2016-05-19T12:00:00+02:00"),
    ] {
        let cron = cron("* * * * ?", json!({"timeZone": zone}), hour(), None);
        let job = job::job(&cron, hour());
        assert_eq!(job.metadata.name.as_deref(), Some("mycronjob-24394200"));
        assert_eq!(json!(job.metadata.labels), json!({"a": "b"}));
        assert_eq!(json!(job.metadata.annotations), json!({"x": "y", job::SCHEDULED: expected}));
        assert_eq!(controller_uid(&job.metadata), Some("1a2b3c"));
        assert_eq!(controller_of(&job.metadata).unwrap().kind, "CronJob");
        assert_eq!(job.spec, cron.spec.unwrap().job_template.spec);
    }
}

fn started(name: &str, start: Option<&str>, ended: Option<&str>) -> Arc<Job> {
    let conditions: Vec<_> = ended.iter().map(|type_| json!({"type": type_, "status": "True"})).collect();
    let status = json!({"startTime": start.map(at), "conditions": conditions});
    Arc::new(serde_json::from_value(json!({"metadata": {"name": name}, "status": status})).unwrap())
}

fn names(jobs: &[Arc<Job>]) -> Vec<&str> {
    jobs.iter().filter_map(|job| job.metadata.name.as_deref()).collect()
}

/// Upstream's `TestByJobStartTime`.
#[test]
fn jobs_are_ordered_by_their_start_and_their_name() {
    type Pair = [(&'static str, Option<&'static str>); 2];
    let table: [(Pair, [&str; 2]); 5] = [
        ([("b", None), ("a", None)], ["a", "b"]),
        ([("a", None), ("b", Some("0"))], ["b", "a"]),
        ([("a", Some("0")), ("b", None)], ["a", "b"]),
        ([("b", Some("0")), ("a", Some("0"))], ["a", "b"]),
        ([("a", Some("1d")), ("b", Some("0"))], ["b", "a"]),
    ];
    for (given, expected) in table {
        let mut jobs: Vec<_> = given.iter().map(|(name, start)| started(name, *start, None)).collect();
        job::sort_by_start(&mut jobs);
        assert_eq!(names(&jobs), expected, "{given:?}");
    }
}

/// Upstream's `TestControllerV2CleanupFinishedJobs`, and failed ones.
#[test]
fn the_oldest_beyond_the_histories_go() {
    let jobs = [
        started("old", Some("-61m"), Some("Complete")),
        started("new", Some("-1m"), Some("Complete")),
        started("failed", Some("-30m"), Some("Failed")),
        started("running", Some("-90m"), None),
    ];
    for (limits, expected) in [
        (json!({"successfulJobsHistoryLimit": 1}), vec!["old"]),
        (json!({"successfulJobsHistoryLimit": 2}), vec![]),
        (json!({"successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0}), vec!["old", "new", "failed"]),
        (json!({}), vec![]),
    ] {
        assert_eq!(
            names(&job::surplus(&cron("0 * * * ?", limits.clone(), hour(), None), &jobs)),
            expected,
            "{limits}"
        );
    }
}
