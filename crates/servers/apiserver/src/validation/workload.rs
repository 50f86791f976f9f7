//! What makes pods: the selector that finds them again, the template, the counts.

use mainstay_resource::cron::{self, Schedule};
use mainstay_resource::{meta, name};
use serde_json::{Value, json};

use super::check::{Check, go_map, go_selector, value_at};
use super::pod;
use crate::fields::{at, number, text};

/// The kinds of `apps` and `batch`.
pub(super) fn check(check: &mut Check, kind: &str, object: &Value) {
    match kind {
        "Deployment" => {
            selected(check, object, "deployment");
            deployment(check, object);
        }
        "ReplicaSet" => selected(check, object, "replicaset"),
        "StatefulSet" => {
            selected(check, object, "statefulset");
            check.one_of(object, "spec.podManagementPolicy", &["OrderedReady", "Parallel"]);
            check.one_of(object, "spec.updateStrategy.type", &["OnDelete", "RollingUpdate"]);
            check.not_negative(object, "spec.updateStrategy.rollingUpdate.partition");
        }
        "DaemonSet" => {
            selected(check, object, "daemonset");
            check.one_of(object, "spec.updateStrategy.type", &["OnDelete", "RollingUpdate"]);
            both_zero(check, object, "spec.updateStrategy.rollingUpdate");
        }
        "Job" => job(check, object),
        "CronJob" => cron_job(check, object),
        _ => {}
    }
}

/// The selector must be there, not empty, and match the template; the counts not negative.
fn selected(check: &mut Check, object: &Value, kind: &str) {
    for path in ["spec.replicas", "spec.minReadySeconds", "spec.revisionHistoryLimit"] {
        check.not_negative(object, path);
    }
    match at(object, &["spec", "selector"]) {
        None => check.required("spec.selector", ""),
        Some(selector) => selector_matches(check, object, selector, kind),
    }
    // Upstream leaves a StatefulSet's pods to their own creation: their volumes are its claims too.
    if kind != "statefulset" {
        pod::spec(check, object, "spec.template.spec", true);
    }
    let policy = text(object, &["spec", "template", "spec", "restartPolicy"]);
    check.one_of_text("spec.template.spec.restartPolicy", policy, &["Always"]);
    if value_at(object, "spec.template.spec.activeDeadlineSeconds").is_some() {
        let kind = match kind {
            "statefulset" => "StatefulSet",
            "daemonset" => "DaemonSet",
            _ => "ReplicaSet",
        };
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        check.forbidden("spec.template.spec.activeDeadlineSeconds", &why);
    }
}

fn selector_matches(check: &mut Check, object: &Value, selector: &Value, kind: &str) {
    let Some(parsed) = check.selector("spec.selector", selector) else { return };
    if parsed.is_everything() {
        let why = format!("empty selector is invalid for {kind}");
        check.invalid_as("spec.selector", &go_selector(selector), &why);
    }
    let labels = at(object, &["spec", "template", "metadata", "labels"]).and_then(Value::as_object);
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
    if !parsed.matches(&label) {
        let why = "`selector` does not match template `labels`";
        check.invalid_as("spec.template.metadata.labels", &go_map(labels), why);
    }
}

fn deployment(check: &mut Check, object: &Value) {
    check.one_of(object, "spec.strategy.type", &["Recreate", "RollingUpdate"]);
    let kind = text(object, &["spec", "strategy", "type"]);
    if kind == "Recreate" && value_at(object, "spec.strategy.rollingUpdate").is_some() {
        let why = "may not be specified when strategy `type` is 'Recreate'";
        check.forbidden("spec.strategy.rollingUpdate", why);
    } else if kind == "RollingUpdate" {
        both_zero(check, object, "spec.strategy.rollingUpdate");
    }
    check.not_negative(object, "spec.progressDeadlineSeconds");
    let ready = number(object, &["spec", "minReadySeconds"]).unwrap_or(0);
    if let Some(deadline) =
        number(object, &["spec", "progressDeadlineSeconds"]).filter(|deadline| *deadline <= ready)
    {
        check.invalid(
            "spec.progressDeadlineSeconds",
            &json!(deadline),
            "must be greater than minReadySeconds",
        );
    }
}

