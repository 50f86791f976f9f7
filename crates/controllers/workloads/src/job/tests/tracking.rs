//! Upstream's `TestTrackJobStatusAndRemoveFinalizers`, with the gates on that are by default.

use k8s_openapi::api::batch::v1::JobStatus;
use serde_json::{Value, json};

use super::super::conditions::condition;
use super::super::plan::After;
use super::super::view::FINALIZER;
use super::*;

/// Pods as `a:S`: a uid and a phase, then `!` for one that is to be deleted, `-` for one without its
/// finalizer, `@1` for its index and `#0` for the failures before it, `*` for one that was disrupted,
/// `=3` for the code its container ended with.
pub(super) fn pods_of(texts: &str) -> Vec<Arc<Pod>> {
    let words = texts.split(' ').filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (uid, rest) = word.split_once(':').unwrap();
            let phase = ["Succeeded", "Failed", "Running", "Pending"]
                .into_iter()
                .find(|own| own.starts_with(&rest[..1]));
            let after = |mark: char| {
                rest.split_once(mark).map(|(_, rest)| rest.split(['@', '#', '=']).next().unwrap())
            };
            let mut metadata =
                json!({"finalizers": if rest.contains('-') { json!([]) } else { json!([FINALIZER]) }});
            if rest.contains('!') {
                metadata["deletionTimestamp"] = json!(NOW);
            }
            metadata["annotations"] = json!({
                "batch.kubernetes.io/job-completion-index": after('@').unwrap_or("none"),
                "batch.kubernetes.io/job-index-failure-count": after('#').unwrap_or("0"),
            });
            let mut status = json!({});
            if rest.contains('*') {
                status["conditions"] = json!([{"type": "DisruptionTarget", "status": "True"}]);
            }
            if let Some(code) = after('=') {
                let ended = json!({"exitCode": code.parse::<i32>().unwrap(), "finishedAt": ago(3600)});
                status["containerStatuses"] = json!([{
                    "name": "x", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                    "state": {"terminated": ended},
                }]);
            }
            pod(uid, phase.unwrap(), None, metadata, status)
        })
        .collect()
}

/// What a status counts: uncounted, succeeded and failed, completed and failed indexes, how it ended.
pub(super) fn text(status: &JobStatus) -> String {
    let uncounted = status.uncounted_terminated_pods.clone().unwrap_or_default();
    let list = |list: Option<Vec<String>>| list.unwrap_or_default().join(",");
    let count = |count: Option<i32>| count.unwrap_or_default();
    let ends: Vec<&str> = status.conditions.iter().flatten().map(|own| &*own.type_).collect();
    format!(
        "S={} F={} {}/{} done={} lost={} {}",
        list(uncounted.succeeded),
        list(uncounted.failed),
        count(status.succeeded),
        count(status.failed),
        status.completed_indexes.as_deref().unwrap_or_default(),
        status.failed_indexes.as_deref().unwrap_or_default(),
        ends.join(",")
    )
}

#[derive(Default)]
struct Case {
    spec: Value,
    /// Succeeded and failed, uncounted ones of each, completed indexes, conditions.
    counts: (i32, i32),
    uncounted: (&'static str, &'static str),
    done: &'static str,
    ends: &'static str,
    deleting: bool,
    pods: &'static str,
    released: &'static str,
    finished: &'static str,
    changed: bool,
    refuses: bool,
    /// How many finalizers are to go, and the statuses written.
    release: usize,
    writes: &'static [&'static str],
}

fn indexed(completions: i32) -> Value {
    json!({"completionMode": "Indexed", "completions": completions})
}

fn per_index() -> Value {
    json!({"completionMode": "Indexed", "completions": 6, "backoffLimitPerIndex": 1})
}

fn one() -> Value {
    json!({"completions": 1, "parallelism": 1})
}

