//! What a behaviour's settings mean, and what is wrong with them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Behaviour, Behaviours, NAMES, When};
use crate::bound::BoundPod;
use crate::described::Described;
use crate::runtime::Which;

fn pod(annotations: &Value) -> BoundPod {
    serde_json::from_value(json!({
        "metadata": { "name": "web-1", "annotations": annotations },
        "spec": {
            "initContainers": [{ "name": "migrate" }],
            "containers": [{ "name": "web" }, { "name": "logger" }],
        },
    }))
    .unwrap()
}

fn document(spec: &Value) -> Arc<Described> {
    let document = json!({
        "apiVersion": "mainstay.dev/v1alpha1", "kind": "PodBehaviour",
        "metadata": { "name": "flaky", "namespace": "shop" }, "spec": spec,
    });
    Arc::new(serde_json::from_value(document).unwrap())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn nobody_says_anything_of_most_pods() {
    assert_eq!(Behaviours::of(&pod(&json!({ "team": "shop" })), &[]), (None, vec![]));
}

#[test]
fn what_is_said_of_one_container_counts_more_than_what_is_said_of_all() {
    let pod = pod(&json!({
        "mainstay.dev/run-for": "90s", "mainstay.dev/web.run-for": "5s", "mainstay.dev/migrate.exit-code": "3",
    }));
    let (all, problems) = Behaviours::of(&pod, &[]);
    let all = all.unwrap();
    assert_eq!(problems, []);
    let run = |which| all.get(which).unwrap().run;
    assert_eq!(run(Which::Main(0)), Some(seconds(5)));
    assert_eq!(run(Which::Main(1)), Some(seconds(90)));
    assert_eq!(run(Which::Init(0)), None, "an init container is named or left alone");
    assert_eq!(all.get(Which::Init(0)).unwrap().exit_code, Some(3));
}

#[test]
fn an_annotation_counts_more_than_a_document_and_the_last_document_more_than_the_first() {
    let first = document(
        &json!({ "selector": {}, "behaviour": { "runFor": "1s", "exitCode": 7, "failureRatio": 0.5 } }),
    );
    let second = document(&json!({
        "selector": {}, "behaviour": { "exitCode": 8 },
        "containers": { "web": { "readyAfter": "never" }, "of-another-pod": { "cpu": "1" } },
    }));
    let (all, problems) = Behaviours::of(&pod(&json!({ "mainstay.dev/run-for": "2s" })), &[first, second]);
    let web = all.unwrap().get(Which::Main(0)).unwrap().clone();
    assert_eq!(problems, []);
    assert_eq!((web.run, web.exit_code, web.failure_ratio), (Some(seconds(2)), Some(8), Some(0.5)));
    assert_eq!(web.ready, When::Never);
}

#[test]
fn a_value_that_cannot_be_read_is_told_and_changes_nothing() {
    let broken = document(&json!({ "selector": {}, "behaviour": { "unready": "later" } }));
    let annotations = json!({
        "mainstay.dev/run-for": "soon", "mainstay.dev/runfor": "1s", "mainstay.dev/db.cpu": "1",
        "mainstay.dev/logger.exit-code": "256", "mainstay.dev/cpu": "-1",
    });
    let (all, problems) = Behaviours::of(&pod(&annotations), &[broken]);
    let all = all.unwrap();
    assert!(
        NAMES.len() == 25 && (0..2).all(|index| all.get(Which::Main(index)) == Some(&Behaviour::default()))
    );
    let problems: Vec<String> =
        problems.iter().map(|problem| problem.to_string().chars().take(90).collect()).collect();
    assert_eq!(
        problems,
        [
            r#"PodBehaviour "flaky", setting "unready": invalid spans "later": write them like 5m-6m, sev"#,
            r#"annotation "mainstay.dev/cpu": invalid quantity "-1": write it like 250m or 64Mi"#,
            r#"annotation "mainstay.dev/run-for": invalid duration "soon": write it like 90s, 10m or 1h30"#,
            r#"annotation "mainstay.dev/runfor": there is no such setting; there are: cpu, cpu-per-reques"#,
            r#"annotation "mainstay.dev/db.cpu": the pod has no container "db""#,
            r#"annotation "mainstay.dev/logger.exit-code": invalid exit code "256": it is a number from 0"#,
        ]
    );
}

#[test]
fn every_setting_has_a_name_in_the_list_and_the_list_is_sorted() {
    let mut sorted = NAMES;
    sorted.sort_unstable();
    assert_eq!(sorted, NAMES);
    let text = |name: &str| match name {
        "cpu" | "memory" | "memory-growth" => "1",
        "error-ratio" | "failure-ratio" | "request-rate" | "exit-code" | "failures" | "pull-failures" => "1",
        "metrics-port" => "8080",
        "unhealthy" | "unready" => "1s-2s, 1h-",
        _ => "3s",
    };
    for name in NAMES {
        let mut behaviour = Behaviour::default();
        behaviour.set(name, text(name)).unwrap();
        assert_ne!(behaviour, Behaviour::default(), "{name}");
    }
}

#[test]
fn spans_hold_from_their_begin_to_before_their_end() {
    let mut behaviour = Behaviour::default();
    behaviour.set("unready", "10s-20s, 1m-").unwrap();
    for (at, inside, edge) in [
        (0, false, Some(10)),
        (10, true, Some(20)),
        (19, true, Some(20)),
        (20, false, Some(60)),
        (60, true, None),
        (6000, true, None),
    ] {
        assert_eq!(behaviour.unready.contain(seconds(at)), inside, "{at}");
        assert_eq!(behaviour.unready.next_edge(seconds(at)), edge.map(seconds), "{at}");
    }
    behaviour.set("unready", "always").unwrap();
    assert!(behaviour.unready.contain(Duration::ZERO));
}