/// A rolling update that may neither add nor remove a pod never ends.
fn both_zero(check: &mut Check, object: &Value, path: &str) {
    let value = |field: &str| value_at(object, &format!("{path}.{field}"));
    for field in ["maxUnavailable", "maxSurge"] {
        let Some(given) = value(field) else { continue };
        let percent =
            given.as_str().map(|text| text.strip_suffix('%').map(|digits| digits.parse::<u32>().is_ok()));
        if percent.is_some_and(|percent| percent != Some(true)) {
            let why = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
                       '93%', regex used for validation is '[0-9]+%')";
            check.invalid(format!("{path}.{field}"), given, why);
        } else if given.as_i64().is_some_and(|number| number < 0) {
            check.invalid(format!("{path}.{field}"), given, "must be greater than or equal to 0");
        }
    }
    let is_zero =
        |value: Option<&Value>| value.is_some_and(|value| value == &json!(0) || value == &json!("0%"));
    if is_zero(value("maxUnavailable")) && is_zero(value("maxSurge")) {
        let path = format!("{path}.maxUnavailable");
        check.invalid(
            path,
            value("maxUnavailable").unwrap_or(&Value::Null),
            "may not be 0 when `maxSurge` is 0",
        );
    }
}

fn job(check: &mut Check, object: &Value) {
    for field in ["parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished"] {
        check.not_negative(object, &format!("spec.{field}"));
    }
    check.positive(object, "spec.activeDeadlineSeconds");
    check.one_of(object, "spec.completionMode", &["Indexed", "NonIndexed"]);
    if text(object, &["spec", "completionMode"]) == "Indexed"
        && value_at(object, "spec.completions").is_none()
    {
        check.required("spec.completions", "when completion mode is Indexed");
    }
    job_template(check, object, "spec.template.spec");
}

fn job_template(check: &mut Check, object: &Value, path: &str) {
    pod::spec(check, object, path, true);
    let path = format!("{path}.restartPolicy");
    let policy = value_at(object, &path).and_then(Value::as_str).unwrap_or_default();
    if !matches!(policy, "OnFailure" | "Never") {
        check.required(path, "valid values: \"OnFailure\", \"Never\"");
    }
}

fn cron_job(check: &mut Check, object: &Value) {
    // LIMIT: a Job's name is the CronJob's and eleven characters of the time.
    const LONGEST: usize = 63 - 11;
    let given = meta::name(object);
    if given.len() > LONGEST {
        check.invalid("metadata.name", &json!(given), "must be no more than 52 characters");
    }
    let schedule = text(object, &["spec", "schedule"]);
    if schedule.is_empty() {
        check.required("spec.schedule", "");
    } else {
        if let Err(error) = Schedule::parse(schedule) {
            check.invalid("spec.schedule", &json!(schedule), &error.to_string());
        }
        if schedule.contains("TZ") {
            let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            check.invalid("spec.schedule", &json!(schedule), why);
        }
    }
    time_zone(check, object);
    check.one_of(object, "spec.concurrencyPolicy", &["Allow", "Forbid", "Replace"]);
    for field in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        check.not_negative(object, &format!("spec.{field}"));
    }
    job_template(check, object, "spec.jobTemplate.spec.template.spec");
}

fn time_zone(check: &mut Check, object: &Value) {
    const PATH: &str = "spec.timeZone";
    let Some(given) = value_at(object, PATH).filter(|given| !given.is_null()) else { return };
    let name = given.as_str().unwrap_or_default();
    if name.is_empty() {
        check.invalid(PATH, given, "timeZone must be nil or non-empty string");
    } else if name.eq_ignore_ascii_case("Local") {
        let why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        check.invalid(PATH, given, why);
    } else if let Err(unknown) = cron::zone(name) {
        check.invalid(PATH, given, &unknown.to_string());
    }
}

/// A ReplicationController, whose selector is a plain map.
pub(super) fn replication_controller(check: &mut Check, object: &Value) {
    check.not_negative(object, "spec.replicas");
    let selector = at(object, &["spec", "selector"]).and_then(Value::as_object);
    let Some(selector) = selector.filter(|selector| !selector.is_empty()) else {
        return check.required("spec.selector", "");
    };
    let labels = at(object, &["spec", "template", "metadata", "labels"]).and_then(Value::as_object);
    if !selector.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value)) {
        let why = "`selector` does not match template `labels`";
        check.invalid_as("spec.template.metadata.labels", &go_map(labels), why);
    }
    for (key, _) in selector {
        check.named("spec.selector", key, name::qualified_name(key));
    }
    pod::spec(check, object, "spec.template.spec", true);
}