fn cases() -> Vec<Case> {
    let case = Case { spec: json!({"parallelism": null}), ..Case::default() };
    let with = |change: fn(&mut Case)| {
        let mut case = Case { spec: case.spec.clone(), ..Case::default() };
        change(&mut case);
        case
    };
    vec![
        with(|_| {}),
        with(|case| {
            case.changed = true;
            case.writes = &["S= F= 0/0 done= lost= "];
        }),
        with(|case| {
            case.pods = "a:S b:F c:S! d:F! e:P! f:P g:R";
            case.release = 5;
            case.writes = &["S=a,c F=b,d,e 0/0 done= lost= ", "S= F= 2/3 done= lost= "];
        }),
        with(|case| {
            (case.counts, case.uncounted) = ((2, 3), ("a,e", "b,f"));
            case.pods = "e:S- x:F- y:P- a:S b:F c:S d:F";
            case.release = 4;
            case.writes = &["S=a,c F=b,d 3/4 done= lost= ", "S= F= 5/6 done= lost= "];
        }),
        with(|case| {
            (case.counts, case.uncounted, case.released) = ((2, 3), ("a,g", "b,h"), "c,d,g,h");
            case.pods = "a:S b:F c:S d:F e:S f:F g:S h:F";
            case.release = 4;
            case.writes = &["S=a,e F=b,f 3/4 done= lost= ", "S= F= 5/6 done= lost= "];
        }),
        with(|case| {
            (case.pods, case.finished) = ("a:S b:F c:P", "SuccessCriteriaMet");
            case.release = 3;
            case.writes = &[
                "S=a F=b 0/0 done= lost= SuccessCriteriaMet",
                "S= F= 1/1 done= lost= SuccessCriteriaMet,Complete",
            ];
        }),
        with(|case| {
            (case.pods, case.finished) = ("a:S b:F", "Complete");
            case.release = 2;
            case.writes = &["S=a F=b 0/0 done= lost= ", "S= F= 1/1 done= lost= Complete"];
        }),
        with(|case| {
            (case.pods, case.finished) = ("a:S b:F c:R", "Failed");
            case.release = 3;
            case.writes = &["S=a F=b,c 0/0 done= lost= ", "S= F= 1/2 done= lost= Failed"];
        }),
        with(|case| {
            (case.pods, case.deleting) = ("a:S b:F c:R", true);
            case.release = 3;
            case.writes = &["S=a F=b 0/0 done= lost= ", "S= F= 1/1 done= lost= "];
        }),
        with(|case| {
            (case.pods, case.refuses) = ("a:S b:F", true);
            case.release = 2;
            case.writes = &["S=a F=b 0/0 done= lost= "];
        }),
        with(|case| {
            (case.uncounted, case.refuses) = (("a", "b"), true);
            case.pods = "a:S- c:S d:F";
            case.release = 2;
            case.writes = &["S=c F=d 1/1 done= lost= "];
        }),
        with(|case| {
            (case.spec, case.pods) = (indexed(6), "a:S@1 b:S@3 c:S@3 d:R@5 e:S");
            case.release = 4;
            case.writes = &["S= F= 2/0 done=1,3 lost= "];
        }),
        with(|case| {
            (case.spec, case.counts, case.done) = (indexed(2), (1, 0), "3");
            case.pods = "a:R@0 b:R@1";
            case.writes = &["S= F= 0/0 done= lost= "];
        }),
        with(|case| {
            (case.spec, case.counts, case.done) = (indexed(2), (1, 0), "3");
            case.pods = "a:R@0 b:S@1";
            case.release = 1;
            case.writes = &["S= F= 1/0 done=1 lost= "];
        }),
        with(|case| {
            (case.spec, case.pods) = (indexed(6), "a:F@1 b:F@3 c:F@3 d:R@5 e:F");
            case.release = 4;
            case.writes = &["S= F=a,b,c 0/0 done= lost= ", "S= F= 0/3 done= lost= "];
        }),
        with(|case| {
            (case.spec, case.counts, case.done) = (indexed(7), (5, 2), "0-2,4,6,7");
            case.pods = "x:S-@0 y:F-@1 c:S@1 d:S@3 a:F@2 b:F@5";
            case.release = 4;
            case.writes = &["S= F=a,b 6/2 done=0-4,6 lost= ", "S= F= 6/4 done=0-4,6 lost= "];
        }),
        with(|case| {
            (case.uncounted, case.finished) = (("", "a,b"), "Failed");
            case.pods = "a:F b:S";
            case.release = 2;
            case.writes = &["S= F= 0/2 done= lost= Failed"];
        }),
        with(|case| {
            (case.spec, case.uncounted, case.finished) = (one(), ("", "a"), "Failed");
            case.pods = "a:F";
            case.release = 1;
            case.writes = &["S= F= 0/1 done= lost= Failed"];
        }),
        with(|case| {
            (case.spec, case.uncounted, case.finished) = (one(), ("", "a"), "Failed");
            (case.ends, case.pods) = ("FailureTarget", "a:R!-");
            case.writes = &["S= F= 0/1 done= lost= FailureTarget"];
        }),
        with(|case| {
            (case.spec, case.uncounted, case.finished) = (one(), ("b", "a"), "Complete");
            (case.ends, case.pods) = ("SuccessCriteriaMet", "a:R!-");
            case.writes = &["S= F= 1/1 done= lost= SuccessCriteriaMet"];
        }),
        with(|case| {
            (case.spec, case.pods) = (per_index(), "a:F@1#0");
            case.writes = &["S= F= 0/0 done= lost= "];
        }),
        with(|case| {
            (case.spec, case.pods) = (per_index(), "a:F@1#0 b:R@1#1");
            case.release = 1;
            case.writes = &["S= F=a 0/0 done= lost= ", "S= F= 0/1 done= lost= "];
        }),
        with(|case| {
            (case.spec, case.pods) = (per_index(), "a:F@1#1");
            case.release = 1;
            case.writes = &["S= F=a 0/0 done= lost=1 ", "S= F= 0/1 done= lost=1 "];
        }),
    ]
}

fn list(text: &str) -> Vec<&str> {
    text.split(',').filter(|one| !one.is_empty()).collect()
}

