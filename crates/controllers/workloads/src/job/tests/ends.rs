//! Upstream's tables of how Jobs end by their policies: `TestSyncJobWithJobPodFailurePolicy`,
//! `…SuccessPolicy` and `…BackoffLimitPerIndex`, with the gates on that are by default.

use serde_json::{Value, json};

use super::tracking::{pods_of, text};
use super::*;

/// What a Job asks for, its conditions before, its pods (as in `tracking`), and then: active pods,
/// the counts and the conditions, and the message of the last of these.
struct Row(Value, &'static str, &'static str, i32, &'static str, &'static str);

fn run(rows: Vec<Row>) {
    for (place, Row(spec, before, pods, active, counts, message)) in rows.into_iter().enumerate() {
        let before: Vec<Value> = before
            .split(' ')
            .filter_map(|condition| condition.split_once('='))
            .map(|(type_, reason)| json!({"type": type_, "status": "True", "reason": reason, "message": "before"}))
            .collect();
        let job = job(spec, json!({ "conditions": before }), json!({}));
        let mut view = View::new(&job, job.spec.as_ref().unwrap(), pods_of(pods), now());
        let turn = turn(&mut view, Server::default());
        let status = &turn.status;
        assert_eq!(text(status), counts, "row {place}: {pods}");
        assert_eq!(status.active.unwrap_or_default(), active, "row {place}: {pods}");
        let last = status.conditions.iter().flatten().last().and_then(|own| own.message.as_deref());
        assert_eq!(last.unwrap_or_default(), message, "row {place}: {pods}");
    }
}

