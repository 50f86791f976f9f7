//! How runs of simulated containers go.

use std::time::Duration;

use jiff::Timestamp;
use mainstay_base::{Random, Seed};
use serde_json::{Value, json};

use super::{Simulated, Task};
use crate::bound::BoundPod;
use crate::runtime::{Answer, Behaviour, Behaviours, Exit, Happening, No, Question, What, Which};

const START: Timestamp = Timestamp::UNIX_EPOCH;
const WEB: Which = Which::Main(0);

fn pod(policy: &str, annotations: &Value) -> BoundPod {
    serde_json::from_value(json!({
        "metadata": { "annotations": annotations },
        "spec": {
            "restartPolicy": policy,
            "initContainers": [{ "name": "migrate", "image": "app:1" }, { "name": "mesh", "restartPolicy": "Always" }],
            "containers": [{ "name": "web", "image": "nginx:1.27",
                "resources": { "limits": { "memory": "128Mi" } },
                "lifecycle": { "preStop": { "exec": { "command": ["drain"] } } } }],
        },
    }))
    .unwrap()
}

fn simulated() -> Simulated {
    Simulated::new(Random::named(Seed(7), "pod"))
}

/// How the `nth` run of a container ends by itself: after how many milliseconds, and with what.
fn end(pod: &BoundPod, which: Which, nth: u32) -> Option<(i64, Exit)> {
    let (behaviours, problems) = Behaviours::of(pod, &[]);
    assert_eq!(problems, []);
    let task = Task::of(pod, behaviours.as_deref(), which).unwrap();
    let (at, exit) = task.end(Seed(7), START, nth)?;
    Some((at.as_millisecond(), exit))
}

#[test]
fn runs_end_as_their_behaviour_says() {
    let code = |code| Some((5_000, Exit::with(code)));
    let short = |code| Some((1_000, Exit::with(code)));
    for (policy, annotations, ends) in [
        ("Always", json!({}), [None, None, None]),
        ("Never", json!({}), [None, None, None]),
        ("Always", json!({ "mainstay.dev/run-for": "5s" }), [code(0); 3]),
        ("Always", json!({ "mainstay.dev/run-for": "5s", "mainstay.dev/exit-code": "3" }), [code(3); 3]),
        ("Always", json!({ "mainstay.dev/exit-code": "3" }), [short(3); 3]),
        ("Always", json!({ "mainstay.dev/web.exit-code": "0" }), [short(0); 3]),
        (
            "Always",
            json!({ "mainstay.dev/run-for": "5s", "mainstay.dev/failures": "2" }),
            [code(1), code(1), None],
        ),
        (
            "OnFailure",
            json!({ "mainstay.dev/run-for": "5s", "mainstay.dev/failures": "2", "mainstay.dev/exit-code": "9" }),
            [code(9), code(9), code(0)],
        ),
        ("Always", json!({ "mainstay.dev/run-for": "5s", "mainstay.dev/failure-ratio": "0" }), [code(0); 3]),
        ("Always", json!({ "mainstay.dev/run-for": "5s", "mainstay.dev/failure-ratio": "1" }), [code(1); 3]),
        ("Always", json!({ "mainstay.dev/oom-after": "5s" }), [Some((5_000, Exit::OOM)); 3]),
        (
            "Always",
            json!({ "mainstay.dev/oom-after": "5s", "mainstay.dev/failures": "1" }),
            [Some((5_000, Exit::OOM)), None, None],
        ),
        (
            "Always",
            json!({ "mainstay.dev/memory": "64Mi", "mainstay.dev/memory-growth": "128Mi" }),
            [Some((1_800_000, Exit::OOM)); 3],
        ),
        ("Always", json!({ "mainstay.dev/memory": "64Mi" }), [None; 3]),
        ("Always", json!({ "mainstay.dev/memory": "1Gi" }), [Some((0, Exit::OOM)); 3]),
    ] {
        let pod = pod(policy, &annotations);
        assert_eq!([0, 1, 2].map(|nth| end(&pod, WEB, nth)), ends, "{policy} {annotations}");
    }
}

