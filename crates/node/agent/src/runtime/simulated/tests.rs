//! What a simulated pod goes through, and when.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use mainstay_base::{Random, Seed};
use serde_json::{Value, json};

use super::{Course, KILLED};
use crate::runtime::{Happening, PodState, What, Which, canonical};

fn pod(spec: &Value, annotations: &Value) -> Pod {
    serde_json::from_value(json!({ "metadata": { "annotations": annotations }, "spec": spec })).unwrap()
}

fn random() -> Random {
    Random::named(Seed(7), "pod")
}

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn whole(pod: &Pod, images: &[&str]) -> Vec<Happening> {
    let images: BTreeSet<String> = images.iter().map(|name| canonical(name)).collect();
    Course::start(pod, &images, random(), START).happened(Timestamp::MAX)
}

/// When this happens, in milliseconds from the start.
fn when(course: &[Happening], what: &What) -> i64 {
    let found = course.iter().find(|happening| happening.what == *what);
    found.unwrap_or_else(|| panic!("{what:?} in {course:?}")).at.as_millisecond()
}

fn web() -> Value {
    json!({ "restartPolicy": "Always", "containers": [{ "name": "web", "image": "nginx:1.27" }] })
}

#[test]
fn a_container_is_pulled_created_started_and_ready_in_order() {
    let course = whole(&pod(&web(), &json!({})), &[]);
    let main = Which::Main(0);
    let order: Vec<_> = course.iter().map(|happening| &happening.what).collect();
    assert!(matches!(
        order[..],
        [
            What::SandboxReady,
            What::Pulling(_),
            What::Pulled(_, Some(_)),
            What::Created(_),
            What::Started(_),
            What::Ready(_)
        ]
    ));
    assert_eq!(when(&course, &What::Started(main)), when(&course, &What::Ready(main)));
    assert!(when(&course, &What::Ready(main)) < 2_000);
}

#[test]
fn an_image_that_is_there_is_not_pulled_unless_it_must_be() {
    let there = whole(&pod(&web(), &json!({})), &["nginx:1.27"]);
    assert!(there.iter().any(|happening| happening.what == What::Pulled(Which::Main(0), None)));
    let mut always = web();
    always["containers"][0]["imagePullPolicy"] = json!("Always");
    let again = whole(&pod(&always, &json!({})), &["nginx:1.27"]);
    assert!(again.iter().any(|happening| happening.what == What::Pulling(Which::Main(0))));
}

#[test]
fn probes_succeed_when_their_delay_and_periods_allow() {
    for (probes, seconds) in [
        (json!({}), 0),
        (json!({ "readinessProbe": { "periodSeconds": 5 } }), 0),
        (json!({ "readinessProbe": { "initialDelaySeconds": 12, "periodSeconds": 5 } }), 15),
        (json!({ "readinessProbe": { "initialDelaySeconds": 10 } }), 10),
        (json!({ "readinessProbe": { "periodSeconds": 5, "successThreshold": 3 } }), 10),
        (
            json!({ "startupProbe": { "initialDelaySeconds": 20 }, "readinessProbe": { "initialDelaySeconds": 5 } }),
            30,
        ),
    ] {
        let mut spec = web();
        spec["containers"][0].as_object_mut().unwrap().extend(probes.as_object().unwrap().clone());
        let course = whole(&pod(&spec, &json!({})), &[]);
        let main = Which::Main(0);
        let took = when(&course, &What::Ready(main)) - when(&course, &What::Started(main));
        assert_eq!(took, seconds * 1000, "{probes}");
    }
}

#[test]
fn init_containers_end_before_the_next_starts_and_sidecars_stay() {
    let spec = json!({
        "initContainers": [
            { "name": "migrate", "image": "app:1" },
            { "name": "mesh", "image": "proxy:1", "restartPolicy": "Always" },
        ],
        "containers": [{ "name": "web", "image": "nginx:1.27" }],
    });
    let course = whole(&pod(&spec, &json!({})), &[]);
    let (migrate, mesh, web) = (Which::Init(0), Which::Init(1), Which::Main(0));
    assert!(when(&course, &What::Exited(migrate, 0)) <= when(&course, &What::Pulling(mesh)));
    assert!(when(&course, &What::Ready(mesh)) <= when(&course, &What::Pulling(web)));
    assert!(!course.iter().any(|happening| happening.what == What::Exited(mesh, 0)));
}

#[test]
fn a_pod_that_ends_does_so_after_the_time_it_says() {
    let mut spec = web();
    spec["restartPolicy"] = json!("Never");
    let course =
        whole(&pod(&spec, &json!({ "mainstay.dev/run-for": "90s", "mainstay.dev/exit-code": "3" })), &[]);
    let main = Which::Main(0);
    let ran = when(&course, &What::Exited(main, 3)) - when(&course, &What::Started(main));
    assert_eq!(ran, 90_000);
    let served = whole(&pod(&web(), &json!({ "mainstay.dev/run-for": "90s" })), &[]);
    assert!(!served.iter().any(|happening| matches!(happening.what, What::Exited(..))));
}

#[test]
fn stopping_takes_as_long_as_the_pod_needs_but_never_longer_than_its_grace() {
    for (needs, grace, after, code) in [("2s", 30, 2, 0), ("1h", 30, 30, KILLED), ("0s", 0, 0, 0)] {
        let pod = pod(&web(), &json!({ "mainstay.dev/stop-after": needs }));
        let mut course = Course::start(&pod, &BTreeSet::new(), random(), START);
        let mut state = PodState::new(0, 1);
        let now = START + Duration::from_mins(1);
        course.happened(now).iter().for_each(|happening| state.apply(happening));
        course.stop(&pod, &state, Duration::from_secs(grace), now);
        let end = now + Duration::from_secs(after);
        let rest = course.happened(Timestamp::MAX);
        let main = Which::Main(0);
        assert_eq!(
            rest,
            [
                Happening { at: now, what: What::Stopping(main) },
                Happening { at: end, what: What::Exited(main, code) }
            ]
        );
    }
}

#[test]
fn a_pod_stopped_before_it_started_has_nothing_to_stop() {
    let pod = pod(&web(), &json!({}));
    let mut course = Course::start(&pod, &BTreeSet::new(), random(), START);
    course.stop(&pod, &PodState::new(0, 1), Duration::from_secs(30), START);
    assert_eq!(course.next(), None);
}