fn with(mut spec: Value, more: Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

fn plain(count: i32, limit: i32, rules: Value) -> Value {
    json!({"parallelism": count, "completions": count, "backoffLimit": limit, "podFailurePolicy": {"rules": rules}})
}

fn codes(action: &str, operator: &str, values: &[i32]) -> Value {
    json!({"action": action, "onExitCodes": {"operator": operator, "values": values}})
}

fn disrupted(action: &str) -> Value {
    json!({"action": action, "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]})
}

const LIMIT: &str = "Job has reached the specified backoff limit";

#[test]
fn a_failure_policy_ends_counts_and_spares() {
    let rules = || json!([codes("Ignore", "In", &[1, 2, 3]), codes("FailJob", "In", &[5, 6, 7])]);
    let fails = "Container x for pod default/a failed with exit code 5 matching FailJob rule at index 1";
    let failed = "S= F= 0/1 done= lost= FailureTarget,Failed";
    let named = |mut rule: Value| {
        rule["onExitCodes"]["containerName"] = json!("main-container");
        rule
    };
    let elsewhere =
        json!([named(codes("Ignore", "In", &[1, 2, 3])), named(codes("FailJob", "In", &[5, 6, 7]))]);
    let ignored = json!([disrupted("Ignore")]);
    run(vec![
        Row(plain(1, 6, elsewhere), "", "a:F=5", 1, "S= F= 0/1 done= lost= ", ""),
        Row(plain(1, 6, rules()), "", "a:R=5", 1, "S= F= 0/0 done= lost= ", ""),
        Row(plain(1, 6, rules()), "", "a:F=5", 0, failed, fails),
        Row(plain(1, 6, rules()), "FailureTarget=PodFailurePolicy", "a:F=5", 0, failed, "before"),
        // The running pod is deleted and counted, and waited for.
        Row(plain(2, 6, rules()), "", "b:R a:F=5", 0, "S= F= 0/2 done= lost= FailureTarget", fails),
        Row(
            with(plain(1, 6, rules()), json!({"completionMode": "Indexed"})),
            "",
            "a:F=5@0",
            0,
            failed,
            fails,
        ),
        Row(
            plain(1, 6, json!([codes("FailJob", "NotIn", &[5, 6, 7])])),
            "",
            "a:F=42",
            0,
            failed,
            "Container x for pod default/a failed with exit code 42 matching FailJob rule at index 0",
        ),
        Row(
            plain(1, 6, json!([codes("FailJob", "NotIn", &[5, 6, 7])])),
            "",
            "a:F=5",
            1,
            "S= F= 0/1 done= lost= ",
            "",
        ),
        Row(plain(1, 0, rules()), "", "a:F=1", 1, "S= F= 0/0 done= lost= ", ""),
        Row(plain(1, 0, rules()), "", "a:F=10", 0, failed, LIMIT),
        Row(
            plain(1, 6, json!([codes("Count", "In", &[1, 2]), codes("Ignore", "In", &[2, 3])])),
            "",
            "a:F=2",
            1,
            "S= F= 0/1 done= lost= ",
            "",
        ),
        Row(
            plain(1, 6, json!([disrupted("Count"), disrupted("Ignore")])),
            "",
            "a:F*",
            1,
            "S= F= 0/1 done= lost= ",
            "",
        ),
        Row(plain(1, 0, ignored), "", "a:F*", 1, "S= F= 0/0 done= lost= ", ""),
        Row(
            plain(1, 6, json!([disrupted("FailJob")])),
            "",
            "a:F*",
            0,
            failed,
            "Pod default/a has condition DisruptionTarget matching FailJob rule at index 0",
        ),
        // With a failure policy a pod that is being deleted has not failed yet, and is not replaced.
        Row(plain(1, 0, json!([disrupted("Ignore")])), "", "a:R!", 0, "S= F= 0/0 done= lost= ", ""),
    ]);
}

fn indexed(count: i32, limit: i64, more: Value) -> Value {
    let spec = json!({
        "parallelism": count, "completions": count, "backoffLimit": limit, "completionMode": "Indexed",
    });
    with(spec, more)
}

const MANY: i64 = 2_147_483_647;

#[test]
fn a_success_policy_ends_a_job_with_what_has_succeeded_unless_it_failed_before() {
    let policy = json!({"rules": [{"succeededIndexes": "0,1", "succeededCount": 1}]});
    let met = || json!({ "successPolicy": policy });
    let fails = || with(met(), json!({"podFailurePolicy": {"rules": [disrupted("FailJob")]}}));
    let each = |limit: i32| with(met(), json!({ "backoffLimitPerIndex": limit }));
    let matched = "Matched rules at index 0";
    run(vec![
        Row(
            indexed(3, MANY, met()),
            "",
            "a1:F@0 a2:R@0 b:S@1 c:R@2",
            0,
            "S= F= 1/1 done=1 lost= SuccessCriteriaMet",
            matched,
        ),
        Row(
            indexed(2, MANY, fails()),
            "",
            "a1:F@0 a2:R@0 b:S@1",
            0,
            "S= F= 1/1 done=1 lost= SuccessCriteriaMet",
            matched,
        ),
        Row(
            indexed(2, MANY, each(2)),
            "",
            "a1:F@0 a2:R@0 b:S@1",
            0,
            "S= F= 1/1 done=1 lost= SuccessCriteriaMet",
            matched,
        ),
        Row(
            indexed(2, MANY, met()),
            "SuccessCriteriaMet=SuccessPolicy",
            "a:F@0 b:S@1",
            0,
            "S= F= 1/1 done=1 lost= SuccessCriteriaMet,Complete",
            "before",
        ),
        Row(
            indexed(2, MANY, fails()),
            "",
            "a1:F*@0 a2:R@0 b:S@1",
            0,
            "S= F= 1/2 done=1 lost= FailureTarget",
            "Pod default/a1 has condition DisruptionTarget matching FailJob rule at index 0",
        ),
        Row(
            indexed(2, MANY, each(1)),
            "",
            "a:F@0#1 b:S@1",
            0,
            "S= F= 1/1 done=1 lost=0 FailureTarget,Failed",
            "Job has failed indexes",
        ),
        Row(
            indexed(2, 1, met()),
            "",
            "a1:F@0 a2:F@0 b:S@1",
            0,
            "S= F= 1/2 done=1 lost= FailureTarget,Failed",
            LIMIT,
        ),
        Row(
            indexed(2, MANY, fails()),
            "SuccessCriteriaMet=SuccessPolicy",
            "a:F*@0 b:S@1",
            0,
            "S= F= 1/1 done=1 lost= SuccessCriteriaMet,Complete",
            "before",
        ),
        Row(
            indexed(2, MANY, each(1)),
            "SuccessCriteriaMet=SuccessPolicy",
            "a:F@0#1 b:S@1",
            0,
            "S= F= 1/1 done=1 lost=0 SuccessCriteriaMet,Complete",
            "before",
        ),
        Row(
            indexed(2, 1, met()),
            "SuccessCriteriaMet=SuccessPolicy",
            "a:F@0 b:S@1",
            0,
            "S= F= 1/1 done=1 lost= SuccessCriteriaMet,Complete",
            "before",
        ),
        Row(
            indexed(2, MANY, fails()),
            "FailureTarget=PodFailurePolicy",
            "a:F*-@0 b:S@1",
            0,
            "S= F= 1/0 done=1 lost= FailureTarget,Failed",
            "before",
        ),
        Row(
            indexed(1, MANY, json!({})),
            "",
            "a1:S@0",
            0,
            "S= F= 1/0 done=0 lost= SuccessCriteriaMet,Complete",
            "Reached expected number of succeeded pods",
        ),
    ]);
}

#[test]
fn indexes_fail_for_themselves_and_the_job_by_their_number() {
    let each = || json!({"backoffLimitPerIndex": 1});
    let rule =
        |action: &str| with(each(), json!({"podFailurePolicy": {"rules": [codes(action, "In", &[3])]}}));
    let most = || with(each(), json!({"maxFailedIndexes": 1}));
    run(vec![
        Row(
            indexed(2, MANY, each()),
            "",
            "a1:F@0#0 a2:S@0#1 b:S@1#0",
            0,
            "S= F= 2/1 done=0,1 lost= SuccessCriteriaMet,Complete",
            "Reached expected number of succeeded pods",
        ),
        Row(indexed(2, MANY, each()), "", "a:F@0#0", 2, "S= F= 0/0 done= lost= ", ""),
        Row(indexed(2, MANY, each()), "", "a:F@0#0 b:P@0#1", 2, "S= F= 0/1 done= lost= ", ""),
        Row(indexed(2, MANY, each()), "", "a:F@0#1", 1, "S= F= 0/1 done= lost=0 ", ""),
        Row(indexed(2, MANY, rule("FailIndex")), "", "a:F@0#0=3", 1, "S= F= 0/1 done= lost=0 ", ""),
        Row(
            indexed(2, 6, rule("FailJob")),
            "",
            "a:F@0#0=3",
            0,
            "S= F= 0/1 done= lost= FailureTarget,Failed",
            "Container x for pod default/a failed with exit code 3 matching FailJob rule at index 0",
        ),
        Row(indexed(2, 6, rule("Ignore")), "", "a:F@0#0=3", 2, "S= F= 0/0 done= lost= ", ""),
        Row(
            indexed(2, 1, each()),
            "",
            "a:F@0#0 b:F@1#0",
            0,
            "S= F= 0/2 done= lost= FailureTarget,Failed",
            LIMIT,
        ),
        Row(
            indexed(2, MANY, each()),
            "",
            "a:F@0#1 b:S@1#0",
            0,
            "S= F= 1/1 done=1 lost=0 FailureTarget,Failed",
            "Job has failed indexes",
        ),
        Row(
            indexed(4, MANY, most()),
            "",
            "a:F@0#1 b:S@1#0 c:F@2#1 d:R@3#0",
            0,
            "S= F= 1/3 done=1 lost=0,2 FailureTarget",
            "Job has exceeded the specified maximal number of failed indexes",
        ),
    ]);
}

/// Upstream's `TestSyncJobPastDeadline`, `TestPastDeadlineJobFinished` and `TestJobBackoffForOnFailure`.
#[test]
fn a_job_ends_when_its_time_or_its_restarts_are_used_up() {
    let started = |seconds: i64, spec: Value| {
        job(with(json!({"completions": 1}), spec), json!({"startTime": ago(seconds).to_string()}), json!({}))
    };
    let ends = |job: &Job, pods: &str| {
        let mut view = View::new(job, job.spec.as_ref().unwrap(), pods_of(pods), now());
        let turn = turn(&mut view, Server::default());
        (conditions(&turn.status).first().cloned(), turn.deleted, turn.again.map(|again| again.as_secs()))
    };
    let deadline = || Some("FailureTarget: DeadlineExceeded".to_owned());
    for (age, seconds, suspend, expected) in [
        (15, 10, false, (deadline(), 1, None)),
        (10, 10, false, (deadline(), 1, None)),
        (9, 10, false, (None, 0, Some(1))),
        (15, 10, true, (Some("Suspended: JobSuspended".to_owned()), 1, None)),
    ] {
        let job = started(age, json!({"activeDeadlineSeconds": seconds, "suspend": suspend}));
        assert_eq!(ends(&job, "a:R"), expected, "{age} {seconds} {suspend}");
    }
    for (restarts, limit, phase, expected) in [
        (0, 1, "Running", false),
        (1, 1, "Running", true),
        (2, 1, "Running", true),
        (1, 0, "Running", true),
        (0, 0, "Running", false),
        (1, 1, "Pending", true),
        (1, 1, "Failed", false),
        (3, 4, "Running", false),
    ] {
        let mut job = started(5, json!({ "backoffLimit": limit }));
        job.spec.as_mut().unwrap().template.spec.as_mut().unwrap().restart_policy =
            Some("OnFailure".to_owned());
        let status = json!({"containerStatuses": [{
            "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": restarts,
        }]});
        let pods = vec![pod("a", phase, None, json!({}), status)];
        let mut view = View::new(&job, job.spec.as_ref().unwrap(), pods, now());
        let turn = turn(&mut view, Server::default());
        let ends = conditions(&turn.status).iter().any(|own| own == "FailureTarget: BackoffLimitExceeded");
        assert_eq!(ends, expected, "{restarts} {limit} {phase}");
    }
}