#[test]
fn init_containers_prepare_the_pod_sidecars_stay_and_jobs_work() {
    let mut plain = pod("Always", &json!({ "mainstay.dev/exit-code": "1" }));
    let (after, exit) = end(&plain, Which::Init(0), 0).unwrap();
    assert!((200..900).contains(&after) && exit == Exit::with(0));
    assert_eq!(end(&plain, Which::Init(1), 0), None);
    assert_eq!(end(&plain, Which::Init(0), 0), end(&plain, Which::Init(0), 0), "the same each time");
    plain.metadata = serde_json::from_value(json!({ "ownerReferences": [
        { "apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u" },
    ]}))
    .unwrap();
    assert_eq!(end(&plain, WEB, 0), Some((10_000, Exit::with(0))));
}

#[test]
fn a_part_of_the_runs_fails_where_a_ratio_is_said() {
    let flaky = pod("Always", &json!({ "mainstay.dev/run-for": "1s", "mainstay.dev/failure-ratio": "0.25" }));
    let failed = (0..1000).filter(|nth| end(&flaky, WEB, *nth).unwrap().1.code != 0).count();
    assert!((200..300).contains(&failed), "{failed}");
}

#[test]
fn orders_are_carried_out_in_order_and_once() {
    let pod = pod("Always", &json!({ "mainstay.dev/run-for": "5s", "mainstay.dev/start-delay": "3s" }));
    let (behaviours, _) = Behaviours::of(&pod, &[]);
    let task = Task::of(&pod, behaviours.as_deref(), WEB).unwrap();
    let mut runtime = simulated();
    runtime.make_sandbox(START);
    runtime.start(task, 0, START + Duration::from_secs(1));
    let mut happened = Vec::new();
    while let Some(happening) = runtime.happened(Timestamp::MAX) {
        happened.push(happening);
    }
    let whats: Vec<_> = happened.iter().map(|happening| happening.what.clone()).collect();
    let exited = What::Exited(WEB, Exit::with(0));
    assert_eq!(whats, [What::SandboxReady, What::Created(WEB), What::Started(WEB), exited]);
    let apart = |a: usize, b: usize| happened[b].at.duration_since(happened[a].at).as_millis();
    assert!((3_010..3_070).contains(&apart(1, 2)) && apart(2, 3) == 5_000, "{happened:?}");
    assert_eq!(runtime.next(), None);
}

#[test]
fn a_pull_fails_as_often_as_is_said_and_takes_as_long() {
    let pod = pod(
        "Always",
        &json!({ "mainstay.dev/pull-error": "not-found", "mainstay.dev/pull-failures": "1", "mainstay.dev/pull-time": "9s" }),
    );
    let (behaviours, _) = Behaviours::of(&pod, &[]);
    let task = Task::of(&pod, behaviours.as_deref(), WEB).unwrap();
    let mut runtime = simulated();
    runtime.pull(task, 0, false, START);
    let Some(Happening { what: What::Pulled(WEB, Err(error)), .. }) = runtime.happened(Timestamp::MAX) else {
        panic!("a failure");
    };
    let image = "docker.io/library/nginx:1.27";
    assert_eq!(
        &*error,
        format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve \
             reference \"{image}\": {image}: not found"
        )
    );
    runtime.pull(task, 1, false, START);
    let Some(Happening { at, what: What::Pulled(WEB, Ok(pull)) }) = runtime.happened(Timestamp::MAX) else {
        panic!("a pull");
    };
    assert_eq!((at.as_second(), pull.took.as_secs()), (9, 9));
}

