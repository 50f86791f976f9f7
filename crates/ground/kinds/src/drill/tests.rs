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
    assert_eq!((expect.available, expect.within), (Some(3), Duration::from_secs(90)));
    let again: Drill = serde_json::from_value(serde_json::to_value(&drill).unwrap()).unwrap();
    assert_eq!(again, drill);
}

#[test]
fn a_step_that_is_not_exactly_one_action_is_refused() {
    let two = json!([{ "at": "1m", "apply": { "file": "a" }, "delete": { "kind": "Pod", "name": "p" } }]);
    for steps in [json!([{ "at": "1m" }]), two] {
        let error = drill(&steps).unwrap_err().to_string();
        assert!(error.contains("exactly one of apply, delete, scale, killNode, expect"), "{error}");
    }
    for (step, part) in [
        (json!({ "at": "1m", "apply": {} }), "manifest, file"),
        (json!({ "at": "1m", "killNode": { "index": 1 } }), "killNode has exactly one"),
        (json!({ "at": "1m", "expect": { "kind": "Pod", "name": "a", "selector": "b=c" } }), "not both"),
        (json!({ "at": "10", "apply": { "file": "a" } }), "invalid duration"),
        (json!({ "at": "1m", "aply": { "file": "a" } }), "unknown field `aply`"),
    ] {
        let error = drill(&json!([step])).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
