//! Drills as they are written.

use super::*;
use serde_json::json;

fn drill(steps: &serde_json::Value) -> Result<Drill, serde_json::Error> {
    serde_json::from_value(json!({
        "apiVersion": API_VERSION, "kind": KIND, "metadata": { "name": "d" },
        "spec": { "duration": "24h", "steps": steps },
    }))
}

#[test]
fn a_drill_reads_its_steps_and_defaults() {
    let drill = drill(&json!([
        { "at": "10m", "apply": { "file": "web.yaml" } },
        { "at": "1h", "name": "lose one", "killNode": { "nodeGroup": "app-nodes", "index": 2 } },
        { "at": "1h5m", "expect": { "kind": "Deployment", "name": "web", "available": 3, "within": "90s" } },
    ]))
    .unwrap();
    assert_eq!(drill.spec.start.to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(drill.spec.duration, Duration::from_hours(24));
    assert_eq!(drill.spec.steps[1].name.as_deref(), Some("lose one"));
    let Action::Expect(expect) = &drill.spec.steps[2].action else { panic!("{drill:?}") };
    assert_eq!((expect.available, expect.within), (Some(Amount::exactly(3)), Duration::from_secs(90)));
    let again: Drill = serde_json::from_value(serde_json::to_value(&drill).unwrap()).unwrap();
    assert_eq!(again, drill);
}

#[test]
fn a_step_that_is_not_exactly_one_action_is_refused() {
    let two = json!([{ "at": "1m", "apply": { "file": "a" }, "delete": { "kind": "Pod", "name": "p" } }]);
    for steps in [json!([{ "at": "1m" }]), two] {
        let error = drill(&steps).unwrap_err().to_string();
        assert!(error.contains("exactly one of apply, delete, scale, killNode, restoreNode"), "{error}");
    }
    for (step, part) in [
        (json!({ "at": "1m", "apply": {} }), "manifest, file, target"),
        (
            json!({ "at": "1m", "apply": { "target": { "kind": "Pod", "name": "p" } } }),
            "merge, strategic, json",
        ),
        (json!({ "at": "1m", "apply": { "file": "a", "merge": {} } }), "merge, strategic, json"),
        (json!({ "at": "1m", "partition": { "regions": ["a"] } }), "nodes, or two regions"),
        (json!({ "at": "1m", "repeat": { "every": "1m", "times": 0, "steps": [] } }), "at least once"),
        (json!({ "at": "1m", "expect": { "name": "a" } }), "the kind of the objects"),
        (json!({ "at": "1m", "expect": { "kind": "Pod", "count": "=> 3" } }), "a comparison like"),
        (json!({ "at": "1m", "killNode": { "index": 1 } }), "killNode has exactly one"),
        (json!({ "at": "1m", "expect": { "kind": "Pod", "name": "a", "selector": "b=c" } }), "not both"),
        (json!({ "at": "10", "apply": { "file": "a" } }), "invalid duration"),
        (json!({ "at": "1m", "aply": { "file": "a" } }), "unknown field `aply`"),
    ] {
        let error = drill(&json!([step])).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn every_step_reads_back_as_it_was_written() {
    let steps = json!([
        { "at": "0s", "apply": { "target": { "kind": "Deployment", "name": "web" }, "merge": { "spec": {} } } },
        { "at": "1m0s", "restoreNode": { "zone": "us-east-1a", "pick": 1 } },
        { "at": "2m0s", "killRegion": "us-east-1" },
        { "at": "3m0s", "restoreRegion": "us-east-1" },
        { "at": "4m0s", "partition": { "nodes": { "selector": "a=b" }, "for": "5m0s" } },
        { "at": "5m0s", "region": "eu-west-1", "repeat": { "every": "1m0s", "times": 3, "jitter": "10s", "steps": [
            { "at": "0s", "expect": {
                "kind": "Pod", "selector": "a=b", "ready": ">= 2", "conditions": { "Ready": "True" },
                "cel": "object.spec.nodeName != ''", "within": "30s", "for": "10s",
            } },
            { "at": "1s", "expect": { "event": { "reason": "Killing", "type": "Normal", "name": "web-*" } } },
        ] } },
    ]);
    let read = drill(&steps).unwrap();
    assert_eq!(serde_json::to_value(&read.spec.steps).unwrap(), steps);
}

#[test]
fn an_invariant_says_from_when_on_and_for_how_long_not() {
    let read: Invariant = serde_json::from_value(json!({
        "name": "served", "from": "3m", "until": "1h",
        "expect": { "kind": "Deployment", "name": "web", "available": ">= 2", "within": "30s" },
    }))
    .unwrap();
    assert_eq!((read.from, read.until), (Duration::from_mins(3), Some(Duration::from_hours(1))));
    assert_eq!(read.expect.available, Some(Amount::at_least(2)));
}