#[test]
fn stopping_takes_as_long_as_the_container_needs_but_never_longer_than_its_grace() {
    for (annotations, grace, after, exit) in [
        (json!({ "mainstay.dev/stop-after": "2s" }), 30, 2, Exit::with(0)),
        (json!({ "mainstay.dev/stop-after": "1h" }), 30, 30, Exit::KILLED),
        (json!({ "mainstay.dev/stop-after": "never" }), 30, 30, Exit::KILLED),
        (json!({ "mainstay.dev/stop-after": "0s" }), 0, 0, Exit::with(0)),
        (json!({ "mainstay.dev/stop-after": "never" }), 0, 2, Exit::KILLED),
        (json!({ "mainstay.dev/stop-after": "1s", "mainstay.dev/pre-stop": "5s" }), 30, 6, Exit::with(0)),
        (json!({ "mainstay.dev/stop-after": "never", "mainstay.dev/pre-stop": "5s" }), 10, 10, Exit::KILLED),
        (json!({ "mainstay.dev/stop-after": "1s", "mainstay.dev/pre-stop": "1m" }), 10, 11, Exit::with(0)),
    ] {
        let pod = pod("Always", &annotations);
        let (behaviours, _) = Behaviours::of(&pod, &[]);
        let task = Task::of(&pod, behaviours.as_deref(), WEB).unwrap();
        let mut runtime = simulated();
        runtime.adopt(task, 0, START);
        runtime.stop(task, Duration::from_secs(grace), START);
        let expected = Happening { at: START + Duration::from_secs(after), what: What::Exited(WEB, exit) };
        assert_eq!(runtime.happened(Timestamp::MAX), Some(expected), "{annotations}");
    }
}

#[test]
fn another_behaviour_changes_the_run_that_goes_on() {
    let mut pod = pod("Always", &json!({}));
    let mut runtime = simulated();
    runtime.adopt(Task::of(&pod, None, WEB).unwrap(), 0, START);
    assert_eq!(runtime.next(), None);
    pod.metadata.annotations = Some([("mainstay.dev/oom-after".to_owned(), "10s".to_owned())].into());
    let (behaviours, _) = Behaviours::of(&pod, &[]);
    let now = START + Duration::from_mins(1);
    runtime.revise(Task::of(&pod, behaviours.as_deref(), WEB).unwrap(), now);
    assert_eq!(runtime.happened(now), Some(Happening { at: now, what: What::Exited(WEB, Exit::OOM) }));
}

#[test]
fn answers_follow_the_behaviour() {
    let text = [
        ("startup-after", "10s"),
        ("ready-after", "20s"),
        ("unready", "60s-70s"),
        ("unhealthy", "80s-"),
        ("latency", "3s"),
    ];
    let annotations: serde_json::Map<_, _> =
        text.iter().map(|(key, value)| (format!("mainstay.dev/{key}"), json!(value))).collect();
    let pod = pod("Always", &annotations.into());
    let (behaviours, _) = Behaviours::of(&pod, &[]);
    let behaviour: &Behaviour = behaviours.as_deref().unwrap().get(WEB).unwrap();
    let second = |second: u64| START + Duration::from_secs(second);
    for (question, at, patience, verdict, until) in [
        (Question::Startup, 0, 5, Err(No::Refused), Some(10)),
        (Question::Startup, 10, 5, Ok(()), Some(20)),
        (Question::Liveness, 10, 1, Err(No::Late), Some(20)),
        (Question::Readiness, 10, 5, Err(No::Denied), Some(20)),
        (Question::Readiness, 20, 5, Ok(()), Some(60)),
        (Question::Readiness, 65, 5, Err(No::Denied), Some(70)),
        (Question::Readiness, 70, 5, Ok(()), None),
        (Question::Liveness, 70, 5, Ok(()), Some(80)),
        (Question::Liveness, 80, 5, Err(No::Denied), None),
    ] {
        let answer = Simulated::answer(question, behaviour, START, second(at), Duration::from_secs(patience));
        assert_eq!(answer, Answer { verdict, until: until.map(second) }, "{question:?} at {at}");
    }
}