fn job_of(case: &Case) -> Job {
    let ends: Vec<Value> = list(case.ends)
        .iter()
        .map(|type_| json!({"type": type_, "status": "True", "reason": "", "message": ""}))
        .collect();
    let status = json!({
        "succeeded": case.counts.0, "failed": case.counts.1,
        "uncountedTerminatedPods": {"succeeded": list(case.uncounted.0), "failed": list(case.uncounted.1)},
        "completedIndexes": Some(case.done).filter(|done| !done.is_empty()), "conditions": ends,
    });
    let metadata = if case.deleting { json!({"deletionTimestamp": NOW}) } else { json!({}) };
    job(case.spec.clone(), status, metadata)
}

#[test]
fn pods_that_ended_are_listed_released_and_counted() {
    let cases = cases();
    assert_eq!(cases.len(), 23);
    for (place, case) in cases.iter().enumerate() {
        let job = job_of(case);
        let mut view = View::new(&job, job.spec.as_ref().unwrap(), pods_of(case.pods), now());
        view.released = list(case.released).iter().map(|uid| (*uid).to_owned()).collect();
        let (release, writes) = tracked(&view, case);
        assert_eq!(
            (release, writes.as_slice()),
            (case.release, &*case.writes.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()),
            "case {place}: {}",
            case.pods
        );
    }
}

/// How many finalizers are to go, and the statuses written, as the controller does it.
fn tracked(view: &View<'_>, case: &Case) -> (usize, Vec<String>) {
    let tally = view.tally();
    let finished =
        Some(case.finished).filter(|type_| !type_.is_empty()).map(|type_| condition(type_, "", "", now()));
    let mut after = After {
        status: view.status.clone(),
        finished,
        terminating: tally.terminating,
        changed: case.changed,
        told: Vec::new(),
    };
    let mut tracking = track::begin(view, &tally, &mut after);
    let mut writes: Vec<String> = after.changed.then(|| text(&after.status)).into_iter().collect();
    let release = tracking.release.clone();
    let gone: Vec<&Pod> = if case.refuses { vec![] } else { release.iter().map(AsRef::as_ref).collect() };
    let counted = track::released(&mut tracking, &mut after.status, &gone);
    let ended = !case.refuses && track::end(&tracking, &mut after);
    if counted || ended {
        writes.push(text(&after.status));
    }
    (release.len(), writes)
}

/// Upstream's `too many finished` and `too many indexed finished`. An index counts once it is seen to
/// have succeeded, whenever its pod is let go.
#[test]
fn no_more_than_five_hundred_pods_are_on_their_way_at_a_time() {
    let many = |count: usize, is_indexed: bool| -> Vec<Arc<Pod>> {
        let index = |place: usize| is_indexed.then(|| place.to_string());
        (0..count)
            .map(|place| {
                pod(&format!("p{place}"), "Succeeded", index(place).as_deref(), json!({}), json!({}))
            })
            .collect()
    };
    let mut pods = many(500, false);
    pods.push(pod("b", "Failed", None, json!({}), json!({})));
    let known = json!({"uncountedTerminatedPods": {"failed": ["a", "b"]}});
    for (spec, status, pods, release, expected) in
        [(json!({}), known, pods, 499, (499, 1)), (indexed(501), json!({}), many(501, true), 500, (501, 0))]
    {
        let job = job(spec, status, json!({}));
        let view = View::new(&job, job.spec.as_ref().unwrap(), pods, now());
        let tally = view.tally();
        let mut after = After {
            status: view.status.clone(),
            finished: None,
            terminating: 0,
            changed: false,
            told: Vec::new(),
        };
        let mut tracking = track::begin(&view, &tally, &mut after);
        assert_eq!(tracking.release.len(), release);
        let gone = tracking.release.clone();
        track::released(
            &mut tracking,
            &mut after.status,
            &gone.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        );
        let counts = (after.status.succeeded.unwrap_or_default(), after.status.failed.unwrap_or_default());
        assert_eq!(counts, expected);
    }
}

/// Upstream's `TestEnsureJobConditions`.
#[test]
fn a_condition_is_set_once_and_not_to_begin_with_untrue() {
    let with = |type_: &str, status: &str, reason: &str| {
        let mut condition = condition(type_, reason, "bar", now());
        condition.status = status.to_owned();
        condition
    };
    for (before, next, expected, changes) in [
        (vec![], with("Suspended", "True", "foo"), vec!["Suspended: foo"], true),
        (vec![], with("Suspended", "False", "foo"), vec![], false),
        (
            vec![with("Suspended", "True", "foo")],
            with("Suspended", "False", "baz"),
            vec!["!Suspended: baz"],
            true,
        ),
        (
            vec![with("Suspended", "True", "foo")],
            with("Suspended", "True", "foo"),
            vec!["Suspended: foo"],
            false,
        ),
        (
            vec![with("Suspended", "True", "foo")],
            with("Suspended", "True", "baz"),
            vec!["Suspended: baz"],
            true,
        ),
        (
            vec![with("Complete", "True", "foo")],
            with("Failed", "True", "baz"),
            vec!["Complete: foo", "Failed: baz"],
            true,
        ),
    ] {
        let mut status = JobStatus { conditions: Some(before), ..JobStatus::default() };
        assert_eq!(super::super::conditions::ensure(&mut status, next), changes);
        assert_eq!(conditions(&status), expected);
    }
}
